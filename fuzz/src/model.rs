//! A trainer's tensors that a target can spoil.

use crate::draw::{Draw, Kind};
use crate::same::same;
use presam::{Error, Mark, Planes, PlanesMut, SegmentMut, Segments};
use presam_conformance::{Answer, Options, Segment};

/// One tensor; both gradients lie in the first.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// Its group.
    pub group: usize,
    /// Its planes.
    pub own: Segment<f32>,
    /// The backup.
    pub spare: Vec<f32>,
    /// Whether it is perturbed.
    pub mark: Mark,
}

/// Tensors, and a visit that fails before one of them.
#[derive(Clone, Debug)]
pub struct Model {
    /// In the order of the norm.
    pub tensors: Vec<Tensor>,
    /// The visits to tensors that still succeed before one fails, once.
    pub fails_after: Option<usize>,
}

/// What a visit fails with.
pub const BROKEN: Error = Error::Capacity { expected: 1, found: 2 };

impl Segments<f32> for Model {
    fn visit(
        &mut self,
        visitor: &mut dyn FnMut(SegmentMut<'_, f32>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for t in &mut self.tensors {
            match self.fails_after {
                Some(0) => {
                    self.fails_after = None;
                    return Err(BROKEN);
                }
                left => self.fails_after = left.map(|left| left - 1),
            }
            visitor(SegmentMut {
                group: t.group,
                params: &mut t.own.params,
                grads: &t.own.grads,
                perturbed_grads: &t.own.grads,
                spare: &mut t.spare,
                memory: PlanesMut::of(&mut t.own.memory),
                inputs: Planes::of(&t.own.inputs),
                state: PlanesMut::of(&mut t.own.state),
                mark: &mut t.mark,
            })?;
        }
        Ok(())
    }
}

impl Model {
    /// One to four tensors of the two groups, with as many planes of memory, inputs and state; state and memory
    /// are zero, as before a first step.
    pub fn new(draw: &mut Draw<'_>, [memory, inputs, state]: [usize; 3]) -> Self {
        let tensor = |draw: &mut Draw<'_>| {
            let n = draw.length();
            let own = Segment {
                options: Options::new(0.0),
                params: draw.plane(n, Kind::Tame),
                grads: vec![0.0; n],
                perturbed_grads: vec![0.0; n],
                memory: vec![vec![0.0; n]; memory],
                inputs: (0..inputs).map(|_| draw.plane(n, Kind::Tame)).collect(),
                state: vec![vec![0.0; n]; state],
            };
            Tensor { group: draw.below(2), own, spare: vec![0.0; n], mark: Mark::default() }
        };
        let tensors = (0..=draw.below(4)).map(|_| tensor(draw)).collect();
        Self { tensors, fails_after: None }
    }

    /// A gradient for each tensor.
    pub fn gradient(&self, draw: &mut Draw<'_>) -> Vec<Vec<f32>> {
        let kind = if draw.rarely(4) { Kind::Any } else { Kind::Tame };
        self.tensors.iter().map(|t| draw.plane(t.own.params.len(), kind)).collect()
    }

    /// Writes a gradient.
    pub fn set_gradient(&mut self, gradient: &[Vec<f32>]) {
        self.tensors.iter_mut().zip(gradient).for_each(|(t, g)| t.own.grads.clone_from(g));
    }

    /// Whether all parameters are those of `other`.
    pub fn same_params(&self, other: &Self) -> bool {
        self.tensors.iter().zip(&other.tensors).all(|(a, b)| same(&a.own.params, &b.own.params))
    }

    /// Whether parameters, memory and state are what `answer` left.
    pub fn is_left_by(&self, answer: &Answer<f32>) -> bool {
        self.tensors.iter().zip(&answer.segments).all(|(t, to)| {
            let planes = t.own.memory.iter().chain(&t.own.state);
            let pairs = planes.zip(to.memory.iter().chain(&to.state));
            same(&t.own.params, &to.params) && { pairs }.all(|(a, b)| same(a, b))
        })
    }
}
