//! `presam verify --exec`.

use std::time::Duration;

use presam_cuda::config::ConfigError;
use presam_cuda::error::Error;
use presam_cuda::pipe::Timeouts;
use presam_cuda::suite::{
    Measure, Request, SavedCase, parse_rules, replay, save_failing, verify_command,
};

use super::tell;
use crate::arguments::VerifyArguments;
use crate::say;

/// For each law and rule.
const CASES: u32 = 64;

pub(super) fn verify(command: &str, arguments: &VerifyArguments) -> Result<u8, Error> {
    let request = request(command, arguments)?;
    if let Some(file) = &arguments.replay {
        return replayed(&request, &SavedCase::read(file)?);
    }
    let report = verify_command(&request)?;
    if let Some(folder) = &arguments.save_failing {
        for name in save_failing(folder, &report)? {
            eprintln!("{}", folder.join(name).display());
        }
    }
    tell(arguments, &report)
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
    let rules = arguments.rules.as_deref().map(|text| parse_rules("--rules", text)).transpose()?;
    let measure = match (arguments.bits, arguments.ulp) {
        (true, _) => Measure::Bits,
        (false, Some(ulps)) => Measure::Ulps(ulps),
        (false, None) => Measure::Bound,
    };
    Ok(Request {
        command: command.to_owned(),
        rules,
        scalar: arguments.scalar.map(crate::arguments::ScalarType::name),
        cases: arguments.cases.unwrap_or(CASES),
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
    Ok(Timeouts { answer: Duration::from_secs_f64(seconds), ..Timeouts::default() })
}
