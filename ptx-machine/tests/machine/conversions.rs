//! `cvt` between every pair of types, against the language, and against the definition where it has none.

use crate::apply::{apply, doubles, integers, random, singles};

fn inputs(special: &[u64]) -> Vec<[u64; 3]> {
    special.iter().copied().chain(random(11).take(500)).map(|bits| [bits, 0, 0]).collect()
}

fn check(text: &str, to: u32, from: u32, special: &[u64], expected: impl Fn(u64) -> u64) {
    let inputs = inputs(special);
    let mask = if from == 64 { u64::MAX } else { (1 << from) - 1 };
    for (input, found) in inputs.iter().zip(apply(text, [to, from, 32, 32], &inputs)) {
        let source = input[0] & mask;
        assert_eq!(found, expected(source), "{text}: {source:#x} gives {found:#x}");
    }
}

fn f(bits: u64) -> f32 {
    f32::from_bits(bits as u32)
}

fn single(value: f32) -> u64 {
    if value.is_nan() { 0x7fff_ffff } else { value.to_bits().into() }
}

#[test]
fn integers_to_integers() {
    let all = integers();
    check("cvt.u64.u32 %0, %1", 64, 32, &all, |a| a);
    check("cvt.s64.s32 %0, %1", 64, 32, &all, |a| i64::from(a as i32).cast_unsigned());
    check("cvt.u32.u64 %0, %1", 32, 64, &all, |a| a & 0xffff_ffff);
    check("cvt.u32.u16 %0, %1", 32, 16, &all, |a| a);
    check("cvt.s32.s16 %0, %1", 32, 16, &all, |a| u64::from(i32::from(a as i16).cast_unsigned()));
    check("cvt.u16.u32 %0, %1", 16, 32, &all, |a| a & 0xffff);
    check("cvt.s32.s8 %0, %1", 32, 32, &all, |a| u64::from(i32::from(a as i8).cast_unsigned()));
    check("cvt.u32.u8 %0, %1", 32, 32, &all, |a| a & 0xff);
    check("cvt.u8.u32 %0, %1", 32, 32, &all, |a| a & 0xff);
    check("cvt.sat.u8.s32 %0, %1", 32, 32, &all, |a| {
        u64::from((a as i32).clamp(0, 255).cast_unsigned())
    });
    check("cvt.sat.s16.s32 %0, %1", 16, 32, &all, |a| {
        u64::from(((a as i32).clamp(-32768, 32767) as i16).cast_unsigned())
    });
    check("cvt.sat.u32.s64 %0, %1", 32, 64, &all, |a| {
        a.cast_signed().clamp(0, 0xffff_ffff).cast_unsigned()
    });
}

#[test]
fn floats_to_integers_round_as_written_and_saturate() {
    let all = singles();
    check("cvt.rzi.s32.f32 %0, %1", 32, 32, &all, |a| u64::from((f(a) as i32).cast_unsigned()));
    check("cvt.rzi.u32.f32 %0, %1", 32, 32, &all, |a| u64::from(f(a) as u32));
    check("cvt.rni.s32.f32 %0, %1", 32, 32, &all, |a| {
        u64::from((f(a).round_ties_even() as i32).cast_unsigned())
    });
    check("cvt.rmi.s64.f32 %0, %1", 64, 32, &all, |a| (f(a).floor() as i64).cast_unsigned());
    check("cvt.rpi.u64.f32 %0, %1", 64, 32, &all, |a| f(a).ceil() as u64);
    check("cvt.rzi.u16.f32 %0, %1", 16, 32, &all, |a| u64::from(f(a) as u16));
    let all = doubles();
    check("cvt.rzi.s64.f64 %0, %1", 64, 64, &all, |a| (f64::from_bits(a) as i64).cast_unsigned());
    check("cvt.rni.u64.f64 %0, %1", 64, 64, &all, |a| f64::from_bits(a).round_ties_even() as u64);
    check("cvt.rzi.s32.f64 %0, %1", 32, 64, &all, |a| {
        u64::from((f64::from_bits(a) as i32).cast_unsigned())
    });
}

#[test]
fn integers_to_floats() {
    let all = integers();
    check("cvt.rn.f32.u32 %0, %1", 32, 32, &all, |a| single(a as u32 as f32));
    check("cvt.rn.f32.s32 %0, %1", 32, 32, &all, |a| single(a as i32 as f32));
    check("cvt.rn.f32.u64 %0, %1", 32, 64, &all, |a| single(a as f32));
    check("cvt.rn.f32.s64 %0, %1", 32, 64, &all, |a| single(a.cast_signed() as f32));
    check("cvt.rn.f64.u64 %0, %1", 64, 64, &all, |a| (a as f64).to_bits());
    check("cvt.rn.f64.s32 %0, %1", 64, 32, &all, |a| f64::from(a as i32).to_bits());
    // Towards zero: the largest float whose magnitude is not larger.
    check("cvt.rz.f32.u64 %0, %1", 32, 64, &all, |a| {
        let near = a as f32;
        single(if near as u128 > u128::from(a) { near.next_down() } else { near })
    });
}

