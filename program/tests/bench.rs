//! `presam bench` as a user meets it: rows, files, comparison, refusals.

mod common;

use std::path::Path;

use common::{names, out, presam, refused};
use presam_program::bench::Record;
use serde_json::Value;

/// A short benchmark of one size.
fn bench(more: &[&str]) -> std::process::Output {
    presam(&[&["bench", "--sizes", "5000", "--min-time", "0.001"], more].concat())
}

fn json(more: &[&str]) -> Value {
    let output = bench(&[more, &["--json"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON document")
}

#[test]
fn the_default_rows_and_their_bytes() {
    let record = json(&[]);
    let rows = record["measurements"].as_array().unwrap();
    // Three rules of four phases, restore, descend; warm and cold.
    assert_eq!(rows.len(), 28);
    for row in rows {
        let get = |key: &str| row[key].as_f64().unwrap_or_else(|| panic!("{key}: {row}"));
        assert!(get("p05_ns") <= get("p50_ns") && get("p50_ns") <= get("p95_ns"), "{row}");
        assert!(get("p05_ns") > 0.0 && get("fraction_of_copy") > 0.0, "{row}");
        let samples = row["samples_ns"].as_array().unwrap().len();
        assert!(samples >= 11 && row["copy_samples_ns"].as_array().unwrap().len() == samples);
        let same = (get("bytes") - get("copy_bytes")).abs();
        assert!(same <= 4.0, "the copy moves as many bytes: {row}");
        assert_eq!((&row["graph"], &row["params"]), (&Value::Bool(false), &Value::from(5000)));
    }
    let header = &record["header"];
    assert!(header.get("driver").is_some_and(Value::is_null));
    assert!(header["device"].as_str().unwrap().starts_with("cpu "));
    assert!(header["command"].as_str().unwrap().starts_with("presam bench --sizes 5000 "));
}

#[test]
fn every_rule_is_measured_on_any_number_of_threads_and_on_many_tensors() {
    for threads in ["1", "3"] {
        let sizes = if threads == "1" { "digits-mlp" } else { "140001" };
        let output = presam(&[
            "bench",
            "--sizes",
            sizes,
            "--min-time",
            "1e-6",
            "--filter",
            ".",
            "--threads",
            threads,
            "--json",
        ]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let record: Value = serde_json::from_slice(&output.stdout).unwrap();
        let rows = record["measurements"].as_array().unwrap();
        for info in presam::variants::ALL {
            let own = rows.iter().filter(|row| row["rule"] == info.name).count();
            assert_eq!(own, 8, "{}: four phases, warm and cold", info.name);
        }
        assert_eq!(rows.len(), 2 * (4 * presam::variants::ALL.len() + 3));
        assert_eq!(record["header"]["host"]["threads"], threads.parse::<u64>().unwrap());
    }
}

#[test]
fn files_are_written_read_back_and_compared() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("today");
    let folder_text = folder.to_str().unwrap();
    let output = bench(&["--filter", "^(step/sam|restore)/", "--out", folder_text]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(names(&folder), ["bench.csv", "bench.json", "bench.svg"]);
    let file = folder.join("bench.json");
    let record = Record::read("--compare", &file).unwrap();
    assert_eq!(record.measurements.len(), 4);

    let file = file.to_str().unwrap();
    let output = bench(&["--filter", "^(step/sam|descend)/", "--compare", file]);
    let text = out(&output);
    assert!(text.contains("\nstep/sam/5000 warm  presam"), "{text}");
    assert!(text.contains("without a counterpart: 4 rows here, 2 there\n"), "{text}");
    let told = json(&["--filter", "^step/sam/", "--compare", file]);
    let rows = told["comparison"]["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    let verdict = rows[0]["verdict"].as_str().unwrap();
    assert!(["FAST", "SLOW", "SAME", "CANNOT TELL"].contains(&verdict));
    // Two files, and nothing is measured.
    let output = presam(&["bench", "--from", file, "--compare", file]);
    let text = out(&output);
    assert!(text.contains("\nstep/sam/5000 warm ") && text.contains(" 1.00 "), "{text}");
    assert!(!presam(&["bench", "--from", file]).status.success());
    let bad = place.path().join("bad.json");
    std::fs::write(&bad, "{}").unwrap();
    let message = refused(&["bench", "--from", bad.to_str().unwrap(), "--compare", file]);
    assert!(message.starts_with("error: --from "), "{message}");
}

#[test]
fn a_record_of_a_slow_past_is_beaten() {
    let place = tempfile::tempdir().unwrap();
    let output = bench(&["--filter", "^step/sam/", "--out", place.path().to_str().unwrap()]);
    assert!(output.status.success());
    let file = place.path().join("bench.json");
    for (factor, verdict) in [(100.0, "FAST"), (0.01, "SLOW")] {
        let mut record = Record::read("--compare", &file).unwrap();
        for row in &mut record.measurements {
            for value in [&mut row.p05_ns, &mut row.p50_ns, &mut row.p95_ns] {
                *value *= factor;
            }
        }
        let planted = place.path().join("planted.json");
        std::fs::write(&planted, serde_json::to_vec(&record).unwrap()).unwrap();
        let told = json(&["--filter", "^step/sam/", "--compare", planted.to_str().unwrap()]);
        assert_eq!(told["comparison"]["rows"][0]["verdict"], verdict, "{told}");
    }
}

#[test]
fn the_table_fits_a_terminal_and_explains_its_last_column() {
    let text = out(&bench(&[]));
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("cpu ") && lines[0].contains("thread"), "{text}");
    assert!(lines[1].starts_with("of copy: 100 % is as fast as a copy"), "{text}");
    assert!(lines[2].starts_with("x floor: 1.00 is as fast as a triad"), "{text}");
    assert_eq!(lines[4], "5000: 5,000 parameters");
    assert!(lines[5].starts_with("phase            rule          cache"), "{text}");
    assert!(lines[5].ends_with("  of copy  x floor"), "{text}");
    let floor = |line: &&str| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap();
    assert!(lines[6..].iter().all(|line| line.contains(" %") && floor(line) > 0.0), "{text}");
    assert!(lines[4..].iter().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn a_profile_runs_each_row_once_and_names_it() {
    let output = bench(&["--filter", "/vasso/", "--profile"]);
    assert_eq!(out(&output), "8 rows run once\n");
    let rows = String::from_utf8(output.stderr).unwrap();
    let expected =
        "accumulate/vasso/5000 warm\naccumulate/vasso/5000 cold\nascend/vasso/5000 warm\n";
    assert!(rows.starts_with(expected), "{rows}");
    assert!(bench(&["--filter", "/vasso/", "--profile", "-q"]).stderr.is_empty());
}

#[test]
fn bad_input_is_one_line_and_code_2() {
    let foreign = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let cases: [(&[&str], &str); 10] = [
        (&["--sizes", "1e4,huge"], "error: --sizes: expected a whole number from 1 to 1e9, "),
        (&["--sizes", "vit-b-61"], "found \"vit-b-61\"; did you mean vit-b-16?"),
        (&["--sizes", ""], "error: --sizes: expected"),
        (&["--rules", "sam,vaso"], "found \"vaso\"; did you mean vasso?"),
        (&["--filter", "step/("], "error: --filter: expected a regular expression, found"),
        (&["--filter", "salm"], "error: --filter: expected a match among rows such as step/sam/"),
        (&["--min-time", "-1"], "error: --min-time: expected seconds"),
        (&["--compare", "/no/such"], "error: --compare /no/such: expected a bench.json"),
        (&["--compare", foreign], "found no JSON: "),
        (&["--sizes", "640", "--out", "/proc/version/x"], "error: --out /proc/version/x: expected"),
    ];
    for (arguments, message) in cases {
        let found = refused(&[&["bench"], arguments].concat());
        assert!(found.contains(message), "{found} instead of {message}");
    }
}

#[test]
fn sizes_beyond_the_memory_are_refused_before_anything_is_measured() {
    if !Path::new("/proc/meminfo").exists() {
        common::skipped("this system does not tell its memory");
        return;
    }
    // A whole step of the rule with most memory: planes, state, copy.
    let text = std::fs::read_to_string("/proc/meminfo").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:")).unwrap();
    let available: u64 = line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024;
    let needed = 1_000_000_000 * (4 * 8 + 64);
    if available >= needed {
        common::skipped("this machine holds every size");
        return;
    }
    let found = refused(&["bench", "--sizes", "1e9", "--filter", "^step/info-asam/"]);
    assert!(found.contains("error: --sizes 1e9: expected at most the "), "{found}");
    assert!(found.contains(" GB for ") && found.contains("info-asam/1e9"), "{found}");
}

#[test]
fn what_the_peers_write_is_read_and_compared() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers/pytorch_sam.py");
    let place = tempfile::tempdir().unwrap();
    let mut python = std::process::Command::new("python3");
    python.arg(script).arg("--self-test").arg("--out").arg(place.path());
    let Ok(output) = python.output() else {
        common::skipped("no python3 to write a peer's record");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let file = place.path().join("bench.json");
    let file = file.to_str().unwrap();
    let told = presam(&[
        "bench",
        "--sizes",
        "1e4",
        "--min-time",
        "0.05",
        "--filter",
        "^step/sam/",
        "--json",
        "--compare",
        file,
    ]);
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    let rows = told["comparison"]["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "warm and cold");
    for row in rows {
        // The self-test's steps take 2 ms, ours microseconds.
        assert_eq!((&row["program"], &row["verdict"]), (&"torch-eager".into(), &"FAST".into()));
    }
    assert_eq!(told["comparison"]["only_there"], 0);
}

#[test]
fn the_kernels_of_every_rule_are_checked_and_run_in_every_mode() {
    let told = presam(&[
        "bench",
        "--device",
        "emulated",
        "--sizes",
        "digits-mlp",
        "--min-time",
        "1e-6",
        "--filter",
        ".",
        "--json",
    ]);
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let record: Value = serde_json::from_slice(&told.stdout).unwrap();
    let rows = record["measurements"].as_array().unwrap();
    // Four phases of each rule, restore and two descents; warm and cold. Graphs are a GPU's.
    assert_eq!(rows.len(), 2 * (4 * presam::variants::ALL.len() + 3));
    assert!(rows.iter().all(|row| row["graph"] == false));
    let header = &record["header"];
    assert_eq!(header["device"], "emulated");
    for key in ["launch_overhead_ns", "launch_device_ns"] {
        assert!(header[key]["p50"].as_f64().unwrap() > 0.0, "{key}");
    }
}

#[test]
fn a_profile_on_a_device_runs_each_row_once() {
    let output = presam(&[
        "bench",
        "--device",
        "emulated",
        "--sizes",
        "640",
        "--filter",
        "/vasso/",
        "--profile",
    ]);
    assert_eq!(out(&output), "8 rows run once\n");
}

#[test]
fn a_device_that_is_not_there_is_one_line_and_code_3() {
    // More devices than any machine has; without the feature, or a driver, there is none at all.
    let output = presam(&["bench", "--device", "cuda:4000"]);
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{line}");
    assert!(line.starts_with("error: device cuda:4000: expected one, found "), "{line}");
    assert_eq!(line.lines().count(), 1, "{line}");
    let message = refused(&["bench", "--device", "cuad"]);
    assert!(message.contains("error: --device: expected cpu, emulated"), "{message}");
}
