//! Any bits as a setting: refused by name exactly where it is out of its documented range, and a value that is
//! accepted takes a step that ends as documented.

#![no_main]

use libfuzzer_sys::fuzz_target;
use presam::variants::{ALL, Limits};
use presam::{
    AdamW, AnyReal, AnyVariant, BaseOptimizer, Cpu, DynBase, DynVariant, DynamicMask, Error, Group,
    Gsam, LengthRule, LookSam, Outcome, Real, Saner, Schedule, Session, Sgd, TopK, Wsam, gsam_rho,
    kept_count,
};
use presam_backends::Layer;
use presam_conformance::Scalar;
use presam_fuzz::case::all_finite;
use presam_fuzz::draw::{Draw, Kind};
use presam_fuzz::same;

fuzz_target!(|bytes: &[u8]| {
    let mut draw = Draw::new(bytes);
    if draw.flag() { run::<f64>(&mut draw) } else { run::<f32>(&mut draw) }
});

fn run<R: AnyReal + Scalar>(draw: &mut Draw<'_>) {
    match draw.below(6) {
        0 => lengths_and_groups::<R>(draw),
        1 => base_optimizers::<R>(draw),
        2 => schedules::<R>(draw),
        3 => masks::<R>(draw),
        _ => variants::<R>(draw),
    }
}

fn real<R: Real + Scalar>(draw: &mut Draw<'_>) -> R {
    <R as Real>::from_f64(draw.setting())
}

