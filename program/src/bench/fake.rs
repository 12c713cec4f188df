//! A target whose clock is scripted, for tests of everything that is shared.

use super::{
    Asked, Cache, Device, Job, Mode, Overhead, Programs, Record, Request, Row, Target, plan, run,
};
use crate::error::Error;
use presam_cuda::DeviceError;

/// Programs that take the times they are told, over and over, and remember how they were called.
pub(super) struct Scripted {
    pub job: Vec<f64>,
    pub copy: Vec<f64>,
    pub turns: [usize; 2],
    pub calls: Vec<String>,
    pub wrong: bool,
    pub checked: bool,
    pub bytes: u64,
}

impl Scripted {
    /// Nanoseconds a run, call by call and then from the start again.
    pub fn new(job: impl Into<Vec<f64>>, copy: impl Into<Vec<f64>>) -> Self {
        Self {
            job: job.into(),
            copy: copy.into(),
            turns: [0; 2],
            calls: Vec::new(),
            wrong: false,
            checked: false,
            bytes: 0,
        }
    }
}

fn next(script: &[f64], turn: &mut usize, runs: u32) -> f64 {
    let nanoseconds = script[*turn % script.len()];
    *turn += 1;
    nanoseconds * f64::from(runs)
}

impl Programs for Scripted {
    fn job(&mut self, runs: u32) -> Result<f64, Error> {
        self.calls.push(format!("job {runs}"));
        Ok(next(&self.job, &mut self.turns[0], runs))
    }

    fn copy(&mut self, runs: u32) -> Result<f64, Error> {
        self.calls.push(format!("copy {runs}"));
        Ok(next(&self.copy, &mut self.turns[1], runs))
    }

    fn copy_bytes(&self) -> u64 {
        self.bytes
    }

    fn check(&mut self) -> Result<(), Error> {
        self.checked = true;
        if self.wrong { Err(Error::Wrong("scripted to be wrong".into())) } else { Ok(()) }
    }
}

/// A GPU that is not there: every job takes a nanosecond for each of its bytes, the copy half of that
/// (warm) or four fifths (cold); graphs halve the job's time.
pub(super) struct FakeTarget {
    pub memory: u64,
    /// Names of the rows prepared.
    pub prepared: Vec<String>,
    /// How the names of the rows begin for which there is no room.
    pub full: &'static str,
    /// How the names of the rows begin whose answer is wrong.
    pub wrong: &'static str,
    /// How the names of the rows begin at which the device is lost.
    pub lost: &'static str,
}

impl Target for FakeTarget {
    fn describe(&self) -> Result<Device, Error> {
        Ok(Device { name: Self::NAME.into(), driver: Some("1.0".into()), ..Device::default() })
    }

    fn memory(&self) -> u64 {
        self.memory
    }

    fn modes(&self, _job: &Job) -> Vec<Mode> {
        let graphs = [false, true].into_iter();
        graphs
            .flat_map(|graph| [Cache::Warm, Cache::Cold].map(|cache| Mode { cache, graph }))
            .collect()
    }

    fn prepare<'t>(&'t mut self, row: &Row) -> Result<Box<dyn Programs + 't>, Error> {
        self.prepared.push(row.name());
        if row.name().starts_with(self.full) {
            return Err(DeviceError::OutOfMemory { bytes: 640 }.into());
        }
        if row.name().starts_with(self.lost) {
            return Err(DeviceError::Lost { what: "scripted".into() }.into());
        }
        let bytes = row.job.bytes as f64;
        let share = if row.mode.cache == Cache::Warm { 0.5 } else { 0.8 };
        let job = if row.mode.graph { bytes / 2.0 } else { bytes };
        let (bytes_of_row, wrong) = (row.job.bytes, row.name().starts_with(self.wrong));
        let scripted = Scripted::new([job], [bytes * share]);
        let programs = Scripted { bytes: bytes_of_row, wrong, ..scripted };
        Ok(Box::new(programs))
    }

    fn launch_overhead(&mut self) -> Result<Option<Overhead>, Error> {
        let (host_ns, device_ns) = (vec![3000.0, 4000.0, 5000.0], vec![1000.0, 1500.0, 2000.0]);
        Ok(Some(Overhead { host_ns, device_ns }))
    }
}

impl FakeTarget {
    /// Its name in records.
    pub const NAME: &str = "fake";

    /// One with so many bytes of memory, and room for every row.
    pub fn of(memory: u64) -> Self {
        Self { memory, prepared: Vec::new(), full: "none", wrong: "none", lost: "none" }
    }
}

/// A record of rows of the fake target.
pub(super) fn record(sizes: &str, filter: &str) -> Record {
    let request = Request::new(&Asked {
        sizes: Some(sizes.into()),
        filter: Some(filter.into()),
        min_time: Some(1e-6),
        ..Asked::default()
    })
    .unwrap();
    let mut target = FakeTarget::of(u64::MAX);
    let plan = plan(&target, &request).unwrap();
    run(&mut target, &plan, &request, "presam bench", &mut ()).unwrap()
}
