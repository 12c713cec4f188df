//! One text out of rustc.

use super::source;
use crate::command::{job_dir, read};
use crate::toolchain::Bare;

const TARGET: &str = "nvptx64-nvidia-cuda";

/// As `cargo rustc` takes it: the whole program in one piece, and no trace of unwinding or debugging.
const PROFILE: [(&str, &str); 5] = [
    ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
    ("CARGO_PROFILE_RELEASE_LTO", "fat"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "3"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "false"),
];

/// The kernels whose text is `name`, without comments.
pub(crate) fn text(compiler: Bare, name: &str) -> Result<String, String> {
    let dir = job_dir("ptx")?;
    // One file per compiler and text: Cargo does not write it again where nothing changed.
    let file = dir.join(format!("{compiler:?}-{name}.s"));
    let run = compiler.cargo("rustc", TARGET);
    let run = run.args(["--release", "-p", "presam-kernels", "--lib", "--crate-type", "cdylib"]);
    let run = PROFILE.iter().fold(run, |run, (name, value)| run.env(name, value));
    // Of all ways to give flags the first that Cargo looks at, so that no other one replaces them.
    let run = run.env("CARGO_ENCODED_RUSTFLAGS", &source::RUSTFLAGS.replace(' ', "\x1f"));
    let run = run.env("CARGO_TARGET_DIR", &dir.to_string_lossy());
    let emit = format!("--emit=asm={}", file.display());
    let llvm = format!("llvm-args={}", source::LLVM_ARGS);
    let cfg = format!("presam_text=\"{name}\"");
    run.args(["--", &emit, "-C", "linker=true", "-C", &llvm, "--cfg", &cfg]).run()?;
    Ok(stripped(&read(&file)?))
}

/// Without comments, blank lines and space at the end of a line.
fn stripped(text: &str) -> String {
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or(line).trim_end());
    lines.filter(|line| !line.is_empty()).flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_blank_lines_go() {
        let text =
            "//\n// Generated\n\n.version 7.0\n\t// begin inline asm\n\tbar.sync \t0; // why\n";
        assert_eq!(stripped(text), ".version 7.0\n\tbar.sync \t0;\n");
    }
}
