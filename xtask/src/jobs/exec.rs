//! `presam verify --exec` on programs in other languages: right ones pass, and every slip is called by its name.

use crate::command::{Outcome, Run, job_dir, python_with, quoted, target_dir, write};
use std::path::{Path, PathBuf};

/// As a careful user would compile.
const C_FLAGS: [&str; 6] = ["-std=c99", "-pedantic", "-O2", "-Wall", "-Wextra", "-Werror"];

/// What needs a package that this job does not install: only read.
const PARSED: [&str; 4] = [
    "program/src/init/torch.py",
    "examples/verify/peers.py",
    "examples/python/presam_torch.py",
    "examples/python/verify_torch.py",
];
const PARSE: &str =
    "import ast, sys; [ast.parse(open(path).read(), path) for path in sys.argv[1:]]";

/// Enough for a slip to show in each rule that has it. In f64, where a guard of 1e-12 shows too.
const SLIP_FLAGS: [&str; 5] = ["--scalar", "f64", "--cases", "16", "--json"];
/// Each slip shows in one of them at least: without operator and with, with one average and with two.
const NUMPY_RULES: [&str; 2] = ["--rules", "sam,asam,vasso,info-sam"];

pub(crate) fn exec_smoke() -> Outcome {
    let python = python_with("numpy")?;
    Run::program(&python).args(["-c", PARSE]).args(PARSED).run()?;
    // As `cargo run --release` builds it: chosen by package it would be built again, with other features.
    Run::cargo().args(["build", "--release", "--bin", "presam"]).run()?;
    let presam = target_dir().join("release").join("presam");
    let dir = job_dir("exec")?;
    let numpy_sam = format!("{} 'examples/verify/numpy_sam.py'", quoted(python.as_os_str()));
    let source = Path::new("examples/verify/c_sam.c");
    let c_sam = compiled_c(source, &dir.join("c_sam"), &[])?;
    let single = compiled_c(source, &dir.join("c_sam_f32"), &["-DREAL=float"])?;
    let adapters = adapters(&presam, &python, &dir)?;
    let right = [numpy_sam.clone(), c_sam.clone(), single];
    for command in right.iter().chain(&adapters) {
        Run::program(&presam).args(["verify", "--exec", command, "--cases", "24"]).run()?;
    }
    // The same steps, written otherwise.
    let in_bits = format!("{numpy_sam} --bits");
    Run::program(&presam).args(["verify", "--exec", &in_bits, "--cases", "12"]).run()?;
    let mut names = 0;
    for (command, rules) in [(&numpy_sam, &NUMPY_RULES[..]), (&c_sam, &[])] {
        names += slips(&presam, command, rules)?;
    }
    println!(
        "{} right programs agree, {names} slips are called by their names",
        right.len() + adapters.len() + 1
    );
    Ok(())
}

/// Every slip that the command lists, of these rules. Returns how many.
fn slips(presam: &Path, command: &str, rules: &[&str]) -> Result<usize, String> {
    let list = format!("{command} --list-slips");
    let listed = Run::program("sh").args(["-c", &list]).output();
    let listed = listed
        .filter(|names| !names.is_empty())
        .ok_or_else(|| format!("`{list}` names no slip"))?;
    for slip in listed.lines() {
        let slipped = format!("{command} --slip {slip}");
        let verify = Run::program(presam).args(["verify", "--exec", &slipped]);
        let verify = verify.args(SLIP_FLAGS).args(rules);
        let (code, report, errors) = verify.answer()?;
        if code != Some(1) {
            return Err(format!("`{slipped}`: expected exit code 1, found {code:?} {errors}"));
        }
        is_named(&report, slip).map_err(|reason| format!("`{slipped}`: {reason}"))?;
    }
    Ok(listed.lines().count())
}

/// Whether the report calls the slip by its name for some rule, and explains every other that differs.
fn is_named(report: &str, slip: &str) -> Outcome {
    let compact: String = report.split_whitespace().collect();
    let verdict = |verdict: &str, entry: &str| {
        compact.contains(&format!("\"verdict\":\"{verdict}\",\"entry\":{entry}"))
    };
    if !verdict("differs-as", &format!("\"{slip}\"")) {
        return Err(format!("expected the verdict {slip} for some rule, found none"));
    }
    if verdict("differs", "null") {
        return Err("a rule differs without a name for it".into());
    }
    Ok(())
}

/// What `presam verify --init` prints, built and as it is: the commands to start them.
fn adapters(presam: &Path, python: &Path, dir: &Path) -> Result<[String; 2], String> {
    let printed = |language: &str, name: &str| -> Result<PathBuf, String> {
        let text = Run::program(presam).args(["verify", "--init", language]).output();
        let text = text.ok_or_else(|| format!("`presam verify --init {language}` failed"))?;
        let file = dir.join(name);
        write(&file, text + "\n")?;
        Ok(file)
    };
    let script = printed("python", "adapter.py")?;
    let c = compiled_c(&printed("c", "adapter.c")?, &dir.join("adapter_c"), &[])?;
    Ok([format!("{} {}", quoted(python.as_os_str()), quoted(script.as_os_str())), c])
}

/// Compiles one file; the command to start it.
fn compiled_c(source: &Path, program: &Path, flags: &[&str]) -> Result<String, String> {
    let cc = Run::program("cc").args(C_FLAGS).args(flags).arg("-o").arg(program);
    cc.arg(source).arg("-lm").run()?;
    Ok(quoted(program.as_os_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str =
        r#"{"rule": "sam", "verdict": "differs-as", "entry": "norm-l1", "says": "differs"}"#;

    #[test]
    fn a_slip_must_be_called_by_its_name() {
        assert_eq!(is_named(ROW, "norm-l1"), Ok(()));
        assert!(is_named(ROW, "norm").is_err());
        assert!(is_named(&ROW.replace("differs-as", "agrees-as"), "norm-l1").is_err());
    }

    #[test]
    fn a_difference_without_a_name_is_an_error() {
        let unnamed = format!("{ROW}\n{{ \"verdict\": \"differs\",\n  \"entry\": null }}");
        assert!(is_named(&unnamed, "norm-l1").unwrap_err().contains("without a name"));
        // A law's row has no entry.
        let law = format!("{ROW}{{\"verdict\": \"differs\", \"differs_for\": [\"sam\"]}}");
        assert_eq!(is_named(&law, "norm-l1"), Ok(()));
    }
}
