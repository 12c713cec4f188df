//! The way to a device: driver, primary context, stream; and back.

use std::ffi::{c_char, c_int, c_void};
use std::rc::Rc;

use cust::sys;

use super::driver::{Failure, NO_DEVICE, call, cuda_version};
use super::modules::Modules;
use super::{BTreeMap, Cuda, VecDeque};
use crate::error::DeviceError;

/// PTX 7.0, which the kernels are written in, came with CUDA 11.0.
const OLDEST_DRIVER: c_int = 11_000;

/// A context that lives as long as anything made in it.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) raw: sys::CUcontext,
    pub(super) device: sys::CUdevice,
    owned: bool,
}

/// A stream, and whether it is ours to destroy.
pub(super) struct Stream {
    pub(super) raw: sys::CUstream,
    owned: bool,
}

impl Stream {
    /// Whether nobody else knows of it.
    pub(super) fn is_owned(&self) -> bool {
        self.owned
    }

    /// All but the legacy default stream, null or 1.
    pub(super) fn can_be_captured(&self) -> bool {
        self.raw.addr() > 1
    }
}

impl Context {
    /// The primary context of `device`, which CUDA's runtime and every library on it share.
    fn primary(device: sys::CUdevice) -> Result<Self, Failure> {
        let mut raw = std::ptr::null_mut();
        // SAFETY: the driver was initialised before it gave `device`; released when this is dropped.
        unsafe { call!(cuDevicePrimaryCtxRetain(&raw mut raw, device)) }?;
        Ok(Self { raw, device, owned: true })
    }

    /// Makes it the calling thread's.
    pub(super) fn bind(&self) -> Result<(), Failure> {
        // SAFETY: retained in `primary`, or promised to live by the caller of `on_stream`.
        unsafe { call!(cuCtxSetCurrent(self.raw)) }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        if self.owned {
            // SAFETY: retained once, released once. Nothing can be done about a refusal.
            let _ = unsafe { call!(cuDevicePrimaryCtxRelease_v2(self.device)) };
        }
    }
}

impl Cuda {
    /// Device `ordinal` in the driver's count, with its primary context and a stream of its own.
    ///
    /// # Errors
    /// [`DeviceError::Absent`] with what was found instead, [`DeviceError::DriverTooOld`]; a refusal of
    /// the driver, say of a device that another process keeps for itself.
    pub fn open(ordinal: u32) -> Result<Self, DeviceError> {
        let context = opened(ordinal)?;
        let mut raw = std::ptr::null_mut();
        let flags = sys::CUstream_flags_enum::CU_STREAM_NON_BLOCKING as u32;
        // SAFETY: a context is current; the stream is destroyed when the result is dropped.
        unsafe { call!(cuStreamCreate(&raw mut raw, flags)) }?;
        Self::assemble(context, Stream { raw, owned: true })
    }

    /// The same on a trainer's own stream, as [`on_stream`](Cuda::on_stream): for a trainer over CUDA's runtime, whose
    /// context is the device's primary one. It may be [changed](Cuda::set_stream).
    ///
    /// # Errors
    /// As [`open`](Cuda::open) and [`on_stream`](Cuda::on_stream).
    ///
    /// # Safety
    /// `stream` must be null or a `CUstream` of the primary context, alive until another one is set or the result and
    /// every [`Graph`](super::Graph) and [`Event`](super::Event) made with it are dropped.
    pub unsafe fn open_on(ordinal: u32, stream: *mut c_void) -> Result<Self, DeviceError> {
        let context = opened(ordinal)?;
        lent(&context, stream.cast())?;
        Self::assemble(context, Stream { raw: stream.cast(), owned: false })
    }

    /// A trainer's own stream in its own context: what is asked for is queued there, in order with the
    /// trainer's work. Neither is destroyed.
    ///
    /// `stream` may be null, the context's default stream, but that one cannot be captured. A capture of the
    /// trainer's own is noticed: launches, fills, words and copies are recorded in it, whatever waits is refused.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] for a stream of another context; [`DeviceError::DriverTooOld`]; a refusal of the
    /// driver.
    ///
    /// # Safety
    /// `context` must be a `CUcontext` and `stream` a `CUstream` made in it, both alive until the
    /// result and every [`Graph`](super::Graph) and [`Event`](super::Event) made with it are dropped.
    pub unsafe fn on_stream(
        context: *mut c_void,
        stream: *mut c_void,
    ) -> Result<Self, DeviceError> {
        let mut context = Context { raw: context.cast(), device: 0, owned: false };
        context.bind()?;
        lent(&context, stream.cast())?;
        // SAFETY: a context is current, and there is a place for one number.
        unsafe { call!(cuCtxGetDevice(&raw mut context.device)) }?;
        Self::assemble(context, Stream { raw: stream.cast(), owned: false })
    }

