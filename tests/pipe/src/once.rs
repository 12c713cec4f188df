//! Requests and answers, compiled in this crate (tests/conformance/src/once.rs).

use crate::answer::parse_answer;
use crate::backend::Piped;
use crate::request::request_line;
use crate::saved::{case_value, read_case};
use presam_conformance::{Backend, Scalar, compiled_here};

compiled_here! { [R: presam::AnyReal + Scalar]
    request_line::<R>, parse_answer::<R>, case_value::<R>, read_case::<R>, <Piped<'_, R> as Backend<R>>::step,
}
