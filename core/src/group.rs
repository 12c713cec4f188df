//! [`Group`]: what parameters of one kind have in common.

use crate::error::{Error, check_nonnegative, check_radius};
use crate::real::Real;

/// The options of a group of segments: its own radius and weight decay, and its part in the ascent.
///
/// ```
/// use presam::Group;
///
/// let weights = Group::new(0.05f32)?.with_weight_decay(5e-4)?;
/// let biases = Group::new(0.05f32)?.without_operator(); // ASAM as its authors run it
/// let plain_layers = Group::new(0.0f32)?.not_perturbed(); // the base optimizer alone
/// # Ok::<(), presam::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(C)]
pub struct Group<R> {
    rho: R,
    weight_decay: Option<R>,
    counts_in_norm: bool,
    is_perturbed: bool,
    operator: bool,
}

impl<R: Real> Group<R> {
    /// A group that is counted and perturbed with radius `rho`, the operator on, the base
    /// optimizer's own weight decay.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless 0 <= `rho` < 2^31.
    pub fn new(rho: R) -> Result<Self, Error> {
        Ok(Self {
            rho: check_radius("rho", rho)?,
            weight_decay: None,
            counts_in_norm: true,
            is_perturbed: true,
            operator: true,
        })
    }

    /// The same with another radius: what a schedule sets.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless 0 <= `rho` < 2^31.
    pub fn with_rho(self, rho: R) -> Result<Self, Error> {
        Ok(Self { rho: check_radius("rho", rho)?, ..self })
    }

    /// The same with a weight decay of its own, in place of the base optimizer's.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless it is finite and >= 0.
    pub fn with_weight_decay(self, weight_decay: R) -> Result<Self, Error> {
        Ok(Self { weight_decay: Some(check_nonnegative("weight_decay", weight_decay)?), ..self })
    }

    /// Perturbed, but left out of the norm.
    #[must_use]
    pub const fn not_counted(self) -> Self {
        Self { counts_in_norm: false, ..self }
    }

    /// Counted in the norm, but not perturbed.
    #[must_use]
    pub const fn counted_only(self) -> Self {
        Self { is_perturbed: false, ..self }
    }

    /// Neither counted nor perturbed: SAM-ON's other layers. The base optimizer still moves it.
    #[must_use]
    pub const fn not_perturbed(self) -> Self {
        Self { counts_in_norm: false, is_perturbed: false, ..self }
    }

    /// ASAM's operator does not apply (biases, norm layers): t = 1.
    #[must_use]
    pub const fn without_operator(self) -> Self {
        Self { operator: false, ..self }
    }

    /// The radius.
    pub const fn rho(&self) -> R {
        self.rho
    }

    /// Its own weight decay, or `None` for the base optimizer's.
    pub const fn weight_decay(&self) -> Option<R> {
        self.weight_decay
    }

    /// Whether its segments count in the norm.
    pub const fn counts_in_norm(&self) -> bool {
        self.counts_in_norm
    }

    /// Whether its segments are perturbed.
    pub const fn is_perturbed(&self) -> bool {
        self.is_perturbed
    }

    /// Whether ASAM's operator applies.
    pub const fn operator(&self) -> bool {
        self.operator
    }
}
