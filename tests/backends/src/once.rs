//! Steps over cases, compiled in this crate (tests/conformance/src/once.rs).

use crate::phases::Phases;
use crate::planted::{Fault, faults};
use crate::session::Sessions;
use presam_conformance::{Scalar, compiled_here};

compiled_here! { [R: presam::AnyReal + Scalar]
    Phases::step_with::<R>, Sessions::step_with::<R>, faults::<R>, Fault::<R>::spoils,
}
