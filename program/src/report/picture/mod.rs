//! The two pictures: test accuracy over epochs, and sharpness against test accuracy, one panel a level of label noise.
//!
//! Every method keeps its colour and line style in every picture and every run: they follow its place in the
//! list. Each panel has two charts, the whole and enlarged what is close to the best, and a legend beside them, best
//! first. A method that is not ranked has no place in them, since its collapse would squash the axes; a line below the
//! charts names it.

mod curves;
mod sharpness;

pub use curves::curves_svg;
pub use sharpness::sharpness_svg;

use plotters::style::RGBColor;

use super::records::{Results, Summary};
use super::table::noise_line;
use crate::methods::METHODS;
use crate::show::chart::{Area, COLOURS, PictureError, titled};

const HEIGHT: u32 = 480;
/// Where the enlarged chart begins, and where the legend does.
const DIVISIONS: (u32, u32) = (440, 860);
/// Where the legend stands in its own area, and the step to its next line.
const LEGEND: ((i32, i32), (i32, i32)) = ((0, 20), (0, 22));
/// A method that ends within this many points of the best is shown again, enlarged.
const CLOSE: f64 = 5.0;
/// The methods this project is about stand out in the one warm colour left.
const OWN: RGBColor = RGBColor(213, 94, 0);

/// How a method is drawn.
#[derive(Clone, Copy)]
struct Look {
    colour: RGBColor,
    dashed: bool,
}

fn look(method: &str) -> Look {
    if method == "info-asam" {
        return Look { colour: OWN, dashed: false };
    }
    let place = METHODS.iter().position(|entry| entry.name == method).unwrap_or(METHODS.len());
    Look { colour: COLOURS[place % COLOURS.len()], dashed: place >= COLOURS.len() }
}

/// Whether a method takes part in the pictures: one without a summary does.
fn is_shown(results: &Results, level: f64, method: &str) -> bool {
    let own = |row: &&Summary| row.label_noise == level && row.method == method;
    results.summary.iter().find(own).is_none_or(Summary::is_ranked)
}

/// What the pictures of a level leave out, in words; empty where nothing is.
fn left_out(results: &Results, level: f64) -> String {
    let rows = results.summary.iter().filter(|row| row.label_noise == level && !row.is_ranked());
    let names: Vec<&str> = rows.map(|row| row.method.as_str()).collect();
    if names.is_empty() {
        return String::new();
    }
    format!("not shown: {} (not ranked; the table says why)", names.join(", "))
}

/// Under title and note, the areas of the two charts and of the legend.
fn framed<'a>(
    area: &Area<'a>,
    what: &str,
    (results, level): (&Results, f64),
    note: &str,
) -> Result<[Area<'a>; 3], PictureError> {
    let inner = titled(area, &format!("{what}: {}", noise_line(results, level)), note)?;
    let (charts, legend) = inner.split_horizontally(DIVISIONS.1);
    let (whole, enlarged) = charts.split_horizontally(DIVISIONS.0);
    Ok([whole, enlarged, legend])
}

/// Percent for an axis: decimals only where its range needs them.
fn percent_label(low: f64, high: f64) -> impl Fn(&f64) -> String {
    let digits = usize::from(high - low < 10.0);
    move |value| format!("{value:.digits$}")
}

#[cfg(test)]
mod tests;
