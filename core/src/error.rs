//! [`Error`]: what a caller can do wrong. Numbers that go wrong are an [`Outcome`](crate::Outcome) instead.

use core::fmt;

use crate::real::Real;

/// A call that was refused before anything was written.
///
/// Every slice is as it was before the call. What the *numbers* do (a zero or non-finite norm) is
/// never an error, but an [`Outcome`](crate::Outcome): a training loop goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// A slice has another length than the parameters of its segment.
    Length {
        /// Which slice, by its name in the signature.
        slice: &'static str,
        /// The length of the segment.
        expected: usize,
        /// The length that was handed in.
        found: usize,
    },
    /// A hyperparameter is outside its range (or NaN).
    Hyperparameter {
        /// Its name.
        name: &'static str,
        /// The range, in words.
        expected: &'static str,
        /// The value that was handed in.
        found: f64,
    },
    /// The rule has no hyperparameter of that name.
    UnknownKey {
        /// The rule's name.
        rule: &'static str,
        /// The names it has, separated by commas.
        expected: &'static str,
    },
    /// No rule of that kind has that name.
    UnknownName {
        /// What was looked for: a variant or a base optimizer.
        kind: &'static str,
        /// The names there are.
        expected: &'static [&'static str],
    },
    /// Another number of planes than the rule has.
    Planes {
        /// Which: memory, inputs or state.
        planes: &'static str,
        /// How many the rule has.
        expected: usize,
        /// How many were handed in.
        found: usize,
    },
    /// A visit of a model showed other segments than the first visit of its step, or in another order.
    Visit {
        /// The first place, counted from 0, at which the visits differ.
        segment: usize,
    },
    /// Segments are still at the perturbed point: their backups hold the parameters.
    StillPerturbed {
        /// The first of them, counted from 0 over the perturbed segments in the order of the visits.
        first: usize,
        /// How many.
        count: usize,
    },
    /// A partial norm was merged that does not start where this one ends.
    NotAdjacent {
        /// The chunk at which the next part must start.
        expected: u64,
        /// The chunk at which it starts.
        found: u64,
    },
    /// The total was asked of a partial norm that does not start at chunk 0.
    NotFromZero {
        /// The chunk at which it starts.
        found: u64,
    },
    /// More chunks than a partial norm can hold (2^24 from an arbitrary start, 2^48 from zero).
    TooManyChunks,
    /// A segment names a group that was not declared.
    UnknownGroup {
        /// How many groups there are.
        expected: usize,
        /// The index that the segment gave.
        found: usize,
    },
    /// More elements than a fixed-capacity optimizer holds.
    Capacity {
        /// Its capacity.
        expected: usize,
        /// The elements that were handed in.
        found: usize,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Length { slice, expected, found } => {
                write!(f, "{slice}: expected {expected} elements, found {found}")
            }
            Self::Hyperparameter { name, expected, found } => {
                write!(f, "{name}: expected {expected}, found {found}")
            }
            Self::UnknownKey { rule, expected } => {
                write!(f, "{rule} has no such key; expected one of: {expected}")
            }
            Self::UnknownName { kind, expected } => {
                write!(f, "no {kind} has that name; expected one of: ")?;
                expected.iter().enumerate().try_for_each(|(index, name)| {
                    f.write_str(if index == 0 { "" } else { ", " })?;
                    f.write_str(name)
                })
            }
            Self::Planes { planes, expected, found } => {
                write!(f, "{planes}: expected {expected} planes, found {found}")
            }
            Self::Visit { segment } => {
                write!(f, "visit: expected segment {segment} of the step's first visit, with its group, length and mark, found another, or none")
            }
            Self::StillPerturbed { first, count } => {
                write!(f, "restore: expected no perturbed segment, found {count}, the first is perturbed segment {first}")
            }
            Self::NotAdjacent { expected, found } => {
                write!(f, "partial norm: expected a part that starts at chunk {expected}, found one that starts at chunk {found}")
            }
            Self::NotFromZero { found } => {
                write!(f, "total norm: expected a partial norm from chunk 0, found one from chunk {found}")
            }
            Self::TooManyChunks => {
                f.write_str("partial norm: expected at most 2^24 chunks from an arbitrary start (2^48 from chunk 0), found more")
            }
            Self::UnknownGroup { expected, found } => {
                write!(f, "group: expected an index below {expected}, found {found}")
            }
            Self::Capacity { expected, found } => {
                write!(f, "capacity: expected at most {expected} elements, found {found}")
            }
        }
    }
}

impl core::error::Error for Error {}

/// `Ok` where `found` equals `expected`.
#[inline]
pub(crate) fn check_length(
    slice: &'static str,
    expected: usize,
    found: usize,
) -> Result<(), Error> {
    if expected == found { Ok(()) } else { Err(Error::Length { slice, expected, found }) }
}

/// `Ok(value)` where `valid`; a NaN fails every comparison, so it is refused like any other value out of range.
#[inline]
pub(crate) fn check<R: Real>(
    name: &'static str,
    expected: &'static str,
    value: R,
    valid: bool,
) -> Result<R, Error> {
    if valid {
        Ok(value)
    } else {
        Err(Error::Hyperparameter { name, expected, found: value.to_f64() })
    }
}

/// A finite number that is not negative.
#[inline]
pub(crate) fn check_nonnegative<R: Real>(name: &'static str, value: R) -> Result<R, Error> {
    check(name, "a finite number >= 0", value, value >= R::ZERO && value.is_finite())
}

/// A number in [0, 1].
#[inline]
pub(crate) fn check_fraction<R: Real>(name: &'static str, value: R) -> Result<R, Error> {
    check(name, "a number from 0 to 1", value, value >= R::ZERO && value <= R::ONE)
}

/// A number in [0, 1): the decay of an average that must not be frozen.
#[inline]
pub(crate) fn check_decay<R: Real>(name: &'static str, value: R) -> Result<R, Error> {
    check(name, "a number from 0 to below 1", value, value >= R::ZERO && value < R::ONE)
}

/// A number in [0, 2^31): rho and the norm guard. The bound keeps rho / (norm + guard) finite in `f32`.
#[inline]
pub(crate) fn check_radius<R: Real>(name: &'static str, value: R) -> Result<R, Error> {
    let limit = R::from_f64(2_147_483_648.0);
    check(name, "a number >= 0 and below 2^31", value, value >= R::ZERO && value < limit)
}
