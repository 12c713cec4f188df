//! `pure`: of everything that a step reads a case in which it alone is other.

use std::collections::BTreeSet;

use presam_conformance::{Case, LengthRule, Scope};

use super::{asked, stranger};

fn guard(length: LengthRule) -> Option<f64> {
    match length {
        LengthRule::Unnormalised => None,
        LengthRule::Normalised { norm_guard } | LengthRule::Mixed { norm_guard, .. } => {
            Some(norm_guard)
        }
    }
}

fn kind(length: LengthRule) -> u8 {
    match length {
        LengthRule::Unnormalised => 0,
        LengthRule::Normalised { .. } => 1,
        LengthRule::Mixed { .. } => 2,
    }
}

/// Everything in which two cases differ.
fn differing(a: &Case<f32>, b: &Case<f32>) -> BTreeSet<&'static str> {
    let mut all = BTreeSet::new();
    let mut note = |name, differs: bool| {
        if differs {
            all.insert(name);
        }
    };
    assert_eq!(a.segments.len(), b.segments.len());
    for (a, b) in a.segments.iter().zip(&b.segments) {
        note("params", a.params != b.params);
        note("grads", a.grads != b.grads);
        note("perturbed_grads", a.perturbed_grads != b.perturbed_grads);
        note("memory", a.memory != b.memory);
        note("inputs", a.inputs != b.inputs);
        note("state", a.state != b.state);
        note("rho", a.options.rho != b.options.rho);
        note("counts", a.options.counts_in_norm != b.options.counts_in_norm);
        note("is perturbed", a.options.is_perturbed != b.options.is_perturbed);
        note("operator", a.options.operator_applies != b.options.operator_applies);
    }
    note("rule", a.rule != b.rule);
    assert_eq!(a.base.name(), b.base.name());
    for ((name, a), (_, b)) in a.base.settings().into_iter().zip(b.base.settings()) {
        let is_own = !["learning_rate", "weight_decay"].contains(&name);
        note(if is_own { "base" } else { name }, a != b);
    }
    note("kind of length", kind(a.length) != kind(b.length));
    note("guard", kind(a.length) == kind(b.length) && guard(a.length) != guard(b.length));
    note("steps", a.rule_state.steps != b.rule_state.steps);
    note("mean", a.rule_state.mean_of_variance != b.rule_state.mean_of_variance);
    note("base_steps", a.base_steps != b.base_steps);
    all
}

/// What is other, alone, in some case.
fn singles(scope: Scope) -> BTreeSet<&'static str> {
    let mut singles = BTreeSet::new();
    let mut pairs = 0;
    for (_, steps) in asked("pure", scope, 512) {
        let Some((first, rest)) = steps.split_first() else { continue };
        let Some((last, others)) = rest.split_last() else { continue };
        assert!(differing(&first.case, &last.case).is_empty());
        for other in others {
            let differing = differing(&first.case, &other.case);
            if differing.len() == 1 {
                singles.extend(differing);
            }
        }
        // Two things, one after the other.
        if let [one, two] = others {
            pairs += usize::from(!differing(&one.case, &two.case).is_empty());
        }
    }
    assert!(pairs > 256, "{pairs}");
    singles
}

const OF_A_STEP: [&str; 9] = [
    "base",
    "grads",
    "inputs",
    "learning_rate",
    "params",
    "perturbed_grads",
    "rho",
    "rule",
    "weight_decay",
];
const KEPT: [&str; 5] = ["base_steps", "mean", "memory", "state", "steps"];
const OF_GROUPS: [&str; 3] = ["counts", "is perturbed", "operator"];
const OF_LENGTHS: [&str; 2] = ["guard", "kind of length"];

fn all(lists: &[&[&'static str]]) -> BTreeSet<&'static str> {
    lists.concat().into_iter().collect()
}

#[test]
fn everything_that_a_step_reads_is_other_alone_in_some_case() {
    let everything = all(&[&OF_A_STEP, &KEPT, &OF_GROUPS, &OF_LENGTHS]);
    assert_eq!(singles(Scope::full()), everything);
    assert_eq!(singles(stranger()), everything);
}

#[test]
fn nothing_is_asked_that_is_not_claimed() {
    let fresh = Scope { fresh: true, ..stranger() };
    assert_eq!(singles(fresh), all(&[&OF_A_STEP, &OF_GROUPS, &OF_LENGTHS]));
    let plain = Scope { groups: false, lengths: false, ..stranger() };
    assert_eq!(singles(plain), all(&[&OF_A_STEP, &KEPT]));
}
