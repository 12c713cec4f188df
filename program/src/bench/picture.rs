//! [`fractions_svg`]: the share of the copy's bandwidth over the number of parameters, a line a phase.
//!
//! One panel a rule, warm left and cold right. Flat sizes are joined by lines, dashed where replayed from
//! a graph; networks stand beside them as open circles, since many tensors are another kind of size.

use plotters::prelude::*;

use super::job::{ANY_RULE, Base, Cache, Phase};
use super::record::{Measurement, Record};
use super::table::grouped;
use crate::show::chart::{
    Area, Axis, Chart, INK, Mark, PictureError, WIDTH, chart, legend, line, panels, titled,
};
use crate::stats::distinct;

const HEIGHT: u32 = 430;
/// Where the legend begins.
const LEGEND: (i32, i32) = (76, 12);
/// Room for the longest name with its line.
const LEGEND_STEP: (i32, i32) = (132, 0);
/// The legend's height.
const LEGEND_ROOM: u32 = 26;

/// A phase's colour: Okabe and Ito's, which every common form of colour blindness tells apart.
fn colour(phase: Phase) -> RGBColor {
    match phase {
        Phase::Accumulate => RGBColor(0, 114, 178),
        Phase::Ascend => RGBColor(230, 159, 0),
        Phase::AscendInPlace => RGBColor(204, 121, 167),
        Phase::Restore => RGBColor(140, 140, 140),
        Phase::Descend => RGBColor(0, 158, 115),
        Phase::Step => RGBColor(0, 0, 0),
    }
}

/// The picture as SVG text.
///
/// # Errors
/// None that a record can cause; the drawing crate's own is passed on.
pub fn fractions_svg(record: &Record) -> Result<String, PictureError> {
    panels(HEIGHT, &rules(record), |area, panel| panel.draw(area, &record.header.device))
}

/// A rule with the rows of its own phases and of those that are the same for every rule.
struct Panel<'a> {
    rule: &'a str,
    rows: Vec<&'a Measurement>,
}

/// Rows of AdamW stand in no panel: a step descends with SGD.
fn rules(record: &Record) -> Vec<Panel<'_>> {
    let shared = [ANY_RULE, Base::SgdMomentum.name()];
    let every = [ANY_RULE, Base::SgdMomentum.name(), Base::AdamW.name()];
    let named = record.measurements.iter().map(|row| row.rule.as_str());
    let mut rules = distinct(named.filter(|rule| !every.contains(rule)));
    if rules.is_empty() {
        rules.push(Base::SgdMomentum.name());
    }
    let belongs = |rule: &str, row: &Measurement| {
        (row.rule == rule || shared.contains(&row.rule.as_str())) && row.fraction_of_copy.is_some()
    };
    let panel = |rule| Panel {
        rule,
        rows: record.measurements.iter().filter(|row| belongs(rule, row)).collect(),
    };
    rules.into_iter().map(panel).collect()
}

