//! `presam bench`: ask, plan, measure, write, tell.

use std::process::ExitCode;

use crate::bench::{
    Asked, BenchError, Comparison, Plan, Record, Request, Row, Target, check_folder, compare,
    compared_table, headline, open, plan, profile, run, table, write_files,
};
use crate::config::device;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::command::arguments::BenchArguments;
use crate::command::{say, say_json};

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

/// What `--json` prints: the record, and the comparison where one was asked for.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    record: &'a Record,
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<&'a Comparison>,
}

/// The command, with its exit code.
pub(crate) fn bench(arguments: &BenchArguments) -> ExitCode {
    match measured(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

/// Everything that can be wrong with the request is found before the first row.
fn measured(arguments: &BenchArguments) -> Result<(), BenchError> {
    let request = Request::new(&Asked {
        sizes: arguments.sizes.clone(),
        rules: arguments.rules.clone(),
        filter: arguments.filter.clone(),
        min_time: arguments.min_time,
        threads: arguments.threads,
        device: device(arguments.device.as_deref())?,
    })?;
    let other = arguments.compare.as_deref().map(Record::read).transpose()?;
    let mut target = open(request.device, request.threads)?;
    let plan = plan(target.as_ref(), &request)?;
    if let Some(folder) = &arguments.out {
        check_folder(folder)?;
    }
    if !arguments.quiet {
        plan.left_out.iter().for_each(|line| eprintln!("{line}"));
    }
    if arguments.profile {
        return profiled(target.as_mut(), &plan, arguments.quiet);
    }
    let bar = bar(arguments.quiet, plan.rows.len());
    let mut watch = |index: usize, _: usize, row: &Row| {
        bar.set_position(index as u64);
        bar.set_message(row.name());
    };
    let record = run(target.as_mut(), &plan, &request, &command(), &mut watch);
    bar.finish_and_clear();
    let record = record?;
    if !arguments.quiet {
        record.left_out.iter().for_each(|line| eprintln!("{line}"));
    }
    if let Some(folder) = &arguments.out {
        write_files(folder, &record)?;
    }
    tell(arguments, &record, other.map(|other| compare(&record, &other)).as_ref())
}

/// Names each row on stderr before it runs, so that the profiler's list can be read beside it.
fn profiled(target: &mut dyn Target, plan: &Plan, quiet: bool) -> Result<(), BenchError> {
    let mut watch = |_: usize, _: usize, row: &Row| {
        if !quiet {
            eprintln!("{}", row.name());
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
) -> Result<(), BenchError> {
    if arguments.json {
        let told = Told { record, comparison };
        return say_json(&told).map_err(|error| BenchError::Wrong(error.to_string()));
    }
    let mut text = headline(record) + &table(record);
    if let (Some(comparison), Some(file)) = (comparison, &arguments.compare) {
        text += &compared_table(comparison, &file.display().to_string());
    }
    if let Some(folder) = &arguments.out {
        let name = |name| folder.join(name).display().to_string();
        text += &format!("\n{}, {}, bench.csv\n", name("bench.svg"), name("bench.json"));
    }
    say(&text);
    Ok(())
}

/// indicatif draws nothing where stderr is no terminal.
fn bar(quiet: bool, rows: usize) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let draw = ProgressDrawTarget::stderr();
    let bar = ProgressBar::with_draw_target(Some(rows as u64), draw);
    match ProgressStyle::with_template("[{bar:30}] {pos}/{len} rows, {eta} left  {msg}") {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
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
