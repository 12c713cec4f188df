//! Anybody's step in any language: a command of which the conformance suite asks steps over its
//! standard input and output, one JSON object a line (`docs/pipe.md` has the protocol).
//!
//! [`Talk`] is the command with what its `hello` said; [`Piped`] is that as a `Backend` of the suite.
//! Whatever the command does, it is one [`PipeError`] and not a wait: a limit of time and of length
//! stands on every line, and the command and its children are ended when the talk is.

mod answer;
mod backend;
mod capped;
mod child;
mod error;
mod hello;
mod lines;
mod number;
mod request;
mod saved;
mod talk;

pub use answer::{Reply, ReplySegment, parse_answer};
pub use backend::{Piped, Yardstick};
pub use error::PipeError;
pub use hello::{Hello, Operation, parse_hello};
pub use number::Form;
pub use request::{Asked, request_line};
pub use saved::{case_value, read_case};
pub use talk::{Talk, Timeouts};

/// The version of the protocol.
pub const PROTOCOL: &str = "presam-verify/1";
