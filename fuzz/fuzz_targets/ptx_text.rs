//! Any bytes as PTX, and any bytes as the body of a kernel: an error, a fault or a run that ends.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ptx_machine::hostile::run_any;

/// A kernel around a body: so that a fuzzer need not find a header to reach the instructions.
const HEAD: &[u8] = b".version 7.0 .target sm_70 .address_size 64
.visible .entry k(.param .u64 values, .param .u32 n) {
.reg .pred %p<4>; .reg .b16 %h<4>; .reg .b32 %r<8>; .reg .b64 %rd<8>; .reg .f32 %f<8>; .shared .align 4 .b8 s[64];
ld.param.u64 %rd1, [values]; ld.param.u32 %r1, [n]; mov.u32 %r2, %tid.x;
";

fuzz_target!(|bytes: &[u8]| {
    let outcome = if bytes.starts_with(b".") {
        run_any(bytes)
    } else {
        run_any(&[HEAD, bytes, b"\n}"].concat())
    };
    assert!(outcome.understood || outcome == Default::default());
});
