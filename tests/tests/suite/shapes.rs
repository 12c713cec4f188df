//! Lengths around every boundary of the loops, with guard values behind every slice; and slices of the
//! wrong length.

/// By its path: `judge.rs` has no `presam_tests`.
#[path = "../../src/shapes.rs"]
mod calls;

use crate::common::{Guarded, Random, bits};
use calls::{CALLS, Planes, check};
use presam::{
    AdamW, AscentRule, BaseOptimizer, BaseState, Cpu, DescentRule, Element, InfoAsam, LengthRule,
    PartialNorm, PreSam, Real, RuleState, Sam, Scale, Sgd, Variant, Vasso, finish,
};
use presam_conformance::generate::BOUNDARIES;

/// Two rows of 64 behind the multiples of 64, and the lengths of the suite.
fn lengths() -> Vec<usize> {
    let rows = (0..10).flat_map(|row| [row * 64 + 63, row * 64 + 64, row * 64 + 65]);
    BOUNDARIES.iter().copied().chain(rows).collect()
}

fn levels() -> [Cpu; 2] {
    [Cpu::plain(), Cpu::detect()]
}

/// A random plane that nothing divides by zero with.
fn positive<R: Real>(random: &mut Random, n: usize) -> Vec<R> {
    random.plane::<R>(n).iter().map(|x| x.abs() + R::from_f64(0.125)).collect()
}

/// One ascent and, element by element, what the rule itself says.
fn ascend_everywhere<R: Real, V: Variant<R, M, I>, const M: usize, const I: usize>(variant: V) {
    let state = RuleState { steps: 2, decay_power: 0.5, mean: R::from_f64(0.25) };
    let rule = variant.arm(&state);
    let mut random = Random(5);
    for n in lengths() {
        let [w, g] = [(); 2].map(|()| Guarded::new(&random.plane::<R>(n)));
        let memory: [Vec<R>; M] = std::array::from_fn(|_| positive(&mut random, n));
        let inputs: [Guarded<R>; I] = std::array::from_fn(|_| Guarded::new(&random.plane(n)));
        for cpu in levels() {
            let mut remembered = memory.each_ref().map(|plane| Guarded::new(plane));
            let mut perturbed = Guarded::new(g.slice());
            let mut norm = PartialNorm::new();
            let (old, read) =
                (remembered.each_ref().map(Guarded::slice), inputs.each_ref().map(Guarded::slice));
            cpu.accumulate_norm(rule, w.slice(), g.slice(), old, read, &mut norm).unwrap();
            let ascent = finish(variant, &norm, &mut { state }).unwrap();
            let scale = ascent.scale(R::from_f64(0.5), LengthRule::NORMALISED).unwrap();
            let new = remembered.each_mut().map(Guarded::slice_mut);
            let out = perturbed.slice_mut();
            cpu.ascend(rule, scale, w.slice(), g.slice(), new, read, out).unwrap();
            for i in 0..n {
                let element = Element {
                    param: w.slice()[i],
                    grad: g.slice()[i],
                    memory: memory.each_ref().map(|plane| plane[i]),
                    inputs: read.map(|plane| plane[i]),
                };
                let moved = (rule.direction(element) * scale.prescale) * scale.scale;
                assert_eq!(perturbed.slice()[i], element.param + moved, "{n} {i}");
                let expected = rule.remember(element).map(R::flush);
                let found = remembered.each_ref().map(|plane| plane.slice()[i]);
                assert_eq!(found, expected, "{n} {i}");
            }
            perturbed.assert_guards("perturbed");
            remembered.iter().for_each(|plane| plane.assert_guards("memory"));
        }
    }
}

#[test]
fn the_ascent_at_every_boundary() {
    ascend_everywhere::<f32, _, 0, 0>(Sam::new());
    ascend_everywhere::<f32, _, 1, 0>(Vasso::default());
    ascend_everywhere::<f64, _, 2, 0>(InfoAsam::default());
    ascend_everywhere::<f32, _, 0, 2>(PreSam::new());
}

