//! The program as a user meets it: exit codes, streams, suggestions, help.

mod common;

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Stdio;

use common::{command, out, presam, refused, skipped};

#[test]
fn train_is_the_command_where_none_is_given() {
    let short = presam(&["--epochs", "3", "--dry-run"]);
    let long = presam(&["train", "--epochs", "3", "--dry-run"]);
    assert!(short.status.success());
    assert_eq!(out(&short), out(&long));
    assert!(
        out(&short).starts_with("# presam train --epochs 3\n")
            && out(&short).contains("\nepochs = 3\n")
    );
}

#[test]
fn the_file_is_read_and_flags_win() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("study.toml");
    std::fs::write(&file, "epochs = 7\nbatch = 32\nmethods = [\"sam\", \"asam\"]\n").unwrap();
    let file = file.to_str().unwrap();
    let output = presam(&[
        "--config",
        file,
        "--epochs",
        "3",
        "--rho",
        "asam=1",
        "--set",
        "base.momentum=0",
        "--dry-run",
        "--json",
    ]);
    let config: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((config["epochs"].as_u64(), config["batch"].as_u64()), (Some(3), Some(32)));
    assert_eq!(
        (config["rho"]["asam"].as_f64(), config["set"]["base"]["momentum"].as_f64()),
        (Some(1.0), Some(0.0))
    );
    let again = folder.path().join("again.toml");
    std::fs::write(&again, out(&presam(&["--config", file, "--dry-run"]))).unwrap();
    let twice = presam(&["--config", again.to_str().unwrap(), "--dry-run"]);
    assert_eq!(out(&twice), std::fs::read_to_string(&again).unwrap());
}

#[test]
fn bad_input_is_one_line_and_code_2() {
    let cases: [(&[&str], &str); 10] = [
        (
            &["--rho", "-1", "--methods", "sam"],
            "error: --rho sam: expected a number of at least 0, found -1",
        ),
        (
            &["--rho", "nan", "--methods", "sam"],
            "error: --rho sam: expected a number of at least 0, found NaN",
        ),
        (&["--methods", "sam,vaso"], "found \"vaso\"; did you mean vasso?"),
        (
            &["--batch", "1001"],
            "error: --batch: expected at most the 1000 training examples, found 1001",
        ),
        (
            &["--train-samples", "1797"],
            "error: --train-samples: expected at most 1796 of the 1797 examples of digits",
        ),
        (&["--seeds", "none"], "error: --seeds: expected a count (24)"),
        (&["--label-noise", "60"], "(0.6 for 60 %), found 60"),
        (
            &["--data", "idx:/no/such"],
            "error: /no/such: expected a folder with train-images-idx3-ubyte (or .gz), found no such file or folder",
        ),
        (&["--config", "/no/such.toml"], "error: /no/such.toml: expected a readable TOML file"),
        (
            &["--out", "/proc/version/x"],
            "error: --out /proc/version/x: expected a writable folder, found: /proc/version is no folder",
        ),
    ];
    for (arguments, message) in cases {
        let all = [arguments, &["--dry-run"]].concat();
        let found = refused(&all);
        assert!(found.contains(message), "{found} instead of {message}");
    }
}

#[test]
fn a_value_of_a_file_is_told_with_file_and_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("study.toml");
    for (line, key) in [
        ("label_noise = 2", "label_noise: expected fractions"),
        ("learning_rate = -1", "learning_rate: expected a number"),
        ("base = \"adam\"", "base: expected sgd or adamw, found \"adam\"; did you mean adamw?"),
        ("rho = { asam = nan }", "rho.asam: expected a number"),
        ("seeds = []", "seeds: expected a count (24)"),
        ("[set.asm]\neta = 0.1", "set: expected a method"),
    ] {
        std::fs::write(&file, line).unwrap();
        let found = refused(&["--config", file.to_str().unwrap(), "--dry-run"]);
        assert!(found.starts_with(&format!("error: {}: {key}", file.display())), "{found}");
    }
    // What a flag has wrong is the flag's.
    std::fs::write(&file, "label_noise = 0.5").unwrap();
    let flag = ["--label-noise", "2", "--config", file.to_str().unwrap(), "--dry-run"];
    assert!(refused(&flag).starts_with("error: --label-noise: "));
}

#[test]
fn misspelt_flags_commands_and_methods_get_a_suggestion() {
    for (arguments, meant) in [
        (["--epoch", "3"], "--epochs"),
        (["trian", "-q"], "train"),
        (["train", "--mehtods"], "--methods"),
    ] {
        let output = presam(&arguments);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(message.contains("similar") && message.contains(meant), "{message}");
    }
    assert!(refused(&["methods", "info-aasm"]).contains("did you mean info-asam?"));
}

#[test]
fn help_fits_a_screen_and_long_help_ends_with_examples_and_exit_codes() {
    let short = out(&presam(&["-h"]));
    assert!(short.lines().count() <= 40, "{} lines\n{short}", short.lines().count());
    assert!(short.lines().all(|line| line.chars().count() <= 100), "{short}");
    let long = out(&presam(&["--help"]));
    let (_, end) = long.split_once("Examples:").unwrap();
    assert_eq!(end.lines().filter(|line| line.starts_with("  presam")).count(), 4);
    assert!(end.trim_end().ends_with("130  interrupted, with a checkpoint"));
    assert!(!short.contains("Examples:"));
}

