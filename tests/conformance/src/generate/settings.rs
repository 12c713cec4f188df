//! Rules, length rules and base optimizers with their settings.

use crate::backend::Scope;
use crate::scalar::Scalar;
use presam_oracle::{Base, LengthRule, Rule};
use proptest::prelude::*;

/// One of `values`, as the scalar type holds it; it shrinks to the first.
fn one_of<R: Scalar>(values: &[f64]) -> BoxedStrategy<f64> {
    prop::sample::select(values.iter().map(|x| R::held(*x)).collect::<Vec<_>>()).boxed()
}

fn decay<R: Scalar>() -> BoxedStrategy<f64> {
    one_of::<R>(&[0.5, 0.0, 0.1, 0.6, 0.9, 0.99])
}

/// `rule` with other settings, among them its neutral ones and its papers' values.
pub fn rule<R: Scalar>(rule: Rule) -> BoxedStrategy<Rule> {
    let values: Vec<_> = rule.tried().into_iter().map(one_of::<R>).collect();
    values
        .prop_map(move |values| {
            let mut values = values.into_iter();
            rule.map_settings(|_, default| values.next().unwrap_or(default))
        })
        .boxed()
}

/// Length rules within the scope.
pub fn length_rule<R: Scalar>(scope: &Scope) -> BoxedStrategy<LengthRule> {
    if !scope.lengths {
        return Just(LengthRule::Normalised { norm_guard: R::held(1e-12) }).boxed();
    }
    let guard = || one_of::<R>(&[0.0, 1e-12, 0.125]);
    prop_oneof![
        3 => guard().prop_map(|norm_guard| LengthRule::Normalised { norm_guard }),
        1 => Just(LengthRule::Unnormalised),
        1 => (one_of::<R>(&[0.5, 0.9, 0.0, 1.0]), guard())
            .prop_map(|(lambda, norm_guard)| LengthRule::Mixed { lambda, norm_guard }),
    ]
    .boxed()
}

/// Base optimizers within the scope, with their settings.
pub fn base<R: Scalar>(scope: &Scope) -> BoxedStrategy<Base> {
    let named = |name: &&'static str| match *name {
        "sgd" => sgd::<R>(),
        "adamw" => adamw::<R>(),
        _ => sgd_momentum::<R>(),
    };
    proptest::strategy::Union::new(scope.bases.iter().map(named)).boxed()
}

/// Learning rate and weight decay.
fn common<R: Scalar>() -> (BoxedStrategy<f64>, BoxedStrategy<f64>) {
    (one_of::<R>(&[0.5, 0.1, 0.01]), one_of::<R>(&[0.0, 0.25, 5e-4]))
}

fn sgd<R: Scalar>() -> BoxedStrategy<Base> {
    common::<R>()
        .prop_map(|(learning_rate, weight_decay)| Base::Sgd { learning_rate, weight_decay })
        .boxed()
}

fn sgd_momentum<R: Scalar>() -> BoxedStrategy<Base> {
    // Dampening, and whether it is Nesterov's, which knows no dampening.
    let form = prop::sample::select(vec![(0.0, false), (0.0, true), (0.5, false), (1.0, false)]);
    (common::<R>(), one_of::<R>(&[0.5, 0.9]), form)
        .prop_map(|((learning_rate, weight_decay), momentum, (dampening, nesterov))| {
            Base::SgdMomentum { learning_rate, weight_decay, momentum, dampening, nesterov }
        })
        .boxed()
}

fn adamw<R: Scalar>() -> BoxedStrategy<Base> {
    let square_decay = one_of::<R>(&[0.75, 0.99, 0.999]);
    let guard = one_of::<R>(&[1e-3, 1e-8]);
    (common::<R>(), decay::<R>(), square_decay, guard)
        .prop_map(|((learning_rate, weight_decay), mean_decay, square_decay, denominator_guard)| {
            Base::AdamW { learning_rate, weight_decay, mean_decay, square_decay, denominator_guard }
        })
        .boxed()
}
