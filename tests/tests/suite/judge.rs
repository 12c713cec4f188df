//! The part of the suite that needs no device and no program, and the laws at few cases: what `cargo xtask mutants`
//! puts a fault of the core to. A root beside `main.rs`, of the package tests/judge.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "some of it is for tests that are not here")]
mod common;

mod base;
mod descent;
mod erased;
mod golden;
mod hostile;
mod limits;
mod masks;
mod norm_vectors;
mod session;
mod shapes;
mod stranger;
mod visits;

use presam::Cpu;
use presam_backends::{Phases, Sessions, Threads};
use presam_conformance::{Backend, Both, Config, Scalar, check};

fn every_law<R: Scalar>(mut backend: impl Backend<R>) {
    let config = Config { cases: 8, seed: 20_250_111 };
    check::<R, _>(&mut backend, config).unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn laws_of_phases() {
    every_law::<f32>(Phases(Cpu::plain()));
    every_law::<f64>(Phases(Cpu::plain()));
}

#[test]
fn laws_of_sessions_and_threads() {
    let session = Sessions::in_place(Cpu::detect().parallel());
    let candidate = Threads::new(2, session).unwrap();
    every_law::<f32>(Both { reference: Phases(Cpu::detect()), candidate });
    let candidate = Sessions::out_of_place(Cpu::plain());
    every_law::<f64>(Both { reference: Phases(Cpu::plain()), candidate });
}
