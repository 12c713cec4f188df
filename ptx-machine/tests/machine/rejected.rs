//! Text that is not understood is told by line and instruction, never skipped.

use crate::support::text_of;
use ptx_machine::Module;

/// Bodies, and a part of what must be said of them.
const UNKNOWN: &[(&str, &str)] = &[
    (
        "wmma.load.a.sync.aligned.row.m16n16k16.shared.f16 %r1, [%d1];",
        "line 8: unknown instruction wmma",
    ),
    ("add.rz.f32 %r4, %r4, %r4;", "unknown suffix .rz, in `add.rz.f32 %r4, %r4, %r4`"),
    ("add.quick.u32 %r4, %r4, %r4;", "unknown suffix .quick"),
    ("add.u32 %r4, %r4;", "2 operands, the instruction has 3"),
    ("add.u32 %r4, %r4, %d1;", "%d1 has 64 bits, the instruction wants 32"),
    ("add.u32 %d1, %r4, %r4;", "%d1 has 64 bits, the instruction wants 32"),
    ("add.f32 %r4, %r4, 1;", "1 is an integer, the instruction wants a floating-point number"),
    ("add.u32 %r99, %r4, %r4;", "%r99 is not a declared register"),
    ("add.u32 %r4, %x, %r4;", "%x is not declared"),
    ("setp.lo.s32 %p1, %r4, %r4;", "no comparison known for this type"),
    ("setp.ltu.s32 %p1, %r4, %r4;", "no comparison known for this type"),
    ("setp.lt.b32 %p1, %r4, %r4;", "no comparison known for this type"),
    ("selp.b32 %r4, %r4, %r4, %r5;", "%r5 is not a predicate"),
    ("@%r4 bra end; end:", "%r4 is not a predicate"),
    ("bra nowhere;", "label nowhere is not in this function"),
    ("call f;", "function f is not defined in this module"),
    ("call k;", "k is an entry and cannot be called"),
    ("shfl.idx.b32 %r4, %r4, 0, 31;", "shfl without .sync is undefined on sm_70 and later"),
    ("ld.global.v4.u32 {%r4, %r5}, [%d1];", "2 registers in braces, the instruction has 4"),
    ("ld.global.u32 %h1, [%d1];", "%h1 has 16 bits, the instruction wants 32"),
    ("ld.release.gpu.global.u32 %r4, [%d1];", "this access cannot be .release"),
    ("st.const.u32 [%d1], %r4;", "constant memory cannot be written"),
    ("atom.global.and.u32 %r4, [%d1], %r4;", "atomic and does not know this type"),
    ("atom.local.add.u32 %r4, [%d1], %r4;", "atomics are known in global and shared memory"),
    ("cvt.f32.f64 %r4, %d1;", "cvt between these types wants another rounding"),
    ("cvt.rn.s32.f32 %r4, %r4;", "cvt between these types wants another rounding"),
    ("cvt.f16.u32 %h1, %r4;", "cvt between these types wants another rounding"),
    ("div.f32 %r4, %r4, %r4;", "div needs a rounding, and .rn is the only one known"),
    ("mul.u32 %r4, %r4, %r4;", "no .lo, .hi or .wide"),
    ("fence.acq_rel;", "a fence without a scope"),
    ("mov.b64 %d1, {%r1, %r2, %r3};", "3 parts do not make this type"),
    ("bar.sync;  bar.arrive 1;", "1 operands do not fit this barrier"),
    ("add.u32 %r4 %r4, %r4;", "line 8: expected `;`, found `%r4`"),
    ("ld.global.u32 %r4, [%d1;", "expected `]`, found `;`"),
    ("mov.f32 %r4, 0f3F80;", "`0f3F80` is not a number"),
    ("mov.u32 %r4, 0x1FFFFFFFFFFFFFFFFF;", "is not a number"),
    (".tex .u64 t;", "unknown directive `.tex`"),
];

fn error(body: &str) -> String {
    match Module::parse(&text_of("", body)) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("`{body}` was taken"),
    }
}

#[test]
fn instructions_that_are_not_known() {
    for (body, said) in UNKNOWN {
        let found = error(body);
        assert!(found.contains(said), "`{body}`: {found}");
    }
}

/// Texts behind `.version 7.0 .target sm_70`, and a part of what must be said of them.
const WRONG: &[(&str, &str)] = &[
    (".address_size 32", "only 64 is known"),
    (".entry k() {", "function `k` without its closing brace"),
    (".entry k() { } .entry k() { }", "function `k` is defined twice"),
    (".entry k() { l: l: }", "label `l` twice in one scope"),
    (".shared .b8 s[400000];", "at most 232448"),
    (".global .b8 s[4000000000];", "larger than 67108864 bytes"),
    (".extern .global .b8 s;", "another module"),
    (".global .b8 s; .global .b8 s;", "`s` is declared twice"),
    (".global .u64 s = t;", "`s` refers to `t`, which is no global variable"),
    (".global .u32 s[1] = {1, 2};", "more initial values than elements"),
    (".global .align 3 .b8 s;", "alignment 3 is not a power of two"),
    ("é", "unexpected character 'é'"),
    ("/* open", "a comment without end"),
    (".file \"open", "a text in quotes without end"),
];

#[test]
fn headers_and_declarations() {
    let parse = |text: &str| Module::parse(text).map(|_| ()).map_err(|error| error.to_string());
    assert_eq!(parse(""), Err("line 1: no .version directive".into()));
    assert_eq!(parse(".version 7.0"), Err("line 1: no .target directive".into()));
    let newer = "line 1: PTX version 12.0 is newer than 9.5, the newest known here";
    assert_eq!(parse(".version 12.0"), Err(newer.into()));
    let newer = "line 2: target sm_999 is newer than sm_121, the newest known here";
    assert_eq!(parse(".version 7.0\n.target sm_999"), Err(newer.into()));
    assert_eq!(parse(".version 8.8\n.target sm_90a\n.address_size 64"), Ok(()));
    for (text, said) in WRONG {
        let found = parse(&format!(".version 7.0 .target sm_70 {text}")).expect_err(text);
        assert!(found.contains(said), "`{text}`: {found}");
    }
}

#[test]
fn debugging_lines_and_hints_change_nothing() {
    let text = text_of(
        ".file 1 \"k.cu\"\n.section .debug_abbrev { .b8 1, 2 }\n.pragma \"nounroll\";",
        "// a comment\n.loc 1 2 3\n.pragma \"nounroll\"; /* two\nlines */ prefetch.global.L2 [%d1];
         { .reg .b32 %r1; .reg .pred q; mov.u32 %r1, 7; setp.eq.u32 q, %r1, 7; @!q trap; }
         setp.ge.u32 %p1, %r1, 32; @%p1 trap; nanosleep.u32 20; ld.global.nc.L1::no_allocate.L2::128B.u32 %r4, [%d1];",
    );
    let module = Module::parse(&text).expect("understood");
    let mut memory = ptx_machine::Memory::new();
    let a = memory.buffer("a", &[0; 4]);
    let launch =
        ptx_machine::Launch::new(&module, "k").block(32).buffer(&memory, a).buffer(&memory, a);
    launch.run(&mut memory).expect("no fault");
}
