//! Sharpness against test accuracy: a small dot a run, a large one a method's mean.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::labels::{Rect, place};
use super::{
    Area, GRID, INK, Look, PictureError, axis_text, caption_style, headed, look, panels,
    percent_label, text_style, whole_range,
};
use crate::report::{Results, Run, Summary};

/// A method's name at (log10 of the eigenvalue, accuracy in percent).
type Mark<'a> = ((f64, f64), &'a str);

/// The picture as SVG text. Runs without a positive eigenvalue have no place on its logarithmic axis.
///
/// # Errors
/// None that records can cause; the drawing crate's own is passed on.
pub fn sharpness_svg(results: &Results) -> Result<String, PictureError> {
    panels(&headed(results), |area, (level, title)| {
        let runs = results.runs.iter().filter(|run| run.label_noise == *level);
        let means = results.summary.iter().filter(|row| row.label_noise == *level);
        let dots: Vec<Mark<'_>> = runs.filter_map(of_run).collect();
        let marks: Vec<Mark<'_>> = means.filter_map(of_mean).collect();
        panel(area, &dots, &marks, title)
    })
}

fn of_run(run: &Run) -> Option<Mark<'_>> {
    Some((point(run.hessian_eigenvalue, run.final_test_accuracy)?, run.method.as_str()))
}

fn of_mean(row: &Summary) -> Option<Mark<'_>> {
    Some((point(row.hessian_eigenvalue, row.mean_test_accuracy)?, row.method.as_str()))
}

fn point(eigenvalue: Option<f64>, accuracy: f64) -> Option<(f64, f64)> {
    let eigenvalue = eigenvalue.filter(|value| value.is_finite() && *value > 0.0)?;
    Some((eigenvalue.log10(), 100.0 * accuracy))
}

/// An axis of decimal logarithms whose marks are round numbers: the crate's own doubles some of them.
struct LogAxis(Range<f64>);

impl Ranged for LogAxis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let share = (value - self.0.start) / (self.0.end - self.0.start);
        from + (share * f64::from(to - from)).round() as i32
    }

    fn key_points<H: KeyPointHint>(&self, _: H) -> Vec<f64> {
        ticks(self.0.start, self.0.end)
    }

    fn range(&self) -> Range<f64> {
        self.0.clone()
    }
}

impl ValueFormatter<f64> for LogAxis {
    fn format(log: &f64) -> String {
        eigenvalue_label(10.0_f64.powf(*log))
    }
}

/// Round eigenvalues between the ends of the axis (as logarithms), three or more where there are any.
fn ticks(left: f64, right: f64) -> Vec<f64> {
    let coarse = [1.0, 2.0, 5.0].to_vec();
    let fine = (1..10).map(f64::from).collect();
    let finest = (10..100).map(|tenths| f64::from(tenths) / 10.0).collect();
    let mut chosen: Vec<f64> = Vec::new();
    for mantissas in [coarse, fine, finest] {
        let decades = (left.floor() as i32)..=(right.floor() as i32);
        chosen = decades
            .flat_map(|decade| mantissas.iter().map(move |m: &f64| m.log10() + f64::from(decade)))
            .filter(|tick| (left..=right).contains(tick))
            .collect();
        if chosen.len() >= 3 {
            break;
        }
    }
    chosen
}

