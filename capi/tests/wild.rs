//! A caller who hides, repeats, reorders or resizes tensors at random between any two calls: no step is well while a
//! weight is neither restored nor stepped, and whatever stays perturbed is named before anything else moves.

#![allow(unsafe_code, clippy::unwrap_used, reason = "C's functions; a test fails by panicking")]

mod common;

use common::trial::{ok, told};
use common::{Api, Held, Planes, Seeded, group};
use presam::{AnyBase, AnyVariant};
use presam_capi::*;

const RATE: f64 = 0.125;
const LENGTHS: [usize; 4] = [5, 3, 4, 6];
/// The second tensor's is not perturbed, and remembers.
const GROUPS: [usize; 4] = [0, 1, 0, 0];

/// A model, and a caller of C who does something else to one tensor in one call of four, and loses
/// sight of one in half of the steps.
struct Wild<R: Api> {
    state: R::State,
    norm: R::Norm,
    planes: Vec<Planes<R>>,
    tensors: Vec<Tensor<R>>,
    _groups: Box<[Group; 2]>,
    draw: Seeded,
    honest: bool,
    /// A tensor that no call shows any more.
    away: Option<usize>,
    /// Whether anything was done that is not honest.
    strayed: bool,
}

/// What a call shows: which tensor, and how much of it.
type Shown = Vec<(usize, usize)>;

