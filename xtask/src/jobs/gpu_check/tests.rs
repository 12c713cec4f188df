use super::*;

/// A folder with the script and a `presam` that answers as told (a line of shell), without torch.
fn folder(name: &str, script: &str, answers: &str) -> PathBuf {
    let dir = job_dir("test-gpu-check").unwrap().join(name);
    emptied(&dir).unwrap();
    ["bin", "elsewhere"].iter().for_each(|inner| emptied(&dir.join(inner)).unwrap());
    let shell = |text: &str| format!("#!/bin/sh\n{text}\n");
    let (presam, python) = (shell(answers), shell("echo \"No module named 'torch'\" >&2; exit 1"));
    let files = [("run.sh", script), ("digest", "abc\n"), ("source", "commit 0")];
    files.into_iter().for_each(|(name, text)| write(&dir.join(name), text).unwrap());
    planted(&dir, "presam", &presam);
    planted(&dir, "bin/python3", &python);
    dir
}

/// A program of the folder's own.
fn planted(dir: &Path, name: &str, text: &str) {
    write(&dir.join(name), text).unwrap();
    assert!(Run::program("chmod").arg("+x").arg(dir.join(name)).succeeds());
}

/// The script with a limit of its own, for a test that waits until it is over.
fn with(script: &str, limit: &str, other: &str) -> String {
    assert_eq!(script.matches(limit).count(), 1, "{limit}");
    script.replace(limit, other)
}

/// Where a program is that a folder's own stands before.
fn real(program: &str) -> String {
    Run::program("sh").args(["-c", &format!("command -v {program}")]).output().unwrap()
}

/// What the script left behind.
struct Left {
    code: Option<i32>,
    results: PathBuf,
    summary: String,
    archive: PathBuf,
}

/// The script of a folder with the folder's own commands before all others.
fn script(dir: &Path) -> Run {
    script_by("sh", dir)
}

fn script_by(shell: &str, dir: &Path) -> Run {
    let path = format!("{}:{}", dir.join("bin").display(), std::env::var("PATH").unwrap());
    let run = Run::program(shell).arg("run.sh").env("PATH", &path).without_env(DRY_RUN);
    run.env("TMPDIR", &dir.join("elsewhere").to_string_lossy()).dir(dir)
}

fn started(dir: &Path) -> Left {
    ended(dir, script(dir))
}

/// Runs it and finds what must be there however it ends.
fn ended(dir: &Path, script: Run) -> Left {
    let elsewhere = dir.join("elsewhere");
    let (code, ..) = script.answer().unwrap();
    let results = named(dir, "results-").unwrap();
    let archive = named(dir, ARCHIVE).or_else(|| named(&elsewhere, ARCHIVE)).unwrap();
    let held = Run::program("tar").arg("tzf").arg(&archive).output().unwrap();
    for file in ["summary.md", "verify.txt", "verify.err", "info.txt"] {
        assert!(held.lines().any(|line| line.ends_with(&format!("/{file}"))), "{file}: {held}");
    }
    assert_eq!(named(dir, "reserve"), None);
    let summary = read(&results.join("summary.md")).unwrap();
    Left { code, results, summary, archive }
}

fn run(name: &str, answers: &str) -> Left {
    started(&folder(name, RUN, answers))
}

const GOOD: &str =
    "[ $1 = info ] && echo 'devices   cpu, cuda:0 G'; [ $1 = train ] && echo 'digest: abc'; exit 0";
const NONE: &str = "[ $1 = info ] && exit 0
    echo 'error: device cuda:0: expected one, found no CUDA device' >&2; exit 3";

#[test]
fn a_good_run_names_the_device_and_the_digest() {
    let Left { code, results, summary, .. } = run("good", GOOD);
    assert_eq!(code, Some(0), "{summary}");
    assert!(summary.contains("\ncpu, cuda:0 G\n"), "{summary}");
    assert!(summary.contains("equal to the README's: abc"), "{summary}");
    assert!(summary.contains("| verify | 0 | "), "{summary}");
    assert!(summary.contains("| cifar10 | left out | "), "{summary}");
    assert!(judge(code, &results).is_err());
    // A missing torch leaves out the peers, says why, and is no failure.
    let line =
        "| peers | left out |  |  | python3 does not import torch: No module named 'torch' |";
    assert!(summary.contains(line), "{summary}");
}

