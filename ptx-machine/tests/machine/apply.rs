//! One instruction over many values, beside what the language gives for them.

use crate::support::module_of;
use ptx_machine::{Launch, Memory};

/// What the instruction gives for each triple. `%0` to `%3` in its text are target and sources, of the
/// widths given; bits above a width are never seen.
pub fn apply(text: &str, widths: [u32; 4], inputs: &[[u64; 3]]) -> Vec<u64> {
    let register = |place: usize| match widths[place] {
        16 => format!("%h{place}"),
        32 => format!("%r{}", 10 + place),
        _ => format!("%d{}", 10 + place),
    };
    let mut body = String::from(
        "mad.lo.u32 %r4, %r2, 32, %r1; mul.wide.u32 %d6, %r4, 24; add.s64 %d6, %d1, %d6;
         mul.wide.u32 %d7, %r4, 8; add.s64 %d7, %d2, %d7;\n",
    );
    let kind = |place: usize| format!("b{}", widths[place]);
    for place in 1..4 {
        body +=
            &format!("ld.global.{} {}, [%d6+{}];\n", kind(place), register(place), 8 * (place - 1));
    }
    let filled = (0..4)
        .fold(text.to_owned(), |text, place| text.replace(&format!("%{place}"), &register(place)));
    body += &format!(
        "st.global.b64 [%d7], 0; {filled};\nst.global.{} [%d7], {};",
        kind(0),
        register(0)
    );
    let module = module_of("", &body);
    let bytes: Vec<u8> = inputs.iter().flatten().flat_map(|bits| bits.to_le_bytes()).collect();
    let mut memory = Memory::new();
    let count = inputs.len().next_multiple_of(32);
    let a = memory.buffer("a", &[bytes, vec![0; 24 * (count - inputs.len())]].concat());
    let b = memory.uninitialised("b", 8 * count);
    let launch = Launch::new(&module, "k").grid((count / 32) as u32).block(32).relaxed(true);
    let launch = launch.buffer(&memory, a).buffer(&memory, b);
    launch.run(&mut memory).unwrap_or_else(|error| panic!("{error}"));
    let out = memory.bytes(b);
    out.chunks_exact(8)
        .take(inputs.len())
        .map(|c| u64::from_le_bytes(c.try_into().expect("8 bytes")))
        .collect()
}

pub fn random(seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed;
    std::iter::from_fn(move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Some((state >> 29) ^ state.rotate_left(31))
    })
}

/// All pairs of the special values, and random ones.
pub fn triples(special: &[u64]) -> Vec<[u64; 3]> {
    let mut triples = Vec::new();
    for (n, &a) in special.iter().enumerate() {
        for (m, &b) in special.iter().enumerate() {
            triples.push([a, b, special[(7 * n + 3 * m) % special.len()]]);
        }
    }
    let mut draw = random(special.len() as u64);
    let mut next = || draw.next().unwrap_or(0);
    triples.extend((0..400).map(|_| [next(), next(), next()]));
    triples
}

/// Hostile f32.
pub fn singles() -> Vec<u64> {
    let values = [
        0.0,
        1.0,
        1.5,
        0.1,
        2.5,
        3.5,
        0.5,
        16_777_217.0,
        1e-38,
        1e-40,
        1e-45,
        3.4e38,
        1.0e10,
        255.5,
        65_504.0,
        4.0e9,
        f32::INFINITY,
    ];
    let mut bits: Vec<u64> =
        values.iter().flat_map(|v| [v.to_bits(), (-v).to_bits()]).map(u64::from).collect();
    bits.extend([0x7fc0_0000, 0x7f80_0001, 0xffc1_2345]);
    bits
}

/// Hostile f64.
pub fn doubles() -> Vec<u64> {
    let values = [
        0.0,
        1.0,
        1.5,
        0.1,
        2.5,
        1e-300,
        5e-324,
        1.7e308,
        1e10,
        255.5,
        65_520.0,
        1e19,
        9.3e18,
        1e-40,
        f64::INFINITY,
    ];
    let mut bits: Vec<u64> =
        values.iter().flat_map(|v: &f64| [v.to_bits(), (-v).to_bits()]).collect();
    bits.extend([f64::NAN.to_bits(), 0x7ff0_0000_0000_0001]);
    bits
}

/// Hostile integers, cut to the width at hand.
pub fn integers() -> Vec<u64> {
    vec![
        0,
        1,
        2,
        3,
        7,
        31,
        32,
        33,
        63,
        64,
        65,
        127,
        128,
        255,
        256,
        32767,
        32768,
        65535,
        65536,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_ffff,
        0x1_0000_0000,
        0x7fff_ffff_ffff_ffff,
        0x8000_0000_0000_0000,
        u64::MAX,
        u64::MAX - 1,
    ]
}

/// A type as the bits of a register.
pub trait Bits: Copy {
    const WIDTH: u32;
    fn of(bits: u64) -> Self;
    fn bits(self) -> u64;
}

macro_rules! bits {
    ($($t:ty, $unsigned:ty, $width:expr;)*) => {$(
        impl Bits for $t {
            const WIDTH: u32 = $width;
            fn of(bits: u64) -> Self {
                bits as $t
            }
            fn bits(self) -> u64 {
                (self as $unsigned).into()
            }
        }
    )*};
}
bits! { u16, u16, 16; u32, u32, 32; u64, u64, 64; i16, u16, 16; i32, u32, 32; i64, u64, 64; }

impl Bits for f32 {
    const WIDTH: u32 = 32;
    fn of(bits: u64) -> Self {
        Self::from_bits(bits as u32)
    }
    fn bits(self) -> u64 {
        if self.is_nan() { 0x7fff_ffff } else { self.to_bits().into() }
    }
}

impl Bits for f64 {
    const WIDTH: u32 = 64;
    fn of(bits: u64) -> Self {
        Self::from_bits(bits)
    }
    fn bits(self) -> u64 {
        // Not is_nan: see src/rows/lane.rs.
        if self.to_bits() & (u64::MAX >> 1) > 0x7ff << 52 {
            0x7fff_ffff_ffff_ffff
        } else {
            self.to_bits()
        }
    }
}

/// `check!(special values; "text", (result; sources) |a, b, c| expected)`
macro_rules! check {
    ($special:expr; $($text:literal, ($r:ty; $a:ty, $b:ty, $c:ty) |$x:ident, $y:ident, $z:ident| $body:expr;)*) => {$(
        let inputs = triples(&$special);
        let found = apply($text, [<$r>::WIDTH, <$a>::WIDTH, <$b>::WIDTH, <$c>::WIDTH], &inputs);
        for (input, found) in inputs.iter().zip(found) {
            let ($x, $y, $z) = (<$a>::of(input[0]), <$b>::of(input[1]), <$c>::of(input[2]));
            let expected: $r = $body;
            assert_eq!(found, expected.bits(), "{}: {:?} {:?} {:?} give {:?}", $text, $x, $y, $z, <$r>::of(found));
        }
    )*};
}
pub(crate) use check;
