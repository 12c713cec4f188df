//! What a model is that trains or has trained, measured where it lies.

use std::time::Instant;

use presam_kernels::entries;
use presam_kernels::plain::bytes_of;

use super::DeviceTrainer;
use crate::error::Error;
use crate::train::health::Change;
use crate::train::measure::{Measure, OnTrainingSet, SHARPNESS_SAMPLES};
use presam_cuda::{Batch, DeviceError, Flat, download};

impl DeviceTrainer<'_> {
    /// The mean loss of the batch whose losses were computed last.
    fn mean_loss(&mut self, batch: Batch) -> Result<f32, DeviceError> {
        let arguments = [batch.len as u64, self.made.network.losses(), self.made.log];
        self.device.launch(&entries::mean_loss, 1, &arguments)?;
        Ok(download::<f32>(self.device, self.made.log, 1)?.first().copied().unwrap_or(f32::NAN))
    }

    /// Compares both gradients in the first step of an epoch that took two, once and on the host: the one read back
    /// between phases. No trainer would: the epoch's clock waits for it.
    pub(super) fn look_at_gradients(&mut self) -> Result<(), DeviceError> {
        if self.change.is_none() && self.clock.is_none() {
            self.device.synchronize()?;
            let clock = Instant::now();
            let Flat { len, grads, perturbed_grads, .. } = self.made.flat;
            let grads = download::<f32>(self.device, grads, len)?;
            let perturbed_grads = download::<f32>(self.device, perturbed_grads, len)?;
            self.change = Some((self.logged, Change::of(&grads, &perturbed_grads)));
            self.started = self.started.map(|started| started + clock.elapsed());
        }
        Ok(())
    }
}

impl Measure for DeviceTrainer<'_> {
    /// At the parameters that are on the device: those of the run.
    fn on_training_set(&mut self) -> Result<OnTrainingSet, Error> {
        let mut loss = 0.0;
        let [mut clean, mut noisy] = [0_u32; 2];
        let (offset, len) =
            (self.made.true_labels.wrapping_sub(self.made.train.labels), self.made.train.len);
        for batch in self.made.train.batches() {
            let truth = Batch { labels: batch.labels.wrapping_add(offset), ..batch };
            self.made.network.forward(self.device, self.made.flat.params, batch)?;
            for (labels, count) in [(truth, &mut clean), (batch, &mut noisy)] {
                self.device.fill(self.made.right, 0, 1)?;
                self.made.network.count_right(self.device, labels, self.made.right)?;
                let right = download::<u32>(self.device, self.made.right, 1)?;
                *count += right.first().copied().unwrap_or(0);
            }
            self.made.network.loss(self.device, batch)?;
            loss += f64::from(self.mean_loss(batch)?) * batch.len as f64;
        }
        let len = len.max(1) as f64;
        Ok(OnTrainingSet {
            loss: loss / len,
            clean: f64::from(clean) / len,
            noisy: f64::from(noisy) / len,
        })
    }

    fn gradient(&mut self, params: &[f32], grads: &mut [f32]) -> Result<f32, Error> {
        let at = self.made.flat;
        let batch = Batch {
            len: self.made.train.len.min(SHARPNESS_SAMPLES),
            inputs: self.made.train.inputs,
            labels: self.made.train.labels,
        };
        self.device.write(at.perturbed, bytes_of(params))?;
        self.made.network.forward(self.device, at.perturbed, batch)?;
        self.made.network.backward(self.device, at.perturbed, batch, at.perturbed_grads)?;
        let found = download::<f32>(self.device, at.perturbed_grads, at.len)?;
        grads.iter_mut().zip(found).for_each(|(to, from)| *to = from);
        Ok(self.mean_loss(batch)?)
    }
}
