//! Runs spread over threads; the results do not depend on how many.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::run::{Job, Place};
use super::split::{Judge, Split};
use crate::data::Loaded;
use crate::error::Error;
use crate::progress::Progress;
use crate::report::Run;
use presam_cuda::Device;

/// Does all `jobs` on `threads` threads and returns their records in the jobs' order.
pub(super) fn run_all(
    jobs: &[Job<'_>],
    loaded: &Loaded,
    judge: Judge,
    threads: usize,
    what: &str,
    progress: &(dyn Fn(Progress<'_>) + Sync),
    device: Option<&mut Box<dyn Device>>,
) -> Result<Vec<Run>, Error> {
    let epochs: usize = jobs.iter().map(|job| job.config.epochs).sum();
    progress(Progress::Start { epochs: epochs as u64, what });
    if let Some(device) = device {
        // One queue: the runs one after the other, on this thread.
        return jobs
            .iter()
            .map(|job| {
                let run = one(job, loaded, judge, progress, Some(device))?;
                progress(Progress::Finished(&run));
                Ok(run)
            })
            .collect();
    }
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<Option<Result<Run, Error>>>> =
        Mutex::new(jobs.iter().map(|_| None).collect());
    let work = || {
        while let Some((index, job)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            jobs.get(index).map(|job| (index, job))
        } {
            let result = one(job, loaded, judge, progress, None);
            if let Ok(run) = &result {
                progress(Progress::Finished(run));
            } else {
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

fn one(
    job: &Job<'_>,
    loaded: &Loaded,
    judge: Judge,
    progress: &(dyn Fn(Progress<'_>) + Sync),
    device: Option<&mut Box<dyn Device>>,
) -> Result<Run, Error> {
    let split = Split::new(job.config, loaded, job.label_noise, job.seed, judge)?;
    job.run(split, Place { device, tell: &|| progress(Progress::Epoch) })
}
