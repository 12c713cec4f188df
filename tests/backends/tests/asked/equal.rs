//! Laws of two steps: in what the second differs from the first.

use std::collections::BTreeSet;

use presam_conformance::generate::special;
use presam_conformance::{Case, Rule, Scope, Segment};

use super::{Step, asked, is_zero, stranger};

/// What each number of a plane is multiplied by; nothing for a plane of zeros.
fn factor(from: &[f32], to: &[f32]) -> Option<f64> {
    let (from, to): (Vec<f64>, Vec<f64>) =
        (from.iter().map(|&x| x.into()).collect(), to.iter().map(|&x| x.into()).collect());
    let (a, b) = from.iter().zip(&to).find(|(a, _)| **a != 0.0)?;
    let factor = b / a;
    assert!(from.iter().zip(&to).all(|(a, b)| a * factor == *b));
    Some(factor)
}

/// The factors of gradients and of both planes of memory, in the steps after the first of each case.
fn factors(law: &str, scope: Scope) -> [BTreeSet<i32>; 3] {
    let mut all = [const { BTreeSet::new() }; 3];
    for (_, steps) in asked(law, scope, 128) {
        let Some((first, later)) = steps.split_first() else { continue };
        for step in later {
            for (a, b) in first.case.segments.iter().zip(&step.case.segments) {
                let memory = |i: usize| factor(a.memory.get(i)?, &b.memory[i]);
                let found = [factor(&a.grads, &b.grads), memory(0), memory(1)];
                let pairs = all.iter_mut().zip(found);
                pairs.for_each(|(all, found)| all.extend(found.map(|c| c.log2() as i32)));
                assert_eq!((&a.params, &a.inputs), (&b.params, &b.inputs));
            }
            let mean = [&first.case, &step.case].map(|case| case.rule_state.mean_of_variance);
            let grads = first.case.segments.iter().zip(&step.case.segments);
            let c = { grads }.find_map(|(a, b)| factor(&a.grads, &b.grads));
            assert!(c.is_none_or(|c| mean[0] * c * c == mean[1]));
        }
    }
    all
}

#[test]
fn a_scaled_step_has_its_history_scaled_too() {
    for scope in [Scope::full(), stranger()] {
        let [grads, first, second] = factors("scale-invariant", scope);
        assert_eq!((grads, first, second), ([-7, 9].into(), [-7, 9].into(), [-14, 18].into()));
    }
    let [grads, first, second] = factors("range", Scope::full());
    assert_eq!((grads, first), ([-66, 66].into(), [-66, 66].into()));
    assert!(second.is_subset(&[-132, 132].into()));
}

#[test]
fn layers_are_scaled_against_each_other() {
    let mut seen = BTreeSet::new();
    for (_, steps) in asked("layer-rescaling", stranger(), 64) {
        let [plain, scaled] = &steps[..] else { continue };
        assert_eq!(plain.case.rule, Rule::Asam { eta: 0.0 });
        for (index, (a, b)) in plain.case.segments.iter().zip(&scaled.case.segments).enumerate() {
            assert!(a.options.operator_applies && b.options.operator_applies);
            for (name, a, b) in [("w", &a.params, &b.params), ("g", &a.grads, &b.grads)] {
                seen.extend(factor(a, b).map(|c| (index % 2, name, c.to_string())));
            }
        }
    }
    let expected = [(0, "w", "4"), (0, "g", "0.25"), (1, "w", "0.25"), (1, "g", "4")];
    assert_eq!(seen, expected.map(|(index, name, c)| (index, name, c.to_owned())).into());
}

#[test]
fn at_radius_zero_the_gradient_is_another() {
    let mut judged = 0;
    for (_, steps) in asked("rho-zero-is-the-base", stranger(), 64) {
        let [one, other] = &steps[..] else { continue };
        judged += 1;
        for (a, b) in one.case.segments.iter().zip(&other.case.segments) {
            assert_eq!((a.options.rho, b.options.rho), (0.0, 0.0));
            assert!(is_zero(&a.grads) || factor(&a.grads, &b.grads) == Some(-2.0));
            assert_eq!(a.perturbed_grads, b.perturbed_grads);
        }
    }
    assert!(judged > 32, "{judged}");
}

