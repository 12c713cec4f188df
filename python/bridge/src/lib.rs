//! What both compiled modules of the Python package read of Python's objects.
//!
//! `settings` makes rules and groups of names and numbers, `descent` what becomes of both gradients; `numbers` reads what the groups hold; `seats` finds the
//! gradients of a step, and `exchange` asks torch where a tensor lies: the only unsafe code here.

mod descent;
mod exchange;
mod fault;
mod numbers;
mod seats;
mod settings;

pub use descent::Descent;
pub use exchange::Where;
pub use fault::Fault;
pub use numbers::Numbers;
pub use seats::Seats;
pub use settings::{Settings, length, variant};
