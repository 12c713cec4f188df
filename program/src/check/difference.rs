//! [`Difference`]: where a device and the core disagree.

use std::fmt;

use presam_conformance::Mismatch;
use presam_conformance::compare::same_bits;
use serde::Serialize;

/// Two numbers that should be the same bits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// What was run.
    pub case: String,
    /// Which number.
    pub place: String,
    /// The core's, in decimal and bits.
    pub expected: String,
    /// The device's.
    pub found: String,
    /// The kernels that ran.
    pub kernels: Vec<&'static str>,
    /// The smallest case of a law that differs, printed; empty for the checks beside the laws.
    pub smallest: String,
}

impl Difference {
    /// Of what was run in this case.
    pub(super) fn new(case: String, mismatch: Mismatch) -> Self {
        let Mismatch { place, expected, found } = mismatch;
        Self { case, place, expected, found, kernels: Vec::new(), smallest: String::new() }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { case, place, expected, found, .. } = self;
        write!(f, "{case}: {place}: expected {expected}, found {found}")
    }
}

/// The first element in which the planes differ; two NaNs are the same.
pub(super) fn floats(
    case: impl Fn() -> String,
    place: &str,
    expected: &[f32],
    found: &[f32],
) -> Option<Difference> {
    let mismatch = same_bits(place, expected, found).err()?;
    Some(Difference::new(case(), mismatch))
}

/// Two values that differ, in their own words.
pub(super) fn same_text<T: fmt::Debug>(
    place: &str,
    expected: &T,
    found: &T,
) -> Result<(), Mismatch> {
    let [expected, found] = [expected, found].map(|value| format!("{value:?}"));
    if expected == found { Ok(()) } else { Err(Mismatch::new(place, expected, found)) }
}

/// The same of a case.
pub(super) fn text<T: fmt::Debug>(
    case: impl Fn() -> String,
    place: &str,
    expected: &T,
    found: &T,
) -> Option<Difference> {
    Some(Difference::new(case(), same_text(place, expected, found).err()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bit_is_a_difference_and_two_nans_are_none() {
        let case = || "a case".to_owned();
        let nan = f32::from_bits(0x7fc0_0001);
        assert_eq!(floats(case, "w", &[1.0, f32::NAN], &[1.0, nan]), None);
        let off = f32::from_bits(1.0_f32.to_bits() + 1);
        let difference = floats(case, "w", &[0.0, 1.0], &[0.0, off]).unwrap();
        assert_eq!(
            difference.to_string(),
            "a case: w[1]: expected 1.0 (0x3f800000), found 1.0000001 (0x3f800001)"
        );
        assert!(floats(case, "w", &[0.0], &[-0.0]).is_some());
        assert!(floats(case, "w", &[0.0], &[]).is_some());
    }
}
