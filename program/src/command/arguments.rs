//! The command line: each command brings its own arguments and examples.

use clap::{Parser, Subcommand};

use super::bench::{self, BenchArguments};
use super::listing::{InfoArguments, MethodsArguments};
use super::report::{self, ReportArguments};
use super::train::{self, TrainArguments};
use super::vectors::{self, VectorsArguments};
use super::verify::{self, VerifyArguments};

/// Sharpness-aware minimisation (SAM): train with every variant and compare
#[derive(Debug, Parser)]
#[command(name = "presam", version, args_conflicts_with_subcommands = true, after_long_help = train::EXAMPLES)]
#[command(disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) train: TrainArguments,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Train and compare methods (what happens without a command)
    #[command(after_long_help = train::EXAMPLES)]
    Train(Box<TrainArguments>),
    /// Show the results of finished runs again, several of a study as one
    #[command(after_long_help = report::EXAMPLES)]
    Report(ReportArguments),
    /// Measure each phase of a step against a copy of as many bytes
    #[command(after_long_help = bench::EXAMPLES)]
    Bench(BenchArguments),
    /// Check the core, a device's kernels, or your own code in any language
    #[command(after_long_help = verify::EXAMPLES)]
    Verify(Box<VerifyArguments>),
    /// Write cases with the oracle's results, as JSON or a C header
    #[command(after_long_help = vectors::EXAMPLES)]
    Vectors(VectorsArguments),
    /// List the methods, or explain one of them
    Methods(MethodsArguments),
    /// Show version, machine and embedded data
    Info(InfoArguments),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_flag_that_would_have_no_effect_is_refused() {
        let own = [
            &["--rules", "sam"][..],
            &["--scalar", "f32"],
            &["--bits"],
            &["--ulp", "1"],
            &["--timeout", "1"],
            &["--save-failing", "d"],
            &["--replay", "f"],
        ];
        let kernels = [&["--full"][..], &["--epochs", "1"]];
        let refuses = |target: &[&str], flag: &[&str]| {
            let line = ["presam", "verify"].iter().chain(target).chain(flag);
            Arguments::try_parse_from(line).is_err()
        };
        for flag in own {
            assert!(!refuses(&["--exec", "c"], flag), "{flag:?}");
            assert!(refuses(&["--device", "ptx"], flag) && refuses(&[], flag), "{flag:?}");
        }
        for flag in kernels {
            assert!(!refuses(&["--device", "ptx"], flag), "{flag:?}");
            assert!(refuses(&["--exec", "c"], flag) && refuses(&[], flag), "{flag:?}");
        }
    }
}
