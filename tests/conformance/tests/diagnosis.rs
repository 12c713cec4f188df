//! What `diagnose` says of code that is no entry: right code, spoilt entries, two slips at once, code that
//! keeps its memory to itself, and code without an answer.

use presam_conformance::catalogue::{Kind, Planted, RIGHT, catalogue, named};
use presam_conformance::{
    Answer, Backend, Case, Config, Diagnosis, Rule, Scalar, Scope, diagnose, diagnose_each,
    function,
};
use std::collections::BTreeSet;

const BASES: [&str; 3] = ["sgd", "sgd-momentum", "adamw"];
const CONFIG: Config = Config { cases: 128, seed: 5 };

/// SAM and gradient descent as anyone would write them, in the scalar type.
fn plain_sam<R: Scalar + Into<f64>>(case: &Case<R>) -> Answer<R> {
    let mut squares = R::from_f64(0.0);
    for g in case.segments.iter().flat_map(|s| &s.grads) {
        squares = R::from_f64(squares.into() + R::from_f64((*g).into() * (*g).into()).into());
    }
    let norm = R::from_f64(R::from_f64(squares.into().sqrt()).into() + case.norm_guard().into());
    let (rate, decay) = (case.learning_rate().into(), case.weight_decay().into());
    let mut answer = Answer::unchanged(case);
    for (from, to) in case.segments.iter().zip(&mut answer.segments) {
        for i in 0..from.params.len() {
            let (w, g, g2): (f64, f64, f64) =
                (from.params[i].into(), from.grads[i].into(), from.perturbed_grads[i].into());
            let scale: f64 = R::held(from.options.rho / norm.into());
            to.perturbed[i] = R::from_f64(w + R::held(scale * g));
            to.params[i] = R::from_f64(w - R::held(rate * R::held(g2 + R::held(decay * w))));
        }
    }
    answer
}

#[test]
fn right_code_agrees() {
    let scope = Scope::of(&[Rule::Sam], &["sgd"]);
    let (mut in_f32, mut in_f64) =
        (function(scope.clone(), plain_sam::<f32>), function(scope, plain_sam::<f64>));
    assert!(matches!(diagnose::<f32, _>(&mut in_f32, CONFIG), Diagnosis::Agrees));
    assert!(matches!(diagnose::<f64, _>(&mut in_f64, CONFIG), Diagnosis::Agrees));
}

#[test]
fn the_formula_itself_agrees_for_every_rule() {
    for scope in [Scope::full(), Scope::of(&Rule::all(), &BASES)] {
        let mut right = Planted { entry: RIGHT, scope };
        let all =
            diagnose_each::<f32, _>(&mut right, CONFIG)
                .into_iter()
                .chain(diagnose_each::<f64, _>(&mut right, CONFIG));
        for (rule, diagnosis) in all {
            assert!(matches!(diagnosis, Diagnosis::Agrees), "{rule}: {diagnosis}");
        }
    }
}

type Spoil = fn(&Case<f64>, &mut Answer<f64>);

/// An entry's step, and then something done to the answer.
fn spoilt(name: &str, spoil: Spoil) -> Diagnosis {
    let entry = named(name).unwrap_or(&RIGHT);
    let scope = Scope::of(&[Rule::Sam], &["sgd"]);
    let step = |case: &Case<f64>| {
        let mut answer = entry.step(case);
        spoil(case, &mut answer);
        answer
    };
    diagnose(&mut function(scope, step), CONFIG)
}

#[test]
fn an_entry_with_a_second_fault_is_not_named() {
    let faults: [Spoil; 3] = [
        |_, answer| {
            answer.segments.iter_mut().flat_map(|s| &mut s.params).for_each(|w| *w *= 1.0 + 1e-9)
        },
        |_, answer| {
            let perturbed = answer.segments.iter_mut().flat_map(|s| &mut s.perturbed);
            perturbed.take(1).for_each(|w| *w += 1e-9);
        },
        |case, answer| {
            if case.elements() > 3 {
                *answer = Answer::unchanged(case);
            }
        },
    ];
    for name in ["right", "no-restore", "norm-per-tensor", "guard-1e-7", "norm-rms"] {
        let alone = spoilt(name, |_, _| {});
        assert_eq!(alone.entry().map_or("right", |entry| entry.name), name);
        for (index, fault) in faults.into_iter().enumerate() {
            let both = spoilt(name, fault);
            assert!(matches!(both, Diagnosis::Differs), "{name} with fault {index}: {both}");
        }
    }
}

