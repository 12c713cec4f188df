//! What a rule does in the catalogue's words, and whether every law holds by them.
//!
//! A convention is accepted only where it explains all: each answer that the catalogue asks for, and each law, judged
//! again with the convention's own expectation. What still fails makes the rule differ, and is named.

use presam_conformance::catalogue::{diagnose_subtraction, off_at_rest};
use presam_conformance::runner::SHRINKS;
use presam_conformance::{
    Backend, Config, Convention, Diagnosis, Failure, Law, Rule, Scalar, Trial, diagnose,
};

use super::record::Settled;
use super::subject::{OneRule, Plan, Subject};

/// Fewer cases than this tell too few entries of the catalogue apart.
const DIAGNOSED: u32 = 128;

/// The verdict on a rule for which the laws `broken` do not hold by the oracle, with the failure of a law that does not
/// hold by the convention found either. `is_judged` is whether its first law said anything.
pub(super) fn settled<R: Scalar, B: Subject<R>>(
    subject: &mut B,
    laws: &[Law<R>],
    (rule, is_judged): (Rule, bool),
    broken: &[&str],
    plan: Plan,
) -> (Settled, Option<Box<Failure>>) {
    if !is_judged && broken.is_empty() {
        return (plainly(Diagnosis::Untested), None);
    }
    let config = Config { cases: plan.config.cases.max(DIAGNOSED), ..plan.config };
    let mut one = OneRule { subject, rule, convention: Convention::ORACLE };
    let first = diagnose(&mut one, config);
    if matches!(first, Diagnosis::Agrees) && broken.is_empty() {
        return (plainly(first), None);
    }
    if matches!(first, Diagnosis::DiffersAs(_)) {
        return (plainly(first), None);
    }
    let scope = one.scope();
    // Subtraction leaves a rounding error, which breaks one law at least.
    let may_subtract = scope.ascends && scope.descends && broken.contains(&"restored");
    let mut last = None;
    for subtracts in [false, true].into_iter().take(1 + usize::from(may_subtract)) {
        let found = if subtracts { diagnose_subtraction(&mut one, config) } else { first };
        // By the oracle the laws were tried before.
        let Some(convention) = found.convention().filter(|found| !found.is_oracle()) else {
            continue;
        };
        one.convention = convention;
        let failure = laws.iter().find_map(|law| broken_by_convention(&mut one, law, plan));
        one.convention = Convention::ORACLE;
        match failure {
            None => return (explained(&mut one, found, config), None),
            Some(failure) => last = Some((convention, failure)),
        }
    }
    differs(last, broken)
}

fn plainly(diagnosis: Diagnosis) -> Settled {
    Settled { diagnosis, law: None, says: diagnosis.to_string() }
}

/// Every law holds by the convention that was found.
fn explained<R: Scalar, B: Subject<R>>(
    one: &mut OneRule<'_, B>,
    found: Diagnosis,
    config: Config,
) -> Settled {
    let mut settled = plainly(found);
    if matches!(found, Diagnosis::AgreesBut(_)) {
        let off = off_at_rest(one, config).unwrap_or(u64::MAX);
        settled.says += &format!(" (params off by up to {off} ulp)");
    }
    settled
}

fn differs(
    last: Option<(Convention, Box<Failure>)>,
    broken: &[&str],
) -> (Settled, Option<Box<Failure>>) {
    let diagnosis = Diagnosis::Differs;
    let Some((convention, failure)) = last else {
        let says = match broken {
            [] => {
                "differs from every known convention near a norm guard or without a gradient".into()
            }
            [law] => format!("differs: law {law} does not hold"),
            _ => format!("differs: laws {} do not hold", broken.join(", ")),
        };
        return (Settled { diagnosis, law: None, says }, None);
    };
    let law = failure.law;
    let says = format!("differs: law {law} does not hold where it otherwise {convention}");
    (Settled { diagnosis, law: Some(law), says }, Some(failure))
}

/// The law's failure where the subject is judged by its convention.
fn broken_by_convention<R: Scalar, B: Subject<R>>(
    one: &mut OneRule<'_, B>,
    law: &Law<R>,
    plan: Plan,
) -> Option<Box<Failure>> {
    let rules = [one.rule];
    let trial = Trial { law, rules: &rules, config: plan.config, shrinks: SHRINKS, least: 0 };
    trial.run(one).err()
}
