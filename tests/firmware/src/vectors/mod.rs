//! What the suite holds core to on a host, in this image: the golden vectors, the norm in bits, and every
//! rule at the boundary shapes.

mod golden;
mod norms;
mod shapes;

use crate::fault::Fault;
use crate::machine::Machine;
use crate::sha256::Sha256;

/// All three; each says what it tried and the hash of what it found.
pub fn run(machine: &mut dyn Machine) -> Result<(), Fault> {
    // FIPS 180-4's example: the hash itself is right.
    let mut hash = Sha256::new();
    hash.update(b"abc");
    if hash.finish().first() != Some(&0xba78_16bf) {
        return Err(Fault::Differs("the hash of abc", 0));
    }
    golden::run::<f32>(machine, (4e-6, 1.2e-7))?;
    golden::run::<f64>(machine, (5e-12, 5e-16))?;
    norms::run::<f32>(machine)?;
    norms::run::<f64>(machine)?;
    shapes::run::<f32>(machine)?;
    shapes::run::<f64>(machine)
}

/// The scalar type in a line.
fn name<R>() -> &'static str {
    if size_of::<R>() == 4 { "f32" } else { "f64" }
}
