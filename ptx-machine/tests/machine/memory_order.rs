//! Order between blocks: fences and atomics, and what they do not order.

use crate::support::Case;
use ptx_machine::FaultKind;

/// Each block writes its word of a; the last one to count sums them into b. The counter is a's last word.
fn last_block(before: &str, count: &str, after: &str) -> Case {
    let body = format!(
        "setp.ne.u32 %p1, %r1, 0; @%p1 bra end;
         mul.wide.u32 %d6, %r2, 4; add.s64 %d6, %d1, %d6; add.u32 %r4, %r2, 10; st.global.u32 [%d6], %r4;
         {before} {count} {after}
         mov.u32 %r6, %nctaid.x; sub.u32 %r6, %r6, 1; setp.ne.u32 %p2, %r5, %r6; @%p2 bra end;
         mov.u32 %r7, 0; mov.u32 %r8, 0; mov.b64 %d7, %d1;
         more: ld.global.u32 %r9, [%d7]; add.u32 %r7, %r7, %r9; add.s64 %d7, %d7, 4; add.u32 %r8, %r8, 1;
         setp.le.u32 %p3, %r8, %r6; @%p3 bra more;
         st.global.u32 [%d2], %r7;
         end:"
    );
    Case::new(&body).shape(6, 64)
}

const COUNT: &str = "atom.global.add.u32 %r5, [%d1+4092], 1;";

#[test]
fn the_last_block_reads_what_fences_release() {
    let expected = (10..16).sum::<u32>();
    for fence in ["fence.acq_rel.gpu;", "fence.acq_rel.sys;", "membar.gl;", "fence.sc.gpu;"] {
        assert_eq!(last_block(fence, COUNT, fence).result()[0], expected, "{fence}");
    }
    let both = "atom.acq_rel.gpu.global.add.u32 %r5, [%d1+4092], 1;";
    assert_eq!(last_block("", both, "").result()[0], expected);
}

#[test]
fn a_missing_or_narrow_fence_is_a_race() {
    let fence = "fence.acq_rel.gpu;";
    for (before, after) in
        [("", ""), (fence, ""), ("", fence), ("fence.acq_rel.cta;", fence), (fence, "membar.cta;")]
    {
        let kind = last_block(before, COUNT, after).fault();
        assert!(matches!(kind, FaultKind::Race { .. }), "{before} {after}: {kind}");
    }
    let narrow = "atom.acq_rel.cta.global.add.u32 %r5, [%d1+4092], 1;";
    assert!(matches!(last_block("", narrow, "").fault(), FaultKind::Race { .. }));
}

#[test]
fn a_fence_does_not_cover_the_other_lanes_of_its_block() {
    // All lanes write, lane 0 alone fences: without a barrier before, the others' words are not released.
    let body = |barrier: &str| {
        format!(
            "mad.lo.u32 %r10, %r2, 64, %r1; mul.wide.u32 %d6, %r10, 4; add.s64 %d6, %d1, %d6;
             st.global.u32 [%d6], %r10; {barrier}
             setp.ne.u32 %p1, %r1, 0; @%p1 bra end;
             fence.acq_rel.gpu; atom.global.add.u32 %r5, [%d1+4092], 1; fence.acq_rel.gpu;
             setp.ne.u32 %p2, %r5, 1; @%p2 bra end;
             ld.global.u32 %r6, [%d1+128]; ld.global.u32 %r7, [%d1+384]; add.u32 %r6, %r6, %r7; st.global.u32 [%d2], %r6;
             end:"
        )
    };
    assert_eq!(Case::new(&body("bar.sync 0;")).shape(2, 64).result()[0], 32 + 96);
    assert!(matches!(Case::new(&body("")).shape(2, 64).fault(), FaultKind::Race { .. }));
}

