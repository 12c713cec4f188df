//! [`Draw`]: numbers, lengths and planes from a fuzzer's bytes.

use arbitrary::Unstructured;
use presam_conformance::Scalar;
use presam_conformance::generate::{BOUNDARIES, special};

/// The bytes of one input, used up from the front.
#[derive(Debug)]
pub struct Draw<'a>(Unstructured<'a>);

/// Which numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Zero, or a magnitude from 2^-10 to 8: the oracle's bounds hold.
    Tame,
    /// Any bits, the special ones often.
    Any,
}

/// The smallest magnitude of a tame number that is not zero.
const SMALLEST: f64 = 1.0 / 1024.0;

fn cleaned<R: Scalar>(value: f64) -> R {
    R::from_f64(if value.abs() < SMALLEST { 0.0 } else { value })
}

impl<'a> Draw<'a> {
    /// From the first byte on.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(Unstructured::new(bytes))
    }

    /// Whether nothing is left: all further draws are zero.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.0.is_empty()
    }

    /// A number below `limit`; 0 where that is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0.int_in_range(0..=limit.saturating_sub(1)).unwrap_or(0)
    }

    /// One of two; false once the bytes are used up.
    pub fn flag(&mut self) -> bool {
        self.below(2) == 1
    }

    /// True once in `times`, never once the bytes are used up.
    pub fn rarely(&mut self, times: usize) -> bool {
        self.below(times) + 1 == times
    }

    /// Eight bytes.
    pub fn bits(&mut self) -> u64 {
        self.0.arbitrary().unwrap_or(0)
    }

    /// One of `values`, which must not be empty.
    pub fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    /// Any number that `kind` has.
    pub fn number<R: Scalar>(&mut self, kind: Kind) -> R {
        match (kind, self.below(4)) {
            (Kind::Any, 0) => self.pick(&special::<R>()),
            (Kind::Any, 1) => R::from_bits(self.bits()),
            (Kind::Any, 2) => {
                R::from_f64(self.pick(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 1.0]))
            }
            // Few bytes, so that a fuzzer gets far: sixteenths, and numbers with a long mantissa.
            (_, 0..=1) => R::from_f64(f64::from(self.byte().cast_signed()) / 16.0),
            _ => cleaned(f64::from((self.bits() as u32).cast_signed()) / f64::from(1 << 28)),
        }
    }

    fn byte(&mut self) -> u8 {
        self.0.arbitrary().unwrap_or(0)
    }

    /// Any f64 at all: a setting as a file may have it.
    pub fn setting(&mut self) -> f64 {
        match self.below(4) {
            0 => f64::from_bits(self.bits()),
            1 => f64::from(f32::from_bits(self.bits() as u32)),
            2 => {
                self.pick(&[0.0, -0.0, 1.0, f64::NAN, f64::INFINITY, -1.0, 5e-324, 2_147_483_648.0])
            }
            _ => f64::from(self.byte()) / 256.0,
        }
    }

    /// Mostly small; sometimes one at which loops change their ways.
    pub fn length(&mut self) -> usize {
        match self.below(8) {
            7 => self.pick(BOUNDARIES),
            6 => self.below(300),
            _ => self.below(20),
        }
    }

    /// A plane: short ones number by number, long ones from a seed and some drawn numbers.
    pub fn plane<R: Scalar>(&mut self, length: usize, kind: Kind) -> Vec<R> {
        const DRAWN: usize = 20;
        if length < DRAWN {
            return (0..length).map(|_| self.number(kind)).collect();
        }
        let mut seeded = Seeded(self.bits());
        let mut plane: Vec<R> = (0..length).map(|_| seeded.tame()).collect();
        for _ in 0..self.below(8) {
            let (at, number) = (self.below(length), self.number(kind));
            plane[at] = number;
        }
        plane
    }
}

/// Tame numbers from a seed.
struct Seeded(u64);

impl Seeded {
    /// Uniform in (-2, 2), one in sixteen zero.
    fn tame<R: Scalar>(&mut self) -> R {
        // Knuth's constants; the high bits are the good ones.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bits = self.0 >> 11;
        if bits.is_multiple_of(16) {
            R::from_f64(0.0)
        } else {
            cleaned(bits as f64 / (1_u64 << 51) as f64 - 2.0)
        }
    }
}
