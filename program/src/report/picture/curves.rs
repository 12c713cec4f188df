//! Test accuracy over epochs: a line for each method's mean, a band of one standard deviation over the seeds;
//! beside it the last third of the epochs, enlarged, for the methods that end close to the best.

use plotters::prelude::*;

use super::{CLOSE, HEIGHT, LEGEND, Look, framed, is_shown, left_out, look, percent_label};
use crate::report::records::{Results, Run};
use crate::show::chart::{
    Area, Axis, Mark, PictureError, chart, legend, line, panels, whole_range,
};
use crate::stats::{distinct, mean, standard_deviation, standard_error};

/// Epochs that climb from chance: left in, they would squeeze what differs into a strip.
const CLIMB: usize = 3;
/// Numbers on the lower axis, about.
const MARKS: f64 = 6.0;

/// One method's mean curve in percent, with its spread; entry 0 is epoch 1.
struct Curve<'a> {
    method: &'a str,
    means: Vec<f64>,
    spreads: Vec<f64>,
    /// Standard error of the last mean; `None` with one seed.
    error: Option<f64>,
}

/// What a chart shows: epochs from first to last, accuracies in percent.
struct Frame {
    epochs: (f64, f64),
    range: (f64, f64),
}

/// The picture as SVG text.
///
/// # Errors
/// None that records can cause; the drawing crate's own is passed on.
pub fn curves_svg(results: &Results) -> Result<String, PictureError> {
    panels(HEIGHT, &results.noise_levels(), |area, &level| {
        let measure = results.data.measure;
        let what = format!("{} while training", measure.title());
        let note = left_out(results, level);
        let [left, right, names] = framed(area, &what, (results, level), &note)?;
        let curves = curves(results, level);
        let best = curves.first().map_or(0.0, Curve::last);
        let all: Vec<&Curve<'_>> = curves.iter().collect();
        let close: Vec<&Curve<'_>> =
            all.iter().copied().filter(|curve| curve.last() >= best - CLOSE).collect();
        let last = curves.iter().map(|curve| curve.means.len()).max().unwrap_or(0).max(2);
        let whole = whole(&all, last);
        let enlarged = enlarged(&close, last, whole.range);
        let name = format!("{} in %", measure.name());
        let epochs = "epoch (band: one standard deviation over the seeds)";
        draw(&left, &all, &whole, (epochs, &name), true)?;
        draw(&right, &close, &enlarged, ("epoch, the last third enlarged", &name), false)?;
        let entry = |curve: &Curve<'_>| {
            let Look { colour, dashed } = look(curve.method);
            (curve.label(), colour, if dashed { Mark::Dashes } else { Mark::Line })
        };
        legend(&names, LEGEND.0, LEGEND.1, curves.iter().map(entry))
    })
}

/// The curves of a level, best first at the end.
fn curves(results: &Results, level: f64) -> Vec<Curve<'_>> {
    let runs = results.runs.iter().filter(|run| run.label_noise == level);
    let runs = runs.filter(|run| is_shown(results, level, &run.method));
    let methods = distinct(runs.map(|run| run.method.as_str()));
    let mut curves: Vec<Curve<'_>> =
        methods.into_iter().map(|method| Curve::new(&results.runs, level, method)).collect();
    curves.sort_by(|a, b| b.last().total_cmp(&a.last()));
    curves
}

impl<'a> Curve<'a> {
    fn new(runs: &[Run], level: f64, method: &'a str) -> Self {
        let own: Vec<&Run> =
            runs.iter().filter(|run| run.label_noise == level && run.method == method).collect();
        let epochs = own.iter().map(|run| run.history.len()).min().unwrap_or(0);
        let at = |epoch: usize| -> Vec<f64> {
            own.iter().map(|run| 100.0 * run.history[epoch].test_accuracy).collect()
        };
        Self {
            method,
            means: (0..epochs).map(|epoch| mean(&at(epoch)).unwrap_or(f64::NAN)).collect(),
            spreads: (0..epochs)
                .map(|epoch| standard_deviation(&at(epoch)).unwrap_or(0.0))
                .collect(),
            error: epochs.checked_sub(1).and_then(|last| standard_error(&at(last))),
        }
    }

