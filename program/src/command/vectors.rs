//! `presam vectors`: cases with the oracle's results, for code that no pipe reaches.

use std::path::Path;

use crate::config::ConfigError;
use crate::error::Error;
use crate::suite::{parse_rule, write_whole};
use crate::vectors::{Request, c_header, json, vectors};
use presam_conformance::Scalar;

use crate::command::arguments::{Format, ScalarType, VectorsArguments};
use crate::command::say;

pub(crate) const EXAMPLES: &str = "\
Examples:
  presam vectors --rule sam --cases 4 --format json        four steps of SAM on stdout
  presam vectors --rule asam --format c --out asam.h       a header for a unit test in C
  presam vectors --rule vasso --scalar f64 --seed 7        other cases, in double

Exit codes:
  0  good
  2  wrong use";

/// For each rule and base optimizer a few.
const CASES: u32 = 8;

/// The command.
pub(crate) fn write(arguments: &VectorsArguments) -> Result<(), Error> {
    let request = Request {
        rule: parse_rule("--rule", &arguments.rule)?,
        cases: arguments.cases.unwrap_or(CASES),
        seed: arguments.seed.unwrap_or(1),
    };
    let text = match arguments.scalar {
        ScalarType::F32 => made::<f32>(request, arguments.format)?,
        ScalarType::F64 => made::<f64>(request, arguments.format)?,
    };
    match &arguments.out {
        Some(file) if file != Path::new("-") => {
            write_whole("--out", file, text.as_bytes()).map_err(Error::from)
        }
        _ => {
            say(&text);
            Ok(())
        }
    }
}

fn made<R: Scalar>(request: Request, format: Format) -> Result<String, ConfigError> {
    let drawn = vectors::<R>(request)
        .map_err(|reason| ConfigError::new("--cases", "as many as can be drawn", reason))?;
    match format {
        Format::Json => json(request, &drawn)
            .map_err(|reason| ConfigError::new("--format", "what JSON can hold", reason)),
        Format::C => Ok(c_header(request, &drawn)),
    }
}
