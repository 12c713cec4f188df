//! What a run on a device carries from epoch to epoch, in the form of every trainer.

use presam_kernels::plain::bytes_of;

use super::DeviceTrainer;
use crate::error::Error;
use crate::train::state::{Counters, KEPT, PARAMS, State, base, memory};
use presam_cuda::{Address, DeviceError, download};

impl DeviceTrainer<'_> {
    /// The planes that last from step to step, by name.
    fn lasting(&self) -> Vec<(String, Address)> {
        let of = |name: fn(usize) -> String, planes: [Address; 2]| {
            planes.into_iter().enumerate().map(move |(k, plane)| (name(k), plane))
        };
        let own =
            [(PARAMS.to_owned(), self.made.flat.params), (KEPT.to_owned(), self.made.flat.kept)];
        let all =
            own.into_iter().chain(of(memory, self.made.memory)).chain(of(base, self.made.state));
        all.filter(|(_, plane)| *plane != 0).collect()
    }

    /// All that it carries from one epoch to the next.
    pub(super) fn carried(&mut self) -> Result<State, Error> {
        let (lasting, len) = (self.lasting(), self.made.flat.len);
        let plane = |(name, at)| Ok((name, download(self.device, at, len)?));
        let planes = lasting.into_iter().map(plane).collect::<Result<_, DeviceError>>()?;
        let (rule, base) = self.made.step.states(self.device)?;
        Ok(State { planes, counters: Counters { steps: self.steps, rules: vec![rule], base } })
    }

    /// Goes on from such a state, of the same shape.
    pub(super) fn carry(&mut self, state: &State) -> Result<(), Error> {
        for (name, at) in self.lasting() {
            if let Some(plane) = state.planes.get(&name) {
                self.device.write(at, bytes_of(plane))?;
            }
        }
        let Counters { steps, rules, base } = &state.counters;
        self.steps = *steps;
        let rule = rules.first().copied().unwrap_or_default();
        Ok(self.made.step.set_states(self.device, rule, *base)?)
    }
}
