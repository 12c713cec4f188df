//! Rules, length rules and base optimizers with their settings.

use crate::backend::Scope;
use crate::scalar::Scalar;
use presam_oracle::{Base, LengthRule, Rule};
use proptest::prelude::*;

/// One of `values`, as the scalar type holds it; it shrinks to the first.
fn one_of<R: Scalar>(values: &[f64]) -> BoxedStrategy<f64> {
    prop::sample::select(values.iter().map(|x| R::held(*x)).collect::<Vec<_>>()).boxed()
}

/// One of `values`, or where `free` one between the two bounds, with a full mantissa.
fn setting<R: Scalar>(values: &[f64], between: [f64; 2], free: bool) -> BoxedStrategy<f64> {
    let [low, high] = between;
    match free {
        false => one_of::<R>(values),
        true => prop_oneof![2 => one_of::<R>(values), 1 => (low..high).prop_map(R::held)].boxed(),
    }
}

/// The same of a setting without an upper bound: where `free` also one of any size, from the first of `powers` of two
/// to the last. A limit that code puts on it is beyond what anybody would choose.
fn sized<R: Scalar>(
    values: &[f64],
    between: [f64; 2],
    powers: [i32; 2],
    free: bool,
) -> BoxedStrategy<f64> {
    let plain = setting::<R>(values, between, free);
    if free { prop_oneof![5 => plain, 1 => any_size::<R>(powers)].boxed() } else { plain }
}

/// A number with a full mantissa from 2^first to 2^last, each power of two as likely as another.
pub(super) fn any_size<R: Scalar>([first, last]: [i32; 2]) -> BoxedStrategy<f64> {
    (first..last, 1.0_f64..2.0).prop_map(|(power, x)| R::held(x * 2_f64.powi(power))).boxed()
}

/// The weight of an old value: of its papers, between 0 and 1, or next to either.
fn decay<R: Scalar>(values: &[f64], between: [f64; 2], free: bool) -> BoxedStrategy<f64> {
    let plain = setting::<R>(values, between, free);
    let late = any_size::<R>([-14, -4]).prop_map(|new| R::held(1.0 - new));
    let small = any_size::<R>([-12, -4]);
    if free { prop_oneof![10 => plain, 2 => late, 1 => small].boxed() } else { plain }
}

/// `rule` with other settings, among them its neutral ones and its papers' values; where `free` also such as nobody
/// would choose.
pub fn rule<R: Scalar>(rule: Rule, free: bool) -> BoxedStrategy<Rule> {
    let strategy = |name: &str, tried: &[f64]| match name {
        "eta" => sized::<R>(tried, [1e-6, 3.0], [-20, 8], free),
        "absolute_damping" => sized::<R>(tried, [0.0, 2.0], [-10, 8], free),
        "relative_damping" => sized::<R>(tried, [0.0, 4.0], [-10, 6], free),
        "sigma" => sized::<R>(tried, [0.0, 1.0], [-6, 3], free),
        _ => decay::<R>(tried, [0.0, 0.999], free),
    };
    let settings = rule.settings().into_iter().zip(rule.tried());
    let values: Vec<_> = settings.map(|((name, _), tried)| strategy(name, tried)).collect();
    values
        .prop_map(move |values| {
            let mut values = values.into_iter();
            rule.map_settings(|_, default| values.next().unwrap_or(default))
        })
        .boxed()
}

/// Length rules within the scope; where `free` also with a guard and a lambda that nobody would choose.
pub fn length_rule<R: Scalar>(scope: &Scope, free: bool) -> BoxedStrategy<LengthRule> {
    if !scope.lengths {
        return Just(LengthRule::Normalised { norm_guard: R::held(1e-12) }).boxed();
    }
    let guard = || sized::<R>(&[0.0, 1e-12, 0.125], [0.0, 2.0], [-30, 6], free);
    let lambda = setting::<R>(&[0.5, 0.9, 0.0, 1.0], [0.0, 1.0], free);
    prop_oneof![
        3 => guard().prop_map(|norm_guard| LengthRule::Normalised { norm_guard }),
        1 => Just(LengthRule::Unnormalised),
        1 => (lambda, guard())
            .prop_map(|(lambda, norm_guard)| LengthRule::Mixed { lambda, norm_guard }),
    ]
    .boxed()
}

/// Base optimizers within the scope, with their settings; where `free` also such as nobody would choose.
pub fn base<R: Scalar>(scope: &Scope, free: bool) -> BoxedStrategy<Base> {
    let named = |name: &&'static str| match *name {
        "sgd" => sgd::<R>(free),
        "adamw" => adamw::<R>(free),
        _ => sgd_momentum::<R>(free),
    };
    proptest::strategy::Union::new(scope.bases.iter().map(named)).boxed()
}

/// Learning rate and weight decay.
fn common<R: Scalar>(free: bool) -> (BoxedStrategy<f64>, BoxedStrategy<f64>) {
    let (rates, decays): (&[f64], &[f64]) = match free {
        false => (&[0.5, 0.1, 0.01], &[0.0, 0.25, 5e-4]),
        true => (&[0.5, 0.1, 0.01, 1.5, 0.0], &[0.0, 0.25, 5e-4, 1e-5]),
    };
    let rate = sized::<R>(rates, [1e-4, 2.0], [-20, 7], free);
    (rate, sized::<R>(decays, [0.0, 0.5], [-16, 4], free))
}

fn sgd<R: Scalar>(free: bool) -> BoxedStrategy<Base> {
    common::<R>(free)
        .prop_map(|(learning_rate, weight_decay)| Base::Sgd { learning_rate, weight_decay })
        .boxed()
}

fn sgd_momentum<R: Scalar>(free: bool) -> BoxedStrategy<Base> {
    let momenta: &[f64] = if free { &[0.5, 0.9, 0.99] } else { &[0.5, 0.9] };
    // Dampening, and whether it is Nesterov's, which knows no dampening.
    let forms = vec![(0.0, false), (0.0, true), (0.5, false), (1.0, false)];
    let form = prop::sample::select(forms);
    let form = match free {
        false => form.boxed(),
        true => prop_oneof![
            2 => form,
            1 => (0.0_f64..1.0).prop_map(|dampening| (R::held(dampening), false)),
        ]
        .boxed(),
    };
    (common::<R>(free), decay::<R>(momenta, [0.05, 0.99], free), form)
        .prop_map(|((learning_rate, weight_decay), momentum, (dampening, nesterov))| {
            Base::SgdMomentum { learning_rate, weight_decay, momentum, dampening, nesterov }
        })
        .boxed()
}

fn adamw<R: Scalar>(free: bool) -> BoxedStrategy<Base> {
    let mean_decay = decay::<R>(&[0.5, 0.0, 0.1, 0.6, 0.9, 0.99], [0.0, 0.999], free);
    let square_decay = decay::<R>(&[0.75, 0.99, 0.999], [0.0, 0.9999], free);
    let guards: &[f64] = if free { &[1e-3, 1e-8, 1e-6, 3e-5, 1e-9] } else { &[1e-3, 1e-8] };
    let guard = sized::<R>(guards, [1e-9, 1e-3], [-33, 2], free);
    (common::<R>(free), mean_decay, square_decay, guard)
        .prop_map(|((learning_rate, weight_decay), mean_decay, square_decay, denominator_guard)| {
            Base::AdamW { learning_rate, weight_decay, mean_decay, square_decay, denominator_guard }
        })
        .boxed()
}
