//! Several processes: the program with the feature `mpi`, under Open MPI's `mpirun`.

use crate::command::{Outcome, Run};

/// Its tests, at one to four ranks, with ranks killed on the way; clippy is what compiles, since a second look at all that
/// the program stands on would take as long as the first.
pub(crate) fn mpi() -> Outcome {
    if !Run::program("mpirun").arg("--version").succeeds() {
        let packages = "libopenmpi-dev openmpi-bin libclang-dev";
        let cure = format!("apt-get install -y --no-install-recommends {packages}");
        return Err(format!("expected Open MPI, found no mpirun; on Debian: `{cure}`"));
    }
    let test = Run::cargo().args(["test", "--profile", "quick", "-p", "presam-cuda"]);
    let test = test.args(["-p", "presam-program", "--features", "presam-program/mpi"]);
    let linted = test.env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver");
    // `-D warnings`, as `cargo clippy` hands it on.
    linted.env("CLIPPY_ARGS", "-D__CLIPPY_HACKERY__warnings").args(["--test", "mpi"]).run()
}
