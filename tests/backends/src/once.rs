//! Steps over cases, compiled in this crate (tests/conformance/src/once.rs).

use crate::phases::Phases;
use crate::planted::{Fault, faults};
use crate::session::Sessions;
use presam_conformance::{Scalar, compiled_here};

/// What both need of a number.
trait Number: presam::AnyReal + Scalar {}
impl<R: presam::AnyReal + Scalar> Number for R {}

compiled_here! { <R: Number>
    Phases::step_with::<R>, Sessions::step_with::<R>, faults::<R>, Fault::<R>::spoils,
}
