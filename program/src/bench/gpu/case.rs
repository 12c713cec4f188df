//! [`Case`]: a rule and a base optimizer on a shape in a device's memory, and its phases.

use std::sync::Arc;

use super::clocked::Clocked;
use super::planes::Planes;
use crate::bench::{Base, Phase, Shape};
use crate::error::Error;
use presam::Outcome;
use presam_cuda::{DeviceError, DeviceStep, Form};

/// Steps of each table before anything is timed; they cover the first ones, which rules with memory
/// treat apart, and leave every scale set.
const STEPS: usize = 3;

/// The step over planes, out of place and in place. Each has two tables, between which the gradients
/// change places: with one that repeats, slopes that subtract an average would die, and the work with them.
pub(super) struct Case {
    pub rule: &'static str,
    pub base: Base,
    pub shape: Arc<Shape>,
    pub planes: Planes,
    pub plain: Vec<DeviceStep>,
    pub in_place: Vec<DeviceStep>,
}

impl Case {
    /// Whether a row of `rule` (`None`: any) with `base` on `shape` can use it.
    pub fn serves(&self, rule: Option<&str>, base: Base, shape: &Shape) -> bool {
        rule.is_none_or(|rule| rule == self.rule) && self.base == base && *self.shape == *shape
    }

    /// Queues one run of `phase`.
    pub fn queue<D: Clocked>(
        &self,
        device: &mut D,
        phase: Phase,
        turn: usize,
    ) -> Result<(), DeviceError> {
        let [plain, in_place] = [&self.plain, &self.in_place].map(|steps| &steps[turn & 1]);
        match phase {
            Phase::Accumulate => plain.accumulate(device),
            Phase::Ascend => plain.perturb(device),
            Phase::AscendInPlace => in_place.perturb(device),
            Phase::Restore => in_place.restore(device),
            Phase::Descend => plain.descend(device),
            Phase::Step => {
                plain.ascend(device)?;
                plain.descend(device)
            }
        }
    }

    /// A few steps of each table, whose outcome must be finite: another one spares the ascent its work.
    /// The planes have seen the first table's first step: the others count on from there.
    pub fn settle<D: Clocked>(&self, device: &mut D) -> Result<(), Error> {
        let (rule, base) = self.plain[0].states(device)?;
        for step in self.plain.iter().skip(1).chain(&self.in_place) {
            step.set_states(device, rule, base)?;
        }
        for _ in 0..STEPS {
            for turn in 0..2 {
                self.queue(device, Phase::Step, turn)?;
                self.in_place[turn].ascend(device)?;
                self.in_place[turn].restore(device)?;
            }
        }
        self.check_outcomes(device)
    }

    fn check_outcomes<D: Clocked>(&self, device: &mut D) -> Result<(), Error> {
        for (form, steps) in [(Form::OutOfPlace, &self.plain), (Form::InPlace, &self.in_place)] {
            for step in steps {
                let outcome = step.report(device)?.ascent.outcome;
                if outcome != Outcome::Finite {
                    let what = format!("{form:?}: the step did less than its work: {outcome:?}");
                    return Err(Error::Wrong(what));
                }
            }
        }
        Ok(())
    }

    /// What the runs left behind.
    pub fn check<D: Clocked>(&self, device: &mut D) -> Result<(), Error> {
        self.check_outcomes(device)?;
        self.planes.check_finite(device)
    }

    /// Gives its memory back, whatever becomes of a piece of it.
    pub fn free<D: Clocked>(self, device: &mut D) -> Result<(), DeviceError> {
        let mut first = Ok(());
        for step in self.plain.into_iter().chain(self.in_place) {
            first = first.and(step.free(device));
        }
        first.and(self.planes.free(device))
    }
}

#[cfg(test)]
mod tests {
    use super::super::HostClock;
    use super::super::check::{Recipe, build};
    use super::*;
    use presam_cuda::{Emulated, download};

    #[test]
    fn ascents_in_place_begin_at_the_same_parameters_however_many_there_are() {
        let mut device = HostClock(Box::new(Emulated::new(1)));
        let shape = Arc::new(Shape { name: "test".into(), tensors: vec![9] });
        let (rule, base) = ("raw-asam", Base::SgdMomentum);
        let recipe = Recipe { rule, base, shape, threads: 1, checked: true };
        let case = build(&mut device, &recipe).unwrap();
        let params = |device: &mut HostClock| -> Vec<f32> {
            download(device, case.planes.params, 9).unwrap()
        };
        let before = params(&mut device);
        case.queue(&mut device, Phase::AscendInPlace, 0).unwrap();
        assert_ne!(params(&mut device), before);
        case.queue(&mut device, Phase::AscendInPlace, 1).unwrap();
        assert_eq!(params(&mut device), before);
        case.free(&mut device).unwrap();
    }
}
