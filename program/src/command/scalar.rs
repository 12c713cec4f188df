//! A scalar type as a flag's value.

use clap::ValueEnum;

/// A scalar type.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ScalarType {
    F32,
    F64,
}

impl ScalarType {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
        }
    }
}