#[test]
fn tensors_that_do_not_count_are_given_another_gradient() {
    let mut judged = 0;
    for (_, steps) in asked("uncounted-is-unfelt", stranger(), 64) {
        let [one, other] = &steps[..] else { continue };
        let last = one.case.segments.len() - 1;
        assert!(last > 0 && !one.case.segments[last].options.counts_in_norm);
        judged += usize::from(one.case.segments[last].grads != other.case.segments[last].grads);
        assert_eq!(one.case.segments[..last], other.case.segments[..last]);
    }
    assert!(judged > 16, "{judged}");
    for (_, steps) in asked("unperturbed-stays", stranger(), 64) {
        let last = |step: &Step| step.case.segments.last().map(|s| s.options.is_perturbed);
        assert!(steps.iter().all(|step| last(step) == Some(false)));
    }
}

fn lengths(case: &Case<f32>) -> Vec<usize> {
    case.segments.iter().map(|s| s.params.len()).collect()
}

#[test]
fn tensors_are_turned_and_cut_in_two() {
    let mut of_all = 0;
    for (case, steps) in asked("permuted-segments", stranger(), 64) {
        for step in &steps {
            let mut turned = step.case.segments.clone();
            turned.reverse();
            assert_eq!(turned, case.segments);
            of_all += usize::from(turned != step.case.segments);
        }
    }
    assert!(of_all > 16, "{of_all}");
    let halves = |law, scope, at: fn(usize) -> usize| {
        let mut judged = 0;
        for (case, steps) in asked(law, scope, 24) {
            let is_cut = |step: &&Step| step.case.segments.len() > case.segments.len();
            let Some(step) = steps.iter().find(is_cut) else { continue };
            judged += 1;
            let pairs = lengths(&case).into_iter().map(|n| [at(n).min(n), n - at(n).min(n)]);
            assert_eq!(lengths(&step.case), pairs.flatten().collect::<Vec<_>>());
            let [whole, cut] = [&case, &step.case].map(|case| {
                let all = |plane: fn(&Segment<f32>) -> &Vec<f32>| -> Vec<u32> {
                    case.segments.iter().flat_map(plane).map(|x| x.to_bits()).collect()
                };
                [all(|s| &s.params), all(|s| &s.grads), all(|s| &s.perturbed_grads)]
            });
            assert_eq!(whole, cut);
        }
        assert!(judged > 11, "{law}: {judged}");
    };
    halves("cut-anywhere", stranger(), |n| n / 3);
    halves("cut-at-a-chunk", Scope::full(), |_| 2048);
    halves("empty-segment", Scope::full(), |_| 0);
}

/// Each special number, and numbers that are none, as first gradients of tensors that all count.
#[test]
fn hostile_gradients_are_all_of_them() {
    let mut seen = BTreeSet::new();
    for (_, steps) in asked("hostile", Scope::full(), 96) {
        for segment in steps.iter().flat_map(|step| &step.case.segments) {
            assert!(segment.options.counts_in_norm);
            let bits = segment.grads.iter().map(|g| g.to_bits());
            let number = |bits| special::<f32>().iter().position(|s| s.to_bits() == bits);
            seen.extend(bits.map(|bits| number(bits).unwrap_or(usize::MAX)));
        }
    }
    let expected: BTreeSet<_> = (0..special::<f32>().len()).chain([usize::MAX]).collect();
    assert_eq!(seen, expected);
}

/// Each rule as SAM, with every mask open, D = 1 and C = 4: a multiple of the identity drops out of the perturbation.
#[test]
fn a_rule_is_sam_with_a_multiple_of_the_identity_too() {
    let mut rules = BTreeSet::new();
    for (_, steps) in asked("reduces-to-sam", Scope::full(), 192) {
        for Step { case, .. } in steps.iter().filter(|step| step.case.rule != Rule::Sam) {
            rules.insert(case.rule.name());
            let has_objective = ["objective-preconditioner", "pre-sam"].contains(&case.rule.name());
            for (i, plane) in case.segments.iter().flat_map(|s| s.inputs.iter().enumerate()) {
                let expected = if has_objective && i == 0 { 4.0 } else { 1.0 };
                assert!(plane.iter().all(|x| *x == expected), "{case}");
            }
        }
    }
    assert_eq!(rules.len(), 14, "{rules:?}");
}
