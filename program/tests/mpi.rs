//! `presam train --ranks` under `mpirun`: the bits of one process, and what a rank that dies leaves.

mod common;

use std::fs::read_to_string;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::{compare, out, refused};

const METHODS: &str = "info-asam,look-sam";

/// The program on so many ranks. Each leaves its process's number in `place`.
fn mpirun(ranks: usize, place: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("mpirun");
    let ranks = ranks.to_string();
    let shell = "echo $$ > $0/rank$OMPI_COMM_WORLD_RANK; exec \"$@\"";
    command.args(["--oversubscribe", "-n", &ranks, "sh", "-c", shell]).arg(place);
    command.arg(env!("CARGO_BIN_EXE_presam")).args(["train", "--ranks", "-q"]).args(arguments);
    // Only root is asked for these.
    command.env("OMPI_ALLOW_RUN_AS_ROOT", "1").env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
    command.current_dir(place).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A small study, of so many epochs, as flags; and the digest of one process that takes all parts.
fn study(parts: usize, perturb: &'static str, epochs: usize) -> (Vec<String>, String) {
    let flags = ["--seeds", "1", "--hidden", "4", "--train-samples", "66", "--batch", "32"];
    let own = ["--methods", METHODS, "--perturb", perturb, "--epochs", &epochs.to_string()];
    let flags = flags.iter().chain(&own).map(|flag| (*flag).to_owned()).collect();
    let toml = format!(
        "seeds = 1\nhidden = 4\ntrain_samples = 66\nbatch = 32\nmethods = \"{METHODS}\"\n\
         perturb = \"{perturb}\"\nepochs = {epochs}\nparts = {parts}\n"
    );
    (flags, compare(&toml).digest)
}

/// The message of ranks that ended, on stderr.
fn message(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn any_number_of_ranks_has_the_bits_of_one_process_and_one_of_them_tells() {
    for (ranks, perturb) in
        [(1, "synchronised"), (2, "synchronised"), (4, "synchronised"), (4, "local")]
    {
        let place = tempfile::tempdir().unwrap();
        let (flags, digest) = study(ranks, perturb, 2);
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let output = mpirun(ranks, place.path(), &flags).output().expect("mpirun starts");
        assert!(output.status.success(), "{}", message(&output));
        assert_eq!(out(&output).matches("digest: ").count(), 1, "{ranks} {perturb}");
        assert!(out(&output).ends_with(&format!("digest: {digest}\n")), "{ranks} {perturb}");
    }
}

#[test]
fn a_rank_that_is_killed_ends_the_others_with_a_line_and_they_go_on_to_the_same_bits() {
    let place = tempfile::tempdir().unwrap();
    let (mut flags, digest) = study(3, "local", 16);
    flags.extend(["--checkpoint", "ck", "--every", "1", "--resume"].map(str::to_owned));
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    for (killed, run) in [("1", "info-asam"), ("0", "look-sam")] {
        let file = place.path().join(format!("ck/{run}-noise0.6-seed0.safetensors"));
        let child = mpirun(3, place.path(), &flags).spawn().expect("mpirun starts");
        let begun = Instant::now();
        while !file.exists() && begun.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let id = read_to_string(place.path().join(format!("rank{killed}"))).expect("a number");
        let kill = Command::new("kill").args(["-s", "KILL", id.trim()]).status();
        assert!(kill.expect("a kill").success());
        let begun = Instant::now();
        let output = child.wait_with_output().expect("its output");
        let (message, took) = (message(&output), begun.elapsed());
        assert!(took < Duration::from_secs(10), "{took:?}");
        assert_eq!((output.status.code(), out(&output).as_str()), (Some(137), ""), "{message}");
        assert!(message.contains(&format!("process rank {killed} ")), "{message}");
        // Once one has said so and ended, `mpirun` may kill the other before it speaks.
        let mut survivors = ["0", "1", "2"].into_iter().filter(|rank| *rank != killed);
        let says =
            |rank| format!("error: rank {rank}: asked to stop, waited in vain for another rank");
        assert!(survivors.any(|rank| message.contains(&says(rank))), "{message}");
        assert!(message.contains("; ck holds what"), "{message}");
    }
    let output = mpirun(3, place.path(), &flags).output().expect("mpirun starts");
    assert!(out(&output).ends_with(&format!("digest: {digest}\n")), "{}", message(&output));
}

#[test]
fn what_no_rank_can_do_is_said_once() {
    let words = "--parts: expected 1, the number of ranks, found 2";
    assert_eq!(refused(&["--ranks", "--parts", "2"]), format!("error: {words}\n"));
    let place = tempfile::tempdir().unwrap();
    for (flags, words) in [
        (["--parts", "3"], "--parts: expected 2, the number of ranks, found 3"),
        (["--device", "ptx"], "--device: expected cpu with --ranks, found ptx"),
        (["--epochs", "0"], "--epochs: expected a whole number from 1 to 1000000, found 0"),
    ] {
        let output = mpirun(2, place.path(), &flags).output().expect("mpirun starts");
        let message = message(&output);
        assert_eq!((output.status.code(), out(&output).as_str()), (Some(2), ""), "{message}");
        let own: Vec<&str> = message.lines().filter(|line| line.contains("error: ")).collect();
        assert_eq!(own, [format!("error: {words}")]);
    }
}
