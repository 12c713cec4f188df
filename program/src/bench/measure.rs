//! [`measure`]: job, copy and triad in turn, so that a slow moment of the machine meets all of them.

use std::time::Duration;

use super::record::Samples;
use super::{Cache, Programs};
use crate::error::Error;

/// Rounds at least, however long they take: fewer have no quantiles.
const FEWEST: usize = 11;
/// Rounds at most: more only make the files longer.
const MOST: usize = 1000;
/// A warm sample is at least that long, so that reading the clock costs nothing.
const SAMPLE: Duration = Duration::from_micros(100);
/// More runs a sample than any program needs; a clock that stands still must not hang the program.
const MOST_RUNS: u32 = 1 << 20;

/// Which of the programs.
#[derive(Clone, Copy)]
enum Which {
    Job,
    Copy,
    Triad,
}

fn time(programs: &mut dyn Programs, which: Which, runs: u32) -> Result<f64, Error> {
    match which {
        Which::Job => programs.job(runs),
        Which::Copy => programs.copy(runs),
        Which::Triad => programs.triad(runs),
    }
}

/// Rounds of job, copy and triad until `now` (the time since any fixed moment) has moved on by `min_time`.
///
/// Warm samples are means over as many runs as fill 0.1 ms, after one untimed run that brings back what
/// the other programs displaced. Cold samples are single runs.
///
/// # Errors
/// Those of the programs, and a wrong answer found after the last round.
pub fn measure(
    programs: &mut dyn Programs,
    cache: Cache,
    min_time: Duration,
    now: &dyn Fn() -> Duration,
) -> Result<Samples, Error> {
    let mut turns = vec![(Which::Job, 1), (Which::Copy, 1)];
    if programs.has_triad() {
        turns.push((Which::Triad, 1));
    }
    if cache == Cache::Warm {
        for (which, runs) in &mut turns {
            *runs = warm_up(programs, *which, min_time)?;
        }
    }
    // Also a cold program runs once untimed: page faults and compilation belong to nobody's median.
    for &(which, runs) in &turns {
        sample(programs, which, runs, cache)?;
    }
    let [mut job, mut copy, mut triad] = [const { Vec::new() }; 3];
    let start = now();
    while job.len() < FEWEST || (job.len() < MOST && now().saturating_sub(start) < min_time) {
        for &(which, runs) in &turns {
            let found = sample(programs, which, runs, cache)?;
            match which {
                Which::Job => job.push(found),
                Which::Copy => copy.push(found),
                Which::Triad => triad.push(found),
            }
        }
    }
    programs.check()?;
    let runs = turns.first().map_or(1, |(_, runs)| *runs);
    Ok(Samples { job, copy, triad, runs, copy_bytes: programs.copy_bytes() })
}

/// Runs that fill a sample: doubled until they do.
fn warm_up(programs: &mut dyn Programs, which: Which, min_time: Duration) -> Result<u32, Error> {
    let least = SAMPLE.max(min_time / MOST as u32).as_nanos() as f64;
    let mut runs = 1;
    while time(programs, which, runs)? < least && runs < MOST_RUNS {
        runs *= 2;
    }
    Ok(runs)
}

/// Nanoseconds a run, to a hundredth: clocks tell no more.
fn sample(
    programs: &mut dyn Programs,
    which: Which,
    runs: u32,
    cache: Cache,
) -> Result<f64, Error> {
    if cache == Cache::Warm {
        time(programs, which, 1)?;
    }
    let nanoseconds = time(programs, which, runs)? / f64::from(runs);
    Ok((nanoseconds * 100.0).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::super::fake::Scripted;
    use super::*;

    #[test]
    fn job_and_copy_take_turns_and_each_warm_sample_follows_an_untimed_run() {
        let mut programs = Scripted::new([250_000.0], [500_000.0]);
        let now = || Duration::ZERO;
        let samples = measure(&mut programs, Cache::Warm, Duration::ZERO, &now).unwrap();
        assert_eq!((samples.job.len(), samples.copy.len()), (FEWEST, FEWEST));
        assert!(samples.job.iter().all(|ns| *ns == 250_000.0));
        assert!(samples.copy.iter().all(|ns| *ns == 500_000.0));
        // Warm-up of each, then pairs: job job copy copy ...
        let (warm_up, rounds) = programs.calls.split_at(2);
        assert_eq!(warm_up, ["job 1", "copy 1"]);
        for round in rounds.chunks(4) {
            assert_eq!(round, ["job 1", "job 1", "copy 1", "copy 1"]);
        }
        assert_eq!(rounds.len(), 4 * (FEWEST + 1));
        assert!(programs.checked);
    }

    #[test]
    fn short_programs_are_repeated_until_the_clock_can_tell() {
        let mut programs = Scripted::new([900.0], [30_000.0]);
        let now = || Duration::ZERO;
        let samples = measure(&mut programs, Cache::Warm, Duration::ZERO, &now).unwrap();
        assert_eq!(samples.runs, 128, "128 * 900 ns is the first power of two past 0.1 ms");
        assert_eq!(samples.job[0], 900.0);
        assert!(programs.calls.contains(&"copy 4".to_owned()));
    }

    #[test]
    fn cold_samples_are_single_runs_in_strict_alternation() {
        let mut programs = Scripted::new([10.0, 20.0, 30.0], [5.0]);
        let now = || Duration::ZERO;
        let samples = measure(&mut programs, Cache::Cold, Duration::ZERO, &now).unwrap();
        assert_eq!(samples.job[..4], [20.0, 30.0, 10.0, 20.0], "the first run is untimed");
        for round in programs.calls.chunks(2) {
            assert_eq!(round, ["job 1", "copy 1"]);
        }
    }

    #[test]
    fn rounds_go_on_for_the_time_asked_for_and_end_at_the_most() {
        let count = |min_time: u64| {
            let ticks = std::cell::Cell::new(0);
            let now = || {
                ticks.set(ticks.get() + 1);
                Duration::from_millis(ticks.get())
            };
            let mut programs = Scripted::new([1.0], [1.0]);
            measure(&mut programs, Cache::Cold, Duration::from_millis(min_time), &now)
                .unwrap()
                .job
                .len()
        };
        // The clock is not asked in the first rounds.
        assert_eq!(count(5), FEWEST + 4);
        assert_eq!(count(10_000_000), MOST);
    }

    #[test]
    fn a_stopped_clock_hangs_nobody_and_a_wrong_answer_stops_the_row() {
        let mut programs = Scripted::new([0.0], [0.0]);
        let now = || Duration::ZERO;
        assert_eq!(
            measure(&mut programs, Cache::Warm, Duration::ZERO, &now).unwrap().runs,
            MOST_RUNS
        );
        let mut programs = Scripted { wrong: true, ..Scripted::new([1.0], [1.0]) };
        let error = measure(&mut programs, Cache::Cold, Duration::ZERO, &now).unwrap_err();
        assert_eq!((error.exit_code(), error.to_string().as_str()), (1, "scripted to be wrong"));
    }
}