/// Right at ordinary norms and with a way of its own where the guard matters, which is no code's of the field: it
/// differs, and a slip that explains the ordinary norms is named.
#[test]
fn a_way_of_its_own_at_tiny_norms_differs() {
    let scope = Scope::of(&[Rule::Sam], &["sgd"]);
    let with = |name: &'static str| {
        move |case: &Case<f32>| {
            let norm = case.segments.iter().flat_map(|s| &s.grads).map(|g| g * g).sum::<f32>();
            let entry = named(name).unwrap_or(&RIGHT);
            let mut answer = entry.step(case);
            if norm < 1e-9 {
                let segments = answer.segments.iter_mut().zip(&case.segments);
                segments.for_each(|(to, from)| to.perturbed.clone_from(&from.params));
            }
            answer
        }
    };
    let right = diagnose::<f32, _>(&mut function(scope.clone(), with("right")), CONFIG);
    assert!(matches!(right, Diagnosis::Differs), "{right}");
    let slipped = diagnose::<f32, _>(&mut function(scope, with("norm-per-tensor")), CONFIG);
    assert_eq!(slipped.to_string(), "differs: exactly as if the norm were taken per tensor");
}

/// Keeps memory, state and counters itself, and answers none of them.
struct Keeps {
    planted: Planted,
    kept: Option<Answer<f64>>,
}

impl Backend<f64> for Keeps {
    fn scope(&self) -> Scope {
        Scope { fresh: true, ..self.planted.scope.clone() }
    }

    fn step(&mut self, case: &Case<f64>) -> Result<Answer<f64>, String> {
        let mut own = case.clone();
        if let Some(kept) = self.kept.as_ref().filter(|_| case.base_steps > 0) {
            own.rule_state = kept.rule_state;
            own.base_steps = kept.base_steps;
            for (segment, kept) in own.segments.iter_mut().zip(&kept.segments) {
                segment.memory.clone_from(&kept.memory);
                segment.state.clone_from(&kept.state);
            }
        }
        let answer = Backend::<f64>::step(&mut self.planted, &own)?;
        self.kept = Some(answer.clone());
        let steps = RIGHT.step(case);
        let mut shown =
            Answer { rule_state: steps.rule_state, base_steps: steps.base_steps, ..answer };
        for (segment, right) in shown.segments.iter_mut().zip(steps.segments) {
            segment.memory = right.memory;
            segment.state = right.state;
        }
        Ok(shown)
    }
}

#[test]
fn memory_that_is_kept_is_followed() {
    let names = [
        "right",
        "no-restore",
        "decay-of-new",
        "decay-swapped",
        "memory-late",
        "memory-not-kept",
        "average-of-slope",
        "state-not-kept",
        "dampening-first-step",
        "weight-decay-coupled",
        "variance-biased",
        "norm-per-tensor",
        "guard-1e-7",
    ];
    let mut seen = BTreeSet::new();
    for name in names {
        let entry = *named(name).unwrap_or(&RIGHT);
        for rule in Rule::all() {
            // Its memory may be any rounding of a difference, and 1 / 0 the next step.
            if matches!(rule, Rule::InfoSamDraft { .. })
                || !BASES.iter().any(|base| entry.concerns(rule, base))
            {
                continue;
            }
            let planted = Planted { entry, scope: Scope::of(&[rule], &BASES) };
            let diagnosis = diagnose(&mut Keeps { planted, kept: None }, CONFIG);
            let found = diagnosis.entry().map_or("right", |entry| entry.name);
            assert!(!matches!(diagnosis, Diagnosis::Differs), "{rule} {name}");
            assert_eq!(found, name, "{rule}: {diagnosis}");
            seen.insert(name);
        }
    }
    assert_eq!(seen.len(), names.len(), "{seen:?}");
}

#[test]
fn half_a_step_is_judged_by_that_half() {
    let of = |name: &str, ascends: bool, descends: bool| {
        let scope = Scope { ascends, descends, ..Scope::of(&[Rule::Sam], &["sgd"]) };
        let entry = *named(name).unwrap_or(&RIGHT);
        diagnose::<f64, _>(&mut Planted { entry, scope }, CONFIG).to_string()
    };
    assert_eq!(
        of("norm-l1", true, false),
        "differs: exactly as if the norm were the sum of absolute values"
    );
    assert_eq!(of("norm-l1", false, true), "agrees");
    assert_eq!(
        of("weight-decay-missing", false, true),
        "differs: exactly as if there were no weight decay"
    );
    assert_eq!(of("weight-decay-missing", true, false), "agrees");
}

