//! Planes of any lengths to every function of core that takes some: the first that does not fit is named, and nothing
//! is written. The suite tries each plane of each function, a fuzzer whatever it likes.

use presam::{
    AdamW, AscentRule, BaseOptimizer, BaseState, Cpu, Element, Error, Flat, Group, PartialNorm,
    PlanesMut, Scale, SegmentMut, Segments, Session, TopK, Vasso, Wsam,
};

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
#[derive(Clone, Debug)]
pub struct Planes {
    /// w.
    pub params: Vec<f32>,
    /// A gradient.
    pub grads: Vec<f32>,
    /// What a rule or a base optimizer keeps.
    pub memory: [Vec<f32>; 2],
    /// What a rule reads; a session's state.
    pub inputs: [Vec<f32>; 2],
    /// What is written, or a third gradient.
    pub out: Vec<f32>,
}

/// What a function said, and what it should say.
type Both = (Result<(), Error>, Result<(), Error>);

impl Planes {
    /// How many there are.
    pub const COUNT: usize = 7;

    /// Of this source, in the order above.
    pub fn new(mut plane: impl FnMut() -> Vec<f32>) -> Self {
        let (params, grads) = (plane(), plane());
        let (memory, inputs) = ([plane(), plane()], [plane(), plane()]);
        Self { params, grads, memory, inputs, out: plane() }
    }

    /// Every bit of all of them.
    #[must_use]
    pub fn bits(&self) -> Vec<Vec<u32>> {
        let lists = self.memory.iter().chain(&self.inputs);
        let all = [&self.params, &self.grads, &self.out].into_iter().chain(lists);
        all.map(|plane| plane.iter().map(|x| x.to_bits()).collect()).collect()
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

/// The functions that [`check`] calls.
pub const CALLS: usize = 11;

/// Function number `call` with these planes.
///
/// # Panics
/// Where it does not name the first that is as long as no other, or wrote all the same.
pub fn check(call: usize, cpu: Cpu, planes: &mut Planes) {
    let before = planes.bits();
    let (found, expected) = match call {
        0..=3 => ascent(call, cpu, planes),
        4..=9 => helper(call, cpu, planes),
        _ => session(cpu, planes),
    };
    assert_eq!(found, expected, "function {call}");
    assert!(found.is_ok() || planes.bits() == before, "function {call} wrote");
}

const SCALE: Scale<f32> = Scale { prescale: 1.0, scale: 0.5, remember: true };

fn ascent(call: usize, cpu: Cpu, p: &mut Planes) -> Both {
    let expected = match call {
        0 => p.first_wrong(p.read()),
        1 => p.read_and("perturbed"),
        2 => p.read_and("backup"),
        _ => p.first_wrong([("backup", &p.out)]),
    };
    let (params, grads, out) = (&mut p.params, &p.grads, &mut p.out);
    let inputs = p.inputs.each_ref().map(Vec::as_slice);
    let mut norm = PartialNorm::new();
    let counted = if call == 0 && expected.is_ok() { params.len() } else { 0 };
    let found = match call {
        0 => {
            let memory = p.memory.each_ref().map(Vec::as_slice);
            cpu.accumulate_norm(AllPlanes, params, grads, memory, inputs, &mut norm)
        }
        1 => {
            let memory = p.memory.each_mut().map(Vec::as_mut_slice);
            cpu.ascend(AllPlanes, SCALE, params, grads, memory, inputs, out)
        }
        2 => {
            let memory = p.memory.each_mut().map(Vec::as_mut_slice);
            cpu.ascend_in_place(AllPlanes, SCALE, params, grads, memory, inputs, out)
        }
        _ => cpu.restore(params, out),
    };
    assert_eq!(norm.counted(), counted as u64);
    (found, expected)
}

fn helper(call: usize, cpu: Cpu, p: &mut Planes) -> Both {
    let adamw = AdamW::new(0.1).map(|adamw| adamw.arm(&BaseState::new()));
    let (Ok(adamw), Ok(wsam)) = (adamw, Wsam::new(0.5_f32)) else {
        unreachable!("within their ranges")
    };
    let [m, v] = &p.memory;
    let expected = match call {
        4 => p.first_wrong([("perturbed_grads", &p.grads), ("state", m), ("state", v)]),
        5 | 8 => p.first_wrong([("second", &p.grads)]),
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
        8 => cpu.accumulate_difference(&p.params, &p.grads, &mut PartialNorm::new()),
        _ => TopK::new(3).write_mask(&p.params, &mut p.out),
    };
    (found, expected)
}

/// A session over one flat segment; the variant has one plane of memory, the base optimizer two of state.
fn session(cpu: Cpu, p: &mut Planes) -> Both {
    let [m, v] = &p.inputs;
    let (grads, memory) = (("grads", &p.grads), ("memory", &p.memory[0]));
    let expected = p.first_wrong([grads, memory, ("state", m), ("state", v), ("spare", &p.out)]);
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
