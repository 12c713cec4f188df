//! Every fuzz target for a moment, from its committed corpus: fuzz/README.md has the long runs.

use crate::command::{Outcome, Run, entries, job_dir, made, root};
use std::path::Path;

/// What the targets are built and run by.
const VERSION: &str = "0.13.2";
/// Optimised little: a build of minutes for a run of seconds would be the wrong way round.
const PROFILE: &str = "--dev";
/// A target's share of a run.
const SECONDS: u32 = 5;
/// Limits of a single input: a hang and a runaway allocation are faults too.
const LIMITS: [&str; 2] = ["-timeout=20", "-rss_limit_mb=2048"];

pub(crate) fn fuzz_smoke() -> Outcome {
    let installed = Run::cargo().args(["fuzz", "--version"]).output().unwrap_or_default();
    if installed != format!("cargo-fuzz {VERSION}") {
        let install = format!("`cargo install cargo-fuzz --version {VERSION} --locked`");
        return Err(format!("cargo-fuzz {VERSION} is missing: {install}"));
    }
    let dir = root().join("fuzz");
    let targets = targets(&dir);
    if targets.is_empty() {
        return Err("fuzz/fuzz_targets holds no target".into());
    }
    fuzz().args(["build", PROFILE]).run()?;
    targets.iter().try_for_each(|target| smoke(&dir, target))
}

/// cargo-fuzz asks for the address sanitizer by unstable flags. The compiler in use has its library, so it
/// is told to take them, and no nightly is needed.
fn fuzz() -> Run {
    Run::cargo().arg("fuzz").env("RUSTC_BOOTSTRAP", "1")
}

/// What is found goes to a folder of the job's own, never to the committed corpus.
fn smoke(dir: &Path, target: &str) -> Outcome {
    let (found, corpus) = (job_dir("fuzz")?.join(target), dir.join("corpus").join(target));
    if entries(&corpus).is_empty() {
        return Err(format!("fuzz/corpus/{target} holds no input"));
    }
    made(&found)?;
    let run = fuzz().args(["run", PROFILE, target]).args([&found, &corpus]).arg("--");
    let dictionary = dir.join(format!("{target}.dict"));
    let run =
        if dictionary.exists() { run.arg(format!("-dict={}", dictionary.display())) } else { run };
    run.arg(format!("-max_total_time={SECONDS}")).arg("-print_funcs=0").args(LIMITS).run()
}

/// One a file.
fn targets(dir: &Path) -> Vec<String> {
    let files = entries(&dir.join("fuzz_targets")).into_iter();
    files.filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_a_corpus_and_every_corpus_a_target() {
        let dir = root().join("fuzz");
        let corpora = entries(&dir.join("corpus"));
        let named = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
        let corpora: Vec<String> = corpora.iter().filter_map(|path| named(path)).collect();
        assert!(!corpora.is_empty());
        assert_eq!(targets(&dir), corpora);
    }
}
