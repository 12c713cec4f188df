//! `presam verify` without a device or command.

use crate::error::Error;
use crate::show::files::Folder;
use crate::suite::{REPORT_FILES, verify_core};

use super::{VerifyArguments, tell};

/// For each law and rule: seconds in all.
const CASES: u32 = 16;

pub(super) fn verify(arguments: &VerifyArguments) -> Result<u8, Error> {
    if let Some(folder) = &arguments.out {
        Folder { flag: "--out", path: folder }.check(&REPORT_FILES)?;
    }
    let report = verify_core(arguments.cases.unwrap_or(CASES), arguments.seed.unwrap_or(1));
    tell(arguments, &report)
}
