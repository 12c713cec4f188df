//! A whole SAM step (norm, ascent, descent by SGD with momentum and weight decay) four ways, beside a
//! STREAM-like triad of as many elements. docs/speed.md says how to read it.
//!
//! | program | what |
//! | --- | --- |
//! | `naive` | three zipped loops, the sum in `f64` |
//! | `typed` | the phases of `Cpu` |
//! | `dyn` | the same through `&dyn DynVariant` and `&dyn DynBase` |
//! | `by-name` | the same through `AnyVariant` and `AnyBase` |
//!
//! `cargo bench -p presam-benches [-- FILTER]`; identifiers are
//! `SIZE/THREADS/PROGRAM`. Throughput is in counted bytes, so a step at the triad's throughput is at its
//! floor. Every step is compared with the naive one before it is timed.

use criterion::{Criterion, Throughput};
use presam::{
    AnyBase, AnyVariant, Armed, ArmedBase, Ascending, BaseOptimizer, BaseState, Cpu, DynBase,
    DynVariant, Error, LengthRule, Outcome, PartialNorm, Planes, PlanesMut, RuleState, Sam, Sgd,
    SgdMomentum, Variant, finish,
};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::hint::black_box;
use std::time::{Duration, Instant};

const SIZES: [(&str, usize); 5] =
    [("640", 640), ("1e4", 10_000), ("1e6", 1_000_000), ("1e7", 10_000_000), ("1e8", 100_000_000)];
/// Larger sizes are left out of a smoke run.
const SMALL: usize = 1_000_000;
/// Naive loops and the triad are split over threads from here on, as presam's segments are.
const SPLIT_FROM: usize = 1 << 17;
/// Counted bytes an element of a step, and of a triad over `f64`.
const STEP_BYTES: usize = 36;
const TRIAD_BYTES: usize = 24;

const LEARNING_RATE: f32 = 0.1;
const MOMENTUM: f32 = 0.9;
const WEIGHT_DECAY: f32 = 5e-4;

/// The planes of one tensor, or a thread's piece of them.
struct Tensor {
    params: Vec<f32>,
    grads: Vec<f32>,
    perturbed_grads: Vec<f32>,
    perturbed: Vec<f32>,
    velocity: Vec<f32>,
}

impl Tensor {
    /// Elements from `first` on: parameters in [-1, 1), two gradients of opposite sign.
    fn new(first: usize, len: usize) -> Self {
        let place = |i: usize| ((first + i) as f32 * 0.37).sin();
        Self {
            params: (0..len).map(place).collect(),
            grads: (0..len).map(|i| 0.25 + 0.5 * place(i + 1)).collect(),
            perturbed_grads: (0..len).map(|i| -0.25 - 0.5 * place(i + 2)).collect(),
            perturbed: vec![0.0; len],
            velocity: vec![0.0; len],
        }
    }

    /// The gradients change places for the next step: no bytes are moved.
    fn take_turns(&mut self) {
        std::mem::swap(&mut self.grads, &mut self.perturbed_grads);
    }
}

/// A program on its planes; in pieces where threads share a naive one.
struct Program {
    tensors: Vec<Tensor>,
    cpu: Cpu,
    rho: f32,
    rule_state: RuleState<f32>,
    base_state: BaseState,
    base: SgdMomentum<f32>,
    step: Step,
}

type Step = fn(&mut Program) -> Result<Outcome, Error>;

const NAIVE: (&str, Step) = ("naive", naive);
const PROGRAMS: [(&str, Step); 4] =
    [NAIVE, ("typed", typed), ("dyn", without_type), ("by-name", by_name)];

impl Program {
    fn new((name, step): (&str, Step), len: usize, threads: usize) -> Result<Self, Error> {
        let pieces = if name == NAIVE.0 && len >= SPLIT_FROM { threads } else { 1 };
        let piece = len.div_ceil(pieces);
        let sgd = Sgd::new(LEARNING_RATE)?.with_weight_decay(WEIGHT_DECAY)?;
        let tensor = |first| Tensor::new(first, piece.min(len - first));
        let cpu = Cpu::detect();
        Ok(Self {
            tensors: (0..len).step_by(piece).map(tensor).collect(),
            cpu: if threads == 1 { cpu } else { cpu.parallel() },
            // 0.05 for an average entry: large against the last digit of a parameter at any size.
            rho: 0.05 * (len as f32).sqrt(),
            rule_state: RuleState::new(),
            base_state: BaseState::new(),
            base: sgd.with_momentum(MOMENTUM)?,
            step,
        })
    }

