//! The suite, poured over every backend of the core: one binary, since what is generic over rules and
//! backends is then compiled once.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

mod agreement;
mod base;
mod bits;
mod claims;
mod convergence;
mod coverage;
mod descent;
mod device;
mod erased;
mod golden;
mod hostile;
mod laws;
mod limits;
mod masks;
mod mixes;
mod moving;
mod norm_vectors;
mod planted;
mod recorded;
mod session;
mod shapes;
mod sizes;
mod soak;
mod stranger;
mod traffic;
mod unchecked;
mod visits;
