//! Planes of any lengths to every function that takes some: the first that does not fit is named, and nothing is
//! written.

#![no_main]

use libfuzzer_sys::fuzz_target;
use presam::{
    AdamW, AscentRule, BaseOptimizer, BaseState, Cpu, Element, Error, FixedSam, Flat, Group,
    PartialNorm, PlanesMut, Scale, SegmentMut, Segments, Session, Sgd, TopK, Vasso, Wsam,
};
use presam_fuzz::draw::{Draw, Kind};
use presam_fuzz::same;
use presam_model::Mlp;

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

/// One plane of each role.
#[derive(Clone)]
struct Planes {
    params: Vec<f32>,
    grads: Vec<f32>,
    memory: [Vec<f32>; 2],
    inputs: [Vec<f32>; 2],
    out: Vec<f32>,
}

impl Planes {
    /// Of one length, but for some.
    fn new(draw: &mut Draw<'_>) -> Self {
        let length = draw.length();
        let mut plane = || {
            let length = if draw.rarely(8) { draw.length() } else { length };
            draw.plane(length, Kind::Any)
        };
        let (params, grads) = (plane(), plane());
        let (memory, inputs) = ([plane(), plane()], [plane(), plane()]);
        Self { params, grads, memory, inputs, out: plane() }
    }

    fn all(&self) -> impl Iterator<Item = &Vec<f32>> {
        let lists = self.memory.iter().chain(&self.inputs);
        [&self.params, &self.grads, &self.out].into_iter().chain(lists)
    }

    /// The error for the first of these that is not as long as `params`.
    fn first_wrong<'a>(
        &self,
        planes: impl IntoIterator<Item = (&'static str, &'a Vec<f32>)>,
    ) -> Result<(), Error> {
        let expected = self.params.len();
        let wrong = planes.into_iter().find(|(_, plane)| plane.len() != expected);
        wrong.map_or(Ok(()), |(slice, plane)| {
            Err(Error::Length { slice, expected, found: plane.len() })
        })
    }

    fn read(&self) -> Vec<(&'static str, &Vec<f32>)> {
        let mut planes = vec![("grads", &self.grads)];
        planes.extend(self.memory.iter().map(|plane| ("memory", plane)));
        planes.extend(self.inputs.iter().map(|plane| ("inputs", plane)));
        planes
    }

    fn read_and(&self, name: &'static str) -> Result<(), Error> {
        self.first_wrong(self.read().into_iter().chain([(name, &self.out)]))
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut draw = Draw::new(bytes);
    let call = draw.below(12);
    let cpu = draw.pick(&[Cpu::plain(), Cpu::detect(), Cpu::detect().parallel()]);
    let mut planes = Planes::new(&mut draw);
    let before = planes.clone();
    let (found, expected) = match call {
        0..=3 => ascent(call, cpu, &mut planes),
        4..=8 => helper(call, cpu, &mut planes),
        9 => session(cpu, &mut planes),
        10 => fixed(cpu, &mut draw),
        _ => return network(&mut draw, planes),
    };
    assert_eq!(found, expected);
    if found.is_err() {
        assert!(planes.all().zip(before.all()).all(|(a, b)| same(a, b)), "written");
    }
});

/// What a function said, and what it should say.
type Both = (Result<(), Error>, Result<(), Error>);

const SCALE: Scale<f32> = Scale { prescale: 1.0, scale: 0.5, remember: true };

fn ascent(call: usize, cpu: Cpu, p: &mut Planes) -> Both {
    let expected = match call {
        0 => p.first_wrong(p.read()),
        1 => p.read_and("perturbed"),
        2 => p.read_and("backup"),
        _ => p.first_wrong([("backup", &p.out)]),
    };
    let inputs = p.inputs.each_ref().map(Vec::as_slice);
    let mut norm = PartialNorm::new();
    let found = match call {
        0 => {
            let memory = p.memory.each_ref().map(Vec::as_slice);
            cpu.accumulate_norm(AllPlanes, &p.params, &p.grads, memory, inputs, &mut norm)
        }
        1 => {
            let memory = p.memory.each_mut().map(Vec::as_mut_slice);
            cpu.ascend(AllPlanes, SCALE, &p.params, &p.grads, memory, inputs, &mut p.out)
        }
        2 => {
            let memory = p.memory.each_mut().map(Vec::as_mut_slice);
            cpu.ascend_in_place(
                AllPlanes,
                SCALE,
                &mut p.params,
                &p.grads,
                memory,
                inputs,
                &mut p.out,
            )
        }
        _ => cpu.restore(&mut p.params, &p.out),
    };
    let counted = if call == 0 && found.is_ok() { p.params.len() } else { 0 };
    assert_eq!(norm.counted(), counted as u64);
    (found, expected)
}

