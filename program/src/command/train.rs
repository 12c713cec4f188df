//! `presam train`: resolve, check, compute, write, tell.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;

use crate::config::{
    Config, ConfigError, Many, Options, SeedsOption, parse_numbers, parse_rho, parse_setting,
    resolve,
};
use crate::error::{Error, INTERRUPTED};
use crate::progress::Progress;
use crate::report::{FILES, write_results};
use crate::show::files::Folder;
use crate::show::view::View;
use crate::train::{Checkpoints, Peers, cost, run_kept, run_ranks};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::command::progress::{Display, note};
use crate::command::ranks;
use crate::command::say::{say, say_json};
use crate::command::told::told;

pub(crate) const EXAMPLES: &str = "\
Examples:
  presam                                     compare the methods on the embedded digits
  presam --methods sam,info-asam --seeds 24  a closer look at two of them
  presam --label-noise 0,0.4 --rho sam=0.3   two levels of label noise, a radius of your own
  presam --config study.toml --out study     a study from a file; flags win over the file

Exit codes:
  0  good
  1  differs
  2  wrong use, or cannot be tested
  3  the device asked for is absent
  130  interrupted, with a checkpoint";

#[derive(Debug, Args)]
pub(crate) struct TrainArguments {
    /// Methods, or all [default: all but saner and saner-info-asam]
    #[arg(long, value_name = "A,B")]
    methods: Option<String>,
    /// Radius: 0.05, or sam=0.5,asam=2
    #[arg(long, value_name = "RHO", allow_hyphen_values = true)]
    rho: Option<String>,
    /// A key of a method or of base (repeatable)
    #[arg(hide_short_help = true, long, value_name = "METHOD.KEY=X")]
    set: Vec<String>,
    /// How many, or 3,7,9, or 100..124 [default: 5]
    #[arg(long, value_name = "SEEDS")]
    seeds: Option<String>,
    /// Passes over the training data [default: 60]
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// First epoch that perturbs, from 1 [default: 1]
    #[arg(hide_short_help = true, long, value_name = "E")]
    sam_from: Option<usize>,
    /// Perturb in every K-th step only [default: 1]
    #[arg(hide_short_help = true, long, value_name = "K")]
    sam_every: Option<usize>,
    /// Equal epochs, or gradients: SAM half the epochs [default: epochs]
    #[arg(hide_short_help = true, long, value_name = "NAME")]
    budget: Option<String>,
    /// Examples a step [default: 64]
    #[arg(hide_short_help = true, long, value_name = "N")]
    batch: Option<usize>,
    /// Micro-batches a batch is taken in [default: 1]
    #[arg(hide_short_help = true, long, value_name = "N")]
    parts: Option<usize>,
    /// Whose gradient perturbs: the batch's (synchronised) or each part's (local) [default: synchronised]
    #[arg(hide_short_help = true, long, value_name = "NAME")]
    perturb: Option<String>,
    /// Under mpirun: every process takes one part of each batch
    #[arg(hide_short_help = true, long)]
    ranks: bool,
    /// Hidden widths; 0 for none [default: 128]
    #[arg(hide_short_help = true, long, value_name = "N,N")]
    hidden: Option<String>,
    /// Shares of labels redrawn, 0 to 1 [default: 0.6]
    #[arg(long, value_name = "X,X", allow_hyphen_values = true)]
    label_noise: Option<String>,
    /// Base optimizer: sgd or adamw [default: sgd]
    #[arg(hide_short_help = true, long, value_name = "NAME")]
    base: Option<String>,
    /// First learning rate [default: 0.1, adamw 0.001]
    #[arg(hide_short_help = true, long, value_name = "X", allow_hyphen_values = true)]
    lr: Option<f64>,
    /// digits, idx:DIR or cifar10:DIR [default: digits]
    #[arg(long, value_name = "SOURCE")]
    data: Option<String>,
    /// Training examples; 0 for all [default: digits 1000]
    #[arg(hide_short_help = true, long, value_name = "N")]
    train_samples: Option<usize>,
    /// Search rho and damping on a validation split first
    #[arg(long)]
    tune: bool,
    /// Seeds that judge each of its trials [default: 8, the most]
    #[arg(hide_short_help = true, long, value_name = "N")]
    tune_seeds: Option<usize>,
    /// What a short tuning finds: lr, methods, all or none [default: on digits none, else what was not given]
    #[arg(hide_short_help = true, long, value_name = "A,B")]
    search: Option<String>,
    /// Read options from a TOML file; flags win
    #[arg(hide_short_help = true, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the report
    #[arg(long, value_name = "DIR", default_value = "presam-out")]
    out: PathBuf,
    /// Folder to keep the runs in, to go on after an end
    #[arg(long, value_name = "DIR")]
    checkpoint: Option<PathBuf>,
    /// Epochs of a run between two writes of its checkpoint
    #[arg(
        hide_short_help = true,
        long,
        value_name = "N",
        default_value_t = 10,
        requires = "checkpoint"
    )]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    every: u32,
    /// Go on from the checkpoints, if there are any
    #[arg(hide_short_help = true, long, requires = "checkpoint")]
    resume: bool,
    /// Threads; results do not depend on it [default: all]
    #[arg(hide_short_help = true, long, value_name = "N")]
    threads: Option<usize>,
    /// cpu, emulated, ptx or cuda[:N] [default: cpu]
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// Check and print the configuration, train nothing
    #[arg(hide_short_help = true, long)]
    dry_run: bool,
    /// Every column of a table, however narrow the terminal
    #[arg(hide_short_help = true, long)]
    wide: bool,
    /// One JSON document on stdout and nothing else
    #[arg(hide_short_help = true, long)]
    json: bool,
    /// No progress on stderr
    #[arg(hide_short_help = true, short, long)]
    quiet: bool,
}

