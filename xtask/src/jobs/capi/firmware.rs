//! The trainer as firmware of a Cortex-M4F under QEMU: the same file, the same bits; no panic and no fused
//! instruction in the image.

use super::super::no_panic::FUSED;
use super::{C_FLAGS, EXAMPLES, compared};
use crate::command::{Outcome, Run, made, root};
use crate::toolchain::Bare;
use std::path::{Path, PathBuf};

const TARGET: &str = "thumbv7em-none-eabihf";
const GCC: &str = "arm-none-eabi-gcc";
const QEMU: &str = "qemu-system-arm";
const FLAGS: [&str; 13] = [
    "-O2",
    "-mcpu=cortex-m4",
    "-mthumb",
    "-mfloat-abi=hard",
    "-mfpu=fpv4-sp-d16",
    "-ffunction-sections",
    "-fdata-sections",
    "--specs=rdimon.specs",
    "-Wl,--gc-sections",
    "-Wl,--no-warn-rwx-segments",
    "-Wl,-z,noexecstack",
    "-Wl,--fatal-warnings",
    "-T",
];
const BOARD: [&str; 8] = [
    "120",
    QEMU,
    "-machine",
    "mps2-an386",
    "-nographic",
    "-semihosting-config",
    "enable=on,target=native",
    "-kernel",
];

pub(super) fn run(dir: &Path) -> Outcome {
    let there = |program: &str| Run::program(program).arg("--version").succeeds();
    if !there(GCC) || !there(QEMU) {
        return Err(format!(
            "{GCC} or {QEMU} is missing: apt-get install -y --no-install-recommends gcc-arm-none-eabi \
             libnewlib-arm-none-eabi qemu-system-arm"
        ));
    }
    let image = image(dir)?;
    searched(&image)?;
    Run::program("arm-none-eabi-size").arg(&image).run()?;
    compared("firmware", Run::program("timeout").args(BOARD).arg(&image))
}

/// The static library for the target, and the trainer linked with it.
fn image(dir: &Path) -> Result<PathBuf, String> {
    let (target, out) = (dir.join("bare"), dir.join("firmware"));
    made(&out)?;
    let build = Bare::find(TARGET)?.cargo("rustc", TARGET);
    let build = build.args(["--release", "--lib", "--package", "presam-capi"]);
    let settings = [("OPT_LEVEL", "s"), ("LTO", "fat"), ("PANIC", "abort"), ("CODEGEN_UNITS", "1")];
    let set = |run: Run, (name, value): (&str, &str)| {
        run.env(&format!("CARGO_PROFILE_RELEASE_{name}"), value)
    };
    let build = settings.into_iter().fold(build, set);
    let build = build.env("CARGO_TARGET_DIR", &target.display().to_string());
    build.args(["--crate-type", "staticlib"]).run()?;
    let examples = root().join(EXAMPLES);
    let files = ["trainer.c", "mlp.c", "firmware/startup.c"].map(|file| examples.join(file));
    let library = target.join(TARGET).join("release/libpresam_capi.a");
    let image = out.join("trainer.elf");
    let gcc = Run::program(GCC).args(C_FLAGS).args(FLAGS).arg(examples.join("firmware/link.ld"));
    let gcc = gcc.arg("-I").arg(root().join("capi/include")).arg("-I").arg(dir);
    gcc.args(files).arg(library).arg("-o").arg(&image).run()?;
    Ok(image)
}

/// Neither a panic of Rust's nor a fused instruction, anywhere in the image.
fn searched(image: &Path) -> Outcome {
    let asked = |program: &str, flag: &str| {
        let output = Run::program(program).arg(flag).arg(image).output();
        output.ok_or_else(|| format!("`{program} {flag} {}` failed", image.display()))
    };
    let (names, code) = (asked("arm-none-eabi-nm", "-C")?, asked("arm-none-eabi-objdump", "-d")?);
    let faults = faults(&names, &code);
    if faults.is_empty() {
        eprintln!("firmware: no panic, no fused instruction");
        return Ok(());
    }
    Err(format!("{}: {}", image.display(), faults.join("\n  ")))
}

fn faults<'a>(names: &'a str, code: &'a str) -> Vec<&'a str> {
    let panics = names.lines().filter(|line| line.contains("panic"));
    let fused = code.lines().filter(|line| FUSED.iter().any(|fused| line.contains(fused)));
    panics.chain(fused).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_and_a_fused_instruction_are_found() {
        let names = "00000400 T main\n00000500 t core::panicking::panic_fmt\n";
        let code =
            " 40:\teea0 0a80 \tvfma.f32\ts0, s1, s0\n 44:\tee00 0a80 \tvmla.f32\ts0, s1, s0\n";
        assert_eq!(faults(names, code).len(), 2);
        assert!(faults("00000400 T main\n", " 44:\tee00 0a80 \tvmla.f32\ts0, s1, s0\n").is_empty());
    }
}
