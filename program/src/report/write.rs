//! The files of a comparison.

use std::path::Path;

use super::page::report_html;
use super::picture::{curves_svg, sharpness_svg};
use super::records::Results;
use super::rows::{history_csv, results_csv};
use crate::config::Config;
use crate::show::files::{Folder, OutputError, json};

/// The names of the files that [`write_results`] leaves in the folder.
pub const FILES: [&str; 7] = [
    "results.json",
    "results.csv",
    "history.csv",
    "curves.svg",
    "sharpness.svg",
    "report.html",
    "config.toml",
];

/// Writes all of [`FILES`] to the folder of `--out`.
///
/// # Errors
/// As [`Folder::write`].
pub fn write_results(folder: &Path, results: &Results, config: &Config) -> Result<(), OutputError> {
    let folder = Folder { flag: "--out", path: folder };
    let contents = contents(results, config).map_err(|reason| folder.error(reason))?;
    let files: Vec<(&str, Vec<u8>)> = FILES.into_iter().zip(contents).collect();
    folder.write(&files)
}

/// The names of the files that [`write_report`] can leave in the folder.
pub const REPORT_FILES: [&str; 3] = ["curves.svg", "sharpness.svg", "report.html"];

/// Writes the page of a record that was read, and the pictures for which it holds the numbers; a line a picture for
/// which it does not.
///
/// # Errors
/// As [`Folder::write`].
pub fn write_report(folder: &Path, results: &Results) -> Result<Vec<String>, OutputError> {
    let folder = Folder { flag: "--out", path: folder };
    let (has_epochs, has_sharpness) = (
        results.runs.iter().any(|run| !run.history.is_empty()),
        results.runs.iter().any(|run| run.hessian_eigenvalue.is_some()),
    );
    let curves = has_epochs.then(|| curves_svg(results)).transpose();
    let curves = curves.map_err(|reason| folder.error(reason))?;
    let sharpness = has_sharpness.then(|| sharpness_svg(results)).transpose();
    let sharpness = sharpness.map_err(|reason| folder.error(reason))?;
    let page = report_html(results, curves.as_deref(), sharpness.as_deref());
    let [curves_name, sharpness_name, page_name] = REPORT_FILES;
    let lacks = [
        (&curves, format!("{curves_name} is not drawn: no run has its epochs")),
        (&sharpness, format!("{sharpness_name} is not drawn: no run has a Hessian eigenvalue")),
    ];
    let told = lacks.into_iter().zip(REPORT_FILES).filter(|((picture, _), _)| picture.is_none());
    let older = |name: &str| folder.path.join(name).exists();
    let told = told.map(|((_, line), name)| match older(name) {
        true => format!("{line}; the one that is there is of another report"),
        false => line,
    });
    let told = told.collect();
    let pictures = [(curves_name, curves), (sharpness_name, sharpness)].into_iter();
    let pictures = pictures.filter_map(|(name, svg)| Some((name, svg?.into_bytes())));
    let files: Vec<_> = pictures.chain([(page_name, page.into_bytes())]).collect();
    folder.write(&files)?;
    Ok(told)
}

/// The bytes of each of [`FILES`], in that order.
fn contents(
    results: &Results,
    config: &Config,
) -> Result<[Vec<u8>; 7], Box<dyn std::error::Error>> {
    let (curves, sharpness) = (curves_svg(results)?, sharpness_svg(results)?);
    let page = report_html(results, Some(&curves), Some(&sharpness));
    Ok([
        json(results)?,
        results_csv(&results.runs)?,
        history_csv(&results.runs)?,
        curves.into_bytes(),
        sharpness.into_bytes(),
        page.into_bytes(),
        config.anywhere().to_toml()?.into_bytes(),
    ])
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::config::{Options, resolve};

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn all_files_appear_older_ones_are_replaced_and_nothing_else_is_left() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("a").join("out");
        let config = resolve(Options::default()).unwrap();
        let mut results = sample::results(&["sgd", "sam"], &[0.6], 2);
        write_results(&folder, &results, &config).unwrap();
        let mut expected = FILES.map(str::to_owned).to_vec();
        expected.sort();
        assert_eq!(names(&folder), expected);
        std::fs::write(folder.join("notes.txt"), "mine").unwrap();
        results.version = "9".into();
        write_results(&folder, &results, &config).unwrap();
        assert_eq!(std::fs::read_to_string(folder.join("notes.txt")).unwrap(), "mine");
        let read: Results =
            serde_json::from_slice(&std::fs::read(folder.join("results.json")).unwrap()).unwrap();
        assert_eq!(read, results);
        assert_eq!(names(&place.path().join("a")), ["out"]);
        let config_again = Options::read(&folder.join("config.toml")).unwrap();
        assert_eq!(resolve(config_again).unwrap(), config);
    }
}
