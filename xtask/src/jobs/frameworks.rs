//! The step in Rust's frameworks, `examples/candle` and `examples/burn`: a crate and a lock of its own each.
//!
//! Their dependencies take minutes to build, so both jobs stay out of `.ci/run`; they keep what they built.

use crate::command::{Outcome, Run, job_dir, read, root};

/// What the program of either prints, in this order.
const METHODS: [&str; 3] = ["sgd", "sam", "asam"];
/// Percent of the test digits by which SAM must be ahead of SGD where 60 % of the labels are wrong. Seen: about 5.
const AHEAD: f64 = 1.0;

pub(crate) fn candle() -> Outcome {
    tried("candle")
}

pub(crate) fn burn() -> Outcome {
    tried("burn")
}

/// Lints, tests, the program once.
fn tried(name: &str) -> Outcome {
    let (dir, target) = (root().join("examples").join(name), job_dir(name)?.display().to_string());
    let cargo = |subcommand: &str| {
        let cargo = Run::cargo().args([subcommand, "--locked"]);
        cargo.env("CARGO_TARGET_DIR", &target).dir(&dir)
    };
    shown(&read(&dir.join("README.md"))?, &read(&dir.join("digits.rs"))?)?;
    cargo("clippy").args(["--all-targets", "--", "-D", "warnings"]).run()?;
    cargo("test").run()?;
    let (_, printed, told) = cargo("run").answer()?;
    eprint!("{printed}");
    judged(&printed).map_err(|why| format!("{why}\n{told}"))
}

/// That the lines which the README shows are the program's: what people copy is what compiles.
fn shown(page: &str, program: &str) -> Outcome {
    let lines = page.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines: Vec<&str> = lines.flat_map(str::lines).map(str::trim).collect();
    let there: Vec<&str> = program.lines().map(str::trim).collect();
    match lines.iter().find(|line| !line.is_empty() && !there.contains(line)) {
        _ if lines.is_empty() => Err("README.md: expected lines of Rust, found none".into()),
        Some(line) => Err(format!("README.md: expected a line of digits.rs, found `{line}`")),
        None => Ok(()),
    }
}

/// Three methods with an accuracy each, SAM's and ASAM's ahead of SGD's.
fn judged(printed: &str) -> Outcome {
    let accuracy = |line: &str| line.strip_suffix(" %")?.rsplit(' ').next()?.parse::<f64>().ok();
    let rows = printed.lines().skip(1).map(|line| (line.split(' ').next(), accuracy(line)));
    let rows: Vec<_> = rows.filter_map(|(name, accuracy)| Some((name?, accuracy?))).collect();
    let names: Vec<&str> = rows.iter().map(|row| row.0).collect();
    let least = rows.first().map_or(f64::NAN, |row| row.1 + AHEAD);
    if names == METHODS && rows[1..].iter().all(|row| row.1 > least) {
        return Ok(());
    }
    let expected = METHODS.join(", ");
    Err(format!(
        "expected accuracies of {expected}, the last two {AHEAD} above the first, found {rows:?}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_method_and_one_that_does_not_help_are_faults() {
        let printed = |sam: &str| {
            format!("digits\nsgd  test accuracy 50.0 %\n{sam}\nasam  test accuracy 60.0 %\n")
        };
        assert_eq!(judged(&printed("sam  test accuracy 55.5 %")), Ok(()));
        for wrong in ["", "sam  test accuracy 50.0 %", "sam  test accuracy NaN %", "sam"] {
            assert!(judged(&printed(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_line_that_the_program_has_not_is_a_fault() {
        let page = |code: &str| format!("words\n```rust\n{code}\n```\nwords\n");
        assert_eq!(
            shown(&page("let a = 1;\n\n  b(a);"), "fn main() {\n    let a = 1;\n    b(a);\n}"),
            Ok(())
        );
        assert!(shown(&page("let a = 2;"), "let a = 1;").is_err());
        assert!(shown("words", "let a = 1;").is_err());
    }
}
