//! Zero and non-finite norms, the ends of the range, small memory.

mod common;

use common::{RHO, assert_close, model, perturbation, set_grads, step};
use presam_oracle::{Format, LengthRule, Outcome, Rule, RuleState, Segment, ascend};

#[test]
fn a_zero_norm_perturbs_nothing_but_is_remembered() {
    for rule in Rule::all() {
        let (mut segments, mut state) = (model(rule), RuleState::default());
        set_grads(&mut segments, &[0.0; 5]);
        segments.iter_mut().flat_map(|s| &mut s.memory).for_each(|plane| plane.fill(7.0));
        let ascent = step(rule, &mut segments, &mut state, Format::F64);
        assert_eq!(ascent.outcome, Outcome::ZeroNorm, "{rule}");
        assert_eq!(state.steps, 1);
        for (segment, perturbed) in segments.iter().zip(&ascent.perturbed) {
            assert_eq!(segment.params, perturbed.values);
            assert!(
                segment.memory.iter().flatten().all(|m| *m == 0.0),
                "{rule} kept its old memory"
            );
        }
    }
}

#[test]
fn a_non_finite_gradient_changes_nothing() {
    for rule in Rule::all() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let (mut segments, mut state) = (model(rule), RuleState::default());
            step(rule, &mut segments, &mut state, Format::F64);
            let (before, state_before) = (segments.clone(), state);
            segments[0].grads[1] = bad;
            let ascent = step(rule, &mut segments, &mut state, Format::F64);
            assert_eq!(ascent.outcome, Outcome::NonFinite, "{rule}, {bad}");
            assert_eq!(state, state_before);
            for (segment, before) in segments.iter().zip(&before) {
                assert_eq!(segment.memory, before.memory);
            }
            assert_eq!(ascent.perturbed[0].values, before[0].params);
        }
    }
}

#[test]
fn fisher_sam_beyond_its_range_is_an_outcome() {
    let segments = [Segment::new(vec![0.0], vec![1e200], RHO)];
    let ascent = ascend(
        Rule::FisherSam { eta: 1.0 },
        LengthRule::NORMALISED,
        &segments,
        RuleState::default(),
        Format::F64,
    );
    assert_eq!(ascent.unwrap().outcome, Outcome::NonFinite);
}

#[test]
fn the_norm_neither_overflows_nor_vanishes() {
    for magnitude in [1e200, 1e-200, 1e300, 1e-300, 1e-310] {
        let segments = [
            Segment::new(vec![0.0], vec![3.0 * magnitude], 0.5),
            Segment::new(vec![0.0], vec![4.0 * magnitude], 0.5),
        ];
        let ascent =
            ascend(Rule::Sam, LengthRule::NORMALISED, &segments, RuleState::default(), Format::F64)
                .unwrap();
        assert!((ascent.norm.value / magnitude - 5.0).abs() < 1e-12);
        assert_close(&perturbation(&ascent), &[0.3, 0.4], &format!("{magnitude}"));
    }
}

#[test]
fn friendly_sam_does_not_normalise_rounding_noise() {
    let rule = Rule::from_name("friendly-sam").unwrap();
    let below = |format: Format, relative: f64| {
        let (mut segments, mut state) = (model(rule), RuleState::default());
        step(rule, &mut segments, &mut state, format);
        assert_eq!(state.mean_of_variance, 0.0);
        for segment in &mut segments {
            segment.grads.iter_mut().for_each(|g| *g *= 1.0 + relative);
        }
        step(rule, &mut segments, &mut state, format).outcome
    };
    // norm(s) / norm(g) is about `relative`.
    assert_eq!(below(Format::F64, 0.0), Outcome::ZeroNorm);
    assert_eq!(below(Format::F64, 2.0_f64.powi(-49)), Outcome::ZeroNorm);
    assert_eq!(below(Format::F64, 2.0_f64.powi(-47)), Outcome::Perturbed);
    assert_eq!(below(Format::F32, 2.0_f64.powi(-21)), Outcome::ZeroNorm);
    assert_eq!(below(Format::F32, 2.0_f64.powi(-19)), Outcome::Perturbed);
}

#[test]
fn a_radius_of_zero_copies_even_along_an_infinite_direction() {
    // D g is representable, D^2 g is not.
    let mut segments = [Segment::new(vec![1.0], vec![1.0], 0.0).with_inputs(vec![vec![1e200]])];
    let rule = Rule::ConstraintPreconditioner;
    let ascent = step(rule, &mut segments, &mut RuleState::default(), Format::F64);
    assert_eq!((ascent.outcome, &ascent.perturbed[0].values[..]), (Outcome::Perturbed, &[1.0][..]));
}

#[test]
fn small_memory_is_stored_as_zero() {
    let smallest = f64::from(f32::MIN_POSITIVE);
    let rule = Rule::from_name("vasso").unwrap();
    let mut segments =
        [Segment::new(vec![0.0; 3], vec![smallest, -smallest / 2.0, 1.0], RHO)
            .with_memory_for(rule)];
    step(rule, &mut segments, &mut RuleState::default(), Format::F32);
    assert_eq!(segments[0].memory[0], [smallest, 0.0, 1.0]);
    assert_eq!(segments[0].memory[0][1].to_bits(), 0);
}
