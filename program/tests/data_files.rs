//! IDX and CIFAR-10 folders: good ones train, and every way to damage one is a line that names the file.

mod common;

use std::io::Write;
use std::path::Path;

use common::{names, out, presam, refused, skipped};
use flate2::{Compression, write::GzEncoder};

const SHORT: [&str; 10] =
    ["--epochs", "1", "--seeds", "1", "--hidden", "4", "--batch", "8", "--methods", "sgd,sam"];

/// A repeatable byte.
fn byte(index: usize) -> u8 {
    (index.wrapping_mul(2_654_435_761) >> 13) as u8
}

fn cifar10(folder: &Path, training: usize, test: usize) {
    let records = |count: usize| -> Vec<u8> {
        let record = |i: usize| {
            let pixels = (0..3072).map(move |j| byte(i * 3072 + j));
            std::iter::once((i % 10) as u8).chain(pixels)
        };
        (0..count).flat_map(record).collect()
    };
    std::fs::write(folder.join("data_batch_1.bin"), records(training / 2))
        .expect("the test may write here");
    std::fs::write(folder.join("data_batch_2.bin"), records(training - training / 2))
        .expect("the test may write here");
    std::fs::write(folder.join("test_batch.bin"), records(test)).expect("the test may write here");
}

fn idx(folder: &Path, training: usize, test: usize) {
    for (name, count) in [("train", training), ("t10k", test)] {
        let size = (count as u32).to_be_bytes();
        let images: Vec<u8> = [&[0, 0, 8, 3][..], &size, &[0, 0, 0, 4, 0, 0, 0, 5]].concat();
        let pixels: Vec<u8> = (0..20 * count).map(byte).collect();
        std::fs::write(folder.join(format!("{name}-images-idx3-ubyte")), [images, pixels].concat())
            .expect("the test may write here");
        let labels: Vec<u8> = (0..count).map(|i| (i % 10) as u8).collect();
        let bytes = [&[0, 0, 8, 1][..], &size, &labels].concat();
        std::fs::write(folder.join(format!("{name}-labels-idx1-ubyte")), bytes)
            .expect("the test may write here");
    }
}

