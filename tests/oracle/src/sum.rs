//! Norms, sums and dot products over all counted elements.
//!
//! The oracle's own sums are compensated (Neumaier) with exact squares, so their error is about one rounding whatever
//! the length. What an implementation may miss follows from its depth: the roundings that one term passes through in
//! the order of design.md, section 3.

use crate::number::Number;

/// Elements per chunk and lanes per chunk of the order of summation.
const CHUNK: usize = 2048;
const LANES: usize = 128;

/// The order of summation over a list of segments.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Order {
    /// Additions that round, on the longest way of a term into the sum.
    pub depth: f64,
}

impl Order {
    /// depth = (rows of the longest chunk - 1) + folds of its lanes + levels of the tree over chunks.
    ///
    /// Adding to +0.0 is exact: hence the -1, and no more folds or levels than there are terms to join.
    #[must_use]
    pub fn of(lengths: impl IntoIterator<Item = usize>) -> Self {
        let (mut longest, mut chunks) = (0, 0);
        for length in lengths {
            longest = longest.max(length.min(CHUNK));
            chunks += length.div_ceil(CHUNK);
        }
        let rows = longest.div_ceil(LANES).saturating_sub(1);
        Self { depth: rows as f64 + halvings(longest.min(LANES)) + halvings(chunks) }
    }
}

/// ceil(log2 n), 0 for n = 0.
fn halvings(n: usize) -> f64 {
    f64::from(n.max(1).next_power_of_two().trailing_zeros())
}

/// || t || = sqrt(sum of t_i^2), right for every magnitude: terms are divided by a power of two near the largest.
///
/// ```text
/// roundings = sum |t_i| r_i / N  +  N (1 + depth)/2  +  N      (terms; squares and additions; square root)
/// ```
///
/// Of a subnormal N the last is the smallest normal number: the oracle rounds it so itself.
#[must_use]
pub fn norm(terms: &[Number], order: Order) -> Number {
    if terms.iter().any(|t| t.value.is_nan()) {
        return Number::exact(f64::NAN);
    }
    let largest = terms.iter().fold(0.0, |largest, t| t.value.abs().max(largest));
    if largest == 0.0 || largest.is_infinite() {
        return Number::exact(largest);
    }
    let unit = power_of_two_below(largest);
    let mut sum = Compensated::default();
    for t in terms {
        sum.add_product(t.value / unit, t.value / unit);
    }
    let norm = unit * sum.total().sqrt();
    let inherited: f64 = terms.iter().map(|t| (t.value / norm).abs() * t.roundings).sum();
    Number {
        value: norm,
        roundings: inherited + norm * (1.0 + order.depth) / 2.0 + norm.max(f64::MIN_POSITIVE),
    }
}

/// sum of x_i; roundings = sum r_i + depth * sum |x_i|.
#[must_use]
pub fn sum(terms: &[Number], order: Order) -> Number {
    let mut sum = Compensated::default();
    for x in terms {
        sum.add(x.value);
    }
    let roundings = terms.iter().map(|x| x.roundings + order.depth * x.value.abs()).sum();
    Number { value: sum.total(), roundings }
}

/// sum of a_i b_i; roundings = (1 + depth) * sum |a_i b_i|, for exact a and b.
#[must_use]
pub fn dot(a: &[Vec<f64>], b: &[Vec<f64>]) -> Number {
    let order = Order::of(a.iter().map(Vec::len));
    let (mut sum, mut magnitude) = (Compensated::default(), 0.0);
    for (x, y) in a.iter().flatten().zip(b.iter().flatten()) {
        sum.add_product(*x, *y);
        magnitude += (x * y).abs();
    }
    Number { value: sum.total(), roundings: (1.0 + order.depth) * magnitude }
}

/// The global norm of a list of segments.
#[must_use]
pub fn norm_of(segments: &[Vec<f64>]) -> Number {
    let terms: Vec<Number> = segments.iter().flatten().map(|x| Number::exact(*x)).collect();
    norm(&terms, Order::of(segments.iter().map(Vec::len)))
}

/// The exponent alone, so that dividing by it is exact; the smallest normal number below the normal range.
fn power_of_two_below(magnitude: f64) -> f64 {
    const EXPONENT: u64 = 0x7ff0_0000_0000_0000;
    f64::from_bits(magnitude.to_bits() & EXPONENT).max(f64::MIN_POSITIVE)
}

/// A sum that keeps what each addition rounds away (Neumaier).
#[derive(Default)]
struct Compensated {
    high: f64,
    low: f64,
}

impl Compensated {
    fn add(&mut self, x: f64) {
        let sum = self.high + x;
        self.low +=
            if self.high.abs() >= x.abs() { (self.high - sum) + x } else { (x - sum) + self.high };
        self.high = sum;
    }

    /// a b as product and exact remainder.
    fn add_product(&mut self, a: f64, b: f64) {
        let product = a * b;
        self.add(product);
        if product.is_finite() {
            self.low += a.mul_add(b, -product);
        }
    }

    /// An infinity or NaN leaves nothing to compensate: infinity - infinity would hide which of the two it is.
    fn total(&self) -> f64 {
        if self.high.is_finite() { self.high + self.low } else { self.high }
    }
}
