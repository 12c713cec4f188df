//! What a command can do instead of answering: one line each, exit code 2, and nothing left of it.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::common::presam;
use super::{Test, child_command};

pub const TESTS: &[Test] = &[
    ("every_fault_is_one_line_and_code_2", every_fault_is_one_line_and_code_2),
    ("a_line_that_nobody_asked_for_is_refused", a_line_that_nobody_asked_for_is_refused),
    ("what_hangs_is_ended_with_what_it_started", what_hangs_is_ended_with_what_it_started),
    ("what_answers_is_ended_too", what_answers_is_ended_too),
    ("a_killed_verifier_leaves_nothing", a_killed_verifier_leaves_nothing),
    ("nothing_in_common_is_said", nothing_in_common_is_said),
];

/// Reads the greeting and says hello.
const HELLO: &str = r#"read -r greeting; echo '{"hello":{"protocol":"presam-verify/1","name":"x","rules":["sam"],"bases":["sgd"],"scalars":["f64"],"operations":["step"]}}'; "#;

/// A script and a part of what is said of it.
type Fault = (&'static str, &'static str);

const BEFORE_HELLO: &[Fault] = &[
    (
        "no-such-command-of-presam",
        "expected a command that can be run, found \"no-such-command-of-presam\" (exit status: 127)",
    ),
    (
        "sleep 60",
        "the command hangs: it lives, and its hello did not come within 3 s; is every line",
    ),
    ("exit 3", "the command died (exit status: 3) where its hello was expected"),
    ("echo loading; sleep 60", "its hello cannot be read: expected value at line 1 column 1"),
    (
        "echo '{\"hello\":{\"protocol\":\"presam-verify/2\"}}'; sleep 60",
        "expected the protocol presam-verify/1, found \"presam-verify/2\"",
    ),
];

const INSTEAD_OF_AN_ANSWER: &[Fault] = &[
    ("exit 4", "the command died (exit status: 4) where the answer to request 1 was expected"),
    ("kill -KILL $$", "the command died (signal: 9 (SIGKILL)) where the answer to request 1"),
    ("exec >/dev/null; sleep 60", "the command died (it closed its output)"),
    (
        "sleep 60",
        "the command hangs: it lives, and the answer to request 1 did not come within 3 s; is every line flushed",
    ),
    (
        "yes | head -c 100000000 | tr -d '\\n'; sleep 60",
        "the command floods its output: a line of more than 16777216 bytes",
    ),
    (
        "echo 'np.float64(1.5)'; sleep 60",
        "the answer to request 1 cannot be read: expected ident at line 1 column 2 (messages belong on standard error); found \"np.float64(1.5)\" (asked: sam over sgd, f64)",
    ),
    ("echo '{\"id\":1,\"segments\":NaN}'; sleep 60", "numbers that are not finite are \"nan\""),
    ("echo '{\"id\":2,\"segments\":[]}'; sleep 60", "cannot be read: expected \"id\":1"),
    ("echo '{\"id\":1}'; sleep 60", "it lacks segments"),
    (
        "echo '{\"id\":1,\"segments\":[]}'; sleep 60",
        "the answer to request 1 has a wrong length: segments: expected ",
    ),
];

/// Told as what it is where it lies there before the request goes out, else taken for the answer: which of
/// the two is a race that either side may win.
fn a_line_that_nobody_asked_for_is_refused() {
    let command = format!("{HELLO}echo unasked; sleep 60");
    let output = presam(&["verify", "--exec", &command, "--timeout", "3"]);
    let message = String::from_utf8(output.stderr).unwrap();
    let told = [
        "the command floods its output: a line that nobody asked for: \"unasked\"",
        "the answer to request 1 cannot be read: expected value at line 1 column 1 (messages belong on standard error); found \"unasked\"",
    ];
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(told.iter().any(|words| message.contains(words)), "{message}");
}

fn faults() -> Vec<(String, &'static str)> {
    let before = BEFORE_HELLO.iter().map(|(script, words)| ((*script).to_owned(), *words));
    let instead = INSTEAD_OF_AN_ANSWER
        .iter()
        .map(|(script, words)| (format!("{HELLO}read -r request; {script}"), *words));
    let others = [(
        HELLO.replace("[\"sam\"]", "[\"sma\"]"),
        "names the rule \"sma\", which is unknown; did it mean sam?",
    )];
    before.chain(instead).chain(others).collect()
}

fn every_fault_is_one_line_and_code_2() {
    for (command, words) in faults() {
        let start = Instant::now();
        let output = presam(&["verify", "--exec", &command, "--timeout", "3"]);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), output.stdout.len()),
            (Some(2), 0),
            "{command}: {message}"
        );
        // The shell may have said something before.
        let last = message.lines().last().unwrap_or_default();
        assert!(
            last.starts_with("error: --exec: ") && last.contains(words),
            "{command}: {message}"
        );
        assert_eq!(
            message.lines().filter(|line| line.starts_with("error: ")).count(),
            1,
            "{message}"
        );
        assert!(start.elapsed() < Duration::from_secs(20), "{command}: {:?}", start.elapsed());
    }
}

/// Whether the process whose id is in the file is there; a zombie is not.
fn lives(file: &std::path::Path) -> bool {
    let id = std::fs::read_to_string(file).unwrap();
    let asked = Command::new("ps").args(["-o", "stat=", "-p", id.trim()]).output().unwrap();
    let state = String::from_utf8(asked.stdout).unwrap();
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}

/// Waits for it to go: the kernel takes its time.
fn goes(file: &std::path::Path) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(10) {
        if !lives(file) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

fn what_hangs_is_ended_with_what_it_started() {
    let place = tempfile::tempdir().unwrap();
    let (own, other) = (place.path().join("own"), place.path().join("other"));
    let command = format!(
        "{HELLO}echo $$ >{}; sleep 300 & echo $! >{}; wait",
        own.display(),
        other.display()
    );
    let output = presam(&["verify", "--exec", &command, "--timeout", "0.5"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(goes(&own) && goes(&other));
}

fn what_answers_is_ended_too() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("id");
    let command = format!("echo $$ >{}; {}", file.display(), child_command(""));
    let output = presam(&["verify", "--exec", &command, "--cases", "16"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(goes(&file));
}

fn a_killed_verifier_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("id");
    // It does not read its input, so that it would not notice the end.
    let command = format!("{HELLO}echo $$ >{}; exec sleep 300", file.display());
    let mut verifier = Command::new(env!("CARGO_BIN_EXE_presam"));
    verifier.args(["verify", "--exec", &command, "--timeout", "300"]).stdin(Stdio::null());
    let mut verifier = verifier.spawn().unwrap();
    let start = Instant::now();
    let is_written = || std::fs::read_to_string(&file).is_ok_and(|id| id.ends_with('\n'));
    while !is_written() {
        assert!(start.elapsed() < Duration::from_secs(10), "the command does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(lives(&file));
    verifier.kill().unwrap();
    verifier.wait().unwrap();
    assert!(goes(&file));
}

fn nothing_in_common_is_said() {
    for (more, words) in [
        (["--rules", "vasso"], "nothing to test: asked for rule vasso, its hello offers rules sam"),
        (["--scalar", "f32"], "asked for scalar f32, its hello offers scalars f64"),
        (["--timeout", "0"], "--timeout: expected seconds above 0"),
        (["--rules", "vaso"], "did you mean vasso?"),
    ] {
        let output = presam(&[&["verify", "--exec", &child_command("")][..], &more].concat());
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(words) && message.lines().count() == 1, "{message}");
    }
}
