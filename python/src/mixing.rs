//! [`Descent`]: what becomes of both gradients, from Python's name and number.

use presam::{AnyReal, Gsam, LookSam, Saner, Wsam};
use presam_bridge::Fault;

/// What becomes of the second gradient.
#[derive(Clone, Copy)]
pub(crate) enum Descent<R> {
    /// It is descended along.
    Plain,
    Gsam(Gsam<R>),
    /// One mixed gradient.
    Wsam(Wsam<R>),
    /// The base optimizer steps along the first gradient, then the parameters are corrected.
    Decoupled(Wsam<R>),
    Saner(Saner<R>),
    LookSam(LookSam<R>),
}

impl<R: AnyReal> Descent<R> {
    pub fn by_name(name: &str, value: f64) -> Result<Self, Fault> {
        let value = R::from_f64(value);
        Ok(match name {
            "plain" => Self::Plain,
            "gsam" => Self::Gsam(Gsam::new(value)?),
            "wsam" => Self::Wsam(Wsam::new(value)?),
            "wsam-decoupled" => Self::Decoupled(Wsam::new(value)?),
            "saner" => Self::Saner(Saner::new(value)?),
            "look-sam" => Self::LookSam(LookSam::new(value)?),
            _ => {
                let expected = "plain, gsam, wsam, wsam-decoupled, saner or look-sam";
                return Err(Fault::new(format!("descent: expected {expected}, found {name}")));
            }
        })
    }

    /// Whether a descent goes along the first gradient, this one or a later one: the second, which is judged, says
    /// nothing of it.
    pub const fn takes_first(&self) -> bool {
        matches!(self, Self::Decoupled(_) | Self::LookSam(_))
    }
}
