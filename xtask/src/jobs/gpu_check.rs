//! What a machine with a GPU needs to verify, measure and train, in one archive, tried here without one.

use std::path::{Path, PathBuf};

use super::cuda::{self, ABSENT};
use super::wheel;
use crate::command::{Outcome, Run, emptied, entries, job_dir, read, root, target_dir, write};

const RUN: &str = include_str!("gpu_check/run.sh");
/// What the archive is sent by takes no more.
const MOST_BYTES: u64 = 64 << 20;
/// How the name of the archive begins that the script writes.
const ARCHIVE: &str = "presam-results-";
/// The steps that must end with [`ABSENT`] where there is no GPU.
const DEVICE_STEPS: [&str; 3] = ["verify", "bench", "train"];
/// The script's variable that asks for little of everything on a device that needs no GPU.
const DRY_RUN: &str = "PRESAM_DRY_RUN";
/// What such a run must bring home in its archive.
const BROUGHT: [&str; 7] = [
    "summary.md",
    "info.txt",
    "verify.txt",
    "train/results.json",
    "bench/bench.json",
    "rules/bench.json",
    "bench-1e9/bench.json",
];

/// Builds, packs, unpacks, and runs the whole script on the stub, then in short on the emulated device. With `check`
/// it takes the build of the job cuda-smoke, which is there already and fit for a dry run without a device alone
/// (what is emulated takes minutes there), and leaves out the Python package.
pub(crate) fn gpu_check(check: bool) -> Outcome {
    let program = if check { cuda::build().map(|()| cuda::program()) } else { release() }?;
    let folder = target_dir().join(if check { "gpu-check-dry" } else { "gpu-check" });
    let archive = pack(&folder, &program, !check)?;
    let place = unpacked(&folder, &archive)?;
    dry_run(&place)?;
    if !check {
        emulated_run(&unpacked(&folder, &archive)?)?;
        let archive = archive.display();
        println!("{archive}: unpack it on a machine with a GPU and start ./run.sh there");
    }
    Ok(())
}

/// The program as a GPU's owner would build it. In a target folder of its own, where no later build for
/// a real driver finds the stub's path.
fn release() -> Result<PathBuf, String> {
    cuda::stub::make()?;
    let builds = job_dir("cuda")?;
    let cargo =
        cuda::with_stub(Run::cargo()).env("CARGO_TARGET_DIR", &builds.display().to_string());
    let build = ["build", "--release", "-p", "presam-program", "--features", "cuda"];
    cargo.args(build).args(["--bin", "presam"]).run()?;
    Ok(builds.join("release").join("presam"))
}

/// Everything in one folder, and the archive of it; with the Python package, where it is for a GPU.
fn pack(folder: &Path, program: &Path, for_gpu: bool) -> Result<PathBuf, String> {
    let dir = folder.join("presam-gpu");
    emptied(&dir)?;
    let peers = dir.join("peers");
    emptied(&peers)?;
    Run::program("cp").arg(program).arg(dir.join("presam")).run()?;
    let scripts = entries(&root().join("tests/peers")).into_iter();
    let scripts = scripts.filter(|path| path.extension().is_some_and(|end| end == "py"));
    Run::program("cp").args(scripts).arg(&peers).run()?;
    if for_gpu {
        wheel::unpacked(&dir.join("site"))?;
        Run::program("cp").arg("-r").arg(root().join("python/benchmarks")).arg(&dir).run()?;
    }
    write(&dir.join("run.sh"), RUN)?;
    write(&dir.join("digest"), digest(&read(&root().join("README.md"))?)?)?;
    write(&dir.join("source"), source())?;
    Run::program("chmod").arg("+x").args([dir.join("run.sh"), dir.join("presam")]).run()?;
    let archive = folder.join("presam-gpu.tar.gz");
    let tar = Run::program("tar").arg("czf").arg(&archive).arg("-C").arg(folder);
    tar.arg("presam-gpu").run()?;
    let bytes = std::fs::metadata(&archive);
    let bytes = bytes.map_err(|error| format!("{}: {error}", archive.display()))?.len();
    if bytes > MOST_BYTES {
        return Err(format!("{}: {bytes} bytes, at most {MOST_BYTES}", archive.display()));
    }
    Ok(archive)
}

