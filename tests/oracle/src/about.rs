//! What the list says of a rule besides its formula, and the values worth trying of its settings.

/// A second sum that a rule takes over the counted elements, beside its norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    /// None.
    None,
    /// Square root of the sum of squares.
    Norm,
    /// Sum divided by the number of elements.
    Mean,
}

/// What a plane of inputs holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// 0 or 1.
    Mask,
    /// C: any number; a positive multiple of 1 makes the rule SAM.
    Objective,
    /// D: above 0; 1 makes the rule SAM.
    Constraint,
}

/// What holds of a rule. A rule that claims nothing is judged by its formula and by the laws of every step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// || perturbation || = rho: C alone, or a slope of its own.
    LengthIsRho,
    /// || perturbation || <= rho.
    LengthAtMostRho,
    /// || D^-1 perturbation || = rho, D being [`Terms::constraint`](crate::Terms::constraint).
    ConstrainedLengthIsRho,
    /// g -> c g, all history scaled too, leaves the perturbation.
    ScaleInvariant,
    /// The same where the squares of c g overflow or vanish: no gradient is squared outside the norm.
    AnyRange,
    /// No parameter moves against its gradient.
    Ascends,
    /// The first step of a rule with memory is SAM's.
    FirstStepIsSam,
}

/// Of an offset or a weight of squares.
pub(super) const OFFSETS: &[f64] = &[0.0, 1.0, 0.01, 0.2];
/// Of the weight of an average's old value.
pub(super) const DECAYS: &[f64] = &[0.5, 0.0, 0.1, 0.6, 0.9, 0.99];
/// Of a share.
pub(super) const SHARES: &[f64] = &[1.0, 0.0, 0.5];
/// Of a damping by itself.
pub(super) const ABSOLUTE: &[f64] = &[0.0, 0.25];
/// Of a damping as a multiple of a mean; both 0 is a case of its own.
pub(super) const RELATIVE: &[f64] = &[1.0, 0.1, 0.0, 2.0];