fn panel(
    area: &Area<'_>,
    dots: &[Mark<'_>],
    marks: &[Mark<'_>],
    title: &str,
) -> Result<(), PictureError> {
    let ((left, right), (low, high)) = ranges(dots);
    let mut chart = ChartBuilder::on(area)
        .caption(format!("Sharpness and test accuracy: {title}"), caption_style())
        .margin(12)
        .margin_right(30)
        .x_label_area_size(48)
        .y_label_area_size(60)
        .build_cartesian_2d(LogAxis(left..right), low..high)?;
    chart
        .configure_mesh()
        .x_desc("largest Hessian eigenvalue, logarithmic (small dot: one run; large: mean over the seeds)")
        .y_desc("test accuracy in %")
        .y_label_formatter(&percent_label(low, high))
        .light_line_style(WHITE.mix(0.0))
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(axis_text())
        .draw()?;
    for &(at, method) in dots {
        let colour = look(method).colour.mix(0.45);
        chart.draw_series(std::iter::once(Circle::new(at, 2, colour.filled())))?;
    }
    let base = area.get_base_pixel();
    let pixel = |&(at, _): &Mark<'_>| {
        let (x, y) = chart.backend_coord(&at);
        (f64::from(x - base.0), f64::from(y - base.1))
    };
    let names: Vec<String> = marks.iter().map(|(_, method)| (*method).to_owned()).collect();
    let centres: Vec<(f64, f64)> = marks.iter().map(pixel).collect();
    let dots: Vec<(f64, f64)> = dots.iter().map(pixel).collect();
    let ((left, top), (right, bottom)) = (pixel(&((left, high), "")), pixel(&((right, low), "")));
    let bounds = Rect { left, top, right, bottom };
    named(area, &names, &centres, &place(&centres, &dots, &names, &bounds))
}

/// The ends of both axes: logarithms of eigenvalues with room for a name, and percent.
fn ranges(dots: &[Mark<'_>]) -> ((f64, f64), (f64, f64)) {
    let accuracies = dots.iter().map(|((_, y), _)| *y);
    let (low, high) = whole_range(accuracies, 5.0).unwrap_or((0.0, 100.0));
    let logs = dots.iter().map(|((x, _), _)| *x);
    let (left, right) = whole_range(logs, 0.05).unwrap_or((0.0, 1.0));
    ((left - 0.05, right + 0.1), (low.max(0.0), high.min(100.0)))
}

/// Three significant digits, without an exponent where a person can read it.
fn eigenvalue_label(value: f64) -> String {
    match value {
        value if !(1e-3..1e6).contains(&value) => format!("{value:.1e}"),
        value if value >= 10.0 => format!("{value:.0}"),
        value => {
            let text = format!("{value:.4}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    }
}

/// The means as large marks (a ring for the dashed methods), each with its name.
fn named(
    area: &Area<'_>,
    names: &[String],
    centres: &[(f64, f64)],
    labels: &[Rect],
) -> Result<(), PictureError> {
    let whole = |value: f64| value.round() as i32;
    for ((name, &(x, y)), label) in names.iter().zip(centres).zip(labels) {
        let Look { colour, dashed } = look(name);
        let middle = whole((label.top + label.bottom) / 2.0);
        let left_of = label.right < x;
        let (near, side) =
            if left_of { (label.right, HPos::Right) } else { (label.left, HPos::Left) };
        let centre = (whole(x), whole(y));
        area.draw(&PathElement::new(
            vec![centre, (whole(near), middle)],
            colour.mix(0.5).stroke_width(1),
        ))?;
        area.draw(&Circle::new(centre, 6, if dashed { WHITE.filled() } else { colour.filled() }))?;
        area.draw(&Circle::new(centre, 6, colour.stroke_width(2)))?;
        area.draw(&Text::new(
            name.as_str(),
            (whole(near) + if left_of { -2 } else { 2 }, middle),
            text_style(INK, side),
        ))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_never_doubled() {
        let values = |low: f64, high: f64| -> Vec<String> {
            ticks(low.log10(), high.log10())
                .into_iter()
                .map(|tick| eigenvalue_label(10.0_f64.powf(tick)))
                .collect()
        };
        assert_eq!(values(4.0, 120.0), ["5", "10", "20", "50", "100"]);
        assert_eq!(values(2.5, 6.5), ["3", "4", "5", "6"]);
        assert_eq!(values(7.05, 7.45), ["7.1", "7.2", "7.3", "7.4"]);
        assert_eq!(eigenvalue_label(2e7), "2.0e7");
    }
}
