//! The command line, and its way into [`Options`].

use std::path::PathBuf;

use crate::config::{
    ConfigError, Many, Options, SeedsOption, parse_numbers, parse_rho, parse_setting,
};
use clap::{Args, Parser, Subcommand, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  presam                                     compare every method on the embedded digits
  presam --methods sam,info-asam --seeds 24  a closer look at two of them
  presam --label-noise 0,0.4 --rho sam=0.3   two levels of label noise, a radius of your own
  presam --config study.toml --out study     a study from a file; flags win over the file

Exit codes:
  0  good
  1  differs
  2  wrong use, or cannot be tested
  3  the device asked for is absent";

/// Sharpness-aware minimisation (SAM): train with every variant, see which generalises best
#[derive(Debug, Parser)]
#[command(name = "presam", version, args_conflicts_with_subcommands = true, after_long_help = EXAMPLES)]
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
    #[command(after_long_help = EXAMPLES)]
    Train(Box<TrainArguments>),
    /// Measure each phase of a step against a copy of as many bytes
    #[command(after_long_help = super::bench::EXAMPLES)]
    Bench(BenchArguments),
    /// Check the core, a device's kernels, or your own code in any language
    #[command(after_long_help = super::verify::EXAMPLES)]
    Verify(Box<VerifyArguments>),
    /// Write cases with the oracle's results, as JSON or a C header
    #[command(after_long_help = super::vectors::EXAMPLES)]
    Vectors(VectorsArguments),
    /// List the methods, or explain one of them
    Methods(MethodsArguments),
    /// Show version, machine and embedded data
    Info(InfoArguments),
}

#[derive(Debug, Args)]
pub(crate) struct BenchArguments {
    /// cpu, emulated, ptx or cuda[:N] [default: cpu]
    #[arg(long, value_name = "NAME")]
    pub(crate) device: Option<String>,
    /// Numbers of parameters, or digits-mlp, resnet-18, vit-b-16, gpt2-small [default: 1e4,1e5,1e6,1e7,resnet-18; more on a GPU]
    #[arg(long, value_name = "A,B")]
    pub(crate) sizes: Option<String>,
    /// Rules, or all [default: sam,asam,info-asam; all with --filter]
    #[arg(long, value_name = "A,B")]
    pub(crate) rules: Option<String>,
    /// Only rows whose name phase/rule/shape matches
    #[arg(long, value_name = "REGEX")]
    pub(crate) filter: Option<String>,
    /// Seconds a row at least [default: 0.3]
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
    pub(crate) min_time: Option<f64>,
    /// Threads [default: all]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// Folder for bench.json, bench.csv and bench.svg
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// A bench.json to compare with, of an older version or of a peer
    #[arg(long, value_name = "FILE")]
    pub(crate) compare: Option<PathBuf>,
    /// Run each row once and measure nothing, for a profiler to watch
    #[arg(long, conflicts_with_all = ["out", "compare", "json"])]
    pub(crate) profile: bool,
    /// One JSON document on stdout and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress on stderr
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    /// Cases for each law and rule [default: 16; 64 of a command; 8 for each kernel]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) cases: Option<u32>,
    /// What the cases are drawn from [default: 1]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// One JSON document on stdout and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    /// Folder for report.json and report.txt
    #[arg(long, value_name = "DIR", conflicts_with = "device")]
    pub(crate) out: Option<PathBuf>,
    /// A device's kernels against the core: emulated, ptx or cuda[:N]
    #[arg(long, value_name = "NAME", help_heading = "Kernels")]
    pub(crate) device: Option<String>,
    /// Forty cases and five epochs, for minutes
    #[arg(long, requires = "device", conflicts_with_all = ["exec", "cases", "epochs"], help_heading = "Kernels")]
    pub(crate) full: bool,
    /// Epochs of the training runs [default: 2; 60 on a GPU]
    #[arg(
        long,
        value_name = "N",
        requires = "device",
        conflicts_with = "exec",
        help_heading = "Kernels"
    )]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) epochs: Option<u32>,
    /// A command that answers on its standard output what is asked on its standard input
    #[arg(long, value_name = "COMMAND", conflicts_with = "device", help_heading = "Your own code")]
    pub(crate) exec: Option<String>,
    /// Print an adapter to fill in: python, torch, c or rust
    #[arg(long, value_name = "LANGUAGE", exclusive = true, help_heading = "Your own code")]
    #[arg(value_parser = ["python", "torch", "c", "rust"])]
    pub(crate) init: Option<String>,
    /// Rules [default: all that the command has]
    #[arg(
        long,
        value_name = "A,B",
        requires = "exec",
        conflicts_with = "device",
        help_heading = "Your own code"
    )]
    pub(crate) rules: Option<String>,
    /// Only this scalar type [default: each that the command has]
    #[arg(
        long,
        value_name = "TYPE",
        requires = "exec",
        conflicts_with = "device",
        help_heading = "Your own code"
    )]
    pub(crate) scalar: Option<ScalarType>,
    /// Every bit must be the core's
    #[arg(long, requires = "exec", conflicts_with_all = ["device", "ulp"], help_heading = "Your own code")]
    pub(crate) bits: bool,
    /// Within N units in the last place [default: within the oracle's error bound]
    #[arg(
        long,
        value_name = "N",
        requires = "exec",
        conflicts_with = "device",
        help_heading = "Your own code"
    )]
    pub(crate) ulp: Option<u32>,
    /// How long an answer may take [default: 10]
    #[arg(
        long,
        value_name = "SECONDS",
        requires = "exec",
        conflicts_with = "device",
        allow_hyphen_values = true
    )]
    #[arg(help_heading = "Your own code")]
    pub(crate) timeout: Option<f64>,
    /// Folder for one file a failing law, to be tried again
    #[arg(
        long,
        value_name = "DIR",
        requires = "exec",
        conflicts_with = "device",
        help_heading = "Your own code"
    )]
    pub(crate) save_failing: Option<PathBuf>,
    /// Try one of these files again, and nothing else
    #[arg(
        long,
        value_name = "FILE",
        requires = "exec",
        conflicts_with = "device",
        help_heading = "Your own code"
    )]
    #[arg(conflicts_with_all = ["bits", "save_failing", "out", "json", "cases", "seed", "rules", "scalar"])]
    pub(crate) replay: Option<PathBuf>,
}

