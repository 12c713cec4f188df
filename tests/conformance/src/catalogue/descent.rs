//! The descent of a twisted step.

use super::twist::{Adam, Descended, Nesterov, Twist, WeightDecay};
use crate::case::{Case, Segment};
use crate::scalar::Scalar;
use presam_oracle::number::average;
use presam_oracle::{Base, BaseState, BoundedVector, Descent, Number};

/// The new parameter and planes of state of one element.
struct Updated {
    param: Number,
    state: [Number; 2],
}

/// What the base optimizer sees of one element.
struct Seen {
    /// Where it starts.
    start: Number,
    /// What weight decay is taken of.
    decayed: Number,
    grad: Number,
    state: [Number; 2],
}

pub(super) fn descend<R: Scalar>(
    case: &Case<R>,
    starts: &[Vec<Number>],
    perturbed: &[Vec<Number>],
    twist: &Twist,
) -> Descent {
    let parts = case.segments.iter().zip(starts.iter().zip(perturbed));
    let updated: Vec<Vec<Updated>> = parts.map(|(s, at)| update_all(case, s, at, twist)).collect();
    let params = |segment: &Vec<Updated>| {
        R::FORMAT.bounded_vector(&segment.iter().map(|u| u.param).collect::<Vec<_>>())
    };
    let planes: Vec<Vec<BoundedVector>> =
        updated.iter().map(|segment| planes_of::<R>(case.base, segment)).collect();
    let values = |planes: &Vec<BoundedVector>| planes.iter().map(|p| p.values.clone()).collect();
    Descent {
        is_finite: true,
        params: updated.iter().map(params).collect(),
        state: BaseState {
            steps: case.base_steps + 1,
            planes: planes.iter().map(values).collect(),
        },
        planes,
    }
}

fn planes_of<R: Scalar>(base: Base, segment: &[Updated]) -> Vec<BoundedVector> {
    let plane = |index: usize| -> Vec<Number> {
        let numbers = segment.iter().filter_map(|u| u.state.get(index));
        numbers.map(|number| R::FORMAT.stored(*number)).collect()
    };
    (0..base.planes()).map(|index| R::FORMAT.bounded_vector(&plane(index))).collect()
}

fn update_all<R: Scalar>(
    case: &Case<R>,
    segment: &Segment<R>,
    (starts, perturbed): (&Vec<Number>, &Vec<Number>),
    twist: &Twist,
) -> Vec<Updated> {
    let seen = |(i, (start, perturbed)): (usize, (&Number, &Number))| {
        let at = |plane: &[R]| plane.get(i).map_or(Number::ZERO, |x| Number::exact(x.to_f64()));
        let (first, second) = (at(&segment.grads), at(&segment.perturbed_grads));
        Seen {
            start: *start,
            decayed: match twist.weight_decay {
                WeightDecay::OfPerturbed => *perturbed,
                WeightDecay::Missing => Number::ZERO,
                _ => *start,
            },
            grad: match twist.descended {
                Descended::Second => second,
                Descended::First => first,
                Descended::Sum => first + second,
                Descended::Mean => (first + second) / 2.0,
            },
            state: [0, 1].map(|n| segment.state.get(n).map_or(Number::ZERO, |plane| at(plane))),
        }
    };
    let elements = starts.iter().zip(perturbed).enumerate().map(seen);
    elements
        .map(|seen| {
            let updated = update(case.base, case.base_steps, &seen, twist);
            if twist.keeps_state { updated } else { Updated { state: seen.state, ..updated } }
        })
        .collect()
}

fn update(base: Base, steps: u64, seen: &Seen, twist: &Twist) -> Updated {
    match base {
        Base::Sgd { learning_rate, weight_decay } => {
            let decay = Decay::of(learning_rate, weight_decay, seen, twist);
            let d = seen.grad + decay.coupled;
            let param = seen.start - decay.decoupled - learning_rate * d;
            Updated { param, state: [Number::ZERO; 2] }
        }
        Base::SgdMomentum { learning_rate, weight_decay, momentum, dampening, nesterov } => {
            let decay = Decay::of(learning_rate, weight_decay, seen, twist);
            let d = seen.grad + decay.coupled;
            let weight = 1.0 - Number::exact(dampening);
            let [old, _] = seen.state;
            let buffer = match (steps, twist.dampens_first) {
                (0, false) => d,
                (0, true) => weight * d,
                _ => momentum * old + weight * d,
            };
            let looks_ahead = nesterov && twist.is_nesterov == Nesterov::Given;
            let step = if looks_ahead { d + momentum * buffer } else { buffer };
            let param = seen.start - decay.decoupled - learning_rate * step;
            Updated { param, state: [buffer, Number::ZERO] }
        }
        Base::AdamW { .. } => adamw(base, steps, seen, twist),
    }
}

/// The two kinds of weight decay, one of them 0.
struct Decay {
    /// Added to the gradient.
    coupled: Number,
    /// Taken off the parameter.
    decoupled: Number,
}

impl Decay {
    /// Of a base optimizer whose weight decay is coupled.
    fn of(learning_rate: f64, weight_decay: f64, seen: &Seen, twist: &Twist) -> Self {
        if twist.weight_decay == WeightDecay::Exchanged {
            let rate = Number::exact(learning_rate) * weight_decay;
            return Self { coupled: Number::ZERO, decoupled: rate * seen.decayed };
        }
        Self { coupled: weight_decay * seen.decayed, decoupled: Number::ZERO }
    }
}

fn adamw(base: Base, steps: u64, seen: &Seen, twist: &Twist) -> Updated {
    let Base::AdamW { learning_rate, weight_decay, mean_decay, square_decay, denominator_guard } =
        base
    else {
        return Updated { param: seen.start, state: seen.state };
    };
    let (t, rate, [m, v]) = (steps + 1, Number::exact(learning_rate), seen.state);
    let (of_mean, of_square) = (Number::exact(mean_decay), Number::exact(square_decay));
    let shrinks = rate * weight_decay;
    let is_coupled = twist.weight_decay == WeightDecay::Exchanged;
    let g = if is_coupled { seen.grad + weight_decay * seen.decayed } else { seen.grad };
    let m = average([of_mean, 1.0 - of_mean], m, g);
    let v = average([of_square, 1.0 - of_square], v, g * g);
    let bias = |decay: Number| match twist.adam {
        Adam::Biased => Number::ONE,
        _ => 1.0 - decay.power(t),
    };
    let (of_first, of_second) = (bias(of_mean), bias(of_square));
    let denominator = match twist.adam {
        Adam::GuardBeforeCorrection => (v.sqrt() + denominator_guard) / of_second.sqrt(),
        Adam::GuardInRoot => (v / of_second + denominator_guard).sqrt(),
        Adam::Given | Adam::Biased => v.sqrt() / of_second.sqrt() + denominator_guard,
    };
    let step = rate / of_first * (m / denominator);
    let param = match twist.weight_decay {
        WeightDecay::Exchanged => seen.start - step,
        WeightDecay::After => (seen.start - step) * (1.0 - shrinks),
        _ => seen.start - shrinks * seen.decayed - step,
    };
    Updated { param, state: [m, v] }
}
