//! What the tests share: a plain reference, a source of numbers, guarded buffers, bits.
#![allow(dead_code, reason = "each test package uses its own part")]

use presam_model::Scalar;

/// Bits of a float; every NaN is one class.
pub trait Bits: Scalar {
    fn bits(self) -> u64;
}

impl Bits for f32 {
    fn bits(self) -> u64 {
        if self.is_nan() { f32::NAN.to_bits().into() } else { self.to_bits().into() }
    }
}

impl Bits for f64 {
    fn bits(self) -> u64 {
        if self.is_nan() { f64::NAN.to_bits() } else { self.to_bits() }
    }
}

pub fn bits<T: Bits>(values: &[T]) -> Vec<u64> {
    values.iter().map(|value| value.bits()).collect()
}

/// FNV-1a over the bits, least significant byte first.
pub fn hash<T: Bits>(values: &[T]) -> u64 {
    let bytes = values.iter().flat_map(|value| value.bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Numbers in [-1, 1) from a 64-bit linear congruence: exact in both types.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn word(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 40
    }

    pub fn next<T: Scalar>(&mut self) -> T {
        T::from_f32(self.word() as f32 / 8_388_608.0 - 1.0)
    }

    pub fn many<T: Scalar>(&mut self, count: usize) -> Vec<T> {
        (0..count).map(|_| self.next()).collect()
    }

    pub fn labels(&mut self, count: usize, classes: usize) -> Vec<u16> {
        (0..count).map(|_| (self.word() as usize % classes) as u16).collect()
    }
}

/// A buffer with guard values behind it.
pub struct Guarded<T>(Vec<T>, usize);

const GUARDS: usize = 40;

impl<T: Bits> Guarded<T> {
    pub fn new(len: usize) -> Self {
        Self(vec![T::from_f32(-77.25); len + GUARDS], len)
    }

    pub fn slice(&mut self) -> &mut [T] {
        &mut self.0[..self.1]
    }

    pub fn assert_guards(&self) {
        let guards = &self.0[self.1..];
        assert!(guards.iter().all(|g| *g == T::from_f32(-77.25)), "written behind the end");
    }
}

pub struct Reference<T> {
    pub logits: Vec<T>,
    pub loss: T,
    pub grads: Vec<T>,
}

/// The documented sums as index loops, with nothing taken from the crate but `exp` and `log`.
pub fn reference<T: Scalar>(
    widths: &[usize],
    params: &[T],
    inputs: &[T],
    labels: &[u16],
) -> Reference<T> {
    let (batch, layers) = (labels.len(), widths.len() - 1);
    let mut offsets = vec![0];
    for l in 0..layers {
        offsets.push(offsets[l] + widths[l] * widths[l + 1] + widths[l + 1]);
    }
    let mut xs = vec![inputs.to_vec()];
    for l in 0..layers {
        let (rows, columns) = (widths[l], widths[l + 1]);
        let mut out = vec![T::ZERO; batch * columns];
        for b in 0..batch {
            for j in 0..columns {
                let mut z = params[offsets[l] + rows * columns + j];
                for k in 0..rows {
                    z = z + xs[l][b * rows + k] * params[offsets[l] + k * columns + j];
                }
                let cut = l + 1 < layers && z <= T::ZERO;
                out[b * columns + j] = if cut { T::ZERO } else { z };
            }
        }
        xs.push(out);
    }
    let logits = xs[layers].clone();
    let (loss, mut dz) = softmax(&logits, labels, widths[layers]);
    let mut grads = vec![T::ZERO; params.len()];
    for l in (0..layers).rev() {
        let (rows, columns, at) = (widths[l], widths[l + 1], offsets[l]);
        for j in 0..columns {
            for b in 0..batch {
                let slope = dz[b * columns + j];
                grads[at + rows * columns + j] = grads[at + rows * columns + j] + slope;
                for k in 0..rows {
                    let to = &mut grads[at + k * columns + j];
                    *to = *to + xs[l][b * rows + k] * slope;
                }
            }
        }
        let mut dx = vec![T::ZERO; batch * rows];
        for b in 0..batch {
            for k in 0..rows {
                let mut sum = T::ZERO;
                for j in 0..columns {
                    sum = sum + dz[b * columns + j] * params[at + k * columns + j];
                }
                dx[b * rows + k] = if xs[l][b * rows + k] == T::ZERO { T::ZERO } else { sum };
            }
        }
        dz = dx;
    }
    Reference { logits, loss, grads }
}

fn softmax<T: Scalar>(logits: &[T], labels: &[u16], classes: usize) -> (T, Vec<T>) {
    let batch = T::from_count(labels.len());
    let mut total = T::ZERO;
    let mut slopes = vec![];
    for (b, &label) in labels.iter().enumerate() {
        let row = &logits[b * classes..(b + 1) * classes];
        let mut max = row[0];
        for &z in &row[1..] {
            if z > max {
                max = z;
            }
        }
        let mut sum = T::ZERO;
        for &z in row {
            sum = sum + (z - max).libm_exp();
        }
        total = total + (sum.libm_log() - (row[usize::from(label)] - max));
        for (j, &z) in row.iter().enumerate() {
            let target = if j == usize::from(label) { T::ONE } else { T::ZERO };
            slopes.push(((z - max).libm_exp() / sum - target) / batch);
        }
    }
    (total / batch, slopes)
}
