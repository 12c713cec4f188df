//! The device library by default: the step and its kernels, and nothing from outside.

use super::Fault;
use crate::workspace::Package;

const DEVICE: &str = "presam-cuda";
const EXPECTED: [&str; 2] = ["presam", "presam-kernels"];

pub(super) fn faults(packages: &[Package]) -> Vec<Fault> {
    let device = packages.iter().filter(|package| package.name == DEVICE);
    let wrong = device.filter(|package| package.by_default().into_iter().ne(EXPECTED));
    let fault = |package: &Package| Fault {
        place: package.dir.join("Cargo.toml"),
        what: format!(
            "expected the default dependencies {}, found {}",
            EXPECTED.join(", "),
            Vec::from_iter(package.by_default()).join(", ")
        ),
    };
    wrong.map(fault).collect()
}