#[test]
fn the_python_package_runs_where_there_is_torch() {
    let with_torch = |name: &str, python: &str| {
        let dir = folder(name, RUN, GOOD);
        emptied(&dir.join("site")).unwrap();
        write(&dir.join("bin/python3"), format!("#!/bin/sh\n{python}\n")).unwrap();
        started(&dir)
    };
    let Left { code, summary, .. } = with_torch("torch", "echo \"$PYTHONPATH of $1\"");
    assert_eq!(code, Some(0), "{summary}");
    assert!(summary.contains("| package | 0 | ") && summary.contains("| package-speed | 0 | "));
    assert!(summary.contains("/site of benchmarks/gpu.py"), "{summary}");
    for (code, python) in [(1, "a difference"), (3, "a torch without a GPU beside a GPU")] {
        let python = format!("[ $1 = benchmarks/gpu.py ] && exit {code}; : {python}; exit 0");
        let Left { code, summary, .. } = with_torch("differs", &python);
        assert_eq!(code, Some(1), "{summary}");
        assert!(!summary.contains("No GPU ran this"), "{summary}");
    }
    let Left { summary, .. } = run("alone", GOOD);
    assert!(
        summary.contains("| package | left out |  |  | python3 does not import torch"),
        "{summary}"
    );
}

#[test]
fn a_machine_without_a_gpu_says_so() {
    let Left { code, results, summary, .. } = run("absent", NONE);
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
        let Left { code, summary, .. } = run(name, &answers);
        assert_eq!(code, Some(1), "{name}: {summary}");
    }
    let Left { summary, .. } = run("digest", &GOOD.replace("digest: abc", "digest: abd"));
    assert!(summary.contains("DIFFERS: expected abc, found abd"), "{summary}");
}

#[test]
fn a_step_that_hangs_is_stopped_and_the_others_follow() {
    // The second one, whose arguments differ, is short.
    let hangs = "[ $1$4 = verify ] && echo 'next: law NAME' >&2 && sleep 60";
    let hangs = format!("{hangs}\n{GOOD}");
    let script = with(RUN, "judged verify 90 ", "judged verify 1 ");
    let Left { code, summary, .. } = started(&folder("hangs", &script, &hangs));
    assert_eq!(code, Some(1), "{summary}");
    assert!(summary.contains("| verify | 124: stopped after 1 s | "), "{summary}");
    assert!(summary.contains("| verify-short | 0 | "), "{summary}");
    assert!(summary.contains("    next: law NAME"), "{summary}");
    assert!(summary.contains("| train | 0 | "), "{summary}");
    // No time is left for the rest of the run: told, step by step.
    let script = with(RUN, "seconds=510", "seconds=2");
    let Left { code, summary, .. } = started(&folder("late", &script, &hangs));
    assert_eq!(code, Some(1), "{summary}");
    assert!(summary.contains("| bench | left out |  |  | no time left of 2 s |"), "{summary}");
}

#[test]
fn a_step_that_dies_is_tried_again_with_each_launch_waited_for() {
    let dies = format!("[ $1$CUDA_LAUNCH_BLOCKING = verify ] && kill -SEGV $$\n{GOOD}");
    let Left { code, summary, .. } = run("dies", &dies);
    assert_eq!(code, Some(1), "{summary}");
    assert!(summary.contains("| verify | 139 | "), "{summary}");
    assert!(summary.contains("| verify-blocking | 0 | "), "{summary}");
    assert!(summary.contains("| rules | 0 | "), "{summary}");
}

