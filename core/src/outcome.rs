//! [`Outcome`]: what the numbers did.

/// What became of an ascent (or of a gradient that was measured). A value, never an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum Outcome {
    /// The norm is finite and not zero: parameters are perturbed (where rho is not zero).
    Finite = 0,
    /// The norm is zero (or, for Friendly SAM, rounding noise): nothing is perturbed, memory is
    /// stored, the second gradient is taken at w and the descent is the base optimizer's.
    ZeroNorm = 1,
    /// The norm or the statistic is infinite or NaN: nothing is changed, memory and counters included,
    /// and there is no descent. Of a second gradient: no descent, params, state and its counters
    /// unchanged; the memory keeps the first gradient, which was finite.
    NonFinite = 2,
}
