//! The kernels, emulated and as PTX text: the bits of core in every law of the suite.

use presam::Cpu;
use presam_backends::tensor::Layout;
use presam_backends::{Devices, Phases};
use presam_conformance::{Both, check};
use presam_cuda::{Device, Form, Ptx, Scalar};
use presam_tests::{config, every_law_holds};

/// Every plane 4 bytes past a multiple of 16.
const MISALIGNED: Layout = Layout { scalar: Scalar::F32, shift: 4 };

fn every_law(candidate: Devices<impl Device>, cases: u32) {
    let mut both = Both { reference: Phases(Cpu::plain()), candidate };
    let reports = check::<f32, _>(&mut both, config(cases));
    every_law_holds(&reports.unwrap_or_else(|failure| panic!("{failure}")));
}

#[test]
fn emulated_kernels_give_the_bits_of_core_in_every_law() {
    every_law(Devices::emulated(Form::OutOfPlace), 16);
}

#[test]
fn emulated_kernels_in_place_do_too() {
    every_law(Devices::emulated(Form::InPlace), 12);
}

#[test]
fn emulated_kernels_on_misaligned_buffers_do_too() {
    every_law(Devices { layout: MISALIGNED, ..Devices::emulated(Form::OutOfPlace) }, 12);
}

#[test]
fn the_committed_texts_do_too() {
    let aligned = Layout::default();
    every_law(Devices { device: Ptx::new(5), form: Form::OutOfPlace, layout: aligned }, 3);
    every_law(Devices { device: Ptx::new(6), form: Form::InPlace, layout: MISALIGNED }, 2);
}
