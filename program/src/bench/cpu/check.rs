//! Answers checked element by element, by the rules' own expressions, before anything is timed: that the
//! phases left no element out and wrote what the formula says. Whether the formula is right is the suite's part.

use presam::{
    AscentRule, BaseOptimizer, BaseState, DescentRule, Element, Real, RuleState, Scale, Variant,
};

use super::shard::Planes;
use super::tensor::Tensor;
use crate::bench::{Base, BenchError};
use presam_backends::planes::slices;

/// Compares one value in bits.
fn same(what: &str, i: usize, found: f32, expected: f32) -> Result<(), BenchError> {
    if found.to_bits() == expected.to_bits() {
        return Ok(());
    }
    Err(BenchError::Wrong(format!("{what}[{i}]: expected {expected}, found {found}")))
}

/// Compares two planes in bits, up to the first difference.
fn same_plane(what: &str, found: &[f32], expected: &[f32]) -> Result<(), BenchError> {
    let pairs = found.iter().zip(expected).enumerate();
    pairs.into_iter().try_for_each(|(i, (found, expected))| same(what, i, *found, *expected))
}

impl Tensor {
    /// What a rule sees of element `i`, with memory as given.
    fn element<const M: usize, const I: usize>(
        &self,
        i: usize,
        memory: [f32; M],
    ) -> Element<f32, M, I> {
        let inputs = slices(&self.inputs).map(|plane| plane[i]);
        Element { param: self.params[i], grad: self.grads[i], memory, inputs }
    }
}

impl<V: Variant<f32, M, I>, const M: usize, const I: usize> Planes<V, M, I> {
    /// The sum of squares of the norm terms in f64, one addition after the other.
    pub(super) fn sum_plainly(&self, state: RuleState<f32>) -> f64 {
        let rule = self.variant.arm(&state);
        let mut sum = 0.0;
        for t in &self.tensors {
            for i in 0..t.params.len() {
                let memory = slices(&t.memory).map(|plane| plane[i]);
                sum += f64::from(rule.norm_term(t.element(i, memory))).powi(2);
            }
        }
        sum
    }

    /// After an ascent from fresh planes, whose memory was 0: the perturbed point and the memory.
    pub(super) fn check_first_ascent(
        &self,
        state: RuleState<f32>,
        scale: Scale<f32>,
    ) -> Result<(), BenchError> {
        let rule = self.variant.arm(&state);
        for t in &self.tensors {
            for i in 0..t.params.len() {
                let e = t.element(i, [0.0; M]);
                let moved = (rule.direction(e) * scale.prescale) * scale.scale;
                same("perturbed", i, t.perturbed[i], e.param + moved)?;
                for (plane, expected) in t.memory.iter().zip(rule.remember(e)) {
                    same("memory", i, plane[i], expected.flush())?;
                }
            }
        }
        Ok(())
    }

    /// An ascent in place moves the parameters and keeps them; restore brings every bit back.
    pub(super) fn check_in_place(
        &mut self,
        state: RuleState<f32>,
        scale: Scale<f32>,
    ) -> Result<(), BenchError> {
        let before: Vec<Vec<f32>> = self.tensors.iter().map(|t| t.params.clone()).collect();
        self.ascend_in_place(state, scale)?;
        for (t, before) in self.tensors.iter().zip(&before) {
            same_plane("backup", &t.perturbed, before)?;
        }
        let moved = |(t, before): (&Tensor, &Vec<f32>)| t.params != *before;
        if !self.tensors.iter().zip(&before).any(moved) && !self.tensors.is_empty() {
            return Err(BenchError::Wrong("the ascent in place moved nothing".into()));
        }
        self.restore()?;
        for (t, before) in self.tensors.iter().zip(&before) {
            same_plane("restored params", &t.params, before)?;
        }
        Ok(())
    }

    /// A first descent, from a state of zeros, which AdamW is given here.
    pub(super) fn check_first_descent(&mut self, base: Base) -> Result<(), BenchError> {
        let before: Vec<Vec<f32>> = self.tensors.iter().map(|t| t.params.clone()).collect();
        if base == Base::AdamW {
            for t in &mut self.tensors {
                t.momentum.fill(0.0);
                t.second = vec![0.0; t.params.len()];
            }
        }
        self.descend(base, BaseState::new())?;
        self.compare_descent(base, &before)
    }

