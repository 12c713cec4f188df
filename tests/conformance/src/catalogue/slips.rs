//! Mistakes that people make, each a step that is otherwise right.

use super::entry::Entry;
use super::rules::{
    any, averages, averages_but_vasso, estimates_noise, friendly, has_constraint, has_memory,
    has_operator, has_signed_operator, has_weights, late_readers, vasso,
};
use super::twist::{
    Adam, Descended, Guard, Measure, Memory, Moves, Nesterov, Operator, Over, Radius, Slope, Twist,
    Variance, WeightDecay, Weights,
};

const NONE: Twist = Twist::NONE;
const ADAMW: &[&str] = &["adamw"];
const SGD: &[&str] = &["sgd", "sgd-momentum"];
const MOMENTUM: &[&str] = &["sgd-momentum"];
const WITH_STATE: &[&str] = &["sgd-momentum", "adamw"];

/// Of the step and its ascent, whatever the rule. From the simple to the far-fetched.
pub(super) const OF_STEPS: &[Entry] = &[
    Entry::slip(
        "no-restore",
        "the descent started from the perturbed parameters",
        any,
        Twist { restores: false, ..NONE },
    ),
    Entry::slip(
        "norm-per-tensor",
        "the norm were taken per tensor",
        any,
        Twist { over: Over::Each, ..NONE },
    ),
    Entry::slip(
        "no-perturbation",
        "nothing were perturbed",
        any,
        Twist { moves: Moves::Nowhere, ..NONE },
    ),
    Entry::slip(
        "descends",
        "the perturbation were subtracted",
        any,
        Twist { moves: Moves::Down, ..NONE },
    ),
    Entry::slip(
        "first-gradient",
        "the base optimizer were given the first gradient",
        any,
        Twist { descended: Descended::First, ..NONE },
    ),
    Entry::slip(
        "gradients-added",
        "the second gradient were added to the first (never zeroed in between)",
        any,
        Twist { descended: Descended::Sum, ..NONE },
    ),
    Entry::slip(
        "gradients-averaged",
        "the base optimizer were given the mean of both gradients",
        any,
        Twist { descended: Descended::Mean, ..NONE },
    ),
    Entry::slip(
        "gradients-swapped",
        "the two gradients were exchanged",
        any,
        Twist { slope: Slope::Second, descended: Descended::First, ..NONE },
    ),
    Entry::slip(
        "second-gradient-twice",
        "the ascent followed the second gradient",
        any,
        Twist { slope: Slope::Second, ..NONE },
    ),
    Entry::slip(
        "rho-unnormalised",
        "the direction were not divided by the norm",
        any,
        Twist { moves: Moves::Unnormalised, ..NONE },
    ),
    Entry::slip("rho-missing", "rho were 1", any, Twist { radius: Radius::Fixed(1.0), ..NONE }),
    Entry::slip(
        "rho-squared",
        "rho were multiplied in twice",
        any,
        Twist { radius: Radius::Squared, ..NONE },
    ),
    Entry::slip(
        "learning-rate-in-rho",
        "rho were multiplied by the learning rate",
        any,
        Twist { radius: Radius::TimesRate, ..NONE },
    ),
    Entry::slip(
        "norm-not-rooted",
        "the sum of squares were the norm",
        any,
        Twist { measure: Measure::Squared, ..NONE },
    ),
    Entry::slip(
        "norm-l1",
        "the norm were the sum of absolute values",
        any,
        Twist { measure: Measure::Sum, ..NONE },
    ),
    Entry::slip(
        "norm-rms",
        "the norm were the root of the mean square",
        any,
        Twist { measure: Measure::MeanRoot, ..NONE },
    ),
    Entry::slip(
        "norm-max",
        "the norm were the largest absolute value",
        any,
        Twist { measure: Measure::Largest, ..NONE },
    ),
    Entry::slip(
        "norm-of-params",
        "the norm were that of the parameters",
        any,
        Twist { measure: Measure::OfParams, ..NONE },
    ),
    Entry::slip(
        "guard-after-division",
        "the guard were added after the division (rho / norm + guard)",
        any,
        Twist { guard: Guard::AfterDivision, ..NONE },
    ),
    Entry::slip(
        "guard-after-direction",
        "the guard were added to the normalised direction (g / norm + guard)",
        any,
        Twist { guard: Guard::AfterDirection, ..NONE },
    ),
    Entry::slip(
        "last-element-skipped",
        "the last element of each tensor were not perturbed",
        any,
        Twist { moves: Moves::AllButLast, ..NONE },
    ),
    Entry::slip(
        "first-tensor-only",
        "the first tensor alone were perturbed",
        any,
        Twist { moves: Moves::FirstOnly, ..NONE },
    ),
    Entry::slip(
        "rho-of-first",
        "all groups had the first one's rho",
        any,
        Twist { radius: Radius::OfFirst, ..NONE },
    ),
    Entry::slip(
        "everything-counts",
        "every tensor counted in the norm",
        any,
        Twist { over: Over::All, ..NONE },
    ),
    Entry::slip(
        "everything-moves",
        "every tensor were perturbed",
        any,
        Twist { moves: Moves::Everything, ..NONE },
    ),
];

