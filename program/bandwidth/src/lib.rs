//! What a step's speed is measured against.
#![no_std]
#![forbid(unsafe_code)]

/// STREAM's triad, `c = a + 3 b`; the shortest of the three slices says how far.
#[inline(never)]
pub fn triad(a: &[f32], b: &[f32], c: &mut [f32]) {
    for ((c, a), b) in c.iter_mut().zip(a).zip(b) {
        *c = *a + 3.0 * *b;
    }
}

/// Brings every line of `words` into the caches: a read of one word brings in the whole line. The sum is for the
/// caller to keep, so that no read is left out.
#[must_use]
#[inline(never)]
pub fn read(words: &[u64]) -> u64 {
    const LINE: usize = 8;
    words.iter().step_by(LINE).fold(0, |sum, word| sum.wrapping_add(*word))
}
