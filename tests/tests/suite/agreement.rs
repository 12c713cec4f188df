//! Every rule and base optimizer against the oracle, each within its own limit, and each limit near
//! what is really seen.

use presam::Cpu;
use presam_backends::Phases;
use presam_conformance::tolerance::too_loose;
use presam_conformance::{Backend, Config, Only, Phase, Rule, Scalar, Worst, check_law, laws};
use presam_tests::config;

const BASES: [&str; 3] = ["sgd", "sgd-momentum", "adamw"];

/// Never fewer cases than the limits were measured with: fewer would make them look loose.
fn cases() -> Config {
    let config = config(CASES);
    Config { cases: config.cases.max(CASES), ..config }
}

const CASES: u32 = 768;

/// The worst errors of these rules and base optimizers in one scalar type.
fn worst<R: Scalar>(rules: Vec<Rule>, bases: Vec<&'static str>) -> Worst
where
    Phases: Backend<R>,
{
    let mut core = Only { backend: Phases(Cpu::detect()), rules, bases };
    ["agrees", "agrees-over-steps"].into_iter().fold(Worst::default(), |worst, name| {
        let law = laws::named::<R>(name).expect("a law of this name");
        let report = check_law(&mut core, &law, cases()).unwrap_or_else(|f| panic!("{f}"));
        worst.and(report.worst)
    })
}

/// Prints the rows of `tolerance::LIMITS` as they would be written today, and returns what is loose.
fn judge(row: &str, phases: &[Phase], worst: &Worst) -> Vec<String> {
    for phase in phases {
        if let Some(seen) = worst.of(*phase) {
            println!("(\"{row}\", Phase::{phase:?}, {seen:.3})");
        }
    }
    too_loose(row, worst)
}

#[test]
fn every_rule_agrees_within_limits_that_are_not_loose() {
    let mut loose = Vec::new();
    for rule in Rule::all() {
        let both = worst::<f32>(vec![rule], vec!["sgd"]).and(worst::<f64>(vec![rule], vec!["sgd"]));
        let phases = [Phase::Norm, Phase::Perturbed, Phase::Memory, Phase::Mean];
        loose.extend(judge(rule.name(), &phases, &both));
    }
    assert!(loose.is_empty(), "{loose:#?}");
}

#[test]
fn every_base_optimizer_agrees_within_limits_that_are_not_loose() {
    let mut loose = Vec::new();
    for base in BASES {
        let rules = || vec![Rule::Sam];
        let both = worst::<f32>(rules(), vec![base]).and(worst::<f64>(rules(), vec![base]));
        loose.extend(judge(base, &[Phase::Params, Phase::State], &both));
    }
    assert!(loose.is_empty(), "{loose:#?}");
}

#[test]
fn a_limit_that_is_too_loose_is_found() {
    // Nothing but copies is seen: every limit is loose.
    let law = laws::named::<f64>("agrees").expect("a law of this name");
    let mut core =
        Only { backend: Exact(Phases(Cpu::plain())), rules: vec![Rule::Sam], bases: vec!["sgd"] };
    let report = check_law(&mut core, &law, config(32)).unwrap_or_else(|f| panic!("{f}"));
    assert!(!too_loose("sam", &report.worst).is_empty());
}

/// Answers with the oracle's own numbers.
struct Exact(Phases);

impl Backend<f64> for Exact {
    fn scope(&self) -> presam_conformance::Scope {
        Backend::<f64>::scope(&self.0)
    }

    fn step(
        &mut self,
        case: &presam_conformance::Case<f64>,
    ) -> Result<presam_conformance::Answer<f64>, String> {
        let mut answer = self.0.step(case)?;
        let expected =
            presam_conformance::Expected::of(case).map_err(|mismatch| mismatch.to_string())?;
        answer.norm = None;
        let parts = answer.segments.iter_mut().zip(expected.ascent.perturbed);
        parts.for_each(|(segment, perturbed)| segment.perturbed = perturbed.values);
        let parts = answer.segments.iter_mut().zip(expected.descent.params);
        parts.for_each(|(segment, params)| segment.params = params.values);
        Ok(answer)
    }
}
