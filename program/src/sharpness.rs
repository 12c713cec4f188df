//! How sharp a minimum is, from the loss and its gradient alone.
//!
//! ```text
//! Hessian times v        H v  =~ ( grad(w + h v) - grad(w - h v) ) / 2h
//! power iteration        v <- H v / ||H v||,     lambda = v . H v  for ||v|| = 1
//! stop where             ||H v - lambda v|| <= 1e-3 |lambda|, or after 30 iterations
//! SAM sharpness          f(w + rho g / ||g||) - f(w),   the one-step bound of max over ||e|| <= rho
//! ```
//!
//! The loss is a closure `(params, grads) -> loss` on one fixed batch: with a fresh batch at every call
//! the iteration would chase a different matrix each time. Parameters and gradients are f32, every sum f64.

use presam_model::init::streams;
use rand_core::Rng;

const ITERATIONS: usize = 30;
const RESIDUAL: f64 = 1e-3;
/// Length of a difference step relative to `1 + ||w||`: far above f32 rounding, small against the curvature's change.
const STEP: f64 = 1e-3;

/// The largest Hessian eigenvalue and how well it was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Curvature {
    /// The eigenvalue (Rayleigh quotient of the last vector), in units of the loss.
    pub eigenvalue: f64,
    /// `||H v - lambda v|| / |lambda|` at the last vector (0 where H v is 0).
    pub residual: f64,
    /// Iterations used.
    pub iterations: usize,
    /// Whether the residual fell to 1e-3; if not, the eigenvalue is a lower estimate.
    pub converged: bool,
}

/// Largest eigenvalue of the Hessian at `params`; `seed` picks the first vector.
///
/// Power iteration finds the eigenvalue of largest magnitude. Where that one is negative, a second
/// iteration on `H + |lambda|` finds the largest one. Costs two gradients an iteration.
///
/// `None` without parameters, or where a gradient is not finite.
pub fn largest_hessian_eigenvalue<F>(params: &[f32], seed: u64, mut loss: F) -> Option<Curvature>
where
    F: FnMut(&[f32], &mut [f32]) -> f32,
{
    if params.is_empty() {
        return None;
    }
    let mut hessian = HessianProduct::new(params);
    let dominant = power_iteration(&mut hessian, &mut loss, seed, 0.0)?;
    if dominant.eigenvalue >= 0.0 {
        return Some(dominant);
    }
    power_iteration(&mut hessian, &mut loss, seed, -dominant.eigenvalue)
}

/// Rise of the loss after one step of length `rho` along the gradient: `f(w + rho g / ||g||) - f(w)`.
///
/// A zero gradient has no direction: the rise is 0. `None` without parameters, for a negative or
/// non-finite `rho`, or where loss or gradient is not finite. Costs two gradients.
pub fn sam_sharpness<F>(params: &[f32], rho: f64, mut loss: F) -> Option<f64>
where
    F: FnMut(&[f32], &mut [f32]) -> f32,
{
    if params.is_empty() || !rho.is_finite() || rho < 0.0 {
        return None;
    }
    let mut grads = vec![0.0; params.len()];
    let before = f64::from(loss(params, &mut grads));
    let direction: Vec<f64> = grads.iter().map(|&grad| f64::from(grad)).collect();
    let length = norm(&direction);
    if !before.is_finite() || !length.is_finite() {
        return None;
    }
    if length == 0.0 {
        return Some(0.0);
    }
    let mut perturbed = vec![0.0; params.len()];
    shift(params, &direction, rho / length, &mut perturbed);
    let rise = f64::from(loss(&perturbed, &mut grads)) - before;
    rise.is_finite().then_some(rise)
}

/// One eigenvalue of `H + shift`, reported without the shift.
fn power_iteration<F>(
    hessian: &mut HessianProduct<'_>,
    loss: &mut F,
    seed: u64,
    shift: f64,
) -> Option<Curvature>
where
    F: FnMut(&[f32], &mut [f32]) -> f32,
{
    let mut vector = start(hessian.params.len(), seed);
    let mut last =
        Curvature { eigenvalue: 0.0, residual: f64::INFINITY, iterations: 0, converged: false };
    for iteration in 1..=ITERATIONS {
        hessian.apply(&vector, loss)?;
        let mut image = hessian.image.clone();
        image.iter_mut().zip(&vector).for_each(|(image, &v)| *image += shift * v);
        let length = norm(&image);
        if !length.is_finite() {
            return None;
        }
        let quotient: f64 = vector.iter().zip(&image).map(|(v, image)| v * image).sum();
        let rest: Vec<f64> =
            vector.iter().zip(&image).map(|(v, image)| image - quotient * v).collect();
        let residual = if length == 0.0 { 0.0 } else { norm(&rest) / quotient.abs() };
        let converged = residual <= RESIDUAL;
        last =
            Curvature { eigenvalue: quotient - shift, residual, iterations: iteration, converged };
        if converged {
            break;
        }
        vector.iter_mut().zip(&image).for_each(|(v, &image)| *v = image / length);
    }
    Some(last)
}

/// Product of the Hessian with a unit vector, by central differences of the gradient.
struct HessianProduct<'a> {
    params: &'a [f32],
    step: f64,
    shifted: Vec<f32>,
    ahead: Vec<f32>,
    behind: Vec<f32>,
    image: Vec<f64>,
}

impl<'a> HessianProduct<'a> {
    fn new(params: &'a [f32]) -> Self {
        let n = params.len();
        let length = params.iter().map(|&w| f64::from(w) * f64::from(w)).sum::<f64>().sqrt();
        let step = STEP * (1.0 + length);
        Self {
            params,
            step,
            shifted: vec![0.0; n],
            ahead: vec![0.0; n],
            behind: vec![0.0; n],
            image: vec![0.0; n],
        }
    }

    /// Leaves H v in `image`; `None` where a loss is not finite.
    fn apply<F>(&mut self, vector: &[f64], loss: &mut F) -> Option<()>
    where
        F: FnMut(&[f32], &mut [f32]) -> f32,
    {
        // A closure that adds to its gradient buffer must find zeros there.
        self.ahead.fill(0.0);
        self.behind.fill(0.0);
        shift(self.params, vector, self.step, &mut self.shifted);
        let high = loss(&self.shifted, &mut self.ahead);
        shift(self.params, vector, -self.step, &mut self.shifted);
        let low = loss(&self.shifted, &mut self.behind);
        for ((image, &ahead), &behind) in self.image.iter_mut().zip(&self.ahead).zip(&self.behind) {
            *image = (f64::from(ahead) - f64::from(behind)) / (2.0 * self.step);
        }
        (high.is_finite() && low.is_finite()).then_some(())
    }
}

/// `out = params + factor * direction`, rounded once.
fn shift(params: &[f32], direction: &[f64], factor: f64, out: &mut [f32]) {
    for ((out, &param), &direction) in out.iter_mut().zip(params).zip(direction) {
        *out = (f64::from(param) + factor * direction) as f32;
    }
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// A unit vector without a preferred direction: entries of the seed's stream, centred.
fn start(n: usize, seed: u64) -> Vec<f64> {
    let mut words = streams(seed).initialisation;
    let entry = |_| words.next_u64() as f64 / u64::MAX as f64 - 0.5;
    let mut vector: Vec<f64> = (0..n).map(entry).collect();
    let length = norm(&vector).max(f64::MIN_POSITIVE);
    vector.iter_mut().for_each(|v| *v /= length);
    vector
}

#[cfg(test)]
mod tests;
