//! What a step queues, and its recording: all that changes from step to step is in device memory, so that one
//! recording serves every step of its kind on a whole batch. What changes from epoch to epoch is recorded again.

use presam_kernels::entries;

use super::shares::Phase;
use super::{DeviceTrainer, ROW};
use crate::config::Descent;
use presam_cuda::{Address, DeviceError, Flat, Recording};

/// What a step is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The base optimizer's own step, of a method that never perturbs.
    Base,
    /// The same, of a method that does not perturb now.
    Unperturbed,
    /// One gradient, at a point that the momentum perturbed.
    Momentum,
    /// LookSAM between its second gradients.
    Reuse,
    /// Two gradients.
    Whole,
}

/// What is known of a kind of steps.
pub(super) enum Known {
    /// Its kernels have run: it can be recorded.
    Launched,
    /// The device does not record it.
    Refused,
    /// Its recording.
    Recorded(Recording),
}

impl DeviceTrainer<'_> {
    /// One step on the gathered batch, as the CPU's stepper takes it.
    pub(super) fn take(&mut self, perturbs: bool) -> Result<(), DeviceError> {
        let kind = self.next_kind(perturbs);
        let looks = kind == Kind::Whole && self.change.is_none();
        let alike = self.made.batch.len == self.whole && !looks && self.clock.is_none();
        if alike && self.device.records() && self.known.contains_key(&kind) {
            self.repeat(kind)?;
        } else {
            self.queue(kind)?;
            self.known.entry(kind).or_insert(Known::Launched);
        }
        let row = self.made.log + (4 * ROW * self.logged) as u64;
        self.device.copy(row, self.made.row, 4 * ROW)?;
        self.logged += 1;
        Ok(())
    }

    /// Queues a step that waits for nothing and whose kernels have run, from a recording that the first one makes.
    fn repeat(&mut self, kind: Kind) -> Result<(), DeviceError> {
        match self.known.get(&kind) {
            Some(Known::Recorded(recording)) => return self.device.replay(recording),
            Some(Known::Refused) => return self.queue(kind),
            Some(Known::Launched) | None => {}
        }
        let known = match self.record(kind) {
            Ok(recording) => Known::Recorded(recording),
            Err(lost @ DeviceError::Lost { .. }) => return Err(lost),
            // Whatever else it is, the launches tell.
            Err(_) => Known::Refused,
        };
        self.known.insert(kind, known);
        self.repeat(kind)
    }

    fn record(&mut self, kind: Kind) -> Result<Recording, DeviceError> {
        self.device.begin_recording()?;
        let queued = self.queue(kind);
        queued.and(self.device.end_recording())
    }

    /// Lets a recording go whose words have changed: the next step of its kind is recorded again.
    pub(super) fn forget(&mut self, kind: Kind) {
        let known = self.known.get_mut(&kind).filter(|known| matches!(known, Known::Recorded(_)));
        known.into_iter().for_each(|known| *known = Known::Launched);
    }

    /// What the next step is made of; one that perturbs counts.
    fn next_kind(&mut self, perturbs: bool) -> Kind {
        let step = self.steps;
        self.steps += u32::from(perturbs);
        match self.plan.descent {
            _ if self.plan.variant.is_none() => Kind::Base,
            _ if !perturbs => Kind::Unperturbed,
            _ if self.plan.is_one_gradient() => Kind::Momentum,
            Descent::LookSam { interval, .. } if !step.is_multiple_of(interval.max(1)) => {
                Kind::Reuse
            }
            _ => Kind::Whole,
        }
    }

    /// All that a step asks of the device.
    fn queue(&mut self, kind: Kind) -> Result<(), DeviceError> {
        let Flat { params, grads, perturbed_grads, perturbed, .. } = self.made.flat;
        match kind {
            Kind::Base | Kind::Unperturbed => {
                if kind == Kind::Unperturbed {
                    self.made.step.skip_ascent(self.device)?;
                }
                self.gradient(params, perturbed_grads)?;
                self.log_loss()?;
                self.end(0)
            }
            Kind::Momentum => {
                let distance = self.ascend()?;
                self.gradient(perturbed, perturbed_grads)?;
                self.log_loss()?;
                self.end(distance)
            }
            Kind::Reuse => {
                self.gradient(params, grads)?;
                self.log_loss()?;
                self.made.step.skip_ascent(self.device)?;
                if let Descent::LookSam { look, .. } = self.plan.descent {
                    self.made.mixes.look_sam_reuse(self.device, look)?;
                }
                self.end(0)
            }
            Kind::Whole => {
                self.gradient(params, grads)?;
                self.log_loss()?;
                let distance = self.ascend()?;
                self.gradient(perturbed, perturbed_grads)?;
                self.look_at_gradients()?;
                self.mix()?;
                self.end(distance)?;
                self.keep_sharp()
            }
        }
    }

    fn gradient(&mut self, params: Address, grads: Address) -> Result<(), DeviceError> {
        self.made.network.forward(self.device, params, self.made.batch)?;
        self.passed(Phase::Forward)?;
        self.made.network.backward(self.device, params, self.made.batch, grads)?;
        self.passed(Phase::Backward)
    }

    /// The first half of the step, and how far it went.
    fn ascend(&mut self) -> Result<Address, DeviceError> {
        self.made.step.ascend(self.device)?;
        self.passed(Phase::Ascent)?;
        let distance = self.made.mixes.distance(self.device)?;
        self.passed(Phase::Measuring)?;
        Ok(distance)
    }

    /// What the method makes of the second gradient.
    fn mix(&mut self) -> Result<(), DeviceError> {
        match self.plan.descent {
            Descent::Plain => Ok(()),
            Descent::Gsam(gsam) => self.made.mixes.gsam(self.device, gsam),
            Descent::Wsam(wsam) => self.made.mixes.wsam(self.device, wsam),
            Descent::Saner { mix, .. } => self.made.mixes.saner(self.device, mix),
            // After the descent.
            Descent::LookSam { .. } => Ok(()),
        }
    }

    /// What LookSAM keeps of a step that was taken.
    fn keep_sharp(&mut self) -> Result<(), DeviceError> {
        match self.plan.descent {
            Descent::LookSam { look, .. } => self.made.mixes.look_sam_split(self.device, look),
            _ => Ok(()),
        }
    }

    /// The loss of the gradient just taken, into the step's row.
    fn log_loss(&mut self) -> Result<(), DeviceError> {
        let arguments = [self.made.batch.len as u64, self.made.network.losses(), self.made.row];
        self.device.launch(&entries::mean_loss, 1, &arguments)?;
        self.passed(Phase::Measuring)
    }

    /// The base optimizer's step, and what all of it did into the row.
    fn end(&mut self, distance: Address) -> Result<(), DeviceError> {
        self.made.step.descend(self.device)?;
        self.passed(Phase::Descent)?;
        let arguments = [self.made.step.control(), distance, self.made.row + 4];
        self.device.launch(&entries::report, 1, &arguments)
    }
}
