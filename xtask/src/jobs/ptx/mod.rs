//! The kernels as PTX: the texts under kernels/ptx/, made by rustc and judged by lints and ptxas.
//!
//! | file | what it does |
//! | --- | --- |
//! | `build.rs` | compiles the kernels for one text, and heads it |
//! | `source.rs`, `fresh.rs` | whether a text is stale; shared with kernels/tests/ptx_fresh.rs |
//! | `entry.rs`, `lint.rs` | what must not be in a text, by reading it |
//! | `ptxas.rs` | registers, stack and spills, by NVIDIA's assembler |
//! | `twins.rs` | rules whose entries are the same text, which has one of them |
//! | `check.rs` | the job `ptx-check` and the table of docs/kernels.md |

mod build;
mod check;
mod entry;
mod fresh;
mod lint;
mod ptxas;
mod source;
mod twins;

use std::fs;
use std::path::Path;

use presam_kernels::entries;
use presam_kernels::ptx::TEXTS;

use crate::command::{Outcome, Run, read, root, write};
use crate::toolchain::Bare;
pub(crate) use check::ptx_check;

/// Makes every text, or says which are stale. What is on disk changes only where all were built.
pub(crate) fn ptx(check_only: bool) -> Outcome {
    let root = root();
    if check_only {
        fresh::check(&root)?;
        eprintln!("kernels/ptx: {} texts, fresh", TEXTS.len());
        return Ok(());
    }
    if let Some(kernel) = fresh::homeless().next() {
        return Err(format!("{kernel} (kernels/src/entries.rs, kernels/src/ptx.rs)"));
    }
    let compiler = Bare::with_sources().ok_or(
        "no compiler for nvptx64-nvidia-cuda: `rustup toolchain install nightly --component rust-src` \
         (or, on Debian, `apt-get install -y rustc-web cargo-web rust-web-src`)",
    )?;
    let version = compiler.version().ok_or("the compiler does not tell its version")?;
    let today = Run::program("date").args(["-u", "+%F"]).output().ok_or("`date` failed")?;
    let source = source::hash(&root)?;
    let (mut texts, mut all_twins) = (Vec::new(), Vec::new());
    for &name in TEXTS {
        let body = build::text(compiler, name)?;
        let rules = entries::compiled().filter(|(_, text)| *text == name);
        let twins = twins::twins(&body, rules.map(|(kernel, _)| kernel));
        let (body, lines) = (twins::once(&body, &twins), fresh::twin_lines(name, &twins));
        let text = build::headed(&body, &lines, &version, &source, &today);
        let faults = fresh::text_faults(name, &text, &source, &twins);
        all_twins.extend(twins);
        if !faults.is_empty() {
            return Err(format!("{name} came out wrong: {}", faults.join("; ")));
        }
        texts.push((name, text));
    }
    if source::hash(&root)? != source {
        return Err(format!("the sources changed while they were compiled: `{}`", fresh::CURE));
    }
    fresh::strays(&root).iter().try_for_each(|path| removed(path))?;
    texts.iter().try_for_each(|(name, text)| written(&fresh::path(&root, name), text))?;
    let list = twins::table(&read(&fresh::twins_path(&root))?, &all_twins)?;
    write(&fresh::twins_path(&root), list)
}

/// Writes a text where it says anything new; the date alone is not new.
fn written(path: &Path, text: &str) -> Outcome {
    let shown = path.display();
    let old = fs::read_to_string(path).unwrap_or_default();
    if build::undated(&old).eq(build::undated(text)) {
        eprintln!("{shown}: fresh");
        return Ok(());
    }
    // Renamed when it is whole: a text cut short would still parse up to the cut.
    let whole = path.with_extension("ptx.new");
    write(&whole, text)?;
    fs::rename(&whole, path).map_err(|error| format!("{shown}: {error}"))?;
    eprintln!("{shown}: written");
    Ok(())
}

fn removed(path: &Path) -> Outcome {
    eprintln!("{}: belongs to no text, removed", path.display());
    fs::remove_file(path).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
