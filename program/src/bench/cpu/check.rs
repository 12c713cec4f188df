//! Answers checked in bits before anything is timed: that the phases left no element out and wrote what
//! the rule says. Whether the rule is right is the suite's part.
//!
//! Every number of a share depends on its place alone, so a first step can be taken once more: a few
//! elements at a time, which no vector and no unrolled loop ever takes, by the plain loops.

use presam::{BaseState, Cpu, RuleState, Scale};

use super::shard::Shard;
use super::tensor::{Share, Tensor};
use crate::error::Error;

/// Elements of such a segment.
const FEW: usize = 7;
/// Elements that are made again at a time.
const BLOCK: u64 = 1 << 12;

/// Compares two planes in bits, up to the first difference.
fn same(what: &str, found: &[f32], expected: &[f32], place: usize) -> Result<(), Error> {
    let mut pairs = found.iter().zip(expected).enumerate();
    match pairs.find(|(_, (found, expected))| found.to_bits() != expected.to_bits()) {
        None => Ok(()),
        Some((i, (found, expected))) => {
            let what = format!("{what}[{}]: expected {expected}, found {found}", place + i);
            Err(Error::Wrong(what))
        }
    }
}

impl Shard {
    /// The share before its first step, block by block, each with its tensor and its place in that.
    fn afresh(
        &self,
        look: &mut dyn FnMut(Self, &Tensor, usize) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for (range, tensor) in self.share.pieces.iter().zip(&self.tensors) {
            for start in range.clone().step_by(BLOCK as usize) {
                let block = start..range.end.min(start + BLOCK);
                let tensors = Tensor::new(&block, self.rules.planes()).cut(FEW);
                let few =
                    Self { cpu: Cpu::plain(), rules: self.rules, share: Share::default(), tensors };
                look(few, tensor, (start - range.start) as usize)?;
            }
        }
        Ok(())
    }

    /// The sum of squares of the first norm pass: of a few elements each, added up in f64.
    pub(super) fn sum_plainly(&self) -> Result<f64, Error> {
        let mut sum = 0.0;
        self.afresh(&mut |few, _, _| {
            let total = few.accumulate(RuleState::new())?.total()?;
            sum += f64::from(total.sum) * 2f64.powi(192 * total.class);
            Ok(())
        })?;
        Ok(sum)
    }

    /// After the first ascent and descent: every plane that they wrote.
    pub(super) fn check_first(&self, scale: Scale<f32>) -> Result<(), Error> {
        self.afresh(&mut |mut few, tensor, place| {
            few.ascend(RuleState::new(), scale, false)?;
            few.descend(BaseState::new())?;
            few.tensors.iter().enumerate().try_for_each(|(i, expected)| {
                let place = place + FEW * i;
                tensor.written().zip(expected.written()).try_for_each(
                    |((name, found), (_, expected))| {
                        let found = found.get(place..).unwrap_or_default();
                        same(name, found, expected, place)
                    },
                )
            })
        })
    }

    /// An ascent in place moves the parameters and keeps them; restore brings every bit back.
    pub(super) fn check_in_place(
        &mut self,
        state: RuleState<f32>,
        scale: Scale<f32>,
    ) -> Result<(), Error> {
        let before: Vec<Vec<f32>> = self.tensors.iter().map(|t| t.params.clone()).collect();
        self.ascend_in_place(state, scale)?;
        for (t, before) in self.tensors.iter().zip(&before) {
            same("backup", &t.perturbed, before, 0)?;
        }
        let moved = |(t, before): (&Tensor, &Vec<f32>)| t.params != *before;
        if !self.tensors.iter().zip(&before).any(moved) && !self.tensors.is_empty() {
            return Err(Error::Wrong("the ascent in place moved nothing".into()));
        }
        self.restore()?;
        for (t, before) in self.tensors.iter().zip(&before) {
            same("restored params", &t.params, before, 0)?;
        }
        Ok(())
    }

