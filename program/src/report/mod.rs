//! The record of a comparison and everything made from it: summary, table, sentences, pictures, files.
//!
//! Fractions are 0 to 1 in records and files, percent on screen and in pictures only. Column names of the
//! CSV files are the keys of the JSON.

mod columns;
mod digest;
mod finite;
mod page;
mod picture;
mod records;
mod rows;
mod sentences;
mod speed;
mod summary;
mod table;
mod tuning;
mod write;

pub use digest::digest;
pub use page::report_html;
pub use picture::{PictureError, curves_svg, sharpness_svg};
pub use records::{
    DataRecord, Epoch, LabelNoise, Results, Run, SCHEMA_VERSION, Summary, Trial, Tuned,
};
pub use rows::{history_csv, results_csv};
pub use sentences::sentences;
pub use speed::speed_table;
pub use summary::summarise;
pub use table::{Style, headline, table};
pub use tuning::tuning_table;
pub use write::{FILES, OutputError, check_folder, write_results};

#[cfg(test)]
mod sample;
