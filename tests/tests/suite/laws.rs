//! Every law of the conformance suite over core's phases, in both scalar types; what each says of core
//! is printed with the number of cases (`cargo test --test suite laws -- --nocapture`).

use presam::Cpu;
use presam_backends::{Phases, Sessions};
use presam_conformance::check;
use presam_tests::{config, every_law_holds};

#[test]
fn every_law_holds_in_f32() {
    every_law_holds(
        &check::<f32, _>(&mut Phases(Cpu::detect()), config(256))
            .unwrap_or_else(|failure| panic!("{failure}")),
    );
}

#[test]
fn every_law_holds_in_f64() {
    every_law_holds(
        &check::<f64, _>(&mut Phases(Cpu::detect()), config(256))
            .unwrap_or_else(|failure| panic!("{failure}")),
    );
}

#[test]
fn every_law_holds_for_sessions() {
    every_law_holds(
        &check::<f32, _>(&mut Sessions::in_place(Cpu::plain()), config(96))
            .unwrap_or_else(|failure| panic!("{failure}")),
    );
}
