//! The list of methods the program can train with: names, formulas, keys with their defaults, costs and sources.
//!
//! The command line, the configuration, the help texts and the tables all read this one list.

mod list;
mod lookup;

pub use list::{BASES, METHODS};
pub use lookup::{find, find_key};
pub use presam::{Key, Limits};

use serde::Serialize;

/// A way to take one training step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Method {
    /// The name of the field, in lower case with hyphens.
    pub name: &'static str,
    /// Other names it answers to.
    pub aliases: &'static [&'static str],
    /// The variant of the core whose ascent it takes; `None` for a method that perturbs nothing.
    pub ascent: Option<&'static str>,
    /// Whether it is trained where no method is named.
    pub by_default: bool,
    /// One line: what it does.
    pub what: &'static str,
    /// The perturbation (or the whole step), w the parameters, g the gradient at w.
    pub formula: &'static str,
    /// Default radius; `None` for a method that perturbs nothing.
    pub rho: Option<f64>,
    /// Its further keys (`--set NAME.KEY=VALUE`).
    pub keys: &'static [Key],
    /// Numbers kept per parameter from step to step, besides the base optimizer's.
    pub kept_floats: u8,
    /// Those of them that the ascent reads and writes.
    pub memory_floats: u8,
    /// Numbers per parameter needed within a step only.
    pub step_floats: u8,
    /// Gradients a step, `1/k` more where the second is taken every k steps.
    pub gradients: &'static str,
    /// Passes over the parameters to perturb them: one for the norm, one for the ascent.
    pub ascent_passes: u8,
    /// Numbers per parameter that the norm pass reads.
    pub norm_reads: u8,
    /// Numbers per parameter that are read and written between the second gradient and the descent.
    pub mix_floats: u8,
    /// Where it comes from.
    pub source: &'static str,
    /// The setting at which it equals another method.
    pub equals: &'static str,
}

impl Method {
    /// Bytes of f32 that a step moves per parameter, besides the gradients' own, with SGD and momentum:
    ///
    /// ```text
    /// norm     norm_reads
    /// ascent   w, g, memory in; perturbed, memory out     3 + 2 memory_floats
    /// mix      GSAM, WSAM, SANER and LookSAM                mix_floats
    /// descent  w, g~, velocity in; w, velocity out        5
    /// ```
    pub fn step_bytes(&self) -> u32 {
        let ascent =
            if self.ascent_passes == 0 { 0 } else { 3 + 2 * u32::from(self.memory_floats) };
        4 * (u32::from(self.norm_reads) + ascent + u32::from(self.mix_floats) + 5)
    }
}

/// A base optimizer: what turns the gradient at the perturbed point into a new point.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BaseMethod {
    /// Name, as in `--base NAME`.
    pub name: &'static str,
    /// Its learning rate where none is given.
    pub learning_rate: f64,
    /// Its keys (`--set base.KEY=VALUE`).
    pub keys: &'static [Key],
}
