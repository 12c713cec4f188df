//! [`Phases`]: the phases of a rule called one after the other, out of place: the check of
//! [`Session`](presam::Session), with which it shares no loop over tensors.

use crate::settings::{base, base_state, length_rule, rule_state, variant};
use crate::stepped::{Extras, Stepped};
use presam::{
    AnyReal, AnyVariant, Armed, ArmedBase, Ascending, Ascent, BaseState, Cpu, DynBase, DynVariant,
    Error, Group, Outcome, PartialNorm, Planes, PlanesMut, Real, RuleState, Scale, ScaledNorm,
    SecondGradient, StepReport, clip_factor,
};
use presam_conformance::{Answer, Backend, Case, Norm, Scalar, Scope, Segment};

/// Core's phases at some level, out of place: `ascend` writes a second copy.
#[derive(Clone, Copy, Debug)]
pub struct Phases(pub Cpu);

impl<R: AnyReal + Scalar> Backend<R> for Phases {
    fn scope(&self) -> Scope {
        Scope::full()
    }

    fn step(&mut self, case: &Case<R>) -> Result<Answer<R>, String> {
        let stepped = self.step_with(case, Extras::NONE).map_err(|error| error.to_string())?;
        Ok(stepped.answer)
    }
}

impl Phases {
    /// One step.
    ///
    /// # Errors
    /// What core refuses.
    pub fn step_with<R: AnyReal + Scalar>(
        self,
        case: &Case<R>,
        extras: Extras,
    ) -> Result<Stepped<R>, Error> {
        Step {
            cpu: self.0,
            case,
            groups: extras.groups(case)?,
            second: extras.second(),
            loss_scale: Real::from_f64(extras.loss_scale),
            along_momentum: false,
        }
        .run()
    }
}

/// What both halves of a step read.
#[derive(Clone, Debug)]
pub struct Step<'c, R> {
    /// How the loops run.
    pub cpu: Cpu,
    /// Tensors, rule, base optimizer and counters.
    pub case: &'c Case<R>,
    /// The group of each segment, in place of its options.
    pub groups: Vec<Group<R>>,
    /// What the second gradient goes through.
    pub second: SecondGradient<R>,
    /// The factor by which both gradients are scaled.
    pub loss_scale: R,
    /// Whether the slope is the base optimizer's first plane of state.
    pub along_momentum: bool,
}

