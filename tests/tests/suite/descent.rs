//! What stands beside the ascent: GSAM, WSAM, SANER, LookSAM, clipping and schedules, each against the oracle.

use crate::common::{Random, assert_within, bits, widened_all};
use presam::{
    Cpu, GradientMix, Gsam, LookSam, Outcome, PartialNorm, Real, Saner, Schedule, Wsam,
    clip_factor, gsam_rho,
};
use presam_oracle::descent::{gsam, look_sam, saner, wsam};
use presam_oracle::{BoundedVector, Format, clip, schedule};

const LENGTHS: [usize; 4] = [3, 0, 130, 2100];

fn gradients<R: Real>(seed: u64) -> (Vec<Vec<R>>, Vec<Vec<R>>) {
    let mut random = Random(seed);
    (random.segments(&LENGTHS), random.segments(&LENGTHS))
}

/// ||first||^2 and <first, second> over all segments.
fn pair_sums<R: Real>(first: &[Vec<R>], second: &[Vec<R>]) -> PartialNorm<R> {
    let mut sums = PartialNorm::new();
    for (first, second) in first.iter().zip(second) {
        Cpu::detect().accumulate_pair(first, second, &mut sums).unwrap();
    }
    sums
}

fn norm_sums<R: Real>(planes: &[Vec<R>]) -> PartialNorm<R> {
    let mut sums = PartialNorm::new();
    for plane in planes {
        Cpu::detect().accumulate_gradient(R::ONE, plane, &mut sums).unwrap();
    }
    sums
}

fn mixed<R: Real>(mix: impl GradientMix<R>, grads: &[Vec<R>], second: &[Vec<R>]) -> Vec<Vec<R>> {
    let mut mixed = second.to_vec();
    for (grads, second) in grads.iter().zip(&mut mixed) {
        Cpu::detect().mix_gradients(mix, grads, second).unwrap();
    }
    mixed
}

fn the_distance_is_the_differences_norm<R: Real>() {
    let (g, p) = gradients::<R>(9);
    let mut sums = PartialNorm::new();
    let mut differences = Vec::new();
    for (g, p) in g.iter().zip(&p) {
        Cpu::detect().accumulate_difference(p, g, &mut sums).unwrap();
        differences.push(p.iter().zip(g).map(|(&p, &g)| p - g).collect());
    }
    let (found, expected) = (sums.total().unwrap(), norm_sums::<R>(&differences).total().unwrap());
    assert_eq!((found.sum.bits(), found.class), (expected.sum.bits(), expected.class));
    assert!(found.sum > R::ZERO);
}

#[test]
fn the_distance_of_two_gradients_is_the_norm_of_their_difference() {
    the_distance_is_the_differences_norm::<f32>();
    the_distance_is_the_differences_norm::<f64>();
}

fn assert_all_within<R: Real>(what: &str, found: &[Vec<R>], expected: &[BoundedVector]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_within(what, found, expected);
    }
}

fn gsam_agrees<R: Real>(format: Format) {
    for (seed, alpha) in [(1, 0.5), (2, 0.0), (3, 0.75)] {
        let (g, p) = gradients::<R>(seed);
        let sums = pair_sums(&p, &g);
        let (mix, outcome) = Gsam::new(R::from_f64(alpha)).unwrap().arm(&sums).unwrap();
        assert_eq!(outcome, Outcome::Finite);
        let expected = gsam::gsam(&widened_all(&g), &widened_all(&p), alpha, format).unwrap();
        assert_all_within("gsam", &mixed(mix, &g, &p), &expected);
    }
}

#[test]
fn gsam_is_the_oracles() {
    gsam_agrees::<f32>(Format::F32);
    gsam_agrees::<f64>(Format::F64);
}

fn wsam_agrees<R: Real>(format: Format) {
    for (seed, gamma) in [(4, 0.5), (5, 0.0), (6, 0.875)] {
        let (g, p) = gradients::<R>(seed);
        let rule = Wsam::new(R::from_f64(gamma)).unwrap();
        let (wide_g, wide_p) = (widened_all(&g), widened_all(&p));
        let expected = wsam::coupled(&wide_g, &wide_p, gamma, format).unwrap();
        assert_all_within("coupled", &mixed(rule, &g, &p), &expected);

        let mut params = Random(7).segments::<R>(&LENGTHS);
        let expected =
            wsam::decoupled(&widened_all(&params), &wide_g, &wide_p, gamma, 0.125, format).unwrap();
        let correction = rule.correction(R::from_f64(0.125));
        for ((w, g), p) in params.iter_mut().zip(&g).zip(&p) {
            Cpu::detect().correct(correction, w, g, p).unwrap();
        }
        assert_all_within("decoupled", &params, &expected);
    }
}