/// Trains on `data` and returns the record of the data.
fn trained(data: &str, folder: &Path) -> serde_json::Value {
    let out = folder.join("out");
    let rest = ["--data", data, "--json", "--out", out.to_str().expect("a plain path")];
    let output = presam(&[&SHORT[..], &rest].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let results: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert_eq!(results["runs"].as_array().map(Vec::len), Some(2));
    results["data"].clone()
}

#[test]
fn small_folders_train() {
    let place = tempfile::tempdir().unwrap();
    cifar10(place.path(), 31, 9);
    let data = trained(&format!("cifar10:{}", place.path().display()), place.path());
    let sizes = |data: &serde_json::Value| {
        ["train_samples", "test_samples", "features"].map(|key| data[key].as_u64().unwrap())
    };
    assert_eq!(sizes(&data), [31, 9, 3072]);
    let place = tempfile::tempdir().unwrap();
    idx(place.path(), 40, 10);
    let data = trained(&format!("idx:{}", place.path().display()), place.path());
    assert_eq!(sizes(&data), [40, 10, 20]);
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

/// An IDX file of bytes.
fn idx_file(dimensions: &[u32], bytes: &[u8]) -> Vec<u8> {
    let header = [0, 0, 8, dimensions.len() as u8];
    let sizes = dimensions.iter().flat_map(|size| size.to_be_bytes());
    header.into_iter().chain(sizes).chain(bytes.iter().copied()).collect()
}

/// EMNIST's letters in small: gzip files with its prefix and names, labels 1 to 26, every letter a pattern of its own.
fn letters(folder: &Path, training: usize, test: usize) {
    for (part, count) in [("train", training), ("test", test)] {
        let labels: Vec<u8> = (0..count).map(|i| 1 + (i % 26) as u8).collect();
        let pixel = |i: usize, j: usize| {
            let pattern = byte(7919 * usize::from(labels[i]) + j) / 2;
            pattern + byte(1000 + 36 * i + j + count) / 4
        };
        let pixels: Vec<u8> = (0..count)
            .flat_map(|i| (0..36).map(move |j| (i, j)))
            .map(|(i, j)| pixel(i, j))
            .collect();
        let write = |kind: &str, bytes: Vec<u8>| {
            let name = format!("emnist-letters-{part}-{kind}-ubyte.gz");
            std::fs::write(folder.join(name), packed(&bytes)).expect("the test may write here");
        };
        write("images-idx3", idx_file(&[count as u32, 6, 6], &pixels));
        write("labels-idx1", idx_file(&[count as u32], &labels));
    }
}

#[test]
fn gzipped_letters_as_downloaded_are_searched_and_learned() {
    let place = tempfile::tempdir().unwrap();
    letters(place.path(), 780, 260);
    let folder = place.path().join("out");
    let data = format!("idx:{}", place.path().display());
    let output = presam(&[
        "--data",
        &data,
        "--label-noise",
        "0",
        "--epochs",
        "16",
        "--seeds",
        "2",
        "--hidden",
        "32",
        "--batch",
        "16",
        "--methods",
        "sgd,sam",
        "--out",
        folder.to_str().unwrap(),
    ]);
    let (text, told) = (out(&output), String::from_utf8(output.stderr).unwrap());
    assert!(told.starts_with("searching the learning rate and the radius of sam: "), "{told}");
    assert!(text.contains("260 test examples; 26 classes occur, of labels 1 to 26; 0 %"), "{text}");
    let results = std::fs::read(folder.join("results.json")).unwrap();
    let results: serde_json::Value = serde_json::from_slice(&results).unwrap();
    let data = &results["data"];
    assert_eq!(
        (&data["classes"], &data["smallest_label"], &data["largest_label"]),
        (&26.into(), &1.into(), &26.into())
    );
    assert!(data["mean"].as_f64().unwrap() > 0.1 && data["deviation"].as_f64().unwrap() < 0.9);
    for run in results["runs"].as_array().unwrap() {
        assert_eq!(run["ending"], "learned", "{text}");
        assert!(run["final_test_accuracy"].as_f64().unwrap() > 0.5, "{text}");
    }
    // The configuration that was written repeats it from any folder.
    let config = folder.join("config.toml");
    let again = presam(&["--config", config.to_str().unwrap(), "--out", folder.to_str().unwrap()]);
    assert_eq!(out(&again).lines().last(), text.lines().last());
}

#[test]
fn labels_are_redrawn_over_the_classes_that_occur() {
    for labels in [&[0_u8, 1][..], &[1, 2], &[0, 1, 255]] {
        let place = tempfile::tempdir().unwrap();
        for (part, count) in [("train", 2000), ("t10k", 200)] {
            let label = |i: usize| labels[i % labels.len()];
            let given: Vec<u8> = (0..count).map(label).collect();
            let pixels: Vec<u8> = (0..4 * count).map(byte).collect();
            let write = |name: String, bytes| {
                std::fs::write(place.path().join(name), bytes).unwrap();
            };
            let count = count as u32;
            write(format!("{part}-images-idx3-ubyte"), idx_file(&[count, 2, 2], &pixels));
            write(format!("{part}-labels-idx1-ubyte"), idx_file(&[count], &given));
        }
        let data = format!("idx:{}", place.path().display());
        let folder = place.path().join("out");
        let output = presam(&[
            "--data",
            &data,
            "--label-noise",
            "0.5",
            "--epochs",
            "1",
            "--seeds",
            "4",
            "--methods",
            "sgd",
            "--hidden",
            "4",
            "--lr",
            "0.1",
            "--json",
            "--out",
            folder.to_str().unwrap(),
        ]);
        let results: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let data = &results["data"];
        let (found, expected) =
            (data["noise"][0]["wrong_labels"].as_f64().unwrap(), 0.5 - 0.5 / labels.len() as f64);
        assert_eq!(data["classes"].as_u64(), Some(labels.len() as u64));
        assert!((found - expected).abs() < 0.02, "{labels:?}: {found} instead of {expected}");
    }
}

#[test]
fn labels_that_say_nothing_are_named_as_the_reason_for_chance() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("out");
    let output = presam(&[
        "--label-noise",
        "1",
        "--epochs",
        "12",
        "--seeds",
        "2",
        "--methods",
        "sgd,sam,asam",
        "--out",
        folder.to_str().unwrap(),
    ]);
    let text = out(&output);
    assert!(text.contains("At chance (1") && text.contains("try --label-noise 0.4."), "{text}");
    assert!(text.contains("~ ended at chance") && text.contains("sam ~"), "{text}");
}

#[test]
fn folders_that_are_nearly_right_are_recognised() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    for folder in ["MNIST/raw", "python", "hundred", "web", "float", "masks"] {
        std::fs::create_dir_all(at(folder)).unwrap();
    }
    idx(&at("MNIST/raw"), 20, 10);
    std::fs::write(at("python/data_batch_1"), [0x80, 2, b'.']).unwrap();
    std::fs::write(at("hundred/train.bin"), vec![0; 3074]).unwrap();
    std::fs::write(at("web/train-images-idx3-ubyte"), "<!DOCTYPE html><html>").unwrap();
    std::fs::write(at("float/train-images-idx3-ubyte"), [0, 0, 13, 3]).unwrap();
    std::fs::write(at("masks/train-images-idx3-ubyte"), [0, 0, 8, 4]).unwrap();
    let written = names(place.path());
    for (data, said) in [
        ("idx:MNIST", "found IDX files in MNIST/raw: write idx:MNIST/raw"),
        ("cifar10:MNIST/raw", "found IDX files in MNIST/raw: write idx:MNIST/raw"),
        ("cifar10:python", "CIFAR-10's Python version in python: take the binary version"),
        ("cifar10:hundred", "found CIFAR-100 in hundred"),
        ("idx:web", "found a web page: the download failed"),
        ("idx:float", "found 32-bit floats in 3 dimensions"),
        ("idx:masks", "found unsigned bytes in 4 dimensions"),
        ("idx:~/mnist", "whose ~ no shell has replaced; did you mean idx:"),
    ] {
        let mut command = common::command(&["--data", data, "--out", "o"]);
        let output = command.current_dir(place.path()).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), message.lines().count()), (Some(2), 1), "{message}");
        assert!(message.starts_with("error: ") && message.contains(said), "{message}: {said}");
    }
    let mut command = common::command(&["--epochs", "1", "--out", "~/o"]);
    let output = command.current_dir(place.path()).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("a ~ that no shell has replaced: write "), "{message}");
    assert_eq!(names(place.path()), written, "nothing is written");
    // A study's folder is taken from the study's own.
    std::fs::write(at("MNIST/study.toml"), "data = \"idx:raw\"\nepochs = 1\nbatch = 8\n").unwrap();
    let mut command = common::command(&["--config", "MNIST/study.toml", "--dry-run"]);
    let output = command.current_dir(place.path()).output().unwrap();
    let text = out(&output);
    assert!(text.contains("--data idx:MNIST/raw"), "{text}");
    assert!(text.contains(&format!("data = \"idx:{}\"", at("MNIST/raw").display())), "{text}");
}

