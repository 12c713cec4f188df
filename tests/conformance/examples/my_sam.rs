//! SAM of one's own behind the suite: right, or with a slip.
//!
//! ```text
//! cargo run -p presam-conformance --example my_sam                  right
//! cargo run -p presam-conformance --example my_sam -- no-restore    and its report
//! ```

use presam_conformance::{Answer, Case, Config, Rule, Scope, check, diagnose, function};

/// One step of SAM, and gradient descent with weight decay behind it.
fn my_sam(case: &Case<f64>) -> Answer<f64> {
    let squares = case.segments.iter().flat_map(|s| &s.grads).map(|g| g * g);
    let norm = squares.sum::<f64>().sqrt() + case.norm_guard();
    let mut answer = Answer::unchanged(case);
    for (from, to) in case.segments.iter().zip(&mut answer.segments) {
        for i in 0..from.params.len() {
            to.perturbed[i] = from.params[i] + from.options.rho * from.grads[i] / norm;
            let d = from.perturbed_grads[i] + case.weight_decay() * from.params[i];
            to.params[i] = from.params[i] - case.learning_rate() * d;
        }
    }
    answer
}

/// The same with one line changed.
fn my_wrong_sam(case: &Case<f64>, slip: &str) -> Answer<f64> {
    let norm_of = |grads: &mut dyn Iterator<Item = &f64>| grads.map(|g| g * g).sum::<f64>().sqrt();
    let whole = norm_of(&mut case.segments.iter().flat_map(|s| &s.grads));
    let guard = case.norm_guard();
    let mut answer = Answer::unchanged(case);
    for (from, to) in case.segments.iter().zip(&mut answer.segments) {
        let norm = if slip == "norm-per-tensor" { norm_of(&mut from.grads.iter()) } else { whole };
        let scale = match slip {
            "guard-after-division" => from.options.rho / norm + guard,
            _ => from.options.rho / (norm + guard),
        };
        for i in 0..from.params.len() {
            to.perturbed[i] = from.params[i] + scale * from.grads[i];
            let start = if slip == "no-restore" { to.perturbed[i] } else { from.params[i] };
            let decayed = if slip == "decay-on-perturbed" { to.perturbed[i] } else { start };
            let d = from.perturbed_grads[i] + case.weight_decay() * decayed;
            to.params[i] = start - case.learning_rate() * d;
        }
    }
    answer
}

/// The slips that [`my_wrong_sam`] knows.
pub const SLIPS: [&str; 4] =
    ["no-restore", "norm-per-tensor", "guard-after-division", "decay-on-perturbed"];

/// What the suite says of it.
pub fn report(slip: &str) -> String {
    let step = |case: &Case<f64>| match slip {
        "right" => my_sam(case),
        slip => my_wrong_sam(case, slip),
    };
    let mut mine = function(Scope::of(&[Rule::Sam], &["sgd"]), step);
    let config = Config { cases: 128, seed: 1 };
    let laws = match check(&mut mine, config) {
        Ok(reports) => {
            let tried = reports.iter().filter(|report| report.cases > 0);
            tried.map(|report| format!("{report}\n")).collect()
        }
        Err(failure) => failure.to_string(),
    };
    format!("{laws}\n{}\n", diagnose(&mut mine, config))
}

fn main() -> Result<(), String> {
    let slip = std::env::args().nth(1).unwrap_or_else(|| "right".into());
    if slip != "right" && !SLIPS.contains(&slip.as_str()) {
        return Err(format!("expected right or one of {SLIPS:?}, found {slip}"));
    }
    print!("{}", report(&slip));
    Ok(())
}
