//! Images of microcontrollers under QEMU: they train on the digits and run the suite's vectors, and end
//! with the bits of the host.
//!
//! `tests/firmware` is one package: its programs are images on a bare target and ordinary programs on the
//! host. What they print in lines that begin with `result` must be the same, word for word, whichever
//! processor and level of optimisation; a planted image, one of whose digits, vectors and instructions
//! are wrong, must be told from them first.

use super::no_panic::FUSED;
use crate::command::{Outcome, Run, job_dir, root};
use crate::toolchain::Bare;
use std::collections::BTreeMap;
use std::path::Path;

/// A processor, the emulator of a board that has it, and what is built for it.
struct Board {
    target: &'static str,
    emulator: &'static [&'static str],
    level: &'static str,
    images: &'static [&'static str],
}

/// With floating-point unit; without; and another instruction set, for size.
const BOARDS: [Board; 3] = [
    Board {
        target: "thumbv7em-none-eabihf",
        // An instruction takes a nanosecond, so that the board's timer counts them.
        emulator: &["qemu-system-arm", "-machine", "mps2-an386", "-icount", "shift=0"],
        level: "2",
        images: &IMAGES,
    },
    Board {
        target: "thumbv6m-none-eabi",
        emulator: &["qemu-system-arm", "-machine", "mps2-an385"],
        level: "s",
        images: &["owned"],
    },
    Board {
        target: "riscv32imc-unknown-none-elf",
        emulator: &["qemu-system-riscv32", "-machine", "virt", "-bios", "none"],
        level: "s",
        images: &["owned"],
    },
];
const IMAGES: [&str; 2] = ["owned", "flat"];
/// Arithmetic without a floating-point unit is nearly all that two of the boards do, and of the compiler's own: what
/// is tried, core and model, has the level of the board.
const SOFTWARE: [&str; 2] = ["--config", "profile.release.package.compiler_builtins.opt-level=3"];
/// Seconds that an image may run.
const LIMIT: &str = "300";
const TOOLS: &str = "apt-get install -y --no-install-recommends qemu-system-arm qemu-system-misc \
                     binutils-arm-none-eabi";

/// The lines of each image that must be the same everywhere.
type Results = BTreeMap<&'static str, Vec<String>>;

pub(crate) fn firmware() -> Outcome {
    let dir = job_dir("firmware")?;
    let host = host(&dir)?;
    let [first, ..] = &BOARDS;
    planted(first, &dir, &host)?;
    for board in &BOARDS {
        build(board, "", &dir)?;
        for image in board.images {
            let (found, whole) = run(board, image, &dir)?;
            whole.map_err(|why| format!("{image} on {}: {why}", board.target))?;
            compare(&host[image], &found).map_err(|why| format!("{}: {why}", board.target))?;
        }
    }
    for image in first.images {
        let fused = fused(&disassembly(first, image, &dir)?);
        if !fused.is_empty() {
            return Err(format!("{image}: fused instructions {}", fused.join(", ")));
        }
    }
    eprintln!("{} processors: the host's bits, no fused instruction", BOARDS.len());
    Ok(())
}

/// What the host's programs say.
fn host(dir: &Path) -> Result<Results, String> {
    let cargo = Run::cargo().args(["build", "--profile", "host", "--features", "host"]);
    in_package(cargo, dir).run()?;
    let mut results = Results::new();
    for image in IMAGES {
        let (code, said, why) = Run::program(dir.join("host").join(image)).answer()?;
        if code != Some(0) {
            return Err(format!("{image} on the host: {said}{why}"));
        }
        results.insert(image, results_of(&said));
    }
    match results.values().all(|lines| lines.len() > 1) {
        true => Ok(results),
        false => Err(format!("expected results of every image on the host, found {results:?}")),
    }
}

/// The image whose faults must be found: other bits, a vector that is refused, a fused instruction.
fn planted(board: &Board, dir: &Path, host: &Results) -> Outcome {
    let one = Board { images: &["owned"], ..*board };
    build(&one, "planted", dir)?;
    let (found, whole) = run(board, "owned", dir)?;
    let trained = host["owned"].iter().filter(|line| line.contains("right"));
    if trained.clone().count() == 0 || trained.clone().any(|line| found.contains(line)) {
        return Err(format!("a dropped digit was not caught: the image says {found:?}"));
    }
    match whole {
        Err(why) if why.contains("the norm: case 0") => {}
        other => return Err(format!("a vector one unit off was not caught: {other:?}")),
    }
    match fused(&disassembly(board, "owned", dir)?) {
        fused if fused.is_empty() => Err("a fused instruction was not caught".into()),
        fused => {
            eprintln!(
                "planted: another hash, a refused vector and {} are caught",
                fused.join(", ")
            );
            Ok(())
        }
    }
}

