//! Sharpness against test accuracy: a small dot a run, a large one a method's mean; beside it the methods
//! close to the best, enlarged.

use plotters::prelude::*;

use super::{CLOSE, HEIGHT, LEGEND, Look, framed, is_shown, left_out, look, percent_label};
use crate::report::records::{Results, Run, Summary};
use crate::report::table::ranked;
use crate::show::chart::{Area, Axis, Mark, PictureError, chart, legend, panels, whole_range};

/// A method at (log10 of the eigenvalue, accuracy in percent).
type Point<'a> = ((f64, f64), &'a str);
/// Both axes: logarithms of eigenvalues, and percent.
type Frame = ((f64, f64), (f64, f64));

/// The picture as SVG text. Runs without a positive eigenvalue have no place on its logarithmic axis.
///
/// # Errors
/// None that records can cause; the drawing crate's own is passed on.
pub fn sharpness_svg(results: &Results) -> Result<String, PictureError> {
    panels(HEIGHT, &results.noise_levels(), |area, &level| {
        let runs = results.runs.iter().filter(|run| run.label_noise == level);
        let runs = runs.filter(|run| is_shown(results, level, &run.method));
        let dots: Vec<Point<'_>> = runs.filter_map(of_run).collect();
        let mut means = ranked(&results.summary, level);
        means.retain(|row| row.is_ranked());
        let marks: Vec<Point<'_>> = means.iter().copied().filter_map(of_mean).collect();
        let note = note(results, level, &means);
        let name = results.data.measure.name();
        let what = format!("Sharpness and {name}");
        let [left, right, names] = framed(area, &what, (results, level), &note)?;
        let best = marks.iter().map(|((_, y), _)| *y).fold(f64::NEG_INFINITY, f64::max);
        let mut close = marks.clone();
        close.retain(|((_, y), _)| *y >= best - CLOSE);

        let name = format!("{name} in %");
        draw(&left, &dots, &marks, frame(&dots, 5.0), ("a small dot: one run", &name))?;
        let large = "enlarged; large: mean over the seeds";
        draw(&right, &dots, &close, frame(&close, 0.5), (large, &name))?;
        let entry = |&(_, method): &Point<'_>| {
            let Look { colour, dashed } = look(method);
            (method.to_owned(), colour, if dashed { Mark::Ring } else { Mark::Disc })
        };
        legend(&names, LEGEND.0, LEGEND.1, marks.iter().map(entry))
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

fn of_run(run: &Run) -> Option<Point<'_>> {
    Some((point(run.hessian_eigenvalue, run.final_test_accuracy)?, run.method.as_str()))
}

fn of_mean(row: &Summary) -> Option<Point<'_>> {
    Some((point(row.hessian_eigenvalue, row.mean_test_accuracy)?, row.method.as_str()))
}

fn point(eigenvalue: Option<f64>, accuracy: f64) -> Option<(f64, f64)> {
    let eigenvalue = eigenvalue.filter(|value| value.is_finite() && *value > 0.0)?;
    Some((eigenvalue.log10(), 100.0 * accuracy))
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

/// A frame around the points, a tenth wider to both sides.
fn frame(points: &[Point<'_>], step: f64) -> Frame {
    let (low, high) =
        whole_range(points.iter().map(|((_, y), _)| *y), step).unwrap_or((0.0, 100.0));
    let (left, right) =
        whole_range(points.iter().map(|((x, _), _)| *x), 0.05).unwrap_or((0.0, 1.0));
    let room = 0.1 * (right - left);
    ((left - room, right + room), (low.max(0.0), high.min(100.0)))
}

/// The runs and, over them, the means: a disc, or a ring for the methods whose lines are dashed.
fn draw(
    area: &Area<'_>,
    dots: &[Point<'_>],
    marks: &[Point<'_>],
    ((left, right), (low, high)): Frame,
    (what, name): (&str, &str),
) -> Result<(), PictureError> {
    let sharpness = Axis {
        name: &format!("largest Hessian eigenvalue, logarithmic ({what})"),
        range: left..right,
        label: &|log| eigenvalue_label(10.0_f64.powf(*log)),
    };
    let label = percent_label(low, high);
    let accuracy = Axis { name, range: low..high, label: &label };
    let mut chart = chart(area, sharpness, ticks(left, right), accuracy)?;
    let inside =
        |&&((x, y), _): &&Point<'_>| (left..=right).contains(&x) && (low..=high).contains(&y);
    chart.draw_series(
        dots.iter()
            .filter(inside)
            .map(|&(at, method)| Circle::new(at, 2, look(method).colour.mix(0.45).filled())),
    )?;
    for &(at, method) in marks.iter().filter(inside) {
        let Look { colour, dashed } = look(method);
        let inner = if dashed { WHITE.filled() } else { colour.filled() };
        let disc = [Circle::new(at, 6, inner), Circle::new(at, 6, colour.stroke_width(2))];
        chart.draw_series(disc)?;
    }
    Ok(())
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
