//! The program `presam`: trains with every sharpness-aware method, benchmarks and verifies.
//!
//! It is a library for its own tests and fuzz targets alone; what others build on is in the crates `presam`,
//! `presam-cuda` and `presam-conformance`.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`mod@bench`] | each phase of a step against a copy of as many bytes |
//! | [`check`] | every kernel of a device against the core, bit by bit |
//! | [`command`] | the command line |
//! | [`config`] | what a training run is told, checked in one place |
//! | [`data`] | labelled images: the embedded digits, IDX and CIFAR-10 files |
//! | [`error`] | what can stop the program, in one line |
//! | [`init`] | adapters to begin with |
//! | `machine` | the machine and the moment, for the record |
//! | [`methods`] | the list of methods the program knows |
//! | `progress` | what a long computation tells while it runs |
//! | [`report`] | records of a comparison, its tables, pictures and files |
//! | `sharpness` | largest Hessian eigenvalue and SAM sharpness of any loss given as a closure |
//! | [`show`] | the form of every table, picture and file |
//! | `stats` | mean, standard error, paired difference with its 95 % Student-t interval |
//! | `suite` | every law over the core, or over a command |
//! | `tilde` | a `~` that no shell has replaced |
//! | [`train`] | the main job: every method with every seed on the same data |
//! | `vectors` | test vectors made by the oracle |

#![deny(clippy::print_stderr)] // in several writes: `say::aside` takes one

pub mod bench;
pub mod check;
pub mod command;
pub mod config;
pub mod data;
pub mod error;
pub mod init;
#[cfg(test)]
mod limited;
mod machine;
pub mod methods;
mod progress;
pub mod report;
mod sharpness;
pub mod show;
mod stats;
mod suite;
mod tilde;
pub mod train;
mod vectors;
