//! The suite's settings in core's types.

use presam::{AnyBase, AnyVariant, BaseState, Error, Group, LengthRule, Outcome, Real, RuleState};
use presam_conformance::{Base, Case, Options, Rule, Scalar};

/// The rule with its settings.
///
/// # Errors
/// A name or setting that core refuses.
pub fn variant<R: Real>(rule: Rule) -> Result<AnyVariant<R>, Error> {
    let plain = AnyVariant::by_name(rule.name())?;
    rule.settings().into_iter().try_fold(plain, |variant, (key, value)| variant.set(key, value))
}

/// The base optimizer with its settings.
///
/// # Errors
/// A name or setting that core refuses.
pub fn base<R: Real>(base: Base) -> Result<AnyBase<R>, Error> {
    let plain = AnyBase::by_name(base.name())?;
    let mut settings = base.settings();
    if let Base::SgdMomentum { nesterov, .. } = base {
        settings.push(("nesterov", f64::from(u8::from(nesterov))));
    }
    settings.into_iter().try_fold(plain, |base, (key, value)| base.set(key, value))
}

/// `factor` to the power `exponent` as core keeps it: a running product that dies like memory. What stands
/// still, dead or at 1, does so after any number of steps.
fn running_product<R: Real>(factor: f64, exponent: u64) -> f64 {
    // The setting in the scalar, its powers in f64.
    multiplied(Real::to_f64(<R as Real>::from_f64(factor)), exponent)
}

/// Not generic: up to a hundred thousand steps a case, which a crate that is not optimised would compile for itself.
fn multiplied(factor: f64, exponent: u64) -> f64 {
    let (mut product, mut left) = (1.0, exponent);
    while left > 0 {
        let next = (product * factor).flush();
        if next == product {
            break;
        }
        (product, left) = (next, left - 1);
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
    // The first step observes nothing.
    let decay_power = case
        .rule
        .setting("variance_decay")
        .map_or(1.0, |decay| running_product::<R>(decay, steps.saturating_sub(1)));
    let mean = <R as Real>::from_f64(case.rule_state.mean_of_variance);
    RuleState { decay_power, mean, steps: count(steps) }
}

/// The counters of the case's base optimizer.
#[must_use]
pub fn base_state<R: Real + Scalar>(case: &Case<R>) -> BaseState {
    let decays = match case.base {
        Base::AdamW { mean_decay, square_decay, .. } => [mean_decay, square_decay],
        _ => [1.0; 2],
    };
    let decay_powers = decays.map(|decay| running_product::<R>(decay, case.base_steps));
    BaseState { decay_powers, steps: count(case.base_steps) }
}

/// The length rule.
///
/// # Errors
/// A hyperparameter that core refuses.
pub fn length_rule<R: Real>(
    length: presam_conformance::LengthRule,
) -> Result<LengthRule<R>, Error> {
    use presam_conformance::LengthRule as Length;
    let real = R::from_f64;
    match length {
        Length::Normalised { norm_guard } => LengthRule::normalised(real(norm_guard)),
        Length::Unnormalised => Ok(LengthRule::UNNORMALISED),
        Length::Mixed { lambda, norm_guard } => LengthRule::mixed(real(lambda), real(norm_guard)),
    }
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

/// Core's counters in the suite's words.
#[must_use]
pub fn oracle_state<R: Real>(state: RuleState<R>, rule: Rule) -> presam_conformance::RuleState {
    let mean_of_variance = if rule.carries_mean() { Real::to_f64(state.mean) } else { 0.0 };
    presam_conformance::RuleState { steps: u64::from(state.steps), mean_of_variance }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_product_is_that_of_every_step_and_ends_after_any_number() {
        let plain =
            |factor: f32, steps| (0..steps).fold(1.0_f64, |p, _| (p * f64::from(factor)).flush());
        for (factor, steps) in [(0.9, 0), (0.9, 7), (0.999, 300), (0.5, 127), (0.9, 5000), (0.0, 2)]
        {
            let found = running_product::<f32>(f64::from(factor), steps);
            assert_eq!(found.to_bits(), plain(factor, steps).to_bits(), "{factor}^{steps}");
        }
        assert_eq!(running_product::<f32>(0.999, u64::MAX), 0.0);
        assert_eq!(running_product::<f64>(1.0, u64::MAX), 1.0);
    }
}
