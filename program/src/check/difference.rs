//! [`Difference`]: where a device and the core first disagree.

use std::fmt;

use serde::Serialize;

/// Two numbers that should be the same bits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// What was run: kernel and case.
    pub case: String,
    /// Which number.
    pub place: String,
    /// The core's, in decimal and bits.
    pub expected: String,
    /// The device's.
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { case, place, expected, found } = self;
        write!(f, "{case}: {place}: expected {expected}, found {found}")
    }
}

/// A number as a person and a machine read it.
fn told(value: f32) -> String {
    format!("{value:e} ({:#010x})", value.to_bits())
}

/// The first element in which the planes differ; two NaNs are the same.
pub(super) fn floats(
    case: impl Fn() -> String,
    place: &str,
    expected: &[f32],
    found: &[f32],
) -> Option<Difference> {
    if expected.len() != found.len() {
        return text(case, place, &expected.len(), &found.len());
    }
    let same = |a: f32, b: f32| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
    let index = expected.iter().zip(found).position(|(&a, &b)| !same(a, b))?;
    Some(Difference {
        case: case(),
        place: format!("{place}[{index}]"),
        expected: told(expected[index]),
        found: told(found[index]),
    })
}

/// Two values that differ, in their own words.
pub(super) fn text<T: fmt::Debug + PartialEq>(
    case: impl Fn() -> String,
    place: &str,
    expected: &T,
    found: &T,
) -> Option<Difference> {
    let told = |value: &T| format!("{value:?}");
    (told(expected) != told(found)).then(|| Difference {
        case: case(),
        place: place.to_owned(),
        expected: told(expected),
        found: told(found),
    })
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
            "a case: w[1]: expected 1e0 (0x3f800000), found 1.0000001e0 (0x3f800001)"
        );
        assert!(floats(case, "w", &[0.0], &[-0.0]).is_some());
        assert!(floats(case, "w", &[0.0], &[]).is_some());
    }
}
