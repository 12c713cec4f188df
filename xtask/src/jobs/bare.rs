//! Builds for processors without an operating system.

use crate::command::{Outcome, Run, job_dir};
use crate::toolchain::Bare;

/// Cortex-M0: no floating-point unit, and no atomic swap. Larger processors are the jobs firmware's and
/// no-panic's.
const TARGET: &str = "thumbv6m-none-eabi";

/// Trains with static arrays only, as a whole program.
const EXAMPLE: [&str; 4] = ["--package", "presam", "--example", "mlp_no_heap"];

/// Packages and features that must build without std, heap or a pointer-sized atomic swap.
const BUILDS: [(&str, &str); 3] =
    [("presam", ""), ("presam", "any,heapless,serde,defmt,simd"), ("presam-model", "")];

pub(crate) fn bare() -> Outcome {
    let compiler = Bare::find(TARGET)?;
    // Built and not run: nothing need be fast.
    let dir = job_dir("bare")?.display().to_string();
    let build = || {
        let build = compiler.cargo("build", TARGET).env("CARGO_TARGET_DIR", &dir);
        build.args(["--profile", "quick"])
    };
    for (package, features) in BUILDS {
        with_features(build(), package, features).run()?;
    }
    build().args(EXAMPLE).run()
}

fn with_features(build: Run, package: &str, features: &str) -> Run {
    let build = build.args(["--lib", "--package", package, "--no-default-features"]);
    if features.is_empty() { build } else { build.args(["--features", features]) }
}
