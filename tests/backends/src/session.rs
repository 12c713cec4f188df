//! [`Sessions`]: a whole step by [`Session`].

use crate::layer::Layer;
use crate::settings::{base, base_state, length_rule, rule_state, variant};
use crate::stepped::{Extras, Stepped};
use presam::{AnyReal, Cpu, Error, Form, Mark, Real, Session};
use presam_conformance::{Answer, Backend, Case, Scalar, Scope};

/// Core's session at some level, in place (restored from a backup) or out of place.
#[derive(Clone, Copy, Debug)]
pub struct Sessions {
    /// How the loops run.
    pub cpu: Cpu,
    /// Where the perturbed parameters go.
    pub form: Form,
}

impl Sessions {
    /// In place.
    #[must_use]
    pub const fn in_place(cpu: Cpu) -> Self {
        Self { cpu, form: Form::InPlace }
    }

    /// Out of place.
    #[must_use]
    pub const fn out_of_place(cpu: Cpu) -> Self {
        Self { cpu, form: Form::OutOfPlace }
    }
}

impl<R: AnyReal + Scalar> Backend<R> for Sessions {
    fn scope(&self) -> Scope {
        Scope::full()
    }

    fn step(&mut self, case: &Case<R>) -> Result<Answer<R>, String> {
        let stepped = self.step_with(case, Extras::NONE).map_err(|error| error.to_string())?;
        Ok(stepped.answer)
    }
}

impl Sessions {
    /// One step.
    ///
    /// # Errors
    /// What core refuses.
    pub fn step_with<R: AnyReal + Scalar>(
        self,
        case: &Case<R>,
        extras: Extras,
    ) -> Result<Stepped<R>, Error> {
        let groups = extras.groups(case)?;
        let mut session = Session::new(self.cpu, variant(case.rule)?, base(case.base)?);
        session.form = self.form;
        session.length = length_rule(case.length)?;
        session.second = extras.second();
        session.loss_scale = Real::from_f64(extras.loss_scale);
        session.rule_state = rule_state(case);
        session.base_state = base_state(case);
        let mut answer = Answer::unchanged(case);
        let segments = case.segments.iter().cloned().enumerate();
        let mut model: Vec<Layer<R>> = segments
            .map(|(group, own)| {
                let (spare, mark) = (own.params.clone(), Mark::default());
                Layer { group, own, spare, mark, one_gradient: false }
            })
            .collect();

        let mut ascended = session.ascend(&groups, &mut model[..])?;
        for (tensor, to) in ascended.model().iter().zip(&mut answer.segments) {
            let is_out = self.form == Form::OutOfPlace && tensor.own.options.is_perturbed;
            to.perturbed.clone_from(if is_out { &tensor.spare } else { &tensor.own.params });
        }
        let report = ascended.descend()?;

        for (tensor, to) in model.into_iter().zip(&mut answer.segments) {
            to.params = tensor.own.params;
            to.memory = tensor.own.memory;
            to.state = tensor.own.state;
        }
        Ok(Stepped::told(case, answer, report, (session.rule_state, session.base_state)))
    }
}
