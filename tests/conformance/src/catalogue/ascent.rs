//! The ascent of a twisted step.

use super::terms::terms;
use super::twist::{Guard, Measure, Moves, Over, Radius, Slope, Twist};
use crate::case::{Case, Segment};
use crate::scalar::Scalar;
use presam_oracle::sum::{Order, norm, sum};
use presam_oracle::{
    Ascent, BoundedVector, Element, LengthRule, Number, Outcome, RuleState, Statistic, Terms,
};

/// The ascent, and what the descent may start from, with its errors.
pub(super) struct Ascended {
    pub ascent: Ascent,
    pub perturbation: Vec<Vec<Number>>,
    pub perturbed: Vec<Vec<Number>>,
}

/// The elements of a plane that are exact in every format.
pub(super) fn exact<R: Scalar>(plane: &[R]) -> impl Iterator<Item = Number> {
    plane.iter().map(|x| Number::exact(x.to_f64()))
}

pub(super) fn ascend<R: Scalar>(case: &Case<R>, twist: &Twist) -> Ascended {
    let terms: Vec<Vec<Terms>> = case.segments.iter().map(|s| terms_of(case, s, twist)).collect();
    let lengths = Lengths::of(case, &terms, twist);
    let perturbation: Vec<Vec<Number>> =
        (0..terms.len()).map(|index| lengths.perturbation(index, &terms)).collect();
    let moved = case.segments.iter().zip(&perturbation);
    let perturbed: Vec<Vec<Number>> =
        moved.map(|(s, p)| exact(&s.params).zip(p).map(|(w, p)| w + *p).collect()).collect();
    let bounded = |list: &[Vec<Number>]| -> Vec<BoundedVector> {
        list.iter().map(|numbers| R::FORMAT.bounded_vector(numbers)).collect()
    };
    let (statistic, norm) = (statistic(case, &terms), lengths.worst());
    let is_zero = norm.value == 0.0;
    let ascent = Ascent {
        outcome: if is_zero { Outcome::ZeroNorm } else { Outcome::Perturbed },
        norm: R::FORMAT.bounded(norm),
        statistic: R::FORMAT.bounded(statistic),
        perturbation: bounded(&perturbation),
        perturbed: bounded(&perturbed),
        memory: terms.iter().zip(&case.segments).map(|(t, s)| memory_of(t, s)).collect(),
        state: next_state(case, statistic),
    };
    Ascended { ascent, perturbation, perturbed }
}

fn next_state<R: Scalar>(case: &Case<R>, statistic: Number) -> RuleState {
    let is_mean = case.rule.statistic() == Statistic::Mean;
    RuleState {
        steps: case.rule_state.steps + 1,
        mean_of_variance: if is_mean { statistic.value } else { 0.0 },
    }
}

fn terms_of<R: Scalar>(case: &Case<R>, s: &Segment<R>, twist: &Twist) -> Vec<Terms> {
    let slopes = if twist.slope == Slope::Second { &s.perturbed_grads } else { &s.grads };
    let weight_decay = case.weight_decay().to_f64();
    let pairs = exact(&s.params).zip(exact(slopes)).enumerate();
    pairs
        .map(|(i, (param, grad))| Element {
            param,
            grad: if twist.slope == Slope::Decayed { grad + weight_decay * param } else { grad },
            ..s.element(i)
        })
        .map(|element| terms(case.rule, &element, case.rule_state, twist).in_format(R::FORMAT))
        .collect()
}

/// The rule's second sum, over the counted elements.
fn statistic<R: Scalar>(case: &Case<R>, terms: &[Vec<Terms>]) -> Number {
    let counted: Vec<&Vec<Terms>> = case
        .segments
        .iter()
        .zip(terms)
        .filter(|(s, _)| s.options.counts_in_norm)
        .map(|(_, t)| t)
        .collect();
    let order = Order::of(counted.iter().map(|t| t.len()));
    let parts: Vec<Number> = counted.into_iter().flatten().map(|t| t.statistic).collect();
    match case.rule.statistic() {
        Statistic::None => Number::ZERO,
        Statistic::Norm => norm(&parts, order),
        Statistic::Mean if parts.is_empty() => Number::ZERO,
        Statistic::Mean => sum(&parts, order) / parts.len() as f64,
    }
}