#[test]
fn wsam_is_the_oracles() {
    wsam_agrees::<f32>(Format::F32);
    wsam_agrees::<f64>(Format::F64);
}

fn saner_agrees<R: Real>(format: Format) {
    for (seed, alpha) in [(16, 0.5), (17, 0.0), (18, 0.3), (19, 1.0)] {
        let (g, p) = gradients::<R>(seed);
        let alpha = R::from_f64(alpha);
        let found = mixed(Saner::new(alpha).unwrap(), &g, &p);
        let (wide_g, wide_p) = (widened_all(&g), widened_all(&p));
        let expected = saner::saner(&wide_g, &wide_p, alpha.to_f64(), format).unwrap();
        assert_all_within("saner", &found, &expected);
        let shrunk = found.iter().flatten().zip(p.iter().flatten()).filter(|(a, b)| a != b).count();
        // Of two numbers drawn alike, one pair in four has one sign and the second one smaller.
        let share = shrunk as f64 / LENGTHS.iter().sum::<usize>() as f64;
        let expected = if alpha == R::ZERO { 0.0 } else { 0.25 };
        assert!((share - expected).abs() < 0.05, "{share} shrunk at {}", alpha.to_f64());
    }
}

#[test]
fn saner_is_the_oracles() {
    saner_agrees::<f32>(Format::F32);
    saner_agrees::<f64>(Format::F64);
}

#[test]
fn saner_leaves_every_bit_but_of_what_became_smaller_under_one_sign() {
    let above = f32::from_bits(1.0f32.to_bits() + 1);
    let g = vec![vec![1.0, -1.0, 1.0, 0.0, -0.0, 1.0, f32::NAN, -3.0, 1e-44, above]];
    let p = vec![vec![1.0, -1.0, -0.5, 2.0, -2.0, -0.0, 0.5, f32::NEG_INFINITY, 1e-45, 1.0]];
    let found = mixed(Saner::new(1.0).unwrap(), &g, &p);
    let left = p[0].iter().take(8).copied().chain([0.0, 0.0]).collect::<Vec<_>>();
    assert_eq!(bits(&found[0]), bits(&left));
}

fn look_sam_agrees<R: Real>(format: Format) {
    let (g, p) = gradients::<R>(8);
    let rule = LookSam::new(R::from_f64(0.625)).unwrap();
    let (split, outcome) = rule.split(&pair_sums(&g, &p)).unwrap();
    assert_eq!(outcome, Outcome::Finite);
    let kept = mixed(split, &g, &p);
    let expected = look_sam::direction(&widened_all(&g), &widened_all(&p), format).unwrap();
    assert_all_within("direction", &kept, &expected);

    // A later step, with a gradient of its own.
    let (later, _) = gradients::<R>(9);
    let (reuse, outcome) = rule.reuse(&norm_sums(&later), &norm_sums(&kept)).unwrap();
    assert_eq!(outcome, Outcome::Finite);
    let expected =
        look_sam::reuse(&widened_all(&later), &widened_all(&kept), 0.625, format).unwrap();
    assert_all_within("reuse", &mixed(reuse, &later, &kept), &expected);
}

#[test]
fn look_sam_is_the_oracles() {
    look_sam_agrees::<f32>(Format::F32);
    look_sam_agrees::<f64>(Format::F64);
}

#[test]
fn zero_gradients_leave_the_other_as_it_is() {
    let (g, p) = gradients::<f32>(10);
    let zeros: Vec<Vec<f32>> = g.iter().map(|plane| vec![0.0; plane.len()]).collect();
    let (mix, outcome) = Gsam::new(0.5).unwrap().arm(&pair_sums(&zeros, &g)).unwrap();
    assert_eq!((outcome, mixed(mix, &g, &zeros)), (Outcome::ZeroNorm, zeros.clone()));
    let look = LookSam::new(0.5).unwrap();
    let (split, outcome) = look.split(&pair_sums(&zeros, &p)).unwrap();
    assert_eq!((outcome, mixed(split, &zeros, &p)), (Outcome::ZeroNorm, p));
    let (reuse, outcome) = look.reuse(&norm_sums(&g), &norm_sums(&zeros)).unwrap();
    assert_eq!((outcome, mixed(reuse, &g, &zeros)), (Outcome::ZeroNorm, g));
}