#[test]
fn methods_are_listed_and_explained() {
    let list = out(&presam(&["methods"]));
    for name in ["sgd ", "sam ", "info-sam-draft ", "look-sam "] {
        assert!(list.lines().any(|line| line.starts_with(name)), "{name}");
    }
    let one = out(&presam(&["methods", "INFO_ASAM"]));
    for word in ["v_hat", "damping", "eta", "2 kept", "arXiv 2501.06603", "equals"] {
        assert!(one.contains(word), "{word}: {one}");
    }
    let json: serde_json::Value =
        serde_json::from_slice(&presam(&["methods", "--json"]).stdout).unwrap();
    assert_eq!(json.as_array().unwrap().len(), presam_program::methods::METHODS.len());
    // What perturbs nothing has no ascent, and no radius either.
    for method in json.as_array().unwrap() {
        assert_eq!(method["ascent"].is_null(), method["rho"].is_null(), "{method}");
    }
}

#[test]
fn info_names_version_machine_and_data() {
    let text = out(&presam(&["info"]));
    assert!(text.contains(env!("CARGO_PKG_VERSION")) && text.contains("1797 examples"));
    let json: serde_json::Value =
        serde_json::from_slice(&presam(&["info", "--json"]).stdout).unwrap();
    assert_eq!(json["host"]["os"], std::env::consts::OS);
}

#[test]
fn a_cifar10_folder_is_counted_from_its_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/cifar10");
    if !folder.exists() {
        skipped(&format!("no CIFAR-10 files at {}", folder.display()));
        return;
    }
    let data = format!("cifar10:{}", folder.display());
    let found = refused(&["--data", &data, "--train-samples", "10001", "--dry-run"]);
    assert!(found.contains("at most 10000 of the 10000 examples"), "{found}");
    assert!(presam(&["--data", &data, "--dry-run"]).status.success());
}

#[test]
fn every_method_is_explained_with_its_cost() {
    for method in presam_program::methods::METHODS {
        let text = out(&presam(&["methods", method.name]));
        for word in [method.formula, method.source, method.equals, "passes", "bytes a parameter"] {
            assert!(text.contains(word), "{}: {word}", method.name);
        }
        for key in method.keys {
            assert!(text.contains(key.name) && text.contains(key.meaning), "{}", method.name);
        }
    }
    // The floor of design: SAM 36 bytes, SGD with momentum 20.
    for (name, bytes) in [("sam", "36 moved"), ("sgd", "20 moved")] {
        assert!(out(&presam(&["methods", name])).contains(bytes), "{name}");
    }
}

#[test]
fn values_that_would_fill_the_memory_are_refused() {
    for (arguments, message) in [
        (&["--epochs", "18446744073709551615"][..], "--epochs: expected a whole number from 1 to"),
        (&["--rho", "1e38", "--methods", "sam"], "--rho sam: expected a number below 2^31"),
        (&["--hidden", "1048576,1048576"], "--hidden: expected a model of at most"),
    ] {
        let found = refused(&[arguments, &["--out", "never-written"]].concat());
        assert!(found.contains(message), "{found} instead of {message}");
    }
}

#[test]
fn several_processes_without_ranks_are_refused_before_they_write_the_same_files() {
    let started = |count: &str| {
        let mut one = command(&["train", "--dry-run"]);
        one.env("OMPI_COMM_WORLD_SIZE", count).output().expect("the program starts")
    };
    assert!(started("1").status.success());
    let output = started("4");
    assert_eq!((output.status.code(), &*output.stdout), (Some(2), &b""[..]));
    let expected = "error: --ranks: expected the flag where mpirun starts several processes, found 4 processes without it\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
}

/// What the program writes to a socket that keeps one write apart from the next.
fn writes(arguments: &[&str]) -> Vec<String> {
    let (own, theirs) = UnixDatagram::pair().expect("two ends");
    let mut child = command(arguments);
    let status = child.stderr(Stdio::from(OwnedFd::from(theirs))).status().expect("it starts");
    assert!(!status.success());
    drop(child);
    own.set_nonblocking(true).expect("a socket that does not wait");
    let mut buffer = [0; 4096];
    let next = || own.recv(&mut buffer).ok().map(|length| buffer[..length].to_vec());
    std::iter::from_fn(next).map(|piece| String::from_utf8(piece).expect("text")).collect()
}

/// Under `mpirun`, what another process says would come between two pieces of a line.
#[test]
fn a_line_on_stderr_is_one_write() {
    let epochs = "error: --epochs: expected a whole number from 1 to 1000000, found 0\n";
    assert_eq!(writes(&["--epochs", "0"]), [epochs]);
    let unread = "error: --epochs: expected a whole number, found \"x\"\n";
    assert_eq!(writes(&["--epochs", "x"]), [unread]);
}
