//! Where the time of a step goes: its phases timed one by one, after the run whose bits they must not touch.

use std::time::{Duration, Instant};

use super::DeviceTrainer;
use crate::config::Descent;
use crate::report::Run;
use crate::stats::median;
use presam_cuda::DeviceError;

/// Groups of steps that medians are taken over, after one that is not counted.
const GROUPS: usize = 7;
/// Steps of a group: a mean over fewer shows the clock.
const STEPS: usize = 5;

/// What a moment of a step belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Forward,
    Backward,
    Ascent,
    Descent,
    /// Gathering and logging, which are no part of the method.
    Measuring,
}

/// The time of each phase so far.
pub(super) struct PhaseClock {
    last: Instant,
    spent: [Duration; 5],
}

impl PhaseClock {
    fn start() -> Self {
        Self { last: Instant::now(), spent: [Duration::ZERO; 5] }
    }

    fn passed(&mut self, phase: Phase) {
        let now = Instant::now();
        if let Some(spent) = self.spent.get_mut(phase as usize) {
            *spent += now - self.last;
        }
        self.last = now;
    }
}

/// Forward, backward, ascent and descent as shares of their sum, each the median over groups of steps: a
/// moment of the machine's own must not speak for a phase.
fn shares(groups: &[[Duration; 5]]) -> [Option<f64>; 4] {
    let of = |phase: Phase| {
        let seconds = |group: &[Duration; 5]| group.get(phase as usize).map(Duration::as_secs_f64);
        median(&groups.iter().filter_map(seconds).collect::<Vec<_>>()).unwrap_or(0.0)
    };
    let phases = [Phase::Forward, Phase::Backward, Phase::Ascent, Phase::Descent].map(of);
    let all: f64 = phases.iter().sum();
    phases.map(|phase| (all > 0.0).then(|| phase / all))
}

impl DeviceTrainer<'_> {
    /// Ends a phase where phases are timed: waits for the device, and looks at the clock.
    pub(super) fn passed(&mut self, phase: Phase) -> Result<(), DeviceError> {
        if let Some(clock) = &mut self.clock {
            self.device.synchronize()?;
            clock.passed(phase);
        }
        Ok(())
    }

    /// The record with its shares: takes further steps on the first batch of the last epoch, waiting after
    /// each phase.
    pub(in crate::train) fn with_shares(
        &mut self,
        run: Run,
        batch: usize,
    ) -> Result<Run, DeviceError> {
        let steps = match self.plan.descent {
            Descent::LookSam { interval, .. } => (interval as usize).max(1),
            _ => STEPS,
        };
        let mut groups = Vec::with_capacity(GROUPS);
        for group in 0..=GROUPS {
            self.device.synchronize()?;
            self.clock = Some(PhaseClock::start());
            for _ in 0..steps {
                (self.logged, self.taken) = (0, 0);
                self.gather(batch)?;
                self.passed(Phase::Measuring)?;
                self.take(true)?;
                self.passed(Phase::Measuring)?;
            }
            let clock = self.clock.take();
            if let (Some(clock), true) = (clock, group > 0) {
                groups.push(clock.spent);
            }
        }
        let [forward_share, backward_share, ascent_share, descent_share] = shares(&groups);
        Ok(Run { forward_share, backward_share, ascent_share, descent_share, ..run })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_the_method_s_own_phases_and_one_slow_moment_is_nobody_s() {
        let group = |ascent| [30, 50, ascent, 5, 900].map(Duration::from_millis);
        let found = shares(&[group(15), group(800), group(15)]);
        for (share, expected) in found.into_iter().zip([0.3, 0.5, 0.15, 0.05]) {
            let share = share.unwrap();
            assert!((share - expected).abs() < 1e-12, "{share} is not {expected}");
        }
        assert_eq!(shares(&[[Duration::ZERO; 5]]), [None; 4]);
    }

    #[test]
    fn each_moment_is_the_phase_s_that_ends_with_it() {
        let mut clock = PhaseClock::start();
        std::thread::sleep(Duration::from_millis(2));
        clock.passed(Phase::Ascent);
        let [forward, backward, ascent, descent, measuring] = clock.spent;
        assert!(ascent >= Duration::from_millis(2));
        assert_eq!([forward, backward, descent, measuring], [Duration::ZERO; 4]);
    }
}
