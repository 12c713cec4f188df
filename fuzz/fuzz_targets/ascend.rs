//! Any rule, any lengths, any bits: plain, wide and parallel loops, out of place and in place, give the same
//! bits; what is finite and ordinary is the oracle's; what is not ends as documented.

#![no_main]

use libfuzzer_sys::fuzz_target;
use presam::{Cpu, Real};
use presam_backends::{Phases, Sessions};
use presam_conformance::backend::Backend;
use presam_conformance::compare::{compare, same_answer};
use presam_conformance::tolerance::Tolerance;
use presam_conformance::{Answer, Case, Expected, Mismatch, Outcome, Scalar, Worst};
use presam_fuzz::case::{all_finite, case};
use presam_fuzz::draw::{Draw, Kind};
use presam_fuzz::same;

/// The whole of the oracle's bound, times what second-order terms may add: the share of it that core uses is
/// measured elsewhere, on cases that nobody chose to be bad.
fn tolerance<R>(case: &Case<R>) -> Tolerance {
    Tolerance { contract: true, ..Tolerance::foreign(case) }
}

fuzz_target!(|bytes: &[u8]| {
    let mut draw = Draw::new(bytes);
    if draw.flag() { run::<f64>(&mut draw) } else { run::<f32>(&mut draw) }
});

fn run<R: Real + Scalar>(draw: &mut Draw<'_>)
where
    Phases: Backend<R>,
    Sessions: Backend<R>,
{
    let kind = if draw.flag() { Kind::Any } else { Kind::Tame };
    let case: Case<R> = case(draw, kind);
    let plain = step(&mut Phases(Cpu::plain()), &case);
    for cpu in [Cpu::detect(), Cpu::detect().parallel()] {
        same_or_panic(&case, &plain, &step(&mut Phases(cpu), &case));
    }
    for mut session in [Sessions::in_place(Cpu::detect()), Sessions::out_of_place(Cpu::detect())] {
        same_or_panic(&case, &plain, &step(&mut session, &case));
    }
    documented(&case, &plain);
    if kind == Kind::Tame {
        judged(&case, &plain);
    }
}

fn step<R>(backend: &mut impl Backend<R>, case: &Case<R>) -> Answer<R> {
    backend.step(case).unwrap_or_else(|reason| panic!("{reason}"))
}

fn same_or_panic<R: Scalar>(case: &Case<R>, expected: &Answer<R>, found: &Answer<R>) {
    agree(case, same_answer(expected, found));
}

fn agree<R: Scalar>(case: &Case<R>, judgement: Result<(), Mismatch>) {
    if let Err(mismatch) = judgement {
        panic!("{mismatch}\n{case}");
    }
}

/// What each outcome leaves.
fn documented<R: Scalar>(case: &Case<R>, answer: &Answer<R>) {
    if answer.outcome == Outcome::NonFinite {
        let expected = Answer { outcome: answer.outcome, norm: None, ..Answer::unchanged(case) };
        return same_or_panic(case, &expected, answer);
    }
    let descends = case.segments.iter().all(|segment| all_finite(&segment.perturbed_grads));
    assert_eq!(answer.base_steps, case.base_steps + u64::from(descends), "{case}");
    for (from, to) in case.segments.iter().zip(&answer.segments) {
        let options = from.options;
        let moves =
            answer.outcome == Outcome::Perturbed && options.is_perturbed && options.rho != 0.0;
        assert!(moves || same(&from.params, &to.perturbed), "moved\n{case}");
        let has_ascent = options.counts_in_norm || options.is_perturbed;
        assert!(!has_ascent || to.memory.iter().all(|plane| is_dead_or_normal(plane)), "{case}");
        if descends {
            assert!(to.state.iter().all(|plane| is_dead_or_normal(plane)), "{case}");
        } else {
            let state = from.state.iter().zip(&to.state);
            assert!(same(&from.params, &to.params), "stepped\n{case}");
            assert!(state.into_iter().all(|(a, b)| same(a, b)), "stepped\n{case}");
        }
    }
}

/// No subnormal number and no -0.0 that arithmetic on subnormals would leave.
fn is_dead_or_normal<R: Scalar>(plane: &[R]) -> bool {
    let is_dead = |x: R| x.bits() == 0;
    let is_normal = |x: R| x.to_f64().is_nan() || x.to_f64().abs() >= R::FORMAT.smallest_normal;
    plane.iter().all(|&x| is_dead(x) || is_normal(x))
}

fn judged<R: Scalar>(case: &Case<R>, answer: &Answer<R>) {
    let expected = Expected::of(case).unwrap_or_else(|mismatch| panic!("{mismatch}\n{case}"));
    if !expected.is_ill_conditioned() {
        agree(case, compare(case, answer, &expected, tolerance(case), &mut Worst::default()));
    }
}
