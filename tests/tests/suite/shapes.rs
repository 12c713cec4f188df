//! Lengths around every boundary of the loops, with guard values behind every slice; and slices of the
//! wrong length.

use crate::common::{Guarded, Random, bits};
use presam::{
    AdamW, AscentRule, BaseOptimizer, BaseState, Cpu, DescentRule, Element, Error, InfoAsam,
    LengthRule, PartialNorm, PreSam, Real, RuleState, Sam, Scale, Sgd, Variant, Vasso, finish,
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

const N: usize = 100;

/// Buffers of one length but for one, which is `n` long.
struct Planes {
    w: Vec<f32>,
    g: Vec<f32>,
    memory: [Vec<f32>; 2],
    inputs: [Vec<f32>; 2],
    out: Vec<f32>,
}

impl Planes {
    fn with(wrong: &str, n: usize) -> Self {
        let plane = |name: &str| vec![0.5; if name == wrong { n } else { N }];
        Self {
            w: plane("params"),
            g: plane("grads"),
            memory: ["memory 0", "memory 1"].map(plane),
            inputs: ["inputs 0", "inputs 1"].map(plane),
            out: plane("out"),
        }
    }

    fn all(&self) -> Vec<Vec<u64>> {
        [&self.w, &self.g, &self.out]
            .into_iter()
            .chain(&self.memory)
            .chain(&self.inputs)
            .map(|x| bits(x))
            .collect()
    }
}

/// A rule with two planes of each kind.
#[derive(Clone, Copy)]
struct AllPlanes;

impl AscentRule<f32, 2, 2> for AllPlanes {
    fn norm_term(self, e: Element<f32, 2, 2>) -> f32 {
        e.grad * e.inputs[0]
    }
    fn direction(self, e: Element<f32, 2, 2>) -> f32 {
        e.grad * e.inputs[1]
    }
    fn remember(self, e: Element<f32, 2, 2>) -> [f32; 2] {
        [e.grad, e.param]
    }
}

/// Runs `phase` with each slice one too short and one too long; nothing may be written.
fn refuses(names: &[(&str, &'static str)], phase: impl Fn(&mut Planes) -> Result<(), Error>) {
    phase(&mut Planes::with("", N)).unwrap();
    for (wrong, slice) in names {
        for found in [N - 1, N + 1, 0] {
            let mut planes = Planes::with(wrong, found);
            let before = planes.all();
            assert_eq!(
                phase(&mut planes),
                Err(Error::Length { slice, expected: N, found }),
                "{wrong}"
            );
            assert_eq!(planes.all(), before, "{wrong}: something was written");
        }
    }
}

const READ: [(&str, &str); 5] = [
    ("grads", "grads"),
    ("memory 0", "memory"),
    ("memory 1", "memory"),
    ("inputs 0", "inputs"),
    ("inputs 1", "inputs"),
];

#[test]
fn the_norm_names_a_slice_of_the_wrong_length() {
    refuses(&READ, |p| {
        let mut norm = PartialNorm::new();
        let memory = p.memory.each_ref().map(Vec::as_slice);
        let inputs = p.inputs.each_ref().map(Vec::as_slice);
        let result =
            Cpu::detect().accumulate_norm(AllPlanes, &p.w, &p.g, memory, inputs, &mut norm);
        assert!(result.is_ok() || norm.counted() == 0, "the norm is unchanged");
        result
    });
}

const SCALE: presam::Scale<f32> = presam::Scale { prescale: 1.0, scale: 0.5, remember: true };

#[test]
fn the_ascent_names_a_slice_of_the_wrong_length() {
    let names = |out| READ.into_iter().chain([("out", out)]).collect::<Vec<_>>();
    refuses(&names("perturbed"), |p| {
        let memory = p.memory.each_mut().map(Vec::as_mut_slice);
        let inputs = p.inputs.each_ref().map(Vec::as_slice);
        Cpu::detect().ascend(AllPlanes, SCALE, &p.w, &p.g, memory, inputs, &mut p.out)
    });
    refuses(&names("backup"), |p| {
        let memory = p.memory.each_mut().map(Vec::as_mut_slice);
        let inputs = p.inputs.each_ref().map(Vec::as_slice);
        Cpu::detect().ascend_in_place(AllPlanes, SCALE, &mut p.w, &p.g, memory, inputs, &mut p.out)
    });
    refuses(&[("out", "backup")], |p| Cpu::detect().restore(&mut p.w, &p.out));
}

#[test]
fn the_descent_names_a_slice_of_the_wrong_length() {
    let adamw = AdamW::new(0.1).unwrap().arm(&BaseState::new());
    let names = [("grads", "perturbed_grads"), ("memory 0", "state"), ("memory 1", "state")];
    refuses(&names, |p| {
        let state = p.memory.each_mut().map(Vec::as_mut_slice);
        Cpu::detect().descend(adamw, 1.0, &mut p.w, &p.g, state)
    });
}

#[test]
fn the_helpers_name_a_slice_of_the_wrong_length() {
    let wsam = presam::Wsam::new(0.5_f32).unwrap();
    refuses(&[("grads", "second")], |p| {
        Cpu::detect().accumulate_pair(&p.w, &p.g, &mut PartialNorm::new())
    });
    refuses(&[("grads", "grads")], |p| Cpu::detect().mix_gradients(wsam, &p.g, &mut p.w));
    refuses(&[("grads", "grads"), ("out", "perturbed_grads")], |p| {
        Cpu::detect().correct(wsam.correction(0.1), &mut p.w, &p.g, &p.out)
    });
    refuses(&[("out", "mask")], |p| presam::TopK::new(3).write_mask(&p.w, &mut p.out));
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
