//! What is measured: a [`Job`] (phase, rule, shape) in a [`Mode`] (cache, graph) is a [`Row`].

use std::sync::Arc;

use presam::base::{BaseInfo, adamw, sgd_momentum};
use presam::{AnyBase, Error};
use serde::{Deserialize, Serialize};

use super::Shape;

/// A phase of a step, or the whole of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The norm pass.
    Accumulate,
    /// The ascent that writes a second copy of the parameters.
    Ascend,
    /// The ascent of trainers with one copy of the parameters.
    AscendInPlace,
    /// The way back from it.
    Restore,
    /// The base optimizer's step.
    Descend,
    /// Norm, ascent and descent.
    Step,
}

impl Phase {
    /// All phases, in the order of a step.
    pub const ALL: [Self; 6] = [
        Self::Accumulate,
        Self::Ascend,
        Self::AscendInPlace,
        Self::Restore,
        Self::Descend,
        Self::Step,
    ];

    /// Its name in rows, files and pictures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accumulate => "accumulate",
            Self::Ascend => "ascend",
            Self::AscendInPlace => "ascend-in-place",
            Self::Restore => "restore",
            Self::Descend => "descend",
            Self::Step => "step",
        }
    }
}

/// The rule of a phase that is the same for every rule: restore.
pub const ANY_RULE: &str = "any";

/// A base optimizer whose descent is measured. A whole step descends with the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// SGD with momentum and weight decay.
    SgdMomentum,
    /// AdamW.
    AdamW,
}

impl Base {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::SgdMomentum, Self::AdamW];

    /// What the core says of it.
    fn info(self) -> &'static BaseInfo {
        match self {
            Self::SgdMomentum => &sgd_momentum::INFO,
            Self::AdamW => &adamw::INFO,
        }
    }

    /// Its name in the row of its descent, where a rule's name stands otherwise.
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// Planes of state.
    pub fn state(self) -> u64 {
        self.info().state as u64
    }

    /// Itself: with weight decay, otherwise at its defaults.
    ///
    /// # Errors
    /// None that these settings can cause.
    pub fn optimizer(self) -> Result<AnyBase<f32>, Error> {
        AnyBase::by_name(self.name())?.set("weight_decay", 5e-4)
    }
}

/// Where the planes are when a run starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cache {
    /// In the last cache: an untimed run went before.
    Warm,
    /// In memory: other data went through the last cache before.
    Cold,
}

impl Cache {
    /// Its name in tables and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Warm => "warm",
            Self::Cold => "cold",
        }
    }
}

/// How a job is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    /// Where the planes are.
    pub cache: Cache,
    /// Whether it is replayed from a captured graph: GPUs only.
    pub graph: bool,
}

/// What is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The phase.
    pub phase: Phase,
    /// The rule, the base optimizer (descend) or [`ANY_RULE`].
    pub rule: &'static str,
    /// The parameters.
    pub shape: Arc<Shape>,
    /// Bytes counted, read and written, in one run.
    pub bytes: u64,
    /// Bytes of memory that it and the copy beside it take up.
    pub room: u64,
}

impl Job {
    /// `phase/rule/shape`: what `--filter` sees.
    pub fn name(&self) -> String {
        format!("{}/{}/{}", self.phase.name(), self.rule, self.shape.name)
    }
}

/// A job in one of the modes of its target: a row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What is run.
    pub job: Job,
    /// How.
    pub mode: Mode,
}

impl Row {
    /// The job's name and the mode's, for progress and messages.
    pub fn name(&self) -> String {
        let graph = if self.mode.graph { " graph" } else { "" };
        format!("{} {}{graph}", self.job.name(), self.mode.cache.name())
    }
}
