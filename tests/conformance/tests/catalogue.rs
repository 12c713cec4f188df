//! The catalogue: untwisted it is the oracle, and every entry is told from every other.

use presam_conformance::catalogue::{Entry, Planted, Questions, RIGHT, catalogue, diagnose_over};
use presam_conformance::compare::compare;
use presam_conformance::generate::Shape;
use presam_conformance::tolerance::Tolerance;
use presam_conformance::{
    Base, Case, Config, Diagnosis, Expected, LengthRule, Options, Rule, RuleState, Scalar, Scope,
    Segment, Worst, draw,
};
use presam_oracle::{Bounded, BoundedVector};

const BASES: [&str; 3] = ["sgd", "sgd-momentum", "adamw"];

/// Enough to see all that can be seen: at 64 one entry in a hundred is not, at 128 one in a thousand.
const CONFIG: Config = Config { cases: 192, seed: 11 };

/// What a stranger claims, and everything.
fn scopes(rule: Rule, bases: &[&'static str]) -> [Scope; 2] {
    let plain = Scope::of(&[rule], bases);
    [plain.clone(), Scope { groups: true, lengths: true, contract: true, ..plain }]
}

fn untwisted_is_the_oracle<R: Scalar>() {
    for rule in Rule::all() {
        for base in BASES {
            for scope in scopes(rule, &[base]) {
                let cases = draw::<R>(&scope, &scope.rules, Shape::Any, CONFIG);
                let judged = cases.expect("cases").iter().filter(|case| is_right(case)).count();
                assert!(judged > 32, "{rule} {base}: only {judged} cases");
            }
        }
    }
}

/// Values within the oracle's own bound, and bounds of one size; false where rounding decides.
fn is_right<R: Scalar>(case: &Case<R>) -> bool {
    let expected = Expected::of(case).expect("planes that fit");
    if expected.is_ill_conditioned() {
        return false;
    }
    let mine = RIGHT.expected(case);
    let tolerance = Tolerance { contract: true, ..Tolerance::foreign(case) };
    compare(case, &RIGHT.step(case), &expected, tolerance, &mut Worst::default())
        .unwrap_or_else(|mismatch| panic!("{mismatch}\n{case}"));
    same_bounded(&[mine.ascent.norm], &[expected.ascent.norm], case);
    let segments = 0..case.segments.len();
    for i in segments {
        let ours = [&mine.ascent.perturbed[i], &mine.descent.params[i]];
        let theirs = [&expected.ascent.perturbed[i], &expected.descent.params[i]];
        let memory = (&mine.ascent.memory[i], &expected.ascent.memory[i]);
        let state = (&mine.descent.planes[i], &expected.descent.planes[i]);
        let planes = [memory, state].into_iter().flat_map(|(a, b)| a.iter().zip(b));
        for (ours, theirs) in ours.into_iter().zip(theirs).chain(planes) {
            same_bounded(&bounded(ours), &bounded(theirs), case);
        }
    }
    true
}

fn bounded(vector: &BoundedVector) -> Vec<Bounded> {
    let pairs = vector.values.iter().zip(&vector.bounds);
    pairs.map(|(value, bound)| Bounded { value: *value, bound: *bound }).collect()
}

/// The same formula, perhaps grouped otherwise: 1e-13 in `f64`, and bounds within a factor of 3. Copies
/// have none in the oracle.
fn same_bounded<R: Scalar>(mine: &[Bounded], oracle: &[Bounded], case: &Case<R>) {
    assert_eq!(mine.len(), oracle.len());
    for (a, b) in mine.iter().zip(oracle).filter(|(a, b)| !(a.value.is_nan() && b.value.is_nan())) {
        assert!((a.value - b.value).abs() <= 1e-13 * b.value.abs().max(1.0), "{a:?} {b:?}\n{case}");
        let unit = R::FORMAT.smallest_normal;
        assert!(a.bound <= 3.0 * b.bound + unit, "{a:?} {b:?}\n{case}");
        assert!(b.bound <= 3.0 * a.bound + unit, "{a:?} {b:?}\n{case}");
    }
}

#[test]
fn untwisted_is_the_oracle_in_f32() {
    untwisted_is_the_oracle::<f32>();
}

#[test]
fn untwisted_is_the_oracle_in_f64() {
    untwisted_is_the_oracle::<f64>();
}

/// What an entry cannot be seen to be: the name it has instead.
///
/// Everywhere else it must be named as itself.
fn known_as(
    entry: &Entry,
    rule: Rule,
    bases: &[&str],
    scope: &Scope,
    scalar: &str,
) -> Option<&'static str> {
    const RIGHT: &str = "nothing";
    match entry.name {
        // Where all segments are alike, these are right.
        "rho-of-first"
        | "norm-of-perturbed"
        | "everything-moves"
        | "everything-counts"
        | "operator-everywhere"
            if !scope.groups =>
        {
            Some(RIGHT)
        }
        "operator-everywhere-eta-zero" if !scope.groups => Some("eta-zero"),
        // It is what is asked for.
        "guard-1e-12" if !scope.lengths => Some(RIGHT),
        // Every norm is one in f32.
        "norm-in-f32" if scalar == "f32" => Some(RIGHT),
        "eta-zero-norm-in-f32" if scalar == "f32" => Some("eta-zero"),
        // The two differ under AdamW alone.
        "decay-on-perturbed-coupled" if !bases.contains(&"adamw") => Some("decay-on-perturbed"),
        // The draft divides by squares: small gradients have huge norms, far from any guard.
        "guard-least" | "guard-1e-16" if scalar == "f32" && rule.name() == "info-sam-draft" => None,
        name => Some(name),
    }
}

