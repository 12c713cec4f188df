//! One text out of rustc, and the comment that heads it: what made it, when, from what.

use super::{fresh, source};
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

/// Rust's own core, which is compiled anew for the GPU, would else take the level of what prints and draws.
const OF_OTHERS: &str = r#"profile.release.package."*".opt-level=1"#;

/// The kernels whose text is `name`, without comments.
pub(crate) fn text(compiler: Bare, name: &str) -> Result<String, String> {
    let set = |run: Run| {
        let run = run.args(["-p", "presam-kernels", "--lib", "--crate-type", "cdylib"]);
        let run = run.args(["--config", OF_OTHERS]);
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

/// `body` under its head; `twins` are the lines of the entries that stand for several rules.
pub(crate) fn headed(
    body: &str,
    twins: &[String],
    compiler: &str,
    source: &str,
    date: &str,
) -> String {
    let twins: String = twins.iter().map(|line| format!("// twins: {line}\n")).collect();
    let entries = body.lines().filter(|line| line.starts_with(".visible .entry ")).count();
    let text = source::sha256(&[body.to_owned()]);
    format!(
        "// Generated, not to be edited.\n\
         // command: {}\n\
         // compiler: {compiler}\n\
         // flags: {} -Cllvm-args={:?}\n\
         // date: {date}\n\
         // target: sm_70, PTX 7.0\n\
         // entries: {entries}\n\
         {twins}\
         // source: {source}\n\
         // text: {text}\n\
         {body}",
        fresh::CURE,
        source::RUSTFLAGS,
        source::LLVM_ARGS,
    )
}

/// A text without the day it was made on.
pub(crate) fn undated(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with("// date: "))
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
