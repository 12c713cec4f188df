//! [`State`]: the order of a step, and what each phase does with one tensor.
//!
//! ```text
//! Ready --finish--> Ascended --judge--> Ready        ascend, restore, then descend: a tensor at a time
//! Ready --skip----> Plain ----judge---> Ready        descend alone
//! ```
//!
//! Counters move once what they count is over: the rule's where the ascent ends, the base optimizer's where the next
//! step begins, both where the step is cancelled. A visit of the whole model that fails on the way is not counted.
//!
//! The state says at which place the step is, a tensor's mark at which the tensor is. Calls for a tensor leave
//! the state as it is, so that threads may share it.

use crate::layout::{Mark, PRESAM_VERSION, Report};
use crate::mark::{AT_REST, BACK, PERTURBED, is_perturbed};
use crate::norm::{Norm, Pass, refused};
use crate::segment::{Reading, Writing};
use crate::settings::Settings;
use crate::status::{Argument, Code, Fault, check};
use presam::{
    AnyReal, Armed, ArmedBase, Ascending, Ascent, BaseState, Cpu, DynBase, DynVariant, Group,
    Outcome, PartialNorm, Planes, RuleState, Scale, ScaledNorm, SecondGradient, clip_factor,
};

#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Ready,
    Ascended,
    Plain,
}

/// What the calls of a descent share.
#[derive(Clone, Copy, Debug)]
struct Descent<R> {
    /// Whether there is one.
    begun: bool,
    /// Whether it follows no ascent.
    plain: bool,
    /// What became of the second gradient.
    second: Outcome,
    /// Whether anything is written.
    writes: bool,
    factor: R,
    learning_rate: Option<R>,
}

/// What a `presam_state_f32` holds, aligned as that. Its first word says that it does.
#[repr(C, align(8))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct State<R> {
    magic: u32,
    /// Moves with every change: a norm that was begun before is stale.
    serial: u32,
    /// The step at hand; 0 before the first.
    step: u32,
    stage: Stage,
    pub settings: Settings<R>,
    learning_rate: Option<R>,
    loss_scale: R,
    rule_state: RuleState<R>,
    base_state: BaseState,
    /// The rule's counters once the ascent at hand is over; it is armed with those before.
    after: RuleState<R>,
    ascent: Ascent<R>,
    descent: Descent<R>,
    /// How many tensors ascended in one call; 0 where each comes alone.
    pub together: usize,
}

/// The first word of a state of this type.
pub(crate) const fn magic<R>() -> u32 {
    0x5350_0000 | PRESAM_VERSION << 8 | size_of::<R>() as u32
}

impl<R: AnyReal> State<R> {
    pub(crate) fn new(settings: Settings<R>) -> Self {
        let (rule_state, base_state) = (RuleState::new(), BaseState::new());
        let norm = ScaledNorm { root: R::ZERO, class: 0 };
        let descent = Descent {
            begun: false,
            plain: false,
            second: Outcome::Finite,
            writes: false,
            factor: R::ONE,
            learning_rate: None,
        };
        Self {
            magic: magic::<R>(),
            serial: 0,
            step: 0,
            stage: Stage::Ready,
            settings,
            learning_rate: None,
            loss_scale: R::ONE,
            rule_state,
            base_state,
            after: rule_state,
            ascent: Ascent { outcome: Outcome::Finite, norm },
            descent,
            together: 0,
        }
    }

    fn stands(&self, stages: &[Stage]) -> Result<(), Fault> {
        check(stages.contains(&self.stage), Code::Order, Argument::State)
    }

    /// What every gradient entry is multiplied by.
    fn unscale(&self) -> R {
        R::ONE / self.loss_scale
    }

    fn armed(&self, group: &Group<R>, state: RuleState<R>) -> Armed<R> {
        // Momentum is not scaled.
        let unscale = if self.settings.along_momentum { R::ONE } else { self.unscale() };
        Armed { operator: group.operator(), unscale, ..Armed::new(Cpu::detect(), state) }
    }

