//! The records themselves, as they stand in results.json.

use serde::{Deserialize, Serialize};

use super::finite;
use super::measure::Measure;
use crate::config::Chosen;
use crate::machine::Host;
use crate::stats::distinct;

/// Version of the form of results.json; grows whenever a key changes its meaning or goes.
pub const SCHEMA_VERSION: u32 = 1;

/// One epoch of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// 1 for the first.
    pub epoch: usize,
    /// Learning rate of its first step.
    pub learning_rate: f64,
    /// Mean loss of its batches at the unperturbed parameters, given labels; NaN after a collapse.
    #[serde(with = "finite")]
    pub train_loss: f64,
    /// Share of test examples classified rightly at its end.
    pub test_accuracy: f64,
    /// `||g~ - g|| / ||g||` in its first step that took both gradients, and in that step's first part where parts perturb
    /// each by itself; `None` where none did, or where it is not finite.
    pub gradient_change: Option<f64>,
    /// Whether those two were equal in every bit.
    pub equal_gradients: Option<bool>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// It is better than chance.
    Learned,
    /// Its test accuracy is within three standard errors of what the most frequent class alone would get.
    AtChance,
    /// Its weights are the first ones.
    NeverMoved,
    /// Its loss is not finite, or most of its steps were skipped because something was not.
    Diverged,
}

/// One training run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Name of the method.
    pub method: String,
    /// Share of training labels redrawn.
    pub label_noise: f64,
    /// Seed of initialisation, order of batches and label noise.
    pub seed: u64,
    /// Share of training labels that are wrong thereby.
    pub wrong_labels: f64,
    /// Radius; `None` for a method that perturbs nothing.
    pub rho: Option<f64>,
    /// Test accuracy at the end: what summaries compare.
    pub final_test_accuracy: f64,
    /// How it ended.
    pub ending: Ending,
    /// Share of the most frequent class in the test set: what a model without inputs gets.
    pub chance: f64,
    /// Best test accuracy over all epochs (chosen by looking at the test set: never compared).
    pub best_test_accuracy: f64,
    /// Mean loss over the training set at the end, given labels; NaN after a collapse.
    #[serde(with = "finite")]
    pub final_train_loss: f64,
    /// Gradients of a batch that it took, in all; 0 in files of before they were counted.
    #[serde(default)]
    pub gradients: usize,
    /// Share of steps in which a perturbation was applied.
    pub perturbed_share: f64,
    /// Share of steps without a descent: a norm or a gradient was not finite.
    pub skipped_share: f64,
    /// Mean of the epochs' `gradient_change`; `None` where no step took both gradients.
    pub gradient_change: Option<f64>,
    /// Share of those epochs in which both gradients were equal in every bit.
    pub equal_gradients_share: Option<f64>,
    /// Mean Euclidean length of the applied perturbations; 0 where none was.
    #[serde(with = "finite")]
    pub mean_perturbation_length: f64,
    /// Wall time of the whole run.
    pub seconds: f64,
    /// Wall time of a training step: gradients, perturbation and descent, without gathering the batch and without
    /// measuring. The median over the epochs of the mean over an epoch's steps, since a method may take its second
    /// gradient in some steps only.
    pub seconds_per_step: f64,
    /// Training examples a second at that pace; `None` where no time passed.
    pub samples_per_second: Option<f64>,
    /// Share of a step's time that its forward passes take; this and the next three are measured on a GPU alone.
    pub forward_share: Option<f64>,
    /// Share of its backward passes.
    pub backward_share: Option<f64>,
    /// Share of norm and perturbation.
    pub ascent_share: Option<f64>,
    /// Share of what is done to the second gradient, and of the base optimizer.
    pub descent_share: Option<f64>,
    /// SHA-256 of the final parameters: little-endian bytes of their bits, a NaN in one canonical form.
    pub params_sha256: String,
    /// Share of training examples whose true label the model gives.
    pub train_accuracy_clean: f64,
    /// Share of training examples whose given (partly redrawn) label the model gives: memorised noise.
    pub train_accuracy_noisy: f64,
    /// Largest Hessian eigenvalue at the end; `None` where it could not be computed.
    pub hessian_eigenvalue: Option<f64>,
    /// `f(w + rho g / ||g||) - f(w)` at the end; `None` where it could not be computed.
    pub sam_sharpness: Option<f64>,
    /// The epochs in order; a line of a CSV file has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Epoch>,
}

