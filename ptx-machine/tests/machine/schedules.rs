//! A result that depends on the schedule shows; one that does not, does not.

use crate::support::{Case, fault_kind};
use ptx_machine::{FaultKind, Launch, Memory};
use std::collections::HashSet;

fn results(case: &Case) -> HashSet<u32> {
    (0..24).map(|seed| case.run(seed).expect("no fault")[0]).collect()
}

#[test]
fn a_sum_whose_order_is_open_differs_between_schedules() {
    let sum =
        "cvt.rn.f32.u32 %r4, %r1; add.rn.f32 %r4, %r4, 0f3DCCCCCD; div.rn.f32 %r4, 0f3F800000, %r4;
        red.global.add.f32 [%d2], %r4;";
    assert!(results(&Case::new(sum).shape(1, 32)).len() > 1, "lanes");
    assert!(results(&Case::new(sum).shape(1, 128)).len() > 1, "warps");
    let one = format!("setp.ne.u32 %p1, %r1, 0; @%p1 bra end; add.u32 %r1, %r1, %r2; {sum} end:");
    assert!(results(&Case::new(&one).shape(40, 32)).len() > 1, "blocks");
}

#[test]
fn who_comes_first_is_drawn() {
    let lanes = Case::new("atom.global.cas.b32 %r4, [%d2], 0, %r1;").shape(1, 32);
    assert!(results(&lanes).len() > 4, "{:?}", results(&lanes));
    let warps = Case::new(
        "shr.u32 %r5, %r1, 5; add.u32 %r5, %r5, 1; atom.global.cas.b32 %r4, [%d2], 0, %r5;",
    );
    assert!(results(&warps.shape(1, 256)).len() > 3);
    let blocks =
        Case::new("add.u32 %r5, %r2, 1; atom.global.cas.b32 %r4, [%d2], 0, %r5;").shape(16, 32);
    assert!(results(&blocks).len() > 4);
    let far = results(&blocks.shape(64, 32));
    assert!(far.iter().any(|first| *first > 32), "the later half goes first too: {far:?}");
    // Lanes that parted: either side may be first.
    let sides =
        "setp.lt.u32 %p1, %r1, 16; @%p1 bra other; atom.global.cas.b32 %r4, [%d2], 0, 1; bra end;
        other: atom.global.cas.b32 %r4, [%d2], 0, 2; end:";
    assert!(
        (0..200)
            .map(|seed| Case::new(sides).run(seed).expect("no fault")[0])
            .collect::<HashSet<_>>()
            .len()
            > 1
    );
}

#[test]
fn one_seed_is_one_schedule() {
    let case = Case::new(
        "atom.global.add.u32 %r4, [%d1], 1; mad.lo.u32 %r5, %r2, 64, %r1; mul.wide.u32 %d6, %r5, 4;
        add.s64 %d6, %d2, %d6; st.global.u32 [%d6], %r4;",
    );
    let case = case.shape(8, 64);
    for seed in 0..10 {
        assert_eq!(case.run(seed), case.run(seed));
    }
    assert_ne!(case.run(1), case.run(2));
}

#[test]
fn threads_of_the_host_share_the_blocks() {
    let case = Case::new("atom.global.add.u32 %r4, [%d1], 1; red.global.add.u64 [%d2], 3;");
    for threads in [1, 2, 5] {
        let mut memory = Memory::new();
        let (a, b) = (memory.buffer("a", &[0; 4]), memory.buffer("b", &[0; 8]));
        let launch = Launch::new(&case.module, "k").grid(50).block(96).threads(threads).seed(7);
        let report =
            launch.buffer(&memory, a).buffer(&memory, b).run(&mut memory).expect("no fault");
        assert_eq!(memory.bytes(a), (50_u32 * 96).to_le_bytes());
        assert_eq!(memory.bytes(b), (3 * 50_u64 * 96).to_le_bytes());
        assert_eq!(report.instructions["red.global.add.u64"], 50 * 96);
    }
}

#[test]
fn races_are_found_with_many_threads_of_the_host() {
    let racing = Case::new("st.global.u32 [%d1+256], 1;").shape(64, 32);
    let clean = Case::new("setp.ne.u32 %p1, %r1, 0; @%p1 bra end; mul.wide.u32 %d6, %r2, 4; add.s64 %d6, %d1, %d6;
        st.global.u32 [%d6], 5; fence.acq_rel.gpu; atom.global.inc.u32 %r4, [%d2], 63; fence.acq_rel.gpu;
        setp.ne.u32 %p2, %r4, 63; @%p2 bra end; ld.global.u32 %r5, [%d1+128]; st.global.u32 [%d2+4], %r5; end:");
    let clean = clean.shape(64, 32);
    for seed in 0..30 {
        let run = |case: &Case| {
            let mut memory = Memory::new();
            let (a, b) = (memory.buffer("a", &[0; 512]), memory.buffer("b", &[0; 8]));
            let launch = Launch::new(&case.module, "k").grid(64).block(32).threads(4).seed(seed);
            launch.buffer(&memory, a).buffer(&memory, b).run(&mut memory).map(|_| memory.bytes(b))
        };
        assert!(matches!(fault_kind(run(&racing)), FaultKind::Race { .. }));
        assert_eq!(run(&clean).unwrap_or_else(|error| panic!("{error}")), [0, 0, 0, 0, 5, 0, 0, 0]);
    }
}

#[test]
fn device_sums_of_subnormals_are_flushed_in_global_memory_only() {
    let add = |memory: &str| {
        format!("{memory}.add.f32 %r4, [%d6], 0f00000001; {memory}.add.f32 %r4, [%d6], 0f00800000;")
    };
    let global =
        format!("setp.ne.u32 %p1, %r1, 0; @%p1 exit; mov.b64 %d6, %d2; {}", add("atom.global"));
    assert_eq!(Case::new(&global).result()[0], 0x0080_0000);
    let shared = format!(
        "setp.ne.u32 %p1, %r1, 0; @%p1 exit; mov.u64 %d6, s; st.shared.u32 [%d6], 0; {}
        ld.shared.u32 %r4, [%d6]; st.global.u32 [%d2], %r4;",
        add("atom.shared")
    );
    assert_eq!(Case::new(&shared).result()[0], 0x0080_0001);
}