#[test]
fn a_lost_device_is_tried_again_so_that_the_page_names_the_kernel() {
    // The program tells of it by its own exit code, as of anything else that the device refuses.
    let lost =
        "[ $1$CUDA_LAUNCH_BLOCKING = verify ] && echo 'error: device lost: 700' >&2 && exit 2
        [ $1 = verify ] && echo 'error: device lost: 700; at the launch of NAME' >&2 && exit 2";
    let Left { code, summary, .. } = run("lost", &format!("{lost}\n{GOOD}"));
    assert_eq!(code, Some(1), "{summary}");
    assert!(summary.contains("| verify | 2 | "), "{summary}");
    assert!(summary.contains("| verify-blocking | 2 | "), "{summary}");
    assert!(summary.contains("at the launch of NAME"), "{summary}");
    // Whatever else ends with that code is told as well as it can be.
    let Left { summary, .. } = run("uncovered", &format!("[ $1 = verify ] && exit 2\n{GOOD}"));
    assert!(!summary.contains("verify-blocking"), "{summary}");
}

#[test]
fn folders_are_those_of_the_caller() {
    let dir = folder("caller", RUN, GOOD);
    let from = dir.join("elsewhere");
    let path = format!("{}:{}", dir.join("bin").display(), std::env::var("PATH").unwrap());
    let run = Run::program("sh").arg("../run.sh").args(["out", "data"]).env("PATH", &path);
    let (code, out, _) = run.dir(&from).answer().unwrap();
    assert_eq!(code, Some(0), "{out}");
    let archive = named(&from.join("out"), ARCHIVE).unwrap();
    assert!(out.contains(&format!("results: {}", archive.display())), "{out}");
    assert!(out.contains(&format!("--data cifar10:{} ", from.join("data").display())), "{out}");
}

#[test]
fn a_signal_ends_the_run_and_what_there_is_comes_home() {
    // The parent of `timeout`, which started it.
    let ends = "[ $1 = verify ] && kill -TERM $(cut -d' ' -f4 /proc/$PPID/stat) && sleep 60";
    let samples =
        "[ $1 = info ] && mkdir -p results-*/bench && echo {} >results-*/bench/bench.json";
    let start = std::time::Instant::now();
    // Bash, which `sh` is on many machines, takes a trap's `return` otherwise.
    for shell in ["sh", "bash"] {
        let samples = samples.replace("results-*/", "$(echo results-*)/");
        let dir = folder("signal", RUN, &format!("{samples}\n{ends}\n{GOOD}"));
        let Left { code, summary, archive, .. } = ended(&dir, script_by(shell, &dir));
        assert_eq!(code, Some(1), "{shell}: {summary}");
        assert!(summary.contains("**Not whole:** ended by SIGTERM."), "{shell}: {summary}");
        assert!(summary.contains("| info | 0 | ") && !summary.contains("| train | "), "{summary}");
        assert!(summary.contains("| verify | not ended | "), "{shell}: {summary}");
        let held = Run::program("tar").arg("tzf").arg(&archive).output().unwrap();
        assert!(held.contains("/bench/bench.json"), "{shell}: {held}");
    }
    assert!(start.elapsed().as_secs() < 60);
}

/// A folder whose `tar` finds no room as long as `full` (shell, of the file and the folder) holds.
fn full_disk(name: &str, full: &str) -> Left {
    let samples = "cd results-* && mkdir -p bench && echo {} >bench/bench.json";
    let dir = folder(name, RUN, &format!("[ $1 = bench ] && {samples}\n{GOOD}"));
    let error = "echo 'tar: No space left on device' >&2; exit 2";
    let tar = real("tar");
    planted(
        &dir,
        "bin/tar",
        &format!("#!/bin/sh\nif {full}; then {error}; fi\nexec {tar} \"$@\"\n"),
    );
    started(&dir)
}

