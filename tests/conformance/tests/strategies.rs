//! The strategies that a stranger draws from: in their domain, hostile where they say so, and shrinking.

use presam_conformance::catalogue::{Planted, RIGHT};
use presam_conformance::generate::{
    Shape, hostile, hostile_cases, segment_lists, sequences, special,
};
use presam_conformance::simplify::simplest;
use presam_conformance::{Answer, Case, Rule, Scalar, Scope, Segment};
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use std::cell::Cell;
use std::fmt::Debug;

fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    )
}

/// What is left of the first value for which `fails`.
fn shrunk<T: Debug>(strategy: &impl Strategy<Value = T>, fails: impl Fn(&T) -> bool) -> T {
    let result = runner(4096).run(strategy, |value| {
        if fails(&value) { Err(TestCaseError::fail("found")) } else { Ok(()) }
    });
    match result {
        Err(TestError::Fail(_, value)) => value,
        other => panic!("nothing found: {other:?}"),
    }
}

#[test]
fn hostile_numbers_are_all_of_them_and_shrink_to_tame_ones() {
    let seen = Cell::new([false; 3]);
    runner(512)
        .run(&hostile::<f32>(), |x| {
            let [mut nan, mut infinite, mut odd] = seen.get();
            nan |= x.is_nan();
            infinite |= x.is_infinite();
            odd |= special::<f32>().iter().any(|s| s.same(x)) && x != 0.0;
            seen.set([nan, infinite, odd]);
            Ok(())
        })
        .unwrap();
    assert_eq!(seen.get(), [true; 3]);
    let smallest = shrunk(&hostile::<f64>(), |x| x.is_nan() || *x > 1.0);
    assert!(smallest <= 1.0625, "{smallest:?}");
}

#[test]
fn hostile_cases_shrink_to_one_gradient() {
    let scope = Scope::of(&[Rule::Sam], &["sgd"]);
    let is_hostile = |case: &Case<f64>| {
        case.segments
            .iter()
            .flat_map(|s| s.grads.iter().chain(&s.perturbed_grads))
            .any(|g| !g.is_finite())
    };
    let smallest = shrunk(&hostile_cases::<f64>(&scope, &scope.rules, Shape::Small), is_hostile);
    let smallest = simplest(smallest, 4096, is_hostile);
    assert_eq!((smallest.segments.len(), smallest.elements()), (1, 1), "{smallest}");
}

#[test]
fn segment_lists_have_the_planes_of_their_rule() {
    let rule = Rule::from_name("info-asam").expect("a rule");
    let lists = segment_lists::<f32>(&Scope::of(&[rule], &["adamw"]), rule, Shape::Any);
    runner(128)
        .run(&lists, |segments: Vec<Segment<f32>>| {
            for segment in &segments {
                let planes = segment.memory.iter().chain(&segment.state);
                assert_eq!((segment.memory.len(), segment.state.len()), (2, 2));
                assert!(planes.into_iter().all(|plane| plane.len() == segment.params.len()));
            }
            Ok(())
        })
        .unwrap();
    let smallest = shrunk(&lists, |segments| segments.iter().any(|s| s.params.len() > 2));
    assert_eq!(smallest.iter().map(|s| s.params.len()).sum::<usize>(), 3);
}

#[test]
fn sequences_start_afresh_and_every_step_follows_the_one_before() {
    let rule = Rule::from_name("vasso").expect("a rule");
    let scope = Scope::of(&[rule], &["sgd-momentum"]);
    let right = Planted { entry: RIGHT, scope: scope.clone() };
    let longest = Cell::new(0);
    let all = sequences::<f64>(&scope, &scope.rules, 2..=5);
    runner(128)
        .run(&all, |sequence| {
            let mut steps: Vec<(Case<f64>, Answer<f64>)> = Vec::new();
            let mut backend = right.clone();
            sequence
                .run(&mut backend, |case, answer| steps.push((case.clone(), answer.clone())))
                .unwrap();
            assert_eq!(steps[0].0.rule_state.steps + steps[0].0.base_steps, 0);
            assert_eq!(steps.len(), sequence.later.len() + 1);
            for pair in steps.windows(2) {
                let ((_, left), (found, _)) = (&pair[0], &pair[1]);
                assert_eq!(found.rule_state, left.rule_state);
                for (found, left) in found.segments.iter().zip(&left.segments) {
                    assert_eq!(
                        (&found.params, &found.memory, &found.state),
                        (&left.params, &left.memory, &left.state)
                    );
                }
            }
            longest.set(longest.get().max(steps.len()));
            Ok(())
        })
        .unwrap();
    assert_eq!(longest.get(), 5);
    let moved = |sequence: &presam_conformance::generate::Sequence<f64>| {
        let mut steps = 0;
        let run = sequence.run(&mut right.clone(), |_, _| steps += 1);
        run.is_ok() && steps > 2
    };
    assert_eq!(shrunk(&all, moved).later.len(), 2);
}
