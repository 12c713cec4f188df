//! [`Sessions`]: a whole step by [`Session`], in place.

use crate::backend;
use crate::{Job, base_state, group, length_rule, oracle_state, outcome, rule_state, sgd_momentum};
use presam::{Cpu, Error, Real, SegmentMut, Segments, Session, Variant};
use presam_conformance::{Answer, Case, Scalar, Segment};

/// Core's session at some level: perturbs in place, restores from a backup. Every rule over SGD with
/// momentum; the other base optimizers are the same code, and `base.rs` runs them.
#[derive(Clone, Copy, Debug)]
pub struct Sessions(pub Cpu);

backend!(Sessions, ["sgd-momentum"]);

/// The case's segments with their buffers.
struct Model<R> {
    tensors: Vec<(Segment<R>, Vec<R>)>,
}

impl<R: Real + Scalar, const M: usize, const I: usize, const S: usize> Segments<R, M, I, S>
    for Model<R>
{
    fn visit(
        &mut self,
        visitor: &mut dyn FnMut(SegmentMut<'_, R, M, I, S>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for (group, (tensor, backup)) in self.tensors.iter_mut().enumerate() {
            let (mut memory, mut state) = (tensor.memory.iter_mut(), tensor.state.iter_mut());
            let inputs = &tensor.inputs;
            visitor(SegmentMut {
                group,
                params: &mut tensor.params,
                grads: &tensor.grads,
                backup,
                memory: std::array::from_fn(|_| {
                    memory.next().map_or(&mut [][..], Vec::as_mut_slice)
                }),
                inputs: std::array::from_fn(|i| inputs.get(i).map_or(&[][..], Vec::as_slice)),
                state: std::array::from_fn(|_| state.next().map_or(&mut [][..], Vec::as_mut_slice)),
            })?;
        }
        Ok(())
    }
}

impl<R: Real + Scalar> Job<R> for Sessions {
    fn run<V, const M: usize, const I: usize>(
        &self,
        case: &Case<R>,
        variant: V,
    ) -> Result<Answer<R>, Error>
    where
        V: Variant<R, M, I>,
    {
        let base = sgd_momentum(case)?;
        let groups: Vec<_> =
            case.segments.iter().map(|s| group(s.options)).collect::<Result<_, _>>()?;
        let tensors =
            case.segments.iter().map(|s| (s.clone(), vec![R::ZERO; s.params.len()])).collect();
        let mut model = Model { tensors };
        let mut session = Session::new(self.0, variant, base);
        session.length = length_rule(case)?;
        session.rule_state = rule_state(case);
        session.base_state = base_state(case);
        let mut answer = Answer::unchanged(case);

        let mut ascended = session.ascend(&groups, &mut model)?;
        answer.outcome = outcome(ascended.ascent().outcome);
        for ((tensor, _), to) in ascended.model().tensors.iter_mut().zip(&mut answer.segments) {
            to.perturbed.clone_from(&tensor.params);
            tensor.grads.clone_from(&tensor.perturbed_grads);
        }
        ascended.descend()?;

        answer.rule_state = oracle_state(session.rule_state, case.rule);
        answer.base_steps = u64::from(session.base_state.steps);
        for ((tensor, _), to) in model.tensors.into_iter().zip(&mut answer.segments) {
            to.params = tensor.params;
            to.memory = tensor.memory;
            to.state = tensor.state;
        }
        Ok(answer)
    }
}
