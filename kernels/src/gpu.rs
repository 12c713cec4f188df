//! [`Gpu`]: one thread of a block on an NVIDIA GPU; the hardware is the lockstep.
//!
//! Memory is accessed by inline assembly: an address from a table is a plain number to the compiler,
//! which would otherwise write generic loads and split the wide ones.

#![allow(
    unsafe_code,
    reason = "PTX instructions; addresses are checked by the host before a launch"
)]

use core::arch::asm;
use core::arch::nvptx::{_block_idx_x, _grid_dim_x, _syncthreads, _thread_idx_x};

use crate::team::{Shuffled, Team};

// Shared memory of a block, at module scope: a declaration inside a function would be a second one as
// soon as the function is inlined twice.
core::arch::global_asm!(".shared .align 16 .b8 team_shared[9216];");

/// One thread.
#[derive(Clone, Copy)]
pub struct Gpu;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// The address of word `index` of the shared memory.
#[inline(always)]
fn shared_address(index: u32) -> u32 {
    let base: u32;
    // SAFETY: reads the address of a symbol that this module declares.
    unsafe { asm!("mov.u32 {}, team_shared;", out(reg32) base, options(pure, nomem, nostack)) };
    base + 4 * index
}

impl Team for Gpu {
    type Each<T: Copy> = T;

    #[inline(always)]
    fn block(&self) -> u32 {
        // SAFETY: reads a special register.
        unsafe { _block_idx_x() as u32 }
    }

    #[inline(always)]
    fn blocks(&self) -> u32 {
        // SAFETY: reads a special register.
        unsafe { _grid_dim_x() as u32 }
    }

    #[inline(always)]
    fn each<T: Copy>(&self, mut f: impl FnMut(u32) -> T) -> T {
        // SAFETY: reads a special register.
        f(unsafe { _thread_idx_x() as u32 })
    }

    #[inline(always)]
    fn map<T: Copy, U: Copy>(&self, value: T, mut f: impl FnMut(u32, T) -> U) -> U {
        self.each(|thread| f(thread, value))
    }

    #[inline(always)]
    fn zip<A: Copy, B: Copy>(&self, a: A, b: B) -> (A, B) {
        (a, b)
    }

    #[inline(always)]
    fn shuffle_down<T: Shuffled>(&self, value: T, by: u32) -> T {
        value.map_words(|word| {
            let other: u32;
            // SAFETY: the contract of `Team`: all lanes of the warp are here.
            unsafe {
                asm!("shfl.sync.down.b32 {}, {}, {}, 31, 0xffffffff;",
                    out(reg32) other, in(reg32) word, in(reg32) by, options(nomem, nostack));
            }
            other
        })
    }

    #[inline(always)]
    fn broadcast<T: Shuffled>(&self, value: T) -> T {
        value.map_words(|word| {
            let other: u32;
            // SAFETY: as above.
            unsafe {
                asm!("shfl.sync.idx.b32 {}, {}, 0, 31, 0xffffffff;",
                    out(reg32) other, in(reg32) word, options(nomem, nostack));
            }
            other
        })
    }

    #[inline(always)]
    fn any(&self, value: bool) -> bool {
        value
    }

    #[inline(always)]
    fn barrier(&self) {
        // SAFETY: the contract of `Team`: all threads of the block are here.
        unsafe { _syncthreads() };
    }

    #[inline(always)]
    fn share(&self, index: u32, word: u32) {
        let address = shared_address(index);
        // SAFETY: bodies stay within the declared size; the emulator checks it.
        unsafe {
            asm!("st.shared.b32 [{}], {};", in(reg32) address, in(reg32) word, options(nostack))
        };
    }

    #[inline(always)]
    fn shared(&self, index: u32) -> u32 {
        let address = shared_address(index);
        let word: u32;
        // SAFETY: as above.
        unsafe {
            asm!("ld.shared.b32 {}, [{}];", out(reg32) word, in(reg32) address,
                options(readonly, nostack));
        }
        word
    }

    #[inline(always)]
    fn shared_words<const N: usize>(&self, index: u32) -> [u32; N] {
        const { assert!(N == 2 || N == 4) };
        let address = shared_address(index);
        let mut words = [0_u32; 4];
        // SAFETY: as above; the emulator checks the alignment too.
        unsafe {
            if N == 2 {
                asm!("ld.shared.v2.b32 {{{}, {}}}, [{}];", out(reg32) words[0],
                    out(reg32) words[1], in(reg32) address, options(readonly, nostack));
            } else {
                asm!("ld.shared.v4.b32 {{{}, {}, {}, {}}}, [{}];", out(reg32) words[0],
                    out(reg32) words[1], out(reg32) words[2], out(reg32) words[3],
                    in(reg32) address, options(readonly, nostack));
            }
        }
        core::array::from_fn(|i| words[i])
    }

