//! A real GPU: [`Cuda`] is a [`Device`](super::Device) over NVIDIA's driver, reached through cust's bindings.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `driver.rs` | calls of the driver and their errors |
//! | `open.rs` | the way to a device: driver, context, stream |
//! | `queue.rs` | [`Device`](super::Device): memory and launches |
//! | `staging.rs` | small writes that wait for nothing |
//! | `modules.rs` | PTX texts and their entries, compiled on first use |
//! | `event.rs` | time on the device |
//! | `graph.rs` | a captured sequence, launched as one |
//! | `guest.rs` | a thread that belongs to somebody else |
//! | `facts.rs` | what a device is |
//!
//! Only the bindings of cust are used. Its safe layer reads every result as an enum of the codes of
//! CUDA 11.4, and a newer driver answers others; nor does it hand out the log of a refused text.
//!
//! A [`Cuda`] makes its context current on the calling thread at each call, and leaves it current; where that is a
//! trainer's thread, [`as_guest`] puts back what was.
//! All unsafe code of this crate is in this folder.

#![allow(
    unsafe_code,
    reason = "the driver is a C library: this folder is the crate's only contact with it"
)]

mod driver;
mod event;
mod facts;
mod graph;
mod guest;
mod modules;
mod open;
mod queue;
mod staging;

pub use event::Event;
pub use facts::{Facts, devices};
pub use graph::Graph;
pub use guest::{as_guest, beside_captures};

use std::collections::{BTreeMap, VecDeque};
use std::ffi::{c_int, c_void};
use std::fmt;
use std::rc::Rc;

use cust::sys;
use presam_kernels::Kernel;

use crate::device::Address;
use crate::error::DeviceError;
use driver::call;
use modules::Modules;
use open::{Context, Stream};
use staging::Staging;

/// Bytes of memory, and which allocation it was: an address may be handed out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Allocation {
    bytes: usize,
    number: u64,
}

/// Allocations, by their first addresses.
type Met = BTreeMap<Address, Allocation>;

/// One stream on an NVIDIA GPU, with the memory and the kernels that were asked for through it.
pub struct Cuda {
    ordinal: u32,
    name: String,
    driver: i32,
    /// Every allocation, by its first address.
    allocations: Met,
    /// Allocations so far.
    made: u64,
    /// Those that the capture under way has met.
    met: Met,
    modules: Modules,
    /// Made by the first small write.
    staging: Option<Staging>,
    capturing: bool,
    /// The last launches that nobody has waited for, the latest first.
    launched: VecDeque<&'static str>,
    /// The same of before the capture under way.
    before: VecDeque<&'static str>,
    stream: Stream,
    context: Rc<Context>,
}

impl Cuda {
    /// The stream as the driver knows it (a `CUstream`), for work of the caller's own in between.
    pub fn stream(&self) -> *mut c_void {
        self.stream.raw.cast()
    }

    /// The context as the driver knows it (a `CUcontext`).
    pub fn context(&self) -> *mut c_void {
        self.context.raw.cast()
    }

    /// Compiles the text of `kernel` now, so that it can be captured without having been launched.
    ///
    /// # Errors
    /// [`DeviceError::Rejected`] where the driver refuses the text or lacks the entry,
    /// [`DeviceError::Lost`].
    pub fn load(&mut self, kernel: &'static Kernel) -> Result<(), DeviceError> {
        self.function(kernel).map(drop)
    }

    /// Compiles every text now, all at once on threads of their own, where one after the other would be compiled as
    /// kernels are first launched. A text that the driver refuses is told by its first launch.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] within a capture, [`DeviceError::Lost`].
    pub fn load_all(&mut self) -> Result<(), DeviceError> {
        self.may_wait("compiling a text")?;
        self.bind()?;
        self.modules.load_all(self.context.raw);
        Ok(())
    }

    /// Makes the context the calling thread's.
    fn bind(&self) -> Result<(), DeviceError> {
        self.context.bind().map_err(|failure| self.told(failure))
    }

    /// The entry of `kernel`; its text is compiled where it was not yet.
    fn function(&mut self, kernel: &'static Kernel) -> Result<sys::CUfunction, DeviceError> {
        self.bind()?;
        if let Some(function) = self.modules.function(kernel) {
            return Ok(function);
        }
        self.may_wait("compiling a text")?;
        let loaded = self.modules.load(kernel, self.driver);
        loaded.map_err(|error| self.told(error))
    }

    /// Whether the stream is being captured, by this or, where a trainer lent it, by the trainer.
    fn is_captured(&self) -> Result<bool, DeviceError> {
        if self.capturing || self.stream.is_owned() || !self.stream.can_be_captured() {
            return Ok(self.capturing);
        }
        self.bind()?;
        let mut status: c_int = 0;
        // SAFETY: the stream is alive, as the caller of `on_stream` promised; the status is an int to C, which never
        // becomes the enum here.
        unsafe { call!(cuStreamIsCapturing(self.stream.raw, (&raw mut status).cast())) }
            .map_err(|failure| self.told(failure))?;
        Ok(status != 0)
    }

    /// A capture records what is queued; whatever waits, or reads the host's memory later, would spoil it.
    fn may_wait(&self, what: &'static str) -> Result<(), DeviceError> {
        if !self.is_captured()? {
            return Ok(());
        }
        Err(DeviceError::Contract {
            kernel: "capture",
            what: what.to_owned(),
            expected: "it before or after the capture".to_owned(),
            found: "it within".to_owned(),
        })
    }
}

/// Names of launches as an error lists them.
fn listed(names: &VecDeque<&'static str>) -> String {
    names.iter().copied().collect::<Vec<_>>().join(", ")
}

impl fmt::Debug for Cuda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ordinal, name, driver, allocations, capturing, .. } = self;
        f.debug_struct("Cuda")
            .field("ordinal", ordinal)
            .field("name", name)
            .field("driver", driver)
            .field("allocations", &allocations.len())
            .field("capturing", capturing)
            .finish_non_exhaustive()
    }
}