/// One method at one level of label noise, over all seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Name of the method.
    pub method: String,
    /// Share of training labels redrawn.
    pub label_noise: f64,
    /// Radius; `None` for a method that perturbs nothing.
    pub rho: Option<f64>,
    /// Number of runs behind the means.
    pub seeds: usize,
    /// How many of their seeds SAM has too: those behind the difference.
    #[serde(default)]
    pub paired_seeds: usize,
    /// Mean final test accuracy.
    pub mean_test_accuracy: f64,
    /// Its standard error; `None` with one seed.
    pub standard_error: Option<f64>,
    /// Mean of the best accuracies of all epochs: never compared.
    pub best_test_accuracy: f64,
    /// Mean paired difference to SAM over the seeds both ran; `None` without SAM, and for SAM itself.
    pub difference_to_sam: Option<f64>,
    /// Lower end of its 95 % Student-t interval; `None` below two pairs.
    pub difference_to_sam_low: Option<f64>,
    /// Upper end of its 95 % Student-t interval; `None` below two pairs.
    pub difference_to_sam_high: Option<f64>,
    /// Mean over the runs.
    pub train_accuracy_clean: f64,
    /// Mean over the runs.
    pub train_accuracy_noisy: f64,
    /// Mean over the runs that have it.
    pub hessian_eigenvalue: Option<f64>,
    /// Mean over the runs that have it.
    pub sam_sharpness: Option<f64>,
    /// Median over the runs of `seconds_per_step`, over SGD's; `None` without SGD.
    pub time_per_step_over_sgd: Option<f64>,
    /// Whether the method ever moved a weight. One that should and never did is SGD by another name: not ranked.
    pub moved: bool,
    /// Mean share of steps without a descent. A method that skipped most of them is not ranked.
    pub skipped_share: f64,
    /// Mean share of steps that perturbed.
    pub perturbed_share: f64,
    /// Mean over the runs that have it: how far the second gradient is from the first.
    pub gradient_change: Option<f64>,
    /// Mean over the runs that have it; a method of half or more hardly does what it is for.
    pub equal_gradients_share: Option<f64>,
    /// Mean share of the most frequent class in the test set.
    pub chance: f64,
    /// Runs that ended at chance.
    pub at_chance: usize,
    /// Runs whose weights are the first ones.
    pub never_moved: usize,
    /// Runs that diverged.
    pub diverged: usize,
}

impl Summary {
    /// Whether the method did what it is for: perturbed, descended in most steps, and learned in one run at least.
    pub fn is_ranked(&self) -> bool {
        self.moved && self.skipped_share < 0.5 && self.failed() < self.seeds
    }

    /// Runs that did not learn.
    pub fn failed(&self) -> usize {
        self.at_chance + self.never_moved + self.diverged
    }
}

/// A level of label noise and what it did to the training labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelNoise {
    /// Share of labels redrawn uniformly over all classes.
    pub label_noise: f64,
    /// Share of labels that are wrong thereby, mean over the seeds.
    pub wrong_labels: f64,
}

/// The data of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataRecord {
    /// As typed: `digits`, `idx:DIR`, `cifar10:DIR`.
    pub source: String,
    /// Numbers an example.
    pub features: usize,
    /// Number of classes: of labels that occur.
    pub classes: usize,
    /// The smallest of them.
    pub smallest_label: u8,
    /// The largest.
    pub largest_label: u8,
    /// What was taken from every input of 0 to 1; 0 for the digits.
    pub mean: f64,
    /// What every input was then divided by; 1 for the digits.
    pub deviation: f64,
    /// Training examples.
    pub train_samples: usize,
    /// Test examples.
    pub test_samples: usize,
    /// What is measured on them.
    pub measure: Measure,
    /// One entry a level of label noise.
    pub noise: Vec<LabelNoise>,
}

/// One setting tried by a tuning.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Learning rate tried.
    pub learning_rate: f64,
    /// Radius tried; `None` for the base optimizer alone.
    pub rho: Option<f64>,
    /// Damping tried, for a method that has one.
    pub damping: Option<f64>,
    /// Mean accuracy on the validation split.
    pub validation_accuracy: f64,
}

/// What a tuning chose for one method at one level of label noise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tuned {
    /// Name of the method.
    pub method: String,
    /// Share of training labels redrawn.
    pub label_noise: f64,
    /// Chosen learning rate, or the one at which the radius was chosen.
    pub learning_rate: f64,
    /// Chosen radius; `None` for the base optimizer alone, which is tried for the learning rate.
    pub rho: Option<f64>,
    /// Chosen damping, for a method that has one.
    pub damping: Option<f64>,
    /// Smallest radius tried at which runs collapsed; `None` where none did.
    pub collapse_rho: Option<f64>,
    /// Everything tried, in order.
    pub trials: Vec<Trial>,
}

impl Tuned {
    /// What was chosen, as a configuration takes it.
    pub fn chosen(&self) -> Chosen<'_> {
        let Self { method, learning_rate, rho, damping, .. } = self;
        Chosen { method, learning_rate: *learning_rate, rho: *rho, damping: *damping }
    }
}

/// A whole comparison: results.json.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// [`SCHEMA_VERSION`] at the time of writing.
    pub schema_version: u32,
    /// Version of the program.
    pub version: String,
    /// The machine.
    pub host: Host,
    /// When it ended, in UTC.
    pub date: String,
    /// The command that repeats it.
    pub command: String,
    /// The data.
    pub data: DataRecord,
    /// The resolved configuration: every hyperparameter.
    pub settings: serde_json::Value,
    /// What a tuning chose; empty without one.
    pub tuning: Vec<Tuned>,
    /// Every run.
    pub runs: Vec<Run>,
    /// Every method at every level of label noise.
    pub summary: Vec<Summary>,
    /// What the comparison shows, in words.
    pub sentences: Vec<String>,
    /// SHA-256 over all (method, seed, params_sha256): equal on every machine for the same command.
    pub digest: String,
}

impl Results {
    /// The levels of label noise, in order of first appearance.
    pub fn noise_levels(&self) -> Vec<f64> {
        distinct(self.runs.iter().map(|run| run.label_noise))
    }
}
