//! [`open`]: the target by its name; [`DeviceTarget`]: the kernels on a GPU, or on what stands in for one.
//!
//! | phase | launches |
//! | --- | --- |
//! | accumulate | the norm pass, and its end (tree, outcome, scales): both are counted |
//! | ascend, ascend-in-place, restore | one |
//! | descend | the counters, and the descent |
//! | step | all of accumulate, ascend and descend |

mod buffers;
mod case;
mod check;
mod clocked;
#[cfg(feature = "cuda")]
mod cuda;
mod host_clock;
mod launch;
mod planes;
#[cfg(test)]
mod planted;
mod reference;
mod sums;

use buffers::{CopyBuffers, OtherData};
use case::Case;
use check::{Recipe, build};
use clocked::Clocked;
use host_clock::HostClock;

use super::{Base, Cache, CpuTarget, Device, Job, Mode, Overhead, Phase, Programs, Row, Target};
use crate::error::Error;
use presam_cuda::{Choice, DeviceError, Recording, recorded};

/// The rule whose planes serve the rows that are the same for every rule.
const PLAIN_RULE: &str = "sam";

/// The target of that name; `threads` are the CPU's.
///
/// # Errors
/// [`Error::Device`] where there is no such device, or this program was built without it: exit code 3.
pub fn open(choice: Choice, threads: usize) -> Result<Box<dyn Target>, Error> {
    #[cfg(feature = "cuda")]
    if let Choice::Cuda(number) = choice {
        return Ok(Box::new(DeviceTarget::new(cuda::open(number)?, threads)?));
    }
    Ok(match choice.open()? {
        None => Box::new(CpuTarget::new(threads)),
        Some(device) => Box::new(DeviceTarget::new(HostClock(device), threads)?),
    })
}

/// A device with a clock.
struct DeviceTarget<D> {
    device: D,
    threads: usize,
    last_cache: u64,
    memory: u64,
    other_data: OtherData,
    copy: CopyBuffers,
    /// Kept for the next row where that has the same rule, base optimizer and shape.
    case: Option<Case>,
    /// The recipe of the last case that came out wrong, and how: it is not made again for each of its rows.
    wrong: Option<(Recipe, String)>,
}

impl<D: Clocked> DeviceTarget<D> {
    fn new(mut device: D, threads: usize) -> Result<Self, DeviceError> {
        let last_cache = device.last_cache_bytes()?;
        let memory = device.memory_bytes()?.saturating_sub(2 * last_cache);
        let other_data = OtherData::new(&mut device, last_cache)?;
        let copy = CopyBuffers::default();
        Ok(Self { device, threads, last_cache, memory, other_data, copy, case: None, wrong: None })
    }

    /// The case of a row: that of the last one, or a new one in its place.
    fn case(&mut self, row: &Row, checked: bool) -> Result<Case, Error> {
        let rule = match row.job.phase {
            Phase::Restore | Phase::Descend => None,
            _ => Some(row.job.rule),
        };
        let base = Base::ALL.into_iter().find(|base| base.name() == row.job.rule);
        let base = base.unwrap_or(Base::SgdMomentum);
        match self.case.take() {
            Some(case) if case.serves(rule, base, &row.job.shape) => return Ok(case),
            other => self.case = other,
        }
        self.clear()?;
        let (rule, shape) = (rule.unwrap_or(PLAIN_RULE), row.job.shape.clone());
        let recipe = Recipe { rule, base, shape, threads: self.threads, checked };
        match &self.wrong {
            Some((wrong, what)) if *wrong == recipe => return Err(Error::Wrong(what.clone())),
            _ => {}
        }
        let built = build(&mut self.device, &recipe);
        if let Err(Error::Wrong(what)) = &built {
            self.wrong = Some((recipe, what.clone()));
        }
        built
    }

    /// Gives back what the last row had.
    fn clear(&mut self) -> Result<(), DeviceError> {
        let case = self.case.take().map_or(Ok(()), |case| case.free(&mut self.device));
        case.and(self.copy.free(&mut self.device))
    }
}

impl<D: Clocked> Target for DeviceTarget<D> {
    fn describe(&self) -> Result<Device, Error> {
        Ok(self.device.described()?)
    }

    fn memory(&self) -> u64 {
        self.memory
    }