#[test]
fn no_answer_differs_and_no_rule_is_not_tested() {
    struct Silent(Vec<Rule>);
    impl Backend<f64> for Silent {
        fn scope(&self) -> Scope {
            Scope::of(&self.0, &["sgd"])
        }
        fn step(&mut self, _: &Case<f64>) -> Result<Answer<f64>, String> {
            Err("silent".into())
        }
    }
    assert!(matches!(diagnose(&mut Silent(vec![Rule::Sam]), CONFIG), Diagnosis::Differs));
    assert!(matches!(diagnose(&mut Silent(vec![]), CONFIG), Diagnosis::Untested));
}

/// Python's division by zero: the slip is named by the cases that are answered.
#[test]
fn code_that_raises_without_a_gradient_is_named_by_its_other_cases() {
    struct Raises(&'static str);
    impl Backend<f64> for Raises {
        fn scope(&self) -> Scope {
            Scope::of(&[Rule::Sam], &["sgd"])
        }
        fn step(&mut self, case: &Case<f64>) -> Result<Answer<f64>, String> {
            if case.segments.iter().flat_map(|s| &s.grads).all(|g| *g == 0.0) {
                return Err("ZeroDivisionError".into());
            }
            Ok(named(self.0).expect("an entry").step(case))
        }
    }
    for name in ["guard-missing", "guard-after-division", "norm-per-tensor"] {
        let found = diagnose(&mut Raises(name), CONFIG);
        assert_eq!(found.entry().map(|entry| entry.name), Some(name), "{found}");
    }
}

#[test]
fn names_are_unique_and_the_protocol_has_its_own() {
    let names: BTreeSet<&str> = catalogue().iter().map(|entry| entry.name).collect();
    assert_eq!(names.len(), catalogue().len());
    let slips = [
        "no-restore",
        "norm-per-tensor",
        "guard-after-division",
        "decay-on-perturbed",
        "first-gradient",
        "descends",
        "norm-not-rooted",
        "norm-l1",
        "norm-rms",
        "rho-unnormalised",
        "no-perturbation",
        "operator-once",
        "operator-not-in-norm",
        "operator-signed",
        "decay-swapped",
        "memory-late",
        "memory-not-kept",
        "weight-decay-missing",
        "weight-decay-decoupled",
        "weight-decay-coupled",
        "dampening-first-step",
        "bias-correction-missing",
    ];
    for slip in slips {
        assert!(named(slip).is_some_and(|entry| entry.kind == Kind::Slip), "{slip}");
    }
    for entry in catalogue() {
        assert!(
            Rule::all().iter().any(|rule| BASES.iter().any(|base| entry.concerns(*rule, base)))
        );
        assert!(!entry.says.is_empty() && !entry.says.ends_with('.'), "{}", entry.name);
    }
}

/// On the draft's first step with decay 0 an average from zero divides by zero: whatever the code does there,
/// it is not that entry.
#[test]
fn what_rounding_decides_explains_nothing() {
    let rule = Rule::from_name("info-sam-draft").expect("a rule");
    let scope = Scope::of(&[rule], &["sgd"]);
    let step = |case: &Case<f64>| {
        let mut answer = RIGHT.step(case);
        let perturbed = answer.segments.iter_mut().flat_map(|s| &mut s.perturbed);
        perturbed.enumerate().for_each(|(i, w)| *w += 1e-3 * (i + 1) as f64);
        answer
    };
    let mut differing = 0;
    for seed in 0..256 {
        let diagnosis = diagnose(&mut function(scope.clone(), step), Config { cases: 1, seed });
        assert!(diagnosis.entry().is_none(), "seed {seed}: {diagnosis}");
        differing += u32::from(matches!(diagnosis, Diagnosis::Differs));
    }
    assert!(differing > 128, "{differing}");
}

/// With a norm per tensor the draft divides by zero in tensors that do not count, too: code that skips such a step is
/// named all the same.
#[test]
fn skipping_a_step_that_is_not_finite_hides_no_slip() {
    let rule = Rule::from_name("info-sam-draft").expect("a rule");
    let scope = Scope { groups: true, lengths: true, ..Scope::of(&[rule], &BASES) };
    let entry = named("norm-per-tensor").expect("an entry");
    let mut skipped = 0;
    let step = |case: &Case<f64>| {
        let answer = entry.step(case);
        let is_finite = answer.segments.iter().flat_map(|s| &s.perturbed).all(|w| w.is_finite());
        skipped += u32::from(!is_finite);
        if is_finite { answer } else { Answer::unchanged(case) }
    };
    let diagnosis = diagnose(&mut function(scope, step), Config { cases: 1024, seed: 3 });
    assert_eq!(diagnosis.entry().map(|entry| entry.name), Some("norm-per-tensor"), "{diagnosis}");
    assert!(skipped > 0);
}
