//! Planted: two lanes at one byte. Each race beside the cure that must silence it.

use crate::support::Case;
use ptx_machine::{AccessKind, FaultKind};

fn is_race(body: &str, grid: u32, block: u32) {
    let kind = Case::new(body).shape(grid, block).fault();
    assert!(matches!(kind, FaultKind::Race { .. }), "{kind}");
}

fn is_clean(body: &str, grid: u32, block: u32) {
    Case::new(body).shape(grid, block).result();
}

/// Each thread writes its word of shared memory; `middle`; then reads its neighbour's.
fn neighbours(middle: &str) -> String {
    format!(
        "mov.u32 %r4, s; shl.b32 %r5, %r1, 2; add.u32 %r6, %r4, %r5; st.shared.u32 [%r6], 0; bar.sync 0;
         st.shared.u32 [%r6], %r1;
         {middle}
         xor.b32 %r7, %r1, 1; shl.b32 %r7, %r7, 2; add.u32 %r7, %r4, %r7; ld.shared.u32 %r8, [%r7];
         st.global.u32 [%d5], %r8;"
    )
}

#[test]
fn a_missing_barrier() {
    is_race(&neighbours(""), 1, 32);
    is_race(&neighbours(""), 1, 128);
    is_race(&neighbours("membar.cta;"), 1, 32);
    is_clean(&neighbours("bar.sync 0;"), 1, 32);
    is_clean(&neighbours("bar.sync 0;"), 1, 128);
    let read = Case::new(&neighbours("bar.sync 0;")).shape(1, 64).result();
    assert_eq!(read[..4], [1, 0, 3, 2]);
}

#[test]
fn a_race_is_told_with_both_sides() {
    let message = Case::new(&neighbours("")).message();
    assert!(message.contains("`ld.shared.u32 %r8, [%r7]`"), "{message}");
    assert!(
        message.ends_with(
            "race at shared memory+4: read against the write at line 9, block 0, thread 1"
        ),
        "{message}"
    );
}

#[test]
fn a_warp_orders_memory_by_bar_warp_sync_and_not_by_shuffles() {
    is_clean(&neighbours("bar.warp.sync 0xffffffff;"), 1, 32);
    is_clean(&neighbours("bar.warp.sync 0xffffffff;"), 1, 96);
    is_race(&neighbours("shfl.sync.bfly.b32 %r9, %r1, 1, 31, 0xffffffff;"), 1, 32);
    is_race(&neighbours("vote.sync.any.pred %p1, %p1, 0xffffffff;"), 1, 32);
    // Halves of a warp on their own.
    let halves =
        "setp.lt.u32 %p1, %r3, 16; selp.b32 %r10, 0xffff, 0xffff0000, %p1; bar.warp.sync %r10;";
    is_clean(&neighbours(halves), 1, 32);
    is_race(
        &neighbours("bar.warp.sync 0xffffffff;")
            .replace("xor.b32 %r7, %r1, 1", "xor.b32 %r7, %r1, 32"),
        1,
        64,
    );
}

#[test]
fn many_readers_and_then_a_writer() {
    let write_after = |middle: &str| {
        format!(
            "ld.global.u32 %r4, [%d1]; {middle} setp.eq.u32 %p1, %r1, 0; @%p1 st.global.u32 [%d1], %r4;"
        )
    };
    is_race(&write_after(""), 1, 32);
    is_race(&write_after(""), 1, 64);
    is_race(&write_after("bar.warp.sync 0xffffffff;"), 1, 64);
    is_clean(&write_after("bar.warp.sync 0xffffffff;"), 1, 32);
    is_clean(&write_after("bar.sync 0;"), 1, 64);
    is_race(&write_after("bar.sync 0;"), 2, 64);
}

#[test]
fn all_writing_one_word() {
    is_race("st.global.u32 [%d1], 1;", 1, 32);
    is_race("setp.eq.u32 %p1, %r1, 0; @%p1 st.global.u32 [%d1], 1;", 2, 32);
    is_clean("setp.eq.u32 %p1, %r1, 0; @%p1 st.global.u32 [%d1], 1;", 1, 64);
    is_race("mov.u32 %r4, s; st.shared.u32 [%r4], 1;", 1, 32);
}

#[test]
fn neighbouring_bytes_are_no_race_and_overlapping_ones_are() {
    let bytes = "cvt.u64.u32 %d6, %r1; add.s64 %d6, %d1, %d6; st.global.u8 [%d6], %r1;";
    is_clean(bytes, 1, 64);
    is_race(&format!("{bytes} ld.global.u8 %r4, [%d1+40];"), 1, 64);
    is_race(&format!("{bytes} ld.global.u32 %r4, [%d1+40];"), 1, 64);
    is_race("ld.global.u32 %r4, [%d1]; st.global.u8 [%d1+3], %r4;", 1, 2);
}

#[test]
fn atomics_do_not_race_with_each_other_but_with_plain_accesses() {
    is_clean("atom.global.add.u32 %r4, [%d1], 1; red.global.max.u32 [%d1], %r1;", 4, 64);
    is_race("atom.global.add.u32 %r4, [%d1], 1; ld.global.u32 %r5, [%d1];", 1, 32);
    is_race("atom.global.add.u32 %r4, [%d1], 1; st.global.u32 [%d1], %r5;", 1, 32);
    is_clean("atom.global.add.u32 %r4, [%d1], 1; bar.sync 0; ld.global.u32 %r5, [%d1];", 1, 64);
    is_clean("atom.global.add.u32 %r4, [%d1], 1; ld.relaxed.gpu.global.u32 %r5, [%d1];", 2, 32);
    is_clean("atom.global.add.u32 %r4, [%d1], 1; ld.volatile.global.u32 %r5, [%d1];", 2, 32);
    is_race(
        "mov.u32 %r4, s; setp.eq.u32 %p1, %r1, 0; @%p1 st.shared.u32 [%r4], 0; atom.shared.add.u32 %r5, [%r4], 1;",
        1,
        32,
    );
    is_clean(
        "mov.u32 %r4, s; setp.eq.u32 %p1, %r1, 0; @%p1 st.shared.u32 [%r4], 0; bar.sync 0; \
         red.shared.add.u32 [%r4], 1;",
        1,
        1 << 6,
    );
}

#[test]
fn named_barriers_order_their_threads_only() {
    // Two warps meet at barrier 1, the other two at barrier 2.
    let pairs = "shr.u32 %r10, %r1, 6; add.u32 %r10, %r10, 1; bar.sync %r10, 64;";
    is_clean(&neighbours(pairs), 1, 128);
    is_clean(&neighbours(pairs).replace("xor.b32 %r7, %r1, 1", "xor.b32 %r7, %r1, 33"), 1, 128);
    is_race(&neighbours(pairs).replace("xor.b32 %r7, %r1, 1", "xor.b32 %r7, %r1, 64"), 1, 128);
}

#[test]
fn races_can_be_left_alone() {
    let case = Case::new("st.global.u32 [%d1], 1;").shape(2, 32);
    let mut memory = ptx_machine::Memory::new();
    let (a, b) = (memory.buffer("a", &[0; 4]), memory.buffer("b", &[0; 4]));
    let launch = ptx_machine::Launch::new(&case.module, "k")
        .grid(2)
        .block(32)
        .buffer(&memory, a)
        .buffer(&memory, b);
    launch.clone().checks(false).run(&mut memory).expect("not looked for");
    let kind = crate::support::fault_kind(launch.checks(true).run(&mut memory));
    assert!(matches!(kind, FaultKind::Race { access: AccessKind::Write, .. }), "{kind}");
}