    /// The last mean; below every accuracy where there is none, so that it is never the best.
    fn last(&self) -> f64 {
        self.means.last().copied().filter(|mean| mean.is_finite()).unwrap_or(f64::NEG_INFINITY)
    }

    /// Name, last mean and its standard error.
    fn label(&self) -> String {
        let error = self.error.map_or_else(String::new, |error| format!(" \u{b1} {error:.1}"));
        format!("{} {:.1}{error}", self.method, self.last())
    }

    /// The points of `mean + sign * spread` from the epoch on at which the mean enters the chart.
    fn points(&self, sign: f64, frame: &Frame) -> Vec<(f64, f64)> {
        let (low, high) = frame.range;
        let values =
            self.means.iter().zip(&self.spreads).map(|(mean, spread)| mean + sign * spread);
        let entered = self.means.iter().position(|mean| *mean >= low).unwrap_or(0);
        let points = values.enumerate().skip(entered).map(|(epoch, y)| (epoch as f64 + 1.0, y));
        points
            .filter(|&(x, y)| x >= frame.epochs.0 && y.is_finite())
            .map(|(x, y)| (x, y.clamp(low, high)))
            .collect()
    }
}

/// Every epoch. Bands may leave the chart below: what varies much varies most while it climbs.
fn whole(curves: &[&Curve<'_>], last: usize) -> Frame {
    let skipped = if last > 2 * CLIMB { CLIMB } else { 0 };
    let both = |curve: &&Curve<'_>| -> Vec<f64> {
        let pairs = curve.means.iter().zip(&curve.spreads).skip(skipped);
        pairs.flat_map(|(mean, spread)| [*mean, mean + spread]).collect()
    };
    let (low, high) = whole_range(curves.iter().flat_map(both), 5.0).unwrap_or((0.0, 100.0));
    Frame { epochs: (1.0, last as f64), range: (low.max(0.0), high.min(100.0)) }
}

/// The last third of the epochs.
fn enlarged(curves: &[&Curve<'_>], last: usize, otherwise: (f64, f64)) -> Frame {
    let first = (last - last / 3).min(last - 1);
    let late = curves.iter().flat_map(|curve| curve.means.iter().skip(first - 1).copied());
    let range = whole_range(late, 0.5).unwrap_or(otherwise);
    Frame { epochs: (first as f64, last as f64), range }
}

/// Lines over bands, where there are any; the best last, on top of the others.
fn draw(
    area: &Area<'_>,
    curves: &[&Curve<'_>],
    frame: &Frame,
    (what, name): (&str, &str),
    bands: bool,
) -> Result<(), PictureError> {
    let ((first, last), (low, high)) = (frame.epochs, frame.range);
    let epochs = Axis { name: what, range: first..last, label: &|epoch| format!("{epoch:.0}") };
    let label = percent_label(low, high);
    let accuracy = Axis { name, range: low..high, label: &label };
    let step = ((last - first) / MARKS).ceil();
    let marks = ((first / step).ceil() as u32..=(last / step) as u32).map(f64::from);
    let marks = marks.map(|index| step * index).collect();
    let mut chart = chart(area, epochs, marks, accuracy)?;
    for curve in curves.iter().rev() {
        let Look { colour, dashed } = look(curve.method);
        if bands {
            let mut outline = curve.points(1.0, frame);
            outline.extend(curve.points(-1.0, frame).into_iter().rev());
            chart.draw_series(std::iter::once(Polygon::new(outline, colour.mix(0.09).filled())))?;
        }
        let wide = if matches!(curve.method, "sam" | "info-asam") { 3 } else { 2 };
        line(&mut chart, curve.points(0.0, frame), colour.stroke_width(wide), dashed)?;
    }
    Ok(())
}
