//! Any order of calls on a session: each is an error that leaves parameters, memory, state and counters, or the
//! step that the phases give one by one.

#![no_main]

use libfuzzer_sys::fuzz_target;
use presam::{
    AnyBase, AnyVariant, BaseState, Cpu, Error, Group, Outcome, RuleState, SecondGradient, Session,
};
use presam_backends::Layer;
use presam_backends::layer::{BROKEN, Model};
use presam_backends::phases::Step;
use presam_backends::settings::{self, length_rule, oracle_state};
use presam_conformance::{Answer, Base, Case, LengthRule, Rule};
use presam_fuzz::draw::Draw;
use presam_fuzz::model::{self, gradient, is_left_by, set_gradient};

fuzz_target!(|bytes: &[u8]| {
    let mut draw = Draw::new(bytes);
    let played = Play::new(&mut draw).and_then(|mut play| play.play(&mut draw));
    if let Err(error) = played {
        panic!("{error}");
    }
});

/// A rule of each number of planes, over each base optimizer.
const PAIRS: [(&str, &str); 5] = [
    ("sam", "sgd"),
    ("vasso", "sgd-momentum"),
    ("info-asam", "adamw"),
    ("masked-sam", "sgd-momentum"),
    ("momentum-sam", "sgd-momentum"),
];

/// A trainer.
struct Play {
    session: Session<f32, AnyVariant<f32>, AnyBase<f32>>,
    groups: [Group<f32>; 2],
    model: Model<f32>,
    /// The same in the suite's words.
    rule: Rule,
    base: Base,
    length: LengthRule,
}

/// How a trainer takes a step.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// `step`, the gradient as a closure.
    Closure,
    /// `ascend`, then `descend`.
    Halves,
    /// `step_with_momentum`.
    Momentum,
}

fn base(name: &str) -> Base {
    let (learning_rate, weight_decay) = (0.125, 0.0);
    match name {
        "sgd" => Base::Sgd { learning_rate, weight_decay },
        "adamw" => {
            let (mean_decay, square_decay, denominator_guard) = (0.875, 0.96875, 1e-8);
            Base::AdamW { learning_rate, weight_decay, mean_decay, square_decay, denominator_guard }
        }
        _ => {
            let (momentum, dampening, nesterov) = (0.5, 0.0, false);
            Base::SgdMomentum { learning_rate, weight_decay, momentum, dampening, nesterov }
        }
    }
}

impl Play {
    fn new(draw: &mut Draw<'_>) -> Result<Self, Error> {
        let (rule, name) = draw.pick(&PAIRS);
        let Some(rule) = Rule::from_name(rule) else { unreachable!("a rule of the oracle") };
        let base = base(name);
        let groups = [Group::new(0.25)?, group(draw)?];
        let (variant, optimizer) = (settings::variant(rule)?, settings::base(base)?);
        Ok(Self {
            session: Session::new(Cpu::detect(), variant, optimizer),
            groups,
            model: model::model(draw, [rule.memory(), rule.inputs(), base.planes()]),
            rule,
            base,
            length: LengthRule::NORMALISED,
        })
    }

    /// What the session is about to do with these gradients, as a case.
    fn case(&self, gradients: [&[Vec<f32>]; 2]) -> Case<f32> {
        let [first, second] = gradients;
        let pairs = self.model.tensors.iter().zip(first).zip(second);
        let segments = pairs.map(|((tensor, first), second)| {
            let (grads, perturbed_grads) = (first.clone(), second.clone());
            presam_conformance::Segment { grads, perturbed_grads, ..tensor.own.clone() }
        });
        Case {
            rule: self.rule,
            length: self.length,
            segments: segments.collect(),
            rule_state: oracle_state(self.session.rule_state, self.rule),
            base: self.base,
            base_steps: self.session.base_state.steps.into(),
        }
    }

