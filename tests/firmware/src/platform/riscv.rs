//! QEMU's `virt` machine with a RISC-V core: lines by its serial port, the end by its test device.

use super::stack::{self, Painted};
use crate::fault::Fault;
use crate::machine::Machine;
use core::arch::{asm, global_asm};
use core::fmt::{self, Arguments, Write};
use core::panic::PanicInfo;
use core::ptr::write_volatile;

const SERIAL: *mut u8 = 0x1000_0000 as *mut u8;
const TEST_DEVICE: *mut u32 = 0x0010_0000 as *mut u32;
const PASS: u32 = 0x5555;
/// Exit code 1.
const FAIL: u32 = 1 << 16 | 0x3333;

global_asm!(".section .init", ".globl _start", "_start:", "la sp, _stack_start", "j main");

struct Serial;

impl Write for Serial {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            // SAFETY: the serial port's data register.
            unsafe { write_volatile(SERIAL, byte) }
        }
        Ok(())
    }
}

struct Board(Painted);

impl Machine for Board {
    fn line(&mut self, text: Arguments<'_>) {
        // Writing to the port does not fail.
        let _ = writeln!(Serial, "{text}");
    }

    fn instructions(&mut self) -> Option<u64> {
        let count: u32;
        // SAFETY: reads a counter. Its low half: a step is shorter.
        unsafe { asm!("csrr {}, minstret", out(reg) count) }
        Some(u64::from(count))
    }

    fn paint(&mut self) {
        self.0 = stack::paint();
    }

    fn stack(&mut self) -> Option<usize> {
        Some(stack::used(self.0))
    }

    fn static_ram(&self) -> Option<usize> {
        Some(stack::static_ram())
    }
}

/// Runs an image's program and ends the emulator.
pub fn start(run: fn(&mut dyn Machine) -> Result<(), Fault>) -> ! {
    match run(&mut Board(Painted::default())) {
        Ok(()) => exit(PASS),
        Err(fault) => {
            let _ = writeln!(Serial, "fault: {fault}");
            exit(FAIL)
        }
    }
}

fn exit(code: u32) -> ! {
    loop {
        // SAFETY: the test device's register, which ends the emulator.
        unsafe { write_volatile(TEST_DEVICE, code) }
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let _ = writeln!(Serial, "{info}");
    exit(FAIL)
}