/// A scalar type.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ScalarType {
    F32,
    F64,
}

impl ScalarType {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
        }
    }
}

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

#[derive(Debug, Args)]
pub(crate) struct MethodsArguments {
    /// The method to explain
    pub(crate) name: Option<String>,
    /// One JSON document on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct InfoArguments {
    /// One JSON document on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TrainArguments {
    /// Methods, or all [default: all]
    #[arg(long, value_name = "A,B")]
    methods: Option<String>,
    /// Radius: 0.05, or sam=0.5,asam=2
    #[arg(long, value_name = "RHO", allow_hyphen_values = true)]
    rho: Option<String>,
    /// A key of a method or of base (repeatable)
    #[arg(long, value_name = "METHOD.KEY=X")]
    set: Vec<String>,
    /// A count, a list 3,7,9 or a range 100..124 [default: 5]
    #[arg(long, value_name = "SEEDS")]
    seeds: Option<String>,
    /// Passes over the training data [default: 60]
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Examples a step [default: 64]
    #[arg(long, value_name = "N")]
    batch: Option<usize>,
    /// Hidden widths; 0 for none [default: 128]
    #[arg(long, value_name = "N,N")]
    hidden: Option<String>,
    /// Shares of labels redrawn, 0 to 1 [default: 0.6]
    #[arg(long, value_name = "X,X", allow_hyphen_values = true)]
    label_noise: Option<String>,
    /// Base optimizer: sgd or adamw [default: sgd]
    #[arg(long, value_name = "NAME")]
    base: Option<String>,
    /// First learning rate [default: 0.1, adamw 0.001]
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    lr: Option<f64>,
    /// digits, idx:DIR or cifar10:DIR [default: digits]
    #[arg(long, value_name = "SOURCE")]
    data: Option<String>,
    /// Training examples; 0 for all [default: digits 1000]
    #[arg(long, value_name = "N")]
    train_samples: Option<usize>,
    /// Search rho and damping on a validation split first
    #[arg(long)]
    tune: bool,
    /// Read options from a TOML file; flags win
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder for tables, pictures and report
    #[arg(long, value_name = "DIR", default_value = "presam-out")]
    pub(crate) out: PathBuf,
    /// Threads; results do not depend on it [default: all]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// cpu, emulated, ptx or cuda[:N]; results do not depend on it [default: cpu]
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// Check and print the configuration, train nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// One JSON document on stdout and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress on stderr
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

impl TrainArguments {
    /// Flags laid over the configuration file, unchecked.
    pub(crate) fn options(&self) -> Result<Options, ConfigError> {
        let flags = self.flags()?;
        match &self.config {
            Some(file) => Ok(flags.over(Options::read(file)?)),
            None => Ok(flags),
        }
    }

    fn flags(&self) -> Result<Options, ConfigError> {
        let hidden = self
            .hidden
            .as_deref()
            .map(|text| parse_numbers("--hidden", "widths such as 1024,1024", text));
        let noise = self.label_noise.as_deref();
        let noise =
            noise.map(|text| parse_numbers("--label-noise", "fractions such as 0,0.2,0.4", text));
        let mut options = Options {
            data: self.data.clone(),
            train_samples: self.train_samples,
            label_noise: noise.transpose()?.map(Many::List),
            hidden: hidden.transpose()?.map(Many::List),
            epochs: self.epochs,
            batch: self.batch,
            base: self.base.clone(),
            learning_rate: self.lr,
            seeds: self.seeds.clone().map(SeedsOption::Text),
            threads: self.threads,
            device: self.device.clone(),
            tune: self.tune.then_some(true),
            methods: self.methods.clone().map(Many::One),
            rho: self.rho.as_deref().map(parse_rho).transpose()?.unwrap_or_default(),
            ..Options::default()
        };
        for text in &self.set {
            let (method, key, value) = parse_setting(text)?;
            options.set.entry(method).or_default().insert(key, value);
        }
        Ok(options)
    }
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