impl<R: AnyReal + Scalar> Step<'_, R> {
    /// Both halves.
    ///
    /// # Errors
    /// What core refuses.
    pub fn run(&self) -> Result<Stepped<R>, Error> {
        let mut answer = Answer::unchanged(self.case);
        let (ascent, rule_state) = self.ascend(&mut answer)?;
        let mut base_state = base_state(self.case);
        let second = match ascent.outcome {
            Outcome::NonFinite => None,
            _ => Some(self.descend(&mut base_state, &mut answer)?),
        };
        let report = StepReport {
            ascent,
            second: second.unwrap_or(Outcome::Finite),
            descended: second.is_some_and(|second| second != Outcome::NonFinite),
        };
        Ok(Stepped::told(self.case, answer, report, (rule_state, base_state)))
    }

    /// What every entry of a first gradient is multiplied by; momentum is not scaled.
    fn unscale(&self) -> R {
        if self.along_momentum { R::ONE } else { R::ONE / self.loss_scale }
    }

    fn slope<'s>(&self, segment: &'s Segment<R>) -> &'s [R] {
        match segment.state.first() {
            Some(momentum) if self.along_momentum => momentum,
            _ => &segment.grads,
        }
    }

    fn armed(&self, group: &Group<R>) -> Armed<R> {
        let (operator, unscale) = (group.operator(), self.unscale());
        Armed { operator, unscale, ..Armed::new(self.cpu, rule_state(self.case)) }
    }

    fn segments(&self) -> impl Iterator<Item = (&Segment<R>, &Group<R>)> {
        self.case.segments.iter().zip(&self.groups)
    }

    /// The norm over what counts; what is perturbed all the same must be finite too.
    fn measure(
        &self,
        rule: AnyVariant<R>,
        answer: &mut Answer<R>,
    ) -> Result<(Ascent<R>, RuleState<R>), Error> {
        let (mut norm, mut uncounted) = (PartialNorm::new(), PartialNorm::new());
        for (s, group) in self.segments().filter(|_| !self.is_unmoved()) {
            if group.counts_in_norm() {
                let (memory, inputs) = (Planes::of(&s.memory), Planes::of(&s.inputs));
                let at = self.armed(group);
                rule.accumulate_norm(&at, &s.params, self.slope(s), memory, inputs, &mut norm)?;
            } else if group.is_perturbed() {
                self.cpu.accumulate_gradient(self.unscale(), self.slope(s), &mut uncounted)?;
            }
        }
        let total = norm.total()?;
        answer.norm = Some(Norm { sum: total.sum, class: total.class });
        let mut state = rule_state(self.case);
        let ascent = if self.is_unmoved() {
            Ascent { outcome: Outcome::ZeroNorm, norm: ScaledNorm::of(total) }
        } else if uncounted.total()?.sum.is_finite() {
            rule.finish(&norm, &mut state)?
        } else {
            Ascent { outcome: Outcome::NonFinite, norm: ScaledNorm::of(total) }
        };
        Ok((ascent, state))
    }

    /// Before the base optimizer's first step there is no momentum, and nothing to remember of it.
    fn is_unmoved(&self) -> bool {
        self.along_momentum && self.case.base_steps == 0
    }

    /// Phases 1 and 2: perturbed parameters and memory into `answer`; the counters after them.
    ///
    /// # Errors
    /// What core refuses.
    pub fn ascend(&self, answer: &mut Answer<R>) -> Result<(Ascent<R>, RuleState<R>), Error> {
        let rule = variant(self.case.rule)?;
        let (ascent, state) = self.measure(rule, answer)?;
        for ((s, group), to) in self.segments().zip(&mut answer.segments) {
            let scale = ascent.scale(group.rho(), length_rule(self.case.length)?)?;
            let scale = Scale { remember: scale.remember && !self.is_unmoved(), ..scale };
            let scale = match (group.is_perturbed(), group.counts_in_norm()) {
                (true, _) => scale,
                (false, true) => Scale { scale: R::ZERO, ..scale },
                (false, false) => continue,
            };
            let (memory, inputs) = (PlanesMut::of(&mut to.memory), Planes::of(&s.inputs));
            let planes = Ascending { grads: self.slope(s), memory, inputs };
            rule.ascend(&self.armed(group), scale, &s.params, planes, &mut to.perturbed)?;
        }
        Ok((ascent, state))
    }

    /// Phase 3, unless the second gradient is not finite.
    fn descend(
        &self,
        base_state: &mut BaseState,
        answer: &mut Answer<R>,
    ) -> Result<Outcome, Error> {
        let (mut sums, unscale) = (PartialNorm::new(), R::ONE / self.loss_scale);
        for s in &self.case.segments {
            self.cpu.accumulate_gradient(unscale, &s.perturbed_grads, &mut sums)?;
        }
        let (factor, second) = match self.second {
            SecondGradient::Unchecked => (R::ONE, Outcome::Finite),
            SecondGradient::Checked => clip_factor(&sums, R::INFINITY)?,
            SecondGradient::Clipped(most) => clip_factor(&sums, most)?,
        };
        if second == Outcome::NonFinite {
            return Ok(second);
        }
        let base = base(self.case.base)?;
        for ((s, group), to) in self.segments().zip(&mut answer.segments) {
            let weight_decay = group.weight_decay();
            let at = ArmedBase { weight_decay, ..ArmedBase::new(self.cpu, *base_state) };
            let (factor, state) = (unscale * factor, PlanesMut::of(&mut to.state));
            base.descend(&at, factor, &mut to.params, &s.perturbed_grads, state)?;
        }
        *base_state = base.advance(base_state);
        Ok(second)
    }
}