/// Changes one file of a good folder and expects a refusal that names it.
fn damaged(kind: &str, file: &str, damage: impl Fn(Vec<u8>) -> Option<Vec<u8>>, expected: &str) {
    let place = tempfile::tempdir().expect("the test may write here");
    if kind == "idx" {
        idx(place.path(), 40, 10)
    } else {
        cifar10(place.path(), 31, 9)
    }
    let path = place.path().join(file);
    match damage(std::fs::read(&path).expect("the test may write here")) {
        Some(bytes) => std::fs::write(&path, bytes).expect("the test may write here"),
        None => std::fs::remove_file(&path).expect("the test may write here"),
    }
    let data = format!("{kind}:{}", place.path().display());
    let out = place.path().join("out");
    let rest = ["--data", &data, "--out", out.to_str().expect("a plain path")];
    let message = refused(&[&SHORT[..], &rest].concat());
    assert!(message.contains(file) && message.contains("expected"), "{message}");
    assert!(message.contains(expected), "{message} instead of {expected}");
    assert!(!out.exists(), "nothing is written");
}

#[test]
fn damaged_folders_are_one_line_that_names_the_file() {
    let shorter = |mut bytes: Vec<u8>| {
        bytes.pop();
        Some(bytes)
    };
    let changed = |at: usize, value: u8| {
        move |mut bytes: Vec<u8>| {
            bytes[at] = value;
            Some(bytes)
        }
    };
    damaged("cifar10", "test_batch.bin", |_| None, "no such file");
    damaged("cifar10", "data_batch_2.bin", shorter, "found");
    damaged("cifar10", "data_batch_1.bin", changed(0, 10), "10");
    damaged("cifar10", "test_batch.bin", |_| Some(Vec::new()), "found");
    damaged("idx", "train-labels-idx1-ubyte", |_| None, "no such file");
    damaged("idx", "train-images-idx3-ubyte", shorter, "found");
    damaged("idx", "t10k-labels-idx1-ubyte", shorter, "found");
    damaged("idx", "train-images-idx3-ubyte", changed(2, 9), "found");
    damaged("idx", "t10k-images-idx3-ubyte", changed(3, 1), "found");
    damaged("idx", "train-images-idx3-ubyte", changed(4, 0xff), "found");
}

/// `PRESAM_CIFAR10`, or `shared/data/cifar10` beside the repository.
#[test]
fn real_pictures_train_where_they_are() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/cifar10");
    let folder = std::env::var_os("PRESAM_CIFAR10").map_or(beside, Into::into);
    if !folder.join("test_batch.bin").exists() {
        skipped(&format!("no CIFAR-10 files at {} (set PRESAM_CIFAR10)", folder.display()));
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("out");
    let data = format!("cifar10:{}", folder.display());
    let output = presam(&[
        "--train-samples",
        "500",
        "--data",
        &data,
        "--label-noise",
        "0",
        "--epochs",
        "6",
        "--seeds",
        "1",
        "--hidden",
        "32",
        "--methods",
        "sgd,sam",
        "--json",
        "--out",
        out.to_str().unwrap(),
    ]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let results: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(results["data"]["train_samples"], 500);
    for run in results["runs"].as_array().unwrap() {
        assert_eq!(run["ending"], "learned", "{} at {}", run["method"], run["final_test_accuracy"]);
    }
    assert!(results["data"]["test_samples"].as_u64().unwrap() >= 1000);
}
