//! [`CpuTarget`]: the phases of core on threads that each own a share of the chunks.

mod case;
mod check;
pub(super) mod rules;
pub(super) mod shard;
mod team;
pub(super) mod tensor;

use std::time::Instant;

use self::case::Case;
use self::team::{Task, Team};
use super::{Base, BenchError, Cache, Device, Job, Mode, Phase, Programs, Row, Target};
use crate::machine::{self, Host};

/// The rule whose planes serve the rows that are the same for every rule.
const PLAIN_RULE: &str = "sam";

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
    fn describe(&self) -> Result<Device, BenchError> {
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

    fn prepare<'t>(&'t mut self, row: &Row) -> Result<Box<dyn Programs + 't>, BenchError> {
        let rule = match row.job.phase {
            Phase::Restore | Phase::Descend => None,
            _ => Some(row.job.rule),
        };
        let mut case = match self.case.take().filter(|case| case.serves(rule, &row.job.shape)) {
            Some(case) => case,
            None => {
                let rule = rule.unwrap_or(PLAIN_RULE);
                Case::new(&mut self.team, rule, &row.job.shape)?
            }
        };
        let base = Base::ALL.into_iter().find(|base| base.name() == row.job.rule);
        let base = base.unwrap_or(Base::SgdMomentum);
        case.verify_base(&mut self.team, base)?;
        // Half of the bytes are read and half written.
        let floats = (row.job.bytes as usize).div_ceil(2 * size_of::<f32>());
        self.team.run(&Task::SizeCopy(floats))?;
        let case = self.case.insert(case);
        let (phase, cold) = (row.job.phase, row.mode.cache == Cache::Cold);
        Ok(Box::new(CpuPrograms { team: &mut self.team, case, phase, base, cold, floats }))
    }
}

/// A row's job and the copy beside it.
struct CpuPrograms<'t> {
    team: &'t mut Team,
    case: &'t mut Case,
    phase: Phase,
    base: Base,
    cold: bool,
    /// Floats copied.
    floats: usize,
}

impl CpuPrograms<'_> {
    fn evict(&mut self) -> Result<(), BenchError> {
        if self.cold {
            self.team.run(&Task::Evict)?;
        }
        Ok(())
    }
}

impl Programs for CpuPrograms<'_> {
    fn job(&mut self, runs: u32) -> Result<f64, BenchError> {
        self.evict()?;
        let start = Instant::now();
        for _ in 0..runs {
            self.case.run(self.team, self.phase, self.base)?;
        }
        Ok(start.elapsed().as_nanos() as f64)
    }

    fn copy(&mut self, runs: u32) -> Result<f64, BenchError> {
        self.evict()?;
        let start = Instant::now();
        for _ in 0..runs {
            self.team.run(&Task::Copy)?;
        }
        Ok(start.elapsed().as_nanos() as f64)
    }

    fn copy_bytes(&self) -> u64 {
        (2 * size_of::<f32>() * self.floats) as u64
    }

    fn check(&mut self) -> Result<(), BenchError> {
        self.team.run(&Task::CheckCopy)?;
        self.case.check_finite(self.team)
    }
}
