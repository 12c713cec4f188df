//! [`Session`]: a step in an order that cannot be got wrong, over the phases of [`Cpu`].

use crate::{
    Ascent, BaseOptimizer, BaseState, Cpu, Error, Group, LengthRule, Outcome, PartialNorm, Real,
    RuleState, Scale, SegmentMut, Segments, Unscaled, Variant, clip_factor, finish,
};

/// A variant, a base optimizer and their counters: Ready -> [`Ascended`] -> Ready.
///
/// Ascending twice, or descending before restoring, is impossible to write:
///
/// ```compile_fail,E0499
/// # use presam::*;
/// # fn f(session: &mut Session<f32, Sam<f32>, Sgd<f32>>, model: &mut Flat<'_, f32, 0, 0, 0>, groups: &[Group<f32>]) {
/// let first = session.ascend(groups, model).unwrap();
/// let second = session.ascend(groups, model).unwrap(); // the first is still ascended
/// # drop(first); }
/// ```
///
/// ```compile_fail,E0382
/// # use presam::*;
/// # fn f(session: &mut Session<f32, Sam<f32>, Sgd<f32>>, model: &mut Flat<'_, f32, 0, 0, 0>, groups: &[Group<f32>]) {
/// let ascended = session.ascend(groups, model).unwrap();
/// ascended.descend().unwrap();
/// ascended.descend().unwrap(); // moved: one descent per ascent
/// # }
/// ```
///
/// What a checkpoint must hold: [`rule_state`](Session::rule_state), [`base_state`](Session::base_state),
/// params, memory and state planes, taken between steps.
#[derive(Clone, Debug)]
pub struct Session<R, V, B> {
    /// How the loops run.
    pub cpu: Cpu,
    /// The variant.
    pub variant: V,
    /// The base optimizer; a schedule sets its learning rate between steps.
    pub base: B,
    /// How long the perturbation is.
    pub length: LengthRule<R>,
    /// The variant's counters.
    pub rule_state: RuleState<R>,
    /// The base optimizer's counters.
    pub base_state: BaseState<R>,
    /// What the second gradient goes through before the descent.
    pub second: SecondGradient<R>,
    /// The factor by which the trainer's loss, and so every gradient, is scaled; 1 by default.
    pub loss_scale: R,
}

/// What the second gradient goes through before the descent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SecondGradient<R> {
    /// Its norm is taken (one more pass, 4 bytes a parameter in `f32`): a non-finite one skips the
    /// descent and changes nothing. The default.
    Checked,
    /// As `Checked`, and brought down to this global norm ([`clip_factor`]).
    Clipped(R),
    /// Taken as it is: an infinite or NaN entry enters params and state. For trainers that check themselves.
    Unchecked,
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport<R> {
    /// Of the ascent.
    pub ascent: Ascent<R>,
    /// Of the second gradient; [`Outcome::Finite`] where it was not checked.
    pub second: Outcome,
    /// Whether the base optimizer took its step.
    pub descended: bool,
}

impl<R: Real, V, B> Session<R, V, B> {
    /// A session before its first step: normalised length, the second gradient checked.
    pub fn new(cpu: Cpu, variant: V, base: B) -> Self {
        Self {
            cpu,
            variant,
            base,
            length: LengthRule::NORMALISED,
            rule_state: RuleState::new(),
            base_state: BaseState::new(),
            second: SecondGradient::Checked,
            loss_scale: R::ONE,
        }
    }

