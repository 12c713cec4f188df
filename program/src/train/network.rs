//! [`Network`]: the multilayer perceptron of a run with its scratch.

use presam_model::{Mlp, Segment};

use crate::data::Dataset;

/// Examples a pass outside training takes at a time.
pub(super) const EVALUATION: usize = 512;

/// The model and the scratch it computes in.
pub(super) struct Network<'w> {
    pub mlp: Mlp<'w>,
    pub segments: Vec<Segment>,
    scratch: Vec<f32>,
    inputs: Vec<f32>,
    labels: Vec<u8>,
}

impl<'w> Network<'w> {
    /// A network of the given widths for batches of at most `batch` examples.
    pub fn new(widths: &'w [usize], batch: usize) -> Result<Self, presam_model::Error> {
        let mlp = Mlp::new(widths)?;
        let scratch = vec![0.0; mlp.scratch_len(batch.max(EVALUATION))];
        let segments = mlp.segments().collect();
        Ok(Self { mlp, segments, scratch, inputs: Vec::new(), labels: Vec::new() })
    }

    /// Gathers the examples of the next step.
    pub fn gather(&mut self, data: &Dataset, labels: &[u8], batch: &[usize]) {
        self.inputs.clear();
        self.labels.clear();
        for &index in batch {
            if let (Some(row), Some(&label)) = (data.row(index), labels.get(index)) {
                self.inputs.extend_from_slice(row);
                self.labels.push(label);
            }
        }
    }

    /// Mean loss of the gathered examples at `params`, its gradient into `grads`.
    pub fn gradient(
        &mut self,
        params: &[f32],
        grads: &mut [f32],
    ) -> Result<f32, presam_model::Error> {
        let batch = self.labels.len();
        let Self { mlp, scratch, inputs, labels, .. } = self;
        mlp.loss_and_gradient(params, inputs, labels, batch, grads, scratch)
    }

    /// Mean loss over all examples of `data` with `labels`.
    pub fn mean_loss(
        &mut self,
        params: &[f32],
        data: &Dataset,
        labels: &[u8],
    ) -> Result<f64, presam_model::Error> {
        let mut total = 0.0;
        for (inputs, labels) in batches(data, labels) {
            let loss = self.mlp.loss(params, inputs, labels, labels.len(), &mut self.scratch)?;
            total += f64::from(loss) * labels.len() as f64;
        }
        Ok(total / data.len().max(1) as f64)
    }

    /// Share of examples of `data` whose label in `labels` the model gives.
    pub fn accuracy(
        &mut self,
        params: &[f32],
        data: &Dataset,
        labels: &[u8],
    ) -> Result<f64, presam_model::Error> {
        let mut correct = 0;
        for (inputs, labels) in batches(data, labels) {
            let batch = labels.len();
            correct += self.mlp.correct_count(params, inputs, labels, batch, &mut self.scratch)?;
        }
        Ok(correct as f64 / data.len().max(1) as f64)
    }
}

fn batches<'a>(data: &'a Dataset, labels: &'a [u8]) -> impl Iterator<Item = (&'a [f32], &'a [u8])> {
    data.inputs.chunks(EVALUATION * data.features.max(1)).zip(labels.chunks(EVALUATION))
}
