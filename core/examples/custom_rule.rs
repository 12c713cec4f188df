//! A rule that presam does not have, written outside of it: two `impl`s, and every phase, thread
//! count, vector width and length rule works with it; [`Erased`] hands it to whatever takes any rule.
//!
//! ```text
//! t_i = sqrt(|w_i| + eta)
//! perturbation = rho t^2 g / ||t g||
//! ```
//!
//! Half-way between SAM (t = 1) and ASAM (t = |w| + eta): a constraint preconditioner D = t.

use presam::{
    AscentRule, Cpu, DynVariant, Element, Erased, Error, Flat, Group, LengthRule, PartialNorm,
    Real, RuleState, Sam, Session, Sgd, Variant, finish,
};

/// Its configuration, which is its own rule: nothing changes from step to step.
#[derive(Clone, Copy)]
struct RootAsam<R> {
    eta: R,
}

impl<R: Real> AscentRule<R, 0, 0> for RootAsam<R> {
    #[inline(always)] // or the loops around it do not vectorise
    fn norm_term(self, e: Element<R, 0, 0>) -> R {
        (e.param.abs() + self.eta).sqrt() * e.grad
    }

    #[inline(always)]
    fn direction(self, e: Element<R, 0, 0>) -> R {
        (e.param.abs() + self.eta) * e.grad
    }
}

impl<R: Real> Variant<R, 0, 0> for RootAsam<R> {
    type Rule = Self;

    fn arm(self, _state: &RuleState<R>) -> Self {
        self
    }
}

/// The parameters after one ascent.
fn perturbed<R: Real>(
    cpu: Cpu,
    rule: RootAsam<R>,
    rho: R,
    w: &[R],
    g: &[R],
) -> Result<Vec<R>, Error> {
    let (mut norm, mut state) = (PartialNorm::new(), RuleState::new());
    cpu.accumulate_norm(rule, w, g, [], [], &mut norm)?;
    let scale = finish(rule, &norm, &mut state)?.scale(rho, LengthRule::NORMALISED)?;
    let mut perturbed = vec![R::ZERO; w.len()];
    cpu.ascend(rule, scale, w, g, [], [], &mut perturbed)?;
    Ok(perturbed)
}

/// w = (3, -8), eta = 1: t = (2, 3). g = (1.5, -4/3): t g = (3, -4), norm 5, t^2 g = (6, -12).
fn check_by_hand() -> Result<(), Error> {
    let (w, g) = ([3.0, -8.0], [1.5, -4.0 / 3.0]);
    let found = perturbed(Cpu::plain(), RootAsam { eta: 1.0 }, 0.5, &w, &g)?;
    println!("by hand (3.6, -9.2), found {found:?}");
    let expected = [3.0 + 0.6, -8.0 - 1.2];
    assert!(
        found
            .iter()
            .zip(expected)
            .all(|(found, by_hand): (&f64, f64)| { (found - by_hand).abs() < 1e-14 })
    );
    Ok(())
}

/// The promise of the bits holds for a stranger's rule too.
fn check_bits() -> Result<(), Error> {
    let w: Vec<f32> = (0..10_007).map(|i| (i as f32 * 0.37).sin()).collect();
    let g: Vec<f32> = (0..10_007).map(|i| (i as f32 * 0.11).cos()).collect();
    let rule = RootAsam { eta: 0.01 };
    let plain = perturbed(Cpu::plain(), rule, 0.5, &w, &g)?;
    let wide = perturbed(Cpu::detect(), rule, 0.5, &w, &g)?;
    let differ = plain.iter().zip(&wide).filter(|(a, b)| a.to_bits() != b.to_bits()).count();
    println!("plain against {}: {differ} of {} differ", Cpu::detect().level(), w.len());
    assert!(differ == 0 && plain != w);
    Ok(())
}

/// |w - (1, -2, 3)|^2, by a session that takes any rule.
fn train(rule: &dyn DynVariant<f32>) -> Result<(), Error> {
    const GOAL: [f32; 3] = [1.0, -2.0, 3.0];
    let mut session = Session::new(Cpu::detect(), rule, Sgd::new(0.05)?);
    let (mut w, mut g, mut spare) = ([0.0; 3], [0.0; 3], [0.0; 3]);
    let mut model = Flat::new(&mut w, &mut g, &mut spare);
    for _ in 0..200 {
        session.step(&[Group::new(0.01)?], &mut model, |model, _| {
            for ((g, w), goal) in model.grads.iter_mut().zip(&*model.params).zip(GOAL) {
                *g = 2.0 * (w - goal);
            }
            Ok::<(), Error>(())
        })?;
    }
    println!("trained to {w:.3?}");
    assert!(w.iter().zip(GOAL).all(|(w, goal)| (w - goal).abs() < 0.05));
    Ok(())
}

fn main() -> Result<(), Error> {
    check_by_hand()?;
    check_bits()?;
    train(&Erased::variant::<f32>(RootAsam { eta: 0.01 }))?;
    train(&Sam::new())
}
