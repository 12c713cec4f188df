//! Right code of every kind, which no law calls wrong: another order of summation, a dialect by its own step, and
//! parameters restored by subtraction where that is what was found.

use presam::Cpu;
use presam_backends::Phases;
use presam_conformance::catalogue::{Entry, Kind, RIGHT, catalogue};
use presam_conformance::{
    Answer, Backend, Case, Config, Convention, Expected, Law, LengthRule, Nearness, Outcome, Rule,
    Scalar, Scope, Segment, Trial, laws,
};

use super::spoilt::{Spoil, Spoilt, Step, core, formula, poisoned, subtracted, taken_off};
use super::stranger;

const BASES: [&str; 3] = ["sgd", "sgd-momentum", "adamw"];

fn every_law_holds<R: Scalar>(backend: &mut impl Backend<R>, cases: u32) {
    every_law_holds_of(&Rule::all(), backend, cases);
}

fn every_law_holds_of<R: Scalar>(rules: &[Rule], backend: &mut impl Backend<R>, cases: u32) {
    for law in laws::all::<R>().iter().filter(|law| !law.is_long()) {
        holds(law, rules, backend, cases);
    }
}

fn holds<R: Scalar>(law: &Law<R>, rules: &[Rule], backend: &mut impl Backend<R>, cases: u32) {
    let trial = Trial { law, rules, config: Config { cases, seed: 7 }, shrinks: 0, least: 1 };
    let failure = trial.run(backend).err();
    assert!(failure.is_none(), "{}: {}", backend.scope().convention, failure.unwrap());
}

/// The core, every perturbed parameter further out by so many of the eight bounds that another order of summation may
/// take.
struct Rounds {
    scope: Scope,
    bounds: f64,
}

impl<R: Scalar> Backend<R> for Rounds
where
    Phases: Backend<R>,
{
    fn scope(&self) -> Scope {
        self.scope.clone()
    }

    fn step(&mut self, case: &Case<R>) -> Result<Answer<R>, String> {
        let mut answer = Phases(Cpu::plain()).step(case)?;
        if answer.outcome != Outcome::Perturbed {
            return Ok(answer);
        }
        let ascent = Expected::of(case).map_err(|mismatch| mismatch.to_string())?.ascent;
        let planes = ascent.perturbed.iter().zip(&ascent.perturbation);
        for (to, (plane, own)) in answer.segments.iter_mut().zip(planes) {
            for (i, to) in to.perturbed.iter_mut().enumerate() {
                let far = plane.values[i] + self.bounds * plane.bounds[i].copysign(own.values[i]);
                // Where rounding alone gives no number another order may give one.
                *to = R::from_f64(if far.is_finite() { far } else { 0.0 });
            }
        }
        Ok(answer)
    }
}

#[test]
fn another_order_of_summation() {
    for scope in [stranger(), Scope::of(&Rule::all(), &BASES)] {
        every_law_holds::<f32>(&mut Rounds { scope: scope.clone(), bounds: 6.0 }, 96);
        every_law_holds::<f64>(&mut Rounds { scope, bounds: 6.0 }, 96);
    }
}

/// Where the draft divides by differences that cancel, another order of summation gives a number where the formula has
/// none.
fn any_number(case: &Case<f32>, answer: &mut Answer<f32>) {
    let norm = Expected::of(case).unwrap().ascent.norm.value;
    if poisoned(case)[0] || norm == 0.0 {
        return;
    }
    let perturbed = answer.segments.iter_mut().flat_map(|s| &mut s.perturbed);
    perturbed.filter(|up| !up.is_finite()).for_each(|up| *up = 0.0);
}

/// In a tensor that does not count: the norm is none the worse.
#[test]
fn a_quotient_that_rounding_decides() {
    let draft = [Rule::from_name("info-sam-draft").unwrap()];
    let silent = Scope { skips: false, ..stranger() };
    for scope in [stranger(), silent.clone()] {
        every_law_holds_of::<f32>(&draft, &mut Rounds { scope: scope.clone(), bounds: 6.0 }, 512);
        every_law_holds_of::<f64>(&draft, &mut Rounds { scope, bounds: 6.0 }, 512);
    }
    let convention = Convention { entry: None, subtracts: true };
    let steps: [(_, Step); 2] = [
        (silent.clone(), formula),
        (Scope { convention, ..silent }, |case| subtracted(case, formula(case))),
    ];
    for (scope, step) in steps {
        every_law_holds_of(&draft, &mut Spoilt { scope, step, spoil: any_number }, 512);
    }
}