    /// After the last run: an infinity or a NaN is no work that a trainer would have.
    pub(super) fn check_finite(&self) -> Result<(), Error> {
        let mut planes = self.tensors.iter().flat_map(Tensor::written);
        if planes.any(|(_, plane)| plane.iter().any(|value| !value.is_finite())) {
            return Err(Error::Wrong("a value is not finite after the last run".into()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::shard::{Order, Rules};
    use super::*;
    use crate::bench::{Base, Shape};
    use presam::{DynVariant, LengthRule};

    fn shard(base: Base) -> Shard {
        let shape = Shape { name: "two".into(), tensors: vec![5000, 129] };
        Shard::new(Rules::new("info-sam", base).unwrap(), &shape, 0, 1)
    }

    /// After the first step, and its scale.
    fn stepped(base: Base) -> (Shard, Scale<f32>) {
        let (mut shard, mut state) = (shard(base), RuleState::new());
        let norm = shard.accumulate(state).unwrap();
        let ascent = shard.rules.variant.finish(&norm, &mut state).unwrap();
        let scale = ascent.scale(1.0, LengthRule::NORMALISED).unwrap();
        let state = RuleState::new();
        shard.obey(Order::Ascend { state, scale, turn: false }).unwrap();
        shard.obey(Order::Descend(BaseState::new())).unwrap();
        (shard, scale)
    }

    #[test]
    fn the_plain_sum_agrees_with_the_norm_and_misses_an_element_left_out() {
        let mut shard = shard(Base::SgdMomentum);
        let total = shard.accumulate(RuleState::new()).unwrap().total().unwrap();
        let off = |plain: f64| (plain / f64::from(total.sum) - 1.0).abs();
        assert!(off(shard.sum_plainly().unwrap()) < 1e-6);
        shard.tensors.pop();
        assert!(off(shard.sum_plainly().unwrap()) > 1e-3);
    }

    #[test]
    fn a_single_wrong_bit_of_a_first_step_is_found_in_every_plane() {
        type Plane = (&'static str, fn(&mut Tensor) -> &mut Vec<f32>);
        let planes: [Plane; 5] = [
            ("params", |t| &mut t.params),
            ("perturbed", |t| &mut t.perturbed),
            ("memory", |t| &mut t.memory[0]),
            ("memory", |t| &mut t.memory[1]),
            ("state", |t| t.state.last_mut().unwrap()),
        ];
        for base in Base::ALL {
            let (mut shard, scale) = stepped(base);
            shard.check_first(scale).unwrap();
            for ((name, plane), (tensor, i)) in
                planes.iter().zip([(0, 4999), (1, 128), (0, 4096), (1, 0), (0, 0)])
            {
                let right = plane(&mut shard.tensors[tensor])[i];
                plane(&mut shard.tensors[tensor])[i] = f32::from_bits(right.to_bits() ^ 1);
                let message = shard.check_first(scale).unwrap_err().to_string();
                assert!(message.starts_with(&format!("{name}[{i}]: expected ")), "{message}");
                plane(&mut shard.tensors[tensor])[i] = right;
            }
        }
    }

    #[test]
    fn an_ascent_in_place_that_moves_nothing_is_found() {
        let (mut shard, scale) = stepped(Base::SgdMomentum);
        let state = RuleState::new();
        shard.check_in_place(state, scale).unwrap();
        let still = Scale { scale: 0.0, ..scale };
        let message = shard.check_in_place(state, still).unwrap_err().to_string();
        assert_eq!(message, "the ascent in place moved nothing");
    }

    #[test]
    fn a_value_that_is_not_finite_is_found() {
        let mut shard = shard(Base::SgdMomentum);
        shard.check_finite().unwrap();
        shard.tensors[1].memory[0][7] = f32::NAN;
        assert!(shard.check_finite().is_err());
    }
}
