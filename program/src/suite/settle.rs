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
        let off = if subtracts { off_at_rest(&mut one, config).unwrap_or(u64::MAX) } else { 0 };
        let found = match (subtracts, off) {
            (false, _) => first,
            (true, 0) => continue,
            (true, _) => diagnose_subtraction(&mut one, config),
        };
        // By the oracle the laws were tried before.
        let Some(convention) = found.convention().filter(|found| !found.is_oracle()) else {
            continue;
        };
        one.convention = convention;
        let failures = broken_by_convention(&mut one, laws, plan);
        one.convention = Convention::ORACLE;
        if failures.is_empty() {
            return (explained(found, off), None);
        }
        last = Some((convention, failures));
    }
    differs(last, broken)
}

fn plainly(diagnosis: Diagnosis) -> Settled {
    Settled { diagnosis, law: None, says: diagnosis.to_string() }
}

/// Every law holds by the convention that was found.
fn explained(found: Diagnosis, off: u64) -> Settled {
    let mut settled = plainly(found);
    if matches!(found, Diagnosis::AgreesBut(_)) {
        settled.says += &format!(" (params off by up to {off} ulp)");
    }
    settled
}

fn differs(
    last: Option<(Convention, Vec<Failure>)>,
    broken: &[&str],
) -> (Settled, Option<Box<Failure>>) {
    let diagnosis = Diagnosis::Differs;
    let Some((convention, failures)) = last else {
        let says = match broken {
            [] => {
                "differs from every known convention near a norm guard or without a gradient".into()
            }
            broken => format!("differs: {} not hold", named(broken)),
        };
        return (Settled { diagnosis, law: None, says }, None);
    };
    let laws: Vec<_> = failures.iter().map(|failure| failure.law).collect();
    let says = format!("differs: {} not hold where it otherwise {convention}", named(&laws));
    let law = laws.first().copied();
    (Settled { diagnosis, law, says }, failures.into_iter().next().map(Box::new))
}

fn named(laws: &[&str]) -> String {
    match laws {
        [law] => format!("law {law} does"),
        _ => format!("laws {} do", laws.join(", ")),
    }
}

/// The laws that fail where the subject is judged by its convention, the first with its smallest case.
fn broken_by_convention<R: Scalar, B: Subject<R>>(
    one: &mut OneRule<'_, B>,
    laws: &[Law<R>],
    plan: Plan,
) -> Vec<Failure> {
    let (rules, config) = ([one.rule], plan.config);
    let mut failures = Vec::new();
    for law in laws {
        let shrinks = if failures.is_empty() { SHRINKS } else { 0 };
        let trial = Trial { law, rules: &rules, config, shrinks, least: 0 };
        failures.extend(trial.run(one).err().map(|failure| *failure));
    }
    failures
}
