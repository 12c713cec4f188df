//! How large errors were, phase by phase.

use std::fmt;

/// A part of a step that has errors of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The norm of the ascent.
    Norm,
    /// The perturbed parameters.
    Perturbed,
    /// The rule's memory.
    Memory,
    /// The mean that the rule's counters carry.
    Mean,
    /// The parameters after the descent.
    Params,
    /// The base optimizer's state.
    State,
}

impl Phase {
    /// Every phase, in the order of a step.
    pub const ALL: [Self; 6] =
        [Self::Norm, Self::Perturbed, Self::Memory, Self::Mean, Self::Params, Self::State];
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Norm => "norm",
            Self::Perturbed => "perturbed",
            Self::Memory => "memory",
            Self::Mean => "mean",
            Self::Params => "params",
            Self::State => "state",
        })
    }
}

/// The largest error of each phase, as a share of its bound.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Worst([Option<f64>; 6]);

impl Worst {
    /// The largest share of a phase, if it was judged at all.
    #[must_use]
    pub fn of(&self, phase: Phase) -> Option<f64> {
        self.0.get(phase as usize).copied().flatten()
    }

    /// The largest share of all.
    #[must_use]
    pub fn largest(&self) -> Option<f64> {
        self.0.iter().flatten().copied().reduce(f64::max)
    }

    /// The larger share of each phase.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for phase in Phase::ALL {
            if let Some(share) = other.of(phase) {
                self.record(phase, share);
            }
        }
        self
    }

    pub(crate) fn record(&mut self, phase: Phase, share: f64) {
        if let Some(worst) = self.0.get_mut(phase as usize) {
            *worst = Some(worst.map_or(share, |worst| worst.max(share)));
        }
    }
}
