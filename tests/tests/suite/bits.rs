//! Every way to run core gives the same bits as its plain loops, on every law's cases.

use presam::{Cpu, SecondGradient};
use presam_backends::{Extras, Phases, Sessions, Stepped, Threads};
use presam_conformance::generate::Shape;
use presam_conformance::{Backend, Both, Only, Rule, Scalar, Scope, check, check_law, draw, laws};
use presam_tests::config;

/// `candidate` against the plain loops.
fn same_bits<R: Scalar>(candidate: impl Backend<R>)
where
    Phases: Backend<R>,
{
    let mut both = Both { reference: Phases(Cpu::plain()), candidate };
    check::<R, _>(&mut both, config(96)).unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn wide_loops() {
    same_bits::<f32>(Phases(Cpu::detect()));
    same_bits::<f64>(Phases(Cpu::detect()));
}

#[test]
fn sessions_in_place() {
    same_bits::<f32>(Sessions::in_place(Cpu::plain()));
    same_bits::<f64>(Sessions::in_place(Cpu::plain()));
    same_bits::<f32>(Sessions::in_place(Cpu::detect()));
}

#[test]
fn sessions_out_of_place() {
    same_bits::<f32>(Sessions::out_of_place(Cpu::plain()));
    same_bits::<f64>(Sessions::out_of_place(Cpu::detect()));
}

/// Segments long enough to be split over threads, and one that is not.
fn threads<R: Scalar + Sync + Send>(rule: Rule)
where
    Phases: Backend<R>,
    Sessions: Backend<R>,
{
    let case = long_case::<R>(rule);
    let plain = Phases(Cpu::plain()).step(&case).unwrap();
    for threads in [1, 2, 3] {
        let pool = |cpu: Cpu| Threads::new(threads, Phases(cpu.parallel())).unwrap();
        let sessions =
            || Threads::new(threads, Sessions::in_place(Cpu::detect().parallel())).unwrap();
        let mut found = vec![sessions().step(&case).unwrap()];
        found.extend([Cpu::plain(), Cpu::detect()].map(|cpu| pool(cpu).step(&case).unwrap()));
        for found in found {
            presam_conformance::compare::same_answer(&plain, &found)
                .unwrap_or_else(|mismatch| panic!("{rule}, {threads} threads: {mismatch}"));
        }
    }
}

/// One generated case, its segments repeated past 2^17 elements.
fn long_case<R: Scalar>(rule: Rule) -> presam_conformance::Case<R> {
    use presam_conformance::{Base, Case, LengthRule, Options, RuleState, Segment};
    let plane = |length: usize, seed: u64| -> Vec<R> {
        let value = |i: usize| {
            let bits =
                (i as u64 + 1).wrapping_mul(seed.wrapping_mul(2) + 0x9e37_79b9_7f4a_7c15) >> 40;
            R::from_f64(bits as f64 / f64::from(1 << 23) - 1.0)
        };
        (0..length).map(value).collect()
    };
    let segment = |length: usize| Segment {
        options: Options::new(0.5),
        params: plane(length, 1),
        grads: plane(length, 2),
        perturbed_grads: plane(length, 3),
        memory: (0..rule.memory())
            .map(|_| plane(length, 4).iter().map(|x| R::from_f64(x.to_f64().abs())).collect())
            .collect(),
        inputs: (0..rule.inputs()).map(|_| plane(length, 5)).collect(),
        state: vec![plane(length, 6)],
    };
    Case {
        rule,
        length: LengthRule::NORMALISED,
        segments: [1 << 17, 100, (1 << 17) + 2049].map(segment).to_vec(),
        rule_state: RuleState { steps: 3, mean_of_variance: 0.25 },
        base: Base::SgdMomentum {
            learning_rate: 0.125,
            weight_decay: 0.25,
            momentum: 0.5,
            dampening: 0.0,
            nesterov: true,
        },
        base_steps: 2,
    }
}

#[test]
fn one_two_and_three_threads() {
    for rule in Rule::all() {
        threads::<f32>(rule.map_settings(|_, value| f32::held(value)));
        threads::<f64>(rule);
    }
}

#[test]
fn one_bit_off_is_seen() {
    struct OneBitOff(Phases);
    impl Backend<f32> for OneBitOff {
        fn scope(&self) -> presam_conformance::Scope {
            Backend::<f32>::scope(&self.0)
        }
        fn step(
            &mut self,
            case: &presam_conformance::Case<f32>,
        ) -> Result<presam_conformance::Answer<f32>, String> {
            let mut answer = self.0.step(case)?;
            if let Some(last) = answer.segments.iter_mut().flat_map(|s| &mut s.params).last() {
                *last = f32::from_bits(last.to_bits() ^ 1);
            }
            Ok(answer)
        }
    }
    let candidate = OneBitOff(Phases(Cpu::plain()));
    let both = Both { reference: Phases(Cpu::plain()), candidate };
    let mut sam = Only { backend: both, rules: vec![Rule::Sam], bases: vec!["sgd"] };
    let law = laws::named::<f32>("pure").expect("a law of this name");
    let failure = check_law(&mut sam, &law, config(16)).unwrap_err();
    println!("{failure}");
    assert!(failure.mismatch.found.contains("params"), "{failure}");
}

/// Clipping, no check at all, loss scales and a group's own weight decay.
#[test]
fn what_a_case_does_not_say_is_done_alike() {
    let clipped = Extras { second: SecondGradient::Clipped(0.5), ..Extras::NONE };
    let scaled = Extras { loss_scale: 3.0, weight_decay: Some(0.125), ..clipped };
    let unchecked = Extras { second: SecondGradient::Unchecked, ..Extras::NONE };
    let cases = draw::<f32>(&Scope::full(), &Rule::all(), Shape::Any, config(96)).unwrap();
    let each = |case| [clipped, scaled, unchecked].map(|extras| (case, extras));
    for (case, extras) in cases.iter().flat_map(each) {
        let expected = Phases(Cpu::plain()).step_with(case, extras).unwrap();
        for session in [Sessions::in_place(Cpu::plain()), Sessions::out_of_place(Cpu::detect())] {
            let found = session.step_with(case, extras).unwrap();
            presam_conformance::compare::same_answer(&expected.answer, &found.answer)
                .unwrap_or_else(|mismatch| panic!("{session:?} {extras:?}: {mismatch}\n{case}"));
            let told = |stepped: &Stepped<f32>| {
                format!("{:?}", (stepped.report, stepped.rule_state, stepped.base_state))
            };
            assert_eq!(told(&expected), told(&found), "{case}");
        }
    }
}