    /// One whole step: `gradient` is called at w, then at the perturbed point, and must write the
    /// model's gradient there. The driver for trainers that can express a step as one closure.
    ///
    /// The second call is left out where the first gradient is not finite. An error of the closure
    /// leaves w as it was.
    ///
    /// ```
    /// use presam::{Cpu, Flat, Group, Sam, Session, Sgd};
    ///
    /// let mut session = Session::new(Cpu::detect(), Sam::new(), Sgd::new(0.1f32)?);
    /// let (mut w, mut g, mut backup) = ([3.0, 4.0], [0.0; 2], [0.0; 2]);
    /// let mut model = Flat {
    ///     params: &mut w, grads: &mut g, backup: &mut backup, memory: [], inputs: [], state: [],
    /// };
    /// for _ in 0..200 {
    ///     session.step(&[Group::new(0.05)?], &mut model, |m| {
    ///         for (g, w) in m.grads.iter_mut().zip(m.params.iter()) { *g = 2.0 * w } // of |w|^2
    ///         Ok::<(), presam::Error>(())
    ///     })?;
    /// }
    /// assert!(w.iter().all(|w| w.abs() < 0.05));
    /// # Ok::<(), presam::Error>(())
    /// ```
    ///
    /// # Errors
    /// The closure's, and those of [`ascend`](Session::ascend) and [`Ascended::descend`].
    pub fn step<T, E, const M: usize, const I: usize, const S: usize>(
        &mut self,
        groups: &[Group<R>],
        model: &mut T,
        mut gradient: impl FnMut(&mut T) -> Result<(), E>,
    ) -> Result<StepReport<R>, E>
    where
        E: From<Error>,
        V: Variant<R, M, I>,
        B: BaseOptimizer<R, S>,
        T: Segments<R, M, I, S>,
    {
        gradient(model)?;
        let mut ascended = self.ascend(groups, model)?;
        if ascended.ascent.outcome != Outcome::NonFinite {
            gradient(ascended.model())?;
        }
        Ok(ascended.descend()?)
    }

    /// One whole step of a one-gradient method ([`MomentumSam`](crate::MomentumSam)): the slope of
    /// the ascent is the base optimizer's first state plane, `gradient` is called at the perturbed
    /// point only.
    ///
    /// # Errors
    /// As [`step`](Session::step); a base optimizer without state has no momentum and is refused as
    /// a `state` of the wrong length.
    pub fn step_with_momentum<T, E, const M: usize, const I: usize, const S: usize>(
        &mut self,
        groups: &[Group<R>],
        model: &mut T,
        gradient: impl FnOnce(&mut T) -> Result<(), E>,
    ) -> Result<StepReport<R>, E>
    where
        E: From<Error>,
        V: Variant<R, M, I>,
        B: BaseOptimizer<R, S>,
        T: Segments<R, M, I, S>,
    {
        let mut ascended = self.ascend_along(Slope::Momentum, groups, model)?;
        if ascended.ascent.outcome != Outcome::NonFinite {
            gradient(ascended.model())?;
        }
        Ok(ascended.descend()?)
    }

