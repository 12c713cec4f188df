//! Kernels that nvcc compiled give what plain Rust gives: two compilers' texts, many schedules.

use crate::support::fault_kind;
use ptx_machine::{BufferId, FaultKind, Launch, Memory, Module, Report};

const TEXTS: [&str; 2] =
    [include_str!("../ptx/cuda/sm_70.ptx"), include_str!("../ptx/cuda/sm_75.ptx")];

fn modules() -> impl Iterator<Item = Module> {
    TEXTS.into_iter().map(|text| Module::parse(text).unwrap_or_else(|error| panic!("{error}")))
}

/// Each text in each of 20 schedules.
fn everywhere(run: impl Fn(&Module, u64)) {
    for module in modules() {
        (0..20).for_each(|seed| run(&module, seed));
    }
}

fn floats(count: usize) -> Vec<f32> {
    (0..count).map(|n| ((n * 7919) % 1013) as f32 / 64.0 - 7.0).collect()
}

fn raw(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn words(memory: &Memory, id: BufferId) -> Vec<u32> {
    memory.bytes(id).chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

fn run(launch: &Launch, memory: &mut Memory) -> Report {
    launch.run(memory).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn vector_add() {
    everywhere(|module, seed| {
        let (a, b) = (floats(1000), floats(1003).split_off(3));
        let mut memory = Memory::new();
        let (x, y) = (memory.read_only("a", &raw(&a)), memory.read_only("b", &raw(&b)));
        let z = memory.uninitialised("c", 4000);
        let launch = Launch::new(module, "vector_add").grid(8).block(128).seed(seed);
        let launch =
            launch.buffer(&memory, x).buffer(&memory, y).buffer(&memory, z).argument(1000_i32);
        run(&launch, &mut memory);
        assert!(memory.f32s(z).iter().zip(a.iter().zip(&b)).all(|(z, (a, b))| *z == a + b));
        let far = launch.clone().argument(1_i32);
        assert!(far.run(&mut memory).is_err());
    });
}

#[test]
fn one_thread_too_many_is_out_of_bounds() {
    for module in modules() {
        let mut memory = Memory::new();
        let x = memory.buffer("x", &[0; 400]);
        let launch = Launch::new(&module, "vector_add").grid(1).block(128);
        let launch =
            launch.buffer(&memory, x).buffer(&memory, x).buffer(&memory, x).argument(101_i32);
        let kind = fault_kind(launch.run(&mut memory));
        assert!(
            matches!(&kind, FaultKind::OutOfBounds { place, .. } if place.to_string() == "x+400"),
            "{kind}"
        );
    }
}

#[test]
fn block_sum() {
    everywhere(|module, seed| {
        let x: Vec<i32> = (0..5000).map(|n| n * n % 71 - 30).collect();
        let bytes: Vec<u8> = x.iter().flat_map(|x| x.to_le_bytes()).collect();
        let mut memory = Memory::new();
        let (xs, total) = (memory.read_only("x", &bytes), memory.buffer("total", &[0; 4]));
        let launch = Launch::new(module, "block_sum").grid(5).block(256).seed(seed);
        run(&launch.buffer(&memory, xs).buffer(&memory, total).argument(5000_i32), &mut memory);
        assert_eq!(words(&memory, total)[0].cast_signed(), x.iter().sum::<i32>());
    });
}

#[test]
fn transpose() {
    everywhere(|module, seed| {
        let (width, height) = (70, 45);
        let x = floats(width * height);
        let mut memory = Memory::new();
        let (xs, ys) = (memory.read_only("in", &raw(&x)), memory.uninitialised("out", 4 * x.len()));
        let launch =
            Launch::new(module, "transpose").grid_3d(3, 2, 1).block_3d(32, 8, 1).seed(seed);
        let launch = launch
            .buffer(&memory, xs)
            .buffer(&memory, ys)
            .argument(width as i32)
            .argument(height as i32);
        let report = run(&launch, &mut memory);
        let y = memory.f32s(ys);
        for at in 0..width * height {
            assert_eq!(y[at % width * height + at / width].to_bits(), x[at].to_bits());
        }
        assert_eq!(report.bank_conflicts, 0, "the padding is there to avoid them");
    });
}

#[test]
fn a_transpose_without_its_barrier_races() {
    everywhere(|module, seed| {
        let mut memory = Memory::new();
        let (xs, ys) = (memory.buffer("in", &[0; 4096]), memory.buffer("out", &[0; 4096]));
        let launch = Launch::new(module, "transpose_racing").block_3d(32, 8, 1).seed(seed);
        let launch =
            launch.buffer(&memory, xs).buffer(&memory, ys).argument(32_i32).argument(32_i32);
        // Whoever reads first finds what was never written, or was written by another warp.
        let kind = fault_kind(launch.run(&mut memory));
        assert!(matches!(kind, FaultKind::Race { .. } | FaultKind::Uninitialised { .. }), "{kind}");
    });
}

#[test]
fn matrix_product() {
    everywhere(|module, seed| {
        let (m, n, k) = (33, 18, 50);
        let (a, b) = (floats(m * k), floats(k * n));
        let mut memory = Memory::new();
        let (left, right) = (memory.read_only("a", &raw(&a)), memory.read_only("b", &raw(&b)));
        let out = memory.uninitialised("c", 4 * m * n);
        let launch =
            Launch::new(module, "matrix_product").grid_3d(2, 3, 1).block_3d(16, 16, 1).seed(seed);
        let launch = launch.buffer(&memory, left).buffer(&memory, right).buffer(&memory, out);
        let report =
            run(&launch.argument(m as i32).argument(n as i32).argument(k as i32), &mut memory);
        for (at, found) in memory.f32s(out).into_iter().enumerate() {
            let (row, column) = (at / n, at % n);
            // The padding of the last tile adds products of zeros.
            let expected =
                (0..k).fold(0.0_f32, |sum, i| a[row * k + i].mul_add(b[i * n + column], sum));
            assert_eq!(found, expected, "{row} {column}");
        }
        assert_eq!(report.barriers, 6 * 2 * 4);
    });
}

#[test]
fn histogram() {
    everywhere(|module, seed| {
        let x: Vec<u8> = (0..3001_u32).map(|n| (n * n % 251 / 3) as u8).collect();
        let mut memory = Memory::new();
        let (xs, bins) = (memory.buffer_at_offset("x", &x, 3), memory.buffer("bins", &[0; 1024]));
        let launch = Launch::new(module, "histogram").grid(4).block(96).seed(seed);
        run(&launch.buffer(&memory, xs).buffer(&memory, bins).argument(3001_i32), &mut memory);
        for (value, count) in (0..).zip(words(&memory, bins)) {
            assert_eq!(count as usize, x.iter().filter(|x| u32::from(**x) == value).count());
        }
    });
}

#[test]
fn halves() {
    everywhere(|module, seed| {
        let mut x = floats(400);
        x.extend([65519.0, 65520.0, 1e-7, -3e-8, 1e-40, f32::INFINITY, f32::NAN, 3.4e38]);
        let mut memory = Memory::new();
        let xs = memory.read_only("x", &raw(&x));
        let (h, b) = (
            memory.uninitialised("half", 2 * x.len()),
            memory.uninitialised("bfloat", 2 * x.len()),
        );
        let back = memory.uninitialised("back", 4 * x.len());
        let launch =
            Launch::new(module, "halves").grid(4).block(128).seed(seed).buffer(&memory, xs);
        let launch = launch
            .buffer(&memory, h)
            .buffer(&memory, b)
            .buffer(&memory, back)
            .argument(x.len() as i32);
        run(&launch, &mut memory);
        let (h, b, back) = (memory.bytes(h), memory.bytes(b), memory.f32s(back));
        for (i, x) in x.iter().enumerate() {
            let half = u16::from_le_bytes([h[2 * i], h[2 * i + 1]]);
            let bfloat = u16::from_le_bytes([b[2 * i], b[2 * i + 1]]);
            let wide = f32::from_bits(u32::from(bfloat) << 16);
            if x.is_nan() {
                assert!(back[i].is_nan() && wide.is_nan());
                continue;
            }
            let bits = x.to_bits();
            assert_eq!(u32::from(bfloat), (bits + 0x7fff + (bits >> 16 & 1)) >> 16, "{x}");
            assert_eq!(back[i], widened(half) + wide, "{x}");
            let step = (x.abs() * 2.0_f32.powi(-11)).max(2.0_f32.powi(-25));
            assert!(
                widened(half) == *x || (widened(half) - x).abs() <= step || x.abs() >= 65520.0,
                "{x}"
            );
        }
    });
}

fn widened(half: u16) -> f32 {
    let magnitude = match half >> 10 & 31 {
        0 => f32::from(half & 1023) * 2.0_f32.powi(-24),
        31 if half & 1023 == 0 => f32::INFINITY,
        31 => f32::NAN,
        exponent => f32::from(1024 + (half & 1023)) * 2.0_f32.powi(i32::from(exponent) - 25),
    };
    if half >> 15 == 1 { -magnitude } else { magnitude }
}

#[test]
fn structures_functions_local_arrays_and_switches() {
    let (base, weights, steps) = (3_i32, [0.25_f64, -1.5, 7.0], [1_i16, -2, 3, -4, 5]);
    let mut plan = base.to_le_bytes().to_vec();
    plan.resize(8, 0);
    plan.extend(weights.iter().flat_map(|w| w.to_le_bytes()));
    plan.extend(steps.iter().flat_map(|s| s.to_le_bytes()));
    plan.resize(48, 0);
    let table = [0.5, 1.5, -2.0, 8.0];
    let expected = |i: usize| {
        let j = (i * 5) & 7;
        let x = f64::from((i * j) as i32 - i32::from(steps[j % 5])) * 0.125;
        let value =
            (0..3).fold(f64::from(base), |sum, n| sum * x + weights[n] * table[(i + n) & 3]);
        let i = i as i64;
        match i % 6 {
            0 => value + 1.0,
            1 => value * 3.0,
            2 => -value,
            3 => value.trunc(),
            4 => value + (i * 1_000_003 / (i + 1)) as f64,
            _ => value - (i as u64 * 12_345_678_901 % 97) as f64,
        }
    };
    everywhere(|module, seed| {
        let mut memory = Memory::new();
        let (out, order) =
            (memory.uninitialised("out", 8 * 300), memory.uninitialised("order", 4 * 300));
        let launch =
            Launch::new(module, "odds").grid(3).block(128).seed(seed).argument(plan.as_slice());
        run(&launch.buffer(&memory, out).buffer(&memory, order).argument(300_i32), &mut memory);
        for (i, bytes) in memory.bytes(out).chunks_exact(8).enumerate() {
            assert_eq!(f64::from_le_bytes(bytes.try_into().expect("8 bytes")), expected(i), "{i}");
        }
        let mut tickets = words(&memory, order);
        tickets.sort_unstable();
        assert!(tickets.into_iter().eq(0..300));
    });
}
