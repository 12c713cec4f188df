//! [`Measure`]: how near an answer must be.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How near an answer must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Measure {
    /// Within the oracle's bound for code that sums in an order of its own.
    #[default]
    Bound,
    /// Within so many units in the last place of the oracle's number.
    Ulps(u32),
    /// In every bit of the core's.
    Bits,
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bound => f.write_str("8 times the oracle's bounds: another order of summation"),
            Self::Ulps(ulps) => write!(f, "{ulps} units in the last place of the oracle's numbers"),
            Self::Bits => f.write_str("the core's bits"),
        }
    }
}
