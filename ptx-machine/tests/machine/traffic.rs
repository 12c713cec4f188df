//! Counts against what can be counted by hand.

use crate::support::Case;
use ptx_machine::{Launch, Memory, Report};

fn report(body: &str, block: u32) -> Report {
    let case = Case::new(body);
    let mut memory = Memory::new();
    let (a, b) = (memory.buffer("a", &[0; 65536]), memory.buffer("b", &[0; 65536]));
    let launch = Launch::new(&case.module, "k").block(block).buffer(&memory, a).buffer(&memory, b);
    launch.run(&mut memory).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn sectors_of_a_copy() {
    let copy = report("ld.global.u32 %r4, [%d4]; st.global.u32 [%d5], %r4;", 128);
    assert_eq!((copy.global.sectors_read, copy.global.sectors_written), (16, 16));
    assert_eq!((copy.global.requests, copy.global.coalesced), (8, 8));
    assert_eq!((copy.buffers["a"].sectors_read, copy.buffers["a"].sectors_written), (16, 0));
    assert_eq!((copy.buffers["b"].sectors_read, copy.buffers["b"].sectors_written), (0, 16));
}

#[test]
fn strides_and_misalignment_cost_sectors() {
    let stride =
        report("mul.wide.u32 %d6, %r1, 64; add.s64 %d6, %d1, %d6; ld.global.u32 %r4, [%d6];", 64);
    assert_eq!((stride.global.sectors_read, stride.global.coalesced), (64, 0));
    let shifted = report("ld.global.u32 %r4, [%d4+4];", 32);
    assert_eq!((shifted.global.sectors_read, shifted.global.coalesced), (5, 0));
    assert_eq!(shifted.global.coalesced_share(), 0.0);
    let same = report("ld.global.u32 %r4, [%d1];", 32);
    assert_eq!((same.global.sectors_read, same.global.coalesced), (1, 1));
    let some = report("setp.lt.u32 %p1, %r1, 8; @%p1 ld.global.u32 %r4, [%d4];", 32);
    assert_eq!((some.global.sectors_read, some.global.coalesced), (1, 1));
    let atomics = report("red.global.add.u32 [%d1], 1;", 64);
    assert_eq!((atomics.global.sectors_atomic, atomics.global.sectors_written), (2, 0));
}

#[test]
fn banks_of_shared_memory() {
    let conflicts = |address: &str| {
        let body = format!(
            "mov.u32 %r4, s; {address} and.b32 %r5, %r5, 1020; add.u32 %r4, %r4, %r5; st.shared.u32 [%r4], %r1;"
        );
        let case = Case::new(&body);
        let mut memory = Memory::new();
        let launch =
            Launch::new(&case.module, "k").block(32).checks(false).argument(0_u64).argument(0_u64);
        launch.run(&mut memory).expect("no fault").bank_conflicts
    };
    assert_eq!(conflicts("shl.b32 %r5, %r1, 2;"), 0);
    assert_eq!(conflicts("shl.b32 %r5, %r1, 3;"), 1);
    assert_eq!(conflicts("shl.b32 %r5, %r1, 4;"), 3);
    assert_eq!(conflicts("mov.u32 %r5, 0;"), 0);
    assert_eq!(conflicts("mul.lo.u32 %r5, %r1, 132;"), 0);
}

#[test]
fn wide_requests_are_served_in_parts() {
    let store = |address: &str, width: &str| {
        let body = format!("mov.u32 %r4, s; {address} add.u32 %r4, %r4, %r5; st.shared.{width};");
        let counted = report(&body, 32);
        assert_eq!(counted.shared_requests, 1);
        counted.bank_conflicts
    };
    assert_eq!(store("shl.b32 %r5, %r1, 4;", "v2.u64 [%r4], {%d1, %d1}"), 0);
    assert_eq!(store("shl.b32 %r5, %r1, 3;", "u64 [%r4], %d1"), 0);
    // Each half of the warp has two words in each of its sixteen banks; together they would fill all banks twice.
    let halves =
        "and.b32 %r5, %r1, 7; shl.b32 %r5, %r5, 3; shr.u32 %r6, %r1, 4; shl.b32 %r6, %r6, 6;
        add.u32 %r5, %r5, %r6; and.b32 %r6, %r1, 8; shl.b32 %r6, %r6, 4; add.u32 %r5, %r5, %r6;";
    assert_eq!(store(halves, "u64 [%r4], %d1"), 2);
}

#[test]
fn instructions_by_their_names() {
    let counted = report(
        "setp.lt.u32 %p1, %r1, 8; @%p1 bra end; fma.rn.f32 %r4, %r4, %r4, %r4; end: bar.sync 0;",
        64,
    );
    assert_eq!(counted.instructions["fma.rn.f32"], 56);
    assert_eq!(counted.instructions["bra"], 64);
    assert_eq!(counted.barriers, 1);
    assert_eq!(counted.lane_instructions, counted.instructions.values().sum::<u64>());
}
