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
        let arguments = [batch.len as u64, self.network.losses(), self.log];
        self.device.launch(&entries::mean_loss, 1, &arguments)?;
        Ok(download::<f32>(self.device, self.log, 1)?.first().copied().unwrap_or(f32::NAN))
    }

    /// Compares both gradients in the first step of an epoch that took two, once and on the host: the one read back
    /// between phases. No trainer would: the epoch's clock waits for it.
    pub(super) fn look_at_gradients(&mut self) -> Result<(), DeviceError> {
        if self.change.is_none() && self.clock.is_none() {
            self.device.synchronize()?;
            let clock = Instant::now();
            let Flat { len, grads, perturbed_grads, .. } = self.flat;
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
        let (offset, len) = (self.true_labels.wrapping_sub(self.train.labels), self.train.len);
        for batch in self.train.batches() {
            let truth = Batch { labels: batch.labels.wrapping_add(offset), ..batch };
            self.network.forward(self.device, self.flat.params, batch)?;
            for (labels, count) in [(truth, &mut clean), (batch, &mut noisy)] {
                self.device.fill(self.right, 0, 1)?;
                self.network.count_right(self.device, labels, self.right)?;
                let right = download::<u32>(self.device, self.right, 1)?;
                *count += right.first().copied().unwrap_or(0);
            }
            self.network.loss(self.device, batch)?;
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
        let at = self.flat;
        let batch = Batch {
            len: self.train.len.min(SHARPNESS_SAMPLES),
            inputs: self.train.inputs,
            labels: self.train.labels,
        };
        self.device.write(at.perturbed, bytes_of(params))?;
        self.network.forward(self.device, at.perturbed, batch)?;
        self.network.backward(self.device, at.perturbed, batch, at.perturbed_grads)?;
        let found = download::<f32>(self.device, at.perturbed_grads, at.len)?;
        grads.iter_mut().zip(found).for_each(|(to, from)| *to = from);
        Ok(self.mean_loss(batch)?)
    }
}
