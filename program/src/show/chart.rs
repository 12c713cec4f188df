//! What every picture shares: size, face, colours, axes, lines and legends.

use std::fmt;
use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

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

/// A part of a picture.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// Two axes with what is drawn between them.
pub type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Marked, RangedCoordf64>>;

/// An axis whose marks are given.
pub struct Marked {
    range: Range<f64>,
    marks: Vec<f64>,
}

impl Ranged for Marked {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let share = (value - self.range.start) / (self.range.end - self.range.start);
        from + (share * f64::from(to - from)).round() as i32
    }

    fn key_points<H: KeyPointHint>(&self, _: H) -> Vec<f64> {
        self.marks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

/// Pixels from left to right.
pub const WIDTH: u32 = 1080;
const FONT: &str = "sans-serif";
const FONT_SIZE: u32 = 13;
/// Letters and axes.
pub const INK: RGBColor = RGBColor(40, 40, 40);
const GRID: RGBColor = RGBColor(225, 225, 225);

/// Okabe and Ito's colours, told apart in every common form of colour blindness; yellow, too pale on white, is grey here. The last
/// three are darker than all of them.
pub const COLOURS: [RGBColor; 10] = [
    RGBColor(0, 0, 0),
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(204, 121, 167),
    RGBColor(0, 158, 115),
    RGBColor(140, 140, 140),
    RGBColor(120, 60, 160),
    RGBColor(110, 70, 20),
    RGBColor(90, 100, 0),
];

/// Draws one panel of `height` for each item into one SVG text, one below the other.
///
/// # Errors
/// None that finite numbers can cause; the drawing crate's own is passed on.
pub fn panels<T>(
    height: u32,
    items: &[T],
    draw: impl Fn(&Area<'_>, &T) -> Result<(), PictureError>,
) -> Result<String, PictureError> {
    let mut text = String::new();
    let count = items.len().max(1);
    {
        let height = height.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX));
        let root = SVGBackend::with_string(&mut text, (WIDTH, height)).into_drawing_area();
        root.fill(&WHITE)?;
        for (area, item) in root.split_evenly((count, 1)).iter().zip(items) {
            draw(area, item)?;
        }
        root.present()?;
    }
    Ok(text)
}

/// The title in the middle above, the note below; the area between them.
///
/// # Errors
/// As [`panels`].
pub fn titled<'a>(area: &Area<'a>, title: &str, note: &str) -> Result<Area<'a>, PictureError> {
    let (width, height) = area.dim_in_pixel();
    let middle = Pos::new(HPos::Center, VPos::Center);
    let caption = (FONT, FONT_SIZE + 3).into_font().color(&INK).pos(middle);
    area.draw(&Text::new(title, (width as i32 / 2, 20), caption))?;
    area.draw(&Text::new(note, (20, height as i32 - 14), letters()))?;
    Ok(area.margin(34, 26, 0, 0))
}

fn letters() -> TextStyle<'static> {
    let font = (FONT, FONT_SIZE).into_font();
    font.color(&INK).pos(Pos::new(HPos::Left, VPos::Center))
}

/// An axis: what it shows, from where to where.
pub struct Axis<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its ends.
    pub range: Range<f64>,
    /// A number as it is written.
    pub label: &'a dyn Fn(&f64) -> String,
}

/// A chart with its axes; `marks` are the numbers on the lower one.
///
/// # Errors
/// As [`panels`].
pub fn chart<'a, 'b>(
    area: &'a Area<'b>,
    x: Axis<'_>,
    marks: Vec<f64>,
    y: Axis<'_>,
) -> Result<Chart<'a, 'b>, PictureError> {
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .margin_right(24)
        .x_label_area_size(48)
        .y_label_area_size(60)
        .build_cartesian_2d(Marked { range: x.range, marks }, y.range)?;
    chart
        .configure_mesh()
        .x_desc(x.name)
        .y_desc(y.name)
        .x_label_formatter(x.label)
        .y_label_formatter(y.label)
        .light_line_style(WHITE.mix(0.0))
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style((FONT, FONT_SIZE).into_font().color(&INK))
        .draw()?;
    Ok(chart)
}

/// A line through the points, dashed or not.
///
/// # Errors
/// As [`panels`].
pub fn line(
    chart: &mut Chart<'_, '_>,
    points: Vec<(f64, f64)>,
    style: ShapeStyle,
    dashed: bool,
) -> Result<(), PictureError> {
    if dashed {
        chart.draw_series(DashedLineSeries::new(points, 7, 4, style))?;
    } else {
        chart.draw_series(LineSeries::new(points, style))?;
    }
    Ok(())
}

/// What stands before a name in a legend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A line.
    Line,
    /// A dashed line.
    Dashes,
    /// A disc.
    Disc,
    /// A circle.
    Ring,
}

/// Names with their marks, the first at `start` and each `step` from the one before.
///
/// # Errors
/// As [`panels`].
pub fn legend(
    area: &Area<'_>,
    start: (i32, i32),
    step: (i32, i32),
    entries: impl IntoIterator<Item = (String, RGBColor, Mark)>,
) -> Result<(), PictureError> {
    let (mut x, mut y) = start;
    for (name, colour, mark) in entries {
        let stroke =
            |from, to| PathElement::new(vec![(x + from, y), (x + to, y)], colour.stroke_width(3));
        match mark {
            Mark::Line => area.draw(&stroke(0, 24))?,
            Mark::Dashes => {
                area.draw(&stroke(0, 10))?;
                area.draw(&stroke(14, 24))?;
            }
            Mark::Disc => area.draw(&Circle::new((x + 12, y), 5, colour.filled()))?,
            Mark::Ring => area.draw(&Circle::new((x + 12, y), 4, colour.stroke_width(2)))?,
        }
        area.draw(&Text::new(name, (x + 30, y), letters()))?;
        (x, y) = (x + step.0, y + step.1);
    }
    Ok(())
}

/// The smallest and largest of the finite numbers, widened to whole steps of `step`; `None` without any.
pub fn whole_range(values: impl Iterator<Item = f64>, step: f64) -> Option<(f64, f64)> {
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
