//! What `VariantInfo::claims` says of a rule is tested, and what it does not claim is broken.

use presam::Cpu;
use presam::variants::{ALL, Claim};
use presam_backends::Phases;
use presam_conformance::{Law, Only, Rule, Verdict, check_law, laws};
use presam_tests::config;

/// The claims with a law of their own; `Claim::Bounded` is convergence.rs.
const LAWS: [(Claim, &str); 6] = [
    (Claim::LengthIsRho, "length-is-rho"),
    (Claim::LengthAtMostRho, "length-at-most-rho"),
    (Claim::ConstrainedLengthIsRho, "constrained-length-is-rho"),
    (Claim::ScaleInvariant, "scale-invariant"),
    (Claim::Ascends, "ascends"),
    (Claim::FirstStepIsSam, "first-step-is-sam"),
];

/// The law whatever rules it is about.
fn law(name: &str) -> Law<f64> {
    Law { rules: |_| true, ..laws::named(name).expect("a law of this name") }
}

fn only(rule: Rule) -> Only<Phases> {
    // SAM is in scope for the laws that compare with it.
    Only { backend: Phases(Cpu::detect()), rules: vec![rule], bases: vec!["sgd"] }
}

fn claims() -> impl Iterator<Item = (Rule, &'static [Claim])> {
    ALL.iter().map(|info| (Rule::from_name(info.name).expect("a rule of the oracle"), info.claims))
}

/// A claim that follows from another, or says nothing of the rule.
fn is_implied(claim: Claim, rule: Rule, claims: &[Claim]) -> bool {
    match claim {
        // Equal is at most; and D = 1 makes both norms one.
        Claim::LengthAtMostRho | Claim::ConstrainedLengthIsRho => {
            claims.contains(&Claim::LengthIsRho)
        }
        // Without memory there is no first step.
        Claim::FirstStepIsSam => rule.memory() == 0,
        _ => false,
    }
}

#[test]
fn every_claim_holds() {
    for (rule, claims) in claims() {
        for (claim, name) in LAWS.iter().filter(|(claim, _)| claims.contains(claim)) {
            // needs: SAM beside the rule, which the backend has though it is not asked for it.
            let law = Law { needs: |_| true, ..law(name) };
            let report = check_law(&mut only(rule), &law, config(192));
            let report = report.unwrap_or_else(|f| panic!("{rule} claims {claim:?}: {f}"));
            assert_eq!(report.verdict, Verdict::Holds);
        }
    }
}

#[test]
fn what_is_not_claimed_is_broken() {
    for (rule, claims) in claims() {
        let unclaimed = LAWS.iter().filter(|(claim, _)| !claims.contains(claim));
        for (claim, name) in unclaimed.filter(|(claim, _)| !is_implied(*claim, rule, claims)) {
            let law = Law { needs: |_| true, ..law(name) };
            let result = check_law(&mut only(rule), &law, config(192));
            assert!(result.is_err(), "{rule} does not claim {claim:?}, and yet it holds");
        }
    }
}

#[test]
fn the_suite_knows_the_same_claims() {
    for (rule, claims) in claims() {
        for (claim, name) in LAWS {
            let law = laws::named::<f64>(name).expect("a law of this name");
            assert_eq!((law.rules)(rule), claims.contains(&claim), "{rule}: {name}");
        }
    }
}
