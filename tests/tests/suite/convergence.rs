//! preSAM's rate: the mean squared gradient norm falls as 1/sqrt(T) for every rule that claims bounded
//! preconditioners.

use presam::variants::{ALL, Claim};
use presam_conformance::Rule;
use presam_tests::problem::{Rate, curve, fitted_slope};

const SEEDS: u64 = 3;

fn slope(rule: Rule, rate: Rate) -> f64 {
    fitted_slope(&curve(rule, rate, SEEDS).unwrap_or_else(|reason| panic!("{rule}: {reason}")))
}

#[test]
fn every_bounded_rule_converges_at_the_rate() {
    let bounded: Vec<_> = ALL.iter().filter(|info| info.claims.contains(&Claim::Bounded)).collect();
    assert!(!bounded.is_empty());
    for info in bounded {
        let rule = Rule::from_name(info.name).expect("a rule of the oracle");
        let slope = slope(rule, Rate::Falling);
        println!("{rule}: slope {slope:.3}");
        assert!((slope + 0.5).abs() <= 0.1, "{rule}: slope {slope}, expected -1/2 within 0.1");
    }
}

#[test]
fn a_learning_rate_that_does_not_fall_is_seen() {
    let slope = slope(Rule::Sam, Rate::Fixed);
    assert!((slope + 0.5).abs() > 0.1, "slope {slope}");
}
