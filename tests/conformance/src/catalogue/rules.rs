//! Which rules an entry concerns.

use presam_oracle::Rule;

pub(super) fn any(_: Rule) -> bool {
    true
}

pub(super) fn asam(rule: Rule) -> bool {
    matches!(rule, Rule::Asam { .. })
}

pub(super) fn fisher(rule: Rule) -> bool {
    matches!(rule, Rule::FisherSam { .. })
}

pub(super) fn friendly(rule: Rule) -> bool {
    matches!(rule, Rule::FriendlySam { .. } | Rule::FriendlyAsam { .. })
}

pub(super) fn vasso(rule: Rule) -> bool {
    matches!(rule, Rule::Vasso { .. })
}

pub(super) fn ssam(rule: Rule) -> bool {
    rule == Rule::Ssam
}

pub(super) fn masked(rule: Rule) -> bool {
    rule == Rule::MaskedSam
}

/// ASAM's |w| + eta.
pub(super) fn has_eta(rule: Rule) -> bool {
    matches!(rule, Rule::Asam { .. } | Rule::InfoAsam { .. })
}

/// ASAM's operator.
pub(super) fn has_operator(rule: Rule) -> bool {
    has_eta(rule) || matches!(rule, Rule::FriendlyAsam { .. } | Rule::RawAsam)
}

/// ASAM's operator where a sign would not vanish in a square.
pub(super) fn has_signed_operator(rule: Rule) -> bool {
    has_eta(rule) || rule == Rule::RawAsam
}

/// D other than 1.
pub(super) fn has_constraint(rule: Rule) -> bool {
    has_eta(rule)
        || fisher(rule)
        || matches!(rule, Rule::FriendlyAsam { .. })
        || matches!(rule, Rule::ConstraintPreconditioner | Rule::PreSam)
}

/// C other than 1, and no mask.
pub(super) fn has_weights(rule: Rule) -> bool {
    estimates_noise(rule)
        || matches!(rule, Rule::InfoSamDraft { .. } | Rule::ObjectivePreconditioner | Rule::PreSam)
}

/// info-sam's weights.
pub(super) fn estimates_noise(rule: Rule) -> bool {
    matches!(rule, Rule::InfoSam { .. } | Rule::InfoAsam { .. })
}

pub(super) fn has_memory(rule: Rule) -> bool {
    rule.memory() > 0
}

/// Its memory is an average, with a first step of its own.
pub(super) fn averages(rule: Rule) -> bool {
    averages_but_vasso(rule) || vasso(rule)
}

/// VaSSO's own code weighs the new value: a dialect.
pub(super) fn averages_but_vasso(rule: Rule) -> bool {
    estimates_noise(rule) || friendly(rule) || matches!(rule, Rule::InfoSamDraft { .. })
}

/// Reads memory after its update, and would give other numbers before: in the draft the difference
/// is a factor of all weights, which cancels.
pub(super) fn late_readers(rule: Rule) -> bool {
    vasso(rule) || estimates_noise(rule)
}
