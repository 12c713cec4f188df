//! Draws preSAM's convergence rate: mean squared gradient norm over the number of steps, both axes
//! logarithmic, one line a rule with bounded preconditioners, and a line of slope -1/2 beside them.
//!
//! `cargo run -p presam-tests --example convergence [FILE.svg]`

use plotters::prelude::*;
use presam::variants::{ALL, Claim};
use presam_conformance::Rule;
use presam_tests::problem::{Rate, curve, fitted_slope};
use std::error::Error;

const SEEDS: u64 = 6;

/// A line of the picture: its name, its points, its slope.
struct Line {
    name: String,
    points: Vec<(f64, f64)>,
}

fn lines() -> Result<Vec<Line>, Box<dyn Error>> {
    let mut lines = Vec::new();
    for info in ALL.iter().filter(|info| info.claims.contains(&Claim::Bounded)) {
        let rule = Rule::from_name(info.name).ok_or("a rule that the oracle lacks")?;
        let points = curve(rule, Rate::Falling, SEEDS)?;
        let name = format!("{rule}, slope {:.3}", fitted_slope(&points));
        println!("{name}");
        lines.push(Line { name, points });
    }
    let reference = |&(steps, _): &(f64, f64)| (steps, 24.0 / steps.sqrt());
    let points = lines.first().map(|line| line.points.iter().map(reference).collect());
    lines.push(Line { name: "slope -1/2".into(), points: points.unwrap_or_default() });
    Ok(lines)
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "convergence.svg".into());
    let lines = lines()?;
    let values = || lines.iter().flat_map(|line| &line.points);
    let range = |f: fn(&(f64, f64)) -> f64| {
        let low = values().map(f).fold(f64::INFINITY, f64::min);
        let high = values().map(f).fold(0.0, f64::max);
        (low * 0.8..high * 1.25).log_scale()
    };
    let area = SVGBackend::new(&path, (900, 600)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("preSAM: eta and rho proportional to 1/sqrt(T)", ("sans-serif", 22))
        .margin(12)
        .x_label_area_size(48)
        .y_label_area_size(72)
        .build_cartesian_2d(range(|p| p.0), range(|p| p.1))?;
    chart
        .configure_mesh()
        .x_desc("steps T")
        .y_desc("mean of |grad f(w)|^2 over the T steps")
        .x_labels(4)
        .y_labels(20)
        .light_line_style(TRANSPARENT)
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.1}"))
        .draw()?;
    for (index, line) in lines.iter().enumerate() {
        let colour = Palette99::pick(index).stroke_width(2);
        chart
            .draw_series(LineSeries::new(line.points.iter().copied(), colour))?
            .label(line.name.as_str())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .border_style(BLACK)
        .background_style(WHITE)
        .draw()?;
    area.present()?;
    println!("{path}");
    Ok(())
}
