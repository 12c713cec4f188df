//! Sharpness against test accuracy: a small dot a run, a large one a method's mean; beside it the methods
//! close to the best, enlarged.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::labels::{Rect, place};
use super::{
    Area, CLOSE, GRID, INK, Look, PictureError, axis_text, framed, headed, is_shown, left_out,
    look, panels, percent_label, text_style, whole_range,
};
use crate::report::{Results, Run, Summary};

/// A method's name at (log10 of the eigenvalue, accuracy in percent).
type Mark<'a> = ((f64, f64), &'a str);

/// Both axes: logarithms of eigenvalues, and percent.
type Frame = ((f64, f64), (f64, f64));

/// The picture as SVG text. Runs without a positive eigenvalue have no place on its logarithmic axis.
///
/// # Errors
/// None that records can cause; the drawing crate's own is passed on.
pub fn sharpness_svg(results: &Results) -> Result<String, PictureError> {
    panels(&headed(results), |area, (level, title)| {
        let shown =
            |level_of: f64, method: &str| level_of == *level && is_shown(results, *level, method);
        let runs = results.runs.iter().filter(|run| shown(run.label_noise, &run.method));
        let means: Vec<&Summary> =
            results.summary.iter().filter(|row| shown(row.label_noise, &row.method)).collect();
        let dots: Vec<Mark<'_>> = runs.filter_map(of_run).collect();
        let marks: Vec<Mark<'_>> = means.iter().copied().filter_map(of_mean).collect();
        let title = format!("Sharpness and test accuracy: {title}");
        let (left, right) = framed(area, title, note(results, *level, &means))?;
        let best = marks.iter().map(|((_, y), _)| *y).fold(f64::NEG_INFINITY, f64::max);
        let (close, far): (Vec<Mark<'_>>, Vec<Mark<'_>>) =
            marks.iter().partition(|((_, y), _)| *y >= best - CLOSE);
        chart(&left, &dots, &marks, &far, whole_frame(&dots), "a small dot: one run")?;
        chart(
            &right,
            &dots,
            &close,
            &close,
            close_frame(&close),
            "enlarged; large: mean over the seeds",
        )
    })
}

/// Who is left out, and why.
fn note(results: &Results, level: f64, shown: &[&Summary]) -> String {
    let mut note = left_out(results, level);
    let flat = shown.iter().filter(|row| of_mean(row).is_none()).map(|row| row.method.as_str());
    let flat: Vec<&str> = flat.collect();
    if !flat.is_empty() {
        let start = if note.is_empty() { "not shown: " } else { "; " };
        note += &format!("{start}{} (no positive eigenvalue)", flat.join(", "));
    }
    note
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

/// One chart: all `dots` and `marks` inside `frame`, names beside those that are `named`.
fn chart(
    area: &Area<'_>,
    dots: &[Mark<'_>],
    marks: &[Mark<'_>],
    named: &[Mark<'_>],
    ((left, right), (low, high)): Frame,
    what: &str,
) -> Result<(), PictureError> {
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .margin_right(16)
        .x_label_area_size(48)
        .y_label_area_size(60)
        .build_cartesian_2d(LogAxis(left..right), low..high)?;
    chart
        .configure_mesh()
        .x_desc(format!("largest Hessian eigenvalue, logarithmic ({what})"))
        .y_desc("test accuracy in %")
        .y_label_formatter(&percent_label(low, high))
        .light_line_style(WHITE.mix(0.0))
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(axis_text())
        .draw()?;
    let inside =
        |&&((x, y), _): &&Mark<'_>| (left..=right).contains(&x) && (low..=high).contains(&y);
    for &(at, method) in dots.iter().filter(inside) {
        let colour = look(method).colour.mix(0.45);
        chart.draw_series(std::iter::once(Circle::new(at, 2, colour.filled())))?;
    }
    let base = area.get_base_pixel();
    let pixel = |&(at, _): &Mark<'_>| {
        let (x, y) = chart.backend_coord(&at);
        (f64::from(x - base.0), f64::from(y - base.1))
    };
    let dots: Vec<(f64, f64)> = dots.iter().filter(inside).map(pixel).collect();
    let names: Vec<String> = named.iter().map(|(_, method)| (*method).to_owned()).collect();
    let centres: Vec<(f64, f64)> = named.iter().map(pixel).collect();
    let ((left, top), (right, bottom)) = (pixel(&((left, high), "")), pixel(&((right, low), "")));
    let bounds = Rect { left, top, right, bottom };
    write_names(area, &names, &centres, &place(&centres, &dots, &names, &bounds))?;
    marks.iter().try_for_each(|mark| draw_mark(area, mark.1, pixel(mark)))
}

/// A frame around every run, with room for a name.
fn whole_frame(dots: &[Mark<'_>]) -> Frame {
    let (low, high) = whole_range(dots.iter().map(|((_, y), _)| *y), 5.0).unwrap_or((0.0, 100.0));
    let (left, right) = whole_range(dots.iter().map(|((x, _), _)| *x), 0.05).unwrap_or((0.0, 1.0));
    ((left - 0.05, right + 0.1), (low.max(0.0), high.min(100.0)))
}

/// A frame around the means alone, with room for their names.
fn close_frame(marks: &[Mark<'_>]) -> Frame {
    let (low, high) = whole_range(marks.iter().map(|((_, y), _)| *y), 0.5).unwrap_or((0.0, 100.0));
    let (left, right) = whole_range(marks.iter().map(|((x, _), _)| *x), 0.05).unwrap_or((0.0, 1.0));
    let room = 0.1 * (right - left);
    ((left - room, right + room), (low.max(0.0), high.min(100.0)))
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

/// A mean: a disc, or a ring for the methods whose lines are dashed.
fn draw_mark(area: &Area<'_>, name: &str, (x, y): (f64, f64)) -> Result<(), PictureError> {
    let Look { colour, dashed } = look(name);
    let centre = (x.round() as i32, y.round() as i32);
    area.draw(&Circle::new(centre, 6, if dashed { WHITE.filled() } else { colour.filled() }))?;
    area.draw(&Circle::new(centre, 6, colour.stroke_width(2)))?;
    Ok(())
}

/// The names, each with a line to its mark.
fn write_names(
    area: &Area<'_>,
    names: &[String],
    centres: &[(f64, f64)],
    labels: &[Rect],
) -> Result<(), PictureError> {
    let whole = |(x, y): (f64, f64)| (x.round() as i32, y.round() as i32);
    for ((name, &centre), label) in names.iter().zip(centres).zip(labels) {
        let near = label.near(centre);
        let left_of = label.right < centre.0;
        let (side, gap) = if left_of { (HPos::Right, -2) } else { (HPos::Left, 2) };
        let leader = vec![whole(centre), whole(near)];
        area.draw(&PathElement::new(leader, look(name).colour.mix(0.5).stroke_width(1)))?;
        let at = (whole(near).0 + gap, whole(near).1);
        area.draw(&Text::new(name.as_str(), at, text_style(INK, side)))?;
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
