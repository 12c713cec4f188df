//! [`Stepper`]: one training step of any method over the network's tensors, by the session of the core.

mod local;

use std::time::{Duration, Instant};

use presam::{AnyBase, AnyVariant, Cpu, Form, LookSam, Outcome, Point, Sam, Session};

use super::health::Change;
use super::model::Model;
use super::network::Network;
use super::state::{Aside, Counters, State, of_part};
use crate::config::{Descent, Plan};
use crate::error::Error;

/// Everything a method keeps from step to step.
pub(super) struct Stepper {
    plan: Plan,
    session: Session<f32, AnyVariant<f32>, AnyBase<f32>>,
    model: Model,
    steps: u32,
    /// What the parts behind the first one remember where each perturbs by itself.
    asides: Vec<Aside>,
    /// Whether the next step with two gradients compares them.
    looks: bool,
}

/// What a step did.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Step {
    /// Mean loss of the batch at the unperturbed parameters (at the perturbed ones for one-gradient methods).
    pub loss: f32,
    /// Length of the perturbation; 0 where there was none.
    pub perturbation: f64,
    /// Whether the base optimizer took its step.
    pub descended: bool,
    /// How far the second gradient is from the first, where that was looked at.
    pub change: Option<Change>,
    /// Wall time, without that of measuring perturbation and gradients, which no trainer would do.
    pub time: Duration,
}

impl Stepper {
    /// A stepper at `params`, before its first step.
    pub fn new(plan: Plan, network: &Network<'_>, params: Vec<f32>) -> Self {
        let variant = plan.variant.unwrap_or(Sam::new().into());
        let session = Session {
            form: Form::OutOfPlace,
            length: plan.length,
            ..Session::new(Cpu::detect(), variant, plan.base)
        };
        let keeps = matches!(plan.descent, Descent::LookSam { .. });
        let mut model = Model::new(&network.segments, &variant, &plan.base, params, keeps);
        let others = if plan.micro.is_local() { plan.micro.parts - 1 } else { 0 };
        let aside = Aside { planes: model.nothing_remembered(), rule: session.rule_state };
        Self { plan, session, model, steps: 0, asides: vec![aside; others], looks: false }
    }

    /// The parameters.
    pub fn params(&self) -> &[f32] {
        &self.model.params
    }

    /// The next step, the first of `epoch`, compares its gradients if there are two.
    pub fn begin_epoch(&mut self, epoch: usize) -> Result<(), Error> {
        self.plan.begin_epoch(epoch)?;
        self.looks = true;
        Ok(())
    }

    /// All that it carries from step to step.
    pub fn state(&mut self) -> State {
        let (mut planes, mut rules) = (self.model.planes(), vec![self.session.rule_state]);
        for (part, aside) in self.asides.iter().enumerate() {
            let own = aside.planes.iter().enumerate();
            planes.extend(own.map(|(k, plane)| (of_part(part + 1, k), plane.clone())));
            rules.push(aside.rule);
        }
        let counters = Counters { steps: self.steps, rules, base: self.session.base_state };
        State { planes, counters }
    }

    /// Goes on from a state of the same shape.
    pub fn set_state(&mut self, state: &State) {
        let Counters { steps, rules, base } = &state.counters;
        (self.steps, self.session.base_state) = (*steps, *base);
        self.model.set_planes(&state.planes);
        let others = self.asides.iter_mut().map(|aside| &mut aside.rule);
        for (own, rule) in std::iter::once(&mut self.session.rule_state).chain(others).zip(rules) {
            *own = *rule;
        }
        for (part, aside) in self.asides.iter_mut().enumerate() {
            for (k, plane) in aside.planes.iter_mut().enumerate() {
                if let Some(saved) = state.planes.get(&of_part(part + 1, k)) {
                    plane.clone_from(saved);
                }
            }
        }
    }

    /// One step on the gathered batch at `learning_rate`; the base optimizer's alone unless it `perturbs`.
    pub fn step(
        &mut self,
        network: &mut Network<'_>,
        learning_rate: f32,
        perturbs: bool,
    ) -> Result<Step, Error> {
        self.session.learning_rate = Some(learning_rate);
        let number = self.steps;
        self.steps += u32::from(perturbs);
        let clock = Instant::now();
        let local = self.plan.micro.is_local();
        let step = match self.plan.descent {
            _ if !perturbs || self.plan.variant.is_none() => self.descend_alone(network, None)?,
            Descent::LookSam { interval, look } if !number.is_multiple_of(interval.max(1)) => {
                if local {
                    self.local(network, Some(look))?
                } else {
                    self.descend_alone(network, Some(look))?
                }
            }
            _ if local => self.local(network, None)?,
            _ => self.whole(network)?,
        };
        Ok(Step { time: clock.elapsed().saturating_sub(step.time), ..step })
    }

    /// A step without an ascent: on the gradient as it is, or on what LookSAM makes of it.
    fn descend_alone(
        &mut self,
        network: &mut Network<'_>,
        look: Option<LookSam<f32>>,
    ) -> Result<Step, Error> {
        let Self { session, model, plan, .. } = self;
        let loss = match look {
            None => network.gradient(&model.params, &mut model.perturbed_grads)?,
            Some(look) => {
                let loss = network.gradient(&model.params, &mut model.grads)?;
                model.reuse(session.cpu, look)?;
                loss
            }
        };
        let descended = session.descend(&plan.groups, model)? != Outcome::NonFinite;
        Ok(Step { loss, descended, ..Step::default() })
    }

    /// Ascent, second gradient, mix and descent; `time` is what measuring took.
    fn whole(&mut self, network: &mut Network<'_>) -> Result<Step, Error> {
        let Self { session, model, plan, looks, .. } = self;
        let (cpu, one_gradient) = (session.cpu, plan.is_one_gradient());
        // Without an ascent a one-gradient method takes no gradient: there is no loss.
        let loss = if one_gradient { f32::NAN } else { 0.0 };
        let mut step = Step { loss, ..Step::default() };
        let mut gradient = |model: &mut Model, point| -> Result<(), Error> {
            if point == Point::Params {
                step.loss = network.gradient(&model.params, &mut model.grads)?;
                return Ok(());
            }
            step.second(network, model, cpu, plan, looks)
        };
        let report = session.step(&plan.groups, model, &mut gradient)?;
        if report.descended {
            model.keep_sharp(cpu, plan.descent)?;
        }
        Ok(Step { descended: report.descended, ..step })
    }
}

impl Step {
    /// The second gradient, mixed with the first; `time` becomes what measuring took. Where it `looks`, both are compared
    /// before they are mixed, and the next step does not look again.
    fn second(
        &mut self,
        network: &mut Network<'_>,
        model: &mut Model,
        cpu: Cpu,
        plan: &Plan,
        looks: &mut bool,
    ) -> Result<(), Error> {
        let clock = Instant::now();
        self.perturbation = model.distance(cpu)?;
        self.time = clock.elapsed();
        let loss = network.gradient(&model.perturbed, &mut model.perturbed_grads)?;
        if plan.is_one_gradient() {
            self.loss = loss;
        } else if std::mem::take(looks) {
            let clock = Instant::now();
            self.change = Some(Change::of(&model.grads, &model.perturbed_grads));
            self.time += clock.elapsed();
        }
        Ok(model.mix(cpu, plan.descent)?)
    }
}
