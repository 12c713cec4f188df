//! Requests and answers, compiled in this crate (tests/conformance/src/once.rs).

use crate::answer::parse_answer;
use crate::backend::Piped;
use crate::request::request_line;
use crate::saved::{case_value, read_case};
use presam_conformance::{Backend, Scalar, compiled_here};

/// What both need of a number.
trait Number: presam::AnyReal + Scalar {}
impl<R: presam::AnyReal + Scalar> Number for R {}

compiled_here! { <R: Number>
    request_line::<R>, parse_answer::<R>, case_value::<R>, read_case::<R>, <Piped<'_, R> as Backend<R>>::step,
}
