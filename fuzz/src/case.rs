//! Whole steps: any rule, settings, lengths and numbers.

use crate::draw::{Draw, Kind};
use presam_conformance::generate::tame_input;
use presam_conformance::{Base, Case, LengthRule, Options, Rule, RuleState, Scalar, Segment};

/// A step whose settings are within their limits and whose numbers are of `kind`.
pub fn case<R: Scalar>(draw: &mut Draw<'_>, kind: Kind) -> Case<R> {
    let rule = rule::<R>(draw);
    let base = base::<R>(draw);
    let length = length_rule::<R>(draw);
    let rule_state = counters::<R>(draw, rule);
    let base_steps = draw.pick(&[0, 1, 3, 100]);
    let segments = (0..=draw.below(4)).map(|_| segment(draw, rule, base, kind)).collect();
    Case { rule, length, segments, rule_state, base, base_steps }
}

fn counters<R: Scalar>(draw: &mut Draw<'_>, rule: Rule) -> RuleState {
    let steps = draw.pick(&[0, 1, 2, 5, 300]);
    let mean = draw.number::<R>(Kind::Tame).to_f64().abs();
    // Nothing is observed before the second step.
    let mean_of_variance = if rule.carries_mean() && steps > 1 { mean } else { 0.0 };
    RuleState { steps, mean_of_variance }
}

fn size<R: Scalar>(draw: &mut Draw<'_>) -> f64 {
    draw.number::<R>(Kind::Tame).to_f64().abs()
}

fn decay<R: Scalar>(draw: &mut Draw<'_>) -> f64 {
    R::held(draw.pick(&[0.5, 0.0, 0.1, 0.6, 0.9, 0.99, 0.999]))
}

/// Any rule with settings of its own.
fn rule<R: Scalar>(draw: &mut Draw<'_>) -> Rule {
    let rule = draw.pick(&Rule::all());
    let mut tried = rule.tried().into_iter();
    rule.map_settings(|_, default| {
        R::held(tried.next().map_or(default, |values| draw.pick(values)))
    })
}

fn length_rule<R: Scalar>(draw: &mut Draw<'_>) -> LengthRule {
    let norm_guard = R::held(draw.pick(&[0.0, 1e-12, 0.125]));
    match draw.below(4) {
        3 => LengthRule::Unnormalised,
        2 => LengthRule::Mixed { lambda: R::held(draw.pick(&[0.5, 0.9, 0.0, 1.0])), norm_guard },
        _ => LengthRule::Normalised { norm_guard },
    }
}

/// Momentum in half of all draws: it has the most settings.
fn base<R: Scalar>(draw: &mut Draw<'_>) -> Base {
    let learning_rate = R::held(draw.pick(&[0.5, 0.1, 0.01]));
    let weight_decay = R::held(draw.pick(&[0.0, 0.25, 5e-4]));
    match draw.below(4) {
        3 => Base::Sgd { learning_rate, weight_decay },
        2 => Base::AdamW {
            learning_rate,
            weight_decay,
            mean_decay: decay::<R>(draw),
            square_decay: R::held(draw.pick(&[0.75, 0.99, 0.999])),
            denominator_guard: R::held(draw.pick(&[1e-3, 1e-8])),
        },
        _ => {
            let (dampening, nesterov) =
                draw.pick(&[(0.0, false), (0.0, true), (0.5, false), (1.0, false)]);
            let momentum = R::held(draw.pick(&[0.5, 0.9]));
            Base::SgdMomentum { learning_rate, weight_decay, momentum, dampening, nesterov }
        }
    }
}

fn segment<R: Scalar>(draw: &mut Draw<'_>, rule: Rule, base: Base, kind: Kind) -> Segment<R> {
    let length = draw.length();
    let options = Options {
        rho: R::held(if draw.rarely(4) {
            size::<R>(draw)
        } else {
            draw.pick(&[1.0, 0.5, 0.05, 0.0])
        }),
        counts_in_norm: !draw.rarely(8),
        is_perturbed: !draw.rarely(8),
        operator_applies: !draw.rarely(8),
    };
    let mut planes =
        |count: usize| -> Vec<Vec<R>> { (0..count).map(|_| draw.plane(length, kind)).collect() };
    let mut three = planes(3).into_iter();
    let mut next = || three.next().unwrap_or_default();
    let (params, grads, perturbed_grads) = (next(), next(), next());
    let (mut memory, mut inputs) = (planes(rule.memory()), planes(rule.inputs()));
    let mut state = planes(base.planes());
    if kind == Kind::Tame {
        // Averages of squares, and constraint preconditioners, are not negative; a mask is 0 or 1.
        for second in [memory.get_mut(1), state.get_mut(1)].into_iter().flatten() {
            second.iter_mut().for_each(|x| *x = R::from_f64(x.to_f64().abs()));
        }
        for (plane, kind) in inputs.iter_mut().zip(rule.input_kinds()) {
            plane.iter_mut().for_each(|x| *x = tame_input(*kind)(*x));
        }
    }
    Segment { options, params, grads, perturbed_grads, memory, inputs, state }
}

/// Neither an infinity nor a NaN.
pub fn all_finite<R: Scalar>(plane: &[R]) -> bool {
    plane.iter().all(|x| x.to_f64().is_finite())
}
