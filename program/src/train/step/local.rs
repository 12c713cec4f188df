//! The local perturbation (m-SAM): each part of a batch perturbs by a gradient of its own.
//!
//! ```text
//! g~ = sum_p (n_p / n) g_p(w + perturbation(g_p(w)))
//! ```
//!
//! A part has memory and counters of its own, as a process of its own has. Source: Foret et al. 2021 (arXiv 2010.01412),
//! m-sharpness.

use presam::{LookSam, Outcome, PartialNorm};

use super::{Step, Stepper};
use crate::error::Error;
use crate::train::network::Network;
use crate::train::pieces::Pieces;

impl Stepper {
    /// A step whose parts perturb one after the other; `look` is there where they reuse LookSAM's g_v instead.
    pub(super) fn local(
        &mut self,
        network: &mut Network<'_>,
        look: Option<LookSam<f32>>,
    ) -> Result<Step, Error> {
        let (all, ranks) = (network.len(), network.ranks());
        let mut pieces = Pieces::default();
        let mut step = Step::default();
        let parts = network.parts(self.plan.micro.parts).into_iter().enumerate();
        for (number, part) in parts.filter(|(number, _)| ranks.takes(*number)) {
            let weight = part.len() as f32 / all as f32;
            network.choose(Some(part));
            self.take_turns(number);
            let own = self.on_part(network, look);
            self.take_turns(number);
            let own = own?;
            pieces.push(weight, own.loss, &self.model.perturbed_grads);
            step.perturbation += f64::from(weight) * own.perturbation;
            step.time += own.time;
            step.change = step.change.or(own.change);
        }
        network.choose(None);
        let Self { session, model, plan, .. } = self;
        step.loss = pieces.of_all(ranks).sum_into(&mut model.perturbed_grads);
        step.descended = session.descend(&plan.groups, model)? != Outcome::NonFinite;
        if !step.descended {
            step.perturbation = 0.0;
        }
        Ok(step)
    }

    /// Both gradients of one part, the second one mixed and not yet descended with.
    fn on_part(
        &mut self,
        network: &mut Network<'_>,
        look: Option<LookSam<f32>>,
    ) -> Result<Step, Error> {
        let Self { session, model, plan, looks, .. } = self;
        let (cpu, one_gradient) = (session.cpu, plan.is_one_gradient());
        let mut step = Step::default();
        if !one_gradient {
            step.loss = network.gradient(&model.params, &mut model.grads)?;
        }
        if let Some(look) = look {
            model.reuse(cpu, look)?;
            return Ok(step);
        }
        let mut ascended = if one_gradient {
            session.ascend_with_momentum(&plan.groups, model)?
        } else {
            session.ascend(&plan.groups, model)?
        };
        if ascended.ascent().outcome == Outcome::NonFinite {
            // One part without a gradient spoils the mean: nobody descends.
            step.loss = f32::NAN;
            ascended.model().perturbed_grads.fill(f32::NAN);
        } else {
            step.second(network, ascended.model(), cpu, plan, looks)?;
            // Before the next part's gradients are there; of the step, which is judged as a whole, it is not known yet
            // whether it is taken.
            let model = ascended.model();
            let mut second = PartialNorm::new();
            cpu.accumulate_gradient(1.0, &model.perturbed_grads, &mut second)?;
            if second.total()?.sum.is_finite() {
                model.keep_sharp(cpu, plan.descent)?;
            }
        }
        Ok(step)
    }

