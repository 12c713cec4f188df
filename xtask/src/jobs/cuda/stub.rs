//! The stub libcuda: so that what links the driver builds, and starts, on a machine without one.
//!
//! The functions and the names of the errors come from the bindings themselves, so none is missing.

use crate::command::{Outcome, Run, made, read, root, target_dir, write};
use crate::workspace;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What the stub does beyond refusing.
const WRITTEN: &str = concat!(include_str!("stub.c"), "\n", include_str!("launch.c"));

/// Where the stub goes, unless `PRESAM_CUDA_STUB` says otherwise.
pub(crate) fn folder() -> PathBuf {
    let chosen = std::env::var_os("PRESAM_CUDA_STUB").map(PathBuf::from);
    chosen.unwrap_or_else(|| target_dir().join("cuda-stub"))
}

/// Makes the stub in `folder()/lib64`, where the bindings' build script looks.
pub(crate) fn make() -> Outcome {
    let lib = folder().join("lib64");
    made(&lib)?;
    let text = source(&read(&bindings()?)?)?;
    let source = folder().join("stub.c");
    write(&source, text)?;
    let library = lib.join("libcuda.so");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let flags = ["-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"];
    let run = Run::program(compiler).args(flags).arg("-Wl,-soname,libcuda.so.1");
    run.arg("-o").arg(&library).arg(&source).run()?;
    let loaded = lib.join("libcuda.so.1");
    if loaded.symlink_metadata().is_ok() {
        std::fs::remove_file(&loaded).map_err(|error| format!("{}: {error}", loaded.display()))?;
    }
    link("libcuda.so", &loaded)
}

#[cfg(unix)]
fn link(to: &str, at: &Path) -> Outcome {
    std::os::unix::fs::symlink(to, at).map_err(|error| format!("{}: {error}", at.display()))
}

#[cfg(not(unix))]
fn link(_: &str, at: &Path) -> Outcome {
    Err(format!("{}: the stub is for Linux, where libcuda is libcuda.so.1", at.display()))
}

/// The two variables: for the build, and for the start of what was built.
pub(crate) fn variables() -> [(&'static str, String); 2] {
    let lib = folder().join("lib64").display().to_string();
    let others = std::env::var("LD_LIBRARY_PATH").unwrap_or_default();
    let path = if others.is_empty() { lib } else { format!("{lib}:{others}") };
    [("CUDA_LIBRARY_PATH", folder().display().to_string()), ("LD_LIBRARY_PATH", path)]
}

/// The bindings to the driver: `src/cuda.rs` of the package cust_raw, wherever Cargo keeps it.
fn bindings() -> Result<PathBuf, String> {
    let packages = workspace::metadata(&root(), &["--all-features"])?;
    let cust_raw = packages.iter().find(|package| package.name == "cust_raw");
    let missing = "cust_raw is not among the dependencies";
    Ok(cust_raw.ok_or(missing)?.dir().join("src/cuda.rs"))
}

/// The whole text: errors, what is written out, and all other functions.
fn source(bindings: &str) -> Result<String, String> {
    let functions = functions(bindings);
    let written = written();
    if let Some(unknown) = written.iter().find(|name| !functions.contains(*name)) {
        return Err(format!("the stub has {unknown}, which the bindings lack"));
    }
    let errors: String = errors(bindings)
        .iter()
        .map(|(name, code)| format!(" \\\n    X({code}, \"{name}\")"))
        .collect();
    let others = functions.difference(&written).map(|name| format!("OTHER({name})\n"));
    Ok(format!("#define ERRORS(X){errors}\n\n{WRITTEN}{}", others.collect::<String>()))
}

/// Every function that the bindings declare.
fn functions(bindings: &str) -> BTreeSet<&str> {
    bindings
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("pub fn ")?.split('(').next())
        .collect()
}

/// Every function that the stub's own text defines.
fn written() -> BTreeSet<&'static str> {
    let after = WRITTEN.lines().filter_map(|line| line.strip_prefix("int ")?.split('(').next());
    after.filter(|name| name.starts_with("cu")).collect()
}

/// The names and codes of the driver's answers.
fn errors(bindings: &str) -> Vec<(&str, &str)> {
    let lines =
        bindings.lines().skip_while(|line| !line.contains("pub enum cudaError_enum")).skip(1);
    let pairs = lines
        .take_while(|line| !line.starts_with('}'))
        .filter_map(|line| line.trim().trim_end_matches(',').split_once(" = "));
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BINDINGS: &str = "pub enum cudaError_enum {\n    CUDA_SUCCESS = 0,\n    CUDA_ERROR_NO_DEVICE = 100,\n}\n\
        extern \"C\" {\n    pub fn cuInit(Flags: u32) -> CUresult;\n    pub fn cuOther(\n        a: u32,\n    ) -> CUresult;\n}\n";

    #[test]
    fn the_bindings_are_read() {
        assert_eq!(functions(BINDINGS).into_iter().collect::<Vec<_>>(), ["cuInit", "cuOther"]);
        assert_eq!(errors(BINDINGS), [("CUDA_SUCCESS", "0"), ("CUDA_ERROR_NO_DEVICE", "100")]);
        assert!(written().contains("cuLaunchKernel") && written().contains("cuGetErrorName"));
    }

    #[test]
    fn a_function_that_no_driver_has_is_refused_and_every_other_is_there() {
        assert!(source(BINDINGS).unwrap_err().contains("which the bindings lack"));
        let all: String = written().iter().map(|name| format!("pub fn {name}()\n")).collect();
        let text = source(&format!("{BINDINGS}{all}")).unwrap();
        assert!(text.ends_with("OTHER(cuOther)\n"), "{text}");
        assert!(text.starts_with("#define ERRORS(X) \\\n    X(0, \"CUDA_SUCCESS\")"), "{text}");
    }
}
