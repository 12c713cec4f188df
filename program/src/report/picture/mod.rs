//! The two pictures: test accuracy over epochs, and sharpness against test accuracy, one panel a level of label noise.
//!
//! Every method keeps its colour and line style in every picture and every run: they follow its place in the
//! list. Names stand beside the lines and points themselves, so no colour has to be looked up. Each panel has
//! two charts: the whole, and enlarged what is close to the best. A method that is not ranked has no place in
//! either, since its collapse would squash the axes; a line below the charts names it.

mod curves;
mod labels;
mod sharpness;

pub use curves::curves_svg;
pub use sharpness::sharpness_svg;

use std::fmt;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::methods::METHODS;

/// A picture that could not be drawn.
#[derive(Debug)]
pub struct PictureError(String);

impl fmt::Display for PictureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a picture could not be drawn: {}", self.0)
    }
}

impl std::error::Error for PictureError {}

impl<E: std::error::Error + Send + Sync> From<DrawingAreaErrorKind<E>> for PictureError {
    fn from(error: DrawingAreaErrorKind<E>) -> Self {
        Self(error.to_string())
    }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

const WIDTH: u32 = 1080;
const PANEL_HEIGHT: u32 = 540;
/// Where the first chart of a panel ends and the enlarged one begins.
const DIVISION: u32 = 440;
/// A method that ends within this many points of the best is shown again, enlarged.
const CLOSE: f64 = 5.0;
const FONT: &str = "sans-serif";
const FONT_SIZE: u32 = 13;
const INK: RGBColor = RGBColor(40, 40, 40);
const GRID: RGBColor = RGBColor(225, 225, 225);

/// Okabe and Ito's colours, told apart in every common form of colour blindness; yellow, too pale on white, is grey here.
const COLOURS: [RGBColor; 8] = [
    RGBColor(0, 0, 0),
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(204, 121, 167),
    RGBColor(0, 158, 115),
    RGBColor(140, 140, 140),
    RGBColor(120, 60, 160),
];
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

/// Draws one panel for each item into one SVG text, one below the other.
fn panels<T>(
    items: &[T],
    draw: impl Fn(&Area<'_>, &T) -> Result<(), PictureError>,
) -> Result<String, PictureError> {
    let mut text = String::new();
    let count = items.len().max(1);
    {
        let height = PANEL_HEIGHT.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX));
        let root = SVGBackend::with_string(&mut text, (WIDTH, height)).into_drawing_area();
        root.fill(&WHITE)?;
        for (area, item) in root.split_evenly((count, 1)).iter().zip(items) {
            draw(area, item)?;
        }
        root.present()?;
    }
    Ok(text)
}

/// The levels of label noise, each with the words that head its panel.
fn headed(results: &super::Results) -> Vec<(f64, String)> {
    let levels = results.noise_levels();
    levels.into_iter().map(|level| (level, super::table::noise_line(results, level))).collect()
}

/// Whether a method takes part in the pictures: one without a summary does.
fn is_shown(results: &super::Results, level: f64, method: &str) -> bool {
    let own = |row: &&super::Summary| row.label_noise == level && row.method == method;
    results.summary.iter().find(own).is_none_or(super::Summary::is_ranked)
}

/// What the pictures of a level leave out, in words; empty where nothing is.
fn left_out(results: &super::Results, level: f64) -> String {
    let rows = results.summary.iter().filter(|row| row.label_noise == level && !row.is_ranked());
    let names: Vec<&str> = rows.map(|row| row.method.as_str()).collect();
    if names.is_empty() {
        return String::new();
    }
    format!("not shown: {} (not ranked; the table says why)", names.join(", "))
}

/// Writes the title above and the note below, and returns the two areas between them.
fn framed<'a>(
    area: &Area<'a>,
    title: String,
    note: String,
) -> Result<(Area<'a>, Area<'a>), PictureError> {
    let (width, height) = area.dim_in_pixel();
    let middle = Pos::new(HPos::Center, VPos::Center);
    area.draw(&Text::new(title, (width as i32 / 2, 20), caption_style().pos(middle)))?;
    area.draw(&Text::new(note, (20, height as i32 - 14), text_style(INK, HPos::Left)))?;
    Ok(area.margin(34, 26, 0, 0).split_horizontally(DIVISION))
}

/// Percent for an axis: decimals only where its range needs them.
fn percent_label(low: f64, high: f64) -> impl Fn(&f64) -> String {
    let digits = usize::from(high - low < 10.0);
    move |value| format!("{value:.digits$}")
}

/// The name on top of a panel.
fn caption_style() -> TextStyle<'static> {
    (FONT, FONT_SIZE + 3).into_font().color(&INK)
}

/// The numbers and names of the axes.
fn axis_text() -> TextStyle<'static> {
    (FONT, FONT_SIZE).into_font().color(&INK)
}

/// Text in the pictures' face, anchored at `side` and half its height.
fn text_style(colour: RGBColor, side: HPos) -> TextStyle<'static> {
    let font = (FONT, FONT_SIZE).into_font();
    font.color(&colour).pos(Pos::new(side, VPos::Center))
}

/// The smallest and largest of the finite numbers, widened to whole steps of `step`; `None` without any.
fn whole_range(values: impl Iterator<Item = f64>, step: f64) -> Option<(f64, f64)> {
    let (low, high) = values
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
    (low <= high).then(|| {
        let (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
        if low < high { (low, high) } else { (low - step, high + step) }
    })
}

#[cfg(test)]
mod tests;
