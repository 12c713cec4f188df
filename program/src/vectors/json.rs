//! Vectors as one self-describing JSON document.

use presam_conformance::{BoundedVector, Scalar};
use serde::Serialize;
use serde_json::Value;

use super::{Request, Vector};
use presam_pipe::case_value;

#[derive(Serialize)]
struct Document {
    made_by: String,
    about: &'static str,
    rule: &'static str,
    scalar: &'static str,
    seed: u64,
    cases: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    case: Value,
    expected: Vec<SegmentEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mean_of_variance: Option<Bounded>,
}

#[derive(Serialize)]
struct SegmentEntry {
    perturbed: Plane,
    memory: Vec<Plane>,
    params: Plane,
    state: Vec<Plane>,
}

#[derive(Serialize)]
struct Plane {
    values: Vec<f64>,
    bounds: Vec<f64>,
}

#[derive(Serialize)]
struct Bounded {
    value: f64,
    bound: f64,
}

const ABOUT: &str = "Each case is one whole step: the ascent at params with grads (the momentum for momentum-sam), then the base optimizer from params with perturbed_grads. Planes of memory are in presam's order (vasso d; friendly-sam, friendly-asam and info-sam-draft m; info-sam and info-asam m, v), planes of state too (sgd-momentum: buffer; adamw: mean, mean of squares). expected holds the oracle's f64 results, one entry for each segment; an implementation in the scalar type is right where no number is off by more than its bound, whatever its order of summation. Every input is exact in the scalar type.";

/// The document.
///
/// # Errors
/// serde_json's; it has none for these types.
pub fn json<R: Scalar>(
    request: Request,
    vectors: &[Vector<R>],
) -> Result<String, serde_json::Error> {
    let document = Document {
        made_by: format!("presam {}", env!("CARGO_PKG_VERSION")),
        about: ABOUT,
        rule: request.rule.name(),
        scalar: R::NAME,
        seed: request.seed,
        cases: vectors.iter().map(entry).collect::<Result<_, _>>()?,
    };
    serde_json::to_string_pretty(&document).map(|text| text + "\n")
}

fn entry<R: Scalar>(vector: &Vector<R>) -> Result<Entry, serde_json::Error> {
    let Vector { case, expected, slack } = vector;
    let plane = |plane: &BoundedVector| Plane {
        values: plane.values.clone(),
        bounds: plane.bounds.iter().map(|bound| bound * slack).collect(),
    };
    let planes = |list: &Vec<BoundedVector>| list.iter().map(plane).collect();
    let (ascent, descent) = (&expected.ascent, &expected.descent);
    let segments =
        ascent.perturbed.iter().zip(&ascent.memory).zip(&descent.params).zip(&descent.planes);
    let segments = segments.map(|(((perturbed, memory), params), state)| SegmentEntry {
        perturbed: plane(perturbed),
        memory: planes(memory),
        params: plane(params),
        state: planes(state),
    });
    let mean = Bounded { value: ascent.statistic.value, bound: ascent.statistic.bound * slack };
    Ok(Entry {
        case: case_value(case)?,
        expected: segments.collect(),
        mean_of_variance: case.rule.carries_mean().then_some(mean),
    })
}