/// The digest that the README gives for `presam` without flags.
fn digest(readme: &str) -> Result<&str, String> {
    let mut lines = readme.lines().filter_map(|line| line.trim().strip_prefix("digest: "));
    let is_one = |text: &&str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    lines.find(is_one).ok_or_else(|| "README.md: expected a line `digest: SHA-256`".to_owned())
}

/// The commit, and whether more was in the folder.
fn source() -> String {
    let commit = Run::program("git").args(["rev-parse", "HEAD"]).output();
    let changes = Run::program("git").args(["status", "--porcelain"]).output();
    match (commit, changes) {
        (Some(commit), Some(changes)) if changes.is_empty() => format!("commit {commit}"),
        (Some(commit), _) => format!("commit {commit} with changes"),
        _ => "an unknown commit".to_owned(),
    }
}

/// The archive's folder, unpacked elsewhere and anew.
fn unpacked(folder: &Path, archive: &Path) -> Result<PathBuf, String> {
    let place = folder.join("dry-run");
    emptied(&place)?;
    Run::program("tar").arg("xzf").arg(archive).arg("-C").arg(&place).run()?;
    Ok(place.join("presam-gpu"))
}

/// Runs the script as a machine without a GPU would.
fn dry_run(dir: &Path) -> Outcome {
    let (code, ..) = cuda::without_device(Run::program("sh")).arg("run.sh").dir(dir).answer()?;
    let results = named(dir, "results-").ok_or("the dry run wrote no results folder")?;
    named(dir, ARCHIVE).ok_or("the dry run wrote no archive of results")?;
    judge(code, &results)
}

/// Runs the script's steps to their end, by the real program on the emulated device.
fn emulated_run(dir: &Path) -> Outcome {
    let script = cuda::without_device(Run::program("sh")).arg("run.sh").env(DRY_RUN, "emulated");
    let (code, told, _) = script.dir(dir).answer()?;
    let archive = named(dir, ARCHIVE).ok_or("the emulated run wrote no archive of results")?;
    let held = Run::program("tar").arg("tzf").arg(&archive).output();
    let held = held.ok_or_else(|| format!("{}: not a whole archive", archive.display()))?;
    judge_emulated(code, &told, &held)
}

/// Whether what was told on stdout and the files of the archive are those of steps that ran.
fn judge_emulated(code: Option<i32>, told: &str, held: &str) -> Outcome {
    if code != Some(0) {
        return Err(format!("the emulated run: expected exit code 0, found {code:?}:\n{told}"));
    }
    for file in BROUGHT {
        if !held.lines().any(|line| line.ends_with(&format!("/{file}"))) {
            return Err(format!("the emulated run: no {file} in its archive:\n{held}"));
        }
    }
    for step in ["info", "verify", "train", "bench", "rules", "bench-1e9"] {
        if !told.contains(&format!("| {step} | 0 | ")) {
            return Err(format!("the emulated run: {step} did not end with 0:\n{told}"));
        }
    }
    let digest = told.split("held against nothing: ").nth(1).and_then(|rest| rest.get(..64));
    if !digest.is_some_and(|digest| digest.bytes().all(|b| b.is_ascii_hexdigit())) {
        return Err(format!("the emulated run: no digest:\n{told}"));
    }
    Ok(())
}

/// The first entry of a folder whose name begins so.
fn named(dir: &Path, start: &str) -> Option<PathBuf> {
    let name = |path: &PathBuf| Some(path.file_name()?.to_string_lossy().into_owned());
    entries(dir).into_iter().find(|path| name(path).is_some_and(|name| name.starts_with(start)))
}

/// Whether the results say of every step, and as a whole, that there was no device.
fn judge(code: Option<i32>, results: &Path) -> Outcome {
    if code != Some(3) {
        return Err(format!("the dry run: expected exit code 3, found {code:?}"));
    }
    for step in DEVICE_STEPS {
        let said = read(&results.join(format!("{step}.err")))?;
        if !said.lines().last().unwrap_or_default().contains(ABSENT) {
            return Err(format!("{step}: expected {ABSENT:?} at the end, found {said:?}"));
        }
    }
    let summary = read(&results.join("summary.md"))?;
    if !summary.contains(&format!("**No GPU ran this:** {ABSENT}")) {
        return Err(format!("summary.md does not say that no GPU ran it:\n{summary}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
