//! Lane-instructions per second: `cargo run --release -p ptx-machine --example speed [THREADS]`.

use ptx_machine::{Launch, Memory, Module, RunError};
use std::time::Instant;

const TEXT: &str = include_str!("../tests/ptx/rust/kernels.ptx");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let threads = std::env::args().nth(1).map_or(Ok(1), |text| text.parse())?;
    let module = Module::parse(TEXT)?;
    let values: Vec<u8> =
        (0..1_u32 << 21).flat_map(|n| (n as f32 / 1000.0).to_le_bytes()).collect();
    for checks in [true, false] {
        for kernel in ["axpy4", "sum_squares", "softmaxish"] {
            let start = Instant::now();
            let instructions = run(&module, kernel, &values, threads, checks)?;
            let seconds = start.elapsed().as_secs_f64();
            let millions = instructions as f64 / 1e6;
            println!(
                "{kernel:12} races {} threads {threads}: {millions:7.1} M lane-instructions, {:6.1} M/s",
                if checks { "on " } else { "off" },
                millions / seconds
            );
        }
    }
    Ok(())
}

fn run(
    module: &Module,
    kernel: &str,
    values: &[u8],
    threads: usize,
    checks: bool,
) -> Result<u64, RunError> {
    let mut memory = Memory::new();
    let n = (values.len() / 4) as u32;
    let (x, y) = (memory.read_only("x", values), memory.buffer("y", values));
    let (wide, counter) =
        (memory.buffer("wide", &vec![0; 2 * values.len()]), memory.buffer("counter", &[0; 4]));
    let launch = Launch::new(module, kernel).block(256).threads(threads).checks(checks);
    let launch = match kernel {
        "axpy4" => launch
            .grid(n / 1024)
            .argument(0.5_f32)
            .buffer(&memory, x)
            .buffer(&memory, y)
            .argument(n / 4),
        "sum_squares" => {
            let launch = launch.grid(64).buffer(&memory, x).argument(n).buffer(&memory, wide);
            launch.buffer(&memory, counter).buffer(&memory, y)
        }
        _ => {
            let launch = launch.grid(n / 2048).buffer(&memory, x).buffer(&memory, y);
            launch.buffer(&memory, wide).argument(n / 8)
        }
    };
    Ok(launch.run(&mut memory)?.lane_instructions)
}