    /// That step, phase by phase.
    fn phases<'c>(&self, case: &'c Case<f32>, along_momentum: bool) -> Step<'c, f32> {
        let groups = self.model.tensors.iter().map(|tensor| self.groups[tensor.group]).collect();
        let Session { second, loss_scale, .. } = self.session;
        Step { cpu: Cpu::plain(), case, groups, second, loss_scale, along_momentum }
    }

    /// The planes are the answer's, and the counters those given.
    fn stands(&self, answer: &Answer<f32>, rule_state: RuleState<f32>, base_state: BaseState) {
        assert!(is_left_by(&self.model, answer));
        let counters = (self.session.rule_state, self.session.base_state);
        assert_eq!(format!("{counters:?}"), format!("{:?}", (rule_state, base_state)));
    }

    fn play(&mut self, draw: &mut Draw<'_>) -> Result<(), Error> {
        while !draw.is_done() {
            match draw.below(10) {
                0..=2 => self.step(draw, Form::Closure)?,
                3 => self.step(draw, Form::Halves)?,
                4 => self.step(draw, Form::Momentum)?,
                5 => self.dropped(draw)?,
                6 => self.failing_visit(draw),
                7 => self.spoilt_first(draw)?,
                8 => self.spoilt_second(draw)?,
                _ => self.set(draw)?,
            }
        }
        Ok(())
    }

    /// Any values for what a trainer may set; what a constructor or setter refuses is not set.
    fn set(&mut self, draw: &mut Draw<'_>) -> Result<(), Error> {
        let value = draw.setting() as f32;
        let session = &mut self.session;
        match draw.below(7) {
            key @ 0..=1 => {
                let name = ["learning_rate", "weight_decay"][key];
                let base =
                    self.base.map_settings(|key, old| if key == name { value.into() } else { old });
                if let Ok(optimizer) = settings::base(base) {
                    (self.base, session.base) = (base, optimizer);
                }
            }
            2 => {
                let norm_guard = f64::from(draw.setting() as f32);
                let length = LengthRule::Mixed { lambda: value.into(), norm_guard };
                let length = if length_rule::<f32>(length).is_ok() {
                    length
                } else {
                    LengthRule::NORMALISED
                };
                (self.length, session.length) = (length, length_rule(length)?);
            }
            3 => session.loss_scale = if draw.flag() { value } else { 1024.0 },
            4 => {
                let modes = [SecondGradient::Checked, SecondGradient::Unchecked];
                session.second =
                    if draw.flag() { SecondGradient::Clipped(value) } else { draw.pick(&modes) };
            }
            5 => self.groups[1] = group(draw)?,
            _ => session.cpu = draw.pick(&[Cpu::plain(), Cpu::detect(), Cpu::detect().parallel()]),
        }
        Ok(())
    }

    /// Whether a whole step takes one gradient alone.
    fn follows_momentum(&self) -> bool {
        self.rule.name() == "momentum-sam"
    }

    /// What a session refuses before it looks at a model.
    fn is_refused(&self) -> bool {
        let scale = self.session.loss_scale;
        let unscalable = !(scale >= f32::MIN_POSITIVE && scale.is_finite());
        unscalable
            || matches!(self.session.second, SecondGradient::Clipped(most) if most.is_nan() || most <= 0.0)
    }

    /// A whole step against the same step phase by phase.
    fn step(&mut self, draw: &mut Draw<'_>, form: Form) -> Result<(), Error> {
        let follows = form == Form::Closure && self.follows_momentum();
        let along_momentum = form == Form::Momentum || follows;
        let gradients = [gradient(&self.model, draw), gradient(&self.model, draw)];
        let case = self.case([&gradients[0], &gradients[1]]);
        let (rule_state, base_state) = (self.session.rule_state, self.session.base_state);
        let phases = self.phases(&case, along_momentum);
        let result = match form {
            Form::Closure => {
                let mut given = gradients.iter().skip(usize::from(follows));
                self.session.step(&self.groups, &mut self.model, |model, _| {
                    given.next().into_iter().for_each(|gradient| set_gradient(model, gradient));
                    Ok::<(), Error>(())
                })
            }
            Form::Momentum => {
                self.session.step_with_momentum(&self.groups, &mut self.model, |model, _| {
                    set_gradient(model, &gradients[1]);
                    Ok::<(), Error>(())
                })
            }
            Form::Halves => {
                set_gradient(&mut self.model, &gradients[0]);
                self.session.ascend(&self.groups, &mut self.model).and_then(|mut ascended| {
                    set_gradient(ascended.model(), &gradients[1]);
                    ascended.descend()
                })
            }
        };
        if self.is_refused() || (along_momentum && self.base.planes() == 0) {
            assert!(matches!(
                result,
                Err(Error::Hyperparameter { .. } | Error::Planes { planes: "state", .. })
            ));
            self.stands(&Answer::unchanged(&case), rule_state, base_state);
            return Ok(());
        }
        let report = result?;
        let stepped = phases.run()?;
        let right = stepped.report;
        let told = |report: presam::StepReport<f32>| {
            let (ascent, second) = (report.ascent.outcome, report.second);
            (ascent, report.ascent.norm.root.to_bits(), second, report.descended)
        };
        assert!(report.ascent.outcome == Outcome::NonFinite || told(report) == told(right));
        assert_eq!(
            (report.ascent.outcome, report.descended),
            (right.ascent.outcome, right.descended)
        );
        self.stands(&stepped.answer, stepped.rule_state, stepped.base_state);
        Ok(())
    }

    /// An ascent without a descent, and a closure that fails: the memory is renewed, parameters are restored.
    fn dropped(&mut self, draw: &mut Draw<'_>) -> Result<(), Error> {
        let gradient = gradient(&self.model, draw);
        let case = self.case([&gradient, &gradient]);
        let (rule_state, base_state) = (self.session.rule_state, self.session.base_state);
        let phases = self.phases(&case, false);
        let mut answer = Answer::unchanged(&case);
        if draw.flag() || self.follows_momentum() {
            set_gradient(&mut self.model, &gradient);
            drop(self.session.ascend(&self.groups, &mut self.model));
        } else {
            let fails = draw.flag();
            let mut calls = 0;
            let result = self.session.step(&self.groups, &mut self.model, |model, _| {
                set_gradient(model, &gradient);
                calls += 1;
                if calls == 2 || fails { Err(BROKEN) } else { Ok(()) }
            });
            if fails {
                assert_eq!(result.err(), Some(BROKEN));
                self.stands(&answer, rule_state, base_state);
                return Ok(());
            }
        }
        let rule_state = if self.is_refused() { rule_state } else { phases.ascend(&mut answer)?.1 };
        self.stands(&answer, rule_state, base_state);
        Ok(())
    }

    /// A visit that fails somewhere: every parameter is as before, or stepped if the descent had begun.
    fn failing_visit(&mut self, draw: &mut Draw<'_>) {
        let tensors = self.model.tensors.len();
        let gradients = [gradient(&self.model, draw), gradient(&self.model, draw)];
        let (before, counters) = (self.model.clone(), self.session.base_state);
        let after = draw.below(6 * tensors);
        self.model.fails_after = Some(after);
        let mut given = gradients.iter();
        let result = self.session.step(&self.groups, &mut self.model, |model, _| {
            given.next().into_iter().for_each(|gradient| set_gradient(model, gradient));
            Ok::<(), Error>(())
        });
        if self.model.fails_after.take().is_some() {
            return;
        }
        assert_eq!(result.err(), Some(BROKEN));
        assert_eq!(self.session.base_state, counters);
        // Norm, ascent and check, and a restoring visit where something was perturbed.
        assert!(after >= 3 * tensors || self.model.params() == before.params());
    }

    /// A plane of the wrong length, or a group that there is not: refused before anything is written.
    fn spoilt_first(&mut self, draw: &mut Draw<'_>) -> Result<(), Error> {
        let (index, gradient) = (draw.below(self.model.tensors.len()), gradient(&self.model, draw));
        set_gradient(&mut self.model, &gradient);
        let kept = self.model.tensors[index].clone();
        let is_checked = spoil(draw, &mut self.model.tensors[index], &self.groups[kept.group]);
        let case = self.case([&gradient, &gradient]);
        let (rule_state, base_state) = (self.session.rule_state, self.session.base_state);
        let result = self.session.ascend(&self.groups, &mut self.model).map(drop);
        if is_checked && !self.is_refused() {
            let is_named = matches!(result, Err(Error::Length { .. } | Error::UnknownGroup { .. }));
            assert!(is_named, "{result:?}");
        }
        if result.is_err() {
            self.stands(&Answer::unchanged(&case), rule_state, base_state);
        }
        self.model.tensors[index] = kept;
        Ok(())
    }

    /// A second gradient of the wrong length: no step, and parameters are restored.
    fn spoilt_second(&mut self, draw: &mut Draw<'_>) -> Result<(), Error> {
        let index = draw.below(self.model.tensors.len());
        let gradient = gradient(&self.model, draw);
        set_gradient(&mut self.model, &gradient);
        let (before, counters) = (self.model.clone(), self.session.base_state);
        let Ok(mut ascended) = self.session.ascend(&self.groups, &mut self.model) else {
            return Ok(());
        };
        let outcome = ascended.ascent().outcome;
        ascended.model().tensors[index].own.grads.push(0.0);
        let result = ascended.descend();
        assert!(
            outcome == Outcome::NonFinite
                || result
                    == Err(Error::Length {
                        slice: "grads",
                        expected: before.tensors[index].own.params.len(),
                        found: before.tensors[index].own.params.len() + 1,
                    })
        );
        assert!(self.model.params() == before.params());
        assert_eq!(self.session.base_state, counters);
        self.model.tensors[index].own.grads.pop();
        Ok(())
    }
}

