//! [`Session`] and what a trainer sets in it: [`Form`], [`SecondGradient`]; what it tells: [`StepReport`].

use super::mark::Kept;
use crate::base::BaseState;
use crate::cpu::Cpu;
use crate::element::RuleState;
use crate::erased::{DynBase, DynVariant};
use crate::error::{Error, check, check_nonnegative};
use crate::length::{Ascent, LengthRule};
use crate::outcome::Outcome;
use crate::real::Real;

/// A variant, a base optimizer and their counters: Ready -> [`Ascended`](crate::Ascended) -> Ready.
///
/// `V` and `B` are any [`DynVariant`] and [`DynBase`]: `Sam<f32>`, `AnyVariant<f32>` (by name),
/// `&dyn DynVariant<f32>`, a stranger's [`Erased`](crate::Erased).
///
/// Ascending twice, or descending before restoring, is impossible to write:
///
/// ```compile_fail,E0499
/// # use presam::*;
/// # fn f(session: &mut Session<f32, Sam<f32>, Sgd<f32>>, model: &mut Flat<'_, f32>, groups: &[Group<f32>]) {
/// let first = session.ascend(groups, model).unwrap();
/// let second = session.ascend(groups, model).unwrap(); // the first is still ascended
/// # drop(first); }
/// ```
///
/// ```compile_fail,E0382
/// # use presam::*;
/// # fn f(session: &mut Session<f32, Sam<f32>, Sgd<f32>>, model: &mut Flat<'_, f32>, groups: &[Group<f32>]) {
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
    /// The base optimizer.
    pub base: B,
    /// In place of the base optimizer's own: what a schedule sets between steps.
    pub learning_rate: Option<R>,
    /// Where the perturbed parameters go.
    pub form: Form,
    /// How long the perturbation is.
    pub length: LengthRule<R>,
    /// The variant's counters.
    pub rule_state: RuleState<R>,
    /// The base optimizer's counters.
    pub base_state: BaseState,
    /// What the second gradient goes through before the descent.
    pub second: SecondGradient<R>,
    /// The factor by which the trainer's loss, and so every gradient, is scaled; 1 by default.
    pub loss_scale: R,
    /// Whether an earlier step left segments perturbed; written by the session alone.
    pub kept: Kept,
}

/// Where the perturbed parameters go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Over w, which [`spare`](crate::SegmentMut::spare) keeps until the restore. The default.
    #[default]
    InPlace,
    /// To [`spare`](crate::SegmentMut::spare); w stays.
    OutOfPlace,
}

/// At which point a gradient is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// w, in `params`; the gradient goes to `grads`.
    Params,
    /// The perturbed point, in place in `params`, out of place in `spare`; the gradient goes to
    /// `perturbed_grads`.
    Perturbed,
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

impl<R: Real, V: DynVariant<R>, B: DynBase<R>> Session<R, V, B> {
    /// A session before its first step: in place, normalised length, the second gradient checked.
    pub fn new(cpu: Cpu, variant: V, base: B) -> Self {
        Self {
            cpu,
            variant,
            base,
            learning_rate: None,
            form: Form::InPlace,
            length: LengthRule::NORMALISED,
            rule_state: RuleState::new(),
            base_state: BaseState::new(),
            second: SecondGradient::Checked,
            loss_scale: R::ONE,
            kept: Kept::default(),
        }
    }

    /// What a step would refuse, refused before it writes.
    pub(super) fn check(&self) -> Result<(), Error> {
        let scale = self.loss_scale;
        let valid = scale >= R::MIN_NORMAL && scale.is_finite();
        check("loss_scale", "a finite number > 0", scale, valid)?;
        if let Some(rate) = self.learning_rate {
            check_nonnegative("learning_rate", rate)?;
        }
        if let SecondGradient::Clipped(max_norm) = self.second {
            check("max_norm", "a number > 0", max_norm, max_norm > R::ZERO)?;
        }
        self.check_kept()
    }

    /// What every gradient entry is multiplied by.
    pub(super) fn unscale(&self) -> R {
        R::ONE / self.loss_scale
    }
}

impl<R, V, B> Session<R, V, B> {
    /// That no segment is perturbed, shown or not.
    pub(super) fn check_kept(&self) -> Result<(), Error> {
        let Kept { perturbed: count, first, .. } = self.kept;
        if count == 0 { Ok(()) } else { Err(Error::StillPerturbed { first, count }) }
    }
}
