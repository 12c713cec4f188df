//! Several processes: the program with the feature `mpi`, under Open MPI's `mpirun`.

use super::code;
use crate::command::{Outcome, Run};

/// Its lints; then its tests, at one, two, three and four ranks, with a rank killed on the way.
pub(crate) fn mpi() -> Outcome {
    if !Run::program("mpirun").arg("--version").succeeds() {
        let packages =
            "apt-get install -y --no-install-recommends libopenmpi-dev openmpi-bin libclang-dev";
        return Err(format!("expected Open MPI, found no mpirun; on Debian: `{packages}`"));
    }
    code::clippy_mpi()?;
    // The packages and the profile of `cuda-smoke`, so that nothing from outside is compiled twice.
    let test = Run::cargo().args(["test", "--profile", "quick", "-p", "presam-cuda"]);
    test.args(["-p", "presam-program", "--features", "presam-program/mpi", "--test", "mpi"]).run()
}
