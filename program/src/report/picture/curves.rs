//! Test accuracy over epochs: a line for each method's mean, a band of one standard deviation over the seeds;
//! beside it the last third of the epochs, enlarged, for the methods that end close to the best.

use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::labels::{spread, text_width};
use super::{
    Area, CLOSE, GRID, INK, Look, PictureError, axis_text, framed, headed, is_shown, left_out,
    look, panels, percent_label, text_style, whole_range,
};
use crate::report::{Results, Run};
use crate::stats::{mean, standard_deviation, standard_error};

type Context<'a, 'b> =
    ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

const LABEL_GAP: f64 = 16.0;
/// Room between the end of a line and its name: leader and swatch.
const LEADER: i32 = 42;
/// Epochs that climb from chance: left in, they would squeeze what differs into a strip.
const CLIMB: usize = 3;

/// One method's mean curve in percent, with its spread; entry 0 is epoch 1.
struct Curve<'a> {
    method: &'a str,
    means: Vec<f64>,
    spreads: Vec<f64>,
    /// Standard error of the last mean; `None` with one seed.
    error: Option<f64>,
}

/// One of the two charts of a panel.
struct Chart<'a> {
    curves: Vec<&'a Curve<'a>>,
    /// The curves that have their names here, best first.
    named: Vec<&'a Curve<'a>>,
    /// First and last epoch.
    epochs: (f64, f64),
    /// Accuracy in percent.
    range: (f64, f64),
    bands: bool,
    x_desc: &'static str,
}

/// The picture as SVG text.
///
/// # Errors
/// None that records can cause; the drawing crate's own is passed on.
pub fn curves_svg(results: &Results) -> Result<String, PictureError> {
    panels(&headed(results), |area, (level, title)| {
        let title = format!("Test accuracy while training: {title}");
        let (left, right) = framed(area, title, left_out(results, *level))?;
        let curves = curves(results, *level);
        let (whole, enlarged) = charts(&curves);
        whole.draw(&left)?;
        enlarged.draw(&right)
    })
}

/// The curves of a level, best first at the end.
fn curves(results: &Results, level: f64) -> Vec<Curve<'_>> {
    let mut methods: Vec<&str> = Vec::new();
    for run in results.runs.iter().filter(|run| run.label_noise == level) {
        if !methods.contains(&run.method.as_str()) && is_shown(results, level, &run.method) {
            methods.push(&run.method);
        }
    }
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
    fn points(&self, sign: f64, chart: &Chart<'_>) -> Vec<(f64, f64)> {
        let (low, high) = chart.range;
        let values =
            self.means.iter().zip(&self.spreads).map(|(mean, spread)| mean + sign * spread);
        let entered = self.means.iter().position(|mean| *mean >= low).unwrap_or(0);
        let points = values.enumerate().skip(entered).map(|(epoch, y)| (epoch as f64 + 1.0, y));
        points
            .filter(|&(x, y)| x >= chart.epochs.0 && y.is_finite())
            .map(|(x, y)| (x, y.clamp(low, high)))
            .collect()
    }
}

/// The chart of everything and the enlarged one.
fn charts<'a>(curves: &'a [Curve<'a>]) -> (Chart<'a>, Chart<'a>) {
    let epochs = curves.iter().map(|curve| curve.means.len()).max().unwrap_or(0);
    let best = curves.first().map_or(0.0, Curve::last);
    let (close, far): (Vec<_>, Vec<_>) =
        curves.iter().partition(|curve| curve.last() >= best - CLOSE);
    let skipped = if epochs > 2 * CLIMB { CLIMB } else { 0 };
    let both = |curve: &'a Curve<'a>| {
        let pairs = curve.means.iter().zip(&curve.spreads).skip(skipped);
        // Bands may leave the chart below: what varies much varies most while it climbs.
        pairs.flat_map(|(mean, spread)| [*mean, mean + spread])
    };
    let (low, high) = whole_range(curves.iter().flat_map(both), 5.0).unwrap_or((0.0, 100.0));
    let last = epochs.max(2);
    let whole = Chart {
        curves: curves.iter().collect(),
        named: far,
        epochs: (1.0, last as f64),
        range: (low.max(0.0), high.min(100.0)),
        bands: true,
        x_desc: "epoch (band: one standard deviation over the seeds)",
    };
    let first = (last - last / 3).min(last - 1);
    let late = close.iter().flat_map(|curve| curve.means.iter().skip(first - 1).copied());
    let enlarged = Chart {
        range: whole_range(late, 0.5).unwrap_or(whole.range),
        named: close.clone(),
        curves: close,
        epochs: (first as f64, last as f64),
        bands: false,
        x_desc: "epoch, the last third enlarged (final mean \u{b1} standard error, best first)",
    };
    (whole, enlarged)
}

