//! Planted: out of bounds, misaligned, never written, protected.

use crate::support::{Case, fault_kind};
use ptx_machine::{FaultKind, Memory};

#[test]
fn one_element_too_far_is_named_by_its_buffer() {
    let message = Case::new("ld.global.u32 %r4, [%d4+3972];").message();
    assert_eq!(
        message,
        "kernel `k`, line 8, `ld.global.u32 %r4, [%d4+3972]`, block 0, warp 0, lane 31: \
         read out of bounds: a+4096: 4 bytes, it has 4096"
    );
    assert_eq!(Case::new("ld.global.u32 %r4, [%d4+3968];").run(1).map(|_| ()), Ok(()));
}

#[test]
fn before_the_start_and_far_away() {
    let before = Case::new("st.global.u32 [%d4+-4], %r1;").message();
    assert!(before.contains("write out of bounds: a-4: 4 bytes, it has 4096"), "{before}");
    let null = Case::new("mov.b64 %d6, 0; ld.u32 %r4, [%d6+16];").message();
    assert!(null.contains("no buffer+16: 4 bytes"), "{null}");
    let wild = Case::new("mov.b64 %d6, -8; atom.global.add.u32 %r4, [%d6], 1;").message();
    assert!(wild.contains("atomic out of bounds"), "{wild}");
}

#[test]
fn an_access_that_only_begins_inside() {
    for (threads, fits) in [(12, true), (13, false), (14, false)] {
        let mut memory = Memory::new();
        memory.buffer("a", &[0; 100]);
        let case = Case::new("add.s64 %d4, %d4, %d3; ld.global.u64 %d6, [%d4];").shape(1, threads);
        match case.launch(&mut memory, 0) {
            Ok(()) => assert!(fits, "{threads} threads"),
            Err(error) => {
                let said = "lane 12: read out of bounds: a+96: 8 bytes, it has 100";
                assert!(!fits && error.to_string().ends_with(said), "{error}");
            }
        }
    }
}

#[test]
fn shared_local_and_parameter_memory_have_ends() {
    let shared = Case::new("mov.u32 %r4, s; st.shared.u32 [%r4+1024], %r1;").message();
    assert!(
        shared.contains("write out of bounds: shared memory+1024: 4 bytes, it has 1024"),
        "{shared}"
    );
    let negative =
        Case::new("mov.u32 %r4, s; sub.u32 %r4, %r4, 4; ld.shared.u32 %r5, [%r4];").message();
    assert!(negative.contains("out of bounds"), "{negative}");
    let local = Case::new(".local .align 8 .b8 l[16]; mov.u64 %d6, l; st.local.u32 [%d6+16], %r1;")
        .message();
    assert!(local.contains("local memory+16: 4 bytes, it has 16"), "{local}");
    let param = Case::new("ld.param.u64 %d6, [b+8];").message();
    assert!(param.contains("parameters+16: 8 bytes, it has 16"), "{param}");
}

#[test]
fn a_space_keeps_to_itself() {
    // A generic address of shared memory used as a global one.
    let kind =
        Case::new("mov.u64 %d6, s; cvta.shared.u64 %d6, %d6; ld.global.u32 %r4, [%d6];").fault();
    assert!(matches!(kind, FaultKind::OutOfBounds { .. }), "{kind}");
}

#[test]
fn alignment_is_that_of_the_whole_access() {
    let message = Case::new("ld.global.u32 %r4, [%d1+2];").message();
    assert!(message.ends_with("misaligned: a+2 is no multiple of 4"), "{message}");
    let vector = Case::new("ld.global.v4.f32 {%r4, %r5, %r6, %r7}, [%d1+8];").message();
    assert!(vector.ends_with("misaligned: a+8 is no multiple of 16"), "{vector}");
    let shared = Case::new("mov.u32 %r4, s; st.shared.u64 [%r4+4], %d1;").fault();
    assert!(matches!(shared, FaultKind::Misaligned { size: 8, .. }), "{shared}");
}

