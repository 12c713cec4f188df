//! A case in a file, to be tried again.

use std::collections::BTreeMap;

use presam_conformance::{
    Base, Case, Expected, LengthRule, Options, Rule, RuleState, Scalar, Segment,
};
use serde::Deserialize;
use serde_json::Value;

use crate::hello::Operation;
use crate::number::{Form, Read};
use crate::request::{Asked, request};

/// The case as a request that tells everything: a whole step with groups, in decimal.
///
/// # Errors
/// serde_json's; it has none for these types.
pub fn case_value<R: Scalar>(case: &Case<R>) -> Result<Value, serde_json::Error> {
    let (operation, form) = (Operation::Step, Form::Decimal);
    let asked = Asked { operation, form, groups: true, keeps_state: false };
    serde_json::to_value(request(case, 1, asked))
}

#[derive(Deserialize)]
#[serde(bound = "R: Scalar")]
struct Saved<R> {
    rule: String,
    settings: BTreeMap<String, Read<R>>,
    length: Length<R>,
    base: SavedBase<R>,
    /// As the core counts.
    rule_steps: u32,
    mean_of_variance: Read<R>,
    base_steps: u32,
    segments: Vec<SavedSegment<R>>,
}

#[derive(Deserialize)]
#[serde(bound = "R: Scalar")]
struct Length<R> {
    kind: String,
    #[serde(flatten)]
    settings: BTreeMap<String, Read<R>>,
}

#[derive(Deserialize)]
#[serde(bound = "R: Scalar")]
struct SavedBase<R> {
    name: String,
    #[serde(default)]
    nesterov: bool,
    #[serde(flatten)]
    settings: BTreeMap<String, Read<R>>,
}

#[derive(Deserialize)]
#[serde(bound = "R: Scalar")]
struct SavedSegment<R> {
    rho: Read<R>,
    counts_in_norm: bool,
    is_perturbed: bool,
    operator_applies: bool,
    params: Vec<Read<R>>,
    grads: Vec<Read<R>>,
    perturbed_grads: Vec<Read<R>>,
    memory: Vec<Vec<Read<R>>>,
    inputs: Vec<Vec<Read<R>>>,
    state: Vec<Vec<Read<R>>>,
}

/// Reads [`case_value`] back.
///
/// # Errors
/// A value that is no case, or whose planes do not fit its rule and base optimizer.
pub fn read_case<R: Scalar>(value: Value) -> Result<Case<R>, String> {
    let saved: Saved<R> = serde_json::from_value(value).map_err(|reason| reason.to_string())?;
    let case = Case {
        rule: rule(&saved.rule, &Settings(&saved.settings))?,
        length: length(&saved.length.kind, &Settings(&saved.length.settings))?,
        segments: saved.segments.into_iter().map(segment).collect(),
        rule_state: RuleState {
            steps: saved.rule_steps.into(),
            mean_of_variance: saved.mean_of_variance.0.to_f64(),
        },
        base: base(&saved.base.name, saved.base.nesterov, &Settings(&saved.base.settings))?,
        base_steps: saved.base_steps.into(),
    };
    // The oracle looks at every length.
    Expected::of(&case).map_err(|mismatch| mismatch.found).map(|_| case)
}

/// Values by name.
struct Settings<'a, R>(&'a BTreeMap<String, Read<R>>);

impl<R: Scalar> Settings<'_, R> {
    fn of(&self, name: &str) -> Result<f64, String> {
        let value = self.0.get(name).map(|value| value.0.to_f64());
        value.ok_or_else(|| format!("it lacks {name}"))
    }
}

fn rule<R: Scalar>(name: &str, settings: &Settings<'_, R>) -> Result<Rule, String> {
    let rule = Rule::from_name(name).ok_or_else(|| format!("no rule {name}"))?;
    rule.try_map_settings(|name, _| settings.of(name))
}

fn length<R: Scalar>(kind: &str, settings: &Settings<'_, R>) -> Result<LengthRule, String> {
    let norm_guard = || settings.of("norm_guard");
    match kind {
        "normalised" => Ok(LengthRule::Normalised { norm_guard: norm_guard()? }),
        "unnormalised" => Ok(LengthRule::Unnormalised),
        "mixed" => {
            Ok(LengthRule::Mixed { lambda: settings.of("lambda")?, norm_guard: norm_guard()? })
        }
        _ => Err(format!("no length rule {kind}")),
    }
}

fn base<R: Scalar>(name: &str, nesterov: bool, settings: &Settings<'_, R>) -> Result<Base, String> {
    let of = |name| settings.of(name);
    let (learning_rate, weight_decay) = (of("learning_rate")?, of("weight_decay")?);
    match name {
        "sgd" => Ok(Base::Sgd { learning_rate, weight_decay }),
        "sgd-momentum" => Ok(Base::SgdMomentum {
            learning_rate,
            weight_decay,
            momentum: of("momentum")?,
            dampening: of("dampening")?,
            nesterov,
        }),
        "adamw" => Ok(Base::AdamW {
            learning_rate,
            weight_decay,
            mean_decay: of("mean_decay")?,
            square_decay: of("square_decay")?,
            denominator_guard: of("denominator_guard")?,
        }),
        _ => Err(format!("no base optimizer {name}")),
    }
}

fn segment<R: Scalar>(saved: SavedSegment<R>) -> Segment<R> {
    let plane = |plane: Vec<Read<R>>| plane.into_iter().map(|x| x.0).collect::<Vec<R>>();
    let planes = |planes: Vec<Vec<Read<R>>>| planes.into_iter().map(plane).collect();
    Segment {
        options: Options {
            rho: saved.rho.0.to_f64(),
            counts_in_norm: saved.counts_in_norm,
            is_perturbed: saved.is_perturbed,
            operator_applies: saved.operator_applies,
        },
        params: plane(saved.params),
        grads: plane(saved.grads),
        perturbed_grads: plane(saved.perturbed_grads),
        memory: planes(saved.memory),
        inputs: planes(saved.inputs),
        state: planes(saved.state),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn counters_beyond_the_core_s_are_refused() {
        let mut value = json!({
            "rule": "sam", "settings": {}, "length": {"kind": "normalised", "norm_guard": 0},
            "base": {"name": "sgd", "learning_rate": 0.1, "weight_decay": 0},
            "rule_steps": u32::MAX, "mean_of_variance": 0, "base_steps": u32::MAX, "segments": [],
        });
        let case = read_case::<f64>(value.clone()).unwrap();
        assert_eq!((case.rule_state.steps, case.base_steps), (u32::MAX.into(), u32::MAX.into()));
        for counter in ["rule_steps", "base_steps"] {
            let mut more = value.clone();
            more[counter] = json!(u64::MAX);
            let error = read_case::<f64>(more).unwrap_err();
            assert!(
                error.contains("18446744073709551615") && error.lines().count() == 1,
                "{error}"
            );
        }
        value["rule_steps"] = json!(-1);
        assert!(read_case::<f64>(value).is_err());
    }
}
