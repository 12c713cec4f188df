//! The examples on this machine, from an installed prefix alone: by pkg-config and by CMake, by two compilers,
//! under sanitizers and under valgrind.

use super::{C_FLAGS, EXAMPLES, compared};
use crate::command::{Outcome, Run, emptied, root, write};
use std::path::{Path, PathBuf};

const COMPILERS: [(&str, &str); 2] = [("gcc", "g++"), ("clang", "clang++")];
/// Each example, and its files.
const PROGRAMS: [(&str, &[&str]); 3] =
    [("flat", &["flat.c"]), ("bad_input", &["bad_input.c"]), ("trainer", &["trainer.c", "mlp.c"])];
/// By gcc alone: clang's library for it is a package that nothing else needs.
const SANITIZED: [&str; 4] =
    ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
const VALGRIND: [&str; 3] = ["--quiet", "--error-exitcode=9", "--leak-check=full"];

/// What a user of C++ writes: designated initialisers are none of C++17.
const CPP: &str = "\
#include <presam.h>
int main() {
    presam_config config{};
    config.size = sizeof config;
    config.version = PRESAM_VERSION;
    config.variant = PRESAM_VARIANT_SAM;
    config.base = PRESAM_BASE_SGD;
    presam_state_f64 state;
    return presam_init_f64(&state, sizeof state, &config) == PRESAM_CODE_OK ? 0 : 1;
}
";

pub(super) fn run(dir: &Path, prefix: &Path) -> Outcome {
    let out = dir.join("host");
    emptied(&out)?;
    write(&out.join("header.cpp"), CPP)?;
    for (c, cpp) in COMPILERS {
        let cpp_file = [out.join("header.cpp")];
        let flags = ["-std=c++17", "-pedantic", "-Wall", "-Wextra", "-Werror"];
        started(
            "cpp",
            built((cpp, &flags), &cpp_file, &out.join(format!("{cpp}-header")), dir, prefix)?,
            prefix,
        )?;
        every(c, &[&C_FLAGS[..], &["-O2"]].concat(), dir, prefix)?;
    }
    every("gcc", &[&C_FLAGS[..], &SANITIZED].concat(), dir, prefix)?;
    checked(dir, prefix)?;
    cmake(dir, prefix)
}

/// Each example by one compiler: built as `presam.pc` says, run, and the trainer's bits compared.
fn every(compiler: &str, flags: &[&str], dir: &Path, prefix: &Path) -> Outcome {
    for (name, files) in PROGRAMS {
        let files: Vec<PathBuf> =
            files.iter().map(|file| root().join(EXAMPLES).join(file)).collect();
        let program = dir.join("host").join(format!("{compiler}-{}-{name}", flags.len()));
        started(name, built((compiler, flags), &files, &program, dir, prefix)?, prefix)?;
    }
    Ok(())
}

fn built(
    (compiler, flags): (&str, &[&str]),
    files: &[PathBuf],
    program: &Path,
    dir: &Path,
    prefix: &Path,
) -> Result<PathBuf, String> {
    let asked = Run::program("pkg-config").args(["--cflags", "--libs", "presam"]);
    let asked = asked.env("PKG_CONFIG_PATH", &prefix.join("lib/pkgconfig").display().to_string());
    let asked = asked
        .output()
        .ok_or("pkg-config does not find presam; on Debian: `apt-get install -y pkg-config`")?;
    let run = Run::program(compiler).args(flags).arg("-I").arg(dir).args(files);
    run.args(asked.split_whitespace()).arg("-o").arg(program).run()?;
    Ok(program.to_path_buf())
}

/// Runs it; the trainer's bits are those expected.
fn started(name: &str, program: PathBuf, prefix: &Path) -> Outcome {
    let who = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let library = prefix.join("lib").display().to_string();
    let run = Run::program(&program).env("LD_LIBRARY_PATH", &library);
    if name == "trainer" { compared(&who, run) } else { run.run() }
}

/// Under valgrind, which sees the Rust side too.
fn checked(dir: &Path, prefix: &Path) -> Outcome {
    for (name, _) in PROGRAMS {
        let program = dir.join("host").join(format!("gcc-{}-{name}", C_FLAGS.len() + 1));
        let library = prefix.join("lib").display().to_string();
        let run =
            Run::program("valgrind").args(VALGRIND).arg(&program).env("LD_LIBRARY_PATH", &library);
        if name == "trainer" { compared("valgrind trainer", run)? } else { run.run()? }
    }
    Ok(())
}

fn cmake(dir: &Path, prefix: &Path) -> Outcome {
    let build = dir.join("host/cmake");
    let configure =
        Run::program("cmake").arg("-S").arg(root().join(EXAMPLES)).arg("-B").arg(&build);
    let configure = configure.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display()));
    configure.arg(format!("-DDIGITS_DIR={}", dir.display())).run()?;
    Run::program("cmake").arg("--build").arg(&build).run()?;
    for (name, _) in PROGRAMS {
        let run = Run::program(build.join(name));
        if name == "trainer" { compared("cmake trainer", run)? } else { run.run()? }
    }
    Ok(())
}
