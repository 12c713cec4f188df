//! The one matrix product behind forward and backward pass.
//!
//! ```text
//! out[m][n] = finish(out[m][n], start[n] + Σ_k a(m, k) * b(k, n)),    k increasing
//! ```
//!
//! Every result is summed in increasing `k`, one rounded product after another, so the bits do not
//! depend on how results are grouped. They are grouped as follows, for speed alone:
//!
//! - columns go in *panels* of N neighbours. A panel of `b` is copied once, [k][N] without gaps, the
//!   last one padded with zeros: the inner loop then has no bounds check and no tail, and a transposed
//!   `b` costs no more than a plain one;
//! - rows go in blocks of [`ROWS`]: a block times a panel is a tile of sums that stays in registers.

use crate::element::{cross_entropy, cross_entropy_slope, largest, relu, relu_slope};
use crate::level::{Level, Work};
use crate::scalar::{Loops, Scalar};
use crate::slices::{blocks, blocks_mut, cut_mut, rows, rows_mut};
use crate::task::{Affine, Left, Product, Right, Slope, Sum};

/// Rows of a tile. Four rows of two registers leave room for a panel row in 16 registers.
const ROWS: usize = 4;

/// What becomes of a sum.
pub(crate) trait Finish<T>: Copy {
    /// The element of `out`, from its old value and the sum.
    fn finish(self, old: T, sum: T) -> T;
}

impl<T: Scalar> Finish<T> for Affine {
    // A select, so that both kinds of layer share one compiled product.
    #[inline(always)]
    fn finish(self, _: T, sum: T) -> T {
        if self.last { sum } else { relu(sum) }
    }
}

impl<T: Scalar> Finish<T> for Sum {
    #[inline(always)]
    fn finish(self, _: T, sum: T) -> T {
        sum
    }
}

impl<T: Scalar> Finish<T> for Slope {
    #[inline(always)]
    fn finish(self, old: T, sum: T) -> T {
        relu_slope(old, sum)
    }
}

macro_rules! compiled_here {
    ($($T:ty),*) => {$(
        impl Loops for $T {
            fn affine(level: Level, product: Product<'_, Self, Affine>) {
                level.run(product);
            }

            fn gradient(level: Level, product: Product<'_, Self, Sum>) {
                level.run(product);
            }

            fn slope(level: Level, product: Product<'_, Self, Slope>) {
                level.run(product);
            }

            fn add_rows(sums: &mut [Self], added: &[Self]) {
                for row in rows(added, sums.len()) {
                    sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += value);
                }
            }

            fn largest(logits: &[Self]) -> (usize, Self) {
                largest(logits)
            }

            fn cross_entropy(logits: &[Self], label: usize) -> Self {
                cross_entropy(logits, label)
            }

            fn cross_entropy_slope(logits: &mut [Self], label: usize, batch: Self) -> Self {
                cross_entropy_slope(logits, label, batch)
            }
        }
    )*};
}
compiled_here!(f32, f64);

impl<T: Scalar, F: Finish<T>> Work for Product<'_, T, F> {
    const DOUBLE: bool = size_of::<T>() == 8;

    #[inline(always)]
    fn run<const N: usize>(self) {
        let (room, _) = self.panel.as_chunks_mut::<N>();
        let (panel, _) = cut_mut(room, self.sums);
        for at in (0..self.columns).step_by(N) {
            match self.right {
                Right::Rows => pack_rows(self.b, self.columns, at, panel),
                Right::Columns => pack_columns(self.b, self.sums, at, panel),
            }
            let start = padded::<T, N>(self.start.get(at..).unwrap_or_default());
            let strip = Strip { panel, start, at, columns: self.columns };
            match self.left {
                Left::Rows => strip.by_rows(self.a, self.out, self.finish),
                Left::Columns => strip.by_columns(self.a, self.out, self.finish),
            }
        }
    }
}

/// The first N elements, zeros where there are fewer.
#[inline(always)]
fn padded<T: Scalar, const N: usize>(from: &[T]) -> [T; N] {
    if let Some(whole) = from.first_chunk::<N>() {
        return *whole;
    }
    let mut row = [T::ZERO; N];
    for (to, &value) in row.iter_mut().zip(from) {
        *to = value;
    }
    row
}