/// The value as the refusal must tell it, and whether there must be one.
fn judge<R: Real, T>(name: &str, value: R, is_within: bool, result: Result<T, Error>) -> Option<T> {
    let told = Real::to_f64(value);
    match result {
        Ok(made) => {
            assert!(is_within, "{name} {told:?} accepted");
            Some(made)
        }
        Err(Error::Hyperparameter { name: named, found, .. }) => {
            assert!(!is_within, "{name} {told:?} refused");
            assert!(
                named == name && (found == told || found.is_nan() && told.is_nan()),
                "{named} {found:?}"
            );
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn is_size<R: Real>(value: R) -> bool {
    value >= R::ZERO && value.is_finite()
}

fn is_radius<R: Real>(value: R) -> bool {
    is_size(value) && Real::to_f64(value) < 2_f64.powi(31)
}

fn is_fraction<R: Real>(value: R) -> bool {
    value >= R::ZERO && value <= R::ONE
}

fn is_decay<R: Real>(value: R) -> bool {
    is_fraction(value) && value < R::ONE
}

fn lengths_and_groups<R: Real + Scalar>(draw: &mut Draw<'_>) {
    let (lambda, guard, rho): (R, R, R) = (real(draw), real(draw), real(draw));
    judge("norm_guard", guard, is_radius(guard), LengthRule::normalised(guard));
    if is_radius(guard) {
        judge("lambda", lambda, is_fraction(lambda), LengthRule::mixed(lambda, guard));
    }
    judge("alpha", rho, is_size(rho), Gsam::new(rho));
    judge("alpha", rho, is_size(rho), LookSam::new(rho));
    judge("alpha", lambda, is_fraction(lambda), Saner::new(lambda));
    if let Some(group) = judge("rho", rho, is_radius(rho), Group::new(rho)) {
        judge("rho", lambda, is_radius(lambda), group.with_rho(lambda));
        judge("weight_decay", lambda, is_size(lambda), group.with_weight_decay(lambda));
    }
    judge("gamma", lambda, is_decay(lambda), Wsam::new(lambda));
}

fn base_optimizers<R: Real + Scalar>(draw: &mut Draw<'_>) {
    let (rate, decay, momentum, dampening): (R, R, R, R) =
        (real(draw), real(draw), real(draw), real(draw));
    let Some(sgd) = judge("learning_rate", rate, is_size(rate), Sgd::new(rate)) else { return };
    judge("weight_decay", decay, is_size(decay), sgd.with_weight_decay(decay));
    if let Some(sgd) = judge("momentum", momentum, is_decay(momentum), sgd.with_momentum(momentum))
    {
        let damped = sgd.with_dampening(dampening);
        judge("dampening", dampening, is_fraction(dampening), damped);
        assert_eq!(sgd.with_nesterov().is_ok(), momentum > R::ZERO);
        let damped = damped.map(|sgd| sgd.with_nesterov().is_ok());
        assert!(damped.is_err() || damped == Ok(momentum > R::ZERO && dampening == R::ZERO));
        step(draw, &presam::Sam::new(), &sgd);
    }
    let Some(adamw) = judge("learning_rate", rate, is_size(rate), AdamW::new(rate)) else { return };
    judge("denominator_guard", decay, is_size(decay), adamw.with_denominator_guard(decay));
    let decays = adamw.with_decays(momentum, dampening);
    assert_eq!(decays.is_ok(), is_decay(momentum) && is_decay(dampening));
    if let Ok(adamw) = decays {
        step(draw, &presam::Sam::new(), &adamw);
    }
}

/// A schedule stays between 0 and its peak, so a rate that it gives is never refused.
fn schedules<R: Real + Scalar>(draw: &mut Draw<'_>) {
    let (peak, last): (R, R) = (real(draw), real(draw));
    let (total, warm_up) = (draw.bits() as u32, draw.bits() as u32);
    let milestones: Vec<u32> = (0..draw.below(6)).map(|_| draw.bits() as u32).collect();
    let is_last = last >= R::ZERO && last <= peak;
    let cosine = Schedule::cosine(peak, last, total);
    assert_eq!(cosine.is_ok(), is_size(peak) && is_last);
    let multi_step = Schedule::multi_step(peak, last, &milestones);
    assert_eq!(multi_step.is_ok(), is_size(peak) && is_fraction(last));
    let constant = judge("schedule value", peak, is_size(peak), Schedule::constant(peak));
    for schedule in [cosine.ok(), multi_step.ok(), constant].into_iter().flatten() {
        for schedule in [schedule, schedule.with_warm_up(warm_up), schedule.with_warm_up(3)] {
            for step in
                [0, 1, 5, total / 2, total.wrapping_sub(1), total, u32::MAX, draw.bits() as u32]
            {
                let value = schedule.at(step);
                assert!(value >= R::ZERO && value <= peak, "{schedule:?} at {step}: {value:?}");
                assert!(Sgd::new(value).is_ok());
            }
        }
    }
    let rho = gsam_rho((R::ZERO, R::ONE), (last, peak), real(draw));
    let are_rates = is_size(last) && is_size(peak);
    assert!(!are_rates || rho.is_finite() && rho >= R::ZERO && rho <= R::ONE, "{rho:?}");
}

/// Exactly the k highest scores of any bits, and counts that a model can hold.
fn masks<R: Real + Scalar>(draw: &mut Draw<'_>) {
    let segments: Vec<Vec<R>> = (0..=draw.below(3))
        .map(|_| {
            let length = draw.length();
            draw.plane(length, Kind::Any)
        })
        .collect();
    let scores: Vec<R> = segments.concat();
    let keep = if draw.flag() { draw.bits() } else { draw.below(scores.len() + 2) as u64 };
    let mut top = TopK::new(keep);
    for _ in 0..TopK::<R>::passes() {
        segments.iter().for_each(|segment| top.count(segment));
        top.narrow();
    }
    let mut mask = Vec::new();
    for segment in &segments {
        let mut part = vec![R::ONE; segment.len()];
        assert_eq!(top.write_mask(segment, &mut part), Ok(()));
        mask.extend(part);
    }
    // A stable sort puts the lower index first among equals.
    let value = |i: &usize| if scores[*i] > R::ZERO { Real::to_f64(scores[*i]) } else { 0.0 };
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| value(b).total_cmp(&value(a)));
    let kept = usize::try_from(keep).unwrap_or(usize::MAX).min(order.len());
    let mut expected = vec![R::ZERO; scores.len()];
    order[..kept].iter().for_each(|&i| expected[i] = R::ONE);
    assert_eq!(mask, expected);

    let (n, sparsity, drop_rate) = (draw.bits() as u32, draw.setting(), draw.setting());
    let count = kept_count(n.into(), sparsity);
    assert_eq!(count.is_ok(), is_fraction(sparsity));
    assert!(count.is_err() || count.is_ok_and(|count| count <= n.into()));
    let dynamic = DynamicMask::new(n.into(), sparsity, drop_rate);
    assert_eq!(dynamic.is_ok(), is_fraction(sparsity) && is_fraction(drop_rate));
    if let Ok(dynamic) = dynamic {
        let (kept, grown) = dynamic.counts(draw.setting());
        assert!(kept <= n.into() && grown <= n.into() && kept + grown <= u64::from(n) + 1);
    }
}

/// Every variant's keys with any values.
fn variants<R: AnyReal + Scalar>(draw: &mut Draw<'_>) {
    let variant = configured::<R>(draw);
    if let Ok(base) = Sgd::new(<R as Real>::from_f64(0.125)) {
        step(draw, &variant, &base);
    }
}

fn configured<R: AnyReal>(draw: &mut Draw<'_>) -> AnyVariant<R> {
    let info = &ALL[draw.below(ALL.len())];
    let Ok(mut variant) = AnyVariant::by_name(info.name) else { unreachable!("it is listed") };
    for _ in 0..draw.below(6) {
        if info.keys.is_empty() || draw.rarely(8) {
            assert!(matches!(variant.set("no_such_key", 0.5), Err(Error::UnknownKey { .. })));
            continue;
        }
        let (key, value) = (draw.pick(info.keys), draw.setting());
        let held = <R as Real>::from_f64(value);
        let is_within = match key.limits {
            Limits::Switch | Limits::Count => key.limits.hold(value),
            limits => limits.hold(Real::to_f64(held)),
        };
        variant = judge(key.name, held, is_within, variant.set(key.name, value)).unwrap_or(variant);
    }
    variant
}

/// Three steps with whatever was accepted: no panic, no NaN out of numbers, restored where nothing is stepped.
fn step<R: Real + Scalar>(draw: &mut Draw<'_>, variant: &dyn DynVariant<R>, base: &dyn DynBase<R>) {
    const LENGTH: usize = 5;
    let planes = variant.planes();
    let params = draw.plane(LENGTH, Kind::Tame);
    let inputs = (0..planes.inputs).map(|_| draw.plane(LENGTH, Kind::Tame)).collect();
    let mut model = [Layer::new(0, params, inputs, [planes.memory, base.state_planes()])];
    let Ok(group) = Group::new(<R as Real>::from_f64(draw.pick(&[0.05, 0.0, 2.0]))) else { return };
    let (groups, mut session) = ([group], Session::new(Cpu::detect(), variant, base));
    for _ in 0..3 {
        let before = model[0].own.params.clone();
        model[0].own.grads = draw.plane(LENGTH, Kind::Tame);
        let Ok(mut ascended) = session.ascend(&groups, &mut model[..]) else {
            unreachable!("it fits")
        };
        let outcome = ascended.ascent().outcome;
        let perturbed = &ascended.model()[0].own.params;
        if all_finite(&before) {
            assert!(!perturbed.iter().any(|x| Real::to_f64(*x).is_nan()), "{perturbed:?}");
        }
        assert!(outcome == Outcome::Finite || same(perturbed, &before));
        let Ok(report) = ascended.descend() else { unreachable!("it fits") };
        assert!(report.descended || same(&model[0].own.params, &before));
    }
}