/// Any options, with a radius and a weight decay that are within their range.
fn group(draw: &mut Draw<'_>) -> Result<Group<f32>, Error> {
    let mut group = Group::new(draw.pick(&[0.5, 0.0, 3.0]))?;
    group = match draw.below(4) {
        0 => group,
        1 => group.not_counted(),
        2 => group.counted_only(),
        _ => group.not_perturbed(),
    };
    group = if draw.flag() { group.without_operator() } else { group };
    if draw.flag() { group.with_weight_decay(0.125) } else { Ok(group) }
}

/// Makes one thing of a tensor wrong; whether an ascent must see it.
fn spoil(draw: &mut Draw<'_>, tensor: &mut Layer<f32>, group: &Group<f32>) -> bool {
    let longer = draw.flag();
    let resize = |plane: &mut Vec<f32>| {
        if longer {
            plane.push(0.0);
            return true;
        }
        plane.pop().is_some()
    };
    match draw.below(6) {
        0 => resize(&mut tensor.own.grads),
        1 => {
            let remembers = !tensor.own.memory.is_empty() && group.counts_in_norm();
            let is_needed = group.is_perturbed() || remembers;
            resize(&mut tensor.spare) && is_needed
        }
        2 => tensor.own.memory.last_mut().is_some_and(resize),
        3 => tensor.own.inputs.last_mut().is_some_and(resize),
        4 => tensor.own.state.last_mut().is_some_and(resize),
        _ => {
            tensor.group += 2;
            true
        }
    }
}
