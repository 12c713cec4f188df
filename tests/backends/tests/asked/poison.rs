//! Gradients that are not finite: each value, at each end of a tensor and between, in the first tensor, the last and
//! between, and no other.

use std::collections::BTreeSet;

use presam_conformance::{Case, Scope, Segment};

use super::{asked, is_finite, stranger};

type Plane = fn(&Segment<f32>) -> &Vec<f32>;

/// Where the one gradient that is not finite lies, and what it is.
#[derive(Clone, Copy, Debug)]
struct Place {
    tensor: usize,
    /// Its number among the tensors that are not empty, and how many these are.
    among: (usize, usize),
    element: usize,
    length: usize,
    value: f32,
}

fn place(case: &Case<f32>, plane: Plane) -> Place {
    let mut places = Vec::new();
    let filled: Vec<_> = case.segments.iter().map(|s| usize::from(!s.params.is_empty())).collect();
    for (tensor, segment) in case.segments.iter().enumerate() {
        let among = (filled[..tensor].iter().sum(), filled.iter().sum());
        let plane = plane(segment);
        let odd = plane.iter().enumerate().filter(|(_, x)| !x.is_finite());
        let length = plane.len();
        places.extend(odd.map(|(element, &value)| Place { tensor, among, element, length, value }));
    }
    assert_eq!(places.len(), 1, "{places:?}");
    places[0]
}

/// Every kind of place, of value and of tensor is among them.
fn are_everywhere(places: &[Place]) {
    let kind = |at: &Place| match at.element {
        0 => "first",
        i if i + 1 == at.length => "last",
        i if i == at.length / 2 => "middle",
        _ => "other",
    };
    let long = places.iter().filter(|at| at.length > 4);
    let kinds: BTreeSet<_> = long.map(kind).collect();
    assert_eq!(kinds, ["first", "last", "middle", "other"].into());
    let name = |at: &Place| {
        if at.value.is_nan() { "NaN" } else { ["inf", "-inf"][usize::from(at.value < 0.0)] }
    };
    let names: BTreeSet<_> = places.iter().map(name).collect();
    assert_eq!(names, ["-inf", "NaN", "inf"].into());
    for tensors in [2, 3] {
        let found = places.iter().map(|at| at.among).filter(|among| among.1 == tensors);
        let found: BTreeSet<_> = found.map(|among| among.0).collect();
        assert_eq!(found, (0..tensors).collect());
    }
}

/// Every case that the law asks has one such gradient, in this plane; the places are all that there are.
fn poisons(law: &str, scope: Scope, plane: Plane, holds: fn(&Case<f32>, usize) -> bool) {
    let mut places = Vec::new();
    for (_, steps) in asked(law, scope.clone(), 384) {
        let values: Vec<_> = steps.iter().map(|step| place(&step.case, plane)).collect();
        // Of the whole contract each value in every case, of a stranger one.
        let count = if scope.contract { 3 } else { 1 };
        assert!(values.is_empty() || values.len() == count, "{values:?}");
        for (step, at) in steps.iter().zip(values) {
            assert!(holds(&step.case, at.tensor), "{law}: {}", step.case);
            places.push(at);
        }
    }
    are_everywhere(&places);
}

#[test]
fn they_are_everywhere() {
    let first: Plane = |segment| &segment.grads;
    let second: Plane = |segment| &segment.perturbed_grads;
    for scope in [Scope::full(), stranger()] {
        let counts = |case: &Case<f32>, at: usize| {
            case.segments.iter().all(|s| s.options.counts_in_norm) && at < case.segments.len()
        };
        poisons("non-finite", scope.clone(), first, counts);
        poisons("non-finite-uncounted", scope.clone(), first, |case, at| {
            let options = case.segments[at].options;
            !options.counts_in_norm && options.is_perturbed
        });
        poisons("second-non-finite", scope, second, |case, _| {
            case.segments.iter().all(|s| is_finite(&s.grads))
        });
    }
}

/// A case with either gradient, whatever is claimed of neither.
#[test]
fn code_that_claims_nothing_is_asked_both() {
    let mut firsts = Vec::new();
    let mut seconds = 0;
    let mut again = 0;
    for (_, steps) in asked("non-finite-spreads", Scope { skips: false, ..stranger() }, 384) {
        assert!(steps.iter().all(|step| {
            let moves = |s: &Segment<f32>| s.options.is_perturbed && s.options.rho != 0.0;
            step.case.segments.iter().all(moves)
        }));
        let is_first = |case: &Case<f32>| !case.segments.iter().all(|s| is_finite(&s.grads));
        let (first, second): (Vec<_>, Vec<_>) =
            steps.iter().map(|step| &step.case).partition(|case| is_first(case));
        // Skipped where it counts: asked where it does not.
        again += usize::from(first.len() == 3);
        assert!([0, 1, 3].contains(&first.len()) && second.len() < 2);
        firsts.extend(first.first().map(|case| place(case, |s| &s.grads)));
        seconds += second.len();
    }
    let names: BTreeSet<_> = firsts.iter().map(|at| at.value.to_string()).collect();
    assert_eq!(names, ["-inf", "NaN", "inf"].map(str::to_owned).into());
    assert!(seconds > 192 && again > 192 && firsts.len() > 192, "{seconds} {again}");
}
