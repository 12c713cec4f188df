//! `presam report`: the records of finished runs shown again, the pieces of a study together.

use std::path::PathBuf;

use clap::Args;

use crate::config::ConfigError;
use crate::error::Error;
use crate::report::{REPORT_FILES, Study, read_results, studies, write_report};
use crate::show::files::Folder;
use crate::show::view::View;

use crate::command::say::{aside, say};
use crate::command::told::told;

pub(crate) const EXAMPLES: &str = "\
Examples:
  presam report presam-out                     the table of a finished run again
  presam report clean noisy --out both         two pieces of a study as one, with page and pictures
  presam report vision-out/results.json        what python/benchmarks/vision.py wrote

Exit codes:
  0  good
  2  wrong use: a file that is no results.json, or with nothing to pair";

#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// results.json files of presam train or vision.py, or their folders
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Folder for report.html, curves.svg and sharpness.svg
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Every column of a table, however narrow the terminal
    #[arg(long)]
    pub(crate) wide: bool,
}

/// Everything that can be wrong with a file is found before the first line.
pub(crate) fn report(arguments: &ReportArguments) -> Result<(), Error> {
    let read = arguments.files.iter().map(|file| read_results(file));
    let studies = studies(read.collect::<Result<Vec<_>, _>>()?)?;
    let page = written(arguments, &studies)?;
    let view = View::of_stdout(arguments.wide);
    let text = |study: &Study| {
        let told = told(&study.results, page.as_deref(), view);
        match arguments.files.as_slice() {
            [_] => told,
            _ => format!("{}\n{told}", view.wrapped(&format!("== {}", study.name()), 3)),
        }
    };
    say(&studies.iter().map(text).collect::<Vec<_>>().join("\n"));
    Ok(())
}

/// The page of the one study that there is, where a folder was named for it.
fn written(arguments: &ReportArguments, studies: &[Study]) -> Result<Option<String>, Error> {
    let Some(folder) = &arguments.out else { return Ok(None) };
    let [study] = studies else {
        let names: Vec<String> = studies.iter().map(Study::name).collect();
        let found = format!("{}: {}", studies.len(), names.join("; "));
        return Err(ConfigError::new("--out", "files of one study", found).into());
    };
    Folder { flag: "--out", path: folder }.check(&REPORT_FILES)?;
    write_report(folder, &study.results)?.iter().for_each(aside);
    Ok(Some(folder.join("report.html").display().to_string()))
}
