//! What a trained model is: loss and accuracy on the training set, sharpness.

use super::network::{EVALUATION, Network};
use super::split::Split;
use crate::error::Error;
use crate::sharpness::{largest_hessian_eigenvalue, sam_sharpness};

/// Examples that sharpness is measured on: the first of the training set, with the given labels.
pub(super) const SHARPNESS_SAMPLES: usize = EVALUATION;
/// The radius of the SAM sharpness in the records, the same for every method so that it compares.
pub(super) const SHARPNESS_RHO: f64 = 0.5;

/// A model on the set that it was trained on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct OnTrainingSet {
    /// Mean loss, given labels.
    pub loss: f64,
    /// Share of the true labels that it gives.
    pub clean: f64,
    /// Share of the given labels that it gives.
    pub noisy: f64,
}

/// Where a trained model is measured: the same bits everywhere.
pub(super) trait Measure {
    /// The final parameters on the whole training set.
    fn on_training_set(&mut self) -> Result<OnTrainingSet, Error>;
    /// Mean loss of the sharpness samples at any `params`, its gradient into `grads`.
    fn gradient(&mut self, params: &[f32], grads: &mut [f32]) -> Result<f32, Error>;
}

/// On the CPU.
pub(super) struct OnCpu<'a, 'w> {
    network: Network<'w>,
    params: &'a [f32],
    split: &'a Split,
}

impl<'a, 'w> OnCpu<'a, 'w> {
    /// The model at `params`.
    pub fn new(
        widths: &'w [usize],
        batch: usize,
        params: &'a [f32],
        split: &'a Split,
    ) -> Result<Self, Error> {
        let mut network = Network::new(widths, batch)?;
        let samples: Vec<usize> = (0..split.train.len().min(SHARPNESS_SAMPLES)).collect();
        network.gather(&split.train, &split.given, &samples);
        Ok(Self { network, params, split })
    }
}

impl Measure for OnCpu<'_, '_> {
    fn on_training_set(&mut self) -> Result<OnTrainingSet, Error> {
        let Self { network, params, split } = self;
        Ok(OnTrainingSet {
            loss: network.mean_loss(params, &split.train, &split.given)?,
            clean: network.accuracy(params, &split.train, &split.train.labels)?,
            noisy: network.accuracy(params, &split.train, &split.given)?,
        })
    }

    fn gradient(&mut self, params: &[f32], grads: &mut [f32]) -> Result<f32, Error> {
        Ok(self.network.gradient(params, grads)?)
    }
}

/// The largest Hessian eigenvalue and the SAM sharpness; `None` where they could not be computed.
pub(super) fn sharpness(
    at: &mut impl Measure,
    params: &[f32],
) -> Result<(Option<f64>, Option<f64>), Error> {
    let mut refused = None;
    let mut loss = |params: &[f32], grads: &mut [f32]| {
        at.gradient(params, grads).unwrap_or_else(|error| {
            refused.get_or_insert(error);
            f32::NAN
        })
    };
    let curvature = largest_hessian_eigenvalue(params, 0, &mut loss);
    let rise = sam_sharpness(params, SHARPNESS_RHO, &mut loss);
    match refused {
        None => Ok((curvature.map(|curvature| curvature.eigenvalue), rise)),
        Some(error) => Err(error),
    }
}
