//! [`Place`]: where the tensors of an optimizer lie and its kernels run.
#![allow(
    unsafe_code,
    reason = "a stream of torch's, and the memory of tensors, are told as numbers"
)]

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::sync::{Arc, Mutex, PoisonError};

use presam_bridge::{Fault, Where};
use presam_cuda::cuda::{Cuda, as_guest, beside_captures};
use presam_cuda::{Address, Choice, Device, DeviceError, Emulated};

/// A trainer's address and the bytes from there on.
pub(crate) type Span = (Address, usize);

/// What is asked of a device.
pub(crate) type Work<'a> = &'a mut dyn FnMut(&mut dyn Device) -> Result<(), DeviceError>;

/// A device over the memory of a trainer's tensors.
pub(crate) trait Place: Send + Sync {
    /// Where torch says that such tensors lie.
    fn memory(&self) -> Where;

    /// What is alive from here on: the planes of an optimizer and the gradients of a call.
    fn begin(&mut self, live: &mut dyn Iterator<Item = Span>) -> Result<(), DeviceError>;

    /// The device's own address of what is alive.
    fn address(&self, of: Address) -> Address;

    /// Queues work on a stream of torch's that touches no tensor.
    fn apart(&mut self, stream: usize, work: Work<'_>) -> Result<(), DeviceError>;

    /// The same, of what frees and waits, whatever is being captured elsewhere.
    fn beside(&mut self, stream: usize, work: Work<'_>) -> Result<(), DeviceError> {
        self.apart(stream, work)
    }

    /// Queues work on a stream of torch's over what is alive.
    fn on(&mut self, stream: usize, work: Work<'_>) -> Result<(), DeviceError> {
        self.apart(stream, work)
    }
}

/// The place of that name: `cuda:N`, `emulated`.
pub(crate) fn named(name: &str) -> Result<Box<dyn Place>, Fault> {
    match name.parse() {
        Ok(Choice::Emulated) => Ok(Box::new(Mirror::new())),
        Ok(Choice::Cuda(number)) => Ok(Box::new(Gpu::new(number))),
        _ => Err(Fault::new(format!("device: expected cuda:N or emulated, found {name:?}"))),
    }
}

/// The emulated device over copies of the CPU's tensors, which every call brings there and back.
struct Mirror {
    device: Emulated,
    copies: BTreeMap<Address, (Address, usize)>,
}

impl Mirror {
    fn new() -> Self {
        Self { device: Emulated::new(1), copies: BTreeMap::new() }
    }
}

impl Place for Mirror {
    fn memory(&self) -> Where {
        Where::CPU
    }

    fn begin(&mut self, live: &mut dyn Iterator<Item = Span>) -> Result<(), DeviceError> {
        let spans: BTreeMap<_, _> = live.collect();
        let copies = self.copies.iter().map(|(&at, &(_, bytes))| (at, bytes));
        let gone = copies.filter(|(at, bytes)| spans.get(at) != Some(bytes));
        for (at, _) in gone.collect::<Vec<_>>() {
            if let Some((copy, _)) = self.copies.remove(&at) {
                self.device.free(copy - at % 16)?;
            }
        }
        for (at, bytes) in spans {
            if !self.copies.contains_key(&at) {
                // As far past 16 bytes as the tensor is.
                let start = self.device.allocate(bytes + 16)?;
                self.copies.insert(at, (start + at % 16, bytes));
            }
        }
        Ok(())
    }

    fn address(&self, of: Address) -> Address {
        self.copies.get(&of).map_or(0, |&(copy, _)| copy)
    }

    fn apart(&mut self, _: usize, work: Work<'_>) -> Result<(), DeviceError> {
        work(&mut self.device)
    }

    fn on(&mut self, _: usize, work: Work<'_>) -> Result<(), DeviceError> {
        for (&at, &(copy, bytes)) in &self.copies {
            // SAFETY: whoever calls the engine promises that tensors lie there, and `begin` has left out the rest.
            let tensor = unsafe { std::slice::from_raw_parts(at as *const u8, bytes) };
            self.device.write(copy, tensor)?;
        }
        let done = work(&mut self.device);
        for (&at, &(copy, bytes)) in &self.copies {
            // SAFETY: as above, and used by no one else until the call returns.
            let tensor = unsafe { std::slice::from_raw_parts_mut(at as *mut u8, bytes) };
            self.device.read(copy, tensor)?;
        }
        done
    }
}

/// A device that is handed from thread to thread.
struct Held(Cuda);

// SAFETY: every call of a `Cuda` makes its context current on the thread that calls, and the counted references
// within are handed to no one outside of it. The lock around it lets one thread in at a time.
unsafe impl Send for Held {}

/// One of a process for each GPU: its kernels are compiled once, and it is never dropped, since a trainer's
/// streams may be gone by then.
type Shared = Arc<Mutex<Option<Held>>>;

static OPENED: Mutex<BTreeMap<u32, Shared>> = Mutex::new(BTreeMap::new());

/// A GPU, on the streams of torch.
struct Gpu {
    number: u32,
    shared: Shared,
}

impl Gpu {
    fn new(number: u32) -> Self {
        let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
        Self { number, shared: Arc::clone(opened.entry(number).or_default()) }
    }
}

impl Place for Gpu {
    fn memory(&self) -> Where {
        Where::cuda(self.number)
    }

    fn begin(&mut self, _: &mut dyn Iterator<Item = Span>) -> Result<(), DeviceError> {
        Ok(())
    }

    fn address(&self, of: Address) -> Address {
        of
    }

    fn apart(&mut self, stream: usize, work: Work<'_>) -> Result<(), DeviceError> {
        let stream = stream as *mut c_void;
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        as_guest(|| {
            let held = match &mut *shared {
                Some(held) => {
                    // SAFETY: the stream that torch says is current on this device.
                    unsafe { held.0.set_stream(stream) }?;
                    held
                }
                // SAFETY: as above.
                none => none.insert(Held(unsafe { Cuda::open_on(self.number, stream) }?)),
            };
            work(&mut held.0)
        })
    }

    fn beside(&mut self, stream: usize, work: Work<'_>) -> Result<(), DeviceError> {
        beside_captures(|| self.apart(stream, work))
    }
}
