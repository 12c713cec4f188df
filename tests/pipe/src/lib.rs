//! Anybody's step in any language: a command of which the conformance suite asks steps over its
//! standard input and output, one JSON object a line (docs/pipe.md has the protocol). `presam verify --exec` is a
//! program around this crate; a Rust test that holds a command to the laws is
//!
//! ```no_run
//! use presam_conformance::{Config, check};
//! use presam_pipe::{Operation, Piped, Talk, Timeouts, Yardstick};
//!
//! let mut talk = Talk::open("python3 adapter.py", Timeouts::default())?;
//! let scope = talk.hello.scope(Operation::Step);
//! let mut backend = Piped::<f32>::new(&mut talk, scope, Operation::Step, Yardstick::Oracle);
//! check(&mut backend, Config { cases: 64, seed: 1 })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
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
mod once;
mod request;
mod saved;
pub mod similar;
mod talk;

pub use answer::{Reply, ReplySegment, parse_answer};
pub use backend::{Piped, Yardstick};
pub use error::PipeError;
pub use hello::{Hello, Operation, PROTOCOL, parse_hello};
pub use number::Form;
#[doc(hidden)]
pub use once::both;
pub use request::{Asked, request_line};
pub use saved::{case_value, read_case};
pub use talk::{Talk, Timeouts};
