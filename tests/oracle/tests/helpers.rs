//! Descent helpers, clipping, schedules and masks against values worked out by hand or in 40-digit decimals.

use presam_oracle::clip::clip_factor;
use presam_oracle::descent::{gsam, look_sam, saner, wsam};
use presam_oracle::mask::{drop_fraction, dynamic_mask, fisher_mask};
use presam_oracle::schedule::gsam_rho;
use presam_oracle::{BoundedVector, Format, Schedule};

fn params() -> Vec<Vec<f64>> {
    vec![vec![1.0, -2.0, 0.5], vec![0.25, 0.0]]
}

fn grads() -> Vec<Vec<f64>> {
    vec![vec![0.3, -0.4, 1.2], vec![0.0, -0.05]]
}

fn perturbed_grads() -> Vec<Vec<f64>> {
    vec![vec![0.1, -0.7, 1.6], vec![0.2, -0.15]]
}

fn zeros() -> Vec<Vec<f64>> {
    vec![vec![0.0; 3], vec![0.0; 2]]
}

fn flat(list: &[BoundedVector]) -> Vec<f64> {
    list.iter().flat_map(|x| x.values.clone()).collect()
}

fn assert_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= 2e-15, "{found} is not {expected}");
    }
}

#[test]
fn gsam_takes_off_the_part_of_g_across_the_second_gradient() {
    let found = gsam::gsam(&grads(), &perturbed_grads(), 0.4, Format::F64).unwrap();
    let expected = [
        0.00866293034427542,
        -0.7406405124099279,
        1.5786068855084068,
        0.25732586068855084,
        -0.17299439551641313,
    ];
    assert_close(&flat(&found), &expected);
    assert_eq!(flat(&gsam::gsam(&grads(), &zeros(), 0.4, Format::F64).unwrap()), zeros().concat());
}

#[test]
fn wsam_coupled_and_decoupled() {
    let coupled = wsam::coupled(&grads(), &perturbed_grads(), 0.75, Format::F64).unwrap();
    assert_close(&flat(&coupled), &[-0.3, -1.3, 2.4, 0.6, -0.35]);
    let decoupled =
        wsam::decoupled(&params(), &grads(), &perturbed_grads(), 0.75, 0.1, Format::F64).unwrap();
    assert_close(&flat(&decoupled), &[1.06, -1.91, 0.38, 0.19, 0.03]);
}

/// g~ / g is 1/3, 7/4, 4/3, then 0.2 / 0 and 3: the first alone is shrunk.
#[test]
fn saner_shrinks_what_the_perturbation_made_smaller() {
    let found = saner::saner(&grads(), &perturbed_grads(), 0.5, Format::F64).unwrap();
    assert_close(&flat(&found), &[0.05, -0.7, 1.6, 0.2, -0.15]);
    // The other way round the inverse ratios: all but the fourth, 0 / 0.2, are below 1.
    let found = saner::saner(&perturbed_grads(), &grads(), 0.75, Format::F64).unwrap();
    assert_close(&flat(&found), &[0.3, -0.1, 0.3, 0.0, -0.0125]);
    // Another sign, the same value and a zero are left alone.
    let (g, p) = ([vec![1.0, -1.0, 2.0, 0.0]], [vec![-0.5, 0.5, 2.0, 0.0]]);
    assert_eq!(flat(&saner::saner(&g, &p, 0.5, Format::F64).unwrap()), p[0]);
    assert_eq!(
        flat(&saner::saner(&grads(), &perturbed_grads(), 0.0, Format::F64).unwrap()),
        perturbed_grads().concat()
    );
}

#[test]
fn look_sam_keeps_and_uses_the_part_across_g() {
    let kept = look_sam::direction(&grads(), &perturbed_grads(), Format::F64).unwrap();
    let expected =
        [-0.296602658788774, -0.17119645494830132, 0.013589364844903988, 0.2, -0.08389955686853767];
    assert_close(&flat(&kept), &expected);
    let directions: Vec<Vec<f64>> = kept.into_iter().map(|v| v.values).collect();
    let used = look_sam::reuse(&grads(), &directions, 0.7, Format::F64).unwrap();
    let expected = [
        -0.3659592307685832,
        -0.784385830906767,
        1.2305120763101143,
        0.44905816656407455,
        -0.23837890591461916,
    ];
    assert_close(&flat(&used), &expected);

    let of_zero = look_sam::direction(&zeros(), &perturbed_grads(), Format::F64).unwrap();
    assert_eq!(flat(&of_zero), perturbed_grads().concat());
    assert_eq!(
        flat(&look_sam::reuse(&grads(), &zeros(), 0.7, Format::F64).unwrap()),
        grads().concat()
    );
}

#[test]
fn helpers_name_a_wrong_shape() {
    let short = vec![vec![0.0; 3], vec![0.0; 1]];
    let error = gsam::gsam(&grads(), &short, 0.4, Format::F64).unwrap_err();
    assert_eq!(
        (error.segment, error.slice, error.expected, error.found),
        (1, "perturbed_grads", 2, 1)
    );
    assert!(wsam::decoupled(&params(), &short, &grads(), 0.9, 0.1, Format::F64).is_err());
    assert!(look_sam::reuse(&grads(), &short, 0.7, Format::F64).is_err());
    assert!(saner::saner(&grads(), &short, 0.5, Format::F64).is_err());
    assert!(dynamic_mask(&grads(), &grads(), &short, 0.5, 0.5).is_err());
}

