//! Every law of the conformance suite over core's phases, in both scalar types; what each says of core
//! is printed with the number of cases (`cargo test --test suite laws -- --nocapture`).

use presam::Cpu;
use presam_backends::{Phases, Sessions};
use presam_conformance::{Report, Scalar, Scope, Verdict, check, laws};
use presam_tests::config;

/// Every law of the contract held, none without cases; one is about code that claims less.
fn print_all(reports: &[Report], laws: usize) {
    let tried = reports.iter().filter(|report| report.verdict != Verdict::OutOfScope);
    assert_eq!((tried.clone().count(), reports.len()), (laws, laws + 1));
    for report in tried {
        println!("{report}");
        assert_eq!(report.verdict, Verdict::Holds, "{report}");
        assert!(report.cases > 0, "{report}");
    }
}

#[test]
fn every_law_holds_in_f32() {
    print_all(
        &check::<f32, _>(&mut Phases(Cpu::detect()), config(256))
            .unwrap_or_else(|failure| panic!("{failure}")),
        count::<f32>(),
    );
}

#[test]
fn every_law_holds_in_f64() {
    print_all(
        &check::<f64, _>(&mut Phases(Cpu::detect()), config(256))
            .unwrap_or_else(|failure| panic!("{failure}")),
        count::<f64>(),
    );
}

#[test]
fn every_law_holds_for_sessions() {
    print_all(
        &check::<f32, _>(&mut Sessions::in_place(Cpu::plain()), config(96))
            .unwrap_or_else(|failure| panic!("{failure}")),
        count::<f32>(),
    );
}

fn count<R: Scalar>() -> usize {
    laws::all::<R>().iter().filter(|law| (law.needs)(&Scope::full())).count()
}
