//! Texts with a fault of each kind that only the assembler sees. The job fails where one passes.

use std::fmt::Write as _;

use super::ptxas::{ARCHITECTURES, Ptxas};
use crate::command::{Outcome, job_dir, write};

const HEAD: &str = ".version 7.0\n.target sm_70\n.address_size 64\n";

/// Sees an undefined symbol, a stack and spills on the first architecture that this ptxas knows.
pub(crate) fn caught(ptxas: &Ptxas) -> Outcome {
    let architecture = ARCHITECTURES.into_iter().find(|architecture| ptxas.knows(architecture));
    let architecture = architecture.ok_or(format!("ptxas {} knows none", ptxas.version))?;
    let assembled = |name: &str, text: String| {
        let file = job_dir("ptx-check")?.join(format!("planted-{name}.ptx"));
        write(&file, text)?;
        ptxas.assemble(&file, architecture)
    };
    if assembled("symbol", symbol()).is_ok() {
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

fn symbol() -> String {
    format!(
        "{HEAD}.extern .func absent();\n.visible .entry planted()\n{{\n\tcall absent, ();\n\tret;\n}}\n"
    )
}

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
    // Writing to a string does not fail.
    for word in 0..WORDS {
        let _ = writeln!(text, "\tld.volatile.global.b32 %r{word}, [%rd2+{}];", 4 * word);
    }
    for word in 0..WORDS {
        let _ = writeln!(text, "\tst.volatile.global.b32 [%rd2+{}], %r{word};", 4 * word);
    }
    text + "\tret;\n}\n"
}