#[test]
fn floats_to_floats() {
    check("cvt.f64.f32 %0, %1", 64, 32, &singles(), |a| {
        if f(a).is_nan() { 0x7fff_ffff_ffff_ffff } else { f64::from(f(a)).to_bits() }
    });
    check("cvt.rn.f32.f64 %0, %1", 32, 64, &doubles(), |a| single(f64::from_bits(a) as f32));
    for (text, up) in [("cvt.rp.f32.f64 %0, %1", true), ("cvt.rm.f32.f64 %0, %1", false)] {
        check(text, 32, 64, &doubles(), |a| {
            let exact = f64::from_bits(a);
            let near = exact as f32;
            let past = if up { f64::from(near) < exact } else { f64::from(near) > exact };
            single(match (past, up) {
                (false, _) => near,
                (true, true) => near.next_up(),
                (true, false) => near.next_down(),
            })
        });
    }
    check("cvt.rni.f32.f32 %0, %1", 32, 32, &singles(), |a| single(f(a).round_ties_even()));
    check("cvt.rmi.f32.f32 %0, %1", 32, 32, &singles(), |a| single(f(a).floor()));
    check("cvt.rzi.f64.f64 %0, %1", 64, 64, &doubles(), |a| {
        let value = f64::from_bits(a).trunc();
        if value.is_nan() { 0x7fff_ffff_ffff_ffff } else { value.to_bits() }
    });
    check("cvt.sat.f32.f32 %0, %1", 32, 32, &singles(), |a| {
        if f(a).is_nan() || f(a) <= 0.0 { 0 } else { single(f(a).min(1.0)) }
    });
}

/// Each half as an f64, from its definition.
fn half(bits: u64) -> f64 {
    let (exponent, fraction) = ((bits >> 10 & 31) as i32, (bits & 1023) as f64);
    let magnitude = match exponent {
        0 => fraction * 2.0_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2.0_f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

#[test]
fn every_half_and_every_bfloat_widens_exactly() {
    let every: Vec<[u64; 3]> = (0..1 << 16).map(|bits| [bits, 0, 0]).collect();
    for (input, found) in every.iter().zip(apply("cvt.f32.f16 %0, %1", [32, 16, 32, 32], &every)) {
        assert_eq!(found, single(half(input[0]) as f32), "{:#x}", input[0]);
    }
    for (input, found) in every.iter().zip(apply("cvt.f32.bf16 %0, %1", [32, 16, 32, 32], &every)) {
        assert_eq!(found, single(f(input[0] << 16)), "{:#x}", input[0]);
    }
}

#[test]
fn narrowing_takes_the_nearest_and_of_two_the_even_one() {
    // Between neighbours of the narrow format: below, at and above the middle.
    let mut wide = Vec::new();
    for bits in (0..0x7c00_u64).step_by(7) {
        let (low, high) = (half(bits), half(bits + 1).min(65536.0));
        for part in [0.0, 0.25, 0.5, 0.5 + 1e-4, 1.0] {
            wide.push(single((low + (high - low) * part) as f32));
        }
    }
    let nearest = |value: f64| -> u64 {
        let magnitude = value.abs();
        let near = (0..=0x7c00_u64).rev().find(|bits| half(*bits) <= magnitude).unwrap_or(0);
        let (low, high) = (half(near), if near == 0x7bff { 65536.0 } else { half(near + 1) });
        let up = near < 0x7c00
            && (magnitude - low > high - magnitude
                || magnitude - low == high - magnitude && near & 1 == 1);
        (near + u64::from(up)) | (u64::from(value.is_sign_negative()) << 15)
    };
    let inputs: Vec<[u64; 3]> = wide.iter().step_by(11).map(|bits| [*bits, 0, 0]).collect();
    for (input, found) in
        inputs.iter().zip(apply("cvt.rn.f16.f32 %0, %1", [16, 32, 32, 32], &inputs))
    {
        assert_eq!(found, nearest(f(input[0]).into()), "{}", f(input[0]));
    }
}

#[test]
fn narrowing_to_bfloat() {
    check("cvt.rn.bf16.f32 %0, %1", 16, 32, &singles(), |a| {
        let rounded = ((a + 0x7fff + (a >> 16 & 1)) >> 16) & 0xffff;
        if f(a).is_nan() { 0x7fff } else { rounded }
    });
    check("cvt.rz.bf16.f32 %0, %1", 16, 32, &singles(), |a| {
        if f(a).is_nan() { 0x7fff } else { a >> 16 }
    });
    check("cvt.rn.relu.bf16.f32 %0, %1", 16, 32, &[0x3f80_0000, 0xbf80_0000, 0x8000_0000], |a| {
        let rounded = ((a + 0x7fff + (a >> 16 & 1)) >> 16) & 0xffff;
        if f(a).is_nan() {
            0x7fff
        } else if a >> 31 == 1 {
            0
        } else {
            rounded
        }
    });
}

#[test]
fn two_at_once() {
    let inputs = [[0x3f80_0000, 0xc000_0000, 0], [0x0000_0001, 0x7f7f_ffff, 0]];
    assert_eq!(
        apply("cvt.rn.f16x2.f32 %0, %1, %2", [32, 32, 32, 32], &inputs),
        [0x3c00_c000, 0x0000_7c00]
    );
    assert_eq!(
        apply("cvt.rn.bf16x2.f32 %0, %1, %2", [32, 32, 32, 32], &inputs),
        [0x3f80_c000, 0x0000_7f80]
    );
}
