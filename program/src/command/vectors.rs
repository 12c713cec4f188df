//! `presam vectors`: cases with the oracle's results, for code that no pipe reaches.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::config::ConfigError;
use crate::error::Error;
use crate::show::files::write_file;
use crate::suite::parse_rule;
use crate::vectors::{Request, c_header, json, vectors};
use presam_conformance::Scalar;

use crate::command::say::say;
use crate::command::scalar::ScalarType;

pub(crate) const EXAMPLES: &str = "\
Examples:
  presam vectors --rule sam --cases 4 --format json        four steps of SAM on stdout
  presam vectors --rule asam --format c --out asam.h       a header for a unit test in C
  presam vectors --rule vasso --scalar f64 --seed 7        other cases, in double

Exit codes:
  0  good
  2  wrong use";

/// The form of test vectors.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    Json,
    C,
}

#[derive(Debug, Args)]
pub(crate) struct VectorsArguments {
    /// The rule
    #[arg(long, value_name = "NAME")]
    pub(crate) rule: String,
    /// How many cases [default: 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) cases: Option<u32>,
    /// JSON, or a C header of arrays
    #[arg(long, value_name = "FORMAT", default_value = "json")]
    pub(crate) format: Format,
    /// The scalar type
    #[arg(long, value_name = "TYPE", default_value = "f32")]
    pub(crate) scalar: ScalarType,
    /// What the cases are drawn from [default: 1]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// The file [default: stdout]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

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
        Some(file) if file != Path::new("-") => Ok(write_file("--out", file, text.into_bytes())?),
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
