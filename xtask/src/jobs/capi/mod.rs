//! The C interface: its header, its libraries in a prefix, and its page and examples as a stranger builds them.

mod firmware;
mod header;
mod host;
mod install;
mod page;

pub(crate) use header::header;

use crate::command::{Outcome, Run, job_dir, read, root, target_dir, write};
use std::path::{Path, PathBuf};

/// The examples, and what the trainer prints wherever it runs.
const EXAMPLES: &str = "examples/c";
const EXPECTED: &str = "examples/c/expected.txt";
/// What the trainer takes of the program's digits.
const DIGITS: (&str, usize) = ("program/data/optdigits.csv", 600);
/// As a careful user would compile. A product is rounded before it is added, or the bits are others.
const C_FLAGS: [&str; 6] =
    ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off"];

/// Everything of the C interface: the header is fresh, the examples do what they say on this machine and,
/// where there is a compiler for it, as firmware.
pub(crate) fn capi() -> Outcome {
    header(true)?;
    let dir = job_dir("capi")?;
    let prefix = dir.join("prefix");
    install::install(&prefix)?;
    page::run(&dir, &prefix)?;
    digits(&dir)?;
    host::run(&dir, &prefix)?;
    firmware::run(&dir)
}

/// Header, libraries, pkg-config and CMake files into the folder that `PRESAM_PREFIX` names.
pub(crate) fn capi_install() -> Outcome {
    let prefix = std::env::var_os("PRESAM_PREFIX").map(PathBuf::from);
    install::install(&root().join(prefix.unwrap_or(target_dir().join("c"))))
}

/// `digits.h`, of the rows that the program carries.
fn digits(dir: &Path) -> Outcome {
    let (file, count) = DIGITS;
    let rows = read(&root().join(file))?;
    let rows: String = rows.lines().take(count).map(|row| format!("{{{row}}},\n")).collect();
    let text = format!(
        "/* {count} digits, CC BY 4.0, E. Alpaydin, C. Kaynak, UCI 1998: 64 pixels, the class. */\n\
         static const unsigned char digits[{count}][65] = {{\n{rows}}};\n"
    );
    write(&dir.join("digits.h"), text)
}

/// The trainer's lines are those that Rust gives too.
fn compared(who: &str, run: Run) -> Outcome {
    let (code, printed, errors) = run.answer()?;
    let expected = read(&root().join(EXPECTED))?;
    if code == Some(0) && printed.replace('\r', "") == expected {
        eprintln!("{who}: the expected bits");
        return Ok(());
    }
    Err(format!("{who}: exit code {code:?}, expected\n{expected}found\n{printed}{errors}"))
}
