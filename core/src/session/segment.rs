//! [`SegmentMut`], [`Tensor`] and [`Segments`]: how a trainer shows its tensors to a session.

use super::mark::Mark;
use crate::error::Error;
use crate::planes::{Planes, PlanesMut};

/// One tensor and everything that belongs to it.
///
/// | slice | length | access |
/// | --- | --- | --- |
/// | `params` w | n | read and written |
/// | `grads` g, `perturbed_grads` g~ | n | read; one buffer may serve both |
/// | `spare` | n | written by the ascent; in place read by the restore |
/// | `memory` (M planes), `state` (S planes) | n | read and written |
/// | `inputs` (I planes) | n | read |
///
/// The spare may be empty where the group is not perturbed, unless its memory counts in the norm
/// ([`Group::counted_only`](crate::Group::counted_only) with a variant that has memory).
#[derive(Debug)]
pub struct SegmentMut<'a, R> {
    /// The index of its [`Group`](crate::Group).
    pub group: usize,
    /// w
    pub params: &'a mut [R],
    /// The first gradient, which the ascent reads.
    pub grads: &'a [R],
    /// The second gradient, which the descent reads.
    pub perturbed_grads: &'a [R],
    /// In place: the backup, which keeps w while it is perturbed. Out of place: the perturbed point, a
    /// copy of w where the group is not perturbed.
    pub spare: &'a mut [R],
    /// The variant's memory.
    pub memory: PlanesMut<'a, R>,
    /// The variant's inputs.
    pub inputs: Planes<'a, R>,
    /// The base optimizer's state.
    pub state: PlanesMut<'a, R>,
    /// Its place in the step, and whether it is perturbed: kept beside the tensor, written by the session.
    pub mark: &'a mut Mark,
}

/// A tensor of a trainer; a slice of them is a model.
///
/// ```
/// use presam::{Mark, Planes, PlanesMut, SegmentMut, Tensor};
///
/// struct Layer { w: Vec<f32>, g: Vec<f32>, spare: Vec<f32>, velocity: Vec<f32>, mark: Mark }
///
/// impl Tensor<f32> for Layer {
///     fn segment(&mut self) -> SegmentMut<'_, f32> {
///         SegmentMut {
///             group: 0, params: &mut self.w, grads: &self.g, perturbed_grads: &self.g, spare: &mut self.spare,
///             memory: PlanesMut::none(), inputs: Planes::none(), state: PlanesMut::from([&mut self.velocity]),
///             mark: &mut self.mark,
///         }
///     }
/// }
/// ```
pub trait Tensor<R> {
    /// Its slices.
    fn segment(&mut self) -> SegmentMut<'_, R>;
}

/// A model as a list of tensors, visited one at a time: nothing needs all slices at once, so a
/// framework that locks storage per tensor can implement it. A slice of [`Tensor`]s has it.
///
/// The order of the segments is the order of the norm. Every visit of a step must show the same
/// segments in the same order, each once; one that does not is an [`Error::Visit`] that names the first
/// place where it differs, or an [`Error::StillPerturbed`].
pub trait Segments<R> {
    /// Hands every segment to `visitor`, stops at its first error and returns it. An error that is lost
    /// here ends the step all the same.
    ///
    /// # Errors
    /// The visitor's.
    fn visit(
        &mut self,
        visitor: &mut dyn FnMut(SegmentMut<'_, R>) -> Result<(), Error>,
    ) -> Result<(), Error>;
}

impl<R, T: Tensor<R>> Segments<R> for [T] {
    fn visit(
        &mut self,
        visitor: &mut dyn FnMut(SegmentMut<'_, R>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.iter_mut().try_for_each(|tensor| visitor(tensor.segment()))
    }
}

/// A model in flat slices: one segment of group 0, one buffer for both gradients.
///
/// ```
/// use presam::{Flat, PlanesMut};
///
/// let (mut w, mut g, mut spare, mut velocity) = ([3.0f32, 4.0], [0.0; 2], [0.0; 2], [0.0; 2]);
/// let state = PlanesMut::from([&mut velocity]);
/// let model = Flat { state, ..Flat::new(&mut w, &mut g, &mut spare) };
/// # drop(model);
/// ```
#[derive(Debug)]
pub struct Flat<'a, R> {
    /// w
    pub params: &'a mut [R],
    /// The gradient of the moment, written by the closure.
    pub grads: &'a mut [R],
    /// In place the backup, out of place the perturbed point.
    pub spare: &'a mut [R],
    /// The variant's memory.
    pub memory: PlanesMut<'a, R>,
    /// The variant's inputs.
    pub inputs: Planes<'a, R>,
    /// The base optimizer's state.
    pub state: PlanesMut<'a, R>,
    /// Whether it is perturbed.
    pub mark: Mark,
}

impl<'a, R> Flat<'a, R> {
    /// For a variant without memory and inputs and a base optimizer without state.
    pub fn new(params: &'a mut [R], grads: &'a mut [R], spare: &'a mut [R]) -> Self {
        let (memory, inputs, state) = (PlanesMut::none(), Planes::none(), PlanesMut::none());
        Self { params, grads, spare, memory, inputs, state, mark: Mark::default() }
    }
}

impl<R> Tensor<R> for Flat<'_, R> {
    fn segment(&mut self) -> SegmentMut<'_, R> {
        SegmentMut {
            group: 0,
            params: self.params,
            grads: self.grads,
            perturbed_grads: self.grads,
            spare: self.spare,
            memory: self.memory.lend(),
            inputs: self.inputs,
            state: self.state.lend(),
            mark: &mut self.mark,
        }
    }
}

impl<R> Segments<R> for Flat<'_, R> {
    fn visit(
        &mut self,
        visitor: &mut dyn FnMut(SegmentMut<'_, R>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        visitor(self.segment())
    }
}