    fn slope<'a>(&self, grads: &'a [R], state: &Planes<'a, R>) -> &'a [R] {
        let momentum = state.iter().next().filter(|_| self.settings.along_momentum);
        momentum.unwrap_or(grads)
    }

    /// Whether the variant's memory is renewed though the tensor stays where it is.
    fn remembers(&self, group: &Group<R>) -> bool {
        self.settings.counts().memory > 0 && group.counts_in_norm()
    }

    /// Whether a tensor of this group has a backup.
    pub(crate) fn needs_backup(&self, group: &Group<R>) -> bool {
        group.is_perturbed() || self.remembers(group)
    }

    pub(crate) fn set_learning_rate(&mut self, rate: f64) -> Result<(), Fault> {
        self.stands(&[Stage::Ready])?;
        let rate = R::from_f64(rate);
        let valid = rate >= R::ZERO && rate.is_finite();
        check(valid, Code::Range, Argument::LearningRate)?;
        self.learning_rate = Some(rate);
        Ok(())
    }

    pub(crate) fn set_loss_scale(&mut self, scale: f64) -> Result<(), Fault> {
        self.stands(&[Stage::Ready])?;
        let scale = R::from_f64(scale);
        let valid = scale >= R::MIN_NORMAL && scale.is_finite();
        check(valid, Code::Range, Argument::LossScale)?;
        self.loss_scale = scale;
        self.serial = self.serial.wrapping_add(1);
        Ok(())
    }

    /// An empty norm for a pass.
    pub(crate) fn begin(&self, pass: Pass, first_chunk: u64) -> Result<Norm<R>, Fault> {
        self.passes(pass)?;
        Ok(Norm::begun(pass, self.serial, first_chunk))
    }

    fn passes(&self, pass: Pass) -> Result<(), Fault> {
        match pass {
            Pass::First => self.stands(&[Stage::Ready]),
            Pass::Second => self.stands(&[Stage::Ascended, Stage::Plain]),
        }
    }

    /// Phase 1, one tensor.
    pub(crate) fn measure(&self, s: &Reading<'_, R>, norm: &mut Norm<R>) -> Result<(), Fault> {
        self.passes(Pass::First)?;
        norm.check(Pass::First, self.serial)?;
        let at = self.armed(&s.group, self.rule_state);
        let slope = self.slope(s.grads, &s.state);
        let full = |error| refused(error, Argument::Norm);
        if s.group.counts_in_norm() {
            let (variant, sums) = (&self.settings.variant, &mut norm.sums);
            variant
                .accumulate_norm(&at, s.params, slope, s.memory, s.inputs, sums)
                .map_err(full)?;
        } else if s.group.is_perturbed() {
            let mut sums = PartialNorm::new();
            at.cpu.accumulate_gradient(at.unscale, slope, &mut sums).map_err(full)?;
            norm.see(sums.total().map_err(full)?.sum.is_finite());
        }
        Ok(())
    }

    /// Ends phase 1.
    pub(crate) fn finish(&mut self, norm: &Norm<R>) -> Result<(), Fault> {
        self.passes(Pass::First)?;
        norm.check(Pass::First, self.serial)?;
        let refused = |error| refused(error, Argument::Norm);
        let total = norm.sums.total().map_err(refused)?;
        self.settle();
        let mut after = self.rule_state;
        let mut ascent = Ascent { outcome: Outcome::NonFinite, norm: ScaledNorm::of(total) };
        if self.is_unmoved() {
            // Whatever the plane held when it was measured.
            ascent.outcome = Outcome::ZeroNorm;
        } else if norm.is_finite() {
            ascent = self.settings.variant.finish(&norm.sums, &mut after).map_err(refused)?;
        }
        (self.after, self.ascent) = (after, ascent);
        self.enter(Stage::Ascended);
        Ok(())
    }

