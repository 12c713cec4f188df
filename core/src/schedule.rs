//! [`Schedule`]: a learning rate or a radius over the steps of a training run.

use crate::error::{Error, check, check_nonnegative};
use crate::real::Real;

/// A value over steps, for the learning rate or for rho. A pure function of the step, counted from 0.
///
/// ```text
/// constant         peak
/// cosine           last + (peak - last) (1 + cos(pi t / total)) / 2;  last from t = total on
/// multi-step       peak * gamma^(milestones <= t)
/// linear warm-up   peak (t + 1) / warm_up for t < warm_up, then the schedule from its own step 0
/// ```
///
/// Between 0 and the peak at every step: a learning rate that it gives never fails a validation, nor
/// does a radius whose peak is below 2^31.
///
/// SAM in a part of the run needs no schedule: a step that is not to perturb is the descent alone, with the
/// gradient taken at w ([`Session::descend`](crate::Session::descend), or
/// [`Cpu::descend`](crate::Cpu::descend)); the rule's memory and counters stay. A radius of 0 comes to the same
/// parameters, and costs the second gradient all the same.
///
/// ```
/// use presam::Schedule;
///
/// let cosine = Schedule::cosine(0.1f64, 0.0, 100)?.with_warm_up(10);
/// assert!((cosine.at(0) - 0.01).abs() < 1e-15);
/// assert_eq!(cosine.at(10), 0.1);
/// assert!((cosine.at(60) - 0.05).abs() < 1e-15);
/// assert_eq!(cosine.at(500), 0.0);
/// # Ok::<(), presam::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule<'a, R> {
    peak: R,
    warm_up: u32,
    shape: Shape<'a, R>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape<'a, R> {
    Constant,
    Cosine { last: R, total: u32 },
    MultiStep { gamma: R, milestones: &'a [u32] },
}

impl<R: Real> Schedule<'static, R> {
    /// `value` at every step.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless it is finite and >= 0.
    pub fn constant(value: R) -> Result<Self, Error> {
        let peak = check_nonnegative("schedule value", value)?;
        Ok(Self { peak, warm_up: 0, shape: Shape::Constant })
    }

    /// From `peak` at step 0 along half a cosine to `last` at step `total`.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless `peak` is finite and 0 <= `last` <= `peak`.
    pub fn cosine(peak: R, last: R, total: u32) -> Result<Self, Error> {
        let peak = check_nonnegative("schedule peak", peak)?;
        let valid = last >= R::ZERO && last <= peak;
        let last = check("schedule last", "a number from 0 to the peak", last, valid)?;
        Ok(Self { peak, warm_up: 0, shape: Shape::Cosine { last, total } })
    }
}

impl<'a, R: Real> Schedule<'a, R> {
    /// `peak`, multiplied by `gamma` at each of the `milestones`.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless `peak` is finite and >= 0 and `gamma` in [0, 1].
    pub fn multi_step(peak: R, gamma: R, milestones: &'a [u32]) -> Result<Self, Error> {
        let peak = check_nonnegative("schedule peak", peak)?;
        let gamma = crate::error::check_fraction("schedule gamma", gamma)?;
        Ok(Self { peak, warm_up: 0, shape: Shape::MultiStep { gamma, milestones } })
    }

    /// The same after `steps` steps of linear warm-up.
    #[must_use]
    pub const fn with_warm_up(self, steps: u32) -> Self {
        Self { warm_up: steps, ..self }
    }

    /// The value at `step`.
    #[must_use]
    pub fn at(&self, step: u32) -> R {
        if step < self.warm_up {
            let (done, all) = (u64::from(step) + 1, u64::from(self.warm_up));
            return self.peak * (R::from_count(done) / R::from_count(all));
        }
        let step = step - self.warm_up;
        match self.shape {
            Shape::Constant => self.peak,
            Shape::Cosine { last, total } if step >= total => last,
            Shape::Cosine { last, total } => {
                let share = R::from_count(u64::from(step)) / R::from_count(u64::from(total));
                let angle = R::from_f64(core::f64::consts::PI) * share;
                let value = last + (self.peak - last) * ((R::ONE + angle.cos()) / R::from_f64(2.0));
                // Rounding may end one unit above the peak, never below what is added to.
                R::select(value > self.peak, self.peak, value)
            }
            Shape::MultiStep { gamma, milestones } => {
                let passed = milestones.iter().filter(|&&milestone| milestone <= step).count();
                (0..passed).fold(self.peak, |value, _| value * gamma)
            }
        }
    }
}

/// GSAM's radius, which follows the learning rate.
///
/// ```text
/// rho = rho_min + (rho_max - rho_min) (learning_rate - rate_min) / (rate_max - rate_min)
/// ```
///
/// `rho_max` where both rates are equal. `rho` and `rate` are (min, max); a rate outside is clamped.
/// Source: Zhuang et al. 2022 (arXiv 2203.08065), section 4.
///
/// ```
/// assert_eq!(presam::gsam_rho((0.25f32, 0.75), (0.0, 0.5), 0.25), 0.5);
/// ```
#[must_use]
pub fn gsam_rho<R: Real>(rho: (R, R), rate: (R, R), learning_rate: R) -> R {
    if rate.1 <= rate.0 || learning_rate >= rate.1 {
        return rho.1;
    }
    let above = R::select(learning_rate > rate.0, learning_rate - rate.0, R::ZERO);
    rho.0 + (rho.1 - rho.0) * (above / (rate.1 - rate.0))
}