impl Chart<'_> {
    fn draw(&self, area: &Area<'_>) -> Result<(), PictureError> {
        let ((first, last), (low, high)) = (self.epochs, self.range);
        let widest = self.named.iter().map(|curve| text_width(&curve.label())).fold(0.0, f64::max);
        let names = if self.named.is_empty() { 0 } else { LEADER + widest.round() as i32 };
        let mut chart = ChartBuilder::on(area)
            .margin(8)
            .margin_right(16 + names)
            .x_label_area_size(48)
            .y_label_area_size(60)
            .build_cartesian_2d(first..last, low..high)?;
        chart
            .configure_mesh()
            .x_desc(self.x_desc)
            .y_desc("test accuracy in %")
            .x_labels(6)
            .x_label_formatter(&|x| format!("{x:.0}"))
            .y_label_formatter(&percent_label(low, high))
            .light_line_style(WHITE.mix(0.0))
            .bold_line_style(GRID)
            .axis_style(INK)
            .label_style(axis_text())
            .draw()?;
        // The best is drawn last, on top of the others.
        for curve in self.curves.iter().rev() {
            self.line(&mut chart, curve)?;
        }
        let base = area.get_base_pixel();
        let pixel = |y: f64| {
            let (x, y) = chart.backend_coord(&(last, y.clamp(low, high)));
            (x - base.0, y - base.1)
        };
        let ends: Vec<(i32, i32)> = self.named.iter().map(|curve| pixel(curve.last())).collect();
        self.names(area, &ends, (f64::from(pixel(high).1), f64::from(pixel(low).1)))
    }

    /// The band of one method and, on top of it, its line.
    fn line(&self, chart: &mut Context<'_, '_>, curve: &Curve<'_>) -> Result<(), PictureError> {
        let Look { colour, dashed } = look(curve.method);
        if self.bands {
            let mut outline = curve.points(1.0, self);
            outline.extend(curve.points(-1.0, self).into_iter().rev());
            chart.draw_series(std::iter::once(Polygon::new(outline, colour.mix(0.09).filled())))?;
        }
        let wide = if matches!(curve.method, "sam" | "info-asam") { 3 } else { 2 };
        let (line, style) = (curve.points(0.0, self), colour.stroke_width(wide));
        if dashed {
            chart.draw_series(DashedLineSeries::new(line, 7, 4, style))?;
        } else {
            chart.draw_series(LineSeries::new(line, style))?;
        }
        Ok(())
    }

    /// The methods' names with their last value, at the right of their lines, in the order of those values.
    fn names(
        &self,
        area: &Area<'_>,
        ends: &[(i32, i32)],
        (top, bottom): (f64, f64),
    ) -> Result<(), PictureError> {
        let wishes: Vec<f64> = ends.iter().map(|&(_, y)| f64::from(y)).collect();
        let places = spread(&wishes, LABEL_GAP, top, bottom);
        for ((curve, &(x, y)), place) in self.named.iter().zip(ends).zip(places) {
            let Look { colour, dashed } = look(curve.method);
            let place = place.round() as i32;
            let leader = vec![(x + 2, y), (x + 20, place)];
            area.draw(&PathElement::new(leader, colour.mix(0.6).stroke_width(1)))?;
            let swatch: &[(i32, i32)] = if dashed { &[(22, 28), (31, 37)] } else { &[(22, 37)] };
            for &(from, to) in swatch {
                let stroke = vec![(x + from, place), (x + to, place)];
                area.draw(&PathElement::new(stroke, colour.stroke_width(3)))?;
            }
            let name = Text::new(curve.label(), (x + LEADER, place), text_style(INK, HPos::Left));
            area.draw(&name)?;
        }
        Ok(())
    }
}