    /// Every parameter and its state against the rule's own expression.
    fn compare_descent(&self, base: Base, before: &[Vec<f32>]) -> Result<(), BenchError> {
        let state = BaseState::new();
        let (sgd, adamw) = (self.sgd.arm(&state), self.adamw.arm(&state));
        for (t, before) in self.tensors.iter().zip(before) {
            // The gradients have changed places since.
            for (i, (param, grad)) in before.iter().zip(&t.grads).enumerate() {
                let (param, momentum) = match base {
                    Base::SgdMomentum => {
                        let (param, [momentum]) = sgd.update(*param, *grad, [0.0]);
                        (param, momentum)
                    }
                    Base::AdamW => {
                        let (param, [momentum, second]) = adamw.update(*param, *grad, [0.0; 2]);
                        same("second moment", i, t.second[i], second)?;
                        (param, momentum)
                    }
                };
                same("params", i, t.params[i], param)?;
                same("momentum", i, t.momentum[i], momentum)?;
            }
        }
        Ok(())
    }

    /// After the last run: an infinity or a NaN is no work that a trainer would have.
    pub(super) fn check_finite(&self) -> Result<(), BenchError> {
        for t in &self.tensors {
            let planes = [&t.params, &t.perturbed, &t.momentum].into_iter().chain(&t.memory);
            if planes.flatten().any(|value| !value.is_finite()) {
                return Err(BenchError::Wrong("a value is not finite after the last run".into()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::shard::{Order, Shard};
    use super::*;
    use crate::bench::Shape;
    use presam::{Ascent, InfoSam, LengthRule, finish};

    fn planes() -> Planes<InfoSam<f32>, 2, 0> {
        let shape = Shape { name: "two".into(), tensors: vec![3000, 129] };
        Planes::new(InfoSam::default(), "info-sam", &shape, 0, 1).unwrap()
    }

    fn ascended() -> (Planes<InfoSam<f32>, 2, 0>, RuleState<f32>, Scale<f32>) {
        let (mut planes, first) = (planes(), RuleState::new());
        let norm = planes.obey(Order::Accumulate(first)).unwrap().norm;
        let mut state = first;
        let ascent: Ascent<f32> = finish(planes.variant, &norm, &mut state).unwrap();
        let scale = ascent.scale(1.0, LengthRule::NORMALISED).unwrap();
        planes.obey(Order::Ascend { state: first, scale, turn: false }).unwrap();
        (planes, first, scale)
    }

    #[test]
    fn the_plain_sum_agrees_with_the_norm_and_misses_an_element_left_out() {
        let planes = planes();
        let total = {
            let mut planes = self::planes();
            planes.obey(Order::Accumulate(RuleState::new())).unwrap().norm.total().unwrap()
        };
        let plain = planes.sum_plainly(RuleState::new());
        assert!((plain / f64::from(total.sum) - 1.0).abs() < 1e-5);
        let mut short = self::planes();
        short.tensors.pop();
        assert!((short.sum_plainly(RuleState::new()) / f64::from(total.sum) - 1.0).abs() > 1e-3);
    }

    #[test]
    fn a_single_wrong_bit_of_an_ascent_is_found() {
        let (mut planes, state, scale) = ascended();
        planes.check_first_ascent(state, scale).unwrap();
        let value = &mut planes.tensors[1].memory[0][128];
        *value = f32::from_bits(value.to_bits() ^ 1);
        let message = planes.check_first_ascent(state, scale).unwrap_err().to_string();
        assert!(message.starts_with("memory[128]: expected "), "{message}");
        let (mut planes, state, scale) = ascended();
        planes.tensors[0].perturbed[2999] = 0.0;
        let message = planes.check_first_ascent(state, scale).unwrap_err().to_string();
        assert!(message.starts_with("perturbed[2999]: expected "), "{message}");
    }

    #[test]
    fn an_ascent_in_place_that_moves_nothing_is_found() {
        let (mut planes, state, scale) = ascended();
        planes.check_in_place(state, scale).unwrap();
        let still = Scale { scale: 0.0, ..scale };
        let message = planes.check_in_place(state, still).unwrap_err().to_string();
        assert_eq!(message, "the ascent in place moved nothing");
    }

    #[test]
    fn a_descent_that_leaves_out_an_element_is_found() {
        for base in Base::ALL {
            let mut planes = planes();
            let before: Vec<Vec<f32>> = planes.tensors.iter().map(|t| t.params.clone()).collect();
            planes.check_first_descent(base).unwrap();
            planes.tensors[1].params[128] = before[1][128];
            let message = planes.compare_descent(base, &before).unwrap_err().to_string();
            assert!(message.starts_with("params[128]: expected "), "{message}");
        }
    }

    #[test]
    fn a_value_that_is_not_finite_is_found() {
        let mut planes = planes();
        planes.check_finite().unwrap();
        planes.tensors[1].memory[0][7] = f32::NAN;
        assert!(planes.check_finite().is_err());
    }
}