/// -(-w) + 0: a stranger may give what stays another sign where it is zero.
#[test]
fn zeros_of_another_sign() {
    let spoil: Spoil = |_, answer| {
        let planes = answer.segments.iter_mut().flat_map(|s| [&mut s.perturbed, &mut s.params]);
        planes.flatten().filter(|x| **x == 0.0).for_each(|x| *x = -*x);
    };
    let mut backend = Spoilt { scope: stranger(), step: core, spoil };
    for law in ["unperturbed-stays", "rho-zero-is-the-base", "restored"] {
        holds(&laws::named(law).unwrap(), &Rule::all(), &mut backend, 96);
    }
}

/// Bits are asked of the order of summation that a case has, and of no other.
#[test]
fn bits_of_one_order() {
    let scope = Scope { nearness: Nearness::Ulps(0), ..stranger() };
    for law in ["permuted-segments", "cut-anywhere"] {
        let law = laws::named::<f32>(law).unwrap();
        holds(&law, &Rule::all(), &mut Rounds { scope: scope.clone(), bounds: 0.0 }, 96);
    }
}

/// A dialect's step, by which it is judged.
struct Dialect {
    entry: &'static Entry,
    convention: Convention,
    /// Whether a gradient that is not finite changes nothing, a second one nothing in the descent.
    skips: bool,
    scope: Scope,
}

impl<R: Scalar> Backend<R> for Dialect {
    fn scope(&self) -> Scope {
        Scope { convention: self.convention, ..self.scope.clone() }
    }

    fn step(&mut self, case: &Case<R>) -> Result<Answer<R>, String> {
        let all = |plane: fn(&Segment<R>) -> &Vec<R>| {
            case.segments.iter().flat_map(plane).all(|x| x.to_f64().is_finite())
        };
        let [first, second] = [all(|s| &s.grads), all(|s| &s.perturbed_grads)];
        let mut answer = self.entry.step(case);
        let moved = answer.segments.iter().flat_map(|s| &s.perturbed);
        let rests = case.segments.iter().flat_map(|s| &s.grads).all(|g| g.to_f64() == 0.0);
        // Python's division by zero, for one, where no guard is.
        let divides = rests && self.convention.entry.is_some();
        if divides
            && case.elements().is_multiple_of(2)
            && !{ moved }.all(|x| x.to_f64().is_finite())
        {
            return Err("division by zero".to_owned());
        }
        if self.skips && !first {
            return Ok(Answer::unchanged(case));
        }
        let start = if self.convention.subtracts { taken_off(case, &answer) } else { case.clone() };
        if self.skips && !second {
            for (to, from) in answer.segments.iter_mut().zip(start.segments) {
                to.params = from.params;
                to.state = from.state;
            }
            answer.base_steps = case.base_steps;
        } else if self.convention.subtracts {
            answer = subtracted(case, answer);
        }
        Ok(answer)
    }
}

/// Whether it says that it skips, or only does, or neither.
fn dialects(entry: &'static Entry, convention: Convention) -> [Dialect; 4] {
    let plain = Scope { fresh: true, ..Scope::of(&Rule::all(), &BASES) };
    let silent = Scope { skips: false, ..stranger() };
    [(stranger(), true), (silent.clone(), true), (silent, false), (plain, false)]
        .map(|(scope, skips)| Dialect { entry, convention, skips, scope })
}

#[test]
fn a_dialect_by_its_own_step() {
    for entry in catalogue().iter().filter(|entry| entry.kind == Kind::Dialect) {
        for mut dialect in dialects(entry, Convention { entry: Some(entry), subtracts: false }) {
            every_law_holds::<f32>(&mut dialect, 16);
            every_law_holds::<f64>(&mut dialect, 16);
        }
    }
}

#[test]
fn a_restore_by_subtraction_where_it_is_known() {
    let [_, silent @ ..] = dialects(&RIGHT, Convention { entry: None, subtracts: true });
    for mut dialect in silent {
        every_law_holds::<f32>(&mut dialect, 48);
        every_law_holds::<f64>(&mut dialect, 48);
    }
}

/// Of a first gradient that is not finite nothing is left.
fn everywhere(case: &Case<f32>, answer: &mut Answer<f32>) {
    if poisoned(case)[0] {
        answer.segments.iter_mut().for_each(|s| s.perturbed.fill(f32::NAN));
    }
}

