//! `presam verify --exec`.

use std::path::Path;
use std::time::Duration;

use crate::config::ConfigError;
use crate::error::Error;
use crate::show::files::Folder;
use crate::suite::{
    Measure, REPORT_FILES, Request, SavedCase, parse_rules, replay, save_failing, verify_command,
};
use presam_pipe::Timeouts;

use super::{Allowed, VerifyArguments, tell};
use crate::command::say::{aside, say};
use crate::command::scalar::ScalarType;

pub(super) fn verify(command: &str, arguments: &VerifyArguments) -> Result<u8, Error> {
    let request = request(command, arguments)?;
    if let Some(file) = &arguments.replay {
        return replayed(&request, &saved(file, arguments)?);
    }
    if let Some(folder) = &arguments.save_failing {
        Folder { flag: "--save-failing", path: folder }.check(&[])?;
    }
    if let Some(folder) = &arguments.out {
        Folder { flag: "--out", path: folder }.check(&REPORT_FILES)?;
    }
    let report = verify_command(&request)?;
    let code = tell(arguments, &report)?;
    if let Some(folder) = &arguments.save_failing {
        for name in save_failing(folder, &report, request.measure)? {
            aside(folder.join(name).display());
        }
    }
    Ok(code)
}

/// The case, judged as it was unless a flag says otherwise.
fn saved(file: &Path, arguments: &VerifyArguments) -> Result<SavedCase, ConfigError> {
    let saved = SavedCase::read(file)?;
    let measure = arguments.ulp.map_or(saved.measure, Measure::Ulps);
    Ok(SavedCase { measure, ..saved })
}

fn replayed(request: &Request, saved: &SavedCase) -> Result<u8, Error> {
    Ok(match replay(request, saved)? {
        None => {
            say(&format!("{} holds for this case\n", saved.law));
            0
        }
        Some(mismatch) => {
            say(&mismatch);
            1
        }
    })
}

fn request(command: &str, arguments: &VerifyArguments) -> Result<Request, ConfigError> {
    if command.trim().is_empty() {
        return Err(ConfigError::new("--exec", "a command", "none"));
    }
    let rules = arguments.rules.as_deref().map(|text| parse_rules("--rules", text)).transpose()?;
    let measure = match (arguments.bits, arguments.ulp) {
        (true, _) => Measure::Bits,
        (false, Some(ulps)) => Measure::Ulps(ulps),
        (false, None) => Measure::Bound,
    };
    Ok(Request {
        command: command.to_owned(),
        rules,
        scalar: arguments.scalar.map(ScalarType::name),
        cases: arguments.cases,
        thorough: arguments.thorough,
        allows_subtraction: arguments.allow == Some(Allowed::Subtraction),
        seed: arguments.seed.unwrap_or(1),
        measure,
        timeouts: timeouts(arguments.timeout)?,
        every_smallest: arguments.save_failing.is_some(),
    })
}

fn timeouts(seconds: Option<f64>) -> Result<Timeouts, ConfigError> {
    const LONGEST: f64 = 86_400.0;
    let Some(seconds) = seconds else { return Ok(Timeouts::default()) };
    if !(seconds > 0.0 && seconds <= LONGEST) {
        let expected = format!("seconds above 0, at most {LONGEST}");
        return Err(ConfigError::new("--timeout", expected, seconds));
    }
    let limit = Duration::from_secs_f64(seconds);
    Ok(Timeouts { hello: limit, answer: limit })
}
