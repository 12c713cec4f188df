//! [`FixedSam`]: a whole optimizer with its buffers inside, for firmware.

use crate::erased::{DynBase, DynVariant};
use crate::error::{Error, check_length};
use crate::group::Group;
use crate::planes::PlanesMut;
use crate::real::Real;
use crate::session::{Flat, Form, Point, Session, StepReport};
use heapless::Vec;

/// A [`Session`] that owns its buffers, for models of at most `N` parameters in one slice.
///
/// `M` planes of memory and `S` of state, as many as the variant and the base optimizer have: other
/// numbers are an [`Error::Planes`] at the first step. Floats held: `N * (2 + M + S)` (gradient, spare,
/// memory, state), no heap. The session is public: set its length rule, learning rate or counters there.
///
/// ```
/// use presam::{Cpu, FixedSam, Group, Sam, Session, Sgd};
///
/// let session = Session::new(Cpu::plain(), Sam::new(), Sgd::new(0.1f32)?.with_momentum(0.5)?);
/// let mut sam: FixedSam<f32, _, _, 16, 0, 1> = FixedSam::new(session);
/// let mut w = [3.0, 4.0];
/// for _ in 0..100 {
///     sam.step(&mut w, Group::new(0.05)?, |w, g| {
///         for (g, w) in g.iter_mut().zip(w) { *g = 2.0 * w } // of |w|^2
///     })?;
/// }
/// assert!(w.iter().all(|w| w.abs() < 0.1));
/// # Ok::<(), presam::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct FixedSam<R, V, B, const N: usize, const M: usize, const S: usize> {
    /// The variant, the base optimizer and their counters.
    pub session: Session<R, V, B>,
    grads: Vec<R, N>,
    spare: Vec<R, N>,
    memory: [Vec<R, N>; M],
    state: [Vec<R, N>; S],
}

impl<R: Real, V, B, const N: usize, const M: usize, const S: usize> FixedSam<R, V, B, N, M, S>
where
    V: DynVariant<R>,
    B: DynBase<R>,
{
    /// Before the first step; memory and state are zero.
    pub fn new(session: Session<R, V, B>) -> Self {
        Self {
            session,
            grads: Vec::new(),
            spare: Vec::new(),
            memory: core::array::from_fn(|_| Vec::new()),
            state: core::array::from_fn(|_| Vec::new()),
        }
    }

    /// The memory planes of a model of `len` parameters, to save or to load a checkpoint.
    ///
    /// # Errors
    /// [`Error::Capacity`] for more than `N` parameters, [`Error::Length`] where it had another number.
    pub fn memory(&mut self, len: usize) -> Result<[&mut [R]; M], Error> {
        self.reserve(len)?;
        Ok(self.memory.each_mut().map(Vec::as_mut_slice))
    }

    /// The base optimizer's state planes, likewise.
    ///
    /// # Errors
    /// As [`memory`](FixedSam::memory).
    pub fn state(&mut self, len: usize) -> Result<[&mut [R]; S], Error> {
        self.reserve(len)?;
        Ok(self.state.each_mut().map(Vec::as_mut_slice))
    }

    /// Fills the buffers at the first call, checks their length at every one.
    fn reserve(&mut self, len: usize) -> Result<(), Error> {
        if self.grads.is_empty() {
            let full = Error::Capacity { expected: N, found: len };
            let buffers = [&mut self.grads, &mut self.spare].into_iter();
            for buffer in buffers.chain(&mut self.memory).chain(&mut self.state) {
                buffer.resize(len, R::ZERO).map_err(|_| full)?;
            }
        }
        check_length("params", self.grads.len(), len)
    }

    /// One whole step; `gradient(params, grads)` is called as [`Session::step`] calls it, twice for most rules, and
    /// must write all of `grads`.
    ///
    /// # Errors
    /// [`Error::Capacity`] for more than `N` parameters, [`Error::Length`] where their number changes
    /// between steps, [`Error::Planes`] where the rule has not `M` planes of memory and none of inputs, or
    /// the base optimizer not `S`; nothing is changed.
    pub fn step(
        &mut self,
        params: &mut [R],
        group: Group<R>,
        mut gradient: impl FnMut(&[R], &mut [R]),
    ) -> Result<StepReport<R>, Error> {
        self.reserve(params.len())?;
        let form = self.session.form;
        let mut model = Flat {
            memory: PlanesMut::of(&mut self.memory),
            state: PlanesMut::of(&mut self.state),
            ..Flat::new(params, &mut self.grads, &mut self.spare)
        };
        self.session.step(&[group], &mut model, |model, point| {
            let out_of_place = form == Form::OutOfPlace && point == Point::Perturbed;
            gradient(if out_of_place { model.spare } else { model.params }, model.grads);
            Ok(())
        })
    }
}
