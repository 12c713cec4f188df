//! What can be wrong with the arguments.

use core::fmt;

/// Why a call was refused. Nothing was written: every slice is as it was.
///
/// ```
/// use presam_model::{Error, Mlp};
///
/// let mlp = Mlp::new(&[2, 2])?;
/// let mut scratch = [0.0; 99];
/// let refused = mlp.forward(&[0.0_f32; 5], &[0.0; 2], 1, &mut scratch);
/// assert_eq!(refused, Err(Error::Length { what: "params", expected: 6, found: 5 }));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// A slice whose length must be exactly another one.
    Length {
        /// Name of the argument.
        what: &'static str,
        /// The length it must have.
        expected: usize,
        /// The length it has.
        found: usize,
    },
    /// Less scratch than [`Mlp::scratch_len`](crate::Mlp::scratch_len) asks for; more is welcome.
    Scratch {
        /// The least length.
        expected: usize,
        /// The length it has.
        found: usize,
    },
    /// A label that names no class.
    Label {
        /// Position in the slice of labels.
        index: usize,
        /// Number of classes: labels are `0..classes`.
        classes: usize,
        /// The label.
        found: usize,
    },
    /// A batch of no example has no mean.
    EmptyBatch,
    /// Fewer widths than an input and an output layer need.
    FewWidths {
        /// Number of widths given.
        found: usize,
    },
    /// A layer without units.
    ZeroWidth {
        /// Position in the slice of widths.
        index: usize,
    },
    /// The parameters of these widths cannot be counted in a `usize`.
    TooLarge,
    /// A number of classes that labels of this type cannot name.
    Classes {
        /// The largest number of classes.
        most: usize,
        /// The number given.
        found: usize,
    },
    /// A probability outside `0..=1`, or a NaN.
    Probability {
        /// The number given.
        found: f64,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Length { what, expected, found } => {
                write!(out, "{what}: expected length {expected}, found {found}")
            }
            Self::Scratch { expected, found } => {
                write!(out, "scratch: expected length {expected} or more, found {found}")
            }
            Self::Label { index, classes, found } => {
                write!(out, "labels[{index}]: expected a class below {classes}, found {found}")
            }
            Self::EmptyBatch => write!(out, "batch: expected 1 or more, found 0"),
            Self::FewWidths { found } => {
                write!(out, "widths: expected 2 or more (inputs, .., classes), found {found}")
            }
            Self::ZeroWidth { index } => {
                write!(out, "widths[{index}]: expected 1 or more, found 0")
            }
            Self::TooLarge => {
                write!(out, "widths: expected a parameter count within usize, found a larger one")
            }
            Self::Classes { most, found } => {
                write!(out, "classes: expected 1 to {most}, found {found}")
            }
            Self::Probability { found } => {
                write!(out, "probability: expected 0 to 1, found {found}")
            }
        }
    }
}

impl core::error::Error for Error {}

/// `Ok` where a slice has the length it must have.
pub(crate) fn check_length(what: &'static str, expected: usize, found: usize) -> Result<(), Error> {
    if found == expected { Ok(()) } else { Err(Error::Length { what, expected, found }) }
}

/// `Ok` where every label names a class.
pub(crate) fn check_labels<L: Copy + Into<usize>>(
    labels: &[L],
    classes: usize,
) -> Result<(), Error> {
    for (index, &label) in labels.iter().enumerate() {
        let found = label.into();
        if found >= classes {
            return Err(Error::Label { index, classes, found });
        }
    }
    Ok(())
}
