//! The network: its shape, and what can be asked of it.

use crate::error::{Error, check_length};
use crate::level::{Level, MOST_COLUMNS};
use crate::scalar::Scalar;
use crate::segment::Segments;
use crate::slices::{cut_end, cut_end_mut, cut_mut, rows, rows_mut};

/// A multilayer perceptron: its widths and the instructions it may use. Numbers live with the caller.
///
/// Every method checks every length and label before it writes; an `Err` leaves all slices as they were.
#[derive(Clone, Copy, Debug)]
pub struct Mlp<'w> {
    widths: &'w [usize],
    inputs: usize,
    classes: usize,
    params: usize,
    level: Level,
}

impl<'w> Mlp<'w> {
    /// A network of these widths: inputs, hidden layers, classes. It runs at [`Level::detect`].
    ///
    /// ```
    /// use presam_model::{Error, Mlp};
    ///
    /// assert_eq!(Mlp::new(&[64, 128, 10])?.param_count(), 64 * 128 + 128 + 128 * 10 + 10);
    /// assert_eq!(Mlp::new(&[64, 0, 10]).err(), Some(Error::ZeroWidth { index: 1 }));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::FewWidths`] for fewer than two widths, [`Error::ZeroWidth`], [`Error::TooLarge`].
    pub fn new(widths: &'w [usize]) -> Result<Self, Error> {
        let &[inputs, .., classes] = widths else {
            return Err(Error::FewWidths { found: widths.len() });
        };
        if let Some(index) = widths.iter().position(|&width| width == 0) {
            return Err(Error::ZeroWidth { index });
        }
        let mut params = 0_usize;
        for pair in widths.windows(2) {
            let &[rows, columns] = pair else { continue };
            // (rows + 1) * columns: the matrix and the bias.
            let layer = rows.checked_add(1).and_then(|rows| rows.checked_mul(columns));
            params = layer.and_then(|layer| params.checked_add(layer)).ok_or(Error::TooLarge)?;
        }
        Ok(Self { widths, inputs, classes, params, level: Level::detect() })
    }

    /// The same network at another level; no bit of a result changes.
    pub fn with_level(self, level: Level) -> Self {
        Self { level, ..self }
    }

