//! How long the perturbation is.

use crate::number::Number;

/// scale in perturbation = scale * direction, from the norm N and the radius rho.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LengthRule {
    /// rho / (N + k).
    Normalised {
        /// k.
        norm_guard: f64,
    },
    /// rho.
    Unnormalised,
    /// rho * ((1 - l) + l / (N + k)).
    Mixed {
        /// l: 1 is normalised, 0 unnormalised.
        lambda: f64,
        /// k.
        norm_guard: f64,
    },
}

impl LengthRule {
    /// rho / N.
    pub const NORMALISED: Self = Self::Normalised { norm_guard: 0.0 };

    /// scale * direction, the direction divided by the norm before rho comes in: 1 / N alone could overflow.
    #[must_use]
    pub fn perturbation(self, direction: Number, norm: Number, rho: f64) -> Number {
        match self {
            Self::Normalised { norm_guard } => rho * (direction / (norm + norm_guard)),
            Self::Unnormalised => rho * direction,
            Self::Mixed { lambda, norm_guard } => {
                let lambda = Number::exact(lambda);
                rho * ((1.0 - lambda) * direction + lambda * (direction / (norm + norm_guard)))
            }
        }
    }

    /// The scale itself: the perturbation along a direction of 1.
    #[must_use]
    pub fn scale(self, norm: Number, rho: f64) -> Number {
        self.perturbation(Number::ONE, norm, rho)
    }
}
