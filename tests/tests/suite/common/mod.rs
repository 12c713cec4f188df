//! What several tests share.

use presam::Real;
use presam_backends::Layer;

/// A linear congruential generator.
pub struct Random(pub u64);

impl Random {
    /// Uniform in [-1, 1), 24 bits: exact in both scalar types.
    pub fn draw<R: Real>(&mut self) -> R {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        R::from_f64((self.0 >> 40) as f64 / f64::from(1 << 23) - 1.0)
    }

    /// `n` of them.
    pub fn plane<R: Real>(&mut self, n: usize) -> Vec<R> {
        (0..n).map(|_| self.draw()).collect()
    }

    /// One plane per length.
    pub fn segments<R: Real>(&mut self, lengths: &[usize]) -> Vec<Vec<R>> {
        lengths.iter().map(|n| self.plane(*n)).collect()
    }
}

/// Tensors of these groups and lengths with random parameters and gradients, and planes of memory and state.
pub fn layers(
    seed: u64,
    places: impl IntoIterator<Item = (usize, usize)>,
    planes: [usize; 2],
) -> Vec<Layer<f32>> {
    let mut random = Random(seed);
    let layer = |(group, n)| {
        let mut layer = Layer::new(group, random.plane(n), vec![], planes);
        layer.own.grads = random.plane(n);
        layer
    };
    places.into_iter().map(layer).collect()
}

pub fn widened<R: Real>(plane: &[R]) -> Vec<f64> {
    plane.iter().map(|x| x.to_f64()).collect()
}

pub fn widened_all<R: Real>(planes: &[Vec<R>]) -> Vec<Vec<f64>> {
    planes.iter().map(|plane| widened(plane)).collect()
}

pub fn bits<R: Real>(plane: &[R]) -> Vec<u64> {
    plane.iter().map(|x| x.bits()).collect()
}

/// Every number within its bound.
pub fn assert_within<R: Real>(what: &str, found: &[R], expected: &presam_oracle::BoundedVector) {
    assert_eq!(found.len(), expected.values.len(), "{what}: elements");
    let pairs = found.iter().zip(&expected.values).zip(&expected.bounds).enumerate();
    for (i, ((found, value), bound)) in pairs {
        let error = (found.to_f64() - value).abs();
        assert!(error <= *bound, "{what}[{i}]: expected {value} within {bound:e}, found {found:?}");
    }
}

/// `values` in a longer buffer: what stands behind the slice must stay, and must not be read.
pub struct Guarded<R> {
    buffer: Vec<R>,
    len: usize,
}

/// Elements behind each slice.
const GUARDS: usize = 64;

impl<R: Real> Guarded<R> {
    pub fn new(values: &[R]) -> Self {
        let mut buffer = values.to_vec();
        // A NaN that is read spoils every sum.
        buffer.resize(values.len() + GUARDS, R::from_f64(f64::NAN));
        Self { buffer, len: values.len() }
    }

    pub fn slice(&self) -> &[R] {
        &self.buffer[..self.len]
    }

    pub fn slice_mut(&mut self) -> &mut [R] {
        &mut self.buffer[..self.len]
    }

    pub fn assert_guards(&self, what: &str) {
        let behind = &self.buffer[self.len..];
        assert!(behind.iter().all(|x| x.to_f64().is_nan()), "{what}: written behind the slice");
    }
}
