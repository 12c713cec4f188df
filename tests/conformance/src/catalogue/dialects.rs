//! Conventions of the codes of the field, as their sources and runs have them.

use super::entry::Entry;
use super::rules::{any, asam, fisher, friendly, has_eta, has_operator, masked, ssam, vasso};
use super::twist::{
    Adam, Guard, Measure, Memory, Operator, Over, Radius, Slope, Twist, WeightDecay, Weights,
};

const NONE: Twist = Twist::NONE;
const ADAMW: &[&str] = &["adamw"];
const SGD: &[&str] = &["sgd", "sgd-momentum"];

/// From the simple to the far-fetched: of two that cannot be told apart the first is named.
pub(super) const DIALECTS: &[Entry] = &[
    Entry::dialect(
        "guard-missing",
        "google-research/sam and optax do it (no norm guard: a zero gradient gives NaN)",
        any,
        Twist { guard: Guard::Missing, ..NONE },
    ),
    Entry::dialect(
        "guard-1e-16",
        "SamsungLabs/ASAM and SAM-ON do it (norm guard 1e-16)",
        any,
        Twist { norm_guard: Some(1e-16), ..NONE },
    ),
    Entry::dialect(
        "guard-1e-12",
        "davda54/sam does it (norm guard 1e-12, whatever is asked for)",
        any,
        Twist { norm_guard: Some(1e-12), ..NONE },
    ),
    Entry::dialect(
        "guard-1e-7",
        "BingcongLi/VaSSO and Mi-Peng/SSAM do it (norm guard 1e-7)",
        any,
        Twist { norm_guard: Some(1e-7), ..NONE },
    ),
    Entry::dialect(
        "guard-1e-8",
        "rollovd/LookSAM does it (norm guard 1e-8)",
        any,
        Twist { norm_guard: Some(1e-8), ..NONE },
    ),
    Entry::dialect(
        "guard-least",
        "codes that divide by max(norm, guard) do it",
        any,
        Twist { guard: Guard::Least, ..NONE },
    ),
    Entry::dialect(
        "guard-in-root",
        "codes with the guard inside the root do it (sqrt(sum of squares + guard))",
        any,
        Twist { guard: Guard::InRoot, ..NONE },
    ),
    Entry::dialect(
        "eta-zero",
        "davda54/sam does it (eta 0)",
        has_eta,
        Twist { eta: Some(0.0), ..NONE },
    ),
    Entry::dialect(
        "operator-everywhere",
        "davda54/sam does it (operator on biases)",
        has_operator,
        Twist { operator: Operator::Everywhere, ..NONE },
    ),
    Entry::dialect(
        "operator-everywhere-eta-zero",
        "davda54/sam does it (operator on biases, eta 0)",
        has_eta,
        Twist { operator: Operator::Everywhere, eta: Some(0.0), ..NONE },
    ),
    Entry::dialect(
        "eta-0.01",
        "SamsungLabs/ASAM's constructor does it (eta 0.01, whatever is asked for)",
        has_eta,
        Twist { eta: Some(0.01), ..NONE },
    ),
    Entry::dialect(
        "power-one-raw-norm",
        "big_vision's GSAM does it (|w| once, over the norm of g)",
        asam,
        Twist { eta: Some(0.0), direction_power: 1, norm_power: 0, ..NONE },
    ),
    Entry::dialect(
        "radius-gamma",
        "torch-unified-SAM-optimization's FisherSAM does it (the radius is called gamma, 0.1; rho is not read)",
        fisher,
        Twist { radius: Radius::Fixed(0.1), ..NONE },
    ),
    Entry::dialect(
        "eta-one",
        "torch-unified-SAM-optimization's FisherSAM does it (eta 1, whatever is asked for)",
        fisher,
        Twist { eta: Some(1.0), ..NONE },
    ),
    Entry::dialect(
        "decay-of-new",
        "BingcongLi/VaSSO does it (theta weighs the new gradient, decay the old)",
        vasso,
        Twist { swaps_decay: true, ..NONE },
    ),
    Entry::dialect(
        "average-of-slope",
        "pytorch-optimizer 3.9's FriendlySAM does it (the average takes in the slope, not the gradient)",
        friendly,
        Twist { memory: Memory::OfSlope, ..NONE },
    ),
    Entry::dialect(
        "mask-not-in-norm",
        "Mi-Peng/SSAM does it (the norm of the gradient without mask)",
        masked,
        Twist { weights: Weights::NotInNorm, ..NONE },
    ),
    Entry::dialect(
        "mask-in-norm",
        "strict objective preconditioning does it (the mask in the norm too)",
        ssam,
        Twist { weights: Weights::InNorm, ..NONE },
    ),
    Entry::dialect(
        "norm-of-perturbed",
        "mueller-mp/SAM-ON does it (the norm of the perturbed tensors only)",
        any,
        Twist { over: Over::Perturbed, ..NONE },
    ),
    Entry::dialect(
        "projected",
        "tml-epfl/understanding-sam does it (no normalisation inside the ball: rho / max(norm, 1))",
        any,
        Twist { guard: Guard::One, ..NONE },
    ),
    Entry::dialect(
        "decay-in-loss",
        "google-research/sam does it (weight decay inside the loss, so in both gradients)",
        any,
        Twist { slope: Slope::Decayed, weight_decay: WeightDecay::OfPerturbed, ..NONE },
    )
    .of_bases(SGD),
    Entry::dialect(
        "decay-after-step",
        "MarlonBecker/MSAM's AdamW does it (weight decay after the step)",
        any,
        Twist { weight_decay: WeightDecay::After, ..NONE },
    )
    .of_bases(ADAMW),
    Entry::dialect(
        "adam-guard-before-correction",
        "Keras's Adam does it (the guard beside the root before its bias correction)",
        any,
        Twist { adam: Adam::GuardBeforeCorrection, ..NONE },
    )
    .of_bases(ADAMW),
    Entry::dialect(
        "adam-guard-in-root",
        "optax's eps_root does it (the guard inside the root)",
        any,
        Twist { adam: Adam::GuardInRoot, ..NONE },
    )
    .of_bases(ADAMW),
    Entry::dialect(
        "norm-in-f32",
        "pytorch-optimizer 4.1 does it (the norm rounded to f32)",
        any,
        Twist { measure: Measure::Single, ..NONE },
    ),
    Entry::dialect(
        "eta-zero-norm-in-f32",
        "pytorch-optimizer 4.1 does it (eta 0, the norm rounded to f32)",
        has_eta,
        Twist { eta: Some(0.0), measure: Measure::Single, ..NONE },
    ),
];
