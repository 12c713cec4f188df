//! NVIDIA's assembler: finding it, what it says of each kernel, and whether it sees planted faults.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use crate::command::{Outcome, Run, entries, install, job_dir, write};

/// The PyPI package `nvidia-cuda-nvcc` and the version that its ptxas tells. Registers are its choice,
/// so the table of docs/kernels.md is this one's.
const PACKAGE: &str = "nvidia-cuda-nvcc==13.5.37";
const VERSION: &str = "V13.5.37";

/// The architectures that matter: Turing, Ampere (two), Hopper, Blackwell (two).
pub(crate) const ARCHITECTURES: [&str; 6] =
    ["sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120"];

/// What a kernel takes of a processor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) registers: u32,
    pub(crate) stack: u32,
    pub(crate) spills: u32,
}

/// The assembler, and which architectures it knows.
pub(crate) struct Ptxas {
    path: PathBuf,
    pub(crate) version: String,
    help: String,
}

impl Ptxas {
    /// `PRESAM_PTXAS`; else the pinned version on the path or from PyPI, installed if need be.
    pub(crate) fn find() -> Result<Self, String> {
        if let Some(path) = env::var_os("PRESAM_PTXAS") {
            let path = PathBuf::from(path);
            let shown = path.display().to_string();
            return Self::open(path).ok_or(format!("PRESAM_PTXAS={shown} is no ptxas that runs"));
        }
        let found = Self::open("ptxas".into()).filter(Self::is_pinned);
        if let Some(found) = found.or_else(|| Self::open_in(&venv()).filter(Self::is_pinned)) {
            return Ok(found);
        }
        // The assembler alone: it needs none of the packages that its own one asks for.
        install(&venv(), &["--no-deps", PACKAGE])
            .map_err(|reason| format!("{reason}; or set PRESAM_PTXAS to a ptxas"))?;
        let missing = || format!("{PACKAGE} brought no ptxas {VERSION} into {}", venv().display());
        Self::open_in(&venv()).filter(Self::is_pinned).ok_or_else(missing)
    }

    fn open_in(venv: &Path) -> Option<Self> {
        let python = entries(&venv.join("lib")).into_iter().next()?;
        let packages = entries(&python.join("site-packages/nvidia"));
        packages.into_iter().find_map(|package| Self::open(package.join("bin/ptxas")))
    }

    fn open(path: PathBuf) -> Option<Self> {
        let ask = |flag: &str| Run::program(&path).arg(flag).output();
        let (version, help) = (ask("--version")?, ask("--help")?);
        let version = version.split_whitespace().find(|word| word.starts_with('V'))?.to_owned();
        Some(Self { path, version, help })
    }

    /// Whether the committed table is by this version.
    pub(crate) fn is_pinned(&self) -> bool {
        self.version == VERSION
    }

    /// Whether this version makes code for an architecture.
    pub(crate) fn knows(&self, architecture: &str) -> bool {
        self.help.contains(&format!("'{architecture}'"))
    }

    /// Assembles a text; what each of its entries takes.
    pub(crate) fn assemble(
        &self,
        text: &Path,
        architecture: &str,
    ) -> Result<BTreeMap<String, Usage>, String> {
        let stem = text.file_stem().unwrap_or_default().to_string_lossy();
        let cubin = job_dir("ptx-check")?.join(format!("{stem}.{architecture}.cubin"));
        let run = Run::program(&self.path).arg("-v").arg(format!("-arch={architecture}"));
        let (code, _, log) = run.arg(text).arg("-o").arg(cubin).answer()?;
        if code == Some(0) && !log.contains("warning") {
            return Ok(usages(&log));
        }
        let said =
            log.lines().filter(|line| !line.contains("ptxas info") && !line.starts_with(' '));
        let said: Vec<&str> = said.take(8).collect();
        Err(format!("ptxas -arch={architecture} {stem}.ptx: {}", said.join("\n  ")))
    }
}

/// Where `.ci/run` keeps its tools between runs.
fn venv() -> PathBuf {
    let tools = env::var_os("PRESAM_CI_TOOLS").map(PathBuf::from);
    let home = || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cache/presam-ci");
    tools.unwrap_or_else(home).join("ptxas")
}

/// What `ptxas -v` printed: the entry's name, then its stack and spills, then its registers.
fn usages(log: &str) -> BTreeMap<String, Usage> {
    let mut usages = BTreeMap::new();
    let mut entry = String::new();
    let mut usage = Usage::default();
    for line in log.lines() {
        if let Some((_, rest)) = line.split_once("Compiling entry function '") {
            entry = rest.split('\'').next().unwrap_or(rest).to_owned();
            usage = Usage::default();
        } else if let Some(stack) = number_before(line, " bytes stack frame") {
            let spills = [" bytes spill stores", " bytes spill loads"];
            let spills = spills.iter().filter_map(|what| number_before(line, what)).sum();
            usage = Usage { stack, spills, ..usage };
        } else if let Some(registers) = number_before(line, " registers") {
            usages.insert(entry.clone(), Usage { registers, ..usage });
        }
    }
    usages
}

