//! `presam verify` without a device or command.

use crate::error::Error;
use crate::suite::{verify_core, writable};

use super::tell;
use crate::command::arguments::VerifyArguments;

/// For each law and rule: seconds in all.
const CASES: u32 = 16;

pub(super) fn verify(arguments: &VerifyArguments) -> Result<u8, Error> {
    if let Some(folder) = &arguments.out {
        writable("--out", folder)?;
    }
    let report = verify_core(arguments.cases.unwrap_or(CASES), arguments.seed.unwrap_or(1));
    tell(arguments, &report)
}