fn descend_everywhere<B: BaseOptimizer<f32, S>, const S: usize>(base: B) {
    let rule = base.arm(&BaseState { steps: 2, decay_powers: [0.5, 0.75] });
    let mut random = Random(6);
    for n in lengths() {
        let [w, g] = [(); 2].map(|()| random.plane::<f32>(n));
        let state: [Vec<f32>; S] =
            std::array::from_fn(|_| random.plane::<f32>(n).iter().map(|x| x.abs()).collect());
        for cpu in levels() {
            let (mut params, grads) = (Guarded::new(&w), Guarded::new(&g));
            let mut planes = state.each_ref().map(|plane| Guarded::new(plane));
            let new = planes.each_mut().map(Guarded::slice_mut);
            cpu.descend(rule, 0.5, params.slice_mut(), grads.slice(), new).unwrap();
            for i in 0..n {
                let (param, planes_at) =
                    rule.update(w[i], g[i] * 0.5, state.each_ref().map(|s| s[i]));
                assert_eq!(params.slice()[i], param, "{n} {i}");
                assert_eq!(planes.each_ref().map(|plane| plane.slice()[i]), planes_at, "{n} {i}");
            }
            params.assert_guards("params");
            planes.iter().for_each(|plane| plane.assert_guards("state"));
        }
    }
}

#[test]
fn the_descent_at_every_boundary() {
    let sgd = Sgd::new(0.1).unwrap();
    descend_everywhere(sgd);
    descend_everywhere(sgd.with_momentum(0.5).unwrap());
    descend_everywhere(AdamW::new(0.1).unwrap());
}

#[test]
fn in_place_is_out_of_place_and_restores() {
    let mut random = Random(8);
    for n in lengths() {
        let [w, g, old] = [(); 3].map(|()| random.plane::<f32>(n));
        let rule = Vasso::<f32>::default().arm(&RuleState { steps: 1, ..RuleState::new() });
        let scale = presam::Scale { prescale: 1.0, scale: 0.25, remember: true };
        for cpu in levels() {
            let (mut params, mut backup) = (Guarded::new(&w), Guarded::new(&g));
            let (mut memory, mut other, mut perturbed) =
                (Guarded::new(&old), old.clone(), g.clone());
            let planes = [memory.slice_mut()];
            cpu.ascend_in_place(
                rule,
                scale,
                params.slice_mut(),
                &g,
                planes,
                [],
                backup.slice_mut(),
            )
            .unwrap();
            cpu.ascend(rule, scale, &w, &g, [&mut other], [], &mut perturbed).unwrap();
            assert_eq!(bits(params.slice()), bits(&perturbed));
            assert_eq!(bits(memory.slice()), bits(&other));
            cpu.restore(params.slice_mut(), backup.slice()).unwrap();
            assert_eq!(bits(params.slice()), bits(&w));
            [("params", &params), ("backup", &backup), ("memory", &memory)]
                .into_iter()
                .for_each(|(name, plane)| plane.assert_guards(name));
        }
    }
}

/// Each plane of each function one too short, one too long and empty; and all as they should be.
#[test]
fn every_function_names_a_plane_of_the_wrong_length() {
    const N: usize = 100;
    for (call, wrong) in (0..CALLS).flat_map(|call| (0..=Planes::COUNT).map(move |w| (call, w))) {
        for found in [N - 1, N + 1, 0] {
            let mut lengths = (0..).map(|plane| if plane == wrong { found } else { N });
            let mut planes = Planes::new(|| vec![0.5; lengths.next().unwrap()]);
            check(call, Cpu::detect(), &mut planes);
        }
    }
}

/// A rule with a plane of memory that it never renews.
#[derive(Clone, Copy)]
struct Reader;

impl AscentRule<f32, 1, 0> for Reader {
    fn norm_term(self, e: Element<f32, 1, 0>) -> f32 {
        e.grad * e.memory[0]
    }

    fn direction(self, e: Element<f32, 1, 0>) -> f32 {
        self.norm_term(e)
    }
}

#[test]
fn memory_that_a_rule_only_reads_stays() {
    let mut memory = [2.0, 0.5, -1.0];
    let (w, g, mut out) = ([1.0; 3], [1.0, 2.0, 3.0], [0.0; 3]);
    let scale = Scale { prescale: 1.0, scale: 0.5, remember: true };
    Cpu::plain().ascend(Reader, scale, &w, &g, [&mut memory], [], &mut out).unwrap();
    assert_eq!((out, memory), ([2.0, 1.5, -0.5], [2.0, 0.5, -1.0]));
}