/// An infinite one stays where it is.
fn no_further(case: &Case<f32>, answer: &mut Answer<f32>) {
    let infinite = case.segments.iter().flat_map(|s| &s.grads).any(|g| g.is_infinite());
    for (to, from) in answer.segments.iter_mut().zip(&case.segments).filter(|_| infinite) {
        let pairs = to.perturbed.iter_mut().zip(&from.params);
        pairs.filter(|(up, _)| !up.is_finite()).for_each(|(up, w)| *up = *w);
    }
}

/// w + s rho ((1 - lambda) + lambda / (inf + k)) as it comes in `f32`, s being SAM's slope, VaSSO's or Friendly SAM's.
fn in_f32(case: &Case<f32>, answer: &mut Answer<f32>) {
    let LengthRule::Mixed { lambda, norm_guard } = case.length else { return };
    let is_first = case.rule_state.is_first();
    let slope = |g: f32, m: f32| match case.rule {
        Rule::Sam => Some(g),
        Rule::Vasso { .. } | Rule::FriendlySam { .. } if is_first => Some(g),
        Rule::Vasso { decay } => Some(decay as f32 * m + (1.0 - decay as f32) * g),
        Rule::FriendlySam { sigma, .. } => Some(g - sigma as f32 * m),
        _ => None,
    };
    let mut counted = case.segments.iter().filter(|s| s.options.counts_in_norm);
    let is_infinite = counted.any(|s| s.grads.iter().any(|g| g.is_infinite()));
    let moved = |s: &Segment<f32>| s.options.is_perturbed && is_infinite;
    let pairs = answer.segments.iter_mut().zip(&case.segments);
    for (to, from) in pairs.filter(|(_, from)| moved(from)) {
        let (lambda, guard) = (lambda as f32, norm_guard as f32);
        let scale = from.options.rho as f32 * ((1.0 - lambda) + lambda / (f32::INFINITY + guard));
        for (i, up) in to.perturbed.iter_mut().enumerate().filter(|(_, up)| up.is_finite()) {
            let m = from.memory.first().map_or(0.0, |m| m[i]);
            *up = slope(from.grads[i], m).map_or(*up, |slope| from.params[i] + slope * scale);
        }
    }
}

/// What is multiplied by 0 is left out: the norm of a mixed length, a step of rate 0.
fn without_products(case: &Case<f32>, answer: &mut Answer<f32>) {
    if matches!(case.length, LengthRule::Mixed { lambda: 0.0, .. }) {
        let length = LengthRule::Unnormalised;
        let plain = RIGHT.step(&Case { length, ..case.clone() });
        for (to, plain) in answer.segments.iter_mut().zip(plain.segments) {
            to.perturbed = plain.perturbed;
        }
    }
    if case.learning_rate() == 0.0 {
        for (to, from) in answer.segments.iter_mut().zip(&case.segments) {
            to.params.clone_from(&from.params);
        }
    }
}

#[test]
fn what_is_not_finite_spreads_in_many_ways() {
    let law = laws::named("non-finite-spreads").unwrap();
    for spoil in [everywhere, no_further, in_f32, without_products] {
        let scope = Scope { lengths: true, ..Scope::of(&Rule::all(), &BASES) };
        holds(&law, &Rule::all(), &mut Spoilt { scope, step: formula, spoil }, 4096);
    }
}

/// Where g - sigma m cancels, its rounding is neither of w nor of e: at these seeds it showed.
#[test]
fn what_is_not_finite_leaves_the_slopes_own_rounding() {
    let law = laws::named("non-finite-spreads").unwrap();
    for (name, seed) in [("vasso", 14), ("friendly-sam", 31)] {
        let rules = [Rule::from_name(name).unwrap()];
        let scope = Scope { lengths: true, ..Scope::of(&rules, &["sgd"]) };
        let config = Config { cases: 4096, seed };
        let trial = Trial { law: &law, rules: &rules, config, shrinks: 0, least: 1 };
        let failure = trial.run(&mut Spoilt { scope, step: formula, spoil: in_f32 }).err();
        assert!(failure.is_none(), "{}", failure.unwrap());
    }
}

/// (w + e) - e beside what is not finite, and what a decay makes of it.
#[test]
fn what_is_taken_off_beside_what_is_not_finite() {
    let law = laws::named("non-finite-spreads").unwrap();
    let convention = Convention { entry: None, subtracts: true };
    let scope = Scope { lengths: true, convention, ..Scope::of(&Rule::all(), &BASES) };
    let step: Step = |case| subtracted(case, formula(case));
    holds(&law, &Rule::all(), &mut Spoilt { scope, step, spoil: |_, _| () }, 4096);
}