    fn run(&mut self) {
        match (self.step)(self) {
            Ok(Outcome::Finite) => self.tensors.iter_mut().for_each(Tensor::take_turns),
            other => panic!("the step did less than its work: {other:?}"),
        }
    }

    /// Only the norms are summed in another order: a few last digits of a parameter of about 1.
    fn verified(program: (&str, Step), len: usize, threads: usize) -> Result<Self, Error> {
        let mut ours = Self::new(program, len, threads)?;
        let mut naive = Self::new(NAIVE, len, 1)?;
        for _ in 0..4 {
            ours.run();
            naive.run();
        }
        let plane = |program: &Self, of: fn(&Tensor) -> &Vec<f32>| -> Vec<f32> {
            program.tensors.iter().flat_map(of).copied().collect()
        };
        let planes: [fn(&Tensor) -> &Vec<f32>; 3] =
            [|t| &t.params, |t| &t.perturbed, |t| &t.velocity];
        for of in planes {
            let (found, expected) = (plane(&ours, of), plane(&naive, of));
            let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 2e-6 * b.abs().max(1.0);
            let wrong = found.iter().zip(&expected).position(|pair| !near(pair));
            assert_eq!(wrong, None, "{len} elements: differs from the naive step");
            assert_eq!(found.len(), len);
        }
        Ok(ours)
    }
}

fn typed(p: &mut Program) -> Result<Outcome, Error> {
    let (base, cpu, t) = (p.base, p.cpu, &mut p.tensors[0]);
    let rule = Sam::new().arm(&p.rule_state);
    let mut norm = PartialNorm::new();
    cpu.accumulate_norm(rule, &t.params, &t.grads, [], [], &mut norm)?;
    let ascent = finish(Sam::new(), &norm, &mut p.rule_state)?;
    let scale = ascent.scale(p.rho, LengthRule::NORMALISED)?;
    cpu.ascend(rule, scale, &t.params, &t.grads, [], [], &mut t.perturbed)?;
    let descent = base.arm(&p.base_state);
    cpu.descend(descent, 1.0, &mut t.params, &t.perturbed_grads, [&mut t.velocity])?;
    p.base_state = base.advance(&p.base_state);
    Ok(ascent.outcome)
}

fn without_type(p: &mut Program) -> Result<Outcome, Error> {
    let (rule, base) = (Sam::new(), p.base);
    let rules: (&dyn DynVariant<f32>, &dyn DynBase<f32>) = black_box((&rule, &base));
    erased(rules.0, rules.1, p)
}

fn by_name(p: &mut Program) -> Result<Outcome, Error> {
    let rules: (AnyVariant<f32>, AnyBase<f32>) = black_box((Sam::new().into(), p.base.into()));
    erased(&rules.0, &rules.1, p)
}

fn erased<V, B>(rule: &V, base: &B, p: &mut Program) -> Result<Outcome, Error>
where
    V: DynVariant<f32> + ?Sized,
    B: DynBase<f32> + ?Sized,
{
    let (at, t) = (Armed::new(p.cpu, p.rule_state), &mut p.tensors[0]);
    let (mut norm, none) = (PartialNorm::new(), Planes::none());
    rule.accumulate_norm(&at, &t.params, &t.grads, none, none, &mut norm)?;
    let ascent = rule.finish(&norm, &mut p.rule_state)?;
    let scale = ascent.scale(p.rho, LengthRule::NORMALISED)?;
    let planes = Ascending { grads: &t.grads, memory: PlanesMut::none(), inputs: none };
    rule.ascend(&at, scale, &t.params, planes, &mut t.perturbed)?;
    let (at, state) = (ArmedBase::new(p.cpu, p.base_state), PlanesMut::from([&mut t.velocity]));
    base.descend(&at, 1.0, &mut t.params, &t.perturbed_grads, state)?;
    p.base_state = base.advance(&p.base_state);
    Ok(ascent.outcome)
}