/// 47 of `Used 47 registers` before ` registers`.
fn number_before(line: &str, what: &str) -> Option<u32> {
    let (before, _) = line.split_once(what)?;
    before.rsplit([' ', ',']).next()?.parse().ok()
}

const HEAD: &str = ".version 7.0\n.target sm_70\n.address_size 64\n";

/// Texts with a fault of each kind that only the assembler sees; the job fails where one passes.
///
/// Sees an undefined symbol, a stack and spills on the first architecture that this ptxas knows.
pub(crate) fn planted(ptxas: &Ptxas) -> Outcome {
    let architecture = ARCHITECTURES.into_iter().find(|architecture| ptxas.knows(architecture));
    let architecture = architecture.ok_or(format!("ptxas {} knows none", ptxas.version))?;
    let assembled = |name: &str, text: String| {
        let file = job_dir("ptx-check")?.join(format!("planted-{name}.ptx"));
        write(&file, text)?;
        ptxas.assemble(&file, architecture)
    };
    if assembled("symbol", HEAD.to_owned() + SYMBOL).is_ok() {
        return Err("a planted call of an undefined function was assembled".to_owned());
    }
    let usages = assembled("stack", stack())?;
    if usages.get("planted").is_none_or(|usage| usage.stack == 0) {
        return Err(format!("a planted stack was not seen: {usages:?}"));
    }
    let usages = assembled("spills", spills())?;
    if usages.get("planted").is_none_or(|usage| usage.spills == 0) {
        return Err(format!("planted spills were not seen: {usages:?}"));
    }
    eprintln!("planted symbol, stack and spills: caught");
    Ok(())
}

const SYMBOL: &str =
    ".extern .func absent();\n.visible .entry planted()\n{\n\tcall absent, ();\n\tret;\n}\n";

/// A word of local memory at an address that only the launch decides.
fn stack() -> String {
    format!(
        "{HEAD}.visible .entry planted(.param .u64 out)\n{{\n\t.local .align 4 .b8 words[64];\n\
         \t.reg .b32 %r<4>;\n\t.reg .b64 %rd<6>;\n\tmov.u32 %r1, %tid.x;\n\tand.b32 %r2, %r1, 15;\n\
         \tmul.wide.u32 %rd1, %r2, 4;\n\tmov.u64 %rd2, words;\n\tadd.s64 %rd3, %rd2, %rd1;\n\
         \tst.local.b32 [%rd3], %r1;\n\tld.local.b32 %r3, [words+8];\n\tld.param.u64 %rd4, [out];\n\
         \tcvta.to.global.u64 %rd5, %rd4;\n\tst.global.b32 [%rd5], %r3;\n\tret;\n}}\n"
    )
}

/// A hundred words that live at once, in a kernel that asked for 24 registers.
fn spills() -> String {
    const WORDS: usize = 100;
    let mut text = format!(
        "{HEAD}.visible .entry planted(.param .u64 out)\n.maxnreg 24\n{{\n\t.reg .b32 %r<{WORDS}>;\n\
         \t.reg .b64 %rd<3>;\n\tld.param.u64 %rd1, [out];\n\tcvta.to.global.u64 %rd2, %rd1;\n"
    );
    for word in 0..WORDS {
        text += &format!("\tld.volatile.global.b32 %r{word}, [%rd2+{}];\n", 4 * word);
    }
    for word in 0..WORDS {
        text += &format!("\tst.volatile.global.b32 [%rd2+{}], %r{word};\n", 4 * word);
    }
    text + "\tret;\n}\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_stack_and_spills_of_each_entry() {
        let log = "ptxas info    : 0 bytes gmem\n\
                   ptxas info    : Compiling entry function 'a' for 'sm_80'\n\
                   ptxas info    : Function properties for a\n\
                   \x20   8 bytes stack frame, 4 bytes spill stores, 12 bytes spill loads\n\
                   ptxas info    : Used 47 registers, used 0 barriers, 408 bytes cmem[0]\n\
                   ptxas info    : Compiling entry function 'b' for 'sm_80'\n\
                   ptxas info    : Used 9 registers, used 1 barriers\n";
        let found = usages(log);
        assert_eq!(found["a"], Usage { registers: 47, stack: 8, spills: 16 });
        assert_eq!(found["b"], Usage { registers: 9, stack: 0, spills: 0 });
        assert_eq!(found.len(), 2);
    }
}