    /// The level in use.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The widths: inputs, hidden layers, classes.
    pub fn widths(&self) -> &'w [usize] {
        self.widths
    }

    /// Length of one example.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Number of classes, the length of one row of logits.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Length of the parameter slice.
    pub fn param_count(&self) -> usize {
        self.params
    }

    /// The tensors of the parameter slice, in order.
    ///
    /// ```
    /// use presam_model::Mlp;
    ///
    /// let mlp = Mlp::new(&[5, 4, 3])?;
    /// let biases: usize = mlp.segments().filter(|s| s.is_bias).map(|s| s.len).sum();
    /// assert_eq!(biases, 4 + 3);
    /// assert_eq!(mlp.segments().map(|s| s.len).sum::<usize>(), mlp.param_count());
    /// # Ok::<(), presam_model::Error>(())
    /// ```
    pub fn segments(&self) -> Segments<'w> {
        Segments::new(self.widths)
    }

    /// Length of scratch for this batch: the results of all layers and one panel (see `product`).
    ///
    /// Saturates: what cannot be counted can neither be allocated.
    ///
    /// ```
    /// use presam_model::Mlp;
    ///
    /// let mlp = Mlp::new(&[64, 128, 10])?;
    /// assert!(mlp.scratch_len(1) < mlp.param_count() / 3); // fits beside the weights
    /// # Ok::<(), presam_model::Error>(())
    /// ```
    pub fn scratch_len(&self, batch: usize) -> usize {
        let longest = self.widths.iter().fold(batch, |longest, &width| longest.max(width));
        self.activations_len(batch).saturating_add(longest.saturating_mul(MOST_COLUMNS))
    }

    /// The logits, `batch` rows of [`Mlp::classes`], in the part of `scratch` that is returned.
    ///
    /// | slice | length | |
    /// | --- | --- | --- |
    /// | `params` | [`Mlp::param_count`] | read |
    /// | `inputs` | `batch *` [`Mlp::inputs`] | read |
    /// | `scratch` | [`Mlp::scratch_len`] or more | written |
    ///
    /// ```
    /// use presam_model::Mlp;
    ///
    /// let params = [1.0_f32, 2.0, 3.0, 4.0, 0.5, -0.5]; // W = [[1, 2], [3, 4]], b = [0.5, -0.5]
    /// let mut scratch = [0.0; 64];
    /// let logits = Mlp::new(&[2, 2])?.forward(&params, &[1.0, 10.0], 1, &mut scratch)?;
    /// assert_eq!(logits, [31.5, 41.5]);
    /// # Ok::<(), presam_model::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Length`], [`Error::Scratch`] or [`Error::EmptyBatch`], before anything is written.
    pub fn forward<'s, T: Scalar>(
        &self,
        params: &[T],
        inputs: &[T],
        batch: usize,
        scratch: &'s mut [T],
    ) -> Result<&'s [T], Error> {
        self.check(params, inputs, batch, scratch)?;
        let (activations, room) = cut_mut(scratch, self.activations_len(batch));
        self.forward_pass(params, inputs, batch, activations, room);
        let (_, logits) = cut_end(activations, batch.saturating_mul(self.classes));
        Ok(logits)
    }

    /// The class of the largest logit for each example, the lower class where two are equal.
    ///
    /// `classes` has one element per example and is written; the rest is as in [`Mlp::forward`].
    ///
    /// ```
    /// use presam_model::Mlp;
    ///
    /// let params = [1.0_f32, 2.0, 3.0, 4.0, 0.5, -0.5];
    /// let (mut classes, mut scratch) = ([0; 2], [0.0; 64]);
    /// let mlp = Mlp::new(&[2, 2])?;
    /// mlp.predict(&params, &[1.0, 10.0, -9.0, 1.0], &mut classes, &mut scratch)?;
    /// assert_eq!(classes, [1, 0]);
    /// # Ok::<(), presam_model::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Mlp::forward`].
    pub fn predict<T: Scalar>(
        &self,
        params: &[T],
        inputs: &[T],
        classes: &mut [usize],
        scratch: &mut [T],
    ) -> Result<(), Error> {
        let logits = self.forward(params, inputs, classes.len(), scratch)?;
        for (class, row) in classes.iter_mut().zip(rows(logits, self.classes)) {
            *class = T::largest(row).0;
        }
        Ok(())
    }

    /// How many examples get their label from the largest logit.
    ///
    /// Slices as in [`Mlp::loss`].
    ///
    /// ```
    /// use presam_model::Mlp;
    ///
    /// let params = [1.0_f32, 2.0, 3.0, 4.0, 0.5, -0.5];
    /// let mut scratch = [0.0; 64];
    /// let mlp = Mlp::new(&[2, 2])?;
    /// let right = mlp.correct_count(&params, &[1.0, 10.0, -9.0, 1.0], &[1_u8, 1], 2, &mut scratch)?;
    /// assert_eq!(right, 1);
    /// # Ok::<(), presam_model::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Mlp::loss`].
    pub fn correct_count<T: Scalar, L: Copy + Into<usize>>(
        &self,
        params: &[T],
        inputs: &[T],
        labels: &[L],
        batch: usize,
        scratch: &mut [T],
    ) -> Result<usize, Error> {
        self.check_labels(labels, batch)?;
        let logits = self.forward(params, inputs, batch, scratch)?;
        let pairs = rows(logits, self.classes).zip(labels);
        Ok(pairs.filter(|&(row, &label)| T::largest(row).0 == label.into()).count())
    }

    /// Softmax cross-entropy, the mean over the batch.
    ///
    /// `labels` has one class per example (`u8`, `u16` or `usize`); the rest is as in
    /// [`Mlp::forward`]. A loss that is not finite is a value, not an error.
    ///
    /// ```
    /// use presam_model::Mlp;
    ///
    /// let mut scratch = [0.0; 128];
    /// let loss = Mlp::new(&[2, 4])?.loss(&[0.0_f64; 12], &[1.0, 2.0], &[3_u8], 1, &mut scratch)?;
    /// assert_eq!(loss, libm::log(4.0));
    /// # Ok::<(), presam_model::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Length`], [`Error::Label`], [`Error::Scratch`] or [`Error::EmptyBatch`], before anything
    /// is written.
    pub fn loss<T: Scalar, L: Copy + Into<usize>>(
        &self,
        params: &[T],
        inputs: &[T],
        labels: &[L],
        batch: usize,
        scratch: &mut [T],
    ) -> Result<T, Error> {
        self.check_labels(labels, batch)?;
        let logits = self.forward(params, inputs, batch, scratch)?;
        let mut sum = T::ZERO;
        for (row, &label) in rows(logits, self.classes).zip(labels) {
            sum = sum + T::cross_entropy(row, label.into());
        }
        Ok(sum / T::from_count(batch))
    }

    /// The loss as [`Mlp::loss`] gives it, and its gradient, which overwrites `grads`.
    ///
    /// `grads` has [`Mlp::param_count`] elements in the order of `params`.
    ///
    /// ```
    /// use presam_model::Mlp;
    ///
    /// let mlp = Mlp::new(&[1, 2])?;
    /// let (mut grads, mut scratch) = ([0.0_f64; 4], [0.0; 64]);
    /// mlp.loss_and_gradient(&[0.0; 4], &[3.0], &[0_u8], 1, &mut grads, &mut scratch)?;
    /// assert_eq!(grads, [-1.5, 1.5, -0.5, 0.5]); // x * (p - y), then p - y
    /// # Ok::<(), presam_model::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Mlp::loss`].
    pub fn loss_and_gradient<T: Scalar, L: Copy + Into<usize>>(
        &self,
        params: &[T],
        inputs: &[T],
        labels: &[L],
        batch: usize,
        grads: &mut [T],
        scratch: &mut [T],
    ) -> Result<T, Error> {
        check_length("grads", self.params, grads.len())?;
        self.check_labels(labels, batch)?;
        self.check(params, inputs, batch, scratch)?;

        let (activations, room) = cut_mut(scratch, self.activations_len(batch));
        self.forward_pass(params, inputs, batch, activations, room);
        let (below, logits) = cut_end_mut(activations, batch.saturating_mul(self.classes));
        let count = T::from_count(batch);
        let mut sum = T::ZERO;
        for (row, &label) in rows_mut(logits, self.classes).zip(labels) {
            sum = sum + T::cross_entropy_slope(row, label.into(), count);
        }
        self.backward_pass(params, inputs, batch, (below, logits), grads, room);
        Ok(sum / count)
    }
}
