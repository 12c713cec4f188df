#![no_std]
#![feature(abi_ptx, stdarch_nvptx, asm_experimental_arch, core_float_math)]
use core::arch::{asm, global_asm, nvptx::*};
use core::sync::atomic::{fence, AtomicU32, Ordering::*};

global_asm!(".shared .align 16 .b8 tree_smem[4096];");

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! { unsafe { asm!("trap;", options(noreturn)) } }

fn index() -> usize { unsafe { (_block_idx_x() * _block_dim_x() + _thread_idx_x()) as usize } }

#[repr(C, align(16))]
#[derive(Clone, Copy)]
struct F4([f32; 4]);

/// y = a x + y over 16-byte pieces
#[unsafe(no_mangle)]
pub unsafe extern "ptx-kernel" fn axpy4(a: f32, x: *const f32, y: *mut f32, n: u32) {
    let i = index();
    if i < n as usize {
        unsafe {
            let x4 = *(x as *const F4).add(i);
            let y4 = (y as *mut F4).add(i);
            let mut v = *y4;
            for k in 0..4 { v.0[k] = a * x4.0[k] + v.0[k]; }
            *y4 = v;
        }
    }
}

fn shfl_down(v: f32, by: u32) -> f32 {
    let mut out: u32;
    unsafe { asm!("shfl.sync.down.b32 {o}, {i}, {b}, 31, 0xffffffff;", o = out(reg32) out, i = in(reg32) v.to_bits(), b = in(reg32) by); }
    f32::from_bits(out)
}
unsafe fn sh_store(at: u32, v: f32) { unsafe { asm!("{{ .reg .b32 %a; mov.u32 %a, tree_smem; add.u32 %a, %a, {o}; st.shared.b32 [%a], {v}; }}", o = in(reg32) at*4, v = in(reg32) v.to_bits()); } }
unsafe fn sh_load(at: u32) -> f32 { let mut out: u32; unsafe { asm!("{{ .reg .b32 %a; mov.u32 %a, tree_smem; add.u32 %a, %a, {o}; ld.shared.b32 {v}, [%a]; }}", o = in(reg32) at*4, v = out(reg32) out); } f32::from_bits(out) }

/// Sum of squares: block partials, last block done adds them.
#[unsafe(no_mangle)]
pub unsafe extern "ptx-kernel" fn sum_squares(x: *const f32, n: u32, partial: *mut f32, counter: *const AtomicU32, out: *mut f32) {
    unsafe {
        let (t, b, nb, bd) = (_thread_idx_x() as u32, _block_idx_x() as u32, _grid_dim_x() as u32, _block_dim_x() as u32);
        let mut acc = 0.0f32;
        let mut i = b * bd + t;
        while i < n { let v = *x.add(i as usize); acc += v * v; i += bd * nb; }
        let mut s = 16;
        while s > 0 { acc += shfl_down(acc, s); s /= 2; }
        if t % 32 == 0 { sh_store(t / 32, acc); }
        _syncthreads();
        if t == 0 {
            let mut total = 0.0;
            for w in 0..bd / 32 { total += sh_load(w); }
            *partial.add(b as usize) = total;
            fence(Release);
            let done = (*counter).fetch_add(1, Relaxed);
            fence(Acquire);
            if done == nb - 1 {
                let mut all = 0.0;
                for k in 0..nb { all += *partial.add(k as usize); }
                *out = core::f32::math::sqrt(all);
                (*counter).store(0, Relaxed);
            }
        }
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "ptx-kernel" fn softmaxish(x: *const f32, y: *mut f32, d: *mut f64, n: u32) {
    let i = index();
    if i < n as usize { unsafe {
        let v = *x.add(i);
        *y.add(i) = libm::expf(v) + libm::logf(if v > 0.0 { v } else { -v });
        *d.add(i) = libm::exp(v as f64) / (1.0 + libm::sqrt((v as f64).abs())) ;
    } }
}

#[unsafe(no_mangle)]
pub unsafe extern "ptx-kernel" fn halves(x: *const u16, y: *mut f32, n: u32, s: *const [u64; 3]) {
    let i = index();
    if i < n as usize { unsafe {
        let h = *x.add(i);
        let s = &*s;
        *y.add(i) = f32::from_bits((h as u32) << 16) * (s[i % 3] as f32);
    } }
}

#[inline(never)]
fn helper(a: u32, b: f64) -> f64 { let mut r = b; for k in 0..a { r = r * 1.5 - k as f64; } r }

#[unsafe(no_mangle)]
pub unsafe extern "ptx-kernel" fn calls(y: *mut f64, n: u32) {
    let i = index();
    if i < n as usize { unsafe { *y.add(i) = helper(i as u32 % 7, i as f64) + helper(3, 2.0); } }
}

/// indexes a slice with a bounds check: panics pulled in
#[unsafe(no_mangle)]
pub unsafe extern "ptx-kernel" fn checked(y: *mut u32, n: u32, k: u32) {
    let i = index();
    let s = unsafe { core::slice::from_raw_parts_mut(y, n as usize) };
    s[i + k as usize] = i as u32;
}
