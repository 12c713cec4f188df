//! A step allocates nothing: counted by an allocator that the whole of this binary runs on.

// The only way to count allocations is to implement `GlobalAlloc`, which is an unsafe trait.
#![allow(unsafe_code)]

use presam::{
    AdamW, AnyBase, AnyVariant, Armed, ArmedBase, Ascending, BaseState, Cpu, DynBase, DynVariant,
    FixedSam, Flat, Group, InfoAsam, LengthRule, PartialNorm, Planes, PlanesMut, Real, RuleState,
    Sam, Session, Sgd, TopK, Variant, clip_factor, finish,
};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    // Per thread: the harness allocates on others.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    // After a thread's locals are gone nothing is measured on it.
    let _ = ALLOCATIONS.try_with(|allocations| allocations.set(allocations.get() + 1));
}

// SAFETY: every call is handed on to the system's allocator unchanged; counting touches a
// constant-initialised thread local without a destructor, which neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's contract is the callee's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is the callee's.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's contract is the callee's.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often `f` allocates on this thread.
fn allocations(f: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    f();
    ALLOCATIONS.get() - before
}

const N: usize = 5000;

#[test]
fn the_counter_counts() {
    let mut kept = Vec::new();
    assert_eq!(allocations(|| kept = vec![0_u8; N]), 1);
    assert_eq!(allocations(|| kept.reserve(10 * N)), 1);
}

#[test]
fn the_phases_allocate_nothing() {
    let (w, g) = (vec![0.5_f32; N], vec![0.25_f32; N]);
    let (mut perturbed, mut m, mut v) = (vec![0.0; N], vec![0.0; N], vec![0.0; N]);
    let mut state = RuleState::new();
    let variant = InfoAsam::<f32>::default();
    let found = allocations(|| {
        let cpu = Cpu::detect();
        let rule = variant.arm(&state);
        let mut norm = PartialNorm::new();
        cpu.accumulate_norm(rule, &w, &g, [&m, &v], [], &mut norm).unwrap();
        let ascent = finish(variant, &norm, &mut state).unwrap();
        let scale = ascent.scale(0.05, LengthRule::NORMALISED).unwrap();
        cpu.ascend(rule, scale, &w, &g, [&mut m, &mut v], [], &mut perturbed).unwrap();
        let mut sums = PartialNorm::new();
        cpu.accumulate_gradient(1.0, &g, &mut sums).unwrap();
        clip_factor(&sums, 1.0).unwrap();
    });
    assert_eq!(found, 0);
    assert_ne!(perturbed, w, "it did something");
}

#[test]
fn rules_by_name_allocate_nothing() {
    let (w, g) = (vec![0.5_f32; N], vec![0.25_f32; N]);
    let (mut perturbed, mut stepped) = (vec![0.0; N], w.clone());
    let [mut memory, inputs, mut state] = [(); 3].map(|()| vec![vec![1.0_f32; N]; 2]);
    for info in presam::variants::ALL {
        let (m, i) = (info.memory, info.inputs);
        let found = allocations(|| {
            let rule = AnyVariant::<f32>::by_name(info.name).unwrap();
            let base = AnyBase::<f32>::by_name("adamw").unwrap().set("learning_rate", 0.1).unwrap();
            let (at, mut norm) = (Armed::new(Cpu::detect(), RuleState::new()), PartialNorm::new());
            let (read, inputs) = (Planes::of(&memory[..m]), Planes::of(&inputs[..i]));
            rule.accumulate_norm(&at, &w, &g, read, inputs, &mut norm).unwrap();
            let ascent = rule.finish(&norm, &mut RuleState::new()).unwrap();
            let scale = ascent.scale(0.05, LengthRule::NORMALISED).unwrap();
            let planes = Ascending { grads: &g, memory: PlanesMut::of(&mut memory[..m]), inputs };
            rule.ascend(&at, scale, &w, planes, &mut perturbed).unwrap();
            let at = ArmedBase::new(Cpu::detect(), BaseState::new());
            base.descend(&at, 1.0, &mut stepped, &g, PlanesMut::of(&mut state)).unwrap();
        });
        assert_eq!(found, 0, "{}", info.name);
    }
    assert_ne!(stepped, w, "it did something");
}

#[test]
fn a_session_allocates_nothing() {
    let (mut w, mut g, mut spare) = (vec![0.5_f64; N], vec![0.0; N], vec![0.0; N]);
    let [mut m, mut v, mut m2, mut v2] = [(); 4].map(|()| vec![0.0; N]);
    let base = AdamW::new(0.1).unwrap();
    let found = allocations(|| {
        let mut session = Session::new(Cpu::detect(), InfoAsam::default(), base);
        let mut model = Flat {
            memory: PlanesMut::from([&mut m, &mut v]),
            state: PlanesMut::from([&mut m2, &mut v2]),
            ..Flat::new(&mut w, &mut g, &mut spare)
        };
        for _ in 0..3 {
            let report = session.step(&[Group::new(0.05).unwrap()], &mut model, |m, _| {
                m.grads.copy_from_slice(m.params);
                Ok::<(), presam::Error>(())
            });
            assert!(report.unwrap().descended);
        }
    });
    assert_eq!(found, 0);
}

#[test]
fn top_k_allocates_nothing() {
    let scores: Vec<f32> = (0..N).map(|i| (i * 7 % 100) as f32).collect();
    let mut mask = vec![0.0; N];
    let found = allocations(|| {
        let mut top = TopK::new(1000);
        for _ in 0..TopK::<f32>::passes() {
            top.count(&scores);
            top.narrow();
        }
        top.write_mask(&scores, &mut mask).unwrap();
    });
    assert_eq!((found, mask.iter().sum::<f32>()), (0, 1000.0));
}

#[test]
fn the_fixed_optimizer_allocates_nothing() {
    let mut w = [1.0_f32; 32];
    let found = allocations(|| {
        let base = Sgd::new(0.1).unwrap().with_momentum(0.5).unwrap();
        let mut sam: FixedSam<f32, _, _, 32, 0, 1> =
            FixedSam::new(Session::new(Cpu::detect(), Sam::new(), base));
        let group = Group::new(<f32 as Real>::from_f64(0.05)).unwrap();
        sam.step(&mut w, group, |w, g| g.copy_from_slice(w)).unwrap();
    });
    assert_eq!(found, 0);
    assert!(w.iter().all(|w| *w < 1.0));
}
