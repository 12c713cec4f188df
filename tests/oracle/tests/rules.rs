//! The list of rules, and what a rule does with segments, inputs and lengths.

mod common;

use common::{RHO, assert_close, model, perturbation, step};
use presam_oracle::{Format, LengthRule, Outcome, Rule, RuleState, Segment, ascend};

#[test]
fn every_rule_starts_as_its_preconditioner_without_history() {
    for rule in Rule::all() {
        let (mut segments, mut state) = (model(rule), RuleState::default());
        let found = perturbation(&step(rule, &mut segments, &mut state, Format::F64));
        let like = match rule {
            Rule::Asam { .. } | Rule::InfoAsam { .. } => Rule::Asam { eta: 0.01 },
            Rule::FriendlyAsam { .. } => Rule::Asam { eta: 0.0 },
            Rule::FisherSam { .. } | Rule::MomentumSam | Rule::RawAsam => rule,
            _ => Rule::Sam,
        };
        let (mut plain, mut plain_state) = (model(like), RuleState::default());
        let expected = perturbation(&step(like, &mut plain, &mut plain_state, Format::F64));
        assert_close(&found, &expected, rule.name());
        assert!(found.iter().any(|x| x.abs() > 1e-3), "{rule} does not move");
    }
}

#[test]
fn both_preconditioners_of_the_caller() {
    let mut segment = Segment::new(vec![0.0, 0.0], vec![3.0, -2.0], 1.0);
    segment.inputs = vec![vec![2.0, 4.0], vec![0.5, 1.0]];
    let both = ascend(
        Rule::PreSam,
        LengthRule::NORMALISED,
        &[segment.clone()],
        RuleState::default(),
        Format::F64,
    );
    // D C g = (3, -8), D^2 C g = (1.5, -8), N = sqrt 73.
    let n = 73.0_f64.sqrt();
    assert_close(&perturbation(&both.unwrap()), &[1.5 / n, -8.0 / n], "pre-sam");
    segment.inputs.pop();
    let alone = |rule| {
        ascend(rule, LengthRule::NORMALISED, &[segment.clone()], RuleState::default(), Format::F64)
    };
    // C g = (6, -8), N = 10; D g the same, D^2 g = (12, -32).
    assert_close(&perturbation(&alone(Rule::ObjectivePreconditioner).unwrap()), &[0.6, -0.8], "C");
    assert_close(&perturbation(&alone(Rule::ConstraintPreconditioner).unwrap()), &[1.2, -3.2], "D");
}

#[test]
fn the_list_is_complete_and_its_names_are_unique() {
    let names: Vec<String> = Rule::all().iter().map(ToString::to_string).collect();
    assert_eq!(names.len(), 16);
    for rule in Rule::all() {
        assert_eq!(Rule::from_name(rule.name()), Some(rule));
        assert!(rule.memory() <= 2 && rule.inputs() <= 2);
    }
    assert_eq!(Rule::from_name("sma"), None);
    // One file per rule under src/rules, beside the list and the noise estimate.
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/rules");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|file| file.trim_end_matches(".rs").replace('_', "-"))
        .filter(|name| name != "mod" && name != "noise")
        .collect();
    files.sort();
    let mut sorted = names;
    sorted.sort();
    assert_eq!(files, sorted);
}

#[test]
fn radius_and_roles_are_per_segment() {
    let mut segments = model(Rule::Sam);
    segments[1].rho = 0.5;
    segments[1].counts_in_norm = false;
    let ascent = step(Rule::Sam, &mut segments, &mut RuleState::default(), Format::F64);
    assert_close(&[ascent.norm.value], &[1.3], "norm");
    let expected = [RHO * 0.3 / 1.3, -RHO * 0.4 / 1.3, RHO * 1.2 / 1.3, 0.0, -0.5 * 0.05 / 1.3];
    assert_close(&perturbation(&ascent), &expected, "rho per segment");

    segments[1].is_perturbed = false;
    segments[0].rho = 0.0;
    let ascent = step(Rule::Sam, &mut segments, &mut RuleState::default(), Format::F64);
    assert_eq!(ascent.outcome, Outcome::Perturbed);
    for (segment, perturbed) in segments.iter().zip(&ascent.perturbed) {
        assert_eq!(segment.params, perturbed.values);
        assert!(perturbed.bounds.iter().all(|bound| *bound == 0.0));
    }
}

#[test]
fn norm_guard_and_scales() {
    let mut segments = [Segment::new(vec![0.0], vec![3.0], 0.5)];
    let run = |rule, segments: &mut [Segment]| {
        perturbation(
            &ascend(Rule::Sam, rule, segments, RuleState::default(), Format::F64)
                .expect("the shapes fit"),
        )
    };
    assert_eq!(run(LengthRule::Normalised { norm_guard: 1.0 }, &mut segments), [0.5 * 3.0 / 4.0]);
    assert_eq!(
        run(LengthRule::Mixed { lambda: 0.5, norm_guard: 1.0 }, &mut segments),
        [0.5 * (1.5 + 0.375)]
    );
    let norm = presam_oracle::Number::exact(3.0);
    assert_eq!(LengthRule::Normalised { norm_guard: 1.0 }.scale(norm, 0.5).value, 0.125);
    assert_eq!(LengthRule::Unnormalised.scale(norm, 0.5).value, 0.5);
}

#[test]
fn a_wrong_shape_is_named() {
    let rule = Rule::from_name("vasso").unwrap();
    let mut segments = model(rule);
    segments[1].memory[0].pop();
    let run = |segments: &[Segment]| {
        ascend(rule, LengthRule::NORMALISED, segments, RuleState::default(), Format::F64)
    };
    assert_eq!(
        run(&segments).unwrap_err().to_string(),
        "segment 1: memory should have length 2, found 1"
    );
    segments[1].memory.clear();
    assert_eq!(run(&segments).unwrap_err().slice, "memory planes");
    segments[0].grads.push(0.0);
    assert_eq!(run(&segments).unwrap_err().slice, "grads");
}
