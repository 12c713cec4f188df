//! The table: a row for each law.

use presam_conformance::Scalar;

use super::fault::Claims::{self, Contract, Silent, Stranger};
use super::fault::{Fault, Spoil};
use super::spoils;

/// Other laws that may see a fault, and why.
type Also = (&'static [&'static str], &'static str);

/// The law alone sees it.
const ALONE: Also = (&[], "");
const ANY: Also =
    (&["*"], "what it says of a step, `agrees` says number by number of the same steps and others");
const ULP: Also = (
    &["*"],
    "a unit in the last place may be outside the core's measured limits, or where nothing is rounded",
);
const TWICE: Also = (
    &["uncounted-is-unfelt", "agrees"],
    "the one too asks two steps of which the answers must be equal in bits; the other sees a unit in the last place \
     where nothing is rounded",
);
const RUN: Also = (&["agrees-over-steps", "skipped-is-forgotten"], "a run may come so far");
const WITHIN: Also = (&["skipped-is-forgotten"], "it has such a step in the midst of a run");
const DIET: Also = (&["*"], "radius 0 is in every law's diet");
const REST: Also =
    (&["*"], "learning rate 0 is in every law's diet, and nothing is rounded where it is");
const ZERO: Also = (&["*"], "every law's cases have tensors without a gradient");

/// Every fault, one for each law.
#[must_use]
pub fn faults<R: Scalar>() -> Vec<Fault<R>> {
    [of_numbers(), of_equalities(), of_steps(), of_groups(), of_outcomes()].concat()
}

fn row<R>(
    law: &'static str,
    says: &'static str,
    also: Also,
    (claims, spoil): (Claims, Spoil<R>),
) -> Fault<R> {
    Fault { law, says, also, claims, spoil }
}

fn of_numbers<R: Scalar>() -> Vec<Fault<R>> {
    let tail = "elements from the 41st on are not perturbed";
    let rate = "the learning rate of its first step holds for a whole run";
    let mask = "a mask's perturbation is twice too long";
    vec![
        row("agrees", tail, ALONE, (Stranger, spoils::long_tail_stays)),
        row("agrees-over-steps", rate, ALONE, (Stranger, spoils::first_rate)),
        row("length-is-rho", "it is a thousandth too long", ANY, (Stranger, spoils::too_long)),
        row("length-at-most-rho", mask, ANY, (Stranger, spoils::mask_too_long)),
        row(
            "constrained-length-is-rho",
            "ASAM's perturbation is too short",
            ANY,
            (Stranger, spoils::asam_too_short),
        ),
        row("ascends", "it descends", ANY, (Stranger, spoils::descends)),
    ]
}

fn of_equalities<R: Scalar>() -> Vec<Fault<R>> {
    let steep = "there is no ascent along gradients above 2^22";
    let steeper = "there is none of a caller's C along gradients above 2^40";
    let weights = "ASAM with eta 0 knows no weight above 2^14";
    let fisher = "FisherSAM with eta 0 is one unit in the last place off";
    let vasso = "VaSSO's first step is one unit in the last place off";
    let momentum = "momentum-SAM is one unit in the last place off";
    let mixed = "the mixed length at lambda 1 is one unit in the last place off";
    let second = "every second perturbation is one unit in the last place off";
    vec![
        row("scale-invariant", steep, ALONE, (Stranger, spoils::above_22_bits)),
        row("range", steeper, ALONE, (Contract, spoils::above_40_bits)),
        row("layer-rescaling", weights, RUN, (Stranger, spoils::large_weights)),
        row("reduces-to-sam", fisher, ULP, (Contract, spoils::fisher_nudged)),
        row("first-step-is-sam", vasso, ULP, (Contract, spoils::vasso_nudged)),
        row("momentum-sam-mirrors-sam", momentum, ULP, (Contract, spoils::momentum_nudged)),
        row("lengths-meet", mixed, ULP, (Contract, spoils::mixed_nudged)),
        row("pure", second, TWICE, (Stranger, spoils::second_nudged)),
    ]
}

fn of_steps<R: Scalar>() -> Vec<Fault<R>> {
    let up = "every parameter is one unit in the last place up";
    let last = "the last of several tensors is not perturbed";
    let chunks = "beside more than a chunk all is one unit in the last place off";
    let empty = "beside an empty tensor all is one unit in the last place off";
    vec![
        row(
            "rho-zero-is-the-base",
            "there is no step at radius 0",
            DIET,
            (Stranger, spoils::no_step_at_zero),
        ),
        row("restored", up, REST, (Stranger, spoils::drifts)),
        row("permuted-segments", last, ANY, (Stranger, spoils::last_stays)),
        row(
            "cut-anywhere",
            "a fourth tensor is not perturbed",
            ANY,
            (Stranger, spoils::fourth_stays),
        ),
        row("cut-at-a-chunk", chunks, ULP, (Contract, spoils::chunks_nudged)),
        row("empty-segment", empty, ULP, (Contract, spoils::beside_empty)),
    ]
}

fn of_groups<R: Scalar>() -> Vec<Fault<R>> {
    let felt = "a tensor that does not count is felt";
    vec![
        row(
            "unperturbed-stays",
            "a tensor that is to stay moves",
            ANY,
            (Stranger, spoils::all_move),
        ),
        row("uncounted-is-unfelt", felt, ANY, (Stranger, spoils::uncounted_felt)),
    ]
}

fn of_outcomes<R: Scalar>() -> Vec<Fault<R>> {
    let first = "a first gradient that is not finite is stepped on";
    let uncounted = "one that does not count is stepped on";
    let second = "a second gradient that is not finite is descended";
    let after = "the step after one that was skipped is not perturbed";
    let zero = "a gradient that is not finite is taken for 0";
    let odd = "there is no ascent beside a gradient of 1e-30";
    let sticks = "memory sticks at a subnormal number";
    vec![
        row("zero-norm", "memory is lost on a zero norm", ZERO, (Contract, spoils::memory_lost)),
        row("non-finite", first, WITHIN, (Stranger, spoils::steps_on_nan)),
        row("non-finite-uncounted", uncounted, WITHIN, (Stranger, spoils::steps_uncounted)),
        row("second-non-finite", second, WITHIN, (Stranger, spoils::second_nan)),
        row("skipped-is-forgotten", after, ALONE, (Stranger, spoils::rests_after_skip)),
        row("non-finite-spreads", zero, ALONE, (Silent, spoils::nan_is_zero)),
        row("hostile", odd, ALONE, (Contract, spoils::beside_1e30)),
        row("memory-dies", sticks, ALONE, (Contract, spoils::sticks)),
    ]
}
