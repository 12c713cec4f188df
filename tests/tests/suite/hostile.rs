//! Named cases of numbers that go wrong; the laws `hostile`, `zero-norm`, `non-finite` and
//! `memory-dies` try the rest.

use crate::common::bits;
use presam::{
    Ascent, Cpu, FisherSam, FriendlyAsam, FriendlySam, InfoSam, InfoSamDraft, LengthRule, Outcome,
    PartialNorm, Real, RuleState, Sam, Variant, Vasso, finish,
};

/// A model of one segment that keeps its rule's memory and counters.
struct Model<V, const M: usize> {
    variant: V,
    state: RuleState<f32>,
    params: Vec<f32>,
    memory: [Vec<f32>; M],
}

impl<V: Variant<f32, M, 0>, const M: usize> Model<V, M> {
    fn new(variant: V, params: &[f32]) -> Self {
        let memory = std::array::from_fn(|_| vec![0.0; params.len()]);
        Self { variant, state: RuleState::new(), params: params.to_vec(), memory }
    }

    /// One ascent with radius 1: what became of it, and the perturbation.
    fn ascend(&mut self, grads: &[f32]) -> (Ascent<f32>, Vec<f32>) {
        let (cpu, rule) = (Cpu::detect(), self.variant.arm(&self.state));
        let mut norm = PartialNorm::new();
        let memory = self.memory.each_ref().map(Vec::as_slice);
        cpu.accumulate_norm(rule, &self.params, grads, memory, [], &mut norm).unwrap();
        let ascent = finish(self.variant, &norm, &mut self.state).unwrap();
        let scale = ascent.scale(1.0, LengthRule::NORMALISED).unwrap();
        let mut perturbed = vec![f32::NAN; grads.len()];
        let memory = self.memory.each_mut().map(Vec::as_mut_slice);
        cpu.ascend(rule, scale, &self.params, grads, memory, [], &mut perturbed).unwrap();
        let moved = perturbed.iter().zip(&self.params).map(|(p, w)| p - w).collect();
        (ascent, moved)
    }
}

#[test]
fn gradients_of_1e20_and_1e_minus_30_are_no_error() {
    for size in [1e20_f32, 1e-30, 3e38, 1e-38] {
        let (ascent, moved) = Model::new(Sam::new(), &[0.0; 2]).ascend(&[0.6 * size, -0.8 * size]);
        assert_eq!(ascent.outcome, Outcome::Finite, "{size}");
        for (moved, expected) in moved.iter().zip([0.6, -0.8]) {
            assert!((moved - expected).abs() < 1e-6, "{size}: {moved}");
        }
    }
}

#[test]
fn fisher_sam_at_eta_0_is_sam_where_the_square_is_infinite() {
    let (params, grads) = ([1.0, -2.0], [3e20, -4e20]);
    let fisher = FisherSam::new(0.0).unwrap();
    let (sam, moved) = Model::new(Sam::new(), &params).ascend(&grads);
    assert_eq!(Model::new(fisher, &params).ascend(&grads), (sam, moved));
    assert_eq!(sam.outcome, Outcome::Finite);
}

#[test]
fn a_single_subnormal_is_a_gradient() {
    let (ascent, moved) = Model::new(Sam::new(), &[0.0]).ascend(&[f32::from_bits(1)]);
    assert_eq!((ascent.outcome, moved), (Outcome::Finite, vec![1.0]));
}

#[test]
fn a_non_finite_gradient_changes_nothing() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut model = Model::new(Vasso::default(), &[1.0, 2.0]);
        model.ascend(&[3.0, 4.0]);
        let (state, memory) = (model.state, bits(&model.memory[0]));
        let (ascent, moved) = model.ascend(&[value, 1.0]);
        assert_eq!((ascent.outcome, moved), (Outcome::NonFinite, vec![0.0; 2]));
        assert_eq!((model.state, bits(&model.memory[0])), (state, memory));
    }
}

#[test]
fn a_skipped_first_step_stays_the_first() {
    let mut model = Model::new(Vasso::default(), &[1.0, 2.0]);
    model.ascend(&[f32::NAN, 0.0]);
    model.ascend(&[3.0, 4.0]);
    assert_eq!(model.memory[0], [3.0, 4.0], "d <- g");
}

#[test]
fn a_zero_norm_stores_memory() {
    let mut model = Model::new(Vasso::new(0.5).unwrap(), &[1.0]);
    model.ascend(&[2.0]);
    // d = 0.5 * 2 + 0.5 * -2 = 0
    let (ascent, moved) = model.ascend(&[-2.0]);
    assert_eq!((ascent.outcome, moved), (Outcome::ZeroNorm, vec![0.0]));
    assert_eq!(bits(&model.memory[0]), [0]);
    assert_eq!(model.state.steps, 2);
}

#[test]
fn repeated_gradients_are_a_zero_norm_for_friendly_sam() {
    let mut model = Model::new(FriendlySam::default(), &[1.0; 3]);
    let grads = [0.3, -0.7, 1.1];
    assert_eq!(model.ascend(&grads).0.outcome, Outcome::Finite);
    // From the third on, g - m is rounding noise: exactly zero for some entries only.
    for step in 2..12 {
        let (ascent, moved) = model.ascend(&grads);
        assert_eq!((ascent.outcome, moved), (Outcome::ZeroNorm, vec![0.0; 3]), "step {step}");
    }
}

