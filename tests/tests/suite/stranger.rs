//! The suite in a stranger's hands: ten lines of SAM pass, a slip is shown with the smallest case.

use presam_conformance::{
    Answer, Backend, Base, Case, Config, Failure, Report, Rule, Scope, check,
};

/// What is checked: the new parameters and the perturbed ones from w, g, g~, rho and the learning rate.
type MySam = fn(w: &[f64], g: &[f64], g2: &[f64], rho: f64, rate: f64) -> (Vec<f64>, Vec<f64>);

fn my_sam(w: &[f64], g: &[f64], g2: &[f64], rho: f64, rate: f64) -> (Vec<f64>, Vec<f64>) {
    let norm = g.iter().map(|g| g * g).sum::<f64>().sqrt() + 1e-12;
    let perturbed = w.iter().zip(g).map(|(w, g)| w + rho * g / norm).collect();
    (w.iter().zip(g2).map(|(w, g2)| w - rate * g2).collect(), perturbed)
}

/// The slip: the descent starts where the ascent ended.
fn my_wrong_sam(w: &[f64], g: &[f64], g2: &[f64], rho: f64, rate: f64) -> (Vec<f64>, Vec<f64>) {
    let (_, perturbed) = my_sam(w, g, g2, rho, rate);
    (perturbed.iter().zip(g2).map(|(w, g2)| w - rate * g2).collect(), perturbed)
}

/// The stranger's function over one flat vector, as a backend.
struct Flat(MySam);

impl Backend<f64> for Flat {
    fn scope(&self) -> Scope {
        Scope::of(&[Rule::Sam], &["sgd"])
    }

    fn step(&mut self, case: &Case<f64>) -> Result<Answer<f64>, String> {
        let Base::Sgd { learning_rate, weight_decay } = case.base else {
            return Err("only sgd".into());
        };
        let all = |f: fn(&presam_conformance::Segment<f64>) -> &Vec<f64>| -> Vec<f64> {
            case.segments.iter().flat_map(f).copied().collect()
        };
        let (w, g, mut g2) = (all(|s| &s.params), all(|s| &s.grads), all(|s| &s.perturbed_grads));
        g2.iter_mut().zip(&w).for_each(|(g2, w)| *g2 += weight_decay * w);
        let rho = case.segments.first().map_or(0.0, |s| s.options.rho);
        let (params, perturbed) = (self.0)(&w, &g, &g2, rho, learning_rate);
        let mut answer = Answer::unchanged(case);
        let (mut params, mut perturbed) = (params.into_iter(), perturbed.into_iter());
        for segment in &mut answer.segments {
            let n = segment.params.len();
            segment.params = params.by_ref().take(n).collect();
            segment.perturbed = perturbed.by_ref().take(n).collect();
        }
        Ok(answer)
    }
}

fn verify(sam: MySam) -> Result<Vec<Report>, Box<Failure>> {
    check(&mut Flat(sam), Config { cases: 256, seed: 7 })
}

#[test]
fn ten_lines_of_sam_pass() {
    for report in verify(my_sam).unwrap_or_else(|failure| panic!("{failure}")) {
        println!("{report}");
    }
}

#[test]
fn a_wrong_one_is_shown_with_the_smallest_case() {
    let failure = verify(my_wrong_sam).unwrap_err();
    let text = failure.to_string();
    println!("{text}");
    assert_eq!(failure.law, "agrees");
    assert!(failure.mismatch.place.contains("params[0]"), "{text}");
    // One segment of one element is enough, and it is in decimal and in bits.
    assert!(!text.contains("segment 1:") || text.contains("params           []"), "{text}");
    assert!(text.contains("0x"), "{text}");
}
