//! The machine that an image is built for. The only unsafe code of this package is in this folder.

mod shared;
pub use shared::Static;

#[cfg(not(target_os = "none"))]
mod host;
#[cfg(not(target_os = "none"))]
pub use host::start;

#[cfg(target_os = "none")]
mod stack;

#[cfg(all(target_os = "none", target_arch = "arm"))]
mod cortex_m;
#[cfg(all(target_os = "none", target_arch = "arm"))]
pub use cortex_m::start;

#[cfg(all(target_os = "none", target_arch = "riscv32"))]
mod riscv;
#[cfg(all(target_os = "none", target_arch = "riscv32"))]
pub use riscv::start;
