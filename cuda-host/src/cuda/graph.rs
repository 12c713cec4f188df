//! A captured sequence: recorded once, then launched as one.
//!
//! What is captured is frozen, addresses and other arguments alike; what changes between launches must
//! be read by the kernels from device memory.

use std::collections::VecDeque;
use std::rc::Rc;

use cust::sys;

use super::driver::{Failure, call};
use super::open::Context;
use super::{Cuda, Met, listed};
use crate::error::DeviceError;

/// A sequence of launches, fills and copies, ready to be repeated.
///
/// All memory that it uses must be there whenever it is launched: a graph whose buffers were freed is the caller's
/// fault, and a GPU may not tell. What can be seen is refused: memory of [`Device`](crate::Device)`::allocate`, on
/// the [`Cuda`] that captured, that an argument, fill or copy points into, as those of a
/// [`DeviceStep`](crate::DeviceStep) do into its tables. A trainer's own planes stand in those tables, and nobody
/// else knows of them: free them after the graph.
#[derive(Debug)]
pub struct Graph {
    raw: sys::CUgraphExec,
    /// The memory that can be seen in it.
    met: Met,
    /// Its last launches, the latest first.
    names: VecDeque<&'static str>,
    context: Rc<Context>,
}

impl Cuda {
    /// Records what `work` asks for instead of doing it. Its kernels must have been launched
    /// before ([loading](Cuda::load) them is enough where the driver does not load lazily, as drivers for CUDA
    /// 12 do); it may launch, fill and copy, and nothing else.
    ///
    /// # Errors
    /// Those of `work`; [`DeviceError::Contract`] for what cannot be captured; a refusal of the driver,
    /// such as that of a default stream.
    pub fn capture(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<(), DeviceError>,
    ) -> Result<Graph, DeviceError> {
        self.begin()?;
        let capture = Capture(self);
        work(capture.0)?;
        capture.0.end()
    }

    /// From here on the stream records.
    pub(super) fn begin(&mut self) -> Result<(), DeviceError> {
        self.may_wait("another capture")?;
        self.bind()?;
        // Other threads may go on allocating: their calls do not reach this stream.
        let mode = sys::CUstreamCaptureMode_enum::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
        // SAFETY: the stream is alive and not being captured.
        unsafe { call!(cuStreamBeginCapture_v2(self.stream.raw, mode)) }
            .map_err(|failure| self.told(failure))?;
        self.capturing = true;
        self.met.clear();
        self.before = std::mem::take(&mut self.launched);
        Ok(())
    }

    /// What was recorded since [`begin`](Cuda::begin).
    pub(super) fn end(&mut self) -> Result<Graph, DeviceError> {
        let (template, names) = self.recorded()?;
        let raw = template.instantiate().map_err(|failure| self.told(failure))?;
        let met = std::mem::take(&mut self.met);
        Ok(Graph { raw, met, names, context: Rc::clone(&self.context) })
    }

    pub(super) fn recorded(&mut self) -> Result<(Template, VecDeque<&'static str>), DeviceError> {
        if !self.capturing {
            return Err(DeviceError::Contract {
                kernel: "graph",
                what: "recording".to_owned(),
                expected: "one that was begun".to_owned(),
                found: "none".to_owned(),
            });
        }
        self.capturing = false;
        // What was recorded has not been launched.
        let names = std::mem::replace(&mut self.launched, std::mem::take(&mut self.before));
        self.bind()?;
        let mut raw = std::ptr::null_mut();
        // SAFETY: the stream is alive, and it is being captured.
        unsafe { call!(cuStreamEndCapture(self.stream.raw, &raw mut raw)) }
            .map_err(|failure| self.told(failure))?;
        Ok((Template(raw), names))
    }
}

impl Graph {
    /// Queues the whole sequence.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] for another `cuda` than the one it was captured on, whose kernels it
    /// holds, for memory that was freed since, and within a capture; [`DeviceError::Lost`].
    pub fn launch(&self, cuda: &mut Cuda) -> Result<(), DeviceError> {
        cuda.may_wait("launching a graph")?;
        if !Rc::ptr_eq(&self.context, &cuda.context) {
            return Err(DeviceError::Contract {
                kernel: "graph",
                what: "device".to_owned(),
                expected: "the one it was captured on".to_owned(),
                found: "another".to_owned(),
            });
        }
        let freed = |(start, then): &(&u64, &_)| cuda.allocations.get(start) != Some(*then);
        if let Some((start, _)) = self.met.iter().find(freed) {
            return Err(DeviceError::Contract {
                kernel: "graph",
                what: format!("memory at {start:#x}"),
                expected: "that of the capture".to_owned(),
                found: "it freed".to_owned(),
            });
        }
        cuda.bind()?;
        // SAFETY: the graph is alive, and `cuda`, which keeps its kernels loaded, is borrowed.
        unsafe { call!(cuGraphLaunch(self.raw, cuda.stream.raw)) }.map_err(
            |failure| match failure.is_lost() {
                true => cuda
                    .at_launch(failure, &format!("a graph, last first: {}", listed(&self.names))),
                false => failure.into(),
            },
        )?;
        self.names.iter().rev().for_each(|name| cuda.note(name));
        Ok(())
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        let _ = self.context.bind();
        // SAFETY: instantiated once, destroyed once; the driver finishes launches under way first.
        let _ = unsafe { call!(cuGraphExecDestroy(self.raw)) };
    }
}

/// A capture that ends however `work` ends, by an error or a panic too.
struct Capture<'c>(&'c mut Cuda);

impl Drop for Capture<'_> {
    fn drop(&mut self) {
        if self.0.capturing {
            // The error that led here is the one to report.
            let _ = self.0.recorded();
        }
    }
}

/// What was recorded; a graph is made from it.
pub(super) struct Template(sys::CUgraph);

impl Template {
    fn instantiate(&self) -> Result<sys::CUgraphExec, Failure> {
        let (mut raw, mut culprit) = (std::ptr::null_mut(), std::ptr::null_mut());
        let no_log = std::ptr::null_mut();
        // SAFETY: the template is alive; the driver takes a null log of no bytes.
        // This form of the call is the one that every driver since CUDA 11.0 has.
        unsafe { call!(cuGraphInstantiate_v2(&raw mut raw, self.0, &raw mut culprit, no_log, 0)) }?;
        Ok(raw)
    }
}

impl Drop for Template {
    fn drop(&mut self) {
        // SAFETY: made by `Cuda::recorded`, destroyed once; graphs made from it live on.
        let _ = unsafe { call!(cuGraphDestroy(self.0)) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Device;

    /// Runs under `cargo xtask cuda-smoke`.
    #[test]
    fn other_memory_at_the_same_address_is_not_that_of_the_capture() {
        let mut cuda = Cuda::open(0).expect("`cargo xtask cuda-smoke` runs this with its stub");
        let place = cuda.allocate(8).unwrap();
        let graph = cuda.capture(|cuda| cuda.fill(place + 4, 1, 1)).unwrap();
        graph.launch(&mut cuda).unwrap();
        // As after a free, where the driver hands the address out again.
        cuda.allocations.get_mut(&place).unwrap().number += 1;
        assert!(graph.launch(&mut cuda).unwrap_err().to_string().ends_with("found it freed"));
    }
}
