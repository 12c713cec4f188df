//! [`Phases`]: the phases of [`Cpu`] called one after the other, out of place.

use super::{
    Job, adamw, base_state, group, length_rule, oracle_state, outcome, rule_state, run, sgd,
    sgd_momentum,
};
use crate::planes::{slices, slices_mut};
use presam::{
    BaseOptimizer, Cpu, Error, Outcome, PartialNorm, Real, Scale, Variant, clip_factor, finish,
};
use presam_conformance::{Answer, Backend, Base, Case, Norm, Scalar, Scope, Segment};

/// Core's phases at some level, out of place: `ascend` writes a second copy.
#[derive(Clone, Copy, Debug)]
pub struct Phases(pub Cpu);

macro_rules! backend {
    ($real:ident) => {
        impl Backend<$real> for Phases {
            fn scope(&self) -> Scope {
                Scope::full()
            }

            #[inline(never)]
            fn step(&mut self, case: &Case<$real>) -> Result<Answer<$real>, String> {
                run::<$real>(self, case)
            }
        }
    };
}
backend!(f32);
backend!(f64);

impl<R: Real + Scalar> Job<R> for Phases {
    fn run<V, const M: usize, const I: usize>(
        &self,
        case: &Case<R>,
        variant: V,
    ) -> Result<Answer<R>, Error>
    where
        V: Variant<R, M, I>,
    {
        let mut answer = Answer::unchanged(case);
        if ascend(self.0, case, variant, &mut answer)? {
            match case.base {
                Base::Sgd { .. } => descend(self.0, case, sgd(case)?, &mut answer)?,
                Base::SgdMomentum { .. } => {
                    descend(self.0, case, sgd_momentum(case)?, &mut answer)?
                }
                Base::AdamW { .. } => descend(self.0, case, adamw(case)?, &mut answer)?,
            }
        }
        Ok(answer)
    }
}

/// Phases 1 and 2; whether a descent follows.
fn ascend<R: Real + Scalar, V, const M: usize, const I: usize>(
    cpu: Cpu,
    case: &Case<R>,
    variant: V,
    answer: &mut Answer<R>,
) -> Result<bool, Error>
where
    V: Variant<R, M, I>,
{
    let before = rule_state(case);
    let arm = |s: &Segment<R>| variant.with_operator(s.options.operator_applies).arm(&before);
    let mut sums = PartialNorm::new();
    for s in case.segments.iter().filter(|s| s.options.counts_in_norm) {
        let (memory, inputs) = (slices(&s.memory), slices(&s.inputs));
        cpu.accumulate_norm(arm(s), &s.params, &s.grads, memory, inputs, &mut sums)?;
    }
    let mut state = before;
    let ascent = finish(variant, &sums, &mut state)?;
    let total = sums.total()?;
    answer.norm = Some(Norm { sum: total.sum, class: total.class });
    answer.outcome = outcome(ascent.outcome);
    answer.rule_state = oracle_state(state, case.rule);
    for (s, to) in case.segments.iter().zip(&mut answer.segments) {
        let group = group(s.options)?;
        let scale = ascent.scale(group.rho(), length_rule(case)?)?;
        let scale = match (group.is_perturbed(), group.counts_in_norm()) {
            (true, _) => scale,
            (false, true) => Scale { scale: R::ZERO, ..scale },
            (false, false) => continue,
        };
        let (memory, inputs) = (slices_mut(&mut to.memory), slices(&s.inputs));
        cpu.ascend(arm(s), scale, &s.params, &s.grads, memory, inputs, &mut to.perturbed)?;
    }
    Ok(ascent.outcome != Outcome::NonFinite)
}

/// Phase 3, unless the second gradient is not finite.
fn descend<R: Real + Scalar, B, const S: usize>(
    cpu: Cpu,
    case: &Case<R>,
    base: B,
    answer: &mut Answer<R>,
) -> Result<(), Error>
where
    B: BaseOptimizer<R, S>,
{
    let mut sums = PartialNorm::new();
    for s in &case.segments {
        cpu.accumulate_gradient(R::ONE, &s.perturbed_grads, &mut sums)?;
    }
    let (factor, second) = clip_factor(&sums, R::ONE / R::ZERO)?;
    if second == Outcome::NonFinite {
        return Ok(());
    }
    let before = base_state(case);
    for (s, to) in case.segments.iter().zip(&mut answer.segments) {
        let state = slices_mut(&mut to.state);
        cpu.descend(base.arm(&before), factor, &mut to.params, &s.perturbed_grads, state)?;
    }
    answer.base_steps = u64::from(base.advance(&before).steps);
    Ok(())
}
