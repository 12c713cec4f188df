//! A [`Case`] as the line that asks for its step.

use presam_conformance::{Base, Case, LengthRule, Scalar, Segment};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::hello::{Hello, Operation};
use crate::number::{Form, Written};

/// What of a case is asked, and how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The half of the step.
    pub operation: Operation,
    /// The form of the numbers.
    pub form: Form,
    /// A radius and three switches for each segment.
    pub groups: bool,
    /// The command keeps memory and state: what it answers of them is not read.
    pub keeps_state: bool,
}

impl Asked {
    /// As this command wants it.
    pub fn of(hello: &Hello, operation: Operation) -> Self {
        let Hello { form, groups, keeps_state, .. } = *hello;
        Self { operation, form, groups, keeps_state }
    }
}

/// Named values, in their order.
#[derive(Clone, Debug)]
pub(crate) struct Pairs(Vec<(&'static str, Item)>);

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Item {
    Number(Written),
    Flag(bool),
    Text(&'static str),
}

impl Serialize for Pairs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        self.0.iter().try_for_each(|(key, value)| map.serialize_entry(key, value))?;
        map.end()
    }
}

/// One request; what the operation does not read is left out.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Request {
    id: u64,
    op: Operation,
    scalar: &'static str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    ascent: Option<AscentRequest>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    descent: Option<DescentRequest>,
    segments: Vec<SegmentRequest>,
}

#[derive(Clone, Debug, Serialize)]
struct AscentRequest {
    rule: &'static str,
    settings: Pairs,
    #[serde(skip_serializing_if = "Option::is_none")]
    rho: Option<Written>,
    length: Pairs,
    rule_steps: u64,
    mean_of_variance: Written,
}

#[derive(Clone, Debug, Serialize)]
struct DescentRequest {
    base: Pairs,
    base_steps: u64,
}

#[derive(Clone, Debug, Serialize)]
struct SegmentRequest {
    name: String,
    params: Vec<Written>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grads: Option<Vec<Written>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    perturbed_grads: Option<Vec<Written>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<Vec<Vec<Written>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inputs: Option<Vec<Vec<Written>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<Vec<Vec<Written>>>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    group: Option<GroupRequest>,
}

#[derive(Clone, Debug, Serialize)]
struct GroupRequest {
    rho: Written,
    counts_in_norm: bool,
    is_perturbed: bool,
    operator_applies: bool,
}

/// The line, without its end.
///
/// # Errors
/// serde_json's; it has none for these types.
pub fn request_line<R: Scalar>(
    case: &Case<R>,
    id: u64,
    asked: Asked,
) -> Result<String, serde_json::Error> {
    serde_json::to_string(&request(case, id, asked))
}

pub(crate) fn request<R: Scalar>(case: &Case<R>, id: u64, asked: Asked) -> Request {
    let Asked { operation, form, groups, .. } = asked;
    let number = |value: f64| Written::new(form, R::from_f64(value));
    let ascent = (operation != Operation::Descend).then(|| AscentRequest {
        rule: case.rule.name(),
        settings: pairs(case.rule.settings(), &number),
        // All segments alike, unless the command knows groups.
        rho: (!groups).then(|| number(case.segments.first().map_or(0.0, |s| s.options.rho))),
        length: length(case.length, &number),
        rule_steps: case.rule_state.steps,
        mean_of_variance: number(case.rule_state.mean_of_variance),
    });
    let descent = (operation != Operation::Ascend)
        .then(|| DescentRequest { base: base(case.base, &number), base_steps: case.base_steps });
    let segments = case.segments.iter().enumerate().map(|s| segment(s, asked)).collect();
    Request { id, op: operation, scalar: R::NAME, ascent, descent, segments }
}

/// A name for the tensor of this index, as layers have them, among them what codes leave out of weight decay or of the
/// ascent by its name: sorted by name, or by the number in it, the tensors stand in another order than in the request.
fn name(index: usize) -> String {
    // 41 is a prime above the 40 tensors of the suite.
    let (layer, turn) = ((index * 29 + 12) % 41, index / 41);
    let kind = if index.is_multiple_of(2) { "weight" } else { "bias" };
    let part = ["", "", "norm.", "embed.", "bn.", "head."].get(index % 6).copied().unwrap_or("");
    let turn = if turn == 0 { String::new() } else { turn.to_string() };
    format!("layer{layer}.{part}{kind}{turn}")
}

fn segment<R: Scalar>((index, segment): (usize, &Segment<R>), asked: Asked) -> SegmentRequest {
    let Asked { operation, form, groups, .. } = asked;
    let (ascends, descends) = (operation != Operation::Descend, operation != Operation::Ascend);
    let plane = |plane: &Vec<R>| Written::plane(form, plane);
    let planes = |planes: &[Vec<R>]| planes.iter().map(plane).collect::<Vec<_>>();
    let group = || GroupRequest {
        rho: Written::new(form, R::from_f64(segment.options.rho)),
        counts_in_norm: segment.options.counts_in_norm,
        is_perturbed: segment.options.is_perturbed,
        operator_applies: segment.options.operator_applies,
    };
    SegmentRequest {
        name: name(index),
        params: plane(&segment.params),
        grads: ascends.then(|| plane(&segment.grads)),
        perturbed_grads: descends.then(|| plane(&segment.perturbed_grads)),
        memory: ascends.then(|| planes(&segment.memory)),
        inputs: ascends.then(|| planes(&segment.inputs)),
        state: descends.then(|| planes(&segment.state)),
        group: (groups && ascends).then(group),
    }
}

fn pairs(values: Vec<(&'static str, f64)>, number: &impl Fn(f64) -> Written) -> Pairs {
    Pairs(values.into_iter().map(|(key, value)| (key, Item::Number(number(value)))).collect())
}

fn length(length: LengthRule, number: &impl Fn(f64) -> Written) -> Pairs {
    let (kind, values) = match length {
        LengthRule::Normalised { norm_guard } => ("normalised", vec![("norm_guard", norm_guard)]),
        LengthRule::Unnormalised => ("unnormalised", Vec::new()),
        LengthRule::Mixed { lambda, norm_guard } => {
            ("mixed", vec![("lambda", lambda), ("norm_guard", norm_guard)])
        }
    };
    let mut pairs = pairs(values, number);
    pairs.0.insert(0, ("kind", Item::Text(kind)));
    pairs
}

fn base(base: Base, number: &impl Fn(f64) -> Written) -> Pairs {
    let mut pairs = pairs(base.settings(), number);
    if let Base::SgdMomentum { nesterov, .. } = base {
        pairs.0.push(("nesterov", Item::Flag(nesterov)));
    }
    pairs.0.insert(0, ("name", Item::Text(base.name())));
    pairs
}
