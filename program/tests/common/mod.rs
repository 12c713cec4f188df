//! What the tests of the program share: calls of the binary, and short comparisons through the library.

#![allow(dead_code, reason = "every test file is a crate of its own and uses a part")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use presam_program::config::{Config, Options, resolve};
use presam_program::report::{Results, Run};
use presam_program::train::run;

/// The program with `arguments`, in a folder of no meaning.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_presam"));
    command.args(arguments).current_dir(std::env::temp_dir());
    command
}

/// One finished call.
pub fn presam(arguments: &[&str]) -> Output {
    command(arguments).output().expect("the program starts")
}

/// Its stdout.
pub fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("stdout is text")
}

/// The one line on stderr of a refused call, after checking that nothing else happened.
pub fn refused(arguments: &[&str]) -> String {
    let output = presam(arguments);
    let message = String::from_utf8(output.stderr.clone()).expect("stderr is text");
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(2), ""), "{message}");
    assert_eq!(message.trim_end().lines().count(), 1, "{message}");
    message
}

/// Says why a test checks nothing, past the test harness, which keeps what passing tests print.
pub fn skipped(reason: &str) {
    let _closed = writeln!(std::io::stderr(), "SKIPPED: {reason}");
}

/// The configuration of some TOML text.
pub fn config(toml: &str) -> Config {
    resolve(Options::parse("test", toml).expect("valid TOML")).expect("a valid configuration")
}

/// The comparison of some TOML text.
pub fn compare(toml: &str) -> Results {
    run(&config(toml), &|_| {}).expect("the comparison runs")
}

/// The parameters' digests of a method, seed by seed.
pub fn digests<'a>(results: &'a Results, method: &str) -> Vec<&'a str> {
    let own = results.runs.iter().filter(|run| run.method == method);
    own.map(|run| run.params_sha256.as_str()).collect()
}

/// The record without what differs from run to run.
pub fn timeless(run: &Run) -> Run {
    Run {
        seconds: 0.0,
        seconds_per_step: 0.0,
        samples_per_second: None,
        forward_share: None,
        backward_share: None,
        ascent_share: None,
        descent_share: None,
        ..run.clone()
    }
}

/// Names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("an entry").file_name();
    let mut names: Vec<String> =
        entries.map(|entry| name(entry).into_string().expect("a plain name")).collect();
    names.sort();
    names
}

/// A text file beside the workspace's members.
pub fn workspace_text(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