/// What a careful user writes in plain Rust. There is no outcome, no range class, no check.
fn naive(p: &mut Program) -> Result<Outcome, Error> {
    let sum = |t: &Tensor| t.grads.iter().map(|g| f64::from(*g) * f64::from(*g)).sum::<f64>();
    let first = p.base_state.steps == 0;
    p.base_state.steps += 1;
    let alone = p.tensors.len() == 1;
    let sum: f64 = if alone { sum(&p.tensors[0]) } else { p.tensors.par_iter().map(sum).sum() };
    let scale = (f64::from(p.rho) / (sum.sqrt() + 1e-12)) as f32;
    let rest = |t: &mut Tensor| {
        for ((p, w), g) in t.perturbed.iter_mut().zip(&t.params).zip(&t.grads) {
            *p = w + scale * g;
        }
        // A trainer takes its second gradient here: the loops stay apart.
        black_box(&mut t.perturbed);
        for ((w, v), g) in t.params.iter_mut().zip(&mut t.velocity).zip(&t.perturbed_grads) {
            let d = *g + WEIGHT_DECAY * *w;
            *v = if first { d } else { MOMENTUM * *v + d };
            *w -= LEARNING_RATE * *v;
        }
    };
    if alone {
        rest(&mut p.tensors[0])
    } else {
        p.tensors.par_iter_mut().for_each(rest)
    }
    Ok(Outcome::Finite)
}

/// a = b + 3 c, in pieces of `piece` elements.
fn triad([a, b, c]: &mut [Vec<f64>; 3], piece: usize) {
    let one = |((a, b), c): ((&mut [f64], &[f64]), &[f64])| {
        for ((a, b), c) in a.iter_mut().zip(b).zip(c) {
            *a = b + 3.0 * c;
        }
    };
    if piece == a.len() {
        one(((&mut *a, &*b), &*c));
    } else {
        a.par_chunks_mut(piece).zip(b.par_chunks(piece)).zip(c.par_chunks(piece)).for_each(one);
    }
    black_box(a);
}

fn timed(pool: &ThreadPool, runs: u64, mut program: impl FnMut() + Send) -> Duration {
    pool.install(|| {
        let start = Instant::now();
        (0..runs).for_each(|_| program());
        start.elapsed()
    })
}

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    // Criterion also runs everything once where cargo did not ask for a bench (`cargo test --benches`).
    let has = |flag: &str| std::env::args().any(|argument| argument == flag);
    let smoke = has("--test") || !has("--bench");
    for (threads, (name, len)) in [1, 2].into_iter().flat_map(|n| SIZES.map(|size| (n, size))) {
        if smoke && len > SMALL {
            eprintln!("{name}: left out of the smoke run");
            continue;
        }
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.unwrap_or_else(|error| panic!("{threads} threads: {error}"));
        let mut group = criterion.benchmark_group(format!("{name}/{threads}"));
        group.sample_size(if len > SMALL { 10 } else { 50 });
        group.throughput(Throughput::Bytes((TRIAD_BYTES * len) as u64));
        group.bench_function("triad", |bencher| {
            let mut planes = [vec![0.0; len], vec![1.0; len], vec![2.0; len]];
            let piece = if len < SPLIT_FROM { len } else { len.div_ceil(threads) };
            bencher.iter_custom(|runs| timed(&pool, runs, || triad(&mut planes, piece)));
            assert!(planes[0].iter().all(|a| *a == 7.0), "the triad left elements out");
        });
        group.throughput(Throughput::Bytes((STEP_BYTES * len) as u64));
        for program in PROGRAMS {
            // Within the closure, so that a filter spares the memory and the verification.
            let mut made = None;
            group.bench_function(program.0, |bencher| {
                let verified = || {
                    let made = pool.install(|| Program::verified(program, len, threads));
                    made.unwrap_or_else(|error| panic!("{}: {error}", program.0))
                };
                let made = made.get_or_insert_with(verified);
                bencher.iter_custom(|runs| timed(&pool, runs, || made.run()));
            });
        }
        group.finish();
    }
    criterion.final_summary();
}
