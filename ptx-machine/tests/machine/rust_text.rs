//! Kernels that rustc compiled give what the same Rust gives on the host, in every bit and in many schedules.

use ptx_machine::{Launch, Memory, Module, Report};

const TEXT: &str = include_str!("../ptx/rust/kernels.ptx");

fn module() -> Module {
    Module::parse(TEXT).expect("the text is understood")
}

fn floats(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed | 1;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 22) as f32 - 2.0
        })
        .collect()
}

fn raw(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

#[test]
fn the_entries_are_listed() {
    let names: Vec<String> = module().kernels().map(|kernel| kernel.name).collect();
    assert_eq!(names, ["axpy4", "calls", "checked", "halves", "softmaxish", "sum_squares"]);
    assert_eq!(module().version(), (7, 0));
    assert_eq!(module().target(), 70);
}

#[test]
fn vectors_of_four_in_every_schedule() {
    let module = module();
    let (x, y) = (floats(4 * 1000, 1), floats(4 * 1000, 2));
    let expected: Vec<f32> = x.iter().zip(&y).map(|(x, y)| 0.3 * x + y).collect();
    for seed in 0..20 {
        let mut memory = Memory::new();
        let (xs, ys) = (memory.read_only("x", &raw(&x)), memory.buffer("y", &raw(&y)));
        let launch = Launch::new(&module, "axpy4").grid(8).block(128).seed(seed).argument(0.3_f32);
        let launch = launch.buffer(&memory, xs).buffer(&memory, ys).argument(1000_u32);
        let report = launch.run(&mut memory).expect("no fault");
        assert_eq!(memory.f32s(ys), expected);
        assert_eq!(report.global.sectors_read, 2 * 1000 / 2);
        assert_eq!(report.global.sectors_written, 1000 / 2);
        assert_eq!(report.instructions["ld.global.v4.b32"], 2 * 1000);
    }
}

/// What the kernel computes, in its order.
fn sum_of_squares(x: &[f32], blocks: usize, threads: usize) -> f32 {
    let block = |b: usize| {
        let warp = |w: usize| {
            let mut lanes: Vec<f32> = (0..32)
                .map(|lane| {
                    let first = b * threads + w * 32 + lane;
                    x.iter().skip(first).step_by(blocks * threads).fold(0.0, |sum, x| sum + x * x)
                })
                .collect();
            for by in [16, 8, 4, 2, 1] {
                lanes = (0..32)
                    .map(|lane| lanes[lane] + lanes[if lane + by < 32 { lane + by } else { lane }])
                    .collect();
            }
            lanes[0]
        };
        (0..threads / 32).fold(0.0, |sum, w| sum + warp(w))
    };
    (0..blocks).fold(0.0, |sum: f32, b| sum + block(b)).sqrt()
}

fn run_sum(module: &Module, x: &[f32], seed: u64, threads: usize) -> (f32, Report) {
    let mut memory = Memory::new();
    let (xs, partial) = (memory.read_only("x", &raw(x)), memory.uninitialised("partial", 4 * 7));
    let (counter, out) = (memory.buffer("counter", &[0; 4]), memory.uninitialised("out", 4));
    let launch = Launch::new(module, "sum_squares").grid(7).block(128).seed(seed).threads(threads);
    let launch = launch.buffer(&memory, xs).argument(x.len() as u32).buffer(&memory, partial);
    let launch = launch.buffer(&memory, counter).buffer(&memory, out);
    let report = launch.run(&mut memory).expect("no fault");
    assert_eq!(memory.bytes(counter), [0; 4]);
    (memory.f32s(out)[0], report)
}

#[test]
fn the_last_block_adds_the_others_in_every_schedule_and_that_is_no_race() {
    let module = module();
    let x = floats(5000, 3);
    let expected = sum_of_squares(&x, 7, 128);
    for seed in 0..40 {
        let (sum, report) = run_sum(&module, &x, seed, 1);
        assert_eq!(sum.to_bits(), expected.to_bits(), "seed {seed}");
        assert_eq!(report.barriers, 7);
    }
    for seed in 0..20 {
        assert_eq!(run_sum(&module, &x, seed, 4).0.to_bits(), expected.to_bits());
    }
}

#[test]
fn libm_gives_its_bits() {
    let module = module();
    let mut x = floats(500, 5);
    x.extend([0.0, -0.0, 1e-40, 88.7, -100.0, f32::INFINITY]);
    let mut memory = Memory::new();
    let (xs, ys) = (memory.buffer("x", &raw(&x)), memory.uninitialised("y", 4 * x.len()));
    let ds = memory.uninitialised("d", 8 * x.len());
    let launch = Launch::new(&module, "softmaxish").grid(16).block(32).seed(9);
    let launch =
        launch.buffer(&memory, xs).buffer(&memory, ys).buffer(&memory, ds).argument(x.len() as u32);
    launch.run(&mut memory).expect("no fault");
    for ((x, y), d) in x.iter().zip(memory.f32s(ys)).zip(memory.bytes(ds).chunks_exact(8)) {
        let expected = libm::expf(*x) + libm::logf(if *x > 0.0 { *x } else { -*x });
        assert!(
            y.to_bits() == expected.to_bits() || y.is_nan() && expected.is_nan(),
            "{x}: {y} {expected}"
        );
        let expected = libm::exp(f64::from(*x)) / (1.0 + libm::sqrt(f64::from(*x).abs()));
        let found = f64::from_le_bytes(d.try_into().expect("8 bytes"));
        assert!(
            found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan(),
            "{x}: {found} {expected}"
        );
    }
}

#[test]
fn narrow_loads_and_a_table_of_numbers() {
    let module = module();
    let x: Vec<u16> = (0..200_u16).map(|n| n.wrapping_mul(331)).collect();
    let bytes: Vec<u8> = x.iter().flat_map(|x| x.to_le_bytes()).collect();
    let scales = [3_u64, 5, 1 << 40];
    let scale_bytes: Vec<u8> = scales.iter().flat_map(|s| s.to_le_bytes()).collect();
    let mut memory = Memory::new();
    let (xs, ys) = (memory.buffer_at_offset("x", &bytes, 6), memory.uninitialised("y", 800));
    let s = memory.read_only("scales", &scale_bytes);
    let launch = Launch::new(&module, "halves")
        .grid(2)
        .block(128)
        .seed(3)
        .buffer(&memory, xs)
        .buffer(&memory, ys);
    launch.argument(200_u32).buffer(&memory, s).run(&mut memory).expect("no fault");
    for (i, (x, y)) in x.iter().zip(memory.f32s(ys)).enumerate() {
        let expected = f32::from_bits(u32::from(*x) << 16) * scales[i % 3] as f32;
        assert!(
            y.to_bits() == expected.to_bits() || y.is_nan() && expected.is_nan(),
            "{i}: {y} {expected}"
        );
    }
}

#[test]
fn functions_are_called_with_their_arguments() {
    let module = module();
    let helper = |a: u32, b: f64| (0..a).fold(b, |r, k| r * 1.5 - f64::from(k));
    for seed in 0..20 {
        let mut memory = Memory::new();
        let ys = memory.uninitialised("y", 8 * 100);
        let launch =
            Launch::new(&module, "calls").grid(1).block(128).seed(seed).buffer(&memory, ys);
        launch.argument(100_u32).run(&mut memory).expect("no fault");
        for (i, bytes) in (0_u32..).zip(memory.bytes(ys).chunks_exact(8)) {
            let expected = helper(i % 7, f64::from(i)) + helper(3, 2.0);
            assert_eq!(f64::from_le_bytes(bytes.try_into().expect("8 bytes")), expected);
        }
    }
}

#[test]
fn a_failed_bounds_check_traps() {
    let module = module();
    let run = |k: u32| {
        let mut memory = Memory::new();
        let ys = memory.buffer("y", &[0; 128]);
        let launch = Launch::new(&module, "checked")
            .block(32)
            .buffer(&memory, ys)
            .argument(32_u32)
            .argument(k);
        launch.run(&mut memory).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(run(0), Ok(()));
    let error = run(1).expect_err("index 32 of 32");
    assert!(error.ends_with("lane 31: trap reached"), "{error}");
}