impl TrainArguments {
    fn checkpoints<'a>(&'a self, stop: &'a AtomicBool) -> Option<Checkpoints<'a>> {
        let (every, resume) = (self.every as usize, self.resume);
        self.checkpoint.as_deref().map(|folder| Checkpoints { folder, every, resume, stop })
    }

    /// Flags laid over the configuration file.
    fn config(&self, peers: Option<&dyn Peers>) -> Result<Config, ConfigError> {
        let checked = |options| {
            resolve(match peers {
                Some(peers) => ranks::options(options, peers.size())?,
                None => options,
            })
        };
        let flags = self.flags()?;
        let Some(file) = &self.config else { return checked(flags) };
        let written = Options::read(file)?;
        checked(flags.over(written.clone())).map_err(|error| match checked(written) {
            // What the file alone has wrong as well is told as a key of it.
            Err(own) if own == error => own.of_file(file),
            _ => error,
        })
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
            sam_from: self.sam_from,
            sam_every: self.sam_every,
            budget: self.budget.clone(),
            batch: self.batch,
            parts: self.parts,
            perturb: self.perturb.clone(),
            base: self.base.clone(),
            learning_rate: self.lr,
            seeds: self.seeds.clone().map(SeedsOption::Text),
            threads: self.threads,
            device: self.device.clone(),
            tune: self.tune.then_some(true),
            tune_seeds: self.tune_seeds,
            search: self.search.clone().map(Many::One),
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

/// In one process, or as one of several, which end together.
pub(crate) fn train(arguments: &TrainArguments) -> Result<(), Error> {
    let stop = Arc::<AtomicBool>::default();
    if !arguments.ranks {
        is_alone()?;
        return train_as(arguments, None, [&stop, &stop]);
    }
    // Several stop together at the end of an epoch, whichever of them is asked to.
    let asked = Arc::<AtomicBool>::default();
    let peers = ranks::open(&asked, &stop, arguments.checkpoint.as_deref())?;
    let done = train_as(arguments, Some(peers.as_ref()), [&asked, &stop]);
    match &done {
        // The first rank may still write, and tells; MPI's own end waits for it.
        Err(Error::Interrupted(_)) if peers.rank() > 0 => return Ok(()),
        Ok(()) | Err(Error::Interrupted(_)) => {}
        Err(error) => ranks::end(peers.as_ref(), error),
    }
    done
}

/// Without `--ranks` each of several processes would compare for itself, and write the same files. Their number is what
/// Open MPI tells them.
fn is_alone() -> Result<(), ConfigError> {
    match std::env::var("OMPI_COMM_WORLD_SIZE").as_deref() {
        Err(_) | Ok("1") => Ok(()),
        Ok(count) => Err(ConfigError::new(
            "--ranks",
            "the flag where mpirun starts several processes",
            format!("{count} processes without it"),
        )),
    }
}

/// Everything that can be wrong with the request is found before the first step. The first rank reads, writes and tells.
fn train_as(
    arguments: &TrainArguments,
    peers: Option<&dyn Peers>,
    [asked, stop]: [&Arc<AtomicBool>; 2],
) -> Result<(), Error> {
    let config = arguments.config(peers)?;
    let is_first = peers.is_none_or(|peers| peers.rank() == 0);
    let checkpoints = arguments.checkpoints(stop);
    if is_first {
        Folder { flag: "--out", path: &arguments.out }.check(&FILES)?;
        checkpoints.as_ref().map_or(Ok(()), Checkpoints::check)?;
    }
    if arguments.dry_run {
        return if is_first { dry_run(&config, arguments.json) } else { Ok(()) };
    }
    if checkpoints.is_some() || peers.is_some_and(|peers| peers.size() > 1) {
        listen(asked, if checkpoints.is_some() { "--checkpoint" } else { "--ranks" })?;
    }
    let display = Display::new(arguments.quiet || !is_first);
    let show = |message: Progress<'_>| display.show(message);
    let results = match peers {
        Some(peers) => run_ranks(&config, peers, checkpoints.as_ref(), &show)?,
        None => run_kept(&config, checkpoints.as_ref(), &show)?,
    };
    display.clear();
    if !is_first {
        return Ok(());
    }
    write_results(&arguments.out, &results, &config)?;
    if arguments.json {
        return say_json(&results);
    }
    let page = arguments.out.join("report.html").display().to_string();
    say(&told(&results, Some(&page), View::of_stdout(arguments.wide)));
    Ok(())
}

/// The first Ctrl-C, or request to terminate, asks the runs to stop; the second one ends the program at once.
fn listen(stop: &Arc<AtomicBool>, asked_by: &'static str) -> Result<(), ConfigError> {
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(signal, INTERRUPTED.into(), Arc::clone(stop))
            .and_then(|_| flag::register(signal, Arc::clone(stop)))
            .map_err(|reason| {
                ConfigError::new(asked_by, "a system that tells of Ctrl-C", reason)
            })?;
    }
    Ok(())
}

/// Loads the data and prints the resolved configuration.
fn dry_run(config: &Config, json: bool) -> Result<(), Error> {
    let loaded = config.data.load()?;
    config.training_size(loaded.train.len(), loaded.test.is_some())?;
    if let Some(cost) = cost(config, &loaded)? {
        note(&cost);
    }
    if json {
        return say_json(config);
    }
    let text = config.anywhere().to_toml().map_err(|reason| {
        ConfigError::new("--dry-run", "a configuration that TOML can hold", reason)
    })?;
    say(&format!("# {}\n{text}", config.command()));
    Ok(())
}