/// The new planes; below the smallest normal number they are zero.
fn memory_of<R: Scalar>(terms: &[Terms], s: &Segment<R>) -> Vec<BoundedVector> {
    let plane = |index: usize| -> Vec<Number> {
        let numbers = terms.iter().filter_map(|t| t.memory.get(index));
        numbers.map(|number| R::FORMAT.stored(*number)).collect()
    };
    (0..s.memory.len()).map(|index| R::FORMAT.bounded_vector(&plane(index))).collect()
}

/// What the perturbation of each segment is divided by.
struct Lengths<'a, R> {
    case: &'a Case<R>,
    twist: &'a Twist,
    /// One for each segment; the same one unless norms are taken apart.
    norms: Vec<Number>,
    /// friendly-sam and friendly-asam: the slope is rounding noise.
    is_noise: bool,
}

impl<'a, R: Scalar> Lengths<'a, R> {
    fn of(case: &'a Case<R>, terms: &[Vec<Terms>], twist: &'a Twist) -> Self {
        let is_measured = |index: usize| {
            case.segments.get(index).map(|s| s.options).is_some_and(|options| match twist.over {
                Over::Counted => options.counts_in_norm,
                Over::Perturbed => options.is_perturbed,
                Over::All | Over::Each => true,
            })
        };
        let measured = |indices: &[usize]| {
            let chosen = indices.iter().filter(|index| is_measured(**index));
            let chosen =
                chosen.filter_map(|index| Some((case.segments.get(*index)?, terms.get(*index)?)));
            measure(&chosen.collect::<Vec<_>>(), twist.measure)
        };
        let all: Vec<usize> = (0..terms.len()).collect();
        let norms = match twist.over {
            Over::Each => all.iter().map(|index| measured(&[*index])).collect(),
            _ => vec![measured(&all); terms.len()],
        };
        let is_noise = case.rule.statistic() == Statistic::Norm && {
            let least = R::FORMAT.friendly_least;
            let floor = R::FORMAT.friendly_floor * statistic(case, terms).value.max(least);
            // A norm of exactly 0 is the guard's affair.
            norms.iter().all(|norm| 0.0 < norm.value && norm.value < floor)
        };
        Self { case, twist, norms, is_noise }
    }

    /// The norm that is known least: one that is not finite, else the one with the largest relative error.
    fn worst(&self) -> Number {
        let share = |n: &Number| match n.value {
            0.0 => 0.0,
            value if value.is_finite() => n.roundings / value,
            _ => f64::INFINITY,
        };
        let shares = self.norms.iter().copied();
        shares.max_by(|a, b| share(a).total_cmp(&share(b))).unwrap_or(Number::ZERO)
    }

    fn perturbation(&self, index: usize, terms: &[Vec<Terms>]) -> Vec<Number> {
        let terms = terms.get(index).map_or(&[][..], |terms| terms);
        let length = terms.len();
        let element = |(i, t): (usize, &Terms)| match self.twist.moves {
            Moves::AllButLast if i + 1 == length => Number::ZERO,
            Moves::Down => -self.moved(index, t.direction),
            _ => self.moved(index, t.direction),
        };
        let moves = self.moves(index);
        let pairs = terms.iter().enumerate();
        pairs.map(|pair| if moves { element(pair) } else { Number::ZERO }).collect()
    }

