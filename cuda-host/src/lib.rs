//! Trains, benchmarks and verifies sharpness-aware minimisation (SAM): the library and the program presam.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`data`] | labelled images: the embedded digits, IDX and CIFAR-10 files |
//! | `bench` | each phase of a step against a copy of as many bytes (feature `cli`) |
//! | [`device`] | the step and the network on a GPU or its emulator, over a trainer's own buffers |
//! | `stats` | mean, standard error, paired difference with its 95 % Student-t interval (feature `cli`) |
//! | [`sharpness`] | largest Hessian eigenvalue and SAM sharpness of any loss given as a closure |
//! | `methods` | the list of methods the program knows (feature `cli`) |
//! | `config` | what a training run is told, checked in one place (feature `cli`) |
//! | `train` | the main job: every method with every seed on the same data (feature `cli`) |
//! | `core_backend` | the core as a backend of the conformance suite (feature `conformance`) |
//! | `pipe` | anybody's step in any language, asked over a pipe (feature `cli`) |
//! | `suite` | every law over the core, or over a command (feature `cli`) |
//! | `init` | adapters to begin with (feature `cli`) |
//! | `vectors` | test vectors made by the oracle (feature `cli`) |
//! | `verify` | every kernel of a device against the core, bit by bit (feature `cli`) |
//! | `report` | records of a comparison, its tables, pictures and files (feature `cli`) |
//!
//! Without its default feature `cli` none of the program's dependencies is built.

/// The features of this crate that were compiled in.
pub const FEATURES: &[&str] = &[
    #[cfg(feature = "cli")]
    "cli",
    #[cfg(feature = "conformance")]
    "conformance",
    #[cfg(feature = "cuda")]
    "cuda",
];

pub mod data;
pub mod device;
pub mod sharpness;

#[cfg(feature = "cli")]
pub mod bench;
#[cfg(feature = "cli")]
pub mod config;
#[cfg(feature = "conformance")]
pub mod core_backend;
#[cfg(feature = "cli")]
pub mod error;
#[cfg(feature = "cli")]
pub mod host;
#[cfg(feature = "cli")]
pub mod init;
#[cfg(feature = "cli")]
pub mod methods;
#[cfg(feature = "cli")]
pub mod pipe;
#[cfg(feature = "conformance")]
mod planes;
#[cfg(feature = "cli")]
pub mod progress;
#[cfg(feature = "cli")]
pub mod report;
#[cfg(feature = "cli")]
pub mod stats;
#[cfg(feature = "cli")]
pub mod suite;
#[cfg(feature = "cli")]
pub mod train;
#[cfg(feature = "cli")]
pub mod vectors;
#[cfg(feature = "cli")]
pub mod verify;
