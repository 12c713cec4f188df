//! `presam bench`: ask, plan, measure, write, tell.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::bench::{
    Asked, Comparison, Events, FILES, Plan, Record, Request, Row, Target, compare, compared_table,
    headline, open, plan, profile, run, table, write_files,
};
use crate::config::device;
use crate::error::Error;
use crate::show::files::Folder;
use crate::show::view::View;
use indicatif::ProgressBar;
use serde::Serialize;

use crate::command::progress::bar;
use crate::command::say::{aside, say, say_json};

pub(crate) const EXAMPLES: &str = "\
Examples:
  presam bench                                     the three best known rules, five sizes
  presam bench --sizes 1e6,vit-b-16 --rules sam    one rule on two sizes
  presam bench --filter '^step/' --out today       every rule's whole step, with files and a picture
  presam bench --device cuda --out gpu             the kernels on the first NVIDIA GPU
  presam bench --compare yesterday/bench.json      FAST, SLOW, SAME or CANNOT TELL, row by row

Exit codes:
  0  good
  1  an answer differs
  2  wrong use
  3  the device asked for is absent";

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
    #[arg(hide_short_help = true, long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// Folder for bench.json, bench.csv and bench.svg
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// A bench.json to compare with, of an older version or of a peer
    #[arg(long, value_name = "FILE")]
    pub(crate) compare: Option<PathBuf>,
    /// Measure nothing: compare the rows of this bench.json
    #[arg(hide_short_help = true, long, value_name = "FILE", requires = "compare", conflicts_with_all = ["device", "sizes", "rules", "filter", "min_time", "threads", "out", "profile"])]
    pub(crate) from: Option<PathBuf>,
    /// Run each row once and measure nothing, for a profiler to watch
    #[arg(hide_short_help = true, long, conflicts_with_all = ["out", "compare", "json"])]
    pub(crate) profile: bool,
    /// Every column of a table, however narrow the terminal
    #[arg(hide_short_help = true, long)]
    pub(crate) wide: bool,
    /// One JSON document on stdout and nothing else
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress on stderr
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// What `--json` prints: the record, and the comparison where one was asked for.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    record: &'a Record,
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<&'a Comparison>,
}

/// Everything that can be wrong with the request is found before the first row.
pub(crate) fn bench(arguments: &BenchArguments) -> Result<(), Error> {
    let other = arguments.compare.as_deref();
    let other = other.map(|file| Record::read("--compare", file)).transpose()?;
    if let Some(from) = &arguments.from {
        let record = Record::read("--from", from)?;
        return told(arguments, &record, other.as_ref());
    }
    let request = Request::new(&Asked {
        sizes: arguments.sizes.clone(),
        rules: arguments.rules.clone(),
        filter: arguments.filter.clone(),
        min_time: arguments.min_time,
        threads: arguments.threads,
        device: device(arguments.device.as_deref())?,
    })?;
    let mut target = open(request.device, request.threads)?;
    let plan = plan(target.as_ref(), &request)?;
    if let Some(folder) = &arguments.out {
        Folder { flag: "--out", path: folder }.check(&FILES)?;
    }
    if !arguments.quiet {
        plan.left_out.iter().for_each(aside);
    }
    if arguments.profile {
        return profiled(target.as_mut(), &plan, arguments.quiet);
    }
    let bar = bar(plan.rows.len() as u64, "measuring", "rows");
    let mut shown = Shown { bar, quiet: arguments.quiet, out: arguments.out.as_deref() };
    if arguments.quiet {
        shown.bar = ProgressBar::hidden();
    }
    let record = run(target.as_mut(), &plan, &request, &command(), &mut shown);
    shown.bar.finish_and_clear();
    let record = record?;
    if !arguments.quiet {
        record.left_out.iter().for_each(aside);
    }
    if let Some(folder) = &arguments.out {
        write_files(folder, &record)?;
    }
    told(arguments, &record, other.as_ref())
}

/// What was measured, now or by another call, beside another record; a wrong answer in it is an error at the end.
fn told(arguments: &BenchArguments, record: &Record, other: Option<&Record>) -> Result<(), Error> {
    tell(arguments, record, other.map(|other| compare(record, other)).as_ref())?;
    match record.wrong.first() {
        None => Ok(()),
        Some(first) => {
            let wrong = record.wrong.len();
            Err(Error::Wrong(format!("{wrong} of the rows have a wrong answer; {first}")))
        }
    }
}

/// What a running benchmark shows on stderr (a bar, or a line a row where nobody watches) and keeps.
struct Shown<'a> {
    bar: ProgressBar,
    quiet: bool,
    out: Option<&'a Path>,
}

impl Events for Shown<'_> {
    fn row(&mut self, index: usize, _: usize, row: &Row) {
        self.bar.set_position(index as u64);
        self.bar.set_message(row.name());
    }

    fn told(&mut self, line: &str) {
        if self.bar.is_hidden() && !self.quiet {
            aside(line);
        }
    }

    fn kept(&mut self, record: &Record) -> Result<(), Error> {
        match self.out {
            Some(folder) if !record.measurements.is_empty() => Ok(write_files(folder, record)?),
            _ => Ok(()),
        }
    }
}

/// Names each row on stderr before it runs, so that the profiler's list can be read beside it.
fn profiled(target: &mut dyn Target, plan: &Plan, quiet: bool) -> Result<(), Error> {
    let mut watch = |_: usize, _: usize, row: &Row| {
        if !quiet {
            aside(row.name());
        }
    };
    let rows = profile(target, plan, &mut watch)?;
    say(&format!("{rows} rows run once\n"));
    Ok(())
}

fn tell(
    arguments: &BenchArguments,
    record: &Record,
    comparison: Option<&Comparison>,
) -> Result<(), Error> {
    if arguments.json {
        let told = Told { record, comparison };
        return say_json(&told);
    }
    let view = View::of_stdout(arguments.wide);
    let mut text = String::new();
    if arguments.from.is_none() {
        text += &(view.wrapped(&headline(record), 4) + &table(record, view));
    }
    if let (Some(comparison), Some(file)) = (comparison, &arguments.compare) {
        text += &compared_table(comparison, &file.display().to_string(), view);
    }
    if let Some(folder) = &arguments.out {
        let name = |name| folder.join(name).display().to_string();
        text += &format!("\n{}, {}, bench.csv\n", name("bench.svg"), name("bench.json"));
    }
    say(&text);
    Ok(())
}

/// The command as it was given, each word as a shell takes it.
fn command() -> String {
    let plain = |word: &str| word.chars().all(|c| c.is_alphanumeric() || "-_.,=:/+".contains(c));
    let quoted = |word: String| {
        if plain(&word) { word } else { format!("'{}'", word.replace('\'', r"'\''")) }
    };
    let words = std::env::args_os().skip(1).map(|word| quoted(word.to_string_lossy().into_owned()));
    std::iter::once("presam".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}
