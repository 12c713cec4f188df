//! A whole SAM step (norm, ascent, descent by SGD with momentum and weight decay) for every rule,
//! beside a naive one and a STREAM-like triad of as many elements. docs/speed.md says how to read it.
//!
//! `cargo bench -p presam --features std,simd,rayon [-- FILTER]`; identifiers are
//! `SIZE/THREADS/RULE/PROGRAM`. Throughput is in counted bytes, so a step at the triad's throughput
//! is at its floor. Every answer is compared with the naive one before it is timed.

mod common;

use common::{Pair, Rule, Shape, TRIAD_BYTES, Triad, rules};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::env;
use std::time::{Duration, Instant};

/// Larger shapes are left out of a smoke run.
const SMALL: usize = 1_000_000;

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let shapes = shapes().unwrap_or_else(|reason| panic!("{reason}"));
    for threads in [1, 2] {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.unwrap_or_else(|error| panic!("{threads} threads: {error}"));
        for shape in &shapes {
            let mut group = criterion.benchmark_group(format!("{}/{threads}", shape.name));
            group.sample_size(if shape.params() > SMALL { 10 } else { 50 });
            time_triad(&mut group, &pool, shape);
            for rule in rules() {
                time_rule(&mut group, &pool, shape, &rule);
            }
            group.finish();
        }
    }
    criterion.final_summary();
}

/// All shapes, or in a smoke run (criterion runs everything once) those up to `SMALL`.
fn shapes() -> Result<Vec<Shape>, String> {
    let has = |flag: &str| env::args().any(|argument| argument == flag);
    // Criterion also runs everything once where cargo did not ask for a bench (`cargo test --benches`).
    let smoke = has("--test") || !has("--bench");
    let all = smoke && env::var("PRESAM_BENCH_LARGE").is_ok_and(|value| value == "1");
    let mut shapes = Vec::new();
    for name in Shape::NAMES {
        let shape = Shape::parse(name)?;
        if smoke && !all && shape.params() > SMALL {
            eprintln!("{name}: left out of the smoke run; PRESAM_BENCH_LARGE=1 includes it");
        } else {
            shapes.push(shape);
        }
    }
    Ok(shapes)
}

fn time_triad(group: &mut BenchmarkGroup<'_, WallTime>, pool: &ThreadPool, shape: &Shape) {
    let mut triad = None;
    group.throughput(Throughput::Bytes((TRIAD_BYTES as usize * shape.params()) as u64));
    group.bench_function("triad", |bencher| {
        let set_up = || Triad::new(shape.params(), pool.current_num_threads());
        let triad = triad.get_or_insert_with(set_up);
        bencher.iter_custom(|runs| pool.install(|| timed(runs, || triad.run())));
        assert!(triad.is_right(), "the triad left elements out");
    });
}

fn time_rule(
    group: &mut BenchmarkGroup<'_, WallTime>,
    pool: &ThreadPool,
    shape: &Shape,
    rule: &Rule,
) {
    let name = rule.info.name;
    // Within the closures, so that a filter spares the memory and the verification.
    let set_up = || {
        let pair = pool.install(|| (rule.set_up)(shape, pool.current_num_threads()));
        pair.unwrap_or_else(|reason| panic!("{name}: {reason}"))
    };
    let mut pair: Option<Box<dyn Pair>> = None;
    group.throughput(Throughput::Bytes((rule.bytes * shape.params()) as u64));
    group.bench_function(format!("{name}/naive"), |bencher| {
        let pair = pair.get_or_insert_with(set_up);
        bencher.iter_custom(|runs| pool.install(|| timed(runs, || pair.naive())));
    });
    group.bench_function(format!("{name}/ours"), |bencher| {
        let pair = pair.get_or_insert_with(set_up);
        let mut step = || pair.ours().unwrap_or_else(|reason| panic!("{name}: {reason}"));
        bencher.iter_custom(|runs| pool.install(|| timed(runs, &mut step)));
    });
}

fn timed(runs: u64, mut program: impl FnMut()) -> Duration {
    let start = Instant::now();
    (0..runs).for_each(|_| program());
    start.elapsed()
}
