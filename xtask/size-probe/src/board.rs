//! What firmware hands to a step: arrays somewhere in RAM, of a length and of settings that the compiler does
//! not know. Nothing here is static, so that what an image holds in RAM is the step's.

use core::ptr::{read_volatile, write_volatile};
use core::slice;
use presam::{BaseState, RuleState};

/// Registers of no real board: pointers to the planes, their length, a radius, a learning rate.
const PLANES: *const *mut f32 = 0x2000_0000 as *const *mut f32;
const LENGTH: *const usize = 0x2000_0100 as *const usize;
const SETTINGS: *const f32 = 0x2000_0200 as *const f32;
const NAME: *const *const u8 = 0x2000_0300 as *const *const u8;
const DONE: *mut u32 = 0x2000_0400 as *mut u32;

/// The planes of one model and the settings of its step.
pub struct Call {
    pub params: &'static mut [f32],
    pub grads: &'static mut [f32],
    pub spare: &'static mut [f32],
    pub velocity: [&'static mut [f32]; 2],
    pub memory: [&'static mut [f32]; 2],
    pub inputs: [&'static [f32]; 2],
    pub rho: f32,
    pub learning_rate: f32,
    pub rule_state: RuleState<f32>,
    pub base_state: BaseState,
}

pub fn call() -> Call {
    Call {
        params: plane(0),
        grads: plane(1),
        spare: plane(2),
        velocity: [plane(3), plane(4)],
        memory: [plane(5), plane(6)],
        inputs: [plane(7), plane(8)],
        rho: setting(0),
        learning_rate: setting(1),
        rule_state: RuleState {
            steps: setting(2) as u32,
            decay_power: setting(3).into(),
            mean: setting(4),
        },
        base_state: BaseState {
            steps: setting(5) as u32,
            decay_powers: [setting(6).into(), setting(7).into()],
        },
    }
}

#[inline(never)]
fn plane(index: usize) -> &'static mut [f32] {
    // SAFETY: never run.
    unsafe { slice::from_raw_parts_mut(read_volatile(PLANES.add(index)), read_volatile(LENGTH)) }
}

#[inline(never)]
fn setting(index: usize) -> f32 {
    // SAFETY: never run.
    unsafe { read_volatile(SETTINGS.add(index)) }
}

/// A text of unknown content.
pub fn name() -> &'static str {
    // SAFETY: never run.
    unsafe {
        let bytes = slice::from_raw_parts(read_volatile(NAME), read_volatile(LENGTH));
        core::str::from_utf8_unchecked(bytes)
    }
}

/// Whether the step succeeded.
pub fn tell(done: bool) {
    // SAFETY: never run.
    unsafe { write_volatile(DONE, u32::from(done)) }
}