#[test]
fn a_buffer_may_lie_at_an_odd_offset() {
    let case = Case::new("ld.global.v2.u32 {%r4, %r5}, [%d1];");
    for (offset, fits) in [(0, true), (8, true), (4, false), (12, false), (248, true)] {
        let mut memory = Memory::new();
        let a = memory.buffer_at_offset("a", &[7; 64], offset);
        assert_eq!(memory.address(a, 0) % 256, offset);
        assert_eq!(memory.bytes(a), [7; 64]);
        assert_eq!(case.launch(&mut memory, 0).is_ok(), fits, "offset {offset}");
    }
}

#[test]
fn reading_what_nobody_wrote() {
    let read = Case::new("ld.global.u32 %r4, [%d4];");
    let write_then_read = Case::new("st.global.u32 [%d4], %r1; ld.global.u32 %r4, [%d4];");
    let half = Case::new("st.global.u16 [%d4], %h1; ld.global.u32 %r4, [%d4];");
    let atomic = Case::new("atom.global.add.u32 %r4, [%d4], 1;");
    for seed in 0..20 {
        let run = |case: &Case| {
            let mut memory = Memory::new();
            memory.uninitialised("a", 4096);
            case.launch(&mut memory, seed)
        };
        assert_eq!(run(&write_then_read), Ok(()));
        for case in [&read, &half, &atomic] {
            let kind = fault_kind(run(case));
            assert!(matches!(kind, FaultKind::Uninitialised { size: 4, .. }), "{kind}");
        }
    }
    let shared = Case::new("mov.u32 %r4, s; ld.shared.u32 %r5, [%r4];").message();
    assert!(
        shared.ends_with("read of memory that was never written: shared memory+0: 4 bytes"),
        "{shared}"
    );
}

#[test]
fn a_buffer_filled_by_one_launch_is_valid_in_the_next() {
    let mut memory = Memory::new();
    memory.uninitialised("a", 4096);
    let read = Case::new("ld.global.u32 %r4, [%d4];");
    assert!(matches!(fault_kind(read.launch(&mut memory, 0)), FaultKind::Uninitialised { .. }));
    Case::new("st.global.u32 [%d4], %r1;").launch(&mut memory, 0).expect("no fault");
    read.launch(&mut memory, 0).expect("no fault");
}

#[test]
fn protected_bytes() {
    let write = Case::new("st.global.u32 [%d4], %r1;");
    let atomic = Case::new("red.global.add.u32 [%d4], 1;");
    for case in [&write, &atomic] {
        let mut memory = Memory::new();
        memory.read_only("a", &[0; 4096]);
        assert!(matches!(fault_kind(case.launch(&mut memory, 0)), FaultKind::Protected { .. }));
        let mut memory = Memory::new();
        let a = memory.buffer("a", &[0; 4096]);
        memory.guard(a, 128..4096);
        case.launch(&mut memory, 0).expect("it writes 128 bytes");
        memory.guard(a, 127..128);
        let message = case.launch(&mut memory, 0).expect_err("the guard").to_string();
        assert!(message.ends_with("write to protected memory: a+124: 4 bytes"), "{message}");
    }
    let mut memory = Memory::new();
    memory.read_only("a", &[0; 4096]);
    Case::new("ld.global.u32 %r4, [%d4];").launch(&mut memory, 0).expect("reading is allowed");
    let constant =
        Case::with(".const .b32 c[2] = {1, 2};", "mov.u64 %d6, c; st.global.u32 [%d6], %r1;")
            .fault();
    assert!(matches!(constant, FaultKind::Protected { .. }), "{constant}");
    let parameter = Case::new("mov.u64 %d6, a; st.u32 [%d6], %r1;").fault();
    assert!(matches!(parameter, FaultKind::Protected { .. }), "{parameter}");
}

#[test]
fn what_is_taken_and_freed_leaves_no_row_and_no_address_comes_twice() {
    let mut memory = Memory::new();
    let kept = memory.uninitialised("kept", 8);
    let mut last = memory.address(kept, 0);
    for _ in 0..3 {
        let ids = ["a", "b"].map(|name| memory.uninitialised(name, 8));
        let addresses = ids.map(|id| memory.address(id, 0));
        assert!(last < addresses[0] && addresses[0] < addresses[1]);
        last = addresses[1];
        assert_eq!(memory.find("b"), Some(ids[1]));
        ids.into_iter().for_each(|id| memory.release(id));
        assert_eq!((memory.find("a"), memory.find("b")), (None, None));
    }
    assert_eq!(memory.find("kept"), Some(kept));
}