    /// From here on another stream of the trainer's, of the same context: what is queued on it is in order with what was
    /// queued on the one before where the trainer has made them wait for each other.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] where the stream is this device's own, within a recording, for a stream of another
    /// context; a refusal of the driver.
    ///
    /// # Safety
    /// As [`open_on`](Cuda::open_on).
    pub unsafe fn set_stream(&mut self, stream: *mut c_void) -> Result<(), DeviceError> {
        let stream: sys::CUstream = stream.cast();
        if self.stream.raw == stream {
            return Ok(());
        }
        if self.stream.owned || self.capturing {
            let found =
                if self.capturing { "a recording under way" } else { "a stream of its own" };
            return Err(DeviceError::Contract {
                kernel: "set_stream",
                what: "device".to_owned(),
                expected: "one on a trainer's stream".to_owned(),
                found: found.to_owned(),
            });
        }
        self.bind()?;
        lent(&self.context, stream)?;
        self.stream = Stream { raw: stream, owned: false };
        Ok(())
    }

    fn assemble(context: Context, stream: Stream) -> Result<Self, DeviceError> {
        Ok(Self {
            ordinal: u32::try_from(context.device).unwrap_or(0),
            name: name(context.device)?,
            driver: driver_version()?,
            allocations: BTreeMap::new(),
            made: 0,
            met: BTreeMap::new(),
            modules: Modules::default(),
            staging: None,
            capturing: false,
            launched: VecDeque::new(),
            before: VecDeque::new(),
            stream,
            context: Rc::new(context),
        })
    }
}

impl Drop for Cuda {
    /// Waits for what was asked, then gives everything back. On a lost context each call is refused,
    /// and the process's end gives it back; within a trainer's own capture nothing is given back.
    fn drop(&mut self) {
        if self.context.bind().is_err() {
            return;
        }
        if self.capturing {
            // A recording that nobody ended: the stream would stay in it, a trainer's too.
            let _ = self.recorded();
        }
        if self.is_captured().unwrap_or(false) {
            // A trainer's own capture, which to wait or to free would spoil, and whose graph may use all of this: it
            // stays until the context ends.
            if let Some(staging) = self.staging.take() {
                std::mem::forget(staging);
            }
            return;
        }
        // SAFETY: the stream is alive: ours, or promised by the caller of `on_stream`.
        let _ = unsafe { call!(cuStreamSynchronize(self.stream.raw)) };
        for &address in self.allocations.keys() {
            // SAFETY: allocated here and not freed since, and nothing queued here is left to use it.
            let _ = unsafe { call!(cuMemFree_v2(address)) };
        }
        self.staging = None;
        self.modules.unload();
        if self.stream.owned {
            // SAFETY: made in `open`, destroyed once.
            let _ = unsafe { call!(cuStreamDestroy_v2(self.stream.raw)) };
        }
    }
}

/// The primary context of device `ordinal`, current.
fn opened(ordinal: u32) -> Result<Context, DeviceError> {
    let asked = format!("cuda:{ordinal}");
    let count = count(&asked)?;
    let absent = |found| DeviceError::Absent { device: asked.clone(), found };
    let number = c_int::try_from(ordinal).ok().filter(|&number| number < count);
    let number = number.ok_or_else(|| {
        absent(match count {
            0 => "no CUDA device".to_owned(),
            1 => "only cuda:0".to_owned(),
            _ => format!("cuda:0 to cuda:{}", count - 1),
        })
    })?;
    let context = Context::primary(device(number)?)?;
    context.bind()?;
    Ok(context)
}

/// Refuses a stream of another context than this one, which is current.
fn lent(context: &Context, stream: sys::CUstream) -> Result<(), DeviceError> {
    let mut own = context.raw;
    // Null, 1 and 2 stand for the default streams of whatever context is current.
    if stream.addr() > 2 {
        // SAFETY: the stream is alive, as the caller promises, and there is a place for one handle.
        unsafe { call!(cuStreamGetCtx(stream, &raw mut own)) }?;
    }
    if own == context.raw {
        return Ok(());
    }
    Err(DeviceError::Contract {
        kernel: "on_stream",
        what: "stream".to_owned(),
        expected: "one of the context".to_owned(),
        found: "one of another context".to_owned(),
    })
}

/// Starts the driver and counts its devices; `asked` names in an error what they were wanted for.
pub(super) fn count(asked: &str) -> Result<c_int, DeviceError> {
    // SAFETY: may be called at any time, any number of times.
    match unsafe { call!(cuInit(0)) } {
        Ok(()) => {}
        Err(failure) if failure.code == NO_DEVICE => return Ok(0),
        Err(failure) => {
            let found = format!("a driver that does not start: {}", failure.words());
            return Err(DeviceError::Absent { device: asked.to_owned(), found });
        }
    }
    driver_version()?;
    let mut count = 0;
    // SAFETY: the driver is initialised; a place for one number.
    unsafe { call!(cuDeviceGetCount(&raw mut count)) }?;
    Ok(count)
}

