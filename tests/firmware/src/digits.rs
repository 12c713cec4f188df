//! The first of the repository's digits, read from its text while this file is compiled: 8 x 8 pixels of
//! 0 to 16 and a class.

const TEXT: &[u8] = include_bytes!("../../../program/data/optdigits.csv");

/// Pixels of a digit.
pub const PIXELS: usize = 64;
/// Digits to train on.
pub const TRAIN: usize = 320;
/// Digits to judge by, those after.
pub const TEST: usize = 192;

/// Pixels and class of each.
pub static DIGITS: [([u8; PIXELS], u8); TRAIN + TEST] = read();

const fn read() -> [([u8; PIXELS], u8); TRAIN + TEST] {
    let mut digits = [([0; PIXELS], 0); TRAIN + TEST];
    let (mut at, mut row, mut column) = (0, 0, 0);
    while row < TRAIN + TEST {
        let byte = TEXT[at];
        at += 1;
        match byte {
            b'0'..=b'9' => {
                let (pixels, class) = &mut digits[row];
                let value = if column < PIXELS { &mut pixels[column] } else { class };
                *value = *value * 10 + (byte - b'0');
            }
            b',' => column += 1,
            _ => {
                assert!(column == PIXELS, "a row has 64 pixels and a class");
                row += 1;
                column = 0;
            }
        }
    }
    digits
}
