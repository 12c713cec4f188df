//! `presam vectors`: JSON that says what it is, a header that a C compiler takes, and numbers that hold.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::Path;
use std::process::Command;

use common::{names, out, presam, refused, skipped};
use presam_conformance::Rule;
use serde_json::Value;

fn json(words: &[&str]) -> Value {
    let output = presam(&[&["vectors", "--format", "json"], words].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_rule_has_vectors_that_the_core_holds_to() {
    use presam_conformance::Backend;
    let mut core = presam_backends::Phases(presam::Cpu::plain());
    for rule in Rule::all() {
        let document = json(&["--rule", rule.name(), "--cases", "6"]);
        let cases = document["cases"].as_array().unwrap();
        assert_eq!(cases.len(), 6);
        for entry in cases {
            let case = presam_pipe::read_case::<f32>(entry["case"].clone()).unwrap();
            let answer = core.step(&case).unwrap();
            for (expected, found) in
                entry["expected"].as_array().unwrap().iter().zip(&answer.segments)
            {
                holds(&expected["perturbed"], &found.perturbed);
                holds(&expected["params"], &found.params);
                for (list, planes) in [("memory", &found.memory), ("state", &found.state)] {
                    for (expected, found) in expected[list].as_array().unwrap().iter().zip(planes) {
                        holds(expected, found);
                    }
                }
            }
        }
    }
}

fn holds(expected: &Value, found: &[f32]) {
    let list = |name: &str| expected[name].as_array().unwrap().iter().map(|x| x.as_f64().unwrap());
    assert_eq!(list("values").count(), found.len());
    for ((value, bound), found) in list("values").zip(list("bounds")).zip(found) {
        assert!((f64::from(*found) - value).abs() <= bound, "{value} +- {bound}: {found}");
    }
}

/// A header that a full disk cut short must not look good.
#[cfg(target_os = "linux")]
#[test]
fn output_that_is_lost_is_an_error() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_presam"));
    let output = command.args(["vectors", "--rule", "sam"]).stdout(full).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.starts_with("error: stdout: expected a place to write to"), "{message}");
}

#[test]
fn the_same_seed_gives_the_same_file_and_another_seed_another() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("a").join("vasso.json");
    let path = file.to_str().unwrap();
    let words = ["vectors", "--rule", "VaSSO", "--scalar", "f64"];
    assert!(presam(&[&words[..], &["--out", path]].concat()).status.success());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), out(&presam(&words)));
    assert_eq!(names(&place.path().join("a")), ["vasso.json"], "nothing half-written beside it");
    assert_ne!(out(&presam(&[&words[..], &["--seed", "2"]].concat())), out(&presam(&words)));
    let message = refused(&["vectors", "--rule", "vaso"]);
    assert!(message.contains("did you mean vasso?"), "{message}");
}

/// A unit test on a microcontroller: SAM over every case, in the header's own scalar type.
const UNIT_TEST: &str = r#"
#include "vectors.h"
#include <math.h>
#include <string.h>
int main(void) {
    size_t cases = sizeof CASES / sizeof CASES[0], i, j;
    for (i = 0; i < cases; i++) {
        double squares = 0;
        for (j = 0; j < CASES[i].elements; j++) squares += (double)CASES[i].grads[j] * CASES[i].grads[j];
        for (j = 0; j < CASES[i].elements; j++) {
            double moved = CASES[i].rho * CASES[i].grads[j] / (sqrt(squares) + CASES[i].norm_guard);
            REAL found = (REAL)(CASES[i].params[j] + SIGN * moved);
            if (!(fabs((double)found - CASES[i].expected_perturbed[j]) <= CASES[i].bound_perturbed[j])) return 1;
        }
        if (!strlen(CASES[i].base) || !CASES[i].lengths[0]) return 2 * !CASES[i].segments;
    }
    return 0;
}
"#;

#[test]
fn the_header_compiles_alone_and_tells_right_from_wrong() {
    if Command::new("cc").arg("--version").output().is_err() {
        skipped("no C compiler: the headers are not compiled");
        return;
    }
    let place = tempfile::tempdir().unwrap();
    for (scalar, real) in [("f32", "float"), ("f64", "double")] {
        header(place.path(), "sam", scalar);
        for (sign, code) in [("1", Some(0)), ("-1", Some(1))] {
            let table = format!("-DCASES=presam_sam_{scalar}_cases");
            let more = [table, format!("-DREAL={real}"), format!("-DSIGN={sign}")];
            assert_eq!(compiled(place.path(), UNIT_TEST, &more), code, "{scalar} {sign}");
        }
    }
    for rule in Rule::all() {
        header(place.path(), rule.name(), "f32");
        let twice =
            "#include \"vectors.h\"\n#include \"vectors.h\"\nint main(void) { return 0; }\n";
        assert_eq!(compiled(place.path(), twice, &[]), Some(0), "{rule}");
    }
}

fn header(folder: &Path, rule: &str, scalar: &str) {
    let file = folder.join("vectors.h").display().to_string();
    let words = ["vectors", "--rule", rule, "--scalar", scalar, "--format", "c", "--out", &file];
    assert!(presam(&words).status.success(), "{rule}");
}

/// The exit code of the program, once compiled without a warning.
fn compiled(folder: &Path, text: &str, more: &[String]) -> Option<i32> {
    let (source, program) = (folder.join("main.c"), folder.join("main"));
    std::fs::write(&source, text).unwrap();
    let mut cc = Command::new("cc");
    cc.args(["-std=c99", "-Wall", "-Wextra", "-Werror"]).args(more);
    let built = cc.arg("-o").arg(&program).arg(&source).arg("-lm").output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    Command::new(&program).status().unwrap().code()
}
