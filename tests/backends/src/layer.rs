//! [`Layer`]: a trainer's tensor over a [`Segment`]; [`Model`]: a list of them.

use presam::{Error, Mark, Planes, PlanesMut, SegmentMut, Segments, Tensor};
use presam_conformance::{Options, Scalar, Segment};

/// One tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer<R> {
    /// Its group.
    pub group: usize,
    /// Its planes; the options are the group's.
    pub own: Segment<R>,
    /// The backup, or the perturbed parameters.
    pub spare: Vec<R>,
    /// Whether it is perturbed.
    pub mark: Mark,
    /// Whether both gradients lie in the first one's plane.
    pub one_gradient: bool,
}

impl<R: Scalar> Layer<R> {
    /// Over these parameters and inputs, with as many planes of memory and state; all else is zero, as before a
    /// first step, and there is one plane for both gradients.
    #[must_use]
    pub fn new(group: usize, params: Vec<R>, inputs: Vec<Vec<R>>, planes: [usize; 2]) -> Self {
        let zeros = vec![R::from_f64(0.0); params.len()];
        let [memory, state] = planes.map(|count| vec![zeros.clone(); count]);
        let (options, spare) = (Options::new(0.0), zeros.clone());
        let (grads, perturbed_grads) = (zeros.clone(), zeros);
        let own = Segment { options, params, grads, perturbed_grads, memory, inputs, state };
        Self { group, own, spare, mark: Mark::default(), one_gradient: true }
    }
}

impl<R> Tensor<R> for Layer<R> {
    fn segment(&mut self) -> SegmentMut<'_, R> {
        let Segment { params, grads, perturbed_grads, memory, inputs, state, .. } = &mut self.own;
        SegmentMut {
            group: self.group,
            params,
            grads,
            perturbed_grads: if self.one_gradient { grads } else { perturbed_grads },
            spare: &mut self.spare,
            memory: PlanesMut::of(memory),
            inputs: Planes::of(inputs),
            state: PlanesMut::of(state),
            mark: &mut self.mark,
        }
    }
}

/// Tensors, and a visit that fails before one of them.
#[derive(Clone, Debug)]
pub struct Model<R> {
    /// In the order of the norm.
    pub tensors: Vec<Layer<R>>,
    /// The visits to tensors that still succeed before one fails, once.
    pub fails_after: Option<usize>,
}

/// What a visit fails with.
pub const BROKEN: Error = Error::Capacity { expected: 1, found: 2 };

impl<R> Segments<R> for Model<R> {
    fn visit(
        &mut self,
        visitor: &mut dyn FnMut(SegmentMut<'_, R>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for tensor in &mut self.tensors {
            match self.fails_after {
                Some(0) => {
                    self.fails_after = None;
                    return Err(BROKEN);
                }
                left => self.fails_after = left.map(|left| left - 1),
            }
            visitor(tensor.segment())?;
        }
        Ok(())
    }
}

impl<R: Scalar> Model<R> {
    /// The bits of each tensor's parameters.
    #[must_use]
    pub fn params(&self) -> Vec<Vec<u64>> {
        self.tensors.iter().map(|t| bits(&t.own.params)).collect()
    }

    /// Those of all planes of memory and state.
    #[must_use]
    pub fn planes(&self) -> Vec<Vec<u64>> {
        let planes = self.tensors.iter().flat_map(|t| t.own.memory.iter().chain(&t.own.state));
        planes.map(|plane| bits(plane)).collect()
    }
}

fn bits<R: Scalar>(plane: &[R]) -> Vec<u64> {
    plane.iter().map(|x| x.bits()).collect()
}
