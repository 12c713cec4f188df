//! [`Network`]: the multilayer perceptron of a run with its scratch.

use std::ops::Range;

use presam_model::{Mlp, Segment};

use super::pieces::{Pieces, cut};
use super::ranks::Ranks;
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
    /// The one part of the gathered examples that gradients are taken of; `None` for all of them, in so many pieces.
    part: Option<Range<usize>>,
    pieces: usize,
    /// Who takes the pieces.
    ranks: Ranks<'w>,
}

impl<'w> Network<'w> {
    /// A network of the given widths for batches of at most `batch` examples.
    pub fn new(widths: &'w [usize], batch: usize) -> Result<Self, presam_model::Error> {
        let mlp = Mlp::new(widths)?;
        let scratch = vec![0.0; mlp.scratch_len(batch.max(EVALUATION))];
        let segments = mlp.segments().collect();
        Ok(Self {
            mlp,
            segments,
            scratch,
            inputs: Vec::new(),
            labels: Vec::new(),
            part: None,
            pieces: 1,
            ranks: Ranks::ALONE,
        })
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
        self.part = None;
    }

    /// The same, to be taken in as many pieces, each rank one of them where there are several.
    #[must_use]
    pub fn in_pieces(self, pieces: usize, ranks: Ranks<'w>) -> Self {
        Self { pieces, ranks, ..self }
    }

    /// The processes that take the pieces.
    pub fn ranks(&self) -> Ranks<'w> {
        self.ranks
    }

    /// Number of gathered examples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// The gathered examples in parts, each at least one.
    pub fn parts(&self, parts: usize) -> Vec<Range<usize>> {
        cut(0..self.labels.len(), parts).collect()
    }

    /// Takes the next gradients of this part alone, which is not cut again; of all examples without one.
    pub fn choose(&mut self, part: Option<Range<usize>>) {
        self.part = part;
    }

    /// Mean loss of the chosen examples at `params`, its gradient into `grads`.
    pub fn gradient(
        &mut self,
        params: &[f32],
        grads: &mut [f32],
    ) -> Result<f32, presam_model::Error> {
        let all = 0..self.len();
        let whole = (self.pieces == 1).then(|| all.clone());
        if let Some(part) = self.part.clone().or(whole) {
            return self.gradient_of(part, params, grads);
        }
        let mut pieces = Pieces::default();
        for (number, piece) in cut(all.clone(), self.pieces).enumerate() {
            if self.ranks.takes(number) {
                let weight = piece.len() as f32 / all.len() as f32;
                let loss = self.gradient_of(piece, params, grads)?;
                pieces.push(weight, loss, grads);
            }
        }
        Ok(pieces.of_all(self.ranks).sum_into(grads))
    }

    fn gradient_of(
        &mut self,
        examples: Range<usize>,
        params: &[f32],
        grads: &mut [f32],
    ) -> Result<f32, presam_model::Error> {
        let Self { mlp, scratch, inputs, labels, .. } = self;
        let features = mlp.widths().first().copied().unwrap_or(0);
        let batch = examples.len();
        let rows = examples.start * features..examples.end * features;
        let inputs = inputs.get(rows).unwrap_or_default();
        let labels = labels.get(examples).unwrap_or_default();
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