/// `panel[k][i] = b[k * columns + at + i]`
#[inline(always)]
fn pack_rows<T: Scalar, const N: usize>(b: &[T], columns: usize, at: usize, panel: &mut [[T; N]]) {
    for (to, row) in panel.iter_mut().zip(rows(b, columns)) {
        *to = padded(row.get(at..).unwrap_or_default());
    }
}

/// `panel[k][i] = b[(at + i) * sums + k]`
#[inline(always)]
fn pack_columns<T: Scalar, const N: usize>(b: &[T], sums: usize, at: usize, panel: &mut [[T; N]]) {
    let mut columns = rows(b, sums).skip(at);
    for i in 0..N {
        let row = columns.next().unwrap_or_default();
        let values = row.iter().copied().chain(core::iter::repeat(T::ZERO));
        for (to, value) in panel.iter_mut().zip(values) {
            if let Some(to) = to.get_mut(i) {
                *to = value;
            }
        }
    }
}

/// N columns of the result, from column `at`.
struct Strip<'a, T, const N: usize> {
    panel: &'a [[T; N]],
    start: [T; N],
    at: usize,
    columns: usize,
}

impl<T: Scalar, const N: usize> Strip<'_, T, N> {
    #[inline(always)]
    fn by_rows<F: Finish<T>>(&self, a: &[T], out: &mut [T], finish: F) {
        let sums = self.panel.len();
        let blocks_out = blocks_mut(out, self.columns.saturating_mul(ROWS));
        for (out, a) in blocks_out.zip(blocks(a, sums.saturating_mul(ROWS))) {
            let mut quad = rows(a, sums);
            if let (Some(p), Some(q), Some(r), Some(s)) =
                (quad.next(), quad.next(), quad.next(), quad.next())
            {
                let quads = p.iter().zip(q).zip(r).zip(s);
                let quads = quads.map(|(((&p, &q), &r), &s)| [p, q, r, s]);
                self.store(self.tile::<ROWS>(quads), out, finish);
            } else {
                for (out, a) in rows_mut(out, self.columns).zip(rows(a, sums)) {
                    self.store(self.tile(a.iter().map(|&x| [x])), out, finish);
                }
            }
        }
    }

    #[inline(always)]
    fn by_columns<F: Finish<T>>(&self, a: &[T], out: &mut [T], finish: F) {
        let rows = a.len() / self.panel.len().max(1);
        let blocks_out = blocks_mut(out, self.columns.saturating_mul(ROWS));
        for (first, out) in (0..rows).step_by(ROWS).zip(blocks_out) {
            if first.saturating_add(ROWS) <= rows {
                self.store(self.tile::<ROWS>(columns_from(a, rows, first)), out, finish);
            } else {
                for (row, out) in (first..rows).zip(rows_mut(out, self.columns)) {
                    self.store(self.tile::<1>(columns_from(a, rows, row)), out, finish);
                }
            }
        }
    }

    /// M rows of sums: `start[i] + Σ_k a[k][m] * panel[k][i]`.
    #[inline(always)]
    fn tile<const M: usize>(&self, a: impl Iterator<Item = [T; M]>) -> [[T; N]; M] {
        let mut tile = [self.start; M];
        for (b, a) in self.panel.iter().zip(a) {
            for (sums, x) in tile.iter_mut().zip(a) {
                for (sum, &y) in sums.iter_mut().zip(b) {
                    *sum = *sum + x * y;
                }
            }
        }
        tile
    }

    /// Writes a tile's rows to their columns of `out`; padding falls off the end.
    #[inline(always)]
    fn store<F: Finish<T>, const M: usize>(&self, tile: [[T; N]; M], out: &mut [T], finish: F) {
        for (sums, row) in tile.iter().zip(rows_mut(out, self.columns)) {
            let row = row.get_mut(self.at..).unwrap_or_default();
            for (to, &sum) in row.iter_mut().zip(sums) {
                *to = finish.finish(*to, sum);
            }
        }
    }
}

/// For each `k`: the M neighbours `a[k * rows + first ..]`.
#[inline(always)]
fn columns_from<T: Scalar, const M: usize>(
    a: &[T],
    rows: usize,
    first: usize,
) -> impl Iterator<Item = [T; M]> {
    let from_first = a.get(first..).unwrap_or_default();
    blocks(from_first, rows).filter_map(|row| row.first_chunk::<M>().copied())
}