/// Of one rule's C, D or memory.
pub(super) const OF_RULES: &[Entry] = &[
    Entry::slip(
        "operator-missing",
        "ASAM's operator were missing",
        has_operator,
        Twist { operator: Operator::Missing, ..NONE },
    ),
    Entry::slip(
        "operator-once",
        "the direction had D (ASAM: |w| + eta) once, where it belongs squared",
        has_constraint,
        Twist { direction_power: 1, ..NONE },
    ),
    Entry::slip(
        "operator-not-in-norm",
        "D (ASAM: |w| + eta) were missing in the norm",
        has_constraint,
        Twist { norm_power: 0, ..NONE },
    ),
    Entry::slip(
        "operator-squared-in-norm",
        "the norm were that of the direction (D squared in both)",
        has_constraint,
        Twist { norm_power: 2, ..NONE },
    ),
    Entry::slip(
        "operator-signed",
        "ASAM's operator were w + eta, not |w| + eta",
        has_signed_operator,
        Twist { operator: Operator::Signed, ..NONE },
    ),
    Entry::slip(
        "weights-missing",
        "the weights C were 1",
        has_weights,
        Twist { weights: Weights::Missing, ..NONE },
    ),
    Entry::slip(
        "weights-not-in-norm",
        "the weights C were missing in the norm",
        has_weights,
        Twist { weights: Weights::NotInNorm, ..NONE },
    ),
    Entry::slip(
        "weights-inverted",
        "the weights were 1 / C",
        has_weights,
        Twist { weights: Weights::Inverted, ..NONE },
    ),
    Entry::slip(
        "weights-rooted",
        "the weights were the root of C (deviations in place of variances)",
        estimates_noise,
        Twist { weights: Weights::Rooted, ..NONE },
    ),
    Entry::slip(
        "decay-swapped",
        "the weights of the old and the new value were exchanged",
        averages_but_vasso,
        Twist { swaps_decay: true, ..NONE },
    ),
    Entry::slip(
        "memory-late",
        "the slope were made of the memory before this step's update",
        late_readers,
        Twist { memory: Memory::Late, ..NONE },
    ),
    Entry::slip(
        "memory-late-from-start",
        "the slope were made of the memory before this step's update, on the first step too",
        vasso,
        Twist { memory: Memory::LateFromStart, ..NONE },
    ),
    Entry::slip(
        "memory-early",
        "the slope were made of the memory after this step's update",
        friendly,
        Twist { memory: Memory::Early, ..NONE },
    ),
    Entry::slip(
        "memory-not-kept",
        "the memory were never written",
        has_memory,
        Twist { memory: Memory::NotKept, ..NONE },
    ),
    Entry::slip(
        "average-from-zero",
        "the first step averaged with a memory of zeros",
        averages,
        Twist { memory: Memory::FirstAveraged, ..NONE },
    ),
    Entry::slip(
        "variance-about-new-mean",
        "the variance were taken about the mean that holds this gradient already",
        estimates_noise,
        Twist { variance: Variance::AboutNewMean, ..NONE },
    ),
    Entry::slip(
        "variance-biased",
        "the variance had no bias correction",
        estimates_noise,
        Twist { variance: Variance::Biased, ..NONE },
    ),
    Entry::slip(
        "variance-not-averaged",
        "the variance were the square of this step's deviation alone",
        estimates_noise,
        Twist { variance: Variance::NotAveraged, ..NONE },
    ),
    Entry::slip(
        "weights-from-second-step",
        "the weights were used from the second step on, not the third",
        estimates_noise,
        Twist { variance: Variance::FromSecondStep, ..NONE },
    ),
];

/// Of the base optimizer.
pub(super) const OF_BASES: &[Entry] = &[
    Entry::slip(
        "weight-decay-missing",
        "there were no weight decay",
        any,
        Twist { weight_decay: WeightDecay::Missing, ..NONE },
    ),
    Entry::slip(
        "decay-on-perturbed",
        "weight decay were taken of the perturbed parameter",
        any,
        Twist { weight_decay: WeightDecay::OfPerturbed, ..NONE },
    ),
    Entry::slip(
        "decay-on-perturbed-coupled",
        "weight decay were taken of the perturbed parameter, where it is coupled",
        any,
        Twist { weight_decay: WeightDecay::OfPerturbed, ..NONE },
    )
    .of_bases(SGD),
    Entry::slip(
        "weight-decay-decoupled",
        "weight decay were decoupled (w shrinks by learning rate * weight decay)",
        any,
        Twist { weight_decay: WeightDecay::Exchanged, ..NONE },
    )
    // Without momentum it makes no difference.
    .of_bases(MOMENTUM),
    Entry::slip(
        "weight-decay-coupled",
        "weight decay were coupled (added to the gradient)",
        any,
        Twist { weight_decay: WeightDecay::Exchanged, ..NONE },
    )
    .of_bases(ADAMW),
    Entry::slip(
        "dampening-first-step",
        "dampening applied on the first step too",
        any,
        Twist { dampens_first: true, ..NONE },
    )
    .of_bases(MOMENTUM),
    Entry::slip(
        "nesterov-missing",
        "momentum were plain where Nesterov's is asked for",
        any,
        Twist { is_nesterov: Nesterov::Never, ..NONE },
    )
    .of_bases(MOMENTUM),
    Entry::slip(
        "bias-correction-missing",
        "AdamW had no bias correction",
        any,
        Twist { adam: Adam::Biased, ..NONE },
    )
    .of_bases(ADAMW),
    Entry::slip(
        "state-not-kept",
        "the base optimizer's state were never written",
        any,
        Twist { keeps_state: false, ..NONE },
    )
    .of_bases(WITH_STATE),
];
