//! Barriers of a block, and planted divergence and deadlock.

use crate::support::Case;
use ptx_machine::FaultKind;

#[test]
fn a_barrier_in_divergent_flow() {
    let half = Case::new("setp.lt.u32 %p1, %r1, 16; @%p1 bar.sync 0;").message();
    assert!(
        half.ends_with("barrier in divergent flow: lanes 0x0000ffff of 0xffffffff reached it"),
        "{half}"
    );
    let two = Case::new(
        "setp.lt.u32 %p1, %r1, 16; @%p1 bra other; bar.sync 0; bra end; other: bar.sync 0; end:",
    );
    assert!(matches!(two.fault(), FaultKind::DivergentBarrier { .. }));
    let left = Case::new("setp.eq.u32 %p1, %r1, 3; @%p1 exit; bar.sync 0;").fault();
    assert!(
        matches!(left, FaultKind::DivergentBarrier { arrived: 0xffff_fff7, expected: u32::MAX }),
        "{left}"
    );
    // Not aligned, it may be.
    Case::new("setp.lt.u32 %p1, %r1, 16; @%p1 bra other; barrier.sync 0; bra end; other: barrier.sync 0; end:").result();
    // A whole warp may leave.
    Case::new("setp.ge.u32 %p1, %r1, 32; @%p1 exit; bar.sync 0;").shape(1, 96).result();
    // Lanes that parted may meet again before it.
    Case::new("setp.lt.u32 %p1, %r1, 16; @%p1 bra other; add.u32 %r4, %r4, 1; other: bar.sync 0;")
        .shape(1, 64)
        .result();
}

#[test]
fn a_barrier_that_others_never_reach() {
    let message = Case::new(
        "setp.lt.u32 %p1, %r1, 32; @%p1 bra other; bar.sync 1; bra end; other: bar.sync 2; end:",
    )
    .shape(1, 64)
    .message();
    assert!(message.contains("deadlock: warp 0 lanes 0xffffffff wait at line"), "{message}");
    assert!(message.contains("`bar.sync 2`; warp 1 lanes 0xffffffff wait at line"), "{message}");
    let few = Case::new("bar.sync 0, 96;").shape(1, 64).fault();
    assert!(matches!(few, FaultKind::Deadlock { .. }), "{few}");
    let shuffle = Case::new(
        "setp.lt.u32 %p1, %r1, 16; @%p1 bra other; shfl.sync.idx.b32 %r4, %r1, 0, 31, 0xffffffff; bra end;
         other: barrier.sync 0; end:",
    );
    assert!(matches!(shuffle.fault(), FaultKind::Deadlock { .. }));
}

#[test]
fn impossible_barriers() {
    for body in ["bar.sync 16;", "bar.sync 0, 33;", "bar.sync 0, 0;"] {
        let kind = Case::new(body).fault();
        assert!(matches!(kind, FaultKind::BadBarrier { .. }), "{body}: {kind}");
    }
}

#[test]
fn barriers_that_reduce() {
    let count = "setp.lt.u32 %p1, %r1, 37; bar.red.popc.u32 %r4, 0, %p1; st.global.u32 [%d5], %r4;";
    assert_eq!(Case::new(count).shape(1, 96).result()[..96], [37; 96]);
    let not = "setp.lt.u32 %p1, %r1, 37; bar.red.popc.u32 %r4, 0, !%p1; st.global.u32 [%d5], %r4;";
    assert_eq!(Case::new(not).shape(1, 96).result()[..96], [59; 96]);
    let both = "setp.lt.u32 %p1, %r1, 37; bar.red.or.pred %p2, 0, %p1; bar.red.and.pred %p3, 0, %p1;
        selp.u32 %r4, 1, 0, %p2; selp.u32 %r5, 2, 0, %p3; add.u32 %r4, %r4, %r5; st.global.u32 [%d5], %r4;";
    assert_eq!(Case::new(both).shape(1, 64).result()[..64], [1; 64]);
    assert_eq!(Case::new(both).shape(1, 32).result()[..32], [3; 32]);
}

#[test]
fn producers_arrive_and_consumers_wait() {
    let body = "mov.u32 %r4, s; shl.b32 %r5, %r3, 2; add.u32 %r4, %r4, %r5; setp.ge.u32 %p1, %r1, 32; @%p1 bra consume;
        add.u32 %r6, %r1, 100; st.shared.u32 [%r4], %r6; bar.arrive 3, 64; bra end;
        consume: bar.sync 3, 64; ld.shared.u32 %r7, [%r4]; st.global.u32 [%d5+-128], %r7;
        end:";
    assert_eq!(
        Case::new(body).shape(1, 64).result()[..32],
        std::array::from_fn::<u32, 32, _>(|lane| 100 + lane as u32)
    );
}

#[test]
fn traps_loops_and_endless_calls_end() {
    assert!(matches!(Case::new("setp.eq.u32 %p1, %r1, 5; @%p1 trap;").fault(), FaultKind::Trap));
    let spin = Case::new("again: bra again;").message();
    assert!(spin.ends_with("the budget of 10000000 lane-instructions is spent"), "{spin}");
    let calls = Case::with(".func f() { call.uni f; ret; }", "call.uni f;").message();
    assert!(calls.ends_with("calls nested more than 64 deep"), "{calls}");
    let table = "t: .branchtargets x, y; brx.idx %r1, t; x: y:";
    assert!(matches!(Case::new(table).fault(), FaultKind::BranchIndex { index: 2, length: 2 }));
    Case::new(table).shape(1, 2).result();
}