#[test]
fn non_finite_gradients_are_an_outcome() {
    let (mut g, p) = gradients::<f32>(11);
    g[2][7] = f32::NAN;
    assert_eq!(Gsam::new(0.5).unwrap().arm(&pair_sums(&p, &g)).unwrap().1, Outcome::NonFinite);
    let look = LookSam::new(0.5).unwrap();
    assert_eq!(look.split(&pair_sums(&g, &p)).unwrap().1, Outcome::NonFinite);
    assert_eq!(look.reuse(&norm_sums(&g), &norm_sums(&p)).unwrap().1, Outcome::NonFinite);
    assert_eq!(clip_factor(&norm_sums(&g), 1.0), Ok((1.0, Outcome::NonFinite)));
}

#[test]
fn clipping_is_the_oracles() {
    for (seed, scale, max_norm) in
        [(12, 1.0, 1.0), (13, 1.0, 1e9), (14, 1e25, 0.5), (15, 1e-30, 1e-31)]
    {
        let (mut g, _) = gradients::<f32>(seed);
        g.iter_mut().flatten().for_each(|x| *x *= scale);
        let max_norm = max_norm as f32;
        let (factor, outcome) = clip_factor(&norm_sums(&g), max_norm).unwrap();
        let expected = clip::clip_factor(&widened_all(&g), f64::from(max_norm), Format::F32);
        assert_eq!(outcome, Outcome::Finite);
        let error = (f64::from(factor) - expected.value).abs();
        assert!(error <= expected.bound, "{factor} is not {expected:?}");
    }
    for max_norm in [0.0, -1.0, f32::NAN] {
        assert!(clip_factor(&norm_sums(&[vec![1.0_f32]]), max_norm).is_err(), "{max_norm}");
    }
}

#[test]
fn schedules_are_the_oracles() {
    let oracle_cosine =
        schedule::Schedule::Cosine { learning_rate: 0.5, learning_rate_min: 0.125, total: 40 };
    let oracle_steps = schedule::Schedule::MultiStep {
        learning_rate: 0.5,
        gamma: 0.25,
        milestones: vec![10, 20, 20],
    };
    let oracle_constant = schedule::Schedule::Constant { learning_rate: 0.5 };
    let core = [
        (Schedule::cosine(0.5, 0.125, 40).unwrap(), oracle_cosine),
        (Schedule::multi_step(0.5, 0.25, &[10, 20, 20]).unwrap(), oracle_steps),
        (Schedule::constant(0.5).unwrap(), oracle_constant),
    ];
    for (core, oracle) in core {
        for warm_up in [0, 1, 7] {
            let core = core.with_warm_up(warm_up);
            let then = Box::new(oracle.clone());
            let oracle = schedule::Schedule::WarmUp { peak: 0.5, steps: u64::from(warm_up), then };
            for step in 0..60 {
                let (found, expected): (f64, f64) = (core.at(step), oracle.at(u64::from(step)));
                assert!(
                    (found - expected).abs() < 1e-15,
                    "{oracle:?} at {step}: {found}, {expected}"
                );
            }
        }
    }
}

#[test]
fn a_cosine_begins_at_its_peak_where_rounding_would_begin_above() {
    let unit = f32::EPSILON;
    let (last, peak) = (1.5 * unit, 1.0 + 3.0 * unit);
    assert_eq!(last + (peak - last), 1.0 + 4.0 * unit);
    assert_eq!(Schedule::cosine(peak, last, 10).unwrap().at(0), peak);
}

#[test]
fn gsams_radius_is_the_oracles() {
    for rate in [0.0, 0.125, 0.3, 0.5] {
        let expected = schedule::gsam_rho(rate, (0.0, 0.5), (0.25, 0.75));
        assert!((gsam_rho((0.25, 0.75), (0.0, 0.5), rate) - expected).abs() < 1e-15);
    }
    // Rates that do not begin at 0, one outside them, and two that are equal.
    for (rate, clamped) in [(0.0, 0.125), (0.125, 0.125), (0.3, 0.3), (0.5, 0.5), (0.75, 0.5)] {
        let expected = schedule::gsam_rho(clamped, (0.125, 0.5), (0.25, 0.75));
        assert!((gsam_rho((0.25, 0.75), (0.125, 0.5), rate) - expected).abs() < 1e-15, "{rate}");
        let equal = schedule::gsam_rho(rate, (0.5, 0.5), (0.25, 0.75));
        assert_eq!(gsam_rho((0.25, 0.75), (0.5, 0.5), rate), equal, "{rate}");
    }
}

/// A mix that core does not have.
#[derive(Clone, Copy)]
struct Mean;

impl GradientMix<f32> for Mean {
    fn mix(self, grad: f32, perturbed_grad: f32) -> f32 {
        0.5 * (grad + perturbed_grad)
    }
}

