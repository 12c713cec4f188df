//! What a step's speed is measured against. Here, and not in the program that measures: that is compiled
//! quickly and not for its loops.

/// STREAM's triad, `c = a + 3 b`; the shortest of the three slices says how far.
pub fn triad(a: &[f32], b: &[f32], c: &mut [f32]) {
    for ((c, a), b) in c.iter_mut().zip(a).zip(b) {
        *c = *a + 3.0 * *b;
    }
}
