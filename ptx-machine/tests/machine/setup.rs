//! Launches that cannot be: one clear error each.

use crate::support::{module_of, text_of};
use ptx_machine::{Launch, Memory, Module, RunError};

fn message(launch: &Launch) -> String {
    match launch.run(&mut Memory::new()) {
        Err(RunError::Setup(error)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_said_of_a_wrong_launch() {
    let module = module_of("", "");
    let launch = |kernel: &str| Launch::new(&module, kernel).argument(0_u64).argument(0_u64);
    assert_eq!(message(&launch("q")), "no kernel `q` in this module; it has k");
    assert_eq!(message(&launch("k").argument(1_u32)), "kernel `k` has 2 parameters, 3 were given");
    let narrow = Launch::new(&module, "k").argument(0_u64).argument(0_u32);
    assert_eq!(message(&narrow), "kernel `k`: parameter `b` has 8 bytes, 4 were given");
    assert_eq!(message(&launch("k").grid(0)), "kernel `k`: a grid of 0 x 1 x 1 blocks");
    assert_eq!(
        message(&launch("k").block(0)),
        "kernel `k`: a block of 0 x 1 x 1 threads: 1 to 1024"
    );
    assert_eq!(
        message(&launch("k").block_3d(32, 32, 2)),
        "kernel `k`: a block of 32 x 32 x 2 threads: 1 to 1024"
    );
    assert!(message(&launch("k").grid_3d(1, 70_000, 1)).contains("70000"));
    assert!(message(&launch("k").shared(300_000)).contains("300000 bytes of shared memory"));
}

#[test]
fn blocks_that_a_kernel_forbids() {
    let text = |directive: &str| {
        format!(".version 7.0 .target sm_70 .address_size 64 .entry k() {directive} {{ ret; }}")
    };
    let module = |directive: &str| Module::parse(&text(directive)).expect("understood");
    let required = module(".reqntid 64");
    assert_eq!(
        message(&Launch::new(&required, "k").block(32)),
        "kernel `k`: it requires blocks of 64 x 1 x 1 threads"
    );
    Launch::new(&required, "k").block(64).run(&mut Memory::new()).expect("no fault");
    let most = module(".maxntid 64, 1, 1 .minnctapersm 2");
    assert_eq!(
        message(&Launch::new(&most, "k").block(65)),
        "kernel `k`: 65 threads in a block: at most 64"
    );
    Launch::new(&most, "k").block(64).run(&mut Memory::new()).expect("no fault");
}

#[test]
fn approximate_arithmetic_is_asked_for() {
    for body in [
        "ex2.approx.f32 %r4, %r5;",
        "add.ftz.f32 %r4, %r5, %r5;",
        "div.full.f32 %r4, %r5, %r5;",
        "setp.lt.ftz.f32 %p1, %r4, %r5;",
        "cvt.ftz.f64.f32 %d6, %r5;",
        "rsqrt.approx.f32 %r4, %r5;",
    ] {
        let module = module_of("", body);
        let launch = Launch::new(&module, "k").argument(0_u64).argument(0_u64);
        let said = message(&launch);
        assert!(said.contains(body.trim_end_matches(';')) && said.contains("line 8"), "{said}");
        launch.relaxed(true).run(&mut Memory::new()).expect("no fault");
    }
    // In a function that is called, as well.
    let module =
        module_of(".func f() { .reg .b32 %r<2>; sin.approx.f32 %r0, %r1; ret; }", "call f;");
    assert!(
        message(&Launch::new(&module, "k").argument(0_u64).argument(0_u64))
            .contains("sin.approx.f32")
    );
}

#[test]
fn variables_of_the_module_stay_in_the_memory() {
    let text = text_of(
        ".global .align 4 .u32 count = 5; .global .u64 link = count; .const .f32 third = 0f3EAAAAAB;",
        "ld.global.u64 %d6, [link]; ld.global.u32 %r4, [%d6]; add.u32 %r4, %r4, 1; st.global.u32 [count], %r4;
         ld.const.f32 %r5, [third]; setp.neu.f32 %p1, %r5, 0f3EAAAAAB; @%p1 trap;",
    );
    let module = Module::parse(&text).expect("understood");
    let mut memory = Memory::new();
    let launch = Launch::new(&module, "k").argument(0_u64).argument(0_u64);
    for expected in 6..9_u32 {
        launch.run(&mut memory).expect("no fault");
        let count = memory.find("count").expect("the variable is a buffer");
        assert_eq!(memory.bytes(count), expected.to_le_bytes());
    }
}

#[test]
fn dynamic_shared_memory_starts_where_the_launch_says() {
    let module = module_of(
        ".shared .b8 fixed[12]; .extern .shared .align 16 .b8 dynamic[];",
        "mov.u32 %r4, dynamic; shl.b32 %r5, %r1, 2; add.u32 %r4, %r4, %r5; st.shared.u32 [%r4], %r1;",
    );
    let launch = Launch::new(&module, "k").block(32).argument(0_u64).argument(0_u64);
    launch.clone().shared(128).run(&mut Memory::new()).expect("no fault");
    let error =
        launch.shared(124).run(&mut Memory::new()).expect_err("one word too few").to_string();
    assert!(error.contains("lane 31: write out of bounds: shared memory"), "{error}");
}