#[test]
fn a_full_disk_costs_the_samples_or_the_place_and_not_the_results() {
    let Left { code, archive, results, .. } = full_disk("tight", "[ -e \"$3\"/bench/bench.json ]");
    assert_eq!((code, archive.parent()), (Some(0), results.parent()));
    let elsewhere = "case $2 in */elsewhere/*) false;; *) true;; esac";
    let Left { code, archive, .. } = full_disk("full", elsewhere);
    assert_eq!(code, Some(0));
    assert!(archive.parent().unwrap().ends_with("elsewhere"), "{}", archive.display());
}

#[test]
fn a_step_that_finds_the_disk_full_costs_no_more_than_its_output() {
    // Whatever is written to the links fails, and whoever reads one never ends.
    let full = "cd results-* && ln -s /dev/full verify.txt && ln -s /dev/full summary.md";
    let dir = folder(
        "steps",
        RUN,
        &format!("[ $1 = info ] && {full}\n[ $1 = verify ] && echo 0\n{GOOD}"),
    );
    let (code, told, _) = script(&dir).answer().unwrap();
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("| verify | 0 | ") && told.contains("| rules | 0 | "), "{told}");
    assert!(told.contains(&format!("results: {}", named(&dir, ARCHIVE).unwrap().display())));
}

#[test]
fn what_no_signal_ends_does_not_hold_the_run() {
    // As `timeout` does over a process in a driver: it waits, and no signal ends it.
    let stuck = "trap '' HUP INT TERM; for second in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1; done";
    let timeout =
        format!("case \"$*\" in *verify*) {stuck};; *) exec {} \"$@\";; esac", real("timeout"));
    let script = with(RUN, "judged verify 90 ", "judged verify 1 ");
    let script = with(&script, "watch $((limit + 15))", "watch $((limit + 1))");
    let script = with(&script, "ended \"$running\" 10", "ended \"$running\" 1");
    let dir = folder("stuck", &script, GOOD);
    planted(&dir, "bin/timeout", &format!("#!/bin/sh\n{timeout}\n"));
    let start = std::time::Instant::now();
    let Left { code, summary, .. } = started(&dir);
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
    assert_eq!(code, Some(1), "{summary}");
    assert!(summary.contains("**Not whole:** verify could not be stopped."), "{summary}");
    assert!(summary.contains("| info | 0 | ") && !summary.contains("| train | "), "{summary}");
    assert!(summary.contains("| verify | not ended | "), "{summary}");
}

#[test]
fn what_watches_a_step_is_gone_when_it_ends() {
    // The watch over `info` would be over while `verify` runs.
    let script = with(RUN, "watch $((limit + 15))", "watch $((limit - 18))");
    let verify = format!("[ $1 = verify ] && sleep 4\n{GOOD}");
    let Left { code, summary, .. } = started(&folder("watched", &script, &verify));
    assert_eq!(code, Some(0), "{summary}");
}

/// A tool that samples faster than the real one, knows the reasons by their old name, and notes what it was asked.
const SAMPLER: &str = r#"#!/bin/sh
echo "$@" >>asked
case "$*" in
*event_reasons*) echo 'Field "clocks_event_reasons.active" is not a valid field to query.'; exit 2 ;;
*name,driver_version*) echo 'NVIDIA G, 580.1, 0x0000000000000001'; exit ;;
esac
for sample in 1 2 3 4 5 6 7 8 9 10; do
    for clock in '1980 MHz, 1 MHz, 1 W, 40, 0x4' '1500 MHz, 1 MHz, 1 W, 40, 0x20' '[N/A], 1 MHz, 1 W, 40, [N/A]'; do
        echo "2026/01/01 00:00:00.000, $clock"
    done
    sleep 0.2
done
"#;

