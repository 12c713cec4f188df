//! The kernels on the emulator: the same bits as core, and every law.

use presam::Cpu;
use presam_conformance::{Both, Verdict, check};
use presam_cuda::device::Form;
use presam_tests::backends::{Devices, Phases};
use presam_tests::config;

#[test]
fn the_kernels_give_the_bits_of_core_in_every_law() {
    for (form, misaligned) in
        [(Form::OutOfPlace, false), (Form::InPlace, false), (Form::OutOfPlace, true)]
    {
        let candidate = Devices { misaligned, ..Devices::emulated(form) };
        let mut both = Both { reference: Phases(Cpu::plain()), candidate };
        let reports = check::<f32, _>(&mut both, config(24))
            .unwrap_or_else(|failure| panic!("{form:?} {failure}"));
        for report in reports {
            println!("{form:?} {report}");
            assert_eq!(report.verdict, Verdict::Holds, "{report}");
        }
    }
}
