//! How results are shown: [`view`] knows the terminal, [`table`] fits a table to it, [`chart`] draws, [`files`] writes
//! what is to stay.

pub mod chart;
pub mod files;
pub mod table;
pub mod view;
