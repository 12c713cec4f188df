//! A comparison that is interrupted and goes on: the same bits, and no checkpoint taken for another.

mod common;

use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use common::{command, compare, config, names, out, presam, refused, timeless};
use presam_program::error::Error;
use presam_program::report::Results;
use presam_program::train::{Checkpoints, run_kept};

const SMALL: &str = "epochs = 4\nseeds = 2\nhidden = 4\ntrain_samples = 96\nbatch = 32\nmethods = [\"sgd\", \"sam\"]\n\
     threads = 1\n";

fn digest(output: &Output) -> String {
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{message}");
    out(output).lines().last().expect("a line").to_owned()
}

/// Runs `toml` in `folder` until it has told so many things, which are the start, each epoch and each finished run;
/// `None` where it had more to tell.
fn up_to(folder: &Path, toml: &str, told: u32) -> Option<Results> {
    let (stop, left) = (AtomicBool::new(false), AtomicU32::new(told));
    let kept = Checkpoints { folder, every: 1000, resume: true, stop: &stop };
    let results = run_kept(&config(toml), Some(&kept), &|_| {
        if left.fetch_sub(1, Ordering::Relaxed) == 1 {
            stop.store(true, Ordering::Relaxed);
        }
    });
    match results {
        Ok(results) => Some(results),
        Err(Error::Interrupted(place)) => {
            assert_eq!(place, folder);
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Whole records, but for the times.
fn same(found: &Results, expected: &Results) {
    assert_eq!((&found.digest, &found.tuning), (&expected.digest, &expected.tuning));
    for (found, expected) in found.runs.iter().zip(&expected.runs) {
        assert_eq!(timeless(found), timeless(expected));
    }
}

#[test]
fn killed_twenty_times_at_random_moments_it_ends_with_the_bits_of_an_unbroken_run() {
    let study = [
        "--epochs",
        "12",
        "--seeds",
        "2",
        "--hidden",
        "8",
        "--train-samples",
        "128",
        "--methods",
        "sgd,sam,info-asam,vasso,look-sam,momentum-sam",
        "--set",
        "look-sam.interval=3",
    ];
    let place = tempfile::tempdir().unwrap();
    let folder = |name: String| place.path().join(name).display().to_string();
    let unbroken = presam(&[&study[..], &["--out", &folder("out".to_owned())]].concat());
    let unbroken = digest(&unbroken);
    let places = [["--threads", "1"], ["--threads", "3"], ["--device", "emulated"]];
    let (mut kills, mut chain, mut resumed, mut random) = (0, 0, 0, 1_u64);
    while kills < 20 {
        chain += 1;
        let own = [
            "--out",
            &folder(format!("out{chain}")),
            "--checkpoint",
            &folder(format!("ck{chain}")),
        ];
        let start = Instant::now();
        let mut longest = Duration::from_millis(400);
        loop {
            let flags =
                [&study[..], &own, &["--every", "1", "--resume"], &places[kills % 3]].concat();
            let mut child = command(&flags);
            let child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
            let mut child = child.expect("the program starts");
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            std::thread::sleep(longest.mul_f64((random >> 32) as f64 / 4_294_967_296.0));
            if kills < 20 && child.try_wait().expect("a state").is_none() {
                child.kill().expect("a kill");
                kills += 1;
            }
            let output = child.wait_with_output().expect("its output");
            resumed += usize::from(String::from_utf8_lossy(&output.stderr).contains("go on from"));
            if output.status.success() {
                assert_eq!(digest(&output), unbroken, "chain {chain}");
                break;
            }
            // On a slow machine every moment up to the end must come to pass as well.
            longest = longest.max(start.elapsed() / 4);
        }
        let mut left = names(&place.path().join(format!("ck{chain}")));
        left.retain(|name| name.starts_with('.'));
        assert_eq!(left, [".presam-lock"]);
    }
    assert!(resumed >= 5, "{resumed} of the processes found anything to go on with");
}

#[test]
fn it_goes_on_from_the_cpu_on_a_device_and_back_with_every_kind_of_memory() {
    let parts = "parts = 3\nperturb = \"local\"\n";
    for (more, devices) in [
        ("base = \"sgd\"\nsam_from = 2\n", ["cpu", "emulated"]),
        ("base = \"adamw\"\nsam_every = 2\n", ["cpu", "emulated"]),
        (parts, ["cpu", "cpu"]),
    ] {
        let study = format!(
            "epochs = 3\nseeds = 1\nhidden = 4\ntrain_samples = 96\nbatch = 40\nthreads = 1\n{more}\
             methods = [\"info-asam\", \"friendly-sam\", \"look-sam\", \"momentum-sam\", \"gsam\", \
             \"saner-info-asam\"]\n"
        );
        let whole = compare(&study);
        let place = tempfile::tempdir().unwrap();
        // One epoch in each process, alternately here and there.
        let parts = devices
            .iter()
            .cycle()
            .map(|device| up_to(place.path(), &format!("{study}device = \"{device}\"\n"), 3));
        let ended: Vec<Option<Results>> = parts.take(40).take_while(Option::is_none).collect();
        assert!(ended.len() >= 10, "{} interruptions", ended.len());
        // Finished, it only reads.
        same(&up_to(place.path(), &study, 1000).unwrap(), &whole);
    }
}

#[test]
fn a_tuning_goes_on_too() {
    let study = "epochs = 1\nseeds = 1\nhidden = 4\ntrain_samples = 96\nlabel_noise = 0.2\ntune = true\n\
                 methods = [\"info-sam\"]\nthreads = 1\n";
    let place = tempfile::tempdir().unwrap();
    assert!(up_to(place.path(), study, 70).is_none());
    same(&up_to(place.path(), study, 1000).unwrap(), &compare(study));
}

#[test]
fn a_search_goes_on_too_and_what_it_found_is_the_runs_own() {
    let study = "epochs = 6\nseeds = 1\nhidden = 4\ntrain_samples = 96\nsam_from = 6\nparts = 2\n\
                 perturb = \"local\"\nmethods = [\"sam\"]\nthreads = 1\n";
    let searching = format!("{study}search = [\"lr\", \"sam\"]\n");
    let place = tempfile::tempdir().unwrap();
    // In the learning rate, in the radius, in the comparison: 12 and 18 runs of 5 epochs, one of 6.
    for told in [20, 60, 100] {
        assert!(up_to(place.path(), &searching, told).is_none(), "{told}");
    }
    let whole = up_to(place.path(), &searching, 1000).unwrap();
    same(&whole, &compare(&searching));
    let changes = whole.runs[0].history.iter().map(|epoch| epoch.gradient_change.is_some());
    assert_eq!(changes.collect::<Vec<_>>(), [false, false, false, false, false, true]);
    // Given by hand it is the same run, whose file says so; another learning rate is another run.
    let [rate, sam] = whole.tuning.as_slice() else { panic!("{:?}", whole.tuning) };
    let given = |rate: f64| {
        let config =
            config(&format!("{study}learning_rate = {rate}\nrho = {}\n", sam.rho.unwrap()));
        let (stop, told) = (AtomicBool::new(false), AtomicU32::new(0));
        let kept = Checkpoints { folder: place.path(), every: 1000, resume: true, stop: &stop };
        let results = run_kept(&config, Some(&kept), &|_| {
            told.fetch_add(1, Ordering::Relaxed);
        });
        results.map(|results| (results.digest, told.into_inner()))
    };
    // Told are the start and how much is left: nothing.
    assert_eq!(given(rate.learning_rate).unwrap(), (whole.digest.clone(), 2));
    let message = given(2.0 * rate.learning_rate).unwrap_err().to_string();
    assert!(message.contains("expected learning_rate = "), "{message}");
}

#[test]
fn a_truncated_foreign_newer_or_other_file_is_refused_by_name_and_stays() {
    let place = tempfile::tempdir().unwrap();
    assert!(up_to(place.path(), SMALL, 3).is_none());
    let file = place.path().join("sgd-noise0.6-seed0.safetensors");
    let whole = std::fs::read(&file).unwrap();
    let (folder, elsewhere) = (place.path().to_str().unwrap(), place.path().join("out"));
    let study = place.path().join("study.toml");
    std::fs::write(&study, SMALL).unwrap();
    let study = ["--config", study.to_str().unwrap()];
    let own = ["--checkpoint", folder, "--resume", "--out", elsewhere.to_str().unwrap(), "-q"];
    let refused_with = |bytes: &[u8], more: &[&str], expected: &str| {
        std::fs::write(&file, bytes).unwrap();
        let message = refused(&[&study[..], &own, more].concat());
        assert!(message.starts_with(&format!("error: --resume {}: ", file.display())), "{message}");
        assert!(message.trim_end().ends_with(expected), "{message} instead of {expected}");
        assert_eq!(std::fs::read(&file).unwrap(), bytes);
        assert!(!elsewhere.exists());
    };
    for len in [0, 7, 100, whole.len() - 1] {
        refused_with(
            &whole[..len],
            &[],
            "expected a whole checkpoint of presam, found a truncated file",
        );
    }
    refused_with(
        b"A text that is longer than eight bytes.",
        &[],
        "found a file of another kind (foreign)",
    );
    let changed = |from: &str, to: &str| {
        let at = whole.windows(from.len()).position(|bytes| bytes == from.as_bytes()).unwrap();
        [&whole[..at], to.as_bytes(), &whole[at + from.len()..]].concat()
    };
    let foreign = changed("presam checkpoint", "elsewhere's model");
    refused_with(&foreign, &[], "found a safetensors file of another kind (foreign)");
    let newer = changed("\"version\":\"1\"", "\"version\":\"2\"");
    refused_with(
        &newer,
        &[],
        "expected a checkpoint of version 1, found version 2, written by the newer presam 0.2.0",
    );
    let mut damaged = whole.clone();
    *damaged.last_mut().unwrap() ^= 1;
    refused_with(&damaged, &[], "expected a whole checkpoint, found a damaged one");
    for (flags, expected) in [
        (["--epochs", "5"], "expected epochs = 5, which is asked for now, found epochs = 4"),
        (["--batch", "16"], "expected batch = 16, which is asked for now, found batch = 32"),
        (
            ["--set", "base.momentum=0"],
            "expected base.momentum = 0.0, which is asked for now, found base.momentum = 0.9",
        ),
    ] {
        refused_with(&whole, &flags, expected);
    }
    // Another radius for SAM is none of SGD's business; other seeds only add runs.
    std::fs::write(&file, &whole).unwrap();
    let output = presam(&[&study[..], &own, &["--seeds", "3"]].concat());
    digest(&output);
    let output = presam(&[&study[..], &own, &["--methods", "sgd", "--rho", "sam=0.1"]].concat());
    digest(&output);
}

#[test]
fn a_folder_in_use_or_with_checkpoints_of_before_is_not_written_over() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().to_str().unwrap();
    let alone = presam(&["--resume", "--dry-run"]);
    assert_eq!(alone.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&alone.stderr).contains("--checkpoint"));
    let lock = std::fs::File::create(place.path().join(".presam-lock")).unwrap();
    lock.lock().unwrap();
    let (out, study) = (place.path().join("out"), place.path().join("study.toml"));
    std::fs::write(&study, SMALL).unwrap();
    let study = ["--config", study.to_str().unwrap()];
    let all =
        [&study[..], &["--checkpoint", folder, "--out", out.to_str().unwrap(), "-q"]].concat();
    let message = refused(&all);
    assert!(message.contains("expected a folder that no other process writes"), "{message}");
    drop(lock);
    digest(&presam(&all));
    let kept = names(place.path());
    let runs =
        ["sam-noise0.6-seed0", "sam-noise0.6-seed1", "sgd-noise0.6-seed0", "sgd-noise0.6-seed1"];
    let runs = runs.map(|run| format!("{run}.safetensors"));
    assert_eq!(kept[2..6], runs);
    for flags in [&[][..], &["--dry-run"]] {
        let message = refused(&[&all, flags].concat());
        assert!(
            message.contains("--resume to go on with them, found sam-noise0.6-seed0"),
            "{message}"
        );
    }
    assert_eq!(names(place.path()), kept);
}

#[test]
#[cfg(unix)]
fn ctrl_c_ends_with_a_checkpoint_and_a_line_that_says_how_to_go_on() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("ck");
    let flags = [
        "--epochs",
        "100000",
        "--seeds",
        "1",
        "--hidden",
        "4",
        "--train-samples",
        "64",
        "--methods",
        "sam",
        "-q",
        "--every",
        "64",
        "--resume",
        "--checkpoint",
        folder.to_str().unwrap(),
    ];
    let file = folder.join("sam-noise0.6-seed0.safetensors");
    let kept = || {
        let bytes = std::fs::read(&file).unwrap_or_default();
        String::from_utf8_lossy(&bytes).matches("train_loss").count()
    };
    let (mut epochs, mut between) = (0, false);
    for signal in ["INT", "TERM"] {
        let before = Instant::now();
        let child = command(&flags).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // It trains once it has written by itself.
        while kept() == epochs && before.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let id = child.id().to_string();
        assert!(
            std::process::Command::new("kill")
                .args(["-s", signal, &id])
                .status()
                .unwrap()
                .success()
        );
        let output = child.wait_with_output().unwrap();
        let message = String::from_utf8(output.stderr.clone()).unwrap();
        assert_eq!((output.status.code(), out(&output).as_str()), (Some(130), ""), "{message}");
        assert!(
            message.starts_with("error: interrupted; ") && message.lines().count() == 1,
            "{message}"
        );
        let found = kept();
        assert!(found > epochs, "{found} epochs after SIG{signal}, {epochs} before");
        (epochs, between) = (found, between || !found.is_multiple_of(64));
    }
    assert!(between, "both signals met an epoch that is written anyway, or wrote none");
}
