//! A Cortex-M under QEMU: lines and the end by semihosting, time by the system timer.

use super::stack::{self, Painted};
use crate::fault::Fault;
use crate::machine::Machine;
use core::fmt::Arguments;
use core::panic::PanicInfo;
use cortex_m::Peripherals;
use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_rt as _;
use cortex_m_semihosting::{debug, hprintln};

/// The timer counts down 24 bits at 25 MHz; with `-icount shift=0` an instruction takes a nanosecond.
const INSTRUCTIONS_A_TICK: u64 = 40;
const WRAP: u32 = 0x00ff_ffff;

struct Board {
    last: u32,
    ticks: u64,
    painted: Painted,
}

impl Machine for Board {
    fn line(&mut self, text: Arguments<'_>) {
        hprintln!("{}", text);
    }

    fn instructions(&mut self) -> Option<u64> {
        let now = SYST::get_current();
        self.ticks += u64::from(self.last.wrapping_sub(now) & WRAP);
        self.last = now;
        Some(self.ticks * INSTRUCTIONS_A_TICK)
    }

    fn paint(&mut self) {
        self.painted = stack::paint();
    }

    fn stack(&mut self) -> Option<usize> {
        Some(stack::used(self.painted))
    }

    fn static_ram(&self) -> Option<usize> {
        Some(stack::static_ram())
    }
}

/// Runs an image's program and ends the emulator.
pub fn start(run: fn(&mut dyn Machine) -> Result<(), Fault>) -> ! {
    if let Some(mut peripherals) = Peripherals::take() {
        peripherals.SYST.set_clock_source(SystClkSource::Core);
        peripherals.SYST.set_reload(WRAP);
        peripherals.SYST.clear_current();
        peripherals.SYST.enable_counter();
    }
    #[cfg(all(feature = "planted", target_abi = "eabihf"))]
    // SAFETY: changes a register that the compiler is told of. A planted fault: it rounds once.
    unsafe {
        core::arch::asm!("vfma.f32 s0, s1, s2", out("s0") _)
    }
    let mut board = Board { last: SYST::get_current(), ticks: 0, painted: Painted::default() };
    end(run(&mut board))
}

fn end(done: Result<(), Fault>) -> ! {
    if let Err(fault) = &done {
        hprintln!("fault: {}", fault);
    }
    loop {
        debug::exit(if done.is_ok() { debug::EXIT_SUCCESS } else { debug::EXIT_FAILURE });
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    hprintln!("{}", info);
    loop {
        debug::exit(debug::EXIT_FAILURE);
    }
}
