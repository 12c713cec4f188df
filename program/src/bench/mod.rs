//! `presam bench`: each phase of a step in strict alternation with a copy of as many bytes.
//!
//! ```text
//! fraction of copy = (bytes / median) / (copied bytes / the copy's median)        of one run
//! ```
//!
//! A [`Target`] runs and times programs (the CPU, a GPU: [`open`]); all the rest is shared: which
//! rows there are ([`plan`]), how they alternate ([`measure`]), what is recorded ([`Record`]), shown
//! ([`table`], a picture), written ([`write_files`]) and compared ([`compare`]).

mod bytes;
mod compare;
mod cpu;
mod files;
mod gpu;
mod job;
mod measure;
mod picture;
mod plan;
mod record;
mod request;
mod run;
mod shape;
mod table;
mod target;

#[cfg(test)]
mod fake;

pub use bytes::{Traffic, room};
pub use compare::{Compared, Comparison, Verdict, compare, compared_table};
pub use cpu::CpuTarget;
pub use files::{FILES, write_files};
pub use gpu::open;
pub use job::{ANY_RULE, Base, Cache, Job, Mode, Phase, Row};
pub use measure::measure;
pub use plan::{Plan, plan};
pub use record::{FORM, Header, Measurement, Record};
pub use request::{Asked, DEFAULT_RULES, DEFAULT_SIZES, GPU_SIZES, Request};
pub use run::{Events, Watch, profile, run};
pub use shape::Shape;
pub use table::{headline, table};
pub use target::{Device, Overhead, Programs, Target};