/// Each entry that concerns `rule` and `bases` and is one of `some`, in both scopes: how many were asked.
fn each_is_named<R: Scalar>(rule: Rule, bases: &[&'static str], some: fn(&Entry) -> bool) -> u32 {
    let mut asked = 0;
    let concerns = |entry: &&Entry| bases.iter().any(|base| entry.concerns(rule, base));
    for scope in scopes(rule, bases) {
        let questions = Questions::<R>::draw(&scope, CONFIG).expect("cases");
        for entry in catalogue().iter().filter(concerns).filter(|entry| some(entry)) {
            let mut planted = Planted { entry: *entry, scope: scope.clone() };
            let diagnosis = diagnose_over::<R, _>(&mut planted, &questions, false);
            let found = diagnosis.entry().map_or("nothing", |named| named.name);
            let expected = known_as(entry, rule, bases, &scope, R::NAME);
            let place = format!("{} {rule} {bases:?} {}: {diagnosis}", R::NAME, entry.name);
            assert!(expected.is_none_or(|expected| expected == found), "{place}, {scope:?}");
            assert!(!matches!(diagnosis, Diagnosis::Differs | Diagnosis::Untested), "{place}");
            asked += 1;
        }
    }
    asked
}

#[test]
fn every_entry_is_named_in_f32() {
    let asked = Rule::all().into_iter().map(|rule| each_is_named::<f32>(rule, &BASES, |_| true));
    assert!(asked.sum::<u32>() > 1000);
}

#[test]
fn every_entry_is_named_in_f64() {
    let asked = Rule::all().into_iter().map(|rule| each_is_named::<f64>(rule, &BASES, |_| true));
    assert!(asked.sum::<u32>() > 1000);
}

/// With one base optimizer alone: all entries of SAM, and those that concern that base optimizer only.
#[test]
fn every_entry_is_named_over_each_base_optimizer() {
    let of_one = |entry: &Entry| !BASES.iter().all(|base| entry.concerns(Rule::Sam, base));
    for base in BASES {
        assert!(each_is_named::<f32>(Rule::Sam, &[base], |_| true) > 50);
        assert!(each_is_named::<f64>(Rule::Sam, &[base], |_| true) > 50);
        for rule in Rule::all() {
            assert!(each_is_named::<f64>(rule, &[base], of_one) > 0);
        }
    }
}

/// g / (m - g)^2 where `f32` rounds m to g, in a tensor that does not count: infinite, and nobody's fault.
#[test]
fn a_quotient_by_what_rounding_made_zero_may_be_infinite() {
    let segment = |counts_in_norm, memory: f32| Segment {
        options: Options { counts_in_norm, ..Options::new(0.5) },
        params: vec![2.0],
        grads: vec![1.0],
        perturbed_grads: vec![1.0],
        memory: vec![vec![memory]],
        inputs: vec![],
        state: vec![],
    };
    let case = Case {
        rule: Rule::InfoSamDraft { decay: 0.125 },
        length: LengthRule::Normalised { norm_guard: 0.0 },
        segments: vec![segment(true, 3.0), segment(false, 1.0 + f32::EPSILON)],
        rule_state: RuleState { steps: 2, ..RuleState::default() },
        base: Base::Sgd { learning_rate: 0.5, weight_decay: 0.0 },
        base_steps: 2,
    };
    let expected = Expected::of(&case).expect("planes that fit");
    assert!(!expected.is_ill_conditioned());
    for (tensor, is_right) in [(1, true), (0, false)] {
        let mut answer = RIGHT.step(&case);
        answer.segments[tensor].perturbed[0] = f32::INFINITY;
        let judged =
            compare(&case, &answer, &expected, Tolerance::foreign(&case), &mut Worst::default());
        assert_eq!(judged.is_ok(), is_right, "{tensor}: {judged:?}");
    }
}
