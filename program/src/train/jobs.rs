//! Runs spread over threads; the results do not depend on how many.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::checkpoint::{Keeper, Kept, Saved};
use super::job::Job;
use super::ranks::Ranks;
use super::run::Place;
use super::split::{Judge, Split};
use crate::data::Loaded;
use crate::error::Error;
use crate::progress::Progress;
use crate::report::Run;
use presam_cuda::Device;

/// Who hears of a comparison while it runs, who keeps it, and who takes part.
#[derive(Clone, Copy)]
pub(super) struct Watch<'a> {
    pub progress: &'a (dyn Fn(Progress<'_>) + Sync),
    /// `None` where nothing is kept.
    pub keeper: Option<&'a Keeper<'a>>,
    pub ranks: Ranks<'a>,
}

/// Does all `jobs` on `threads` threads and returns their records in the jobs' order.
pub(super) fn run_all(
    jobs: &[Job<'_>],
    loaded: &Loaded,
    judge: Judge,
    threads: usize,
    what: &str,
    watch: Watch<'_>,
    device: Option<&mut Box<dyn Device>>,
) -> Result<Vec<Run>, Error> {
    // Every file that is refused is refused before the first step.
    let left =
        jobs.iter().map(|job| Left::find(job, judge, watch)).collect::<Result<Vec<_>, _>>()?;
    watch.start(jobs, &left, what);
    if let Some(device) = device {
        // One queue: the runs one after the other, on this thread.
        return jobs
            .iter()
            .zip(&left)
            .map(|(job, left)| one(job, left, loaded, judge, watch, Some(device)))
            .collect();
    }
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<Option<Result<Run, Error>>>> =
        Mutex::new(jobs.iter().map(|_| None).collect());
    let work = || {
        while let Some((index, job, left)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            jobs.get(index).zip(left.get(index)).map(|(job, left)| (index, job, left))
        } {
            let result = one(job, left, loaded, judge, watch, None);
            if result.is_err() {
                // Nothing more is started: the first error is told.
                next.store(jobs.len(), Ordering::Relaxed);
            }
            let mut done = done.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if let Some(slot) = done.get_mut(index) {
                *slot = Some(result);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(jobs.len()) {
            scope.spawn(work);
        }
        work();
    });
    let done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut runs = Vec::with_capacity(jobs.len());
    let mut first_error = None;
    for result in done.into_iter().flatten() {
        match result {
            Ok(run) => runs.push(run),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    first_error.map_or(Ok(runs), Err)
}

/// A run as an earlier process left it.
struct Left<'k> {
    kept: Option<Kept<'k>>,
    saved: Mutex<Option<Saved>>,
    /// Epochs that need not be taken again.
    epochs: usize,
}

impl<'k> Left<'k> {
    fn find(job: &Job<'_>, judge: Judge, watch: Watch<'k>) -> Result<Self, Error> {
        let kept = watch.keeper.map(|keeper| keeper.of(job, judge)).transpose()?;
        let saved = kept.as_ref().map(Kept::load).transpose()?.flatten();
        let epochs = match &saved {
            None => 0,
            Some(Saved::Going(going)) => going.course.history.len(),
            Some(Saved::Finished(_)) => job.plan.part.epochs,
        };
        Ok(Self { kept, saved: Mutex::new(saved), epochs })
    }
}

impl Watch<'_> {
    /// Tells how much lies ahead, and how much does not any more.
    fn start(self, jobs: &[Job<'_>], left: &[Left<'_>], what: &str) {
        let ahead =
            |(job, left): (&Job<'_>, &Left<'_>)| job.plan.part.epochs.saturating_sub(left.epochs);
        let epochs: usize = jobs.iter().zip(left).map(ahead).sum();
        (self.progress)(Progress::Start { epochs: epochs as u64, what });
        let begun = left.iter().filter(|left| left.epochs > 0).count();
        if begun > 0 {
            let of = jobs.len();
            let text = format!(
                "{what}: {begun} of {of} runs go on from their files, {epochs} epochs are left"
            );
            (self.progress)(Progress::Note(&text));
        }
    }
}

fn one(
    job: &Job<'_>,
    left: &Left<'_>,
    loaded: &Loaded,
    judge: Judge,
    watch: Watch<'_>,
    device: Option<&mut Box<dyn Device>>,
) -> Result<Run, Error> {
    let Watch { progress, keeper, ranks } = watch;
    keeper.map_or(Ok(()), Keeper::interrupted)?;
    let kept = left.kept.as_ref();
    let saved = left.saved.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    let from = match saved {
        Some(Saved::Finished(run)) => return Ok(*run),
        Some(Saved::Going(going)) => Some(going),
        None => None,
    };
    let split = Split::new(job.config, loaded, job.label_noise, job.seed, judge)?;
    let tell = || progress(Progress::Epoch);
    let run = job.run(split, Place { device, ranks, tell: &tell, kept, from })?;
    if let Some(kept) = kept {
        kept.save(&Saved::Finished(Box::new(run.clone())))?;
    }
    progress(Progress::Finished(&run));
    Ok(run)
}