/// The newest CUDA that the driver serves: 12040 for 12.4.
pub(super) fn driver_version() -> Result<c_int, DeviceError> {
    let mut version = 0;
    // SAFETY: a place for one number.
    unsafe { call!(cuDriverGetVersion(&raw mut version)) }?;
    if version < OLDEST_DRIVER {
        let (expected, found) = (cuda_version(OLDEST_DRIVER), cuda_version(version));
        return Err(DeviceError::DriverTooOld { expected, found });
    }
    Ok(version)
}

pub(super) fn device(number: c_int) -> Result<sys::CUdevice, Failure> {
    let mut device = 0;
    // SAFETY: the driver is initialised; a place for one handle.
    unsafe { call!(cuDeviceGet(&raw mut device, number)) }?;
    Ok(device)
}

pub(super) fn name(device: sys::CUdevice) -> Result<String, Failure> {
    // SAFETY: the driver writes at most `length` bytes and a zero among them.
    text(|start, length| unsafe { call!(cuDeviceGetName(start, length, device)) })
}

/// A text that the driver writes into a buffer.
pub(super) fn text(
    write: impl FnOnce(*mut c_char, c_int) -> Result<(), Failure>,
) -> Result<String, Failure> {
    let mut bytes = [0_u8; 256];
    write(bytes.as_mut_ptr().cast(), bytes.len() as c_int)?;
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    Ok(String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Device;

    /// Runs under `cargo xtask cuda-smoke`, whose stub knows a destroyed stream and a released context.
    #[test]
    fn a_trainer_s_stream_is_used_and_left_alone() {
        let mut trainer = Cuda::open(0).expect("`cargo xtask cuda-smoke` runs this with its stub");
        let place = trainer.allocate(4).unwrap();
        // SAFETY: the stub only compares contexts; nothing is made with this one.
        let other = unsafe { Cuda::on_stream((&raw mut trainer).cast(), trainer.stream()) };
        assert_eq!(
            other.unwrap_err().to_string(),
            "on_stream: stream: expected one of the context, found one of another context"
        );
        // SAFETY: both are the trainer's, who outlives what is made with them.
        let mut cuda = unsafe { Cuda::on_stream(trainer.context(), trainer.stream()) }.unwrap();
        assert_eq!((cuda.name(), cuda.stream()), (trainer.name(), trainer.stream()));
        cuda.fill(place, 7, 1).unwrap();
        let own = cuda.allocate(4).unwrap();
        drop(cuda);
        let mut back = [0; 4];
        trainer.read(place, &mut back).unwrap();
        assert_eq!(back, [7, 0, 0, 0]);
        // What was allocated through it went with it.
        assert!(trainer.read(own, &mut back).is_err());
        let (context, stream) = (trainer.context(), trainer.stream());
        drop(trainer);
        // SAFETY: not kept here, and the stub only compares them: both are gone.
        let gone =
            unsafe { Cuda::on_stream(context, stream) }.and_then(|mut cuda| cuda.synchronize());
        assert!(gone.is_err());
    }

    /// Runs under `cargo xtask cuda-smoke`.
    #[test]
    fn a_trainer_s_own_capture_is_noticed() {
        let mut trainer = Cuda::open(0).expect("`cargo xtask cuda-smoke` runs this with its stub");
        let place = trainer.allocate(8).unwrap();
        // SAFETY: both are the trainer's, who outlives what is made with them.
        let mut cuda = unsafe { Cuda::on_stream(trainer.context(), trainer.stream()) }.unwrap();
        trainer.begin_recording().unwrap();
        let refused = [
            ("writing from the host", cuda.write(place, &[0; 8])),
            ("reading", cuda.read(place, &mut [0; 8])),
            ("synchronizing", cuda.synchronize()),
            ("allocating", cuda.allocate(8).map(drop)),
            ("another capture", cuda.begin_recording()),
        ];
        for (what, done) in refused {
            let line = format!(
                "capture: {what}: expected it before or after the capture, found it within"
            );
            assert_eq!(done.unwrap_err().to_string(), line);
        }
        // Words by value: recorded fills, which hold theirs; nothing that a replay would read anew.
        cuda.set(place, &[6, 7]).unwrap();
        assert!(cuda.staging.is_none());
        trainer.end_recording().unwrap();
        cuda.set(place, &[6, 7]).unwrap();
        assert!(cuda.staging.is_some());
        // A recording that is left open does not stay with the trainer's stream.
        cuda.begin_recording().unwrap();
        drop(cuda);
        trainer.synchronize().unwrap();
    }
}