#[test]
fn each_row_has_the_clocks_that_the_gpu_in_use_had_meanwhile() {
    let dir = folder("clocks", RUN, &format!("[ $1 = verify ] && sleep 1\n{GOOD}"));
    planted(&dir, "bin/nvidia-smi", SAMPLER);
    let Left { code, results, summary, .. } =
        ended(&dir, script(&dir).env("CUDA_VISIBLE_DEVICES", "3,1"));
    assert_eq!(code, Some(0), "{summary}");
    let row = summary.lines().find(|line| line.starts_with("| verify | 0 |")).unwrap();
    assert!(row.contains(" | 1500 MHz, 0x24 | `./presam verify"), "{summary}");
    assert!(summary.contains("\nNVIDIA G, 580.1\n"), "{summary}");
    let asked = read(&dir.join("asked")).unwrap();
    assert!(asked.lines().all(|line| line.starts_with("-i 3 ")), "{asked}");
    let sampled = asked.lines().last().unwrap();
    assert!(sampled.contains(",clocks_throttle_reasons.active ") && sampled.contains("-lms 500"));
    assert!(read(&results.join("clocks.csv")).unwrap().lines().count() >= 3);
}

#[test]
fn a_sampler_that_does_not_answer_is_told_and_is_no_failure() {
    let dir = folder("no-clocks", RUN, GOOD);
    planted(&dir, "bin/nvidia-smi", "#!/bin/sh\necho 'No devices were found'; exit 6\n");
    let Left { code, summary, .. } = started(&dir);
    assert_eq!(code, Some(0), "{summary}");
    let line = "| clocks | left out |  |  | nvidia-smi: exit code 6, No devices were found |";
    assert!(summary.contains(line), "{summary}");
}

/// What a run on the emulated device tells, with this digest.
fn emulated(digest: &str) -> (Left, String) {
    let digest = format!("digest: {digest}");
    let dir = folder("emulated", RUN, &GOOD.replace("digest: abc", &digest));
    let left = ended(&dir, script(&dir).env(DRY_RUN, "emulated"));
    let told = left.summary.clone();
    (left, told)
}

#[test]
fn a_run_on_the_emulated_device_is_short_and_judged_by_what_it_brings() {
    let hex = "0123456789abcdef".repeat(4);
    let (Left { code, summary, .. }, told) = emulated(&hex);
    assert_eq!(code, Some(0), "{summary}");
    for short in [
        "`./presam verify --device emulated --cases 1 --epochs 1`",
        "`./presam train --device emulated --quiet --epochs 1 --methods sam --seeds 1 ",
        "--min-time 0.001 --rules sam,info-asam --sizes 640 ",
        "**A dry run on the emulated device: no GPU ran this.**",
    ] {
        assert!(summary.contains(short), "{short}: {summary}");
    }
    let held: String = BROUGHT.iter().map(|file| format!("results-0/{file}\n")).collect();
    assert_eq!(judge_emulated(code, &told, &held), Ok(()));
    // Each thing that is judged, missing in turn.
    assert!(judge_emulated(Some(1), &told, &held).is_err());
    for file in BROUGHT {
        let less = held.replace(&format!("/{file}\n"), "/\n");
        assert!(judge_emulated(code, &told, &less).unwrap_err().contains(file));
    }
    for step in ["verify", "train", "bench", "rules"] {
        let failed = told.replace(&format!("| {step} | 0 |"), &format!("| {step} | 1 |"));
        assert!(judge_emulated(code, &failed, &held).unwrap_err().contains(step));
    }
    assert!(judge_emulated(code, &told.replace(&hex, "none"), &held).is_err());
}

#[test]
fn another_word_for_a_dry_run_is_refused() {
    let dir = folder("word", RUN, GOOD);
    let (code, _, said) = script(&dir).env(DRY_RUN, "1").answer().unwrap();
    assert_eq!(code, Some(2));
    assert_eq!(said, "error: PRESAM_DRY_RUN: expected emulated or nothing, found 1\n");
    assert_eq!(named(&dir, "results-"), None);
}

#[test]
fn the_readme_s_digest_is_found() {
    let hex = "0123456789abcdef".repeat(4);
    assert_eq!(digest(&format!("a\n    digest: {hex}\n")), Ok(hex.as_str()));
    assert!(digest("digest: soon\n").is_err());
    assert!(digest(&read(&root().join("README.md")).unwrap()).is_ok());
}
