//! [`LengthRule`]: how long the perturbation is. [`finish`]: from sums to an outcome and a scale.

use crate::element::{RuleState, Variant};
use crate::error::{Error, check_fraction, check_radius};
use crate::norm::{Part, PartialNorm, ScaledNorm};
use crate::outcome::Outcome;
use crate::real::Real;

/// How the norm N of a step becomes the scale of its perturbation.
///
/// ```text
/// normalised    rho / (N + k)                      SAM and nearly all variants
/// unnormalised  rho                                USAM
/// mixed         rho * ((1-lambda) + lambda/(N+k))  unified SAM; lambda 0 is USAM, 1 is SAM
/// ```
///
/// The norm guard k is in the gradient's unit. Its default is 0, since a zero norm is an
/// [`Outcome`] here and not a division; papers' values (1e-12, 1e-7) are options.
/// Source: dimitris-oik/unifiedsam; Andriushchenko and Flammarion 2022 for USAM.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct LengthRule<R> {
    lambda: R,
    norm_guard: R,
}

impl<R: Real> LengthRule<R> {
    /// rho / N
    pub const NORMALISED: Self = Self { lambda: R::ONE, norm_guard: R::ZERO };
    /// rho
    pub const UNNORMALISED: Self = Self { lambda: R::ZERO, norm_guard: R::ZERO };

    /// rho / (N + norm_guard)
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless 0 <= `norm_guard` < 2^31.
    pub fn normalised(norm_guard: R) -> Result<Self, Error> {
        Self::mixed(R::ONE, norm_guard)
    }

    /// rho * ((1 - lambda) + lambda / (N + norm_guard))
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless 0 <= `lambda` <= 1 and 0 <= `norm_guard` < 2^31.
    pub fn mixed(lambda: R, norm_guard: R) -> Result<Self, Error> {
        Ok(Self {
            lambda: check_fraction("lambda", lambda)?,
            norm_guard: check_radius("norm_guard", norm_guard)?,
        })
    }

    /// The weight of the normalised form.
    #[must_use]
    pub const fn lambda(&self) -> R {
        self.lambda
    }

    /// k
    #[must_use]
    pub const fn norm_guard(&self) -> R {
        self.norm_guard
    }
}

impl<R: Real> Default for LengthRule<R> {
    fn default() -> Self {
        Self::NORMALISED
    }
}

/// What [`ascend`](crate::Cpu::ascend) multiplies by: perturbation = (direction * prescale) * scale.
///
/// `scale == 0` is a copy, never arithmetic. `remember == false` (a [`Outcome::NonFinite`] step) is a
/// copy whatever the scale, and leaves the memory alone.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct Scale<R> {
    /// A power of two that brings the direction into range; 1 in class 0.
    pub prescale: R,
    /// The factor after it.
    pub scale: R,
    /// Whether memory is stored.
    pub remember: bool,
}

/// The norm of a step and what became of it; gives each group its [`Scale`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ascent<R> {
    /// What the numbers did.
    pub outcome: Outcome,
    /// || D C s ||
    pub norm: ScaledNorm<R>,
}

impl<R: Real> Ascent<R> {
    /// The scale for radius `rho`.
    ///
    /// With u the norm's unit and N' its root, in the written order:
    ///
    /// ```text
    /// normalised     prescale 1/u  scale rho / (N' + k/u)
    /// unnormalised   prescale 1    scale rho
    /// mixed, u <= 1  prescale 1/u  scale rho * ((1-lambda)*u + lambda / (N' + k/u))
    /// mixed, u > 1   prescale 1    scale rho * ((1-lambda) + lambda / (N'*u + k))
    /// ```
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless 0 <= `rho` < 2^31.
    #[inline]
    pub fn scale(&self, rho: R, length: LengthRule<R>) -> Result<Scale<R>, Error> {
        let rho = check_radius("rho", rho)?;
        let (lambda, guard, root) = (length.lambda, length.norm_guard, self.norm.root);
        let (unit, inverse) = (self.norm.unit(), self.norm.inverse_unit());
        let remember = self.outcome != Outcome::NonFinite;
        let (prescale, scale) = if self.outcome != Outcome::Finite {
            (R::ONE, R::ZERO)
        } else if lambda == R::ONE {
            (inverse, rho / (root + guard * inverse))
        } else if lambda == R::ZERO {
            (R::ONE, rho)
        } else if unit <= R::ONE {
            let mixed = (R::ONE - lambda) * unit + lambda / (root + guard * inverse);
            (inverse, rho * mixed)
        } else {
            (R::ONE, rho * ((R::ONE - lambda) + lambda / (root * unit + guard)))
        };
        Ok(Scale { prescale, scale, remember })
    }
}

/// Ends the norm pass, once a step: from the sums over all counted segments to the norm and its
/// outcome; advances `state` unless the outcome is [`Outcome::NonFinite`].
///
/// Arm the rule *before*: the step's rule belongs to the state before it.
///
/// # Errors
/// [`Error::NotFromZero`] where `sums` is a later part and not the whole; `state` is unchanged.
#[inline]
pub fn finish<R: Real, V, const M: usize, const I: usize>(
    variant: V,
    sums: &PartialNorm<R>,
    state: &mut RuleState<R>,
) -> Result<Ascent<R>, Error>
where
    V: Variant<R, M, I>,
{
    Ok(finish_total(variant, sums.total()?, sums.counted(), state))
}

/// As [`finish`], from the root of the tree and the number of counted elements: for drivers that fold
/// the tree themselves.
#[inline]
pub fn finish_total<R: Real, V, const M: usize, const I: usize>(
    variant: V,
    total: Part<R>,
    counted: u64,
    state: &mut RuleState<R>,
) -> Ascent<R>
where
    V: Variant<R, M, I>,
{
    let norm = ScaledNorm::of(total);
    let finite = total.sum.is_finite() && total.statistic.is_finite();
    let outcome = if !finite {
        Outcome::NonFinite
    } else if total.sum == R::ZERO || variant.is_degenerate(norm, total.statistic) {
        Outcome::ZeroNorm
    } else {
        Outcome::Finite
    };
    if outcome != Outcome::NonFinite {
        let counted = R::from_count(counted.max(1));
        *state = variant.advance(state, total.statistic / counted);
    }
    Ascent { outcome, norm }
}
