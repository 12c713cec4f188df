//! A quadratic with known eigenvalues, and a small network against an exact eigen-solver on its exact Hessian.

use super::*;

/// f = 1/2 sum a_i (q_i . w)^2 with q a fixed rotation in the plane of each neighbouring pair.
fn quadratic(eigenvalues: &[f64]) -> impl FnMut(&[f32], &mut [f32]) -> f32 + '_ {
    let (sin, cos) = 0.7_f64.sin_cos();
    move |params, grads| {
        let mut loss = 0.0;
        for ((w, g), a) in params.chunks(2).zip(grads.chunks_mut(2)).zip(eigenvalues.chunks(2)) {
            let (x, y) = (f64::from(w[0]), f64::from(w[1]));
            let (u, v) = (cos * x + sin * y, cos * y - sin * x);
            loss += 0.5 * (a[0] * u * u + a[1] * v * v);
            g[0] = (cos * a[0] * u - sin * a[1] * v) as f32;
            g[1] = (sin * a[0] * u + cos * a[1] * v) as f32;
        }
        loss as f32
    }
}

#[test]
fn a_quadratic_gives_its_largest_eigenvalue() {
    let params = [0.3, -0.2, 0.1, 0.7, -1.0, 0.4];
    let found =
        largest_hessian_eigenvalue(&params, 1, quadratic(&[1.0, 7.5, 0.1, 3.0, 0.0, 2.0])).unwrap();
    assert!(found.converged && found.iterations < 30, "{found:?}");
    assert!((found.eigenvalue - 7.5).abs() < 1e-3 * 7.5, "{found:?}");
}

#[test]
fn a_dominant_negative_eigenvalue_does_not_hide_the_largest_one() {
    let params = [0.3, -0.2, 0.1, 0.7];
    let found = largest_hessian_eigenvalue(&params, 1, quadratic(&[-9.0, 2.0, -1.0, 0.5])).unwrap();
    assert!((found.eigenvalue - 2.0).abs() < 0.02, "{found:?}");
}

#[test]
fn flat_empty_and_broken_losses_have_defined_answers() {
    let flat = largest_hessian_eigenvalue(&[1.0, 2.0], 1, |_, grads| {
        grads.fill(0.5);
        1.0
    });
    assert_eq!(flat.map(|c| (c.eigenvalue, c.converged)), Some((0.0, true)));
    assert_eq!(largest_hessian_eigenvalue(&[], 1, |_, _| 0.0), None);
    let broken = |_: &[f32], grads: &mut [f32]| {
        grads.fill(f32::NAN);
        f32::NAN
    };
    assert_eq!(largest_hessian_eigenvalue(&[1.0], 1, broken), None);
    assert_eq!(sam_sharpness(&[1.0], 0.1, broken), None);
    assert_eq!(sam_sharpness(&[1.0], -0.1, |_, _| 0.0), None);
    assert_eq!(sam_sharpness(&[1.0], f64::NAN, |_, _| 0.0), None);
    assert_eq!(sam_sharpness(&[], 0.1, |_, _| 0.0), None);
    assert_eq!(sam_sharpness(&[1.0], 0.1, |_, _| 3.0), Some(0.0));
}

#[test]
fn sam_sharpness_of_a_parabola_by_hand() {
    // f = 2 w^2 at w = 1: g = 4, f(1 + 0.5) - f(1) = 4.5 - 2.
    let parabola = |w: &[f32], g: &mut [f32]| {
        g[0] = 4.0 * w[0];
        2.0 * w[0] * w[0]
    };
    assert_eq!(sam_sharpness(&[1.0], 0.5, parabola), Some(2.5));
}

const INPUTS: usize = 3;
const HIDDEN: usize = 4;
const PARAMS: usize = HIDDEN * INPUTS + HIDDEN;
const SAMPLES: [([f64; INPUTS], f64); 4] = [
    ([1.0, 0.5, -0.3], 1.0),
    ([-0.7, 0.2, 0.9], -0.5),
    ([0.1, -1.2, 0.4], 0.3),
    ([0.6, 0.6, 0.6], 0.8),
];

