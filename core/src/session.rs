//! [`Session`]: a step in an order that cannot be got wrong, over the phases of [`Cpu`].

use crate::ascended::Ascended;
use crate::error::check;
use crate::{
    Ascent, BaseOptimizer, BaseState, Cpu, Error, Group, LengthRule, Outcome, PartialNorm, Real,
    RuleState, Scale, ScaledNorm, SegmentMut, Segments, Unscaled, Variant, finish,
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
    /// As `Checked`, and brought down to this global norm ([`clip_factor`](crate::clip_factor)).
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
        self.check()?;
        let pass = AscentPass {
            cpu: self.cpu,
            variant: self.variant,
            before: self.rule_state,
            slope,
            unscale: if slope == Slope::Gradient { R::ONE / self.loss_scale } else { R::ONE },
            groups,
        };
        let (norm, uncounted) = pass.measure(model)?;
        let ascent = if !uncounted.total()?.sum.is_finite() {
            Ascent { outcome: Outcome::NonFinite, norm: ScaledNorm::of(norm.total()?) }
        } else {
            finish(self.variant, &norm, &mut self.rule_state)?
        };
        // Before the base optimizer's first step there is no momentum, whatever the plane holds.
        let ascent = match (slope, ascent.outcome, self.base_state.steps) {
            (Slope::Momentum, Outcome::Finite, 0) => {
                Ascent { outcome: Outcome::ZeroNorm, ..ascent }
            }
            _ => ascent,
        };
        let length = self.length;
        // From here on, dropping `ascended` restores what was perturbed: an error or a panic in the
        // visit leaves w as it was.
        let mut ascended = Ascended { session: self, groups, model, ascent, perturbed: 0 };
        if ascent.outcome != Outcome::NonFinite {
            pass.perturb(ascended.model, ascent, length, &mut ascended.perturbed)?;
        }
        Ok(ascended)
    }

    /// What a step would refuse, refused before it writes.
    fn check(&self) -> Result<(), Error> {
        let scale = self.loss_scale;
        check(
            "loss_scale",
            "a finite number > 0",
            scale,
            scale >= R::MIN_NORMAL && scale.is_finite(),
        )?;
        if let SecondGradient::Clipped(max_norm) = self.second {
            check("max_norm", "a number > 0", max_norm, max_norm > R::ZERO)?;
        }
        Ok(())
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

    /// Checks every segment and sums over the counted ones, and apart over those that are perturbed all
    /// the same: their memory must not meet a gradient that is not finite either. Writes nothing.
    fn measure<T, const M: usize, const I: usize, const S: usize>(
        &self,
        model: &mut T,
    ) -> Result<(PartialNorm<R>, PartialNorm<R>), Error>
    where
        V: Variant<R, M, I>,
        T: Segments<R, M, I, S>,
    {
        let (mut counted, mut uncounted) = (PartialNorm::new(), PartialNorm::new());
        model.visit(&mut |segment| {
            let group = group_of(self.groups, segment.group)?;
            segment.check(group.is_perturbed() || remembers::<M>(group))?;
            let grads = self.slope.of(&segment)?;
            if !group.counts_in_norm() && group.is_perturbed() {
                self.cpu.accumulate_gradient(self.unscale, grads, &mut uncounted)?;
            }
            if group.counts_in_norm() {
                let memory = segment.memory.each_ref().map(|plane| &**plane);
                let (rule, params, inputs) = (self.arm(group), &*segment.params, segment.inputs);
                self.cpu.accumulate_norm(rule, params, grads, memory, inputs, &mut counted)?;
            }
            Ok(())
        })?;
        Ok((counted, uncounted))
    }

    /// Perturbs the perturbed segments, counting them in `done`, and renews the memory of all that count.
    fn perturb<T, const M: usize, const I: usize, const S: usize>(
        &self,
        model: &mut T,
        ascent: Ascent<R>,
        length: LengthRule<R>,
        done: &mut usize,
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
                self.cpu.ascend_in_place(rule, scale, params, grads, memory, inputs, backup)?;
                *done += 1;
                Ok(())
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

pub(crate) fn group_of<R>(groups: &[Group<R>], index: usize) -> Result<&Group<R>, Error> {
    groups.get(index).ok_or(Error::UnknownGroup { expected: groups.len(), found: index })
}