fn build(board: &Board, features: &str, dir: &Path) -> Outcome {
    let compiler = Bare::find(board.target)?;
    let cargo = compiler.cargo("build", board.target).args(["--release", "--features", features]);
    // Rustup's targets come with it optimised.
    let software: &[&str] = if compiler == Bare::Installed { &[] } else { &SOFTWARE };
    let cargo = cargo.args(software);
    let cargo = board.images.iter().fold(cargo, |cargo, image| cargo.args(["--bin", image]));
    in_package(cargo, dir).env("CARGO_PROFILE_RELEASE_OPT_LEVEL", board.level).run()
}

fn in_package(cargo: Run, dir: &Path) -> Run {
    cargo.env("CARGO_TARGET_DIR", &dir.to_string_lossy()).dir(&root().join("tests/firmware"))
}

fn image_file(board: &Board, image: &str, dir: &Path) -> std::path::PathBuf {
    dir.join(board.target).join("release").join(image)
}

/// Runs an image; its results, and whether it ended well.
fn run(board: &Board, image: &str, dir: &Path) -> Result<(Vec<String>, Outcome), String> {
    let emulator = Run::program("timeout").arg(LIMIT).args(board.emulator);
    let emulator = emulator.args(["-display", "none", "-monitor", "none", "-serial", "stdio"]);
    let emulator = emulator.args(["-semihosting-config", "enable=on,target=native", "-kernel"]);
    let (code, said, why) = emulator.arg(image_file(board, image, dir)).answer()?;
    // `timeout` itself: 124 for time, 127 for a program that is not there.
    let whole = match code {
        Some(0) => Ok(()),
        Some(124) => Err(format!("expected an end within {LIMIT} s, found none\n{said}{why}")),
        Some(127) => return Err(format!("{}: not installed; {TOOLS}", board.emulator[0])),
        code => Err(format!("exit code {code:?}\n{said}{why}")),
    };
    eprint!("{said}");
    Ok((results_of(&said), whole))
}

fn results_of(said: &str) -> Vec<String> {
    said.lines().filter(|line| line.starts_with("result ")).map(str::to_owned).collect()
}

/// The first line that is not the host's.
fn compare(host: &[String], found: &[String]) -> Outcome {
    if host == found {
        return Ok(());
    }
    let nothing = "nothing".to_owned();
    let lines = 0..host.len().max(found.len());
    let mut lines =
        lines.map(|i| (host.get(i).unwrap_or(&nothing), found.get(i).unwrap_or(&nothing)));
    let (host, found) = lines.find(|(host, found)| host != found).unwrap_or((&nothing, &nothing));
    Err(format!("expected the host's line\n  {host}\nfound\n  {found}"))
}

fn disassembly(board: &Board, image: &str, dir: &Path) -> Result<String, String> {
    let tools = ["arm-none-eabi-objdump", "llvm-objdump"];
    let there = tools.into_iter().find(|tool| Run::program(tool).arg("--version").succeeds());
    let tool = there.ok_or_else(|| format!("no disassembler; {TOOLS}"))?;
    let (code, text, why) =
        Run::program(tool).arg("-d").arg(image_file(board, image, dir)).answer()?;
    let sums = text.lines().filter(|line| line.contains("vadd.f32")).count();
    if code != Some(0) || sums == 0 {
        return Err(format!("{tool}: expected instructions of the floating-point unit: {why}"));
    }
    Ok(text)
}

/// The fused instructions of a disassembly.
fn fused(text: &str) -> Vec<String> {
    let words = text.lines().flat_map(str::split_whitespace);
    let mut fused: Vec<String> = words
        .filter(|word| FUSED.iter().any(|fused| word.starts_with(fused)))
        .map(str::to_owned)
        .collect();
    fused.dedup();
    fused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fused_instruction_is_one_that_rounds_once() {
        let text = "  8a: ee a0 0a 81 \tvfma.f32\ts0, s1, s2\n  8e: vmla.f32 s0, s1, s2\n";
        assert_eq!(fused(text), ["vfma.f32"]);
    }

    #[test]
    fn the_first_line_that_differs_is_told() {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(compare(&lines("a\nb"), &lines("a\nb")), Ok(()));
        let error = compare(&lines("a\nb"), &lines("a")).unwrap_err();
        assert!(error.contains("  b\nfound\n  nothing"), "{error}");
    }
}
