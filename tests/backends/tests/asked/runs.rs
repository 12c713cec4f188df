//! Runs: every step goes on from the one before, with other gradients and another rate, and what can become of them
//! does.

use std::collections::BTreeSet;

use presam::Cpu;
use presam_backends::Phases;
use presam_conformance::{Answer, Backend, Case, Config, Rule, Scope, Segment, check_law, laws};

use super::{Step, asked, is_finite, is_zero, stranger};

fn is_first(case: &Case<f32>) -> bool {
    case.base_steps == 0 && case.rule_state.steps == 0 && case.rule_state.mean_of_variance == 0.0
}

/// Each step begins where the one before ended.
fn goes_on(steps: &[Step]) {
    assert!(steps.first().is_none_or(|step| is_first(&step.case)));
    for pair in steps.windows(2) {
        let (left, found) = (&pair[0].answer, &pair[1].case);
        assert_eq!((left.rule_state, left.base_steps), (found.rule_state, found.base_steps));
        for (left, found) in left.segments.iter().zip(&found.segments) {
            assert_eq!(
                (&left.params, &left.memory, &left.state),
                (&found.params, &found.memory, &found.state)
            );
        }
    }
}

fn largest(plane: &[f32]) -> f32 {
    plane.iter().fold(0.0, |max: f32, x| max.max(x.abs()))
}

/// What has become of a tensor's gradients since the step before.
fn event(first: &Segment<f32>, before: &Segment<f32>, now: &Segment<f32>) -> &'static str {
    let size = largest(&now.grads) / largest(&first.grads);
    match [is_zero(&now.grads), is_zero(&now.perturbed_grads)] {
        [true, true] => "neither",
        [true, false] => "no first",
        [false, true] => "no second",
        _ if (&now.grads, &now.perturbed_grads) == (&before.grads, &before.perturbed_grads) => {
            "again"
        }
        _ if size > 3.0 => "jump",
        _ if [0.5, 0.75, 1.25].iter().any(|share| (size - share).abs() < 1e-3) => "other",
        _ => "of a size that is none of these",
    }
}

fn events(steps: &[Step]) -> BTreeSet<&'static str> {
    let Some((first, later)) = steps.split_first() else { return BTreeSet::new() };
    let mut events = BTreeSet::new();
    for (before, now) in steps.iter().zip(later) {
        let tensors = before.case.segments.iter().zip(&now.case.segments);
        for (first, (before, now)) in first.case.segments.iter().zip(tensors) {
            if !is_zero(&first.grads) && !is_zero(&first.perturbed_grads) {
                events.insert(event(first, before, now));
            }
        }
    }
    events
}

#[test]
fn whatever_can_become_of_a_gradient_does() {
    for scope in [Scope::full(), stranger()] {
        let (mut all, mut found, mut at_once) = (BTreeSet::new(), false, false);
        for (_, steps) in asked("agrees-over-steps", scope.clone(), 96) {
            goes_on(&steps);
            all.extend(events(&steps));
            at_once |= events(&steps[..steps.len().min(2)]).contains("again");
            let first = steps.iter().take(1).flat_map(|step| &step.case.segments);
            let mut kept = first.flat_map(|s| s.memory.iter().chain(&s.state));
            found |= !kept.all(|plane| is_zero(plane));
        }
        // Only the contract says that a first step does not read what it finds.
        assert_eq!(found, scope.contract);
        assert!(at_once, "in the second step too");
        assert_eq!(all, ["again", "jump", "neither", "no first", "no second", "other"].into());
    }
}

/// Elements change their place: what was kept of a tensor meets other numbers.
#[test]
fn gradients_are_turned() {
    let mut turned = 0;
    for (_, steps) in asked("agrees-over-steps", stranger(), 96) {
        for pair in steps.windows(2) {
            for (a, b) in pair[0].case.segments.iter().zip(&pair[1].case.segments) {
                let ratios = a.grads.iter().zip(&b.grads).filter(|(a, _)| **a != 0.0);
                let ratios: Vec<f32> = ratios.map(|(a, b)| b / a).collect();
                turned += usize::from(ratios.windows(2).any(|pair| pair[0] != pair[1]));
            }
        }
    }
    assert!(turned > 96, "{turned}");
}

#[test]
fn a_run_is_as_long_as_its_case_says() {
    let mut lengths = BTreeSet::new();
    for (case, steps) in asked("agrees-over-steps", stranger(), 96) {
        let whole = (case.base_steps as usize + 1).max(4);
        // What overflows, and what rounding decides, ends it.
        assert!(steps.len() <= whole, "{} of {whole}", steps.len());
        if steps.len() == whole {
            lengths.insert(whole);
        }
    }
    assert!(lengths.contains(&4) && lengths.len() > 2, "{lengths:?}");
    let contract = asked("agrees-over-steps", Scope::full(), 96);
    assert!(contract.iter().all(|(_, steps)| steps.len() <= 4));
}

