//! Any order of calls on a session: each is an error that leaves parameters, memory, state and counters, or the
//! step that the phases give one by one.

#![no_main]

use libfuzzer_sys::fuzz_target;
use presam::{
    AdamW, BaseOptimizer, Cpu, DynBase, DynVariant, Error, Group, InfoAsam, LengthRule, MaskedSam,
    MomentumSam, Outcome, Sam, SecondGradient, Session, Sgd, Variant, Vasso,
};
use presam_fuzz::draw::Draw;
use presam_fuzz::model::{BROKEN, Model, Tensor, ascended, descended};

fuzz_target!(|bytes: &[u8]| {
    let mut draw = Draw::new(bytes);
    if let Err(error) = any(&mut draw) {
        panic!("{error}");
    }
});

fn any(draw: &mut Draw<'_>) -> Result<(), Error> {
    let sgd = Sgd::new(0.125)?;
    let momentum = sgd.with_momentum(0.5)?;
    match draw.below(5) {
        0 => Play::<_, _, 0, 0, 0>::new(draw, Sam::new(), sgd)?.play(draw),
        1 => Play::<_, _, 1, 0, 1>::new(draw, Vasso::default(), momentum)?.play(draw),
        2 => Play::<_, _, 2, 0, 2>::new(draw, InfoAsam::default(), AdamW::new(0.125)?)?.play(draw),
        3 => Play::<_, _, 0, 1, 1>::new(draw, MaskedSam::new(), momentum)?.play(draw),
        _ => Play::<_, _, 0, 0, 1>::new(draw, MomentumSam::new(), momentum)?.play(draw),
    }
}

