//! [`Recorder`]: a device of the CPU that records as a GPU does, so that what is recorded has bits to compare.

use std::cell::Cell;
use std::rc::Rc;

use presam_cuda::{Address, Device, DeviceError, Kernel, Recording};

/// A device that keeps what it is asked for while it records, with the addresses and words of that moment, and does
/// it at each replay.
pub struct Recorder {
    device: Box<dyn Device>,
    recording: Option<Vec<Work>>,
    replays: Rc<Cell<usize>>,
    forgotten: &'static str,
}

/// Something asked for.
enum Work {
    Fill(Address, u32, usize),
    Set(Address, Vec<u32>),
    Copy(Address, Address, usize),
    Launch(&'static Kernel, u32, Vec<u64>),
}

impl Recorder {
    /// Over `device`.
    #[must_use]
    pub fn over(device: impl Device + 'static) -> Self {
        Self { device: Box::new(device), recording: None, replays: Rc::default(), forgotten: "" }
    }

    /// The same, whose recordings lack this kernel.
    #[must_use]
    pub fn forgetting(self, kernel: &'static str) -> Self {
        Self { forgotten: kernel, ..self }
    }

    /// How often something was replayed, now and later.
    #[must_use]
    pub fn replays(&self) -> Rc<Cell<usize>> {
        Rc::clone(&self.replays)
    }

    fn ask(&mut self, work: Work) -> Result<(), DeviceError> {
        match &mut self.recording {
            Some(recording) => {
                if !matches!(&work, Work::Launch(kernel, ..) if kernel.name == self.forgotten) {
                    recording.push(work);
                }
                Ok(())
            }
            None => self.work(&work),
        }
    }

    fn work(&mut self, work: &Work) -> Result<(), DeviceError> {
        match work {
            Work::Fill(to, word, count) => self.device.fill(*to, *word, *count),
            Work::Set(to, words) => self.device.set(*to, words),
            Work::Copy(to, from, bytes) => self.device.copy(*to, *from, *bytes),
            Work::Launch(kernel, blocks, arguments) => {
                self.device.launch(kernel, *blocks, arguments)
            }
        }
    }

    /// The device below, for what a recording does not bear.
    fn outside(&mut self, what: &str) -> Result<&mut dyn Device, DeviceError> {
        if self.recording.is_none() {
            return Ok(&mut *self.device);
        }
        Err(contract(what, "it before or after", "it within"))
    }
}

fn contract(what: &str, expected: &str, found: &str) -> DeviceError {
    let [what, expected, found] = [what, expected, found].map(str::to_owned);
    DeviceError::Contract { kernel: "recording", what, expected, found }
}

impl Device for Recorder {
    fn name(&self) -> String {
        self.device.name()
    }

    fn stands_in(&self) -> bool {
        self.device.stands_in()
    }

    fn allocate(&mut self, bytes: usize) -> Result<Address, DeviceError> {
        self.outside("allocating")?.allocate(bytes)
    }

    fn free(&mut self, address: Address) -> Result<(), DeviceError> {
        self.outside("freeing")?.free(address)
    }

    fn write(&mut self, to: Address, bytes: &[u8]) -> Result<(), DeviceError> {
        self.outside("writing from the host")?.write(to, bytes)
    }

    fn read(&mut self, from: Address, bytes: &mut [u8]) -> Result<(), DeviceError> {
        self.outside("reading")?.read(from, bytes)
    }

    fn fill(&mut self, to: Address, word: u32, count: usize) -> Result<(), DeviceError> {
        self.ask(Work::Fill(to, word, count))
    }

    fn set(&mut self, to: Address, words: &[u32]) -> Result<(), DeviceError> {
        self.ask(Work::Set(to, words.to_vec()))
    }

    fn copy(&mut self, to: Address, from: Address, bytes: usize) -> Result<(), DeviceError> {
        self.ask(Work::Copy(to, from, bytes))
    }

    fn launch(
        &mut self,
        kernel: &'static Kernel,
        blocks: u32,
        arguments: &[u64],
    ) -> Result<(), DeviceError> {
        self.ask(Work::Launch(kernel, blocks, arguments.to_vec()))
    }

    fn synchronize(&mut self) -> Result<(), DeviceError> {
        self.outside("synchronizing")?.synchronize()
    }

    fn records(&self) -> bool {
        true
    }

    fn is_recording(&self) -> Result<bool, DeviceError> {
        Ok(self.recording.is_some())
    }

    fn begin_recording(&mut self) -> Result<(), DeviceError> {
        self.outside("another recording")?;
        self.recording = Some(Vec::new());
        Ok(())
    }

    fn end_recording(&mut self) -> Result<Recording, DeviceError> {
        let recording = self.recording.take();
        recording.map(Recording::new).ok_or_else(|| contract("recording", "one begun", "none"))
    }

    fn replay(&mut self, recording: &Recording) -> Result<(), DeviceError> {
        self.outside("replaying")?;
        self.replays.set(self.replays.get() + 1);
        let works = recording.get::<Vec<Work>>();
        let works =
            works.ok_or_else(|| contract("recording", "one of this device", "another's"))?;
        works.iter().try_for_each(|work| self.work(work))
    }
}