    /// Before the base optimizer's first step there is no momentum to ascend along: momentum-sam stays.
    fn is_unmoved(&self) -> bool {
        self.settings.along_momentum && self.base_state.steps == 0
    }

    /// A step without an ascent.
    pub(crate) fn skip(&mut self) -> Result<(), Fault> {
        self.stands(&[Stage::Ready])?;
        self.settle();
        self.enter(Stage::Plain);
        Ok(())
    }

    /// The base optimizer's counters after the descent that was begun last.
    fn settled(&self) -> BaseState {
        let counts = self.descent.begun && self.descent.writes;
        if counts { self.settings.base.advance(&self.base_state) } else { self.base_state }
    }

    /// A new step begins: the last one is over.
    fn settle(&mut self) {
        self.base_state = self.settled();
        self.descent.begun = false;
    }

    fn enter(&mut self, stage: Stage) {
        self.stage = stage;
        self.descent.second = Outcome::Finite;
        self.together = 0;
        self.serial = self.serial.wrapping_add(1);
        // 0 is the step of marks that no step has written.
        self.step = self.step.wrapping_add(1).max(1);
    }

    /// Ends the step at hand where it stands: what it has done is counted, perturbed tensors stay perturbed.
    pub(crate) fn cancel(&mut self) {
        if self.stage == Stage::Ascended {
            self.rule_state = self.after;
        }
        self.settle();
        self.give_up();
    }

    /// Forgets the step at hand, which has left a visit half done.
    pub(crate) fn give_up(&mut self) {
        self.stage = Stage::Ready;
        self.descent.begun = false;
        self.serial = self.serial.wrapping_add(1);
    }

    /// Whether a tensor may begin a step.
    pub(crate) fn check_rest(mark: Mark) -> Result<(), Fault> {
        check(!is_perturbed(mark)?, Code::StillPerturbed, Argument::Mark)
    }

    /// Whether a tensor is to ascend in this step.
    pub(crate) fn check_ascends(&self, mark: Mark) -> Result<(), Fault> {
        self.stands(&[Stage::Ascended])?;
        Self::check_rest(mark)?;
        check(mark.step != self.step, Code::Order, Argument::Mark)
    }

    /// Phase 2, one tensor that is at rest; its mark after it.
    pub(crate) fn ascend(&self, s: Writing<'_, R>) -> Result<Mark, Fault> {
        let done = Mark { stage: BACK, step: self.step, len: s.params.len() };
        if self.ascent.outcome == Outcome::NonFinite {
            return Ok(done);
        }
        let refused = |error| refused(error, Argument::Rho);
        let at = self.armed(&s.group, self.rule_state);
        let scale = self.ascent.scale(s.group.rho(), self.settings.length).map_err(refused)?;
        let (variant, state) = (&self.settings.variant, s.state.read());
        let grads = self.slope(s.grads, &state);
        let planes = Ascending { grads, memory: s.memory, inputs: s.inputs };
        if s.group.is_perturbed() {
            variant.ascend_in_place(&at, scale, s.params, planes, s.backup).map_err(refused)?;
            return Ok(Mark { stage: PERTURBED, ..done });
        }
        if self.remembers(&s.group) {
            let scale = Scale { scale: R::ZERO, remember: true, ..scale };
            variant.ascend(&at, scale, s.params, planes, s.backup).map_err(refused)?;
        }
        Ok(done)
    }

    /// Whether a tensor went through the ascent of this step, or through none in a step without one.
    pub(crate) fn check_ascended(&self, mark: Mark) -> Result<(), Fault> {
        let perturbed = is_perturbed(mark)?;
        if self.stage == Stage::Plain {
            check(!perturbed, Code::StillPerturbed, Argument::Mark)?;
            return check(mark.step != self.step, Code::Order, Argument::Mark);
        }
        let ascended = mark.stage != AT_REST && mark.step == self.step;
        check(ascended, Code::Order, Argument::Mark)
    }