/// A trainer.
struct Play<V, B, const M: usize, const I: usize, const S: usize> {
    session: Session<f32, V, B>,
    groups: [Group<f32>; 2],
    model: Model<M, I, S>,
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

impl<V, B, const M: usize, const I: usize, const S: usize> Play<V, B, M, I, S>
where
    V: Variant<f32, M, I> + DynVariant<f32> + Clone,
    B: BaseOptimizer<f32, S> + DynBase<f32>,
{
    fn new(draw: &mut Draw<'_>, variant: V, base: B) -> Result<Self, Error> {
        let groups = [Group::new(0.25)?, group(draw)?];
        Ok(Self {
            session: Session::new(Cpu::detect(), variant, base),
            groups,
            model: Model::new(draw),
        })
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
            0 => session.base = session.base.with_learning_rate(value).unwrap_or(session.base),
            1 => session.base = session.base.with_weight_decay(value).unwrap_or(session.base),
            2 => {
                session.length = LengthRule::mixed(value, draw.setting() as f32).unwrap_or_default()
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

    /// What a session refuses before it looks at a model.
    fn is_refused(&self) -> bool {
        let scale = self.session.loss_scale;
        let unscalable = !(scale >= f32::MIN_POSITIVE && scale.is_finite());
        unscalable
            || matches!(self.session.second, SecondGradient::Clipped(most) if most.is_nan() || most <= 0.0)
    }

    /// A whole step against the same step phase by phase.
    fn step(&mut self, draw: &mut Draw<'_>, form: Form) -> Result<(), Error> {
        let along_momentum = form == Form::Momentum;
        let gradients = [self.model.gradient(draw), self.model.gradient(draw)];
        let (mut session, mut expected) = (self.session.clone(), self.model.clone());
        let result = match form {
            Form::Closure => {
                let mut given = gradients.iter();
                self.session.step(&self.groups, &mut self.model, |model, _| {
                    given.next().into_iter().for_each(|gradient| model.set_gradient(gradient));
                    Ok::<(), Error>(())
                })
            }
            Form::Momentum => {
                self.session.step_with_momentum(&self.groups, &mut self.model, |model, _| {
                    model.set_gradient(&gradients[1]);
                    Ok::<(), Error>(())
                })
            }
            Form::Halves => {
                self.model.set_gradient(&gradients[0]);
                self.session.ascend(&self.groups, &mut self.model).and_then(|mut ascended| {
                    ascended.model().set_gradient(&gradients[1]);
                    ascended.descend()
                })
            }
        };
        if self.is_refused() || (along_momentum && S == 0) {
            assert!(matches!(
                result,
                Err(Error::Hyperparameter { .. } | Error::Planes { planes: "state", .. })
            ));
            return self.unchanged(&session, &expected);
        }
        let report = result?;
        let restored = expected.clone();
        expected.set_gradient(&gradients[0]);
        let ascent = ascended(&mut session, &self.groups, &mut expected, along_momentum)?;
        restore(&mut expected, &restored);
        expected.set_gradient(&gradients[1]);
        let right = descended(&mut session, &self.groups, &mut expected, ascent)?;
        let told = |report: presam::StepReport<f32>| {
            let (ascent, second) = (report.ascent.outcome, report.second);
            (ascent, report.ascent.norm.root.to_bits(), second, report.descended)
        };
        assert!(report.ascent.outcome == Outcome::NonFinite || told(report) == told(right));
        assert_eq!(
            (report.ascent.outcome, report.descended),
            (right.ascent.outcome, right.descended)
        );
        self.unchanged(&session, &expected)
    }

    /// The counters and planes are those given.
    fn unchanged(&self, session: &Session<f32, V, B>, model: &Model<M, I, S>) -> Result<(), Error> {
        assert!(self.model.same_planes(model));
        let counters = |session: &Session<f32, V, B>| {
            format!("{:?} {:?}", session.rule_state, session.base_state)
        };
        assert_eq!(counters(&self.session), counters(session));
        Ok(())
    }

    /// An ascent without a descent, and a closure that fails: the memory is renewed, parameters are restored.
    fn dropped(&mut self, draw: &mut Draw<'_>) -> Result<(), Error> {
        let gradient = self.model.gradient(draw);
        let (mut session, mut expected) = (self.session.clone(), self.model.clone());
        if draw.flag() {
            self.model.set_gradient(&gradient);
            drop(self.session.ascend(&self.groups, &mut self.model));
        } else {
            let fails = draw.flag();
            let mut calls = 0;
            let result = self.session.step(&self.groups, &mut self.model, |model, _| {
                model.set_gradient(&gradient);
                calls += 1;
                if calls == 2 || fails { Err(BROKEN) } else { Ok(()) }
            });
            if fails {
                assert_eq!(result.err(), Some(BROKEN));
                return self.unchanged(&session, &expected);
            }
        }
        if !self.is_refused() {
            let restored = expected.clone();
            expected.set_gradient(&gradient);
            ascended(&mut session, &self.groups, &mut expected, false)?;
            restore(&mut expected, &restored);
        }
        self.unchanged(&session, &expected)
    }

    /// A visit that fails somewhere: every parameter is as before, or stepped if the descent had begun.
    fn failing_visit(&mut self, draw: &mut Draw<'_>) {
        let tensors = self.model.tensors.len();
        let gradients = [self.model.gradient(draw), self.model.gradient(draw)];
        let (before, counters) = (self.model.clone(), self.session.base_state);
        let after = draw.below(6 * tensors);
        self.model.fails_after = Some(after);
        let mut given = gradients.iter();
        let result = self.session.step(&self.groups, &mut self.model, |model, _| {
            given.next().into_iter().for_each(|gradient| model.set_gradient(gradient));
            Ok::<(), Error>(())
        });
        if self.model.fails_after.take().is_some() {
            return;
        }
        assert_eq!(result.err(), Some(BROKEN));
        assert_eq!(self.session.base_state, counters);
        // Norm, ascent and check, and a restoring visit where something was perturbed.
        assert!(after >= 3 * tensors || self.model.same_params(&before));
    }

    /// A plane of the wrong length, or a group that there is not: refused before anything is written.
    fn spoilt_first(&mut self, draw: &mut Draw<'_>) -> Result<(), Error> {
        let (index, gradient) = (draw.below(self.model.tensors.len()), self.model.gradient(draw));
        self.model.set_gradient(&gradient);
        let kept = self.model.tensors[index].clone();
        let is_checked = spoil(draw, &mut self.model.tensors[index], &self.groups[kept.group]);
        let (session, before) = (self.session.clone(), self.model.clone());
        let result = self.session.ascend(&self.groups, &mut self.model).map(drop);
        if is_checked && !self.is_refused() {
            let is_named = matches!(result, Err(Error::Length { .. } | Error::UnknownGroup { .. }));
            assert!(is_named, "{result:?}");
        }
        if result.is_err() {
            self.unchanged(&session, &before)?;
        }
        self.model.tensors[index] = kept;
        Ok(())
    }

    /// A second gradient of the wrong length: no step, and parameters are restored.
    fn spoilt_second(&mut self, draw: &mut Draw<'_>) -> Result<(), Error> {
        let index = draw.below(self.model.tensors.len());
        let gradient = self.model.gradient(draw);
        self.model.set_gradient(&gradient);
        let (before, counters) = (self.model.clone(), self.session.base_state);
        let Ok(mut ascended) = self.session.ascend(&self.groups, &mut self.model) else {
            return Ok(());
        };
        let outcome = ascended.ascent().outcome;
        ascended.model().tensors[index].grads.push(0.0);
        let result = ascended.descend();
        assert!(
            outcome == Outcome::NonFinite
                || result
                    == Err(Error::Length {
                        slice: "grads",
                        expected: before.tensors[index].params.len(),
                        found: before.tensors[index].params.len() + 1,
                    })
        );
        assert!(self.model.same_params(&before));
        assert_eq!(self.session.base_state, counters);
        self.model.tensors[index].grads.pop();
        Ok(())
    }
}

fn restore<const M: usize, const I: usize, const S: usize>(
    model: &mut Model<M, I, S>,
    before: &Model<M, I, S>,
) {
    let pairs = model.tensors.iter_mut().zip(&before.tensors);
    pairs.for_each(|(tensor, before)| tensor.params.clone_from(&before.params));
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
fn spoil<const M: usize, const I: usize, const S: usize>(
    draw: &mut Draw<'_>,
    tensor: &mut Tensor<M, I, S>,
    group: &Group<f32>,
) -> bool {
    let longer = draw.flag();
    let resize = |plane: &mut Vec<f32>| {
        if longer {
            plane.push(0.0);
            return true;
        }
        plane.pop().is_some()
    };
    match draw.below(6) {
        0 => resize(&mut tensor.grads),
        1 => {
            let is_needed = group.is_perturbed() || (M > 0 && group.counts_in_norm());
            resize(&mut tensor.spare) && is_needed
        }
        2 => tensor.memory.last_mut().is_some_and(resize),
        3 => tensor.inputs.last_mut().is_some_and(resize),
        4 => tensor.state.last_mut().is_some_and(resize),
        _ => {
            tensor.group += 2;
            true
        }
    }
}
