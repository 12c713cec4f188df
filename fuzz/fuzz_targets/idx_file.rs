//! Any bytes as an IDX file: exactly what its header announces is read, and no memory is taken for lies.

#![no_main]

use libfuzzer_sys::fuzz_target;
use presam_fuzz::memory::{Measuring, peak};
use presam_program::data::{parse_idx_images, parse_idx_labels};
use std::path::Path;

#[global_allocator]
static ALLOCATOR: Measuring = Measuring;

/// For the line of an error.
const MESSAGE: usize = 1024;

/// The dimensions that follow a magic, and how many bytes follow them.
fn announced<const D: usize>(bytes: &[u8], magic: u32) -> Option<([u128; D], u128)> {
    let word = |i: usize| {
        let word = bytes.get(4 * i..4 * i + 4)?;
        Some(u128::from(u32::from_be_bytes(word.try_into().ok()?)))
    };
    if word(0)? != u128::from(magic) {
        return None;
    }
    let mut dimensions = [0; D];
    for (i, dimension) in dimensions.iter_mut().enumerate() {
        *dimension = word(i + 1)?;
    }
    Some((dimensions, bytes.len() as u128 - 4 * (D as u128 + 1)))
}

fuzz_target!(|bytes: &[u8]| {
    let file = Path::new("f");

    let (images, held) = peak(|| parse_idx_images(file, bytes));
    assert!(held <= 4 * bytes.len() + MESSAGE, "{held} bytes for {}", bytes.len());
    let whole = announced::<3>(bytes, 0x0803)
        .filter(|([count, height, width], rest)| count * height * width == *rest && *rest > 0);
    assert_eq!(images.is_ok(), whole.is_some(), "{images:?}");
    if let (Ok((inputs, features)), Some(([_, height, width], rest))) = (images, whole) {
        assert_eq!((inputs.len() as u128, features as u128), (rest, height * width));
        let pixels = bytes.iter().skip(16).map(|&pixel| f32::from(pixel) / 255.0);
        assert!(inputs.iter().copied().eq(pixels));
    }

    let (labels, held) = peak(|| parse_idx_labels(file, bytes));
    assert!(held <= bytes.len() + MESSAGE, "{held} bytes for {}", bytes.len());
    let whole = announced::<1>(bytes, 0x0801).filter(|([count], rest)| count == rest);
    assert_eq!(labels.as_deref().ok(), whole.map(|_| &bytes[8..]));
});