#[test]
fn clipping_is_by_the_global_norm_and_only_above_it() {
    let grads = [vec![3.0], vec![4.0]];
    assert_eq!(clip_factor(&grads, 1.0, Format::F32).value, 0.2);
    assert_eq!(clip_factor(&grads, 5.0, Format::F32).value, 1.0);
    assert_eq!(clip_factor(&grads, 6.0, Format::F32).value, 1.0);
    assert_eq!(clip_factor(&[vec![3e200], vec![4e200]], 1e200, Format::F64).value, 0.2);
    assert_eq!(clip_factor(&[], 1.0, Format::F64).value, 1.0);
}

#[test]
fn schedules() {
    let multi = Schedule::MultiStep { learning_rate: 8.0, gamma: 0.5, milestones: vec![2, 3, 5] };
    assert_eq!([0, 1, 2, 3, 4, 5, 9].map(|t| multi.at(t)), [8.0, 8.0, 4.0, 2.0, 2.0, 1.0, 1.0]);

    let cosine = Schedule::Cosine { learning_rate: 1.0, learning_rate_min: 0.5, total: 4 };
    let half = std::f64::consts::FRAC_1_SQRT_2 / 4.0;
    assert_close(
        &[0, 1, 2, 3, 4, 7].map(|t| cosine.at(t)),
        &[1.0, 0.75 + half, 0.75, 0.75 - half, 0.5, 0.5],
    );

    let warm = Schedule::WarmUp { peak: 1.0, steps: 4, then: Box::new(cosine) };
    assert_close(&[0, 1, 3, 4, 6, 8].map(|t| warm.at(t)), &[0.25, 0.5, 1.0, 1.0, 0.75, 0.5]);
    assert_eq!(Schedule::Constant { learning_rate: 0.1 }.at(99), 0.1);
}

#[test]
fn gsam_radius_follows_the_learning_rate() {
    let rho = |rate, max| gsam_rho(rate, (0.1, max), (0.2, 0.6));
    assert_close(
        &[rho(0.1, 0.5), rho(0.3, 0.5), rho(0.5, 0.5), rho(0.1, 0.1)],
        &[0.2, 0.4, 0.6, 0.6],
    );
}

#[test]
fn fisher_mask_ranks_over_all_segments_and_breaks_ties_downwards() {
    let scores = [vec![1.0, 3.0, f64::NAN], vec![3.0, -9.0, 0.0, 3.0, 2.0, 0.5, 0.5]];
    // Of ten, int(10 (1 - 0.7)) = 3: the three scores of 3, not the NaN or the square of a negative.
    assert_eq!(
        fisher_mask(&scores, 0.7),
        [vec![0.0, 1.0, 0.0], vec![1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]]
    );
    // int(10 (1 - 0.8)) is 1 in floating point, and the tie goes to the lower index.
    assert_eq!(fisher_mask(&scores, 0.8).concat().iter().sum::<f64>(), 1.0);
    assert_eq!(fisher_mask(&scores, 0.8)[0][1], 1.0);
    // Eight: NaN, negative and zero all count as 0, so the first two of these three are in.
    assert_eq!(fisher_mask(&scores, 0.125)[0], [1.0, 1.0, 1.0]);
    assert_eq!(fisher_mask(&scores, 0.125)[1], [1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
    assert_eq!(fisher_mask(&scores, 0.0).concat(), [1.0; 10]);
}

#[test]
fn dynamic_mask_drops_and_grows_against_the_old_mask() {
    let mask = [vec![1.0, 1.0, 0.0, 0.0], vec![1.0, 0.0, 1.0, 0.0]];
    let death = [vec![0.1, 0.9, 9.0, 9.0], vec![0.0, 9.0, 0.8, 9.0]];
    let growth = [vec![9.0, 9.0, 0.2, 0.0], vec![9.0, 0.7, 9.0, 0.6]];
    // n = 8, sparsity 1/2, dr 1/2: keep 2 of the four ones, grow 2 of the four zeros.
    let new = dynamic_mask(&mask, &death, &growth, 0.5, 0.5).unwrap();
    assert_eq!(new, [vec![0.0, 1.0, 0.0, 0.0], vec![0.0, 1.0, 1.0, 1.0]]);
    // dr = 0 keeps the mask, even the one whose score is 0 against masked scores of 0.
    assert_eq!(dynamic_mask(&mask, &death, &growth, 0.5, 0.0).unwrap(), mask);
    // sparsity 1/4: n s = 2 limits growth to 2 of (6 * 0.5) = 3, and int(6 * 0.5) = 3 are kept.
    let new = dynamic_mask(&mask, &death, &growth, 0.25, 0.5).unwrap();
    assert_eq!(new, [vec![1.0, 1.0, 0.0, 0.0], vec![0.0, 1.0, 1.0, 1.0]]);
}

#[test]
fn drop_fraction_falls_as_half_a_cosine() {
    assert_close(
        &[0.0, 5.0, 10.0].map(|epoch| drop_fraction(0.5, epoch, 0.0, 10.0)),
        &[0.5, 0.25, 0.0],
    );
}
