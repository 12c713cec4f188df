//! Every law of the conformance suite over a backend: the core's own, or a command's over a pipe.

mod bits;
mod core;
mod exec;
mod files;
mod measure;
mod names;
mod record;
mod run;
mod settle;
mod subject;
mod text;

pub use core::verify_core;
pub use exec::{Request, replay, verify_command};
pub use files::{REPORT_FILES, SavedCase, save_failing, write_report};
pub use measure::Measure;
pub use names::{parse_rule, parse_rules};
pub use record::Report;
pub use text::text;
