//! The pictures hold what they must; `PRESAM_PICTURES=DIR` also leaves them there, to be looked at.

use plotters::style::RGBColor;

use super::super::page::report_html;
use super::super::sample;
use super::*;

#[test]
fn both_pictures_name_every_method_and_their_axes() {
    let methods = sample::all_methods();
    let results = sample::results(&methods, &[0.6], 5);
    let (curves, sharpness) = (curves_svg(&results).unwrap(), sharpness_svg(&results).unwrap());
    for method in &methods {
        assert_eq!(curves.matches(&format!("\n{method} ")).count(), 1, "{method}");
        assert_eq!(sharpness.matches(&format!("\n{method}\n")).count(), 1, "{method}");
    }
    for (svg, axis) in [(&curves, "epoch (band"), (&sharpness, "largest Hessian eigenvalue")] {
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        assert!(svg.contains("test accuracy in %") && svg.contains(axis));
        assert!(svg.contains("60 % of the training labels redrawn, 54 % wrong"));
        assert!(!svg.contains("NaN") && !svg.contains("inf\""), "a coordinate is not a number");
    }
    leave("one", &results);
}

#[test]
fn what_is_not_ranked_is_left_out_and_named() {
    let mut results = sample::results(&["sgd", "sam", "info-sam-draft"], &[0.6], 5);
    let whole = curves_svg(&results).unwrap();
    results.summary[2].skipped_share = 0.9;
    for run in results.runs.iter_mut().filter(|run| run.method == "info-sam-draft") {
        run.history.iter_mut().for_each(|epoch| epoch.test_accuracy = 0.01);
        run.final_test_accuracy = 0.01;
    }
    let (curves, sharpness) = (curves_svg(&results).unwrap(), sharpness_svg(&results).unwrap());
    for svg in [&curves, &sharpness] {
        assert_eq!(svg.matches("info-sam-draft").count(), 1);
        assert!(svg.contains("not shown: info-sam-draft (not ranked; the table says why)"));
    }
    assert!(!whole.contains("not shown"));
    // A collapse to 1 % would have stretched the axis down to 0.
    assert!(!curves.contains("\n0\n"), "the axis starts where the ranked methods are");
    results.summary[1].hessian_eigenvalue = None;
    assert!(
        sharpness_svg(&results).unwrap().contains("says why); sam (no positive eigenvalue)"),
        "two reasons"
    );
}

#[test]
fn names_stand_in_the_order_of_the_final_accuracies() {
    let mut results = sample::results(&["sgd", "sam", "asam", "vasso"], &[0.6], 1);
    // Differences far below a pixel.
    for (run, accuracy) in results.runs.iter_mut().zip([0.9, 0.900_002, 0.900_003, 0.900_001]) {
        run.history.iter_mut().for_each(|epoch| epoch.test_accuracy = accuracy);
    }
    let svg = curves_svg(&results).unwrap();
    let lines: Vec<&str> = svg.lines().collect();
    let height = |name: &str| -> i32 {
        let index = lines.iter().position(|line| line.starts_with(&format!("{name} "))).unwrap();
        let (_, rest) = lines[index - 1].split_once(" y=\"").unwrap();
        rest.split('"').next().unwrap().parse().unwrap()
    };
    let heights = ["asam", "sam", "vasso", "sgd"].map(height);
    assert!(heights.windows(2).all(|pair| pair[0] < pair[1]), "{heights:?}");
}

#[test]
fn every_level_of_noise_has_its_panel() {
    let results = sample::results(&["sgd", "sam", "asam", "info-asam"], &[0.0, 0.6], 5);
    assert_eq!(curves_svg(&results).unwrap().matches("Test accuracy while training").count(), 2);
    assert_eq!(sharpness_svg(&results).unwrap().matches("Sharpness and test accuracy").count(), 2);
    leave("two", &results);
}

#[test]
fn collapsed_short_and_empty_runs_still_draw() {
    let mut results = sample::results(&["sgd", "sam"], &[0.6], 1);
    for run in &mut results.runs {
        run.history.truncate(1);
        run.hessian_eigenvalue = None;
    }
    results.summary.iter_mut().for_each(|row| row.hessian_eigenvalue = Some(-1.0));
    assert!(curves_svg(&results).unwrap().contains("\nsam "));
    assert!(!sharpness_svg(&results).unwrap().contains("\nsam\n"));
    results.runs.clear();
    results.summary.clear();
    assert!(curves_svg(&results).is_ok() && sharpness_svg(&results).is_ok());
}

#[test]
fn every_method_has_a_look_of_its_own() {
    let mut seen: Vec<(RGBColor, bool)> = Vec::new();
    for method in METHODS {
        let Look { colour, dashed } = look(method.name);
        assert!(!seen.contains(&(colour, dashed)), "{}", method.name);
        seen.push((colour, dashed));
    }
}

fn leave(name: &str, results: &Results) {
    let Some(folder) = std::env::var_os("PRESAM_PICTURES").map(std::path::PathBuf::from) else {
        return;
    };
    let (curves, sharpness) = (curves_svg(results).unwrap(), sharpness_svg(results).unwrap());
    std::fs::write(
        folder.join(format!("{name}-report.html")),
        report_html(results, Some(&curves), Some(&sharpness)),
    )
    .unwrap();
    std::fs::write(folder.join(format!("{name}-curves.svg")), curves).unwrap();
    std::fs::write(folder.join(format!("{name}-sharpness.svg")), sharpness).unwrap();
}
