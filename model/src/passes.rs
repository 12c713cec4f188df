//! The two passes and the checks before them. Behind the checks every cut is exact.

use crate::error::{Error, check_labels, check_length};
use crate::mlp::Mlp;
use crate::scalar::Scalar;
use crate::slices::{cut, cut_end, cut_end_mut, cut_mut};
use crate::task::{Affine, Left, Product, Right, Slope, Sum};

impl Mlp<'_> {
    /// Elements that hold the results of all layers for a batch.
    pub(crate) fn activations_len(&self, batch: usize) -> usize {
        let units = self.widths().iter().skip(1).fold(0, |sum: usize, &w| sum.saturating_add(w));
        units.saturating_mul(batch)
    }

    pub(crate) fn check<T>(
        &self,
        params: &[T],
        inputs: &[T],
        batch: usize,
        scratch: &[T],
    ) -> Result<(), Error> {
        if batch == 0 {
            return Err(Error::EmptyBatch);
        }
        check_length("params", self.param_count(), params.len())?;
        check_length("inputs", batch.saturating_mul(self.inputs()), inputs.len())?;
        let (expected, found) = (self.scratch_len(batch), scratch.len());
        if found < expected { Err(Error::Scratch { expected, found }) } else { Ok(()) }
    }

    pub(crate) fn check_labels<L: Copy + Into<usize>>(
        &self,
        labels: &[L],
        batch: usize,
    ) -> Result<(), Error> {
        check_length("labels", batch, labels.len())?;
        check_labels(labels, self.classes())
    }

    /// `activations` becomes the results of all layers, one after another; the last are the logits.
    pub(crate) fn forward_pass<T: Scalar>(
        &self,
        params: &[T],
        inputs: &[T],
        batch: usize,
        activations: &mut [T],
        panel: &mut [T],
    ) {
        let (mut x, mut params, mut room) = (inputs, params, activations);
        for pair in self.widths().windows(2) {
            let &[rows, columns] = pair else { continue };
            let (weight, rest) = cut(params, rows.saturating_mul(columns));
            let (bias, rest) = cut(rest, columns);
            let (out, room_after) = cut_mut(room, columns.saturating_mul(batch));
            self.affine(x, weight, bias, rest.is_empty(), out, panel);
            (x, params, room) = (out, rest, room_after);
        }
    }

    /// `out = x W + b`, through a relu unless this is the last layer.
    fn affine<T: Scalar>(
        &self,
        x: &[T],
        weight: &[T],
        bias: &[T],
        last: bool,
        out: &mut [T],
        panel: &mut [T],
    ) {
        let columns = bias.len();
        let product = Product {
            sums: weight.len() / columns.max(1),
            columns,
            a: x,
            left: Left::Rows,
            b: weight,
            right: Right::Rows,
            start: bias,
            finish: Affine { last },
            out,
            panel,
        };
        T::affine(self.level(), product);
    }

    /// From the slope at the logits to every gradient; `below` holds the hidden results and is used up.
    pub(crate) fn backward_pass<T: Scalar>(
        &self,
        params: &[T],
        inputs: &[T],
        batch: usize,
        (below, slope): (&mut [T], &mut [T]),
        grads: &mut [T],
        panel: &mut [T],
    ) {
        let (mut below, mut slope) = (below, slope);
        let (mut params, mut grads) = (params, grads);
        for pair in self.widths().windows(2).rev() {
            let &[rows, columns] = pair else { continue };
            let (rest, _bias) = cut_end(params, columns);
            let (rest, weight) = cut_end(rest, rows.saturating_mul(columns));
            let (grads_rest, bias_grad) = cut_end_mut(grads, columns);
            let (grads_rest, weight_grad) = cut_end_mut(grads_rest, rows.saturating_mul(columns));
            // The first layer has no result below it: its x is the input, whose slope nobody needs.
            let first = below.is_empty();
            let (below_rest, hidden) = cut_end_mut(below, rows.saturating_mul(batch));
            let x = if first { inputs } else { &*hidden };
            self.layer_gradient(x, slope, weight_grad, bias_grad, panel);
            if !first {
                self.slope_below(weight, slope, columns, hidden, panel);
            }
            (below, slope, params, grads) = (below_rest, hidden, rest, grads_rest);
        }
    }

    /// `dW[k][j] = Σ_b x[b][k] * dz[b][j]` and `db[j] = Σ_b dz[b][j]`.
    fn layer_gradient<T: Scalar>(
        &self,
        x: &[T],
        slope: &[T],
        weight_grad: &mut [T],
        bias_grad: &mut [T],
        panel: &mut [T],
    ) {
        let columns = bias_grad.len();
        bias_grad.fill(T::ZERO);
        T::add_rows(bias_grad, slope);
        let product = Product {
            sums: slope.len() / columns.max(1),
            columns,
            a: x,
            left: Left::Columns,
            b: slope,
            right: Right::Rows,
            start: &[],
            finish: Sum,
            out: weight_grad,
            panel,
        };
        T::gradient(self.level(), product);
    }

    /// `dx[b][k] = Σ_j dz[b][j] * W[k][j]` through the relu whose results `hidden` holds: they become
    /// the slope at that relu's argument.
    fn slope_below<T: Scalar>(
        &self,
        weight: &[T],
        slope: &[T],
        outputs: usize,
        hidden: &mut [T],
        panel: &mut [T],
    ) {
        let product = Product {
            sums: outputs,
            columns: weight.len() / outputs.max(1),
            a: slope,
            left: Left::Rows,
            b: weight,
            right: Right::Columns,
            start: &[],
            finish: Slope,
            out: hidden,
            panel,
        };
        T::slope(self.level(), product);
    }
}
