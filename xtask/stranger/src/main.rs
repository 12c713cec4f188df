//! One line for each form of SAM's step and each size: nanoseconds, the best of many batches.

use presam::{
    AnyBase, AnyVariant, BaseOptimizer, BaseState, Cpu, Error, Flat, Group, LengthRule,
    PartialNorm, PlanesMut, Point, RuleState, Session, Sgd, Variant, finish,
};
use std::hint::black_box;
use std::time::Instant;

const SIZES: [usize; 2] = [640, 100_000];
/// Elements that one batch of steps works on.
const BATCH: usize = 400_000;
const BATCHES: usize = 41;

fn main() -> Result<(), Error> {
    for n in SIZES {
        println!("typed {n} {:.1}", typed(n)?);
        println!("by-name {n} {:.1}", by_name(n)?);
    }
    Ok(())
}

/// The best time of a step: what else runs on the machine only adds to it.
fn best(n: usize, mut step: impl FnMut() -> Result<(), Error>) -> Result<f64, Error> {
    let steps = BATCH / n;
    let mut best = f64::INFINITY;
    for _ in 0..BATCHES {
        let clock = Instant::now();
        for _ in 0..steps {
            step()?;
        }
        best = best.min(clock.elapsed().as_secs_f64() * 1e9 / steps as f64);
    }
    Ok(best)
}

fn wave(n: usize) -> Vec<f32> {
    (0..n).map(|i| (i as f32 * 0.37).sin()).collect()
}

/// Typed phases, in place.
fn typed(n: usize) -> Result<f64, Error> {
    let (mut w, g, mut spare, mut v) = (wave(n), wave(n), vec![0.0; n], vec![0.0; n]);
    #[cfg(not(feature = "planted"))]
    let sam = presam::Sam::new();
    #[cfg(feature = "planted")]
    let sam = planted::Called;
    let (cpu, sgd) = (Cpu::detect(), Sgd::new(1e-3f32)?.with_momentum(0.9)?);
    let (mut state, mut base_state) = (RuleState::new(), BaseState::new());
    best(n, || {
        let (rule, mut norm) = (sam.arm(&state), PartialNorm::new());
        cpu.accumulate_norm(rule, &w, black_box(&g), [], [], &mut norm)?;
        let scale = finish(sam, &norm, &mut state)?.scale(0.05, LengthRule::NORMALISED)?;
        cpu.ascend_in_place(rule, scale, &mut w, &g, [], [], &mut spare)?;
        cpu.restore(&mut w, &spare)?;
        cpu.descend(sgd.arm(&base_state), 1.0, &mut w, black_box(&g), [&mut v])?;
        base_state = sgd.advance(&base_state);
        Ok(())
    })
}

/// A session, rule and base optimizer by name.
fn by_name(n: usize) -> Result<f64, Error> {
    let (mut w, mut g, mut spare, mut v) = (wave(n), wave(n), vec![0.0; n], vec![0.0; n]);
    let base = AnyBase::by_name("sgd-momentum")?.set("learning_rate", 1e-3)?;
    let mut session = Session::new(Cpu::detect(), AnyVariant::<f32>::by_name("sam")?, base);
    let groups = [Group::new(0.05)?];
    let state = PlanesMut::from([&mut v]);
    let mut model = Flat { state, ..Flat::new(&mut w, &mut g, &mut spare) };
    best(n, || {
        session.step(&groups, &mut model, |model, point: Point| {
            black_box((model, point));
            Ok::<(), Error>(())
        })?;
        Ok(())
    })
}

/// SAM whose expressions are called for every element, as if they were not inlined.
#[cfg(feature = "planted")]
mod planted {
    use presam::{AscentRule, Element, RuleState, Variant};

    #[derive(Clone, Copy)]
    pub struct Called;

    impl AscentRule<f32, 0, 0> for Called {
        #[inline(never)]
        fn norm_term(self, e: Element<f32, 0, 0>) -> f32 {
            e.grad
        }

        #[inline(never)]
        fn direction(self, e: Element<f32, 0, 0>) -> f32 {
            e.grad
        }
    }

    impl Variant<f32, 0, 0> for Called {
        type Rule = Self;

        fn arm(self, _: &RuleState<f32>) -> Self {
            self
        }
    }
}
