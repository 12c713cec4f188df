//! Wrong implementations that the suite must reject, and the law that catches each
//! (`cargo test --test suite planted -- --nocapture` prints them).

use presam::Cpu;
use presam_backends::Phases;
use presam_backends::planted::{Claims, Fault, Faulted, Spoil, faults};
use presam_conformance::catalogue::{Entry, Kind, Planted, RIGHT, catalogue, named};
use presam_conformance::{
    Answer, Backend, Case, Outcome, Rule, Scalar, Scope, check, check_law, laws,
};
use presam_tests::config;

/// The entry as code whose groups have options, in `f64`, of the rules that it concerns.
fn planted(entry: Entry) -> Planted {
    let bases = ["sgd", "sgd-momentum", "adamw"];
    let mut rules = Rule::all();
    rules.retain(|rule| bases.iter().any(|base| entry.concerns(*rule, base)));
    Planted { entry, scope: Scope { groups: true, ..Scope::of(&rules, &bases) } }
}

#[test]
fn the_formula_without_a_slip_passes() {
    let reports = check::<f64, _>(&mut planted(RIGHT), config(512));
    reports.unwrap_or_else(|f| panic!("{f}")).iter().for_each(|report| println!("{report}"));
}

/// Every slip, and two conventions that are no matter of a guard.
#[test]
fn every_slip_is_rejected() {
    let others = ["decay-of-new", "operator-everywhere"];
    let is_wrong = |entry: &&Entry| entry.kind == Kind::Slip || others.contains(&entry.name);
    for entry in catalogue().iter().filter(is_wrong) {
        let Err(failure) = check::<f64, _>(&mut planted(*entry), config(512)) else {
            panic!("{} passes", entry.name);
        };
        println!("{}: {}, {}", entry.name, failure.law, failure.mismatch.place);
        assert!(!failure.case.is_empty(), "{failure}");
    }
}

/// Some slips, judged by a law alone: laws beyond plain agreement must see theirs too.
#[test]
fn laws_other_than_agreement_see_their_slips() {
    let seen_by = [
        ("length-is-rho", "no-perturbation"),
        ("ascends", "descends"),
        ("cut-anywhere", "norm-per-tensor"),
        ("length-is-rho", "last-element-skipped"),
        ("restored", "no-restore"),
        ("rho-zero-is-the-base", "first-gradient"),
        ("constrained-length-is-rho", "operator-once"),
        ("length-is-rho", "norm-not-rooted"),
        ("agrees-over-steps", "average-from-zero"),
    ];
    for (law, name) in seen_by {
        let law = laws::named::<f64>(law).expect("a law of this name");
        let entry = *named(name).expect("an entry of this name");
        let result = check_law::<f64, _>(&mut planted(entry), &law, config(512));
        assert!(result.is_err(), "{} does not see {name}", law.name);
    }
}

/// What only the whole contract can see, beside the catalogue and the table of `presam_backends::planted`.
const BREACHES: [(&str, Spoil<f32>); 5] = [
    ("infinite gradients taken for zero", |case, answer, _| {
        let finite = case.map_grads(|g| if g.is_finite() { g } else { 0.0 });
        *answer = Phases(Cpu::detect()).step(&finite).expect("core takes it");
    }),
    ("counters advance on a skipped step", |case, answer, _| {
        answer.rule_state.steps = case.rule_state.steps + 1;
    }),
    ("no descent on a zero norm", |case, answer, _| {
        if answer.outcome == Outcome::ZeroNorm {
            let old = case.segments.iter().map(|s| s.params.clone());
            answer.segments.iter_mut().zip(old).for_each(|(s, old)| s.params = old);
        }
    }),
    ("memory dies as -0.0", |_, answer, _| {
        let memory = answer.segments.iter_mut().flat_map(|s| s.memory.iter_mut().flatten());
        memory.filter(|m| **m == 0.0).for_each(|m| *m = -0.0);
    }),
    ("the norm is one bit off in f32", |_, answer, _| {
        if let Some(norm) = answer.norm.as_mut() {
            norm.sum = f32::from_bits(norm.sum.to_bits() ^ 32);
        }
    }),
];

#[test]
fn every_breach_of_the_contract_is_rejected() {
    let faulted = |says, spoil| {
        let fault = Fault { says, spoil, claims: Claims::Contract, ..faults::<f32>()[0] };
        Faulted::new(Phases(Cpu::detect()), fault)
    };
    let right = check(&mut faulted("nothing", |_, _, _| {}), config(64));
    right.unwrap_or_else(|failure| panic!("{failure}"));
    for (name, spoil) in BREACHES {
        let Err(failure) = check(&mut faulted(name, spoil), config(256)) else {
            panic!("{name}: passes");
        };
        println!("{name}: {}, {}", failure.law, failure.mismatch.place);
    }
}

#[test]
fn a_suite_without_cases_fails() {
    struct Nothing;
    impl<R: Scalar> Backend<R> for Nothing {
        fn scope(&self) -> Scope {
            Scope::of(&[], &["sgd"])
        }
        fn step(&mut self, _: &Case<R>) -> Result<Answer<R>, String> {
            Err("it has no rule".into())
        }
    }
    let failure = check::<f64, _>(&mut Nothing, config(16)).unwrap_err();
    assert_eq!(failure.mismatch.place, "cases");
}
