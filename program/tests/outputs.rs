//! What the program leaves behind: documented files, one JSON document, and older files untouched where it fails.

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{names, out, presam, refused, skipped, workspace_text};
use presam_program::report::FILES;
use serde_json::Value;

const SHORT: [&str; 10] = [
    "--epochs",
    "2",
    "--seeds",
    "2",
    "--hidden",
    "8",
    "--methods",
    "sgd,sam,info-sam",
    "--train-samples",
    "100",
];

/// A short run into `folder`.
fn short<'a>(folder: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    [&SHORT[..], &["--out", folder.to_str().expect("a plain path")], more].concat()
}

/// Every key of a document as a path: `runs[].history[].epoch`. What is under `settings` follows the flags.
fn keys(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) if path != "settings" => {
            for (key, value) in object {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                keys(value, &path, found);
            }
        }
        Value::Array(items) if items.first().is_some_and(Value::is_object) => {
            items.iter().for_each(|item| keys(item, &format!("{path}[]"), found));
        }
        _ => {
            found.insert(path.to_owned());
        }
    }
}

#[test]
fn results_json_holds_the_documented_keys_and_no_others() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("out");
    let output = presam(&short(&folder, &["--tune", "--json"]));
    let results: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut found = BTreeSet::new();
    keys(&results, "", &mut found);
    let page = workspace_text("docs/results.md");
    let documented = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let documented: BTreeSet<String> = documented.map(str::to_owned).collect();
    assert_eq!(found, documented);
    let file: Value =
        serde_json::from_slice(&std::fs::read(folder.join("results.json")).unwrap()).unwrap();
    assert_eq!(file, results, "--json prints what the file holds");
    assert_eq!(output.stderr, b"", "nothing but the document where nobody watches");
}

#[test]
fn the_csv_columns_are_the_keys_and_the_config_repeats_the_run() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("out");
    let text = out(&presam(&short(&folder, &["-q"])));
    let digest = text.lines().last().unwrap();
    assert!(digest.starts_with("digest: ") && digest.len() == 8 + 64, "{digest}");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let results: Value = serde_json::from_str(&read("results.json")).unwrap();
    let columns = |name: &str| -> BTreeSet<String> {
        read(name).lines().next().unwrap().split(',').map(str::to_owned).collect()
    };
    let mut run: BTreeSet<String> =
        results["runs"][0].as_object().unwrap().keys().cloned().collect();
    assert!(run.remove("history"));
    assert_eq!(columns("results.csv"), run);
    let epoch = results["runs"][0]["history"][0].as_object().unwrap();
    let mut epoch: BTreeSet<String> = epoch.keys().cloned().collect();
    epoch.extend(["method", "label_noise", "seed"].map(str::to_owned));
    assert_eq!(columns("history.csv"), epoch);
    assert_eq!((read("results.csv").lines().count(), read("history.csv").lines().count()), (7, 13));
    let config = folder.join("config.toml");
    let again = place.path().join("again");
    let again = presam(&["--config", config.to_str().unwrap(), "--out", again.to_str().unwrap()]);
    assert_eq!(out(&again).lines().last().unwrap(), digest);
}

/// A folder with a file of an older run under every name.
fn old(folder: &Path) {
    std::fs::create_dir_all(folder).expect("the test may write here");
    for name in FILES {
        std::fs::write(folder.join(name), format!("old {name}")).expect("the test may write here");
    }
}

fn untouched(place: &Path) -> bool {
    let folder = place.join("out");
    let same = |name: &str| {
        std::fs::read_to_string(folder.join(name)).is_ok_and(|text| text == format!("old {name}"))
    };
    names(place) == ["out"]
        && names(&folder).len() == FILES.len()
        && FILES.iter().all(|name| same(name))
}

#[test]
fn a_failed_run_leaves_older_files_and_a_good_one_replaces_them() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("out");
    old(&folder);
    assert!(untouched(place.path()));
    refused(&short(&folder, &["--batch", "101"]));
    refused(&short(&folder, &["--data", "idx:/no/such"]));
    assert!(untouched(place.path()));
    assert!(presam(&short(&folder, &[])).status.success());
    assert!(!untouched(place.path()));
    assert!(names(&folder).len() == FILES.len() && names(place.path()) == ["out"]);
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_leaves_older_files_as_they_were() {
    use std::os::unix::process::ExitStatusExt;
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("out");
    old(&folder);
    let arguments = ["--epochs", "100000", "--methods", "sam", "--out", folder.to_str().unwrap()];
    // A job that a shell put in the background ignores interrupts, and its children with it: env of
    // coreutils gives the program the default back (and becomes the program, so the id is its own).
    let mut child = Command::new("env")
        .args(["--default-signal=INT", env!("CARGO_BIN_EXE_presam")])
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(700));
    assert!(child.try_wait().unwrap().is_none(), "it is still training");
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let status = child.wait().unwrap();
    assert!(sent.success());
    assert!(status.signal() == Some(2) || status.code() == Some(130), "{status}");
    assert!(untouched(place.path()));
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_is_refused_before_training() {
    // No user, root included, can make a folder there.
    let start = std::time::Instant::now();
    let message = refused(&["--epochs", "100000", "--out", "/proc/presam-out"]);
    assert!(message.starts_with("error: --out /proc/presam-out: expected a writable folder"));
    assert!(start.elapsed().as_secs() < 5);
}

/// What the program writes to a terminal of 80 columns, which util-linux's script gives it; `None` without that tool.
fn in_terminal(arguments: &[&str], no_colour: &str) -> Option<String> {
    let line = [&[env!("CARGO_BIN_EXE_presam")][..], arguments].concat().join(" ");
    let line = format!("stty cols 80 rows 24; {line}");
    let mut script = Command::new("script");
    let output = script.args(["-qec", &line, "/dev/null"]).env("NO_COLOR", no_colour).output();
    let text = output.ok().map(|output| out(&output));
    if text.is_none() {
        skipped("the tool `script` is not installed, so there is no terminal to write to");
    }
    text
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("out");
    let arguments = short(&folder, &["-q"]);
    assert!(!out(&presam(&arguments)).contains('\u{1b}'), "a pipe is no terminal");
    let Some(coloured) = in_terminal(&arguments, "") else { return };
    assert!(coloured.contains("\u{1b}[1m"), "{coloured}");
    assert!(!in_terminal(&arguments, "1").unwrap().contains('\u{1b}'));
}

#[test]
fn what_is_told_fits_a_terminal_and_is_whole_elsewhere() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("out");
    let arguments = short(&folder, &["-q"]);
    let piped = out(&presam(&arguments));
    assert!(piped.contains("sharpness") && piped.contains("train clean"), "{piped}");
    let Some(narrow) = in_terminal(&arguments, "1") else { return };
    assert!(narrow.contains("no room for: train clean / noisy %, sharpness"), "{narrow}");
    for line in narrow.lines().map(str::trim_end) {
        // A command stays on one line, to be copied.
        assert!(line.chars().count() <= 80 || line.starts_with("  presam train "), "{line}");
    }
    let wide = in_terminal(&[&arguments[..], &["--wide"]].concat(), "1").unwrap();
    assert!(wide.contains("sharpness  time / SGD"), "{wide}");
}
