use super::*;

/// A folder with the script and a `presam` that answers as told: a line of shell.
fn folder(name: &str, answers: &str) -> PathBuf {
    let dir = job_dir("test-gpu-check").unwrap().join(name);
    emptied(&dir).unwrap();
    let presam = format!("#!/bin/sh\n{answers}\n");
    let files = [("run.sh", RUN), ("digest", "abc\n"), ("source", "commit 0"), ("presam", &presam)];
    files.into_iter().for_each(|(name, text)| write(&dir.join(name), text).unwrap());
    assert!(Run::program("chmod").arg("+x").arg(dir.join("presam")).succeeds());
    dir
}

/// The script's exit code, its results folder and summary.
fn run(name: &str, answers: &str) -> (Option<i32>, PathBuf, String) {
    let dir = folder(name, answers);
    let (code, ..) = Run::program("sh").arg("run.sh").dir(&dir).answer().unwrap();
    let results =
        entries(&dir).into_iter().find(|path| path.to_string_lossy().contains("results-"));
    let results = results.unwrap();
    let summary = read(&results.join("summary.md")).unwrap();
    (code, results, summary)
}

const GOOD: &str =
    "[ $1 = info ] && echo 'devices   cpu, cuda:0 G'; [ $1 = train ] && echo 'digest: abc'; exit 0";
const NONE: &str = "[ $1 = info ] && exit 0
    echo 'error: device cuda:0: expected one, found no CUDA device' >&2; exit 3";

#[test]
fn a_good_run_names_the_device_and_the_digest() {
    let (code, results, summary) = run("good", GOOD);
    assert_eq!(code, Some(0), "{summary}");
    assert!(summary.contains("\ncpu, cuda:0 G\n"), "{summary}");
    assert!(summary.contains("equal to the README's: abc"), "{summary}");
    assert!(summary.contains("| verify | 0 | "), "{summary}");
    assert!(summary.contains("| cifar10 | left out | "), "{summary}");
    assert!(judge(code, &results).is_err());
}

#[test]
fn a_machine_without_a_gpu_says_so() {
    let (code, results, summary) = run("absent", NONE);
    assert!(summary.contains("| verify | 3 | "), "{summary}");
    assert_eq!(judge(code, &results), Ok(()));
    // Each thing that is judged, missing in turn.
    assert!(judge(Some(0), &results).is_err());
    std::fs::write(results.join("bench.err"), "").unwrap();
    assert!(judge(code, &results).unwrap_err().starts_with("bench: "));
}

#[test]
fn a_difference_a_failure_and_another_digest_are_exit_code_1() {
    let verify = format!("[ $1 = verify ] && exit 1\n{GOOD}");
    let bench = format!("[ $1 = bench ] && exit 139\n{GOOD}");
    let digest = GOOD.replace("digest: abc", "digest: abd");
    for (name, answers) in [("verify", verify), ("bench", bench), ("digest", digest)] {
        let (code, _, summary) = run(name, &answers);
        assert_eq!(code, Some(1), "{name}: {summary}");
    }
    let (_, _, summary) = run("digest", &GOOD.replace("digest: abc", "digest: abd"));
    assert!(summary.contains("DIFFERS: expected abc, found abd"), "{summary}");
}

#[test]
fn the_readme_s_digest_is_found() {
    let hex = "0123456789abcdef".repeat(4);
    assert_eq!(digest(&format!("a\n    digest: {hex}\n")), Ok(hex.as_str()));
    assert!(digest("digest: soon\n").is_err());
    assert!(digest(&read(&root().join("README.md")).unwrap()).is_ok());
}