#[test]
fn a_schedule_switches_off_and_on_again() {
    let run = |schedules: bool| {
        let (mut rates, mut radii) = (BTreeSet::new(), BTreeSet::new());
        for (_, steps) in asked("agrees-over-steps", Scope { schedules, ..stranger() }, 96) {
            let Some((first, later)) = steps.split_first() else { continue };
            for step in later {
                let share = |now: f64, first: f64| ((now / first) * 100.0).round() as i64;
                let of = |case: &Case<f32>| case.base.settings()[0];
                assert_eq!(of(&first.case).0, "learning_rate");
                assert_eq!(first.case.base.settings()[1..], step.case.base.settings()[1..]);
                if of(&first.case).1 > 1e-3 {
                    rates.insert(share(of(&step.case).1, of(&first.case).1));
                }
                for (first, now) in first.case.segments.iter().zip(&step.case.segments) {
                    if first.options.rho > 1e-3 {
                        radii.insert(share(now.options.rho, first.options.rho));
                    }
                }
            }
        }
        (rates, radii)
    };
    assert_eq!(run(true), ([0, 25, 50, 75, 100].into(), [0, 50, 75, 100, 125, 150].into()));
    assert_eq!(run(false), ([100].into(), [100].into()));
}

#[test]
fn the_second_and_the_fourth_step_are_skipped() {
    let mut values = BTreeSet::new();
    let mut whole = 0;
    for (_, steps) in asked("skipped-is-forgotten", stranger(), 192) {
        goes_on(&steps);
        whole += usize::from(steps.len() == 5);
        for (number, Step { case, .. }) in (1..).zip(&steps) {
            assert!(case.segments.iter().all(|s| s.options.is_perturbed));
            let odd = |plane: fn(&Segment<f32>) -> &Vec<f32>| {
                let all = case.segments.iter().flat_map(plane);
                all.filter(|x| !x.is_finite()).map(ToString::to_string).collect::<Vec<_>>()
            };
            let [first, second] = [odd(|s| &s.grads), odd(|s| &s.perturbed_grads)];
            let expected = [usize::from(number == 2), usize::from(number == 4)];
            assert_eq!([first.len(), second.len()], expected, "step {number}");
            values.extend([first, second].concat().into_iter().map(|value| (number, value)));
        }
    }
    assert!(whole > 96, "{whole}");
    let all = ["-inf", "NaN", "inf"].map(str::to_owned);
    let both = [2, 4].into_iter().flat_map(|step| all.clone().map(|value| (step, value)));
    assert_eq!(values, both.collect());
}

#[test]
fn memory_is_fed_with_zeros_until_it_has_died() {
    let judged = asked("memory-dies", Scope::full(), 2);
    for (_, steps) in &judged {
        assert_eq!(steps.len(), 1400);
        for Step { case, .. } in steps {
            assert!(case.segments.iter().all(|s| is_zero(&s.grads) && is_zero(&s.perturbed_grads)));
            assert!(case.segments.iter().all(|s| is_finite(&s.params)));
        }
        let first = &steps[0].case;
        let kept = first.segments.iter().flat_map(|s| s.memory.iter().chain(&s.state));
        assert!(kept.flatten().all(|x| *x == 4.0 * f32::MIN_POSITIVE));
        assert!(first.rule_state.steps > 0 && first.base_steps > 0);
    }
}

/// A parameter that has left the range of squares ends a run, of code that makes a stranger's claims.
#[test]
fn what_diverges_is_followed_no_further() {
    let far = |params: &[f32]| !params.iter().all(|w| w.abs() < (1_u64 << 32) as f32);
    let mut ended = 0;
    for (_, steps) in asked("agrees-over-steps", stranger(), 3072) {
        assert!(steps.iter().all(|step| !step.case.segments.iter().any(|s| far(&s.params))));
        let last = steps.last().into_iter().flat_map(|step| &step.answer.segments);
        ended += usize::from(last.into_iter().any(|s| far(&s.params)));
    }
    assert!(ended > 0);
}

/// The core as code that keeps its memory, forty units in the last place off in first steps or in later ones.
struct Rounds {
    first: bool,
}

impl Backend<f32> for Rounds {
    fn scope(&self) -> Scope {
        Scope { fresh: true, skips: true, ..Scope::of(&[Rule::Sam], &["sgd"]) }
    }

    fn step(&mut self, case: &Case<f32>) -> Result<Answer<f32>, String> {
        let mut answer = Phases(Cpu::plain()).step(case)?;
        if (case.base_steps == 0) == self.first {
            for (from, to) in case.segments.iter().zip(&mut answer.segments) {
                // Where nothing is rounded nothing may be off.
                let moved = from.params.iter().zip(&mut to.params).filter(|(w, to)| *w != *to);
                moved.for_each(|(_, to)| *to *= 1.0 + 40.0 * f32::EPSILON);
            }
        }
        Ok(answer)
    }
}

/// What was rounded in the steps before is in the numbers of the later ones, and in no first step's.
#[test]
fn rounding_is_inherited_from_the_second_step_on() {
    for law in ["agrees-over-steps", "skipped-is-forgotten"] {
        let law = laws::named(law).unwrap();
        let config = Config { cases: 48, seed: 7 };
        check_law::<f32, _>(&mut Rounds { first: false }, &law, config)
            .unwrap_or_else(|failure| panic!("{failure}"));
        assert!(check_law::<f32, _>(&mut Rounds { first: true }, &law, config).is_err());
    }
}
