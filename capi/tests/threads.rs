//! Threads share a state over different tensors in every call for one tensor: the bits are those of one thread.

#![allow(
    unsafe_code,
    clippy::unwrap_used,
    clippy::undocumented_unsafe_blocks,
    reason = "C's functions over planes that live as long as the model; a test fails by panicking"
)]

mod common;

use common::trial::ok;
use common::{Api, Held, Planes, Seeded, group};
use presam::{AnyBase, AnyVariant};
use presam_capi::*;
use std::thread;

const LENGTHS: [usize; 4] = [3000, 10, 4096, 5];

/// What a thread works on: a tensor, its part of the norm, and the state that all read.
struct Part {
    state: *mut [u64; PRESAM_STATE_F32_WORDS],
    tensor: *mut Tensor<f32>,
    norm: [u64; PRESAM_NORM_F32_WORDS],
    first_chunk: u64,
}

// SAFETY: tensors differ from thread to thread, and of the state nobody writes meanwhile but its count, at once.
unsafe impl Send for Part {}

/// One thread a part.
fn at_once(parts: &mut [Part], work: fn(&mut Part)) {
    thread::scope(|scope| parts.iter_mut().for_each(|part| drop(scope.spawn(move || work(part)))));
}

struct Model {
    planes: Vec<Planes<f32>>,
    tensors: Vec<Tensor<f32>>,
    state: [u64; PRESAM_STATE_F32_WORDS],
}

impl Model {
    fn new(groups: &[Group; 1]) -> Self {
        let variant = AnyVariant::by_name("info-asam").unwrap();
        let base = AnyBase::by_name("adamw").unwrap();
        let mut seeded = Seeded(2);
        let made = LENGTHS.map(|len| Planes::new((0, len), &variant, &base, &mut seeded));
        let mut planes = Vec::from(made);
        let tensors = planes.iter_mut().map(|tensor| tensor.c(groups)).collect();
        let mut state = f32::ZERO_STATE;
        let held = Held::new("info-asam", "adamw", &[], &[]);
        // SAFETY: both live.
        ok(unsafe { f32::init(&mut state, size_of_val(&state), &held.config) });
        Self { planes, tensors, state }
    }

    fn gradients(&mut self, seed: u64) {
        let mut seeded = Seeded(seed);
        for tensor in &mut self.planes {
            let len = tensor.grads.len();
            tensor.grads.copy_from_slice(&seeded.plane::<f32>(len));
        }
    }

    fn parts(&mut self) -> Vec<Part> {
        let (state, mut chunk) = (&raw mut self.state, 0);
        let of = |tensor: &mut Tensor<f32>| {
            let first_chunk = chunk;
            chunk += tensor.len.div_ceil(PRESAM_CHUNK) as u64;
            Part { state, tensor, norm: f32::ZERO_NORM, first_chunk }
        };
        self.tensors.iter_mut().map(of).collect()
    }

    /// SAFETY of all below: the model outlives its parts, whose tensors differ.
    fn step_by_threads(&mut self, seed: u64) {
        self.gradients(seed);
        let mut parts = self.parts();
        at_once(&mut parts, |part| unsafe {
            ok(f32::norm_begin(part.state, &mut part.norm, part.first_chunk));
            ok(f32::norm_add(part.state, part.tensor, &mut part.norm));
        });
        let (first, rest) = parts.split_first_mut().unwrap();
        let merged = |part: &Part| ok(unsafe { f32::norm_merge(&mut first.norm, &part.norm) });
        rest.iter().for_each(merged);
        ok(unsafe { f32::norm_finish(&mut self.state, &first.norm) });
        at_once(&mut parts, |part| ok(unsafe { f32::ascend(part.state, part.tensor) }));
        self.gradients(seed + 1);
        at_once(&mut parts, |part| unsafe {
            ok(f32::restore(part.state, part.tensor));
            ok(f32::second_begin(part.state, &mut part.norm, part.first_chunk));
            ok(f32::second_add(part.state, part.tensor, &mut part.norm));
        });
        let (first, rest) = parts.split_first_mut().unwrap();
        let merged = |part: &Part| ok(unsafe { f32::norm_merge(&mut first.norm, &part.norm) });
        rest.iter().for_each(merged);
        ok(unsafe { f32::second_finish(&mut self.state, &first.norm) });
        at_once(&mut parts, |part| ok(unsafe { f32::descend(part.state, part.tensor) }));
    }

    fn step_alone(&mut self, seed: u64) {
        let (tensors, count) = (self.tensors.as_mut_ptr(), LENGTHS.len());
        self.gradients(seed);
        ok(unsafe { f32::ascend_all(&mut self.state, tensors, count) });
        self.gradients(seed + 1);
        ok(unsafe { f32::descend_all(&mut self.state, tensors, count) });
    }
}

#[test]
fn threads_give_the_bits_of_one() {
    let groups = [group(0.5, 0, 0.0)];
    let (mut threads, mut alone) = (Model::new(&groups), Model::new(&groups));
    for seed in [10, 20, 30] {
        threads.step_by_threads(seed);
        alone.step_alone(seed);
        let pairs = threads.planes.iter().zip(&alone.planes);
        assert!(pairs.into_iter().all(|(a, b)| a.bits() == b.bits()));
    }
}
