//! Builds for processors without an operating system.

use crate::command::{Outcome, Run};
use crate::toolchain::Bare;

/// Cortex-M4 with and Cortex-M0 without a floating-point unit; the M0 has no atomics either.
const TARGETS: [&str; 2] = ["thumbv7em-none-eabihf", "thumbv6m-none-eabi"];

/// Trains with static arrays only, as a whole program.
const EXAMPLE: [&str; 4] = ["--package", "presam", "--example", "mlp_no_heap"];

/// Packages and features that must build without std, heap or a pointer-sized atomic swap.
const BUILDS: [(&str, &str); 3] =
    [("presam", ""), ("presam", "any,heapless,serde,defmt,simd"), ("presam-model", "")];

pub(crate) fn bare() -> Outcome {
    for target in TARGETS {
        let compiler = Bare::find(target)?;
        // Built and not run: nothing need be fast.
        let build = || compiler.cargo("build", target).args(["--profile", "quick"]);
        for (package, features) in BUILDS {
            with_features(build(), package, features).run()?;
        }
        build().args(EXAMPLE).run()?;
    }
    Ok(())
}

fn with_features(build: Run, package: &str, features: &str) -> Run {
    let build = build.args(["--lib", "--package", package, "--no-default-features"]);
    if features.is_empty() { build } else { build.args(["--features", features]) }
}