    /// Whether the segment moves at all: radius 0 copies, and so does a zero norm that somebody sees.
    fn moves(&self, index: usize) -> bool {
        let options = self.case.segments.get(index).map(|s| s.options);
        let norm = self.norms.get(index).map_or(0.0, |norm| norm.value);
        let divides_by_zero = matches!(
            self.twist.guard,
            Guard::Missing | Guard::AfterDivision | Guard::AfterDirection
        );
        let is_zero = (norm == 0.0 && !divides_by_zero) || self.is_noise;
        let is_chosen = match self.twist.moves {
            Moves::Nowhere => false,
            Moves::Everything => true,
            Moves::FirstOnly => index == 0,
            _ => options.is_some_and(|options| options.is_perturbed),
        };
        is_chosen && !is_zero && self.rho(index).value != 0.0
    }

    fn rho(&self, index: usize) -> Number {
        let of = |index: usize| self.case.segments.get(index).map_or(0.0, |s| s.options.rho);
        let rho = Number::exact(of(index));
        match self.twist.radius {
            Radius::Given => rho,
            Radius::Fixed(rho) => Number::exact(R::held(rho)),
            Radius::OfFirst => Number::exact(of(0)),
            Radius::TimesRate => rho * self.case.learning_rate().to_f64(),
            Radius::Squared => rho * rho,
        }
    }

    /// One element of the perturbation, upwards.
    fn moved(&self, index: usize, direction: Number) -> Number {
        let (rho, norm) = (self.rho(index), self.norms.get(index).copied().unwrap_or(Number::ZERO));
        let plain = rho * direction;
        if self.twist.moves == Moves::Unnormalised {
            return plain;
        }
        let guard = |asked: f64| self.twist.norm_guard.map_or(asked, R::held);
        match self.case.length {
            LengthRule::Normalised { norm_guard } => {
                guarded(self.twist.guard, rho, direction, norm, guard(norm_guard))
            }
            LengthRule::Unnormalised => plain,
            LengthRule::Mixed { lambda, norm_guard } => {
                let lambda = Number::exact(lambda);
                let normalised = guarded(self.twist.guard, rho, direction, norm, guard(norm_guard));
                (1.0 - lambda) * plain + lambda * normalised
            }
        }
    }
}

/// rho direction / (N + k), the guard k in its place.
fn guarded(guard: Guard, rho: Number, direction: Number, norm: Number, k: f64) -> Number {
    let at_least = |k: f64| if norm.value < k { Number::exact(k) } else { norm };
    match guard {
        Guard::Added => rho * (direction / (norm + k)),
        Guard::Missing => rho * (direction / norm),
        Guard::Least => rho * (direction / at_least(k)),
        Guard::One => rho * (direction / at_least(1.0)),
        Guard::InRoot => rho * (direction / (norm * norm + k).sqrt()),
        Guard::AfterDivision => (rho / norm + k) * direction,
        Guard::AfterDirection => rho * (direction / norm + k),
    }
}

/// One number for the terms of these segments.
fn measure<R: Scalar>(chosen: &[(&Segment<R>, &Vec<Terms>)], measure: Measure) -> Number {
    let order = Order::of(chosen.iter().map(|(_, terms)| terms.len()));
    let all: Vec<Number> = match measure {
        Measure::OfParams => chosen.iter().flat_map(|(s, _)| exact(&s.params)).collect(),
        _ => chosen.iter().flat_map(|(_, t)| t.iter().map(|t| t.norm_term)).collect(),
    };
    let root = norm(&all, order);
    match measure {
        Measure::Root | Measure::OfParams => root,
        Measure::Squared => root * root,
        Measure::Sum => sum(&all.iter().map(|t| t.abs()).collect::<Vec<_>>(), order),
        Measure::MeanRoot if all.is_empty() => root,
        Measure::MeanRoot => root / Number::exact(all.len() as f64).sqrt(),
        Measure::Largest => all.iter().map(|t| t.abs()).fold(Number::ZERO, larger),
        Measure::Single => Number { value: f32::held(root.value), ..root },
        Measure::Times(factor) => root * factor,
    }
}

fn larger(a: Number, b: Number) -> Number {
    if b.value > a.value { b } else { a }
}