    #[inline(always)]
    fn half(&self, address: u64) -> u16 {
        let half: u16;
        // SAFETY: the host checked the address.
        unsafe {
            asm!("ld.global.u16 {}, [{}];", out(reg16) half, in(reg64) address,
                options(pure, readonly, nostack));
        }
        half
    }

    #[inline(always)]
    fn word(&self, address: u64) -> u32 {
        let word: u32;
        // SAFETY: the host checked the address.
        unsafe {
            asm!("ld.global.b32 {}, [{}];", out(reg32) word, in(reg64) address,
                options(pure, readonly, nostack));
        }
        word
    }

    #[inline(always)]
    fn two(&self, address: u64) -> [u32; 2] {
        let (a, b): (u32, u32);
        // SAFETY: the host checked the address and its alignment.
        unsafe {
            asm!("ld.global.v2.b32 {{{}, {}}}, [{}];", out(reg32) a, out(reg32) b,
                in(reg64) address, options(pure, readonly, nostack));
        }
        [a, b]
    }

    #[inline(always)]
    fn four(&self, address: u64) -> [u32; 4] {
        let (a, b, c, d): (u32, u32, u32, u32);
        // SAFETY: the host checked the address and its alignment.
        unsafe {
            asm!("ld.global.v4.b32 {{{}, {}, {}, {}}}, [{}];", out(reg32) a, out(reg32) b,
                out(reg32) c, out(reg32) d, in(reg64) address, options(pure, readonly, nostack));
        }
        [a, b, c, d]
    }

    #[inline(always)]
    fn set_word(&self, address: u64, word: u32) {
        // SAFETY: the host checked the address.
        unsafe {
            asm!("st.global.b32 [{}], {};", in(reg64) address, in(reg32) word, options(nostack))
        };
    }

    #[inline(always)]
    fn set_four(&self, address: u64, [a, b, c, d]: [u32; 4]) {
        // SAFETY: the host checked the address and its alignment.
        unsafe {
            asm!("st.global.v4.b32 [{}], {{{}, {}, {}, {}}};", in(reg64) address, in(reg32) a,
                in(reg32) b, in(reg32) c, in(reg32) d, options(nostack));
        }
    }

    #[inline(always)]
    fn set_two(&self, address: u64, [a, b]: [u32; 2]) {
        // SAFETY: the host checked the address and its alignment.
        unsafe {
            asm!("st.global.v2.b32 [{}], {{{}, {}}};", in(reg64) address, in(reg32) a,
                in(reg32) b, options(nostack));
        }
    }

    #[inline(always)]
    fn set_half(&self, address: u64, half: u16) {
        // SAFETY: the host checked the address.
        unsafe {
            asm!("st.global.u16 [{}], {};", in(reg64) address, in(reg16) half, options(nostack))
        };
    }

    #[inline(always)]
    fn f16_to_f32(&self, bits: u16) -> f32 {
        let word: u32;
        // SAFETY: arithmetic. Exact, subnormal numbers included.
        unsafe {
            asm!("cvt.f32.f16 {}, {};", out(reg32) word, in(reg16) bits,
                options(pure, nomem, nostack));
        }
        f32::from_bits(word)
    }

    #[inline(always)]
    fn f32_to_f16(&self, value: f32) -> u16 {
        let half: u16;
        // SAFETY: arithmetic. To nearest, a tie to the even one, subnormal numbers included.
        unsafe {
            asm!("cvt.rn.f16.f32 {}, {};", out(reg16) half, in(reg32) value.to_bits(),
                options(pure, nomem, nostack));
        }
        half
    }

    #[inline(always)]
    fn add(&self, address: u64, by: u32) -> u32 {
        let old: u32;
        // SAFETY: the host checked the address.
        unsafe {
            asm!("atom.global.add.u32 {}, [{}], {};", out(reg32) old, in(reg64) address,
                in(reg32) by, options(nostack));
        }
        old
    }

    #[inline(always)]
    fn fence(&self) {
        // Rust's own fence is for the whole system, host included; blocks of one device need less.
        // SAFETY: orders memory access, and nothing else.
        unsafe { asm!("fence.acq_rel.gpu;", options(nostack)) };
    }

    #[inline(always)]
    fn row<T>(&self, address: u64, len: u32, f: impl FnOnce(&mut [f32]) -> T) -> T {
        // SAFETY: the host checked the address; the contract of `Team`: nobody else touches it.
        f(unsafe { core::slice::from_raw_parts_mut(address as *mut f32, len as usize) })
    }
}
