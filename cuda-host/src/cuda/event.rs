//! Time on the device: events in the stream, and the time between two of them.

use std::rc::Rc;

use cust::sys;

use super::Cuda;
use super::driver::{Failure, call};
use super::open::Context;
use crate::error::DeviceError;

/// A mark that the device passes when all that was asked before it is done.
#[derive(Debug)]
pub struct Event {
    raw: sys::CUevent,
    context: Rc<Context>,
}

impl Event {
    fn new(context: &Rc<Context>, flags: sys::CUevent_flags_enum) -> Result<Self, Failure> {
        let mut raw = std::ptr::null_mut();
        // SAFETY: a context is current; the event is destroyed when this is dropped.
        unsafe { call!(cuEventCreate(&raw mut raw, flags as u32)) }?;
        Ok(Self { raw, context: Rc::clone(context) })
    }

    /// An event that only orders: cheaper to pass.
    pub(super) fn without_time(context: &Rc<Context>) -> Result<Self, Failure> {
        Self::new(context, sys::CUevent_flags_enum::CU_EVENT_DISABLE_TIMING)
    }

    pub(super) fn record(&self, stream: sys::CUstream) -> Result<(), Failure> {
        // SAFETY: the event is alive, and so is the stream; both are of one context.
        unsafe { call!(cuEventRecord(self.raw, stream)) }
    }

    /// Waits until the device has passed it; at once where it was never recorded.
    pub(super) fn wait(&self) -> Result<(), Failure> {
        // SAFETY: the event is alive.
        unsafe { call!(cuEventSynchronize(self.raw)) }
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        let _ = self.context.bind();
        // SAFETY: made in `new`, destroyed once; the driver keeps it until it has been passed.
        let _ = unsafe { call!(cuEventDestroy_v2(self.raw)) };
    }
}

impl Cuda {
    /// A mark in the stream, here and now.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] within a capture, [`DeviceError::Lost`].
    pub fn mark(&mut self) -> Result<Event, DeviceError> {
        self.may_wait("marking a time")?;
        self.bind()?;
        let event = Event::new(&self.context, sys::CUevent_flags_enum::CU_EVENT_DEFAULT);
        event
            .and_then(|event| event.record(self.stream.raw).map(|()| event))
            .map_err(|failure| self.told(failure))
    }

    /// Waits for `end` and gives the milliseconds of the device's clock between the two marks; its
    /// grain is half a microsecond.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] within a capture, [`DeviceError::Lost`].
    pub fn milliseconds(&mut self, start: &Event, end: &Event) -> Result<f32, DeviceError> {
        self.may_wait("reading a time")?;
        self.bind()?;
        end.wait().map_err(|failure| self.told(failure))?;
        let mut milliseconds = 0.0;
        // SAFETY: both events are alive and were recorded when they were made.
        unsafe { call!(cuEventElapsedTime(&raw mut milliseconds, start.raw, end.raw)) }
            .map_err(|failure| self.told(failure))?;
        Ok(milliseconds)
    }

    /// The milliseconds that the device took for what `work` asks of it.
    ///
    /// # Errors
    /// Those of `work`, and of [`mark`](Cuda::mark) and [`milliseconds`](Cuda::milliseconds).
    pub fn timed(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<(), DeviceError>,
    ) -> Result<f32, DeviceError> {
        let start = self.mark()?;
        work(self)?;
        let end = self.mark()?;
        self.milliseconds(&start, &end)
    }
}