    /// The second gradient, one tensor.
    pub(crate) fn look(
        &self,
        s: &Reading<'_, R>,
        mark: Mark,
        norm: &mut Norm<R>,
    ) -> Result<(), Fault> {
        self.passes(Pass::Second)?;
        norm.check(Pass::Second, self.serial)?;
        self.check_ascended(mark)?;
        let unscale = self.unscale();
        let summed = Cpu::detect().accumulate_gradient(unscale, s.grads, &mut norm.sums);
        summed.map_err(|error| refused(error, Argument::Norm))
    }

    /// Whether the second gradient goes through a pass of its own.
    pub(crate) fn is_checked(&self) -> bool {
        self.settings.second != SecondGradient::Unchecked
    }

    /// Ends the pass over the second gradient: the descent may begin. Without a norm where it is not checked.
    pub(crate) fn judge(&mut self, norm: Option<&Norm<R>>) -> Result<(), Fault> {
        self.passes(Pass::Second)?;
        let mut judged = (R::ONE, Outcome::Finite);
        if self.is_checked() {
            let norm = norm.ok_or(Fault::new(Code::Null, Argument::Norm))?;
            norm.check(Pass::Second, self.serial)?;
            let most = match self.settings.second {
                SecondGradient::Clipped(most) => most,
                _ => R::INFINITY,
            };
            let clipped = clip_factor(&norm.sums, most);
            judged = clipped.map_err(|error| refused(error, Argument::Norm))?;
        }
        let plain = self.stage == Stage::Plain;
        let lost = !plain && self.ascent.outcome == Outcome::NonFinite;
        let (factor, second) = if lost { (R::ONE, Outcome::Finite) } else { judged };
        self.descent = Descent {
            begun: true,
            plain,
            second,
            writes: !lost && second != Outcome::NonFinite,
            factor: self.unscale() * factor,
            learning_rate: self.learning_rate,
        };
        if !plain {
            self.rule_state = self.after;
        }
        self.stage = Stage::Ready;
        self.serial = self.serial.wrapping_add(1);
        Ok(())
    }

    /// Whether a tensor is to descend in this step.
    pub(crate) fn check_descends(&self, mark: Mark) -> Result<(), Fault> {
        let begun = self.stage == Stage::Ready && self.descent.begun;
        check(begun, Code::Order, Argument::State)?;
        Self::check_rest(mark)?;
        let due = if self.descent.plain {
            mark.step != self.step
        } else {
            mark.stage == BACK && mark.step == self.step
        };
        check(due, Code::Order, Argument::Mark)
    }

    /// Phase 3, one tensor; its mark after it.
    pub(crate) fn descend(&self, s: Writing<'_, R>, mark: Mark) -> Result<Mark, Fault> {
        self.check_descends(mark)?;
        let Descent { writes, factor, learning_rate, .. } = self.descent;
        if writes {
            let weight_decay = s.group.weight_decay();
            let at = ArmedBase {
                learning_rate,
                weight_decay,
                ..ArmedBase::new(Cpu::detect(), self.base_state)
            };
            let done = self.settings.base.descend(&at, factor, s.params, s.grads, s.state);
            done.map_err(|error| refused(error, Argument::WeightDecay))?;
        }
        Ok(Mark { stage: AT_REST, step: self.step, len: s.params.len() })
    }

    /// What became of the step.
    pub(crate) fn report(&self, report: Report) -> Report {
        let norm = self.ascent.norm;
        Report {
            outcome: self.ascent.outcome as u32,
            second: self.descent.second as u32,
            descends: u32::from(self.descent.begun && self.descent.writes),
            steps: self.settled().steps,
            norm: norm.root.to_f64() * norm.unit().to_f64(),
            grad_factor: self.descent.factor.to_f64(),
            ..report
        }
    }
}
