//! Every range that a page names: what is in it and what is not, at the last number on either side; and what each option
//! of a group changes, alone.

use presam::variants::{Key, Limits};
use presam::{
    AdamW, AnyBase, AnyVariant, Ascent, BaseOptimizer, Configure, Cpu, DynBase, Erased, Error,
    Group, LengthRule, Outcome, Part, PartialNorm, Real, ScaledNorm, Schedule, Sgd, Vasso, base,
    variants,
};
use presam_conformance::Scalar;

/// The number before 1, and the one after.
const BELOW: f64 = 1.0 - f64::EPSILON / 2.0;
const ABOVE: f64 = 1.0 + f64::EPSILON;
const TINY: f64 = 5e-324;

const NEVER: [f64; 5] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, -TINY];

/// What is in each range, and what is not besides those that are in none.
const RANGES: [(Limits, &[f64], &[f64]); 5] = [
    (Limits::NonNegative, &[-0.0, 0.0, TINY, 0.5, BELOW, 1.0, ABOVE, 2.5, 1e9], &[]),
    (Limits::Fraction, &[-0.0, 0.0, TINY, 0.5, BELOW, 1.0], &[ABOVE, 2.0, 1e9]),
    (Limits::Decay, &[-0.0, 0.0, TINY, 0.5, BELOW], &[1.0, ABOVE, 2.0, 1e9]),
    (Limits::Switch, &[-0.0, 0.0, 1.0], &[TINY, 0.5, BELOW, ABOVE, 2.0]),
    (Limits::Count, &[1.0, 2.0, 3.0, 1e9], &[-0.0, 0.0, 0.5, BELOW, ABOVE, 1.5, 2.5]),
];

/// Numbers, and whether the range holds them.
fn around(limits: Limits) -> impl Iterator<Item = (f64, bool)> {
    let (_, inside, outside) = RANGES.into_iter().find(|range| range.0 == limits).unwrap();
    let outside = NEVER.into_iter().chain(outside.iter().copied());
    inside.iter().map(|&value| (value, true)).chain(outside.map(|value| (value, false)))
}

#[test]
fn every_range_holds_what_it_says() {
    for (limits, ..) in RANGES {
        around(limits).for_each(|(value, held)| assert_eq!(limits.hold(value), held, "{value}"));
    }
    let words = RANGES.map(|(limits, ..)| limits.words());
    let numbers = ["a number of at least 0", "a number from 0 to 1", "a number from 0 to below 1"];
    assert_eq!(
        (&words[..3], words[3], words[4]),
        (&numbers[..], "0 or 1", "a whole number of at least 1")
    );
}

/// Each key takes what its range holds, and refuses the rest by its name.
fn keys<T>(name: &str, keys: &[Key], set: impl Fn(&str, f64) -> Result<T, Error>) {
    for key in keys {
        assert!(key.limits.hold(key.default), "{name} {}", key.name);
        for (value, held) in around(key.limits) {
            match set(key.name, value) {
                Ok(_) => assert!(held, "{name} {}: {value} is taken", key.name),
                Err(Error::Hyperparameter { name: said, .. }) => {
                    assert_eq!((said, held), (key.name, false), "{name}: {value}");
                }
                Err(other) => panic!("{name} {}: {value}: {other}", key.name),
            }
        }
    }
    assert!(matches!(set("no-key", 0.5), Err(Error::UnknownKey { .. })), "{name}");
}

#[test]
fn every_key_takes_what_its_range_holds() {
    for rule in variants::ALL {
        let named = AnyVariant::<f64>::by_name(rule.name).unwrap();
        keys(rule.name, rule.keys, |key, value| named.set(key, value));
    }
    for base in base::ALL {
        let named = AnyBase::<f64>::by_name(base.name).unwrap();
        keys(base.name, base.keys, |key, value| named.set(key, value));
    }
}

/// A base optimizer with the learning rate 0.375: what it says of it, and what its two settings take.
fn settings<B: BaseOptimizer<f64, S> + std::fmt::Debug + PartialEq, const S: usize>(base: B) {
    assert_eq!(base.learning_rate(), 0.375);
    assert_eq!(DynBase::learning_rate(&Erased::base(base)), 0.375);
    assert_eq!(base.with_learning_rate(0.0).unwrap().learning_rate(), 0.0);
    assert_ne!(base.with_weight_decay(0.25).unwrap(), base);
    for value in NEVER {
        assert!(base.with_learning_rate(value).is_err(), "{base:?} {value}");
        assert!(base.with_weight_decay(value).is_err(), "{base:?} {value}");
    }
}

#[test]
fn base_optimizers_say_their_learning_rate() {
    let sgd = Sgd::new(0.375).unwrap();
    settings(sgd);
    settings(sgd.with_momentum(0.5).unwrap());
    settings(AdamW::new(0.375).unwrap());
    let plain = sgd.with_momentum(0.5).unwrap();
    let nesterov = plain.set("nesterov", 1.0).unwrap();
    assert_ne!(nesterov, plain);
    assert_eq!(nesterov.set("nesterov", 0.0), Ok(plain));
    assert!(sgd.with_momentum(0.0).unwrap().with_nesterov().is_err());
}

