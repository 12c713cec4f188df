//! The network: a multilayer perceptron 64-16-10 on the digits, its batches and how it is judged.

use crate::digits::{DIGITS, PIXELS, TEST, TRAIN};
use crate::fault::Fault;
use presam_model::Mlp;

const WIDTHS: [usize; 3] = [PIXELS, 16, 10];
/// Weights and biases: 64 x 16 + 16 + 16 x 10 + 10.
pub const PARAMS: usize = 1210;
/// Offset and length of W1, b1, W2, b2.
pub const TENSORS: [(usize, usize); 4] = [(0, 1024), (1024, 16), (1040, 160), (1200, 10)];
/// Digits in a batch.
pub const BATCH: usize = 16;
/// Ten times through the digits.
pub const STEPS: u32 = 200;
pub const LEARNING_RATE: f32 = 0.1;
pub const MOMENTUM: f32 = 0.9;
pub const SAM_RHO: f32 = 0.1;
pub const INFO_ASAM_RHO: f32 = 0.5;
/// What `scratch_len` asks for with any feature.
const SCRATCH: usize = 1440;

/// The network's room for one batch.
pub struct Network {
    mlp: Mlp<'static>,
    inputs: [f32; BATCH * PIXELS],
    labels: [u8; BATCH],
    scratch: [f32; SCRATCH],
}

/// How parameters do on the digits that they were not trained on.
#[derive(Clone, Copy)]
pub struct Judged {
    /// Mean cross-entropy.
    pub loss: f32,
    /// How many are told right, of [`TEST`].
    pub right: usize,
}

impl Network {
    pub fn new() -> Result<Self, Fault> {
        let mlp = Mlp::new(&WIDTHS)?;
        let (inputs, labels) = ([0.0; BATCH * PIXELS], [0; BATCH]);
        Ok(Self { mlp, inputs, labels, scratch: [0.0; SCRATCH] })
    }

    /// He's uniform initialisation: weights in [-bound, bound), bound^2 = 6 / inputs; biases zero.
    pub fn initial(&self, params: &mut [f32]) {
        let mut state = 1_u32;
        params.fill(0.0);
        for tensor in self.mlp.segments().filter(|tensor| !tensor.is_bias) {
            let bound = presam::Real::sqrt(6.0 / tensor.rows as f32);
            for weight in &mut params[tensor.range()] {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *weight = ((state >> 8) as f32 / 8_388_608.0 - 1.0) * bound;
            }
        }
    }

    /// The gradient over the batch of a step; the mean loss there.
    pub fn gradient(&mut self, step: u32, w: &[f32], g: &mut [f32]) -> Result<f32, Fault> {
        self.load(step as usize * BATCH % TRAIN);
        // A planted fault: the last digit of each batch is left out.
        let batch = BATCH - usize::from(cfg!(feature = "planted"));
        let (inputs, labels) = (&self.inputs[..batch * PIXELS], &self.labels[..batch]);
        Ok(self.mlp.loss_and_gradient(w, inputs, labels, batch, g, &mut self.scratch)?)
    }

    pub fn judge(&mut self, w: &[f32]) -> Result<Judged, Fault> {
        let mut judged = Judged { loss: 0.0, right: 0 };
        for first in (TRAIN..TRAIN + TEST).step_by(BATCH) {
            self.load(first);
            let (inputs, labels, scratch) = (&self.inputs, &self.labels, &mut self.scratch);
            judged.loss += self.mlp.loss(w, inputs, labels, BATCH, scratch)?;
            judged.right += self.mlp.correct_count(w, inputs, labels, BATCH, scratch)?;
        }
        judged.loss /= (TEST / BATCH) as f32;
        Ok(judged)
    }

    /// The digits from `first` on, pixels scaled to at most 1: exact.
    fn load(&mut self, first: usize) {
        let digits = DIGITS[first..].iter();
        let rows = self.inputs.chunks_exact_mut(PIXELS).zip(&mut self.labels);
        for ((row, label), (pixels, class)) in rows.zip(digits) {
            for (input, pixel) in row.iter_mut().zip(pixels) {
                *input = f32::from(*pixel) / 16.0;
            }
            *label = *class;
        }
    }
}

/// What "it has learnt" means: from about one in ten to more than three in four.
pub fn has_learnt(before: Judged, after: Judged) -> bool {
    before.right * 4 < TEST && after.right * 4 > TEST * 3 && after.loss < before.loss
}