/// Half the mean squared error of `v . tanh(W x)`, with its gradient in f64.
fn network(params: &[f64], grads: &mut [f64]) -> f64 {
    grads.fill(0.0);
    let (weights, outer) = params.split_at(HIDDEN * INPUTS);
    let mut loss = 0.0;
    for (input, target) in &SAMPLES {
        let hidden: Vec<f64> = weights
            .chunks(INPUTS)
            .map(|row| row.iter().zip(input).map(|(w, x)| w * x).sum::<f64>().tanh())
            .collect();
        let error = outer.iter().zip(&hidden).map(|(v, h)| v * h).sum::<f64>() - target;
        loss += 0.5 * error * error / SAMPLES.len() as f64;
        let slope = error / SAMPLES.len() as f64;
        for unit in 0..HIDDEN {
            grads[HIDDEN * INPUTS + unit] += slope * hidden[unit];
            let inner = slope * outer[unit] * (1.0 - hidden[unit] * hidden[unit]);
            for (k, x) in input.iter().enumerate() {
                grads[unit * INPUTS + k] += inner * x;
            }
        }
    }
    loss
}

/// Eigenvalues of a symmetric matrix by cyclic Jacobi rotations: slow, plain, and independent of the power iteration.
fn jacobi_eigenvalues(mut a: [[f64; PARAMS]; PARAMS]) -> Vec<f64> {
    for _sweep in 0..60 {
        for p in 0..PARAMS {
            for q in p + 1..PARAMS {
                let angle = 0.5 * (2.0 * a[p][q]).atan2(a[q][q] - a[p][p]);
                let (s, c) = angle.sin_cos();
                for row in a.iter_mut() {
                    (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
                }
                let (upper, lower) = a.split_at_mut(q);
                for (x, y) in upper[p].iter_mut().zip(lower[0].iter_mut()) {
                    (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
                }
            }
        }
    }
    let off: f64 = (0..PARAMS)
        .flat_map(|i| (0..PARAMS).map(move |j| (i, j)))
        .filter(|(i, j)| i != j)
        .map(|(i, j)| a[i][j].abs())
        .sum();
    assert!(off < 1e-9, "not diagonal yet: {off}");
    (0..PARAMS).map(|i| a[i][i]).collect()
}

#[test]
fn a_small_network_agrees_with_an_exact_eigen_solver() {
    let params: Vec<f64> = (0..PARAMS)
        .map(|i| 0.9 * ((i * 7 % 11) as f64 / 5.0 - 1.0))
        .map(|w| f64::from(w as f32))
        .collect();
    let mut hessian = [[0.0; PARAMS]; PARAMS];
    let (mut ahead, mut behind) = ([0.0; PARAMS], [0.0; PARAMS]);
    for (column, row) in hessian.iter_mut().enumerate() {
        let (mut up, mut down) = (params.clone(), params.clone());
        up[column] += 1e-5;
        down[column] -= 1e-5;
        network(&up, &mut ahead);
        network(&down, &mut behind);
        row.iter_mut().zip(ahead.iter().zip(&behind)).for_each(|(h, (a, b))| *h = (a - b) / 2e-5);
    }
    let exact = jacobi_eigenvalues(hessian).into_iter().fold(f64::NEG_INFINITY, f64::max);
    let rounded: Vec<f32> = params.iter().map(|&w| w as f32).collect();
    let found = largest_hessian_eigenvalue(&rounded, 7, |w, g| {
        let wide: Vec<f64> = w.iter().map(|&w| f64::from(w)).collect();
        let mut grads = [0.0; PARAMS];
        let loss = network(&wide, &mut grads);
        g.iter_mut().zip(&grads).for_each(|(g, &exact)| *g = exact as f32);
        loss as f32
    })
    .unwrap();
    assert!(exact > 0.1, "the test network must be curved: {exact}");
    assert!((found.eigenvalue - exact).abs() < 5e-3 * exact, "{found:?} instead of {exact}");
}