fn helper(call: usize, cpu: Cpu, p: &mut Planes) -> Both {
    let adamw = AdamW::new(0.1).map(|adamw| adamw.arm(&BaseState::new()));
    let wsam = Wsam::new(0.5_f32);
    let (Ok(adamw), Ok(wsam)) = (adamw, wsam) else { unreachable!("within their ranges") };
    let [m, v] = &p.memory;
    let expected = match call {
        4 => p.first_wrong([("perturbed_grads", &p.grads), ("state", m), ("state", v)]),
        5 => p.first_wrong([("second", &p.grads)]),
        6 => p.first_wrong([("grads", &p.grads)]),
        7 => p.first_wrong([("grads", &p.grads), ("perturbed_grads", &p.out)]),
        _ => p.first_wrong([("mask", &p.out)]),
    };
    let found = match call {
        4 => {
            let state = p.memory.each_mut().map(Vec::as_mut_slice);
            cpu.descend(adamw, 1.0, &mut p.params, &p.grads, state)
        }
        5 => cpu.accumulate_pair(&p.params, &p.grads, &mut PartialNorm::new()),
        6 => cpu.mix_gradients(wsam, &p.grads, &mut p.params),
        7 => cpu.correct(wsam.correction(0.1), &mut p.params, &p.grads, &p.out),
        _ => TopK::new(3).write_mask(&p.params, &mut p.out),
    };
    (found, expected)
}

/// A session over one flat segment; the variant has one plane of memory, the base optimizer two of state.
fn session(cpu: Cpu, p: &mut Planes) -> Both {
    let [m, v] = &p.inputs;
    let expected = p.first_wrong([
        ("grads", &p.grads),
        ("memory", &p.memory[0]),
        ("state", m),
        ("state", v),
        ("spare", &p.out),
    ]);
    let (Ok(adamw), Ok(group)) = (AdamW::new(0.1), Group::new(0.5)) else {
        unreachable!("within their ranges")
    };
    let mut session = Session::new(cpu, Vasso::default(), adamw);
    let [m, v] = &mut p.inputs;
    let mut flat = Flat {
        memory: PlanesMut::from([&mut p.memory[0]]),
        state: PlanesMut::from([m, v]),
        ..Flat::new(&mut p.params, &mut p.grads, &mut p.out)
    };
    let found = session.ascend(&[group], &mut flat).map(drop);
    let mut visited = 0;
    let mut count = |_: SegmentMut<'_, f32>| {
        visited += 1;
        Ok(())
    };
    assert_eq!((flat.visit(&mut count), visited), (Ok(()), 1));
    (found, expected)
}

/// An optimizer of a fixed capacity, for models whose length changes.
fn fixed(cpu: Cpu, draw: &mut Draw<'_>) -> Both {
    const CAPACITY: usize = 16;
    let (Ok(sgd), Ok(group)) = (Sgd::new(0.1), Group::new(0.5)) else {
        unreachable!("within their ranges")
    };
    let mut sam: FixedSam<f32, _, _, CAPACITY, 1, 0> =
        FixedSam::new(Session::new(cpu, Vasso::default(), sgd));
    let mut held = 0;
    for _ in 0..4 {
        let length = draw.below(CAPACITY + 4);
        let mut params: Vec<f32> = draw.plane(length, Kind::Tame);
        let before = params.clone();
        let found = sam.step(&mut params, group, |w, g| g.copy_from_slice(w)).map(drop);
        let expected = if held != 0 && held != length {
            Err(Error::Length { slice: "params", expected: held, found: length })
        } else if length > CAPACITY {
            Err(Error::Capacity { expected: CAPACITY, found: length })
        } else {
            held = length;
            Ok(())
        };
        assert_eq!(found, expected);
        assert!(found.is_ok() || same(&params, &before));
        assert_eq!(sam.memory(held).map(|[plane]| plane.len()), Ok(held));
    }
    (Ok(()), Ok(()))
}

/// The network: whatever does not fit its widths.
fn network(draw: &mut Draw<'_>, mut p: Planes) {
    let widths: Vec<usize> = (0..draw.below(5)).map(|_| draw.below(6)).collect();
    let mlp = Mlp::new(&widths);
    let is_right = widths.len() >= 2 && !widths.contains(&0);
    assert_eq!(mlp.is_ok(), is_right, "{widths:?}");
    let Ok(mlp) = mlp else { return };
    let batch = draw.below(4);
    if draw.flag() {
        p.params.resize(mlp.param_count(), 0.5);
        p.grads.resize(mlp.param_count(), 0.5);
        p.out.resize(mlp.scratch_len(batch), 0.5);
        p.inputs[0].resize(mlp.inputs() * batch, 0.5);
    }
    let labels: Vec<u8> = (0..batch + draw.below(2)).map(|_| draw.below(6) as u8).collect();
    let before = p.clone();
    let fits = p.params.len() == mlp.param_count()
        && p.inputs[0].len() == mlp.inputs() * batch
        && p.grads.len() == mlp.param_count()
        && p.out.len() >= mlp.scratch_len(batch)
        && labels.len() == batch
        && batch > 0
        && labels.iter().all(|&label| usize::from(label) < mlp.classes());
    let (inputs, scratch) = (&p.inputs[0], &mut p.out);
    let loss = mlp.loss_and_gradient(&p.params, inputs, &labels, batch, &mut p.grads, scratch);
    assert_eq!(loss.is_ok(), fits, "{loss:?}");
    assert!(fits || p.all().zip(before.all()).all(|(a, b)| same(a, b)), "written");
}
