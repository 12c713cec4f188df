//! Everything that is said of the machine, in one binary.

mod apply;
mod arithmetic;
mod barriers;
mod bounds;
mod conversions;
mod cuda_text;
mod hostile;
mod memory_order;
mod races;
mod rejected;
mod rust_text;
mod schedules;
mod setup;
mod support;
mod traffic;
mod warps;
