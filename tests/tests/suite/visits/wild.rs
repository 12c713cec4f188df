//! Visits that differ at random: a step is an error, or every weight that it was shown has stepped once.

use super::{Fault, groups};
use crate::common::{Random, bits};
use presam::{
    Cpu, Error, Form, Planes, PlanesMut, SegmentMut, Segments, Session, Sgd, SgdMomentum, Vasso,
};
use presam_backends::Layer;

const RATE: f32 = 0.125;

/// A list of tensors that does something else to one of them in one visit of three.
struct Wild {
    tensors: Vec<Layer<f32>>,
    random: Random,
    honest: bool,
    /// Leaves out whatever is perturbed.
    hides_perturbed: bool,
    /// How much of each tensor the first visit of a step showed; empty before it.
    shown: Vec<usize>,
}

impl Wild {
    fn below(&mut self, end: usize) -> usize {
        let unit = f64::from(self.random.draw::<f32>()) / 2.0 + 0.5;
        ((unit * end as f64) as usize).min(end - 1)
    }

    /// What this visit shows: tensors and lengths.
    fn list(&mut self) -> Vec<(usize, usize)> {
        let mut list: Vec<_> =
            self.tensors.iter().map(|t| t.own.params.len()).enumerate().collect();
        if self.hides_perturbed {
            list.retain(|(which, _)| !self.tensors[*which].mark.is_perturbed());
        }
        if self.honest || self.below(3) > 0 {
            return list;
        }
        let (at, to) = (self.below(list.len()), self.below(list.len()));
        let faults = [Fault::Hides, Fault::Repeats, Fault::Reorders, Fault::Resizes];
        match faults[self.below(faults.len())] {
            Fault::Hides => drop(list.remove(at)),
            Fault::Repeats => list.insert(to, list[at]),
            Fault::Reorders => list.swap(at, to),
            _ => list[at].1 -= 1,
        }
        list
    }
}

/// The first `n` elements of a tensor.
pub(super) fn cut(tensor: &mut Layer<f32>, n: usize) -> SegmentMut<'_, f32> {
    let own = &mut tensor.own;
    SegmentMut {
        group: 0,
        params: &mut own.params[..n],
        grads: &own.grads[..n],
        perturbed_grads: &own.grads[..n],
        spare: &mut tensor.spare[..n],
        memory: PlanesMut::from([&mut own.memory[0][..n]]),
        inputs: Planes::none(),
        state: PlanesMut::from([&mut own.state[0][..n]]),
        mark: &mut tensor.mark,
    }
}

impl Segments<f32> for Wild {
    fn visit(
        &mut self,
        visitor: &mut dyn FnMut(SegmentMut<'_, f32>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let list = self.list();
        if self.shown.is_empty() {
            self.shown = vec![0; self.tensors.len()];
            list.iter().for_each(|(which, n)| self.shown[*which] = *n);
        }
        list.into_iter().try_for_each(|(which, n)| visitor(cut(&mut self.tensors[which], n)))
    }
}

/// w after `steps` of the base optimizer over the first `n` elements: v = g without momentum.
fn stepped(tensor: &Layer<f32>, before: &[f32], n: usize) -> Vec<u64> {
    let mut after = before.to_vec();
    after.iter_mut().zip(&tensor.own.grads).take(n).for_each(|(w, g)| *w -= RATE * g);
    bits(&after)
}

/// That each weight stands where it stood or where its one step leads; `must` where it must have stepped.
fn none_is_lost(model: &Wild, before: &[Vec<f32>], must: bool, what: &str) {
    for ((tensor, before), shown) in model.tensors.iter().zip(before).zip(&model.shown) {
        let (now, after) = (bits(&tensor.own.params), stepped(tensor, before, *shown));
        let stands = now == after || (!must && now == bits(before));
        assert!(!tensor.mark.is_perturbed() && stands, "{what}");
    }
}

/// After an error: what is perturbed has its backup, no step begins, and a restore brings all back.
fn cured(
    session: &mut Session<f32, Vasso<f32>, SgdMomentum<f32>>,
    model: &mut Wild,
    before: &[Vec<f32>],
    what: &str,
) {
    let perturbed = model.tensors.iter().filter(|t| t.mark.is_perturbed()).count();
    let wild = core::mem::replace(&mut model.honest, true);
    for hides in [true, false] {
        model.hides_perturbed = hides && perturbed > 0;
        if perturbed > 0 {
            let now: Vec<_> = model.tensors.iter().map(|t| bits(&t.own.params)).collect();
            let again = session.step(&groups(), model, |_, _| Ok::<(), Error>(()));
            let refused =
                matches!(again, Err(Error::StillPerturbed { count, .. }) if count == perturbed);
            assert!(refused, "{what}, then {again:?}");
            assert!(model.tensors.iter().map(|t| bits(&t.own.params)).eq(now), "{what}");
        }
    }
    model.hides_perturbed = false;
    assert_eq!(session.restore(model).unwrap(), perturbed, "{what}");
    model.honest = wild;
    none_is_lost(model, before, false, what);
}

#[test]
fn whatever_a_visitor_does_between_two_visits_no_weight_is_lost() {
    let (mut ends, mut left) = ([0; 2], 0);
    for seed in 0..3000 {
        let form = if seed % 3 == 0 { Form::OutOfPlace } else { Form::InPlace };
        let base = Sgd::new(RATE).unwrap().with_momentum(0.0).unwrap();
        let mut session = Session::new(Cpu::plain(), Vasso::default(), base);
        session.form = form;
        let tensors = super::Model::new(None).tensors;
        let random = Random(seed);
        let mut model =
            Wild { tensors, random, honest: false, hides_perturbed: false, shown: Vec::new() };
        for step in 0..3 {
            let before: Vec<Vec<f32>> =
                model.tensors.iter().map(|t| t.own.params.clone()).collect();
            model.shown.clear();
            let (rule, counters) = (session.rule_state.steps, session.base_state.steps);
            let result = session.step(&groups(), &mut model, |_, _| Ok::<(), Error>(()));
            let what = format!("seed {seed}, {form:?}, step {step}: {result:?}");
            ends[usize::from(result.is_ok())] += 1;
            left += usize::from(model.tensors.iter().any(|t| t.mark.is_perturbed()));
            assert!(session.rule_state.steps - rule <= 1, "{what}");
            assert_eq!(session.base_state.steps - counters, u32::from(result.is_ok()), "{what}");
            match result {
                Ok(report) => {
                    assert!(report.descended, "{what}");
                    none_is_lost(&model, &before, true, &what);
                }
                Err(_) => cured(&mut session, &mut model, &before, &what),
            }
        }
    }
    // Both ends occur, and weights that had to be brought back.
    assert!(ends[0] > 3000 && ends[1] > 500 && left > 100, "{ends:?}, {left}");
}
