//! info-sam and info-asam over several steps.

mod common;

use common::{GRADS, assert_close, model, numbers, perturbation, set_grads, step};
use presam_oracle::{Format, Outcome, Rule, RuleState};

/// Four steps against 40-digit decimals computed apart as C = 1 / (v_hat + damping).
fn check_noise(rule: Rule, expected: [&str; 4]) {
    let (mut segments, mut state) = (model(rule), RuleState::default());
    for (k, (grads, expected)) in GRADS.iter().zip(&expected).enumerate() {
        set_grads(&mut segments, grads);
        let ascent = step(rule, &mut segments, &mut state, Format::F64);
        assert_eq!(ascent.outcome, Outcome::Perturbed);
        assert_close(
            &perturbation(&ascent),
            &numbers(expected),
            &format!("{rule}, step {}", k + 1),
        );
    }
    let plane = |p: usize| segments.iter().flat_map(|s| s.memory[p].clone()).collect::<Vec<_>>();
    assert_close(&plane(0), &numbers("0.2238, -0.2423, 1.0574 | -0.0193, -0.0376"), "m");
    assert_close(
        &plane(1),
        &numbers("0.00274024, 0.02138629, 0.02586496 | 0.00219024, 0.00039241"),
        "v",
    );
    assert_close(&[state.mean_of_variance], &[0.354022692838625], "mean");
    assert_eq!(state.steps, 4);
}

#[test]
fn info_sam_over_four_steps() {
    check_noise(
        Rule::from_name("info-sam").unwrap(),
        [
            "0.011529936630361318, -0.015373248840481758, 0.04611974652144527 | 0, -0.0019216561050602197",
            "0.002829559174871464, -0.019806914224100247, 0.04527294679794342 | 0.005659118349742928, -0.004244338762307196",
            "-0.02624683393718946, 0.024016540390603285, -0.005987104774335708 | 0.01512678695743037, 0.031139113486189064",
            "0.01321728464107725, 0.010464046162670822, 0.029735378456256106 | -0.036433822071378054, 0.0020471936783370594",
        ],
    );
}

#[test]
fn info_asam_over_four_steps() {
    let rule = Rule::InfoAsam {
        mean_decay: 0.9,
        variance_decay: 0.99,
        absolute_damping: 0.02,
        relative_damping: 0.5,
        eta: 0.01,
    };
    check_noise(
        rule,
        [
            "0.014489192795683198, -0.0765124828465702, 0.014777527874354279 | 0, -0.002367283076117243",
            "0.0030936527800183087, -0.08576675441217899, 0.012620866002670516 | 0.006065391196977373, -0.004549043397733029",
            "-0.020485675452024756, 0.07011628456801568, -0.0011213061535634231 | 0.012807788935968515, 0.026511478049327106",
            "0.015289974472584109, 0.036136506298620766, 0.006450092291295177 | -0.042201733093880235, 0.002581222323600214",
        ],
    );
}

#[test]
fn without_damping_info_sam_is_sam() {
    let rule = Rule::InfoSam {
        mean_decay: 0.9,
        variance_decay: 0.99,
        absolute_damping: 0.0,
        relative_damping: 0.0,
    };
    let (mut segments, mut state) = (model(rule), RuleState::default());
    for grads in &GRADS {
        set_grads(&mut segments, grads);
        let found = step(rule, &mut segments, &mut state, Format::F64);
        let (mut sam, mut sam_state) = (model(Rule::Sam), RuleState::default());
        set_grads(&mut sam, grads);
        assert_eq!(
            perturbation(&found),
            perturbation(&step(Rule::Sam, &mut sam, &mut sam_state, Format::F64))
        );
    }
}

#[test]
fn the_mean_of_variance_is_over_counted_segments() {
    let rule = Rule::from_name("info-sam").unwrap();
    let (mut segments, mut state) = (model(rule), RuleState::default());
    segments[0].counts_in_norm = false;
    step(rule, &mut segments, &mut state, Format::F64);
    assert_eq!(state.mean_of_variance, 0.0);
    set_grads(&mut segments, &GRADS[1]);
    step(rule, &mut segments, &mut state, Format::F64);
    // One observation, so v_hat is the square itself: (0.2^2 + 0.1^2) / 2.
    assert_close(&[state.mean_of_variance], &[0.025], "mean");
}

#[test]
fn info_sam_beyond_its_range_is_an_outcome() {
    // The norm is finite, the square of (m - g) is not.
    let rule = Rule::from_name("info-sam").unwrap();
    let (mut segments, mut state) = (model(rule), RuleState::default());
    step(rule, &mut segments, &mut state, Format::F64);
    let before = segments.clone();
    segments[0].grads[0] = 1e200;
    let ascent = step(rule, &mut segments, &mut state, Format::F64);
    assert_eq!(ascent.outcome, Outcome::NonFinite);
    assert!(ascent.norm.value.is_finite());
    assert_eq!((&segments[0].memory, state.steps), (&before[0].memory, 1));
}
