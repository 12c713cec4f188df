//! The suite's settings in core's types.

use presam::{
    AdamW, BaseOptimizer, BaseState, Error, Group, LengthRule, Outcome, Real, RuleState, Sgd,
    SgdMomentum,
};
use presam_conformance::{Base, Case, Options, Rule, Scalar};

/// A rule's settings by the names that core knows them by.
#[must_use]
pub fn keys(rule: Rule) -> Vec<(&'static str, f64)> {
    let noise = |mean, variance, absolute, relative| {
        vec![
            ("mean_decay", mean),
            ("variance_decay", variance),
            ("absolute_damping", absolute),
            ("relative_damping", relative),
        ]
    };
    match rule {
        Rule::Asam { eta } | Rule::FisherSam { eta } => vec![("eta", eta)],
        Rule::InfoSamDraft { decay } | Rule::Vasso { decay } => vec![("decay", decay)],
        Rule::FriendlySam { sigma, decay } => vec![("sigma", sigma), ("decay", decay)],
        Rule::InfoSam { mean_decay, variance_decay, absolute_damping, relative_damping } => {
            noise(mean_decay, variance_decay, absolute_damping, relative_damping)
        }
        Rule::InfoAsam { mean_decay, variance_decay, absolute_damping, relative_damping, eta } => {
            let mut keys = noise(mean_decay, variance_decay, absolute_damping, relative_damping);
            keys.push(("eta", eta));
            keys
        }
        _ => Vec::new(),
    }
}

/// `factor` to the power `exponent` as core keeps it: a running product that dies like memory. What stands
/// still, dead or at 1, does so after any number of steps.
fn running_product<R: Real>(factor: f64, exponent: u64) -> R {
    let factor = <R as Real>::from_f64(factor);
    let mut product = R::ONE;
    for _ in 0..exponent {
        let next = (product * factor).flush();
        if next == product {
            break;
        }
        product = next;
    }
    product
}

/// A counter in core's width.
fn count(steps: u64) -> u32 {
    u32::try_from(steps).unwrap_or(u32::MAX)
}

/// The counters of the case's rule.
#[must_use]
pub fn rule_state<R: Real + Scalar>(case: &Case<R>) -> RuleState<R> {
    let steps = case.rule_state.steps;
    let decay_power = match case.rule {
        // The first step observes nothing.
        Rule::InfoSam { variance_decay, .. } | Rule::InfoAsam { variance_decay, .. } => {
            running_product(variance_decay, steps.saturating_sub(1))
        }
        _ => R::ONE,
    };
    let mean = <R as Real>::from_f64(case.rule_state.mean_of_variance);
    RuleState { steps: count(steps), decay_power, mean }
}

/// The counters of the case's base optimizer.
#[must_use]
pub fn base_state<R: Real + Scalar>(case: &Case<R>) -> BaseState<R> {
    let decays = match case.base {
        Base::AdamW { mean_decay, square_decay, .. } => [mean_decay, square_decay],
        _ => [1.0; 2],
    };
    let decay_powers = decays.map(|decay| running_product(decay, case.base_steps));
    BaseState { steps: count(case.base_steps), decay_powers }
}

/// The length rule of a case.
///
/// # Errors
/// A hyperparameter that core refuses.
pub fn length_rule<R: Real + Scalar>(case: &Case<R>) -> Result<LengthRule<R>, Error> {
    use presam_conformance::LengthRule as Length;
    let real = <R as Real>::from_f64;
    match case.length {
        Length::Normalised { norm_guard } => LengthRule::normalised(real(norm_guard)),
        Length::Unnormalised => Ok(LengthRule::UNNORMALISED),
        Length::Mixed { lambda, norm_guard } => LengthRule::mixed(real(lambda), real(norm_guard)),
    }
}

/// The case's learning rate and weight decay as plain gradient descent.
///
/// # Errors
/// A hyperparameter that core refuses.
pub fn sgd<R: Real + Scalar>(case: &Case<R>) -> Result<Sgd<R>, Error> {
    let (Base::Sgd { learning_rate, weight_decay }
    | Base::SgdMomentum { learning_rate, weight_decay, .. }
    | Base::AdamW { learning_rate, weight_decay, .. }) = case.base;
    let real = <R as Real>::from_f64;
    Sgd::new(real(learning_rate))?.with_weight_decay(real(weight_decay))
}

