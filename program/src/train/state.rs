//! [`State`]: all that a trainer carries from one step to the next.

use std::collections::BTreeMap;

use presam::{BaseState, RuleState};
use serde::{Deserialize, Serialize};

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
    /// Whether both have planes of the same names and lengths.
    pub fn fits(&self, other: &Self) -> bool {
        let shape = |state: &Self| -> Vec<(String, usize)> {
            state.planes.iter().map(|(name, plane)| (name.clone(), plane.len())).collect()
        };
        shape(self) == shape(other) && self.counters.rules.len() == other.counters.rules.len()
    }
}