impl Panel<'_> {
    fn draw(&self, area: &Area<'_>, device: &str) -> Result<(), PictureError> {
        let title = format!("{}: share of the bandwidth of a copy, {device}", self.rule);
        let inner = titled(area, &title, "")?;
        let (above, charts) = inner.split_vertically(LEGEND_ROOM);
        legend(&above, LEGEND, LEGEND_STEP, self.marks())?;
        let (left, right) = charts.split_horizontally(WIDTH / 2);
        self.chart(&left, Cache::Warm)?;
        self.chart(&right, Cache::Cold)
    }

    /// Every phase of the panel, and the other marks.
    fn marks(&self) -> Vec<(String, RGBColor, Mark)> {
        let any = |wanted: &dyn Fn(&Measurement) -> bool| self.rows.iter().any(|row| wanted(row));
        let shown = Phase::ALL.into_iter().filter(|phase| any(&|row| row.phase == *phase));
        let mut marks: Vec<(String, RGBColor, Mark)> =
            shown.map(|phase| (phase.name().to_owned(), colour(phase), Mark::Line)).collect();
        if any(&|row| row.tensors > 1) {
            marks.push(("network".to_owned(), INK, Mark::Ring));
        }
        if any(&|row| row.graph) {
            marks.push(("graph".to_owned(), INK, Mark::Dashes));
        }
        marks
    }

    /// Decades of parameters that hold every row of the panel, for both charts alike.
    fn decades(&self) -> (f64, f64) {
        let logs = || self.rows.iter().map(|row| decade(row));
        let low = logs().fold(f64::INFINITY, f64::min).floor();
        let high = logs().fold(f64::NEG_INFINITY, f64::max).ceil();
        if low < high {
            (low, high)
        } else if low == high {
            (low - 1.0, low + 1.0)
        } else {
            (3.0, 8.0)
        }
    }

    /// The highest share, to the next fifth; 1.2 at least, so that the copy's line is in the picture.
    fn top(&self) -> f64 {
        let shares = self.rows.iter().filter_map(|row| row.fraction_of_copy);
        (shares.fold(1.15, f64::max) * 5.0).ceil() / 5.0
    }

    fn chart(&self, area: &Area<'_>, cache: Cache) -> Result<(), PictureError> {
        let ((low, high), top) = (self.decades(), self.top());
        let name = match cache {
            Cache::Warm => "parameters; warm: planes in the last cache",
            Cache::Cold => "parameters; cold: planes in memory",
        };
        let params = Axis { name, range: low..high, label: &|x| power_of_ten(*x) };
        let share = Axis {
            name: "% of the copy",
            range: 0.0..top,
            label: &|y| format!("{:.0}", 100.0 * y),
        };
        let decades = (low as i32..=high as i32).map(f64::from).collect();
        let mut chart = chart(area, params, decades, share)?;
        let copy = vec![(low, 1.0), (high, 1.0)];
        chart.draw_series(DashedLineSeries::new(copy, 3, 3, INK.mix(0.6).stroke_width(1)))?;
        for phase in Phase::ALL {
            for graph in [false, true] {
                let chosen = |row: &&&Measurement| {
                    row.phase == phase && row.cache == cache && row.graph == graph
                };
                let rows: Vec<&Measurement> = self.rows.iter().filter(chosen).copied().collect();
                phase_line(&mut chart, &rows, colour(phase), graph)?;
            }
        }
        Ok(())
    }
}

/// The flat sizes of one phase as a line with dots, its networks as circles.
fn phase_line(
    chart: &mut Chart<'_, '_>,
    rows: &[&Measurement],
    colour: RGBColor,
    dashed: bool,
) -> Result<(), PictureError> {
    let point = |row: &&Measurement| (decade(row), row.fraction_of_copy.unwrap_or(f64::NAN));
    let (flat, networks): (Vec<&Measurement>, Vec<_>) =
        rows.iter().partition(|row| row.tensors == 1);
    let mut points: Vec<(f64, f64)> = flat.iter().map(point).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let style = colour.stroke_width(2);
    chart.draw_series(points.iter().map(|&point| Circle::new(point, 3, colour.filled())))?;
    chart.draw_series(networks.iter().map(|row| Circle::new(point(row), 4, style)))?;
    line(chart, points, style, dashed)
}

/// The decimal logarithm of a row's parameters.
fn decade(row: &Measurement) -> f64 {
    (row.params.max(1) as f64).log10()
}

/// 1,000 up to a thousand and 1e6 beyond.
fn power_of_ten(decade: f64) -> String {
    if decade <= 3.0 { grouped(10f64.powf(decade) as u64) } else { format!("1e{decade}") }
}

#[cfg(test)]
mod tests {
    use super::super::fake::record;
    use super::*;

    #[test]
    fn a_panel_a_rule_a_line_a_phase_and_mode() {
        let record = record("1e4,1e6,resnet-18", "/(sam|asam|any|sgd-momentum|adamw)/");
        let svg = fractions_svg(&record).unwrap();
        for title in ["sam: share of the bandwidth of a copy, fake", "asam: share"] {
            assert!(svg.contains(title), "{title}");
        }
        assert!(!svg.contains("adamw: "));
        // Per panel: two charts, six phases, two modes, one network and two flat sizes each; one in the legend.
        let circles = svg.matches("<circle").count();
        assert_eq!(circles, 2 * (2 * 6 * 2 * 3 + 1));
        for phase in Phase::ALL {
            assert!(svg.contains(&format!("\n{}\n", phase.name())), "{}", phase.name());
        }
    }

    #[test]
    fn a_single_size_and_rows_without_a_rule_have_a_picture_too() {
        let svg = fractions_svg(&record("640", "^(restore|descend)/")).unwrap();
        assert!(svg.contains("sgd-momentum: share"));
        assert_eq!([2.0, 3.0, 6.0].map(power_of_ten), ["100", "1,000", "1e6"]);
    }
}