/// The case's gradient descent with momentum; without where its base optimizer has none.
///
/// # Errors
/// A hyperparameter that core refuses.
pub fn sgd_momentum<R: Real + Scalar>(case: &Case<R>) -> Result<SgdMomentum<R>, Error> {
    let real = <R as Real>::from_f64;
    let Base::SgdMomentum { momentum, dampening, nesterov, .. } = case.base else {
        return sgd(case)?.with_momentum(R::ZERO);
    };
    let sgd = sgd(case)?.with_momentum(real(momentum))?.with_dampening(real(dampening))?;
    if nesterov { sgd.with_nesterov() } else { Ok(sgd) }
}

/// The case's AdamW; with PyTorch's decays and guard where its base optimizer is another.
///
/// # Errors
/// A hyperparameter that core refuses.
pub fn adamw<R: Real + Scalar>(case: &Case<R>) -> Result<AdamW<R>, Error> {
    let real = <R as Real>::from_f64;
    let (Base::Sgd { learning_rate, weight_decay }
    | Base::SgdMomentum { learning_rate, weight_decay, .. }
    | Base::AdamW { learning_rate, weight_decay, .. }) = case.base;
    let adamw = AdamW::new(real(learning_rate))?.with_weight_decay(real(weight_decay))?;
    let Base::AdamW { mean_decay, square_decay, denominator_guard, .. } = case.base else {
        return Ok(adamw);
    };
    adamw
        .with_decays(real(mean_decay), real(square_decay))?
        .with_denominator_guard(real(denominator_guard))
}

/// A segment's options as a group of its own.
///
/// # Errors
/// A radius that core refuses.
pub fn group<R: Real>(options: Options) -> Result<Group<R>, Error> {
    let mut group = Group::new(<R as Real>::from_f64(options.rho))?;
    group = match (options.counts_in_norm, options.is_perturbed) {
        (true, true) => group,
        (false, true) => group.not_counted(),
        (true, false) => group.counted_only(),
        (false, false) => group.not_perturbed(),
    };
    Ok(if options.operator_applies { group } else { group.without_operator() })
}

/// Core's outcome in the suite's words.
#[must_use]
pub fn outcome(outcome: Outcome) -> presam_conformance::Outcome {
    match outcome {
        Outcome::Finite => presam_conformance::Outcome::Perturbed,
        Outcome::ZeroNorm => presam_conformance::Outcome::ZeroNorm,
        Outcome::NonFinite => presam_conformance::Outcome::NonFinite,
    }
}

/// Whether the rule's counters carry a mean to its next step.
#[must_use]
pub fn has_mean(rule: Rule) -> bool {
    matches!(rule, Rule::InfoSam { .. } | Rule::InfoAsam { .. })
}

/// Core's counters in the suite's words.
#[must_use]
pub fn oracle_state<R: Real>(state: RuleState<R>, rule: Rule) -> presam_conformance::RuleState {
    let mean_of_variance = if has_mean(rule) { Real::to_f64(state.mean) } else { 0.0 };
    presam_conformance::RuleState { steps: u64::from(state.steps), mean_of_variance }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_product_is_that_of_every_step_and_ends_after_any_number() {
        let plain = |factor: f32, steps| (0..steps).fold(1.0_f32, |p, _| (p * factor).flush());
        for (factor, steps) in [(0.9, 0), (0.9, 7), (0.999, 300), (0.5, 127), (0.9, 5000), (0.0, 2)]
        {
            let found: f32 = running_product(f64::from(factor), steps);
            assert_eq!(found.to_bits(), plain(factor, steps).to_bits(), "{factor}^{steps}");
        }
        assert_eq!(running_product::<f32>(0.999, u64::MAX), 0.0);
        assert_eq!(running_product::<f64>(1.0, u64::MAX), 1.0);
    }
}