    /// Warm only what fits, as on the CPU, with the second gradient that each other run reads: into half of a GPU's
    /// last cache, which may be two, each with the lines of the far one again. Plain launches, then the graph where
    /// the device records one.
    fn modes(&self, job: &Job) -> Vec<Mode> {
        let other_gradient = (size_of::<f32>() as u64).saturating_mul(job.shape.params() as u64);
        let halves = if self.device.stands_in() { 1 } else { 2 };
        let fits = job.bytes.saturating_add(other_gradient) <= self.last_cache / halves;
        let caches = if fits { &[Cache::Warm, Cache::Cold][..] } else { &[Cache::Cold] };
        let modes = |graph| caches.iter().map(move |&cache| Mode { cache, graph });
        modes(false).chain(modes(true).filter(|_| self.device.records())).collect()
    }

    fn prepare<'t>(&'t mut self, row: &Row) -> Result<Box<dyn Programs + 't>, Error> {
        // Kept before anything may fail: it holds memory.
        let case = self.case(row, true)?;
        let case = &*self.case.insert(case);
        // Half of the bytes are read and half written.
        let floats = (row.job.bytes as usize).div_ceil(2 * size_of::<f32>());
        self.copy.size(&mut self.device, floats)?;
        let (device, phase) = (&mut self.device, row.job.phase);
        let graphs = if row.mode.graph { Some(graphs(device, case, phase)?) } else { None };
        Ok(Box::new(DevicePrograms {
            device,
            case,
            copy: &self.copy,
            other_data: &self.other_data,
            phase,
            cold: row.mode.cache == Cache::Cold,
            floats,
            graphs,
            turn: 0,
        }))
    }

    /// Nothing is checked and nothing timed, so that a profiler sees the row's kernels and, before an
    /// ascent, the norm pass that its scale comes from.
    fn profile(&mut self, row: &Row) -> Result<(), Error> {
        let case = self.case(row, false)?;
        let (case, device) = (&*self.case.insert(case), &mut self.device);
        match row.job.phase {
            Phase::Ascend => case.plain[0].accumulate(device)?,
            Phase::AscendInPlace => case.in_place[0].accumulate(device)?,
            _ => {}
        }
        if row.mode.cache == Cache::Cold {
            self.other_data.evict(device)?;
        }
        case.queue(device, row.job.phase, 0)?;
        Ok(device.synchronize()?)
    }

    fn launch_overhead(&mut self) -> Result<Option<Overhead>, Error> {
        Ok(Some(launch::overhead(&mut self.device)?))
    }
}

/// A graph for each of the two tables; every kernel has run before it is recorded.
fn graphs<D: Clocked>(
    device: &mut D,
    case: &Case,
    phase: Phase,
) -> Result<[Recording; 2], DeviceError> {
    let mut graph = |turn| {
        case.queue(device, phase, turn)?;
        let graph = recorded(device, |device| case.queue(device, phase, turn))?;
        // A graph's first launch takes longer: it belongs to no sample.
        device.replay(&graph).map(|()| graph)
    };
    Ok([graph(0)?, graph(1)?])
}

/// A row's job and the copy beside it.
struct DevicePrograms<'t, D: Clocked> {
    device: &'t mut D,
    case: &'t Case,
    copy: &'t CopyBuffers,
    other_data: &'t OtherData,
    phase: Phase,
    cold: bool,
    /// Floats copied.
    floats: usize,
    graphs: Option<[Recording; 2]>,
    turn: usize,
}

impl<D: Clocked> DevicePrograms<'_, D> {
    /// Queued, not waited for: while it runs, the host is ahead with what is timed.
    fn evict(&mut self) -> Result<(), Error> {
        if self.cold {
            self.other_data.evict(self.device)?;
        }
        Ok(())
    }
}

impl<D: Clocked> Programs for DevicePrograms<'_, D> {
    fn job(&mut self, runs: u32) -> Result<f64, Error> {
        self.evict()?;
        let Self { device, case, phase, graphs, turn, .. } = self;
        let work = &mut |device: &mut D| {
            for _ in 0..runs {
                match graphs {
                    Some(graphs) => device.replay(&graphs[*turn])?,
                    None => case.queue(device, *phase, *turn)?,
                }
                *turn = 1 - *turn;
            }
            Ok(())
        };
        Ok(device.nanoseconds(work)?)
    }

    fn copy(&mut self, runs: u32) -> Result<f64, Error> {
        self.evict()?;
        let Self { device, copy, floats, .. } = self;
        let work = &mut |device: &mut D| (0..runs).try_for_each(|_| copy.copy(device, *floats));
        Ok(device.nanoseconds(work)?)
    }

    fn copy_bytes(&self) -> u64 {
        (2 * size_of::<f32>() * self.floats) as u64
    }

    fn check(&mut self) -> Result<(), Error> {
        self.copy.check(self.device, self.floats)?;
        self.case.check(self.device)
    }
}