#[test]
fn what_one_thread_acquired_its_block_knows_after_a_barrier() {
    let body = |barrier: &str| {
        format!(
            "setp.ne.u32 %p1, %r1, 0; mov.u32 %r4, s; @%p1 bra wait;
             mul.wide.u32 %d6, %r2, 4; add.s64 %d6, %d1, %d6; st.global.u32 [%d6], 7;
             fence.acq_rel.gpu; atom.global.add.u32 %r5, [%d1+4092], 1; fence.acq_rel.gpu; st.shared.u32 [%r4], %r5;
             wait: bar.sync 0; ld.shared.u32 %r5, [%r4];
             {barrier}
             mov.u32 %r6, %nctaid.x; sub.u32 %r6, %r6, 1; setp.ne.u32 %p2, %r5, %r6; @%p2 bra end;
             setp.gt.u32 %p3, %r1, %r6; @%p3 bra end;
             ld.global.u32 %r7, [%d4]; st.global.u32 [%d5], %r7;
             end:"
        )
    };
    assert_eq!(Case::new(&body("")).shape(4, 64).result()[..5], [7, 7, 7, 7, 0]);
}

/// Block 0 writes data and a flag; block 1 waits for the flag and reads.
fn message(store: &str, load: &str) -> Case {
    let body = format!(
        "setp.ne.u32 %p1, %r1, 0; @%p1 bra end; setp.ne.u32 %p2, %r2, 0; @%p2 bra read;
         st.global.u32 [%d1], 42; {store} [%d1+512], 1; bra end;
         read: {load} %r4, [%d1+512]; setp.eq.u32 %p3, %r4, 0; @%p3 bra read;
         ld.global.u32 %r5, [%d1]; st.global.u32 [%d2], %r5;
         end:"
    );
    Case::new(&body).shape(2, 32).together()
}

#[test]
fn a_flag_passes_a_message_by_release_and_acquire() {
    assert_eq!(message("st.release.gpu.global.u32", "ld.acquire.gpu.global.u32").result()[0], 42);
    assert_eq!(
        message("fence.acq_rel.gpu; st.relaxed.gpu.global.u32", "ld.acquire.gpu.global.u32")
            .result()[0],
        42
    );
    assert_eq!(
        message("membar.gl; st.volatile.global.u32", "ld.acquire.sys.global.u32").result()[0],
        42
    );
    for (store, load) in [
        ("st.relaxed.gpu.global.u32", "ld.acquire.gpu.global.u32"),
        ("st.release.gpu.global.u32", "ld.relaxed.gpu.global.u32"),
        ("st.global.u32", "ld.acquire.gpu.global.u32"),
        ("st.release.cta.global.u32", "ld.acquire.gpu.global.u32"),
    ] {
        let kind = message(store, load).fault();
        assert!(matches!(kind, FaultKind::Race { .. }), "{store} {load}: {kind}");
    }
}

#[test]
fn lanes_of_one_warp_wait_for_each_other() {
    // A lock: each lane takes it by compare-and-swap, adds one, gives it back. It ends because lanes go on
    // independently; it is clean because the lock orders them.
    let body = "mov.u32 %r8, 0;
        take: atom.acquire.gpu.global.cas.b32 %r4, [%d1], 0, 1; setp.ne.u32 %p1, %r4, 0; @%p1 bra take;
        ld.global.u32 %r5, [%d2]; add.u32 %r5, %r5, 1; st.global.u32 [%d2], %r5;
        atom.release.gpu.global.exch.b32 %r6, [%d1], 0;";
    assert_eq!(Case::new(body).shape(2, 48).together().result()[0], 96);
    // The lanes that spin stand first in the text, and the plain schedule prefers what stands first.
    let late = "setp.eq.u32 %p1, %r1, 9; @%p1 bra give;
        spin: ld.volatile.global.u32 %r4, [%d1]; setp.eq.u32 %p2, %r4, 0; @%p2 bra spin; st.global.u32 [%d5], %r4; bra end;
        give: add.u32 %r5, %r1, 1; st.volatile.global.u32 [%d1], %r5; end:";
    let given = Case::new(late).result();
    assert_eq!((given[0], given[9], given[31]), (10, 0, 10));
}
