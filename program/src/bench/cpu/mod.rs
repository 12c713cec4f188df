//! [`CpuTarget`]: the phases of core on threads that each own a share of the chunks.

mod case;
mod check;
pub(super) mod shard;
mod team;
pub(super) mod tensor;

use std::time::Instant;

use self::case::Case;
use self::shard::Rules;
use self::team::{Task, Team};
use super::{Base, Cache, Device, Job, Mode, Phase, Programs, Row, Target};
use crate::error::Error;
use crate::machine::{self, Host};

/// The rule whose planes serve the rows that are the same for every rule.
const PLAIN_RULE: &str = "sam";
/// Planes that a copy reads and writes.
const COPY_PLANES: usize = 2;
/// Planes that a triad reads and writes.
const TRIAD_PLANES: usize = 3;

/// The CPU: `threads` threads, of which the caller's is one.
pub struct CpuTarget {
    team: Team,
    /// Kept for the next row where that has the same rule and shape.
    case: Option<Case>,
    last_cache: u64,
    memory: u64,
    name: String,
}

impl CpuTarget {
    /// This machine's CPU.
    pub fn new(threads: usize) -> Self {
        let last_cache = machine::last_cache_bytes();
        let host = Host::detect(threads);
        Self {
            team: Team::new(threads, last_cache),
            case: None,
            last_cache,
            memory: machine::available_memory().saturating_sub(2 * last_cache),
            name: format!("cpu {}", host.cpu),
        }
    }
}

impl Target for CpuTarget {
    fn describe(&self) -> Result<Device, Error> {
        let last_cache_bytes = Some(self.last_cache);
        Ok(Device { name: self.name.clone(), last_cache_bytes, ..Device::default() })
    }

    fn memory(&self) -> u64 {
        self.memory
    }

    /// Warm only what fits: beyond the last cache nothing stays warm from one run to the next.
    fn modes(&self, job: &Job) -> Vec<Mode> {
        let fits = job.bytes <= self.last_cache;
        let caches = if fits { &[Cache::Warm, Cache::Cold][..] } else { &[Cache::Cold] };
        caches.iter().map(|&cache| Mode { cache, graph: false }).collect()
    }

    fn prepare<'t>(&'t mut self, row: &Row) -> Result<Box<dyn Programs + 't>, Error> {
        let any_variant = matches!(row.job.phase, Phase::Restore | Phase::Descend);
        let base = Base::ALL.into_iter().find(|base| base.name() == row.job.rule);
        let rule = if any_variant { PLAIN_RULE } else { row.job.rule };
        let rules = Rules::new(rule, base.unwrap_or(Base::SgdMomentum))?;
        let serves = |case: &Case| case.serves(rules, any_variant, &row.job.shape);
        let case = match self.case.take().filter(serves) {
            Some(case) => case,
            None => Case::new(&mut self.team, rules, &row.job.shape)?,
        };
        let bytes = row.job.bytes;
        let floats = |planes: usize| (bytes as usize).div_ceil(planes * size_of::<f32>());
        let (copy, triad) = (floats(COPY_PLANES), floats(TRIAD_PLANES));
        self.team.run(&Task::Size { copy, triad })?;
        let (case, cold) = (self.case.insert(case), row.mode.cache == Cache::Cold);
        let phase = row.job.phase;
        Ok(Box::new(CpuPrograms { team: &mut self.team, case, phase, cold, bytes, copy, triad }))
    }
}

/// A row's job, and the copy and the triad beside it.
struct CpuPrograms<'t> {
    team: &'t mut Team,
    case: &'t mut Case,
    phase: Phase,
    cold: bool,
    /// Bytes of the job.
    bytes: u64,
    /// Floats that copy and triad write.
    copy: usize,
    triad: usize,
}

impl CpuPrograms<'_> {
    /// Nanoseconds of `work`, `runs` times over.
    fn timed(&mut self, runs: u32, work: fn(&mut Self) -> Result<(), Error>) -> Result<f64, Error> {
        if self.cold {
            self.team.run(&Task::Evict)?;
        }
        let start = Instant::now();
        for _ in 0..runs {
            work(self)?;
        }
        Ok(start.elapsed().as_nanos() as f64)
    }
}

impl Programs for CpuPrograms<'_> {
    fn job(&mut self, runs: u32) -> Result<f64, Error> {
        self.timed(runs, |this| this.case.run(this.team, this.phase))
    }

    fn copy(&mut self, runs: u32) -> Result<f64, Error> {
        self.timed(runs, |this| this.team.run(&Task::Copy).map(drop))
    }

    fn copy_bytes(&self) -> u64 {
        (COPY_PLANES * size_of::<f32>() * self.copy) as u64
    }

    fn has_triad(&self) -> bool {
        true
    }

    fn triad(&mut self, runs: u32) -> Result<f64, Error> {
        let time = self.timed(runs, |this| this.team.run(&Task::Triad).map(drop))?;
        let moved = TRIAD_PLANES * size_of::<f32>() * self.triad;
        Ok(time * self.bytes as f64 / moved as f64)
    }

    fn check(&mut self) -> Result<(), Error> {
        self.team.run(&Task::CheckBandwidth)?;
        self.case.check_finite(self.team)
    }
}