#[test]
fn a_stranger_s_mix_is_written() {
    let (g, p) = (vec![vec![2.0, -4.0, 0.5]], vec![vec![4.0, 4.0, 1.5]]);
    assert_eq!(mixed(Mean, &g, &p), [[3.0, 0.0, 1.0]]);
}

#[test]
fn a_gradient_that_is_not_split_keeps_every_bit() {
    let (g, p) = (vec![vec![f32::INFINITY, 1.0, -1.0]], vec![vec![2.0, -0.0, 3.0]]);
    let (mix, outcome) = LookSam::new(0.5).unwrap().split(&pair_sums(&g, &p)).unwrap();
    assert_eq!(outcome, Outcome::NonFinite);
    assert_eq!(bits(&mixed(mix, &g, &p)[0]), bits(&p[0]));
}

#[test]
fn a_ratio_that_leaves_the_range_at_either_end_is_told() {
    let look = LookSam::new(0.5f32).unwrap();
    for (g, kept) in [(1e-30, 1e30), (1e30, 1e-30)] {
        let (g, kept) = (vec![vec![g, 0.0]], vec![vec![0.0, kept]]);
        let (mix, outcome) = look.reuse(&norm_sums(&g), &norm_sums(&kept)).unwrap();
        assert_eq!((outcome, mixed(mix, &g, &kept)), (Outcome::NonFinite, g));
    }
    // Nothing vanishes where g is zero.
    let (g, kept) = (vec![vec![0.0, 0.0]], vec![vec![0.0, 1.0]]);
    let (mix, outcome) = look.reuse(&norm_sums(&g), &norm_sums(&kept)).unwrap();
    assert_eq!((outcome, mixed(mix, &g, &kept)), (Outcome::Finite, g));
}

#[test]
fn a_dot_product_beyond_the_range_leaves_the_second_gradient() {
    let (g, p) = (vec![vec![1e20f32, 0.0]], vec![vec![1e20, 1e20]]);
    let (split, first) = LookSam::new(0.5).unwrap().split(&pair_sums(&g, &p)).unwrap();
    let (gsam, second) = Gsam::new(0.5).unwrap().arm(&pair_sums(&p, &g)).unwrap();
    assert_eq!([first, second], [Outcome::NonFinite; 2]);
    assert_eq!([mixed(split, &g, &p), mixed(gsam, &g, &p)], [p.clone(), p]);
}

#[test]
fn a_gradient_whose_square_is_beyond_the_range_is_split() {
    // <g, g~> / |g|^2 = 4e30 / 2e40
    let (g, p) = (vec![vec![1e20_f32, 1e20]], vec![vec![1e10, 3e10]]);
    let (split, outcome) = LookSam::new(0.5).unwrap().split(&pair_sums(&g, &p)).unwrap();
    assert_eq!(outcome, Outcome::Finite);
    for (found, expected) in mixed(split, &g, &p)[0].iter().zip([-1e10, 1e10]) {
        assert!((found / expected - 1.0).abs() < 1e-6, "{found}");
    }
}

#[test]
fn a_part_is_reused_beside_finite_norms_alone() {
    for (g, kept) in [(f32::NAN, 1.0), (f32::INFINITY, 1.0), (0.0, f32::INFINITY), (1.0, f32::NAN)]
    {
        let (g, kept) = (vec![vec![g]], vec![vec![kept]]);
        for alpha in [0.0, 0.5] {
            let look = LookSam::new(alpha).unwrap();
            let (mix, outcome) = look.reuse(&norm_sums(&g), &norm_sums(&kept)).unwrap();
            assert_eq!(outcome, Outcome::NonFinite, "{g:?}, {kept:?}, {alpha}");
            assert_eq!(bits(&mixed(mix, &g, &kept)[0]), bits(&g[0]));
        }
    }
}

#[test]
fn a_projection_beyond_the_range_leaves_the_second_gradient() {
    // <g, g~> / |g|^2 is 3e44 and its like; both norms and the product are numbers.
    let (g, p) = (vec![vec![1e-14_f32, 0.0]], vec![vec![3e30, 1e30]]);
    let (split, first) = LookSam::new(0.5).unwrap().split(&pair_sums(&g, &p)).unwrap();
    let (gsam, second) = Gsam::new(0.5).unwrap().arm(&pair_sums(&g, &p)).unwrap();
    assert_eq!([first, second], [Outcome::NonFinite; 2]);
    assert_eq!([mixed(split, &g, &p), mixed(gsam, &p, &g)], [p, g]);
}
