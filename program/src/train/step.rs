//! [`Stepper`]: one training step of any method over the network's tensors, by the session of the core.

use std::time::{Duration, Instant};

use presam::{AnyBase, AnyVariant, Cpu, Form, LookSam, Outcome, Point, Sam, Session};

use super::health::Change;
use super::model::Model;
use super::network::Network;
use crate::config::{Descent, Plan};
use crate::error::Error;

/// Everything a method keeps from step to step.
pub(super) struct Stepper {
    plan: Plan,
    session: Session<f32, AnyVariant<f32>, AnyBase<f32>>,
    model: Model,
    steps: u32,
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
        let model = Model::new(&network.segments, &variant, &plan.base, params, keeps);
        Self { plan, session, model, steps: 0, looks: false }
    }

    /// The parameters.
    pub fn params(&self) -> &[f32] {
        &self.model.params
    }

    /// The next step with two gradients compares them.
    pub fn look_at_gradients(&mut self) {
        self.looks = true;
    }

    /// One step on the gathered batch at `learning_rate`.
    pub fn step(&mut self, network: &mut Network<'_>, learning_rate: f32) -> Result<Step, Error> {
        self.session.learning_rate = Some(learning_rate);
        let number = self.steps;
        self.steps += 1;
        let clock = Instant::now();
        let step = match self.plan.descent {
            _ if self.plan.variant.is_none() => self.descend_alone(network, None)?,
            Descent::LookSam { interval, look } if !number.is_multiple_of(interval.max(1)) => {
                self.descend_alone(network, Some(look))?
            }
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
            let clock = Instant::now();
            step.perturbation = model.distance(cpu)?;
            step.time = clock.elapsed();
            let loss = network.gradient(&model.perturbed, &mut model.perturbed_grads)?;
            if one_gradient {
                step.loss = loss;
            } else if std::mem::take(looks) {
                let clock = Instant::now();
                step.change = Some(Change::of(&model.grads, &model.perturbed_grads));
                step.time += clock.elapsed();
            }
            Ok(model.mix(cpu, plan.descent)?)
        };
        let report = if one_gradient {
            session.step_with_momentum(&plan.groups, model, &mut gradient)?
        } else {
            session.step(&plan.groups, model, &mut gradient)?
        };
        Ok(Step { descended: report.descended, ..step })
    }
}
