//! Wrong implementations that the suite must reject, and the law that catches each
//! (`cargo test --test suite planted -- --nocapture` prints them).

use crate::common::naive::{Naive, Slip};
use presam::Cpu;
use presam_backends::Phases;
use presam_conformance::{Answer, Backend, Case, Outcome, Scalar, Scope, check};
use presam_tests::config;

const SLIPS: [Slip; 19] = [
    Slip::NoAscent,
    Slip::WrongSign,
    Slip::NormPerTensor,
    Slip::SkipsLast,
    Slip::GuardAfterDivision,
    Slip::NoRestore,
    Slip::DecayOnPerturbed,
    Slip::FirstGradientDescends,
    Slip::AsamWithoutSquare,
    Slip::AsamWithRawNorm,
    Slip::NoBiasCorrection,
    Slip::CoupledAdam,
    Slip::DecayReversed,
    Slip::StaleAverage,
    Slip::ColdAverage,
    Slip::FisherWithRoot,
    Slip::NoSquareRoot,
    Slip::DampenedStart,
    Slip::NoNesterov,
];

#[test]
fn the_naive_code_without_a_slip_passes() {
    let reports = check(&mut Naive(Slip::None), config(512)).unwrap_or_else(|f| panic!("{f}"));
    reports.iter().for_each(|report| println!("{report}"));
}

#[test]
fn every_slip_is_rejected() {
    for slip in SLIPS {
        let Err(failure) = check(&mut Naive(slip), config(512)) else {
            panic!("{slip:?} passes");
        };
        println!("{slip:?}: {}, {}", failure.law, failure.mismatch.place);
        assert!(!failure.case.is_empty(), "{failure}");
    }
}

/// Every slip, judged by each law alone: laws beyond plain agreement must see theirs too.
#[test]
fn laws_other_than_agreement_see_their_slips() {
    let seen_by = [
        ("length-is-rho", Slip::NoAscent),
        ("ascends", Slip::WrongSign),
        ("cut-anywhere", Slip::NormPerTensor),
        ("length-is-rho", Slip::SkipsLast),
        ("restored", Slip::NoRestore),
        ("rho-zero-is-the-base", Slip::FirstGradientDescends),
        ("constrained-length-is-rho", Slip::AsamWithoutSquare),
        ("constrained-length-is-rho", Slip::FisherWithRoot),
        ("length-is-rho", Slip::NoSquareRoot),
        ("agrees-over-steps", Slip::ColdAverage),
    ];
    for (name, slip) in seen_by {
        let law = presam_conformance::laws::named::<f64>(name).expect("a law of this name");
        let result = presam_conformance::check_law(&mut Naive(slip), &law, config(512));
        assert!(result.is_err(), "{name} does not see {slip:?}");
    }
}

/// Core with its cases or answers spoilt: what only the whole contract can see.
struct Spoilt {
    case: fn(&mut Case<f32>),
    answer: fn(&Case<f32>, &mut Answer<f32>),
}

impl Backend<f32> for Spoilt {
    fn scope(&self) -> Scope {
        Scope::full()
    }

    fn step(&mut self, case: &Case<f32>) -> Result<Answer<f32>, String> {
        let mut spoilt = case.clone();
        (self.case)(&mut spoilt);
        let mut answer = Phases(Cpu::detect()).step(&spoilt)?;
        (self.answer)(case, &mut answer);
        Ok(answer)
    }
}

fn each_memory(answer: &mut Answer<f32>, f: impl Fn(&mut f32)) {
    answer.segments.iter_mut().flat_map(|s| s.memory.iter_mut().flatten()).for_each(f);
}

