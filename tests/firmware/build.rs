//! Tells the linker where flash and RAM of the emulated boards are.

use std::env;
use std::path::Path;

fn main() {
    let of = |name: &str| env::var(name).unwrap_or_default();
    let here = of("CARGO_MANIFEST_DIR");
    let script = match of("TARGET") {
        // cortex-m-rt's script, which includes `memory.x`.
        target if target.starts_with("thumb") => "link.x".to_owned(),
        target if target.starts_with("riscv") => {
            Path::new(&here).join("riscv.x").display().to_string()
        }
        _ => return,
    };
    println!("cargo::rustc-link-search={here}");
    println!("cargo::rustc-link-arg-bins=-T{script}");
    println!("cargo::rerun-if-changed=memory.x");
    println!("cargo::rerun-if-changed=riscv.x");
}
