//! What a product is asked for: the slices, how they lie, what becomes of a sum.

/// How `a(m, k)` lies in its slice.
#[derive(Clone, Copy)]
pub enum Left {
    /// Row-major: `a[m * sums + k]`.
    Rows,
    /// Transposed: `a[k * rows + m]`.
    Columns,
}

/// How `b(k, n)` lies in its slice.
#[derive(Clone, Copy)]
pub enum Right {
    /// Row-major: `b[k * columns + n]`.
    Rows,
    /// Transposed: `b[n * sums + k]`.
    Columns,
}

/// A layer's result: through a relu unless it is the last one.
#[derive(Clone, Copy)]
pub struct Affine {
    pub(crate) last: bool,
}

/// The sum itself.
#[derive(Clone, Copy)]
pub struct Sum;

/// The slope at the argument of the relu whose result is the old value.
#[derive(Clone, Copy)]
pub struct Slope;

/// A product and where it goes.
pub struct Product<'a, T, F> {
    /// Length of each sum, the range of `k`.
    pub(crate) sums: usize,
    /// Length of a row of `out`, the range of `n`.
    pub(crate) columns: usize,
    pub(crate) a: &'a [T],
    pub(crate) left: Left,
    pub(crate) b: &'a [T],
    pub(crate) right: Right,
    /// Where the sums start; `+0.0` past its end.
    pub(crate) start: &'a [T],
    pub(crate) finish: F,
    pub(crate) out: &'a mut [T],
    /// Room for one panel.
    pub(crate) panel: &'a mut [T],
}
