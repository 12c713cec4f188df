//! [`alternate`]: three programs timed in turn, so that a slow moment of the machine meets all three.

use crate::common::{Pair, Triad};
use std::time::{Duration, Instant};

/// A batch is at least this long, so that reading the clock costs nothing.
const BATCH: Duration = Duration::from_millis(2);
/// Rounds at least, however long they take: fewer have no quantiles.
const ROUNDS: usize = 7;

/// Seconds a run, one value of each program a round.
#[derive(Default)]
pub struct Samples {
    pub triad: Vec<f64>,
    pub naive: Vec<f64>,
    pub ours: Vec<f64>,
}

/// Rounds of triad, naive and ours for `seconds`, and `ROUNDS` at least.
pub fn alternate(mut triad: Triad, pair: &mut dyn Pair, seconds: f64) -> Result<Samples, String> {
    let mut run_triad = || triad.run();
    let triad_runs = runs(&mut run_triad);
    let naive_runs = runs(&mut || pair.naive());
    let mut fault = None;
    let ours_runs = runs(&mut || fault = pair.ours().err().or(fault.take()));
    let mut samples = Samples::default();
    let start = Instant::now();
    while samples.ours.len() < ROUNDS || start.elapsed().as_secs_f64() < seconds {
        samples.triad.push(time(triad_runs, &mut run_triad));
        samples.naive.push(time(naive_runs, &mut || pair.naive()));
        samples.ours.push(time(ours_runs, &mut || fault = pair.ours().err().or(fault.take())));
        if let Some(reason) = fault {
            return Err(reason);
        }
    }
    if triad.is_right() { Ok(samples) } else { Err("the triad left elements out".into()) }
}

/// Runs that fill a batch: doubled until they do.
fn runs(program: &mut dyn FnMut()) -> usize {
    let mut runs = 1;
    while time(runs, program) * (runs as f64) < BATCH.as_secs_f64() {
        runs *= 2;
    }
    runs
}

/// Seconds a run. Where a batch has several, an untimed one first brings its planes into the cache.
fn time(runs: usize, program: &mut dyn FnMut()) -> f64 {
    if runs > 1 {
        program();
    }
    let start = Instant::now();
    (0..runs).for_each(|_| program());
    start.elapsed().as_secs_f64() / runs as f64
}

/// The value below which a share of `values` lies, between neighbours by proportion.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let position = share * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
    low + (high - low) * position.fract()
}
