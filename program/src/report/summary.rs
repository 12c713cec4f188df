//! From runs to one row a method: means, paired differences to SAM, time over SGD's.

use super::records::{Ending, Run, Summary};
use crate::stats::{distinct, mean, median, paired_difference, standard_error};

/// One [`Summary`] for each method and level of label noise, levels and methods in order of first appearance.
///
/// Differences are paired by seed: seeds that only one of the two methods ran are left out.
pub fn summarise(runs: &[Run]) -> Vec<Summary> {
    let levels = distinct(runs.iter().map(|run| run.label_noise));
    let rows = levels.into_iter().flat_map(|level| {
        let own = runs.iter().filter(move |run| run.label_noise == level);
        let methods = distinct(own.map(|run| run.method.as_str()));
        methods.into_iter().filter_map(move |method| one(runs, level, method))
    });
    rows.collect()
}

fn one(runs: &[Run], level: f64, method: &str) -> Option<Summary> {
    let of = |name: &str| -> Vec<&Run> {
        runs.iter().filter(|run| run.label_noise == level && run.method == name).collect()
    };
    let own = of(method);
    let first = *own.first()?;
    let accuracies = column(&own, |run| run.final_test_accuracy);
    let to_sam = if method == "sam" { None } else { difference(&own, &of("sam")) };
    // Medians: one run beside a busy neighbour must not speak for the method.
    let step = |runs: &[&Run]| median(&column(runs, |run| run.seconds_per_step));
    let sgd_step = step(&of("sgd")).filter(|seconds| *seconds > 0.0);
    Some(Summary {
        method: method.to_owned(),
        label_noise: level,
        rho: first.rho,
        seeds: own.len(),
        paired_seeds: if method == "sam" { own.len() } else { pairs(&own, &of("sam")).0.len() },
        mean_test_accuracy: mean(&accuracies)?,
        standard_error: standard_error(&accuracies),
        best_test_accuracy: mean(&column(&own, |run| run.best_test_accuracy))?,
        difference_to_sam: to_sam.map(|difference| difference.mean),
        difference_to_sam_low: to_sam.and_then(|difference| difference.low),
        difference_to_sam_high: to_sam.and_then(|difference| difference.high),
        train_accuracy_clean: mean(&column(&own, |run| run.train_accuracy_clean))?,
        train_accuracy_noisy: mean(&column(&own, |run| run.train_accuracy_noisy))?,
        hessian_eigenvalue: present(&own, |run| run.hessian_eigenvalue),
        sam_sharpness: present(&own, |run| run.sam_sharpness),
        time_per_step_over_sgd: step(&own).zip(sgd_step).map(|(step, sgd)| step / sgd),
        skipped_share: mean(&column(&own, |run| run.skipped_share))?,
        perturbed_share: mean(&column(&own, |run| run.perturbed_share))?,
        gradient_change: present(&own, |run| run.gradient_change),
        equal_gradients_share: present(&own, |run| run.equal_gradients_share),
        chance: mean(&column(&own, |run| run.chance))?,
        at_chance: ended(&own, Ending::AtChance),
        never_moved: ended(&own, Ending::NeverMoved),
        diverged: ended(&own, Ending::Diverged),
        moved: first.rho.is_none()
            || own
                .iter()
                .any(|run| run.perturbed_share > 0.0 && run.mean_perturbation_length != 0.0),
    })
}

fn column(runs: &[&Run], value: impl Fn(&Run) -> f64) -> Vec<f64> {
    runs.iter().map(|run| value(run)).collect()
}

fn ended(runs: &[&Run], ending: Ending) -> usize {
    runs.iter().filter(|run| run.ending == ending).count()
}

fn present(runs: &[&Run], value: impl Fn(&Run) -> Option<f64>) -> Option<f64> {
    mean(&runs.iter().filter_map(|run| value(run)).collect::<Vec<_>>())
}

/// What both have of the seeds that both have.
fn pairs(own: &[&Run], sam: &[&Run]) -> (Vec<f64>, Vec<f64>) {
    let pairs = own.iter().filter_map(|run| {
        let partner = sam.iter().find(|other| other.seed == run.seed)?;
        Some((run.final_test_accuracy, partner.final_test_accuracy))
    });
    pairs.unzip()
}

fn difference(own: &[&Run], sam: &[&Run]) -> Option<crate::stats::PairedDifference> {
    let (a, b) = pairs(own, sam);
    paired_difference(&a, &b)
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn accuracies(runs: &mut [Run], method: &str, values: &[f64]) {
        for (run, &value) in runs.iter_mut().filter(|run| run.method == method).zip(values) {
            run.final_test_accuracy = value;
        }
    }

    #[test]
    fn differences_are_paired_by_seed_and_levels_kept_apart() {
        let mut runs = sample::runs(&["sgd", "sam", "asam"], &[0.6, 0.0], &[1, 2, 3, 4, 5]);
        runs.retain(|run| run.label_noise == 0.6 || run.method != "sam");
        accuracies(&mut runs, "sam", &[0.80, 0.81, 0.82, 0.83, 0.84]);
        accuracies(&mut runs, "asam", &[0.81, 0.83, 0.85, 0.87, 0.89]);
        // The order of the runs must not matter for the pairs.
        runs.reverse();
        let summary = summarise(&runs);
        let find = |level: f64, name: &str| {
            summary.iter().find(|s| s.label_noise == level && s.method == name).unwrap()
        };
        let asam = find(0.6, "asam");
        assert!((asam.mean_test_accuracy - 0.85).abs() < 1e-12);
        assert!((asam.difference_to_sam.unwrap() - 0.03).abs() < 1e-12);
        // Differences 1..5 points: half width 2.776445 * sqrt(2.5) / sqrt(5) points.
        assert!((asam.difference_to_sam_low.unwrap() - (0.03 - 0.01963243)).abs() < 1e-7);
        assert!((asam.difference_to_sam_high.unwrap() - (0.03 + 0.01963243)).abs() < 1e-7);
        assert_eq!(find(0.6, "sam").difference_to_sam, None);
        assert_eq!(find(0.0, "asam").difference_to_sam, None);
        assert_eq!(find(0.6, "sgd").time_per_step_over_sgd, Some(1.0));
        assert_eq!(summary.len(), 5);
        assert!(
            summary.windows(2).filter(|pair| pair[0].label_noise != pair[1].label_noise).count()
                == 1
        );
    }

    #[test]
    fn seeds_without_a_partner_and_lone_seeds_give_no_interval() {
        let mut runs = sample::runs(&["sam", "asam"], &[0.6], &[1, 2]);
        runs.retain(|run| !(run.method == "sam" && run.seed == 2));
        let summary = summarise(&runs);
        assert!(summary[1].difference_to_sam.is_some());
        assert_eq!((summary[1].difference_to_sam_low, summary[0].standard_error), (None, None));
        assert_eq!(summary[1].time_per_step_over_sgd, None);
        assert!(summarise(&[]).is_empty());
    }

    #[test]
    fn a_method_that_perturbs_nothing_is_told_from_one_that_should() {
        let mut runs = sample::runs(&["sgd", "sam", "asam"], &[0.6], &[1, 2]);
        runs.iter_mut()
            .filter(|run| run.method == "sam")
            .for_each(|run| run.mean_perturbation_length = 0.0);
        runs.iter_mut()
            .filter(|run| run.method == "asam" && run.seed == 1)
            .for_each(|run| run.perturbed_share = 0.0);
        let moved: Vec<bool> = summarise(&runs).iter().map(|summary| summary.moved).collect();
        assert_eq!(moved, [true, false, true]);
    }
}
