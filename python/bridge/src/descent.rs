//! [`Descent`]: what becomes of both gradients, from Python's name and number.

use presam::{AnyReal, Gsam, LookSam, Saner, Wsam};

use crate::fault::Fault;

/// What becomes of the second gradient.
#[derive(Clone, Copy)]
pub enum Descent<R> {
    /// It is descended along.
    Plain,
    /// Without the part of the first that is orthogonal to it.
    Gsam(Gsam<R>),
    /// One mixed gradient.
    Wsam(Wsam<R>),
    /// The base optimizer steps along the first gradient, then the parameters are corrected.
    Decoupled(Wsam<R>),
    /// With smaller components where the perturbation made them smaller.
    Saner(Saner<R>),
    /// The part that is orthogonal to the first is kept for the steps between.
    LookSam(LookSam<R>),
}

impl<R: AnyReal> Descent<R> {
    /// By its name in Python and its weight.
    ///
    /// # Errors
    /// For a name that there is not, and a weight out of range.
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
    #[must_use]
    pub const fn takes_first(&self) -> bool {
        matches!(self, Self::Decoupled(_) | Self::LookSam(_))
    }
}
