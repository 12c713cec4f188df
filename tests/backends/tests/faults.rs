//! Each law of the suite has a fault that it is there to see: what sees which is a table (`presam_backends::planted`),
//! held to here in Rust and in `program/tests/exec` over the pipe
//! (`cargo test -p presam-backends --test faults -- --nocapture` prints it).

use presam::Cpu;
use presam_backends::Phases;
use presam_backends::planted::{Claims, Fault, Faulted, Spoil, faults};
use presam_conformance::{Answer, Backend, Case, Config, Law, Options, Rule, Scalar, Trial, laws};
use std::collections::BTreeSet;

/// For the law that must see the fault, and for the others.
const OWN: u32 = 384;
const OTHERS: u32 = 48;

fn sees<R: Scalar>(law: &Law<R>, fault: Fault<R>, cases: u32) -> bool
where
    Phases: Backend<R>,
{
    let cases = if law.is_long() { cases.div_ceil(24) } else { cases };
    let config = Config { cases, seed: 3 };
    let trial = Trial { law, rules: &Rule::all(), config, shrinks: 0, least: 0 };
    trial.run(&mut Faulted::new(Phases(Cpu::plain()), fault)).is_err()
}

fn in_scope<R>(law: &Law<R>, claims: Claims) -> bool {
    (law.needs)(&claims.scope())
}

/// The laws that see the fault, its own looking longer than the others.
fn seen_by(fault: Fault<f32>) -> BTreeSet<&'static str> {
    let laws = laws::all().into_iter().filter(|law| in_scope(law, fault.claims));
    let cases = |law: &Law<f32>| if law.name == fault.law { OWN } else { OTHERS };
    laws.filter(|law| sees(law, fault, cases(law))).map(|law| law.name).collect()
}

#[test]
fn each_law_sees_its_fault_and_others_only_where_the_table_says_so() {
    let mut wrong = Vec::new();
    for fault in faults::<f32>() {
        let seen = seen_by(fault);
        let others: Vec<_> = seen.iter().filter(|law| **law != fault.law).collect();
        let (also, why) = fault.also;
        println!("{:<26} {}; also {others:?} {why}", fault.law, fault.says);
        let may = |law: &&str| also.contains(&"*") || also.contains(law);
        if !seen.contains(fault.law) || !others.iter().all(|law| may(law)) {
            wrong.push(format!("{}: {} is seen by {seen:?}", fault.law, fault.says));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The other scalar type has its own numbers and its own bounds.
#[test]
fn each_law_sees_its_fault_in_f64() {
    for fault in faults::<f64>() {
        let law = laws::named::<f64>(fault.law).unwrap();
        assert!(sees(&law, fault, OWN), "{}: {}", fault.law, fault.says);
    }
}

#[test]
fn every_law_has_a_row() {
    let laws: BTreeSet<_> = laws::all::<f32>().iter().map(|law| law.name).collect();
    let rows: BTreeSet<_> = faults::<f32>().iter().map(|fault| fault.law).collect();
    assert_eq!(laws, rows);
    assert_eq!(faults::<f32>().len(), rows.len(), "one each");
}

/// In the scope of each fault the code without one is right by every law.
#[test]
fn without_a_fault_every_law_holds() {
    for claims in [Claims::Contract, Claims::Stranger, Claims::Silent] {
        let fault = Fault { claims, spoil: |_, _, _| {}, ..faults::<f32>()[0] };
        assert!(seen_by(fault).is_empty(), "{claims:?}: {:?}", seen_by(fault));
    }
}

/// Laws that compare two answers bit by bit, each of which is within its bound.
#[test]
fn what_must_be_equal_is_so_to_the_last_bit() {
    let spoil: Spoil<f32> = |case, answer, past| {
        if past.calls % 2 == 0 {
            for (from, to) in case.segments.iter().zip(&mut answer.segments) {
                // Where nothing is rounded any law sees it.
                for plane in [&mut to.perturbed, &mut to.params] {
                    let moved = from.params.iter().zip(plane).filter(|(w, x)| *w != *x);
                    moved.for_each(|(_, x)| *x *= 1.0 + f32::EPSILON);
                }
            }
        }
    };
    let fault = Fault { claims: Claims::Contract, spoil, ..faults::<f32>()[0] };
    for name in [
        "cut-at-a-chunk",
        "empty-segment",
        "first-step-is-sam",
        "layer-rescaling",
        "lengths-meet",
        "momentum-sam-mirrors-sam",
        "pure",
        "range",
        "reduces-to-sam",
        "rho-zero-is-the-base",
        "scale-invariant",
        "uncounted-is-unfelt",
    ] {
        assert!(sees(&laws::named(name).unwrap(), fault, OTHERS), "{name}");
    }
}

/// Memory that sticks in tensors that move and do not count, or that count and do not move.
#[test]
fn memory_dies_in_every_tensor_that_has_an_ascent() {
    fn sticks(case: &Case<f32>, answer: &mut Answer<f32>, counts: bool) {
        for (from, to) in case.segments.iter().zip(&mut answer.segments) {
            let Options { counts_in_norm, is_perturbed, .. } = from.options;
            if counts_in_norm == counts && is_perturbed != counts {
                let memory = to.memory.iter_mut().flatten();
                memory.filter(|m| **m == 0.0).for_each(|m| *m = f32::from_bits(3));
            }
        }
    }
    let spoils: [Spoil<f32>; 2] = [|c, a, _| sticks(c, a, true), |c, a, _| sticks(c, a, false)];
    let law = laws::named("memory-dies").unwrap();
    for spoil in spoils {
        let fault = Fault { claims: Claims::Contract, spoil, ..faults::<f32>()[0] };
        assert!(sees(&law, fault, OWN));
    }
}
