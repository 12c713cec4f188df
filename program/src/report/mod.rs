//! The record of a comparison and everything made from it: summary, table, sentences, pictures, files.
//!
//! Fractions are 0 to 1 in records and files, percent on screen and in pictures only. Column names of the
//! CSV files are the keys of the JSON.

mod digest;
mod finite;
mod health;
mod measure;
mod page;
mod picture;
mod read;
mod records;
mod rows;
mod sentences;
mod speed;
mod study;
mod summary;
mod table;
mod tuning;
mod write;

pub use digest::digest;
pub(crate) use digest::hex;
pub use measure::Measure;
pub use read::read_results;
pub use records::{
    DataRecord, Ending, Epoch, LabelNoise, Results, Run, SCHEMA_VERSION, Summary, Trial, Tuned,
};
pub use sentences::sentences;
pub use speed::speed_table;
pub use study::{Study, studies};
pub use summary::summarise;
pub use table::{headline, table};
pub use tuning::tuning_table;
pub use write::{FILES, REPORT_FILES, write_report, write_results};

#[cfg(test)]
mod sample;
