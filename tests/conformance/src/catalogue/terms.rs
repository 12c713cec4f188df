//! What one element adds to a twisted step: norm_term = D^p C s, direction = D^q C s.

use super::twist::{Memory, Operator, Twist, Variance, Weights};
use presam_oracle::element::PLANES;
use presam_oracle::number;
use presam_oracle::{Element, Number, Rule, RuleState, Terms};

/// Slope, preconditioners and new memory of one element.
struct Parts {
    slope: Number,
    c: Number,
    /// Whether the rule has C in its norm.
    c_in_norm: bool,
    /// D^0, D and D^2.
    d: [Number; 3],
    memory: [Number; PLANES],
    statistic: Number,
}

impl Parts {
    /// C = D = 1.
    fn of(slope: Number) -> Self {
        Self {
            slope,
            c: Number::ONE,
            c_in_norm: true,
            d: [Number::ONE; 3],
            memory: [Number::ZERO; PLANES],
            statistic: Number::ZERO,
        }
    }

    fn constrained(self, d: Number) -> Self {
        Self { d: [Number::ONE, d, d * d], ..self }
    }

    fn remembering(self, memory: Number) -> Self {
        Self { memory: [memory, Number::ZERO], ..self }
    }
}

pub(super) fn terms(rule: Rule, e: &Element, state: RuleState, twist: &Twist) -> Terms {
    let Some(parts) = parts(rule, e, state, twist) else { return plain(rule, e, state, twist) };
    let (c_in_norm, c_in_direction) = match twist.weights {
        Weights::Given => (if parts.c_in_norm { parts.c } else { Number::ONE }, parts.c),
        Weights::Missing => (Number::ONE, Number::ONE),
        Weights::NotInNorm => (Number::ONE, parts.c),
        Weights::InNorm => (parts.c, parts.c),
        Weights::Rooted => (parts.c.sqrt(), parts.c.sqrt()),
        Weights::Inverted => (1.0 / parts.c, 1.0 / parts.c),
    };
    let d = |power: u8| parts.d.get(usize::from(power)).copied().unwrap_or(Number::ONE);
    let memory = if twist.memory == Memory::NotKept { e.memory } else { parts.memory };
    Terms {
        norm_term: d(twist.norm_power) * c_in_norm * parts.slope,
        direction: d(twist.direction_power) * c_in_direction * parts.slope,
        constraint: d(1),
        memory,
        statistic: parts.statistic,
    }
}

/// A rule that is not taken apart here: of the twists of one element it can only forget its memory.
fn plain(rule: Rule, e: &Element, state: RuleState, twist: &Twist) -> Terms {
    let terms = rule.terms(e, state);
    if twist.memory == Memory::NotKept { Terms { memory: e.memory, ..terms } } else { terms }
}

/// The rule's parts; nothing for one of which [`slips`](super::slips) says nothing of its own.
fn parts(rule: Rule, e: &Element, state: RuleState, twist: &Twist) -> Option<Parts> {
    let g = Parts::of(e.grad);
    let [first, second] = e.inputs;
    Some(match rule {
        Rule::Sam => g,
        Rule::Asam { eta } => g.constrained(operator(e, eta, twist)),
        Rule::FisherSam { eta } => {
            let f = 1.0 + twist.eta.unwrap_or(eta) * (e.grad * e.grad);
            Parts { d: [Number::ONE, 1.0 / f.sqrt(), 1.0 / f], ..g }
        }
        Rule::InfoSamDraft { decay } => draft(e, state, decay, twist),
        Rule::InfoSam { mean_decay, variance_decay, absolute_damping, relative_damping } => {
            let damping =
                absolute_damping + relative_damping * Number::exact(state.mean_of_variance);
            noise(e, state, [mean_decay, variance_decay], damping, twist)
        }
        Rule::InfoAsam { mean_decay, variance_decay, absolute_damping, relative_damping, eta } => {
            let damping =
                absolute_damping + relative_damping * Number::exact(state.mean_of_variance);
            noise(e, state, [mean_decay, variance_decay], damping, twist)
                .constrained(operator(e, eta, twist))
        }
        Rule::Vasso { decay } => vasso(e, state, decay, twist),
        Rule::FriendlySam { sigma, decay } => friendly(e, state, sigma, decay, twist),
        Rule::FriendlyAsam { sigma, decay } => {
            let (d, parts) = (operator(e, 0.0, twist), friendly(e, state, sigma, decay, twist));
            Parts { statistic: d * e.grad, ..parts }.constrained(d)
        }
        Rule::RawAsam => Parts { c: operator(e, 0.0, twist), c_in_norm: false, ..g },
        Rule::Ssam => Parts { c: first, c_in_norm: false, ..g },
        Rule::MaskedSam | Rule::ObjectivePreconditioner => Parts { c: first, ..g },
        Rule::MomentumSam => Parts::of(-e.grad),
        Rule::ConstraintPreconditioner => g.constrained(first),
        Rule::PreSam => Parts { c: first, ..g }.constrained(second),
        _ => return None,
    })
}

