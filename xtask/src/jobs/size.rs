//! What a step weighs in firmware: flash, static RAM and stack of each rule, phase and form, in linked
//! images without an operating system.
//!
//! `xtask/size-probe` is built once for each thing, with fat link-time optimisation, for size and for speed,
//! over slices of unknown length, and weighed against an image that does nothing. No image may hold static
//! RAM, and none may reach a panic: that breaks the link, as a planted index must.
//!
//! | file | what it does |
//! | --- | --- |
//! | `images.rs` | what is weighed |
//! | `elf.rs` | reads the linked image |
//! | `table.rs` | docs/size.md, and what has grown |

mod elf;
mod images;
mod table;

use crate::command::{Outcome, job_dir, kept, read, root, target_dir, write};
use crate::toolchain::Bare;
use elf::Weight;
use images::Image;
use table::Rows;

const TARGET: &str = "thumbv7em-none-eabihf";
/// For size and for speed; and the bytes of stack that no function of an image of typed phases may pass there
/// (at 3 the pass that sums again out of range is part of the first one). What drives a whole step holds
/// more, as the table says.
const LEVELS: [(&str, usize); 2] = [("s", 1024), ("3", 1536)];
/// What an unresolved panic is called (`xtask/size-probe/src/main.rs`).
const PANIC: &str = "presam_panic_is_reachable";
const FILE: &str = "docs/size.md";

pub(crate) fn size(check_only: bool) -> Outcome {
    let compiler = Bare::find(TARGET)?;
    let mut rows = Rows::new();
    for (column, (level, stack)) in LEVELS.into_iter().enumerate() {
        match linked(compiler, level, &images::planted())? {
            Err(why) if why.contains(PANIC) => eprintln!("level {level}: planted index: caught"),
            other => return Err(format!("a planted index was not caught: {other:?}")),
        }
        let empty = weigh(compiler, level, &images::empty())?;
        for (place, image) in images::all().iter().enumerate() {
            let found = weigh(compiler, level, image)?;
            if found.stack > stack && image.is_typed() {
                let (name, found) = (&image.name, found.stack);
                return Err(format!(
                    "{name} at level {level}: expected at most {stack} bytes of stack, found {found}"
                ));
            }
            let flash = found.flash.saturating_sub(empty.flash);
            eprintln!("level {level}: {}: flash {flash}, stack {}", image.name, found.stack);
            rows.set((place, &image.name), column, (flash, found.stack));
        }
        rows.empty[column] = empty.flash;
    }
    let version = compiler.version().unwrap_or_else(|| "an unknown compiler".into());
    if check_only {
        return rows.compare(&read(&root().join(FILE))?, &version);
    }
    kept(FILE, &rows.page(&version), false, "cargo xtask size")
}

/// What an image weighs, none of it against the rules.
fn weigh(compiler: Bare, level: &str, image: &Image) -> Result<Weight, String> {
    let weight = linked(compiler, level, image)?;
    let weight = weight.map_err(|why| format!("{} at level {level}: {why}", image.name))?;
    if weight.ram > 0 {
        return Err(format!("{}: expected no static RAM, found {} bytes", image.name, weight.ram));
    }
    Ok(weight)
}

/// Builds an image; the inner error is what the compiler or the linker says.
fn linked(compiler: Bare, level: &str, image: &Image) -> Result<Result<Weight, String>, String> {
    let source = job_dir("size")?.join(image.name.replace(' ', "-") + ".rs");
    write(&source, &image.text)?;
    // The folder of `no-panic`, whose profile is the same: core is compiled once for both.
    let dir = target_dir().join("xtask/no-panic");
    let cargo = compiler.cargo("rustc", TARGET).args(["--release", "--quiet"]);
    let cargo = cargo.env("CARGO_TARGET_DIR", &dir.to_string_lossy());
    let cargo = cargo.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", level);
    let cargo = cargo.env("PRESAM_IMAGE", &source.to_string_lossy());
    // Stable compilers tell the stack of each function only so.
    let cargo = cargo.env("RUSTC_BOOTSTRAP", "1").dir(&root().join("xtask/size-probe"));
    let (code, _, why) = cargo.args(["--", "-Zemit-stack-sizes"]).quiet_answer()?;
    if code != Some(0) {
        return Ok(Err(why));
    }
    let file = dir.join(TARGET).join("release/size-probe");
    let bytes = std::fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(Ok(elf::weight(&bytes).ok_or_else(|| format!("{}: no 32-bit image", file.display()))?))
}
