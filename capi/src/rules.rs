//! Tags of rules: numbers that stay, and the names that the core knows the rules by.

use core::ffi::CStr;

/// A variant of SAM. The numbers are for ever; 0 is none.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// `sam`
    Sam = 1,
    /// `asam`
    Asam = 2,
    /// `fisher-sam`
    FisherSam = 3,
    /// `info-sam-draft`
    InfoSamDraft = 4,
    /// `info-sam`
    InfoSam = 5,
    /// `info-asam`
    InfoAsam = 6,
    /// `vasso`
    Vasso = 7,
    /// `friendly-sam`
    FriendlySam = 8,
    /// `ssam`
    Ssam = 9,
    /// `masked-sam`
    MaskedSam = 10,
    /// `momentum-sam`: one gradient a step, taken at the perturbed point; `grads` is read in the descent alone
    MomentumSam = 11,
    /// `objective-preconditioner`
    ObjectivePreconditioner = 12,
    /// `constraint-preconditioner`
    ConstraintPreconditioner = 13,
    /// `pre-sam`
    PreSam = 14,
    /// `friendly-asam`
    FriendlyAsam = 15,
    /// `raw-asam`
    RawAsam = 16,
}

/// A base optimizer. The numbers are for ever; 0 is none.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// `sgd`
    Sgd = 1,
    /// `sgd-momentum`
    SgdMomentum = 2,
    /// `adamw`
    Adamw = 3,
}

/// Every variant's name, at the place of its tag less 1. A new variant comes last.
pub(crate) const VARIANTS: &[&CStr] = &[
    c"sam",
    c"asam",
    c"fisher-sam",
    c"info-sam-draft",
    c"info-sam",
    c"info-asam",
    c"vasso",
    c"friendly-sam",
    c"ssam",
    c"masked-sam",
    c"momentum-sam",
    c"objective-preconditioner",
    c"constraint-preconditioner",
    c"pre-sam",
    c"friendly-asam",
    c"raw-asam",
];

/// Every base optimizer's name, likewise.
pub(crate) const BASES: &[&CStr] = &[c"sgd", c"sgd-momentum", c"adamw"];

/// The name of a tag in one of the lists above.
pub(crate) fn name(list: &'static [&'static CStr], tag: u32) -> Option<&'static CStr> {
    let place = usize::try_from(tag).ok()?.checked_sub(1)?;
    list.get(place).copied()
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::string::String;
    use std::vec::Vec;

    fn names(list: &[&CStr]) -> Vec<String> {
        let mut names: Vec<String> =
            list.iter().map(|name| name.to_str().unwrap().into()).collect();
        names.sort();
        names
    }

    #[test]
    fn every_rule_of_the_core_has_a_tag() {
        let sorted = |mut names: Vec<&'static str>| {
            names.sort_unstable();
            names
        };
        let variants = presam::variants::ALL.iter().map(|info| info.name).collect();
        assert_eq!(names(VARIANTS), sorted(variants));
        let bases = presam::base::ALL.iter().map(|info| info.name).collect();
        assert_eq!(names(BASES), sorted(bases));
    }

    #[test]
    fn tags_are_the_places_in_the_lists() {
        assert_eq!(name(VARIANTS, Variant::Sam as u32), Some(c"sam"));
        assert_eq!(name(VARIANTS, Variant::InfoAsam as u32), Some(c"info-asam"));
        assert_eq!(name(VARIANTS, Variant::MomentumSam as u32), Some(c"momentum-sam"));
        assert_eq!(name(VARIANTS, Variant::RawAsam as u32), Some(c"raw-asam"));
        assert_eq!(name(BASES, Base::Adamw as u32), Some(c"adamw"));
        let beyond = VARIANTS.len() as u32 + 1;
        assert_eq!([0, beyond, u32::MAX].map(|tag| name(VARIANTS, tag)), [None; 3]);
    }
}