/// Name, what is done to the case, what is done to the answer.
type Plant = (&'static str, fn(&mut Case<f32>), fn(&Case<f32>, &mut Answer<f32>));

const KEEP_CASE: fn(&mut Case<f32>) = |_| {};
const KEEP_ANSWER: fn(&Case<f32>, &mut Answer<f32>) = |_, _| {};

const CONTRACT: [Plant; 12] = [
    (
        "counts what must not count",
        |case| case.segments.iter_mut().for_each(|s| s.options.counts_in_norm = true),
        KEEP_ANSWER,
    ),
    (
        "perturbs what must stay",
        |case| case.segments.iter_mut().for_each(|s| s.options.is_perturbed = true),
        KEEP_ANSWER,
    ),
    (
        "ASAM's operator on everything",
        |case| case.segments.iter_mut().for_each(|s| s.options.operator_applies = true),
        KEEP_ANSWER,
    ),
    (
        "the first group's radius for all",
        |case| {
            let rho = case.segments.first().map_or(0.0, |s| s.options.rho);
            case.segments.iter_mut().for_each(|s| s.options.rho = rho);
        },
        KEEP_ANSWER,
    ),
    (
        "infinite gradients taken for zero",
        |case| {
            let grads = case.segments.iter_mut().flat_map(|s| &mut s.grads);
            grads.for_each(|g| *g = if g.is_finite() { *g } else { 0.0 });
        },
        KEEP_ANSWER,
    ),
    ("counters advance on a skipped step", KEEP_CASE, |case, answer| {
        answer.rule_state.steps = case.rule_state.steps + 1;
    }),
    ("memory is lost on a zero norm", KEEP_CASE, |case, answer| {
        if answer.outcome == Outcome::ZeroNorm {
            let old = case.segments.iter().map(|s| s.memory.clone());
            answer.segments.iter_mut().zip(old).for_each(|(s, old)| s.memory = old);
            answer.rule_state = case.rule_state;
        }
    }),
    ("no descent on a zero norm", KEEP_CASE, |case, answer| {
        if answer.outcome == Outcome::ZeroNorm {
            let old = case.segments.iter().map(|s| s.params.clone());
            answer.segments.iter_mut().zip(old).for_each(|(s, old)| s.params = old);
        }
    }),
    ("memory sticks at a subnormal number", KEEP_CASE, |_, answer| {
        each_memory(answer, |m| *m = if *m == 0.0 { f32::from_bits(3) } else { *m });
    }),
    ("memory dies as -0.0", KEEP_CASE, |_, answer| {
        each_memory(answer, |m| *m = if *m == 0.0 { -0.0 } else { *m });
    }),
    ("a NaN in the second gradient is descended", KEEP_CASE, |case, answer| {
        let pairs = case.segments.iter().zip(&mut answer.segments);
        for (w, g) in pairs.flat_map(|(from, to)| to.params.iter_mut().zip(&from.perturbed_grads)) {
            *w += if g.is_finite() { 0.0 } else { *g };
        }
    }),
    ("the norm is one bit off in f32", KEEP_CASE, |_, answer| {
        if let Some(norm) = answer.norm.as_mut() {
            norm.sum = f32::from_bits(u64::from(norm.sum.to_bits()) as u32 ^ 32);
        }
    }),
];

#[test]
fn every_breach_of_the_contract_is_rejected() {
    let right = Spoilt { case: KEEP_CASE, answer: KEEP_ANSWER };
    check(&mut { right }, config(64)).unwrap_or_else(|failure| panic!("{failure}"));
    for (name, case, answer) in CONTRACT {
        let Err(failure) = check(&mut Spoilt { case, answer }, config(256)) else {
            panic!("{name}: passes");
        };
        println!("{name}: {}, {}", failure.law, failure.mismatch.place);
    }
}

#[test]
fn a_suite_without_cases_fails() {
    struct Nothing;
    impl<R: Scalar> Backend<R> for Nothing {
        fn scope(&self) -> Scope {
            Scope::of(&[], &["sgd"])
        }
        fn step(&mut self, _: &Case<R>) -> Result<Answer<R>, String> {
            Err("it has no rule".into())
        }
    }
    let failure = check::<f64, _>(&mut Nothing, config(16)).unwrap_err();
    assert_eq!(failure.mismatch.place, "cases");
}