impl<R: Api> Wild<R> {
    fn new(seed: u64) -> Self {
        let variant = AnyVariant::by_name("vasso").unwrap();
        let base = AnyBase::by_name("sgd").unwrap();
        let mut draw = Seeded(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let places = GROUPS.into_iter().zip(LENGTHS);
        let mut planes: Vec<Planes<R>> =
            places.map(|place| Planes::new(place, &variant, &base, &mut draw)).collect();
        for tensor in &mut planes {
            tensor.grads = draw.plane(tensor.grads.len());
        }
        let groups = Box::new([group(0.5, 0, 0.0), group(0.5, PRESAM_GROUP_NOT_PERTURBED, 0.0)]);
        let tensors = planes.iter_mut().map(|tensor| tensor.c(&groups[..])).collect();
        let (state, norm) = (R::ZERO_STATE, R::ZERO_NORM);
        let mut wild = Self {
            state,
            norm,
            planes,
            tensors,
            _groups: groups,
            draw,
            honest: false,
            away: None,
            strayed: false,
        };
        let held = Held::new("vasso", "sgd", &[], &[("learning_rate", RATE)]);
        // SAFETY: both live.
        ok(unsafe { R::init(&mut wild.state, size_of::<R::State>(), &held.config) });
        wild
    }

    fn below(&mut self, end: usize) -> usize {
        let unit: f64 = self.draw.number::<f64>() / 2.0 + 0.5;
        ((unit * end as f64) as usize).min(end - 1)
    }

    fn shown(&mut self) -> Shown {
        let mut list: Shown = LENGTHS.into_iter().enumerate().collect();
        list.retain(|(which, _)| self.away != Some(*which));
        if self.honest || self.below(4) > 0 {
            return list;
        }
        self.strayed = true;
        let (at, to) = (self.below(list.len()), self.below(list.len()));
        match self.below(5) {
            0 => drop(list.remove(at)),
            1 => list.insert(to, list[at]),
            2 => list.swap(at, to),
            3 => list[at].1 -= 1,
            // One in place of another: as many as before.
            _ => list[at] = list[to],
        }
        list
    }

    fn cut(&self, (which, len): (usize, usize)) -> Tensor<R> {
        Tensor { len, ..self.tensors[which] }
    }

    fn kept(&mut self, shown: &Shown, after: &[Tensor<R>]) {
        for (&(which, _), tensor) in shown.iter().zip(after) {
            self.tensors[which].mark = tensor.mark;
        }
    }

    /// One call for an array, whose marks the caller keeps.
    fn together(
        &mut self,
        call: unsafe fn(*mut R::State, *mut Tensor<R>, usize) -> Status,
    ) -> Status {
        let shown = self.shown();
        let mut array: Vec<_> = shown.iter().map(|&one| self.cut(one)).collect();
        // SAFETY: all of it lives; a tensor is never longer than its planes.
        let status = unsafe { call(&mut self.state, array.as_mut_ptr(), array.len()) };
        self.kept(&shown, &array);
        status
    }

    /// A call for each tensor, up to the first that is refused.
    fn each(&mut self, call: impl Fn(&mut Self, *mut Tensor<R>) -> Status) -> Status {
        for one in self.shown() {
            let mut tensor = self.cut(one);
            let status = call(self, &mut tensor);
            self.tensors[one.0].mark = tensor.mark;
            if status != Status::OK {
                return status;
            }
        }
        Status::OK
    }

    fn call(&mut self, number: usize) -> Status {
        // SAFETY: as in `together`.
        unsafe {
            match number {
                0 => R::norm_begin(&self.state, &mut self.norm, 0),
                1 => self.each(|m, t| R::norm_add(&m.state, t, &mut m.norm)),
                2 => R::norm_finish(&mut self.state, &self.norm),
                3 => self.each(|m, t| R::ascend(&mut m.state, t)),
                4 => self.each(|m, t| R::restore(&mut m.state, t)),
                5 => R::second_begin(&self.state, &mut self.norm, 0),
                6 => self.each(|m, t| R::second_add(&m.state, t, &mut m.norm)),
                7 => R::second_finish(&mut self.state, &self.norm),
                8 => self.each(|m, t| R::descend(&m.state, t)),
                9 => self.together(R::ascend_all),
                _ => self.together(R::descend_all),
            }
        }
    }

    /// The calls of a step, up to the first that is refused.
    fn step(&mut self, calls: &[usize]) -> Status {
        let leaves = if self.honest { usize::MAX } else { self.below(2 * calls.len()) };
        for (place, &number) in calls.iter().enumerate() {
            if place == leaves {
                (self.away, self.strayed) = (Some(self.below(LENGTHS.len())), true);
            }
            let status = self.call(number);
            if status != Status::OK {
                return status;
            }
        }
        Status::OK
    }

    fn bits(&self) -> Vec<Vec<Vec<u64>>> {
        self.planes.iter().map(Planes::bits).collect()
    }

    fn perturbed(&self) -> Vec<usize> {
        (0..LENGTHS.len()).filter(|&which| self.tensors[which].mark.stage == 1).collect()
    }

    /// Each weight stands where it stood or where its one step leads; whether all of them have stepped.
    fn none_is_lost(&self, before: &[Vec<R>], what: &str) -> bool {
        assert_eq!(self.perturbed(), [0_usize; 0], "{what}");
        let mut all = true;
        for (tensor, before) in self.planes.iter().zip(before) {
            let weights = tensor.params.iter().zip(before).zip(&tensor.grads);
            for ((now, before), grad) in weights {
                let after = *before - R::from_f64(RATE) * *grad;
                let stepped = now.bits() == after.bits();
                assert!(stepped || now.bits() == before.bits(), "{what}");
                all &= stepped;
            }
        }
        all
    }

    /// Whatever stays perturbed is told of before a write, also to one who does not show it; a restore brings it back.
    fn cured(&mut self, what: &str) {
        let (perturbed, before) = (self.perturbed(), self.bits());
        let rest: Shown = LENGTHS.into_iter().enumerate().collect();
        let hidden: Shown =
            rest.iter().copied().filter(|(which, _)| !perturbed.contains(which)).collect();
        // SAFETY: as in `together`.
        unsafe {
            ok(R::cancel(&mut self.state));
            for shown in [rest, hidden] {
                if perturbed.is_empty() {
                    break;
                }
                let mut array: Vec<_> = shown.iter().map(|&one| self.cut(one)).collect();
                let status = R::ascend_all(&mut self.state, array.as_mut_ptr(), array.len());
                assert_eq!(told(status).0, Code::StillPerturbed as u32, "{what}");
                let status = R::skip(&mut self.state);
                assert_eq!(told(status).0, Code::StillPerturbed as u32, "{what}");
                ok(R::norm_begin(&self.state, &mut self.norm, 0));
                let status = R::norm_finish(&mut self.state, &self.norm);
                assert_eq!(told(status).0, Code::StillPerturbed as u32, "{what}");
                assert!(self.bits() == before, "{what}");
            }
            for which in perturbed {
                self.tensors[which].len = self.tensors[which].mark.len;
                ok(R::restore(&mut self.state, &mut self.tensors[which]));
                self.tensors[which].len = LENGTHS[which];
            }
        }
    }
}

/// The calls of a step: for all tensors, for one each, and both.
const STEPS: [&[usize]; 5] = [
    &[9, 10],
    &[0, 1, 2, 3, 4, 5, 6, 7, 8],
    &[0, 1, 2, 3, 5, 6, 7, 4, 8],
    &[0, 1, 2, 3, 10],
    &[9, 4, 5, 6, 7, 8],
];

fn no_weight_is_lost<R: Api>() {
    let (mut ends, mut left, mut hidden) = ([0; 2], 0, 0);
    for seed in 0..2000 {
        let mut wild = Wild::<R>::new(seed);
        for number in 0..3 {
            let calls = STEPS[wild.below(STEPS.len())];
            wild.honest = wild.below(8) == 0;
            (wild.away, wild.strayed) = (None, false);
            let before: Vec<Vec<R>> = wild.planes.iter().map(|t| t.params.clone()).collect();
            let status = wild.step(calls);
            let well = status == Status::OK;
            let what = format!("seed {seed}, step {number}, {calls:?}: {:?}", told(status));
            ends[usize::from(well)] += 1;
            assert!(well || wild.strayed, "{what}");
            // A step by one call for all is over with its answer; one by tensors when the next begins.
            let over = well && calls.ends_with(&[10]);
            assert!(!over || wild.perturbed().is_empty(), "{what}");
            left += wild.perturbed().len();
            hidden += usize::from(well && !wild.perturbed().is_empty());
            if !well || !wild.perturbed().is_empty() {
                wild.cured(&what);
            }
            let all = wild.none_is_lost(&before, &what);
            assert!(all || wild.strayed, "{what}");
        }
    }
    // Every end occurs, weights that had to be brought back, and some that no call had missed yet.
    assert!(
        ends[0] > 1000 && ends[1] > 1000 && left > 1000 && hidden > 20,
        "{ends:?}, {left}, {hidden}"
    );
}

#[test]
fn whatever_a_caller_shows_between_two_calls_no_weight_is_lost() {
    no_weight_is_lost::<f32>();
    no_weight_is_lost::<f64>();
}
