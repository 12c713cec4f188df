//! [`SegmentMut`] and [`Segments`]: how a trainer shows its tensors to a [`Session`](crate::Session).

use crate::Error;
use crate::error::check_length;

/// One tensor and everything that belongs to it.
///
/// | slice | length | access |
/// | --- | --- | --- |
/// | `params` w | n | read and written |
/// | `grads` | n | read: g during the ascent, g~ during the descent |
/// | `backup` | n | written by the ascent, read by the restore |
/// | `memory` (M planes), `state` (S planes) | n | read and written |
/// | `inputs` (I planes) | n | read |
///
/// The backup may be empty where the group is not perturbed, unless its memory counts in the norm
/// ([`Group::counted_only`](crate::Group::counted_only) with a variant that has memory).
#[derive(Debug)]
pub struct SegmentMut<'a, R, const M: usize, const I: usize, const S: usize> {
    /// The index of its [`Group`](crate::Group).
    pub group: usize,
    /// w
    pub params: &'a mut [R],
    /// The gradient of the moment.
    pub grads: &'a [R],
    /// Keeps w while it is perturbed.
    pub backup: &'a mut [R],
    /// The variant's memory.
    pub memory: [&'a mut [R]; M],
    /// The variant's inputs.
    pub inputs: [&'a [R]; I],
    /// The base optimizer's state.
    pub state: [&'a mut [R]; S],
}

impl<R, const M: usize, const I: usize, const S: usize> SegmentMut<'_, R, M, I, S> {
    /// Every plane as long as `params`; the backup only where it is needed.
    pub(crate) fn check(&self, is_perturbed: bool) -> Result<(), Error> {
        let len = self.params.len();
        check_length("grads", len, self.grads.len())?;
        if is_perturbed {
            check_length("backup", len, self.backup.len())?;
        }
        self.memory.iter().try_for_each(|plane| check_length("memory", len, plane.len()))?;
        self.inputs.iter().try_for_each(|plane| check_length("inputs", len, plane.len()))?;
        self.state.iter().try_for_each(|plane| check_length("state", len, plane.len()))
    }
}

/// A model as a list of tensors, visited one at a time: nothing needs all slices at once, so a
/// framework that locks storage per tensor can implement it.
///
/// The order of the segments is the order of the norm; it must be the same in every visit.
///
/// ```
/// use presam::{Error, SegmentMut, Segments};
///
/// struct Tensor { w: Vec<f32>, g: Vec<f32>, backup: Vec<f32>, velocity: Vec<f32> }
/// struct Model(Vec<Tensor>);
///
/// impl Segments<f32, 0, 0, 1> for Model {
///     fn visit(
///         &mut self,
///         visitor: &mut dyn FnMut(SegmentMut<'_, f32, 0, 0, 1>) -> Result<(), Error>,
///     ) -> Result<(), Error> {
///         self.0.iter_mut().try_for_each(|t| visitor(SegmentMut {
///             group: 0, params: &mut t.w, grads: &t.g, backup: &mut t.backup,
///             memory: [], inputs: [], state: [&mut t.velocity],
///         }))
///     }
/// }
/// ```
pub trait Segments<R, const M: usize, const I: usize, const S: usize> {
    /// Hands every segment to `visitor`, stops at its first error and returns it.
    ///
    /// # Errors
    /// The visitor's.
    fn visit(
        &mut self,
        visitor: &mut dyn FnMut(SegmentMut<'_, R, M, I, S>) -> Result<(), Error>,
    ) -> Result<(), Error>;
}

/// A model in flat slices: one segment. [`Session::step`](crate::Session::step) hands it to the
/// closure, which reads `params` and writes `grads`.
#[derive(Debug)]
pub struct Flat<'a, R, const M: usize, const I: usize, const S: usize> {
    /// w
    pub params: &'a mut [R],
    /// The gradient, written by the closure.
    pub grads: &'a mut [R],
    /// Keeps w while it is perturbed.
    pub backup: &'a mut [R],
    /// The variant's memory.
    pub memory: [&'a mut [R]; M],
    /// The variant's inputs.
    pub inputs: [&'a [R]; I],
    /// The base optimizer's state.
    pub state: [&'a mut [R]; S],
}

impl<R, const M: usize, const I: usize, const S: usize> Segments<R, M, I, S>
    for Flat<'_, R, M, I, S>
{
    fn visit(
        &mut self,
        visitor: &mut dyn FnMut(SegmentMut<'_, R, M, I, S>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        visitor(SegmentMut {
            group: 0,
            params: self.params,
            grads: self.grads,
            backup: self.backup,
            memory: self.memory.each_mut().map(|plane| &mut **plane),
            inputs: self.inputs,
            state: self.state.each_mut().map(|plane| &mut **plane),
        })
    }
}
