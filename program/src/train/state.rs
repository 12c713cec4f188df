//! [`State`]: all that a trainer carries from one step to the next.

use std::collections::BTreeMap;

use presam::{BaseState, RuleState};
use serde::{Deserialize, Serialize};

use super::ranks::{Ranks, bytes_of, values_of};

/// Name of the parameters among the planes.
pub(super) const PARAMS: &str = "params";
/// Name of LookSAM's g_v.
pub(super) const KEPT: &str = "kept";

/// Plane `k` of the rule's memory.
pub(super) fn memory(k: usize) -> String {
    format!("memory.{k}")
}

/// Plane `k` of the base optimizer's state.
pub(super) fn base(k: usize) -> String {
    format!("state.{k}")
}

/// Plane `k` of what another part than the first one remembers.
pub(super) fn of_part(part: usize, k: usize) -> String {
    format!("part{part}.{k}")
}

/// Whether a plane is what that part remembers; the first part's lie with the model's.
fn is_of_part(name: &str, part: usize) -> bool {
    match part {
        0 => name == KEPT || name.starts_with("memory."),
        _ => name.strip_prefix(&format!("part{part}")).is_some_and(|rest| rest.starts_with('.')),
    }
}

/// The same for every trainer, so that a run may go on in another place than the one where it began.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct State {
    /// [`PARAMS`] and whatever else the method keeps, each as long as the whole model; what
    /// other parts than the first remember lies tensor by tensor.
    pub planes: BTreeMap<String, Vec<f32>>,
    pub counters: Counters,
}

/// What is counted for the whole model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Counters {
    /// Steps begun that perturb: what LookSAM counts its interval over.
    pub steps: u32,
    /// One for each part that perturbs by itself.
    pub rules: Vec<RuleState<f32>>,
    pub base: BaseState,
}

/// What a part remembers while another has its turn.
#[derive(Clone)]
pub(super) struct Aside {
    pub planes: Vec<Vec<f32>>,
    pub rule: RuleState<f32>,
}

impl State {
    /// With what each part remembers from the rank that takes it.
    #[must_use]
    pub fn of_all(mut self, ranks: Ranks<'_>) -> Self {
        let own = || {
            let part = (0..self.counters.rules.len()).find(|&part| ranks.takes(part));
            part.and_then(|part| self.remembered(part)).unwrap_or_default()
        };
        for (part, bytes) in ranks.gather(own).into_iter().flatten().enumerate() {
            self.remember(part, &bytes);
        }
        self
    }

    /// What a part remembers, as ranks hand it to each other: its counters, then its planes in the order of their names.
    fn remembered(&self, part: usize) -> Option<Vec<u8>> {
        let RuleState { steps, decay_power, mean } = self.counters.rules.get(part)?;
        let counters = [&steps.to_le_bytes()[..], &decay_power.to_le_bytes(), &mean.to_le_bytes()];
        let planes = self.planes.iter().filter(|(name, _)| is_of_part(name, part));
        let planes = planes.flat_map(|(_, plane)| bytes_of(plane));
        Some(counters.concat().into_iter().chain(planes).collect())
    }

    /// Puts it in its place; `None` where it is too short.
    fn remember(&mut self, part: usize, bytes: &[u8]) -> Option<()> {
        let (steps, rest) = bytes.split_first_chunk()?;
        let (decay_power, rest) = rest.split_first_chunk()?;
        let (mean, rest) = rest.split_first_chunk()?;
        *self.counters.rules.get_mut(part)? = RuleState {
            steps: u32::from_le_bytes(*steps),
            decay_power: f64::from_le_bytes(*decay_power),
            mean: f32::from_le_bytes(*mean),
        };
        let values = values_of(rest);
        let mut values = values.as_slice();
        for (_, plane) in self.planes.iter_mut().filter(|(name, _)| is_of_part(name, part)) {
            let own = values.split_off(..plane.len())?;
            plane.copy_from_slice(own);
        }
        Some(())
    }

    /// Whether both have planes of the same names and lengths.
    pub fn fits(&self, other: &Self) -> bool {
        let shape = |state: &Self| -> Vec<(String, usize)> {
            state.planes.iter().map(|(name, plane)| (name.clone(), plane.len())).collect()
        };
        shape(self) == shape(other) && self.counters.rules.len() == other.counters.rules.len()
    }
}