    /// The first half of a step: measures the model's gradients, perturbs its parameters in place and
    /// stores memory. Then write the second gradient through [`Ascended::model`].
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::UnknownGroup`]: found before anything is written.
    pub fn ascend<'s, T, const M: usize, const I: usize, const S: usize>(
        &'s mut self,
        groups: &'s [Group<R>],
        model: &'s mut T,
    ) -> Result<Ascended<'s, R, V, B, T, M, I, S>, Error>
    where
        V: Variant<R, M, I>,
        B: BaseOptimizer<R, S>,
        T: Segments<R, M, I, S>,
    {
        self.ascend_along(Slope::Gradient, groups, model)
    }

    fn ascend_along<'s, T, const M: usize, const I: usize, const S: usize>(
        &'s mut self,
        slope: Slope,
        groups: &'s [Group<R>],
        model: &'s mut T,
    ) -> Result<Ascended<'s, R, V, B, T, M, I, S>, Error>
    where
        V: Variant<R, M, I>,
        B: BaseOptimizer<R, S>,
        T: Segments<R, M, I, S>,
    {
        let pass = AscentPass {
            cpu: self.cpu,
            variant: self.variant,
            before: self.rule_state,
            slope,
            unscale: if slope == Slope::Gradient { R::ONE / self.loss_scale } else { R::ONE },
            groups,
        };
        let norm = pass.measure(model)?;
        let ascent = finish(self.variant, &norm, &mut self.rule_state)?;
        let length = self.length;
        // From here on, dropping `ascended` restores: an error in the visit leaves w as it was.
        let ascended = Ascended { session: self, groups, model, ascent, restored: false };
        if ascent.outcome != Outcome::NonFinite {
            pass.perturb(ascended.model, ascent, length)?;
        }
        Ok(ascended)
    }
}

/// What both visits of an ascent share.
#[derive(Clone, Copy)]
struct AscentPass<'g, R, V> {
    cpu: Cpu,
    variant: V,
    before: RuleState<R>,
    slope: Slope,
    unscale: R,
    groups: &'g [Group<R>],
}

impl<R: Real, V> AscentPass<'_, R, V> {
    fn arm<const M: usize, const I: usize>(&self, group: &Group<R>) -> Unscaled<V::Rule, R>
    where
        V: Variant<R, M, I>,
    {
        let variant = self.variant.with_operator(group.operator());
        Unscaled::new(variant.arm(&self.before), self.unscale)
    }

    /// Checks every segment and sums over the counted ones; writes nothing.
    fn measure<T, const M: usize, const I: usize, const S: usize>(
        &self,
        model: &mut T,
    ) -> Result<PartialNorm<R>, Error>
    where
        V: Variant<R, M, I>,
        T: Segments<R, M, I, S>,
    {
        let mut norm = PartialNorm::new();
        model.visit(&mut |segment| {
            let group = group_of(self.groups, segment.group)?;
            segment.check(group.is_perturbed() || remembers::<M>(group))?;
            let grads = self.slope.of(&segment)?;
            if group.counts_in_norm() {
                let memory = segment.memory.each_ref().map(|plane| &**plane);
                let (rule, params, inputs) = (self.arm(group), &*segment.params, segment.inputs);
                self.cpu.accumulate_norm(rule, params, grads, memory, inputs, &mut norm)?;
            }
            Ok(())
        })?;
        Ok(norm)
    }

    /// Perturbs the perturbed segments and renews the memory of all that count.
    fn perturb<T, const M: usize, const I: usize, const S: usize>(
        &self,
        model: &mut T,
        ascent: Ascent<R>,
        length: LengthRule<R>,
    ) -> Result<(), Error>
    where
        V: Variant<R, M, I>,
        T: Segments<R, M, I, S>,
    {
        model.visit(&mut |segment| {
            let group = group_of(self.groups, segment.group)?;
            let (rule, scale) = (self.arm(group), ascent.scale(group.rho(), length)?);
            let SegmentMut { params, grads, backup, memory, inputs, state, .. } = segment;
            let grads = match (self.slope, state.first()) {
                (Slope::Momentum, Some(momentum)) => &**momentum,
                _ => grads,
            };
            if group.is_perturbed() {
                self.cpu.ascend_in_place(rule, scale, params, grads, memory, inputs, backup)
            } else if remembers::<M>(group) {
                let scale = Scale { scale: R::ZERO, ..scale };
                self.cpu.ascend(rule, scale, params, grads, memory, inputs, backup)
            } else {
                Ok(())
            }
        })
    }
}

/// What the ascent takes as gradient.
#[derive(Clone, Copy, PartialEq)]
enum Slope {
    Gradient,
    Momentum,
}

impl Slope {
    fn of<'a, R, const M: usize, const I: usize, const S: usize>(
        self,
        segment: &'a SegmentMut<'_, R, M, I, S>,
    ) -> Result<&'a [R], Error> {
        match self {
            Self::Gradient => Ok(segment.grads),
            Self::Momentum => {
                let missing =
                    Error::Length { slice: "state", expected: segment.params.len(), found: 0 };
                segment.state.first().map(|plane| &**plane).ok_or(missing)
            }
        }
    }
}

/// Whether a group that is not perturbed still renews its memory: its terms count in the norm.
fn remembers<const M: usize>(group: &Group<impl Real>) -> bool {
    M > 0 && group.counts_in_norm()
}

fn group_of<R>(groups: &[Group<R>], index: usize) -> Result<&Group<R>, Error> {
    groups.get(index).ok_or(Error::UnknownGroup { expected: groups.len(), found: index })
}

/// A model at its perturbed point. Dropped without a descent (an early return, a panic), it restores.
#[must_use = "dropping it restores the parameters and takes no step"]
pub struct Ascended<'s, R: Real, V, B, T, const M: usize, const I: usize, const S: usize>
where
    T: Segments<R, M, I, S>,
{
    session: &'s mut Session<R, V, B>,
    groups: &'s [Group<R>],
    model: &'s mut T,
    ascent: Ascent<R>,
    restored: bool,
}

impl<R: Real, V, B, T, const M: usize, const I: usize, const S: usize>
    Ascended<'_, R, V, B, T, M, I, S>
where
    T: Segments<R, M, I, S>,
{
    /// The perturbed model: take the second gradient here.
    pub fn model(&mut self) -> &mut T {
        self.model
    }

    /// The norm and what became of it. After [`Outcome::NonFinite`] a second gradient is wasted.
    pub fn ascent(&self) -> Ascent<R> {
        self.ascent
    }

    /// Every perturbed segment back from its backup: the set depends on the groups alone, never on
    /// the second gradient.
    fn restore(&mut self) -> Result<(), Error> {
        let (cpu, groups) = (self.session.cpu, self.groups);
        if core::mem::replace(&mut self.restored, true) || self.ascent.outcome == Outcome::NonFinite
        {
            return Ok(());
        }
        self.model.visit(&mut |segment| {
            if group_of(groups, segment.group)?.is_perturbed() {
                cpu.restore(segment.params, segment.backup)?;
            }
            Ok(())
        })
    }

    /// The second half of a step: restores every parameter, bit for bit, then lets the base optimizer
    /// step with the model's gradients, which are now those of the perturbed point.
    ///
    /// After a non-finite first or second gradient nothing is changed but the restored parameters;
    /// the variant's memory keeps the first gradient if that one was finite.
    ///
    /// # Errors
    /// Those of the model's own visits; parameters are restored all the same.
    pub fn descend(mut self) -> Result<StepReport<R>, Error>
    where
        B: BaseOptimizer<R, S>,
    {
        self.restore()?;
        let ascent = self.ascent;
        if ascent.outcome == Outcome::NonFinite {
            return Ok(StepReport { ascent, second: Outcome::Finite, descended: false });
        }
        let Session { cpu, base, base_state, second, loss_scale, .. } = *self.session;
        let groups = self.groups;
        let unscale = R::ONE / loss_scale;
        let mut norm = PartialNorm::new();
        self.model.visit(&mut |segment| {
            segment.check(false)?;
            match second {
                SecondGradient::Unchecked => Ok(()),
                _ => cpu.accumulate_gradient(unscale, segment.grads, &mut norm),
            }
        })?;
        let (factor, outcome) = match second {
            SecondGradient::Unchecked => (R::ONE, Outcome::Finite),
            SecondGradient::Checked => clip_factor(&norm, R::ONE / R::ZERO)?,
            SecondGradient::Clipped(max_norm) => clip_factor(&norm, max_norm)?,
        };
        if outcome == Outcome::NonFinite {
            return Ok(StepReport { ascent, second: outcome, descended: false });
        }
        self.model.visit(&mut |segment| {
            let base = match group_of(groups, segment.group)?.weight_decay() {
                Some(weight_decay) => base.with_weight_decay(weight_decay)?,
                None => base,
            };
            let SegmentMut { params, grads, state, .. } = segment;
            cpu.descend(base.arm(&base_state), unscale * factor, params, grads, state)
        })?;
        self.session.base_state = base.advance(&base_state);
        Ok(StepReport { ascent, second: outcome, descended: true })
    }
}

impl<R: Real, V, B, T, const M: usize, const I: usize, const S: usize> Drop
    for Ascended<'_, R, V, B, T, M, I, S>
where
    T: Segments<R, M, I, S>,
{
    fn drop(&mut self) {
        // A visitor that fails here failed before; there is nobody left to tell.
        let _ = self.restore();
    }
}
