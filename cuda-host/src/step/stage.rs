//! [`Stage`]: where w stands after the calls that were queued, so that none of a step in place can lose it; [`Arming`]:
//! whether a descent whose gradient nobody looks at has been armed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use super::DeviceStep;
use crate::device::Device;
use crate::error::DeviceError;
use crate::options::{Form, Options};

/// Where w stands. A copy of a step moves the same w, so that both have one of these.
#[derive(Clone, Debug)]
pub(super) struct Stage(Arc<AtomicU8>);

const AT_REST: u8 = 0;
const PERTURBED: u8 = 1;
/// Nothing is lost in this form, or a recording may be replayed whenever its owner likes.
const UNSURE: u8 = 2;

impl Stage {
    pub fn new(options: &Options) -> Self {
        let knows = options.form == Form::InPlace && options.checks_order;
        Self(Arc::new(AtomicU8::new(if knows { AT_REST } else { UNSURE })))
    }

    fn get(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, stage: u8) {
        self.0.store(stage, Ordering::Relaxed);
    }

    /// Unless it is not known, and stays so.
    fn becomes(&self, stage: u8) {
        if self.get() != UNSURE {
            self.set(stage);
        }
    }

    pub fn perturbed(&self) {
        self.becomes(PERTURBED);
    }

    pub fn restored(&self) {
        self.becomes(AT_REST);
    }

    /// That of a step that goes on where the other one is.
    pub fn go_on_from(&self, other: &Self, device: &dyn Device) -> Result<(), DeviceError> {
        self.now(device)?;
        self.becomes(other.get());
        Ok(())
    }

    /// What is recorded now happens at each replay, of which the host sees none.
    fn now(&self, device: &dyn Device) -> Result<u8, DeviceError> {
        if self.get() != UNSURE && device.is_recording()? {
            self.set(UNSURE);
        }
        Ok(self.get())
    }
}

/// Whether `finish` or a skipped ascent has armed the next descent: queued, or in the recording under way, which is no arming
/// of what is queued before its replay.
#[derive(Clone, Debug, Default)]
pub(super) struct Arming(Arc<AtomicU8>);

const QUEUED: u8 = 1;
const RECORDED: u8 = 2;

impl Arming {
    fn kind(device: &dyn Device) -> Result<u8, DeviceError> {
        Ok(if device.is_recording()? { RECORDED } else { QUEUED })
    }

    pub fn armed(&self, device: &dyn Device) -> Result<(), DeviceError> {
        self.0.store(Self::kind(device)?, Ordering::Relaxed);
        Ok(())
    }

    /// Whether the descent that comes is armed.
    pub fn holds(&self, device: &dyn Device) -> Result<bool, DeviceError> {
        Ok(self.0.load(Ordering::Relaxed) == Self::kind(device)?)
    }

    /// As in a step that goes on where the other one is.
    pub fn go_on_from(&self, other: &Self) {
        self.0.store(other.0.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// A descent was queued: the next one is to be armed anew.
    pub fn used(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

impl DeviceStep {
    /// Refuses what reads or writes w itself while an ascent in place has moved it.
    pub(super) fn check_at_rest(
        &self,
        device: &dyn Device,
        kernel: &'static str,
    ) -> Result<(), DeviceError> {
        if self.stage.now(device)? != PERTURBED {
            return Ok(());
        }
        Err(DeviceError::Contract {
            kernel,
            what: "params".into(),
            expected: "w, which restore() brings back".into(),
            found: "what the last ascent made of it".into(),
        })
    }

    /// Whether a backup may hold w.
    pub(super) fn may_be_perturbed(&self, device: &dyn Device) -> Result<bool, DeviceError> {
        Ok(self.stage.now(device)? != AT_REST)
    }
}
