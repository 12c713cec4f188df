//! Test accuracy over epochs: a line for each method's mean, a band of one standard deviation over the seeds.

use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::labels::spread;
use super::{
    Area, GRID, INK, Look, PictureError, axis_text, caption_style, headed, look, panels,
    percent_label, text_style, whole_range,
};
use crate::report::{Results, Run};
use crate::stats::{mean, standard_deviation};

type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

const RIGHT_MARGIN: i32 = 190;
const LABEL_GAP: f64 = 16.0;

/// One method's mean curve in percent, with its spread; entry 0 is epoch 1.
struct Curve<'a> {
    method: &'a str,
    means: Vec<f64>,
    spreads: Vec<f64>,
}

/// The picture as SVG text.
///
/// # Errors
/// None that records can cause; the drawing crate's own is passed on.
pub fn curves_svg(results: &Results) -> Result<String, PictureError> {
    panels(&headed(results), |area, (level, title)| {
        panel(area, &curves(&results.runs, *level), title)
    })
}

fn curves(runs: &[Run], level: f64) -> Vec<Curve<'_>> {
    let mut methods: Vec<&str> = Vec::new();
    for run in runs.iter().filter(|run| run.label_noise == level) {
        if !methods.contains(&run.method.as_str()) {
            methods.push(&run.method);
        }
    }
    methods.into_iter().map(|method| curve(runs, level, method)).collect()
}

fn curve<'a>(runs: &[Run], level: f64, method: &'a str) -> Curve<'a> {
    let own: Vec<&Run> =
        runs.iter().filter(|run| run.label_noise == level && run.method == method).collect();
    let epochs = own.iter().map(|run| run.history.len()).min().unwrap_or(0);
    let at = |epoch: usize| -> Vec<f64> {
        own.iter().map(|run| 100.0 * run.history[epoch].test_accuracy).collect()
    };
    Curve {
        method,
        means: (0..epochs).map(|epoch| mean(&at(epoch)).unwrap_or(f64::NAN)).collect(),
        spreads: (0..epochs).map(|epoch| standard_deviation(&at(epoch)).unwrap_or(0.0)).collect(),
    }
}

/// The range of the accuracy axis in percent.
fn range(curves: &[Curve<'_>], epochs: usize) -> (f64, f64) {
    // The first fifth climbs from chance: left in, it would squeeze what differs into a strip.
    let first = epochs / 5;
    let late = curves.iter().flat_map(|curve| {
        let both = curve.means.iter().zip(&curve.spreads).skip(first);
        both.flat_map(|(mean, spread)| [mean - spread, mean + spread])
    });
    let (low, high) = whole_range(late, 5.0).unwrap_or((0.0, 100.0));
    (low.max(0.0), high.min(100.0))
}

impl Curve<'_> {
    /// The points of `mean + sign * spread` from the epoch on at which the mean enters the range.
    fn points(&self, sign: f64, (low, high): (f64, f64)) -> Vec<(f64, f64)> {
        let entered = self.means.iter().position(|mean| *mean >= low).unwrap_or(0);
        let values =
            self.means.iter().zip(&self.spreads).map(|(mean, spread)| mean + sign * spread);
        values
            .enumerate()
            .skip(entered)
            .filter(|(_, y)| y.is_finite())
            .map(|(epoch, y)| (epoch as f64 + 1.0, y.clamp(low, high)))
            .collect()
    }
}

fn panel(area: &Area<'_>, curves: &[Curve<'_>], title: &str) -> Result<(), PictureError> {
    let epochs = curves.iter().map(|curve| curve.means.len()).max().unwrap_or(0);
    let (low, high) = range(curves, epochs);
    let last = epochs.max(2) as f64;
    let mut chart = ChartBuilder::on(area)
        .caption(format!("Test accuracy while training: {title}"), caption_style())
        .margin(12)
        .margin_right(RIGHT_MARGIN)
        .x_label_area_size(48)
        .y_label_area_size(60)
        .build_cartesian_2d(1.0..last, low..high)?;
    chart
        .configure_mesh()
        .x_desc("epoch (line: mean over the seeds; band: one standard deviation)")
        .y_desc("test accuracy in %")
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&percent_label(low, high))
        .light_line_style(WHITE.mix(0.0))
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(axis_text())
        .draw()?;
    for curve in curves {
        draw(&mut chart, curve, (low, high))?;
    }
    let base = area.get_base_pixel();
    let pixel = |y: f64| {
        let (x, y) = chart.backend_coord(&(last, y.clamp(low, high)));
        (x - base.0, y - base.1)
    };
    let end = |curve: &Curve<'_>| {
        pixel(curve.means.last().copied().filter(|y| y.is_finite()).unwrap_or(low))
    };
    let ends: Vec<(i32, i32)> = curves.iter().map(end).collect();
    names(area, curves, &ends, (f64::from(pixel(high).1), f64::from(pixel(low).1)))
}

/// The band of one method and, on top of it, its line.
fn draw(
    chart: &mut Chart<'_, '_>,
    curve: &Curve<'_>,
    range: (f64, f64),
) -> Result<(), PictureError> {
    let Look { colour, dashed } = look(curve.method);
    let mut outline = curve.points(1.0, range);
    outline.extend(curve.points(-1.0, range).into_iter().rev());
    chart.draw_series(std::iter::once(Polygon::new(outline, colour.mix(0.09).filled())))?;
    let wide = if matches!(curve.method, "sam" | "info-asam") { 3 } else { 2 };
    let (line, style) = (curve.points(0.0, range), colour.stroke_width(wide));
    if dashed {
        chart.draw_series(DashedLineSeries::new(line, 7, 4, style))?;
    } else {
        chart.draw_series(LineSeries::new(line, style))?;
    }
    Ok(())
}

/// The methods' names with their last value, at the right of their lines.
fn names(
    area: &Area<'_>,
    curves: &[Curve<'_>],
    ends: &[(i32, i32)],
    (top, bottom): (f64, f64),
) -> Result<(), PictureError> {
    let wishes: Vec<f64> = ends.iter().map(|&(_, y)| f64::from(y)).collect();
    let places = spread(&wishes, LABEL_GAP, top, bottom);
    for ((curve, &(x, y)), place) in curves.iter().zip(ends).zip(places) {
        let Look { colour, dashed } = look(curve.method);
        let place = place.round() as i32;
        let last = curve.means.last().copied().unwrap_or(f64::NAN);
        let leader = vec![(x + 2, y), (x + 20, place)];
        area.draw(&PathElement::new(leader, colour.mix(0.6).stroke_width(1)))?;
        let swatch: &[(i32, i32)] = if dashed { &[(22, 28), (31, 37)] } else { &[(22, 37)] };
        for &(from, to) in swatch {
            let stroke = vec![(x + from, place), (x + to, place)];
            area.draw(&PathElement::new(stroke, colour.stroke_width(3)))?;
        }
        let label = format!("{} {last:.1}", curve.method);
        area.draw(&Text::new(label, (x + 42, place), text_style(INK, HPos::Left)))?;
    }
    Ok(())
}
