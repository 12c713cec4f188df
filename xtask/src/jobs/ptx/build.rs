//! One text out of rustc.

use super::source;
use crate::command::Run;
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
    let set = |run: Run| {
        let run = run.args(["-p", "presam-kernels", "--lib", "--crate-type", "cdylib"]);
        let run = PROFILE.iter().fold(run, |run, (name, value)| run.env(name, value));
        // Of all ways to give flags the first that Cargo looks at, so that no other one replaces them.
        run.env("CARGO_ENCODED_RUSTFLAGS", &source::RUSTFLAGS.replace(' ', "\x1f"))
    };
    let llvm = format!("llvm-args={}", source::LLVM_ARGS);
    let cfg = format!("presam_text=\"{name}\"");
    let after = ["-C", "linker=true", "-C", &llvm, "--cfg", &cfg];
    Ok(stripped(&compiler.assembly(("ptx", name, TARGET), set, &after)?))
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