    /// Exchanges what the session remembers with what part `number` does; the first part's is the session's own.
    fn take_turns(&mut self, number: usize) {
        let Some(aside) = number.checked_sub(1).and_then(|index| self.asides.get_mut(index)) else {
            return;
        };
        std::mem::swap(&mut self.session.rule_state, &mut aside.rule);
        self.model.exchange(&mut aside.planes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Options, Plan, resolve};
    use crate::data::Dataset;
    use crate::train::state::KEPT;
    use presam_model::Mlp;

    const WIDTHS: [usize; 2] = [2, 3];

    fn data() -> Dataset {
        let inputs = (0..14).map(|k| ((7 * k) % 5) as f32 / 4.0 - 0.5).collect();
        let labels = vec![0, 1, 2, 1, 0, 2, 2];
        Dataset { inputs, labels, features: 2, classes: 3, name: "seven".to_owned() }
    }

    /// The formula at the head of this file, in f64 but for the network's own gradients.
    #[test]
    fn a_step_is_the_mean_over_parts_that_each_perturbed_by_itself() {
        let toml = "methods = [\"sam\"]\nparts = 3\nperturb = \"local\"\nrho = 0.3\n\
                    [set.base]\nmomentum = 0\nweight_decay = 0\n";
        let config = resolve(Options::parse("test", toml).unwrap()).unwrap();
        let plan = Plan::new(&config, "sam", None, None).unwrap();
        let mut network = Network::new(&WIDTHS, 7).unwrap();
        let (data, all) = (data(), [6, 5, 4, 3, 2, 1, 0]);
        network.gather(&data, &data.labels, &all);
        let count = Mlp::new(&WIDTHS).unwrap().param_count();
        let params: Vec<f32> = (0..count).map(|k| (k as f32 * 0.37).sin()).collect();
        let mut expected: Vec<f64> = params.iter().map(|&param| param.into()).collect();
        let (mut grads, mut second) = (vec![0.0; count], vec![0.0; count]);
        for part in [0..2, 2..4, 4..7] {
            let share = part.len() as f64 / 7.0;
            network.choose(Some(part));
            network.gradient(&params, &mut grads).unwrap();
            let norm = grads.iter().map(|&grad| f64::from(grad).powi(2)).sum::<f64>().sqrt();
            let moved = |(param, grad): (&f32, &f32)| {
                (f64::from(*param) + 0.3 * f64::from(*grad) / norm) as f32
            };
            let moved: Vec<f32> = params.iter().zip(&grads).map(moved).collect();
            network.gradient(&moved, &mut second).unwrap();
            for (expected, grad) in expected.iter_mut().zip(&second) {
                *expected -= 0.5 * share * f64::from(*grad);
            }
        }
        network.gather(&data, &data.labels, &all);
        let mut stepper = Stepper::new(plan, &network, params);
        let step = stepper.step(&mut network, 0.5, true).unwrap();
        assert!(step.descended && (step.perturbation - 0.3).abs() < 1e-6);
        for (found, expected) in stepper.params().iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-6, "{found} is not {expected}");
        }
    }

    /// A radius that takes a deep network beyond the range: no part has a second gradient.
    #[test]
    fn look_sam_keeps_nothing_of_a_second_gradient_that_is_not_finite() {
        let toml = "methods = [\"look-sam\"]\nparts = 2\nperturb = \"local\"\nrho = 2e9\n";
        let plan = |toml: &str| {
            let config = resolve(Options::parse("test", toml).unwrap()).unwrap();
            Plan::new(&config, "look-sam", None, None).unwrap()
        };
        let widths = [2, 8, 8, 8, 8, 8, 3];
        let mut network = Network::new(&widths, 7).unwrap();
        let data = data();
        network.gather(&data, &data.labels, &[0, 1, 2, 3, 4, 5, 6]);
        let count = Mlp::new(&widths).unwrap().param_count();
        let params: Vec<f32> = (0..count).map(|k| (k as f32 * 0.37).sin()).collect();
        let mut kept = |toml: &str| {
            let mut stepper = Stepper::new(plan(toml), &network, params.clone());
            let step = stepper.step(&mut network, 0.5, true).unwrap();
            let planes = stepper.state().planes;
            (step.descended, planes[KEPT].iter().map(|kept| kept.to_bits()).max())
        };
        assert_eq!(kept(toml), (false, Some(0)));
        assert!(kept(&toml.replace("2e9", "0.1")) > (true, Some(0)));
    }
}