/// |w| + eta, 1 where it does not apply.
fn operator(e: &Element, eta: f64, twist: &Twist) -> Number {
    let eta = twist.eta.unwrap_or(eta);
    match twist.operator {
        Operator::Missing => Number::ONE,
        Operator::Everywhere => e.param.abs() + eta,
        _ if !e.operator_applies => Number::ONE,
        Operator::Signed => e.param + eta,
        Operator::Given => e.param.abs() + eta,
    }
}

/// decay old + (1 - decay) new.
fn average(decay: f64, old: Number, new: Number, twist: &Twist) -> Number {
    let decay = Number::exact(decay);
    let weights = if twist.swaps_decay { [1.0 - decay, decay] } else { [decay, 1.0 - decay] };
    number::average(weights, old, new)
}

fn starts_afresh(state: RuleState, twist: &Twist) -> bool {
    state.is_first() && twist.memory != Memory::FirstAveraged
}

/// d <- decay d + (1 - decay) g; s = d.
fn vasso(e: &Element, state: RuleState, decay: f64, twist: &Twist) -> Parts {
    let ([old, _], g) = (e.memory, e.grad);
    let new = if starts_afresh(state, twist) { g } else { average(decay, old, g, twist) };
    let is_late = match twist.memory {
        Memory::Late => !state.is_first(),
        Memory::LateFromStart => true,
        _ => false,
    };
    Parts::of(if is_late { old } else { new }).remembering(new)
}

/// s = g - sigma m; m <- decay m + (1 - decay) g.
fn friendly(e: &Element, state: RuleState, sigma: f64, decay: f64, twist: &Twist) -> Parts {
    let ([old, _], g) = (e.memory, e.grad);
    let parts = if starts_afresh(state, twist) {
        Parts::of(g).remembering(g)
    } else if twist.memory == Memory::OfSlope {
        let s = g - sigma * old;
        Parts::of(s).remembering(average(decay, old, s, twist))
    } else {
        let new = average(decay, old, g, twist);
        let read = if twist.memory == Memory::Early { new } else { old };
        Parts::of(g - sigma * read).remembering(new)
    };
    Parts { statistic: g, ..parts }
}

/// m <- decay m + (1 - decay) g; C = 1 / (m - g)^2.
fn draft(e: &Element, state: RuleState, decay: f64, twist: &Twist) -> Parts {
    let ([old, _], g) = (e.memory, e.grad);
    if starts_afresh(state, twist) {
        return Parts::of(g).remembering(g);
    }
    let m = average(decay, old, g, twist);
    Parts { c: 1.0 / ((m - g) * (m - g)), ..Parts::of(g) }.remembering(m)
}

/// v <- decay v + (1 - decay) (m - g)^2, m <- decay m + (1 - decay) g; C = 1 / (v_hat + damping).
fn noise(
    e: &Element,
    state: RuleState,
    [mean_decay, variance_decay]: [f64; 2],
    damping: Number,
    twist: &Twist,
) -> Parts {
    let ([m_old, v_old], g) = (e.memory, e.grad);
    if state.is_first() {
        let m = if starts_afresh(state, twist) { g } else { average(mean_decay, m_old, g, twist) };
        return Parts { memory: [m, Number::ZERO], ..Parts::of(g) };
    }
    let m = average(mean_decay, m_old, g, twist);
    let deviation = if twist.variance == Variance::AboutNewMean { m - g } else { m_old - g };
    let v = match twist.variance {
        Variance::NotAveraged => deviation * deviation,
        _ => average(variance_decay, v_old, deviation * deviation, twist),
    };
    let bias = match twist.variance {
        Variance::Biased | Variance::NotAveraged => Number::ONE,
        _ => 1.0 - Number::exact(variance_decay).power(state.steps),
    };
    let (v_hat, read) = (v / bias, if twist.memory == Memory::Late { v_old } else { v });
    let waits = if twist.variance == Variance::FromSecondStep { 1 } else { 2 };
    let is_plain = state.steps < waits || damping.value == 0.0;
    let c = if is_plain { Number::ONE } else { 1.0 / (read / bias + damping) };
    Parts { c, memory: [m, v], statistic: v_hat, ..Parts::of(g) }
}