fn radii<R: Real + Scalar>() {
    let of = <R as Real>::from_f64;
    let end = of(2_147_483_648.0);
    let last = <R as Scalar>::from_bits(Scalar::bits(end) - 1);
    let first_below_zero = of(-1e-38);
    let norm = ScaledNorm::of(Part { sum: R::ONE, statistic: R::ZERO, class: 0 });
    let ascent = Ascent { outcome: Outcome::Finite, norm };
    let group = Group::new(R::ONE).unwrap();
    for (value, held) in [
        (R::ZERO, true),
        (last, true),
        (end, false),
        (first_below_zero, false),
        (of(f64::NAN), false),
        (of(f64::INFINITY), false),
    ] {
        assert_eq!(Group::new(value).is_ok(), held, "{value:?}");
        assert_eq!(group.with_rho(value).is_ok(), held, "{value:?}");
        assert_eq!(LengthRule::normalised(value).is_ok(), held, "{value:?}");
        assert_eq!(LengthRule::mixed(R::ZERO, value).is_ok(), held, "{value:?}");
        assert_eq!(ascent.scale(value, LengthRule::NORMALISED).is_ok(), held, "{value:?}");
    }
    let above = <R as Scalar>::from_bits(Scalar::bits(R::ONE) + 1);
    for (value, held) in
        [(R::ZERO, true), (R::ONE, true), (above, false), (first_below_zero, false)]
    {
        assert_eq!(LengthRule::mixed(value, R::ZERO).is_ok(), held, "{value:?}");
    }
}

#[test]
fn vasso_s_theta_is_the_weight_of_the_new_gradient() {
    assert_eq!(Vasso::from_theta(0.25).unwrap(), Vasso::new(0.75).unwrap());
    assert_eq!(Vasso::from_theta(1.0).unwrap(), Vasso::new(0.0).unwrap());
    for theta in NEVER.into_iter().chain([0.0, ABOVE]) {
        let refused = Vasso::from_theta(theta);
        assert!(matches!(refused, Err(Error::Hyperparameter { name: "theta", .. })), "{theta}");
    }
}

#[test]
fn the_values_of_a_schedule() {
    let never = [-1e-38, f32::NAN, f32::INFINITY];
    assert!(Schedule::constant(0.0_f32).is_ok() && Schedule::constant(f32::MAX).is_ok());
    for value in never {
        assert!(Schedule::constant(value).is_err(), "{value}");
        assert!(Schedule::cosine(value, 0.0, 10).is_err(), "{value}");
        assert!(Schedule::cosine(1.0, value, 10).is_err(), "{value}");
        assert!(Schedule::multi_step(value, 0.5, &[]).is_err(), "{value}");
        assert!(Schedule::multi_step(1.0, value, &[]).is_err(), "{value}");
    }
    let above = 1.0 + f32::EPSILON;
    assert!(Schedule::cosine(1.0, 0.0, 10).is_ok() && Schedule::cosine(1.0, 1.0, 10).is_ok());
    assert!(Schedule::cosine(1.0, above, 10).is_err());
    assert!(
        Schedule::multi_step(1.0, 0.0, &[]).is_ok() && Schedule::multi_step(1.0, 1.0, &[]).is_ok()
    );
    assert!(Schedule::multi_step(1.0, above, &[]).is_err());
}

#[test]
fn radii_guards_and_weights_of_both_types() {
    radii::<f32>();
    radii::<f64>();
}

/// All that a group says.
fn told(group: Group<f32>) -> (f32, Option<f32>, bool, bool, bool) {
    let part = (group.counts_in_norm(), group.is_perturbed(), group.operator());
    (group.rho(), group.weight_decay(), part.0, part.1, part.2)
}

#[test]
fn an_option_of_a_group_changes_what_it_names_alone() {
    let plain = Group::new(0.5_f32).unwrap();
    let odd = plain.with_weight_decay(0.125).unwrap().not_perturbed().without_operator();
    assert_eq!(told(plain), (0.5, None, true, true, true));
    assert_eq!(told(odd), (0.5, Some(0.125), false, false, false));
    assert_eq!(told(plain.with_rho(0.25).unwrap()), (0.25, None, true, true, true));
    assert_eq!(told(odd.with_rho(0.25).unwrap()), (0.25, Some(0.125), false, false, false));
    assert_eq!(told(plain.with_weight_decay(0.0).unwrap()), (0.5, Some(0.0), true, true, true));
    assert_eq!(told(odd.with_weight_decay(2.0).unwrap()), (0.5, Some(2.0), false, false, false));
    assert_eq!(told(plain.not_counted()), (0.5, None, false, true, true));
    assert_eq!(told(plain.counted_only()), (0.5, None, true, false, true));
    assert_eq!(told(plain.not_perturbed()), (0.5, None, false, false, true));
    assert_eq!(told(plain.without_operator()), (0.5, None, true, true, false));
    assert_eq!(told(odd.not_counted().counted_only()), told(odd));
}

/// rho ((1 - lambda) + lambda / (N + k)), whatever the unit of N.
#[test]
fn the_mixed_length_at_any_size_of_the_norm() {
    let (rho, lambda) = (0.5_f32, 0.75);
    // 1e-42 is subnormal: its inverse is beyond the type, and the scale is not.
    let sizes = [1e-42_f32, 1e-30, 1e-10, 0.25, 1.0, 1e10, 1e30];
    for (size, guard) in sizes.into_iter().flat_map(|size| [(size, 0.0), (size, 2.0)]) {
        let length = LengthRule::mixed(lambda, guard).unwrap();
        let mut norm = PartialNorm::new();
        Cpu::plain().accumulate_gradient(1.0, &[size], &mut norm).unwrap();
        let norm = ScaledNorm::of(norm.total().unwrap());
        let scale = Ascent { outcome: Outcome::Finite, norm }.scale(rho, length).unwrap();
        let value = f64::from(norm.value());
        let [rho, lambda, guard, size] = [rho, lambda, guard, size].map(f64::from);
        assert!((value / size - 1.0).abs() < 1e-3, "{size}: {value}");
        let expected = rho * ((1.0 - lambda) + lambda / (size + guard));
        let found = f64::from(scale.prescale) * f64::from(scale.scale);
        assert!((found / expected - 1.0).abs() < 1e-6, "{size}: {found} for {expected}");
    }
}
