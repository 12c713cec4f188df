//! Radii as they are written.

use serde::Deserialize;
use std::collections::BTreeMap;

/// Radii: one for all methods, some for single ones, or both.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(from = "RhoText")]
pub struct RhoOption {
    /// For every method that has one.
    pub all: Option<f64>,
    /// By method; stronger than `all`.
    pub each: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RhoText {
    All(f64),
    Each(BTreeMap<String, f64>),
}

impl From<RhoText> for RhoOption {
    fn from(text: RhoText) -> Self {
        match text {
            RhoText::All(rho) => Self { all: Some(rho), each: BTreeMap::new() },
            RhoText::Each(each) => Self { all: None, each },
        }
    }
}