#[test]
fn friendly_asam_compares_both_norms_with_the_operator_on() {
    // |w| is below the share at which a slope is noise, and so is || |w| s || beside ||g||.
    let small = 2.0_f32.powi(-30);
    let mut model = Model::new(FriendlyAsam::default(), &[small; 2]);
    assert_eq!(model.ascend(&[0.3, -0.7]).0.outcome, Outcome::Finite);
    assert_eq!(model.ascend(&[0.4, -0.5]).0.outcome, Outcome::Finite);
    let mut model = Model::new(FriendlyAsam::default(), &[1.0, small, 3.0]);
    assert_eq!(model.ascend(&[0.3, -0.7, 1.1]).0.outcome, Outcome::Finite);
    for step in 2..12 {
        assert_eq!(model.ascend(&[0.3, -0.7, 1.1]).0.outcome, Outcome::ZeroNorm, "step {step}");
    }
}

#[test]
fn a_repeated_gradient_is_non_finite_for_the_draft() {
    let mut model = Model::new(InfoSamDraft::new(0.5).unwrap(), &[1.0; 2]);
    assert_eq!(model.ascend(&[0.25, -0.5]).0.outcome, Outcome::Finite);
    assert_eq!(model.ascend(&[0.25, -0.25]).0.outcome, Outcome::NonFinite);
    assert_eq!(model.state.steps, 1);
    let zero_over_zero = &mut Model::new(InfoSamDraft::new(0.5).unwrap(), &[1.0; 2]);
    zero_over_zero.ascend(&[0.0, -0.5]);
    assert_eq!(zero_over_zero.ascend(&[0.0, -0.25]).0.outcome, Outcome::NonFinite);
}

#[test]
fn a_scale_of_zero_copies_even_where_the_direction_is_infinite() {
    let (w, g) = ([-0.0_f32, f32::MIN_POSITIVE / 2.0], [f32::INFINITY, f32::NAN]);
    let scale = presam::Scale { prescale: 1.0, scale: 0.0, remember: true };
    let rule = Sam::new().arm(&RuleState::new());
    let mut perturbed = [1.0; 2];
    Cpu::detect().ascend(rule, scale, &w, &g, [], [], &mut perturbed).unwrap();
    assert_eq!(bits(&perturbed), bits(&w));
}

#[test]
fn a_slope_whose_square_is_below_the_range_is_none_for_friendly_sam() {
    // (t g)^2 is zero in `f32`, and how large g was is lost.
    for grads in [[3e-25_f32, -4e-25], [3e-30, 4e-30]] {
        let (ascent, moved) = Model::new(FriendlySam::default(), &[1.0, 1.0]).ascend(&grads);
        assert_eq!((ascent.outcome, moved), (Outcome::ZeroNorm, vec![0.0; 2]));
    }
}

#[test]
fn an_average_fed_with_zeros_dies() {
    let mut model = Model::new(Vasso::new(0.99).unwrap(), &[0.0; 2]);
    model.ascend(&[1.0, -1e-30]);
    let mut steps = 0;
    while model.memory[0].iter().any(|d| *d != 0.0) {
        model.ascend(&[0.0; 2]);
        steps += 1;
        // 0.99^n = 2^-126 at n = 8690.
        assert!(steps < 8700, "it sticks at {:?}", model.memory[0]);
        let subnormal = |d: &f32| *d != 0.0 && d.abs() < f32::MIN_NORMAL;
        assert!(!model.memory[0].iter().any(subnormal), "{:?}", model.memory[0]);
    }
    assert_eq!(bits(&model.memory[0]), [0, 0], "+0.0");
}

/// A model whose gradients end (a trained, or a dead network): every v falls below the smallest normal
/// number, and C = 1 / (v + damping) must not become infinite on the way, for infinity * 0 is a NaN
/// that would stop the training for ever.
#[test]
fn a_dying_variance_does_not_stop_info_sam() {
    let variant = InfoSam::new(0.5, 0.25, 0.0, 1.0).unwrap();
    let mut model = Model::new(variant, &[1.0; 2]);
    for grads in [[1.0, -1.0], [0.5, 0.25], [-0.5, 0.5]] {
        assert_eq!(model.ascend(&grads).0.outcome, Outcome::Finite);
    }
    for step in 0..400 {
        let (ascent, _) = model.ascend(&[0.0; 2]);
        assert_eq!(ascent.outcome, Outcome::ZeroNorm, "step {step}: {:?}", model.memory);
    }
    assert_eq!(model.memory.each_ref().map(|plane| bits(plane)), [vec![0, 0], vec![0, 0]]);
}

#[test]
fn a_slope_that_is_the_rounding_of_its_gradient_is_no_direction() {
    // The memory is the gradient but for its last bits; a thousandth of it is a slope.
    fn judged(variant: impl Variant<f32, 1, 0>, share: f32) -> Outcome {
        let mut model = Model::new(variant, &[1.0, 1.0]);
        let (first, _) = model.ascend(&[3e3, 4e3]);
        assert_eq!(first.outcome, Outcome::Finite);
        model.memory[0].copy_from_slice(&[3e3 * (1.0 - share), 4e3 * (1.0 - share)]);
        let (again, moved) = model.ascend(&[3e3, 4e3]);
        assert_eq!(again.outcome == Outcome::ZeroNorm, moved == [0.0; 2]);
        again.outcome
    }
    for (share, outcome) in [(1e-7, Outcome::ZeroNorm), (1e-3, Outcome::Finite)] {
        assert_eq!(judged(FriendlySam::default(), share), outcome);
        assert_eq!(judged(FriendlyAsam::default(), share), outcome);
    }
}
