//! What a comparison shows, in one or two sentences a level of label noise, and no more than it shows.
//!
//! Whatever is said of a method rests on its 95 % interval of paired differences to SAM: above 0 it beat SAM,
//! below 0 it lost, else these seeds cannot tell. Each interval stands alone; with many methods, one in twenty
//! misses by chance.

use super::table::{percent, ranked};
use super::{Summary, Tuned};
use crate::config::Config;

/// Seed counts that a suggestion may name: round, and the largest still a night's work.
const ROUND: [usize; 5] = [24, 50, 100, 200, 400];

/// The sentences, for all levels of label noise of `summary`; a command they name repeats what `tuning` chose.
pub fn sentences(summary: &[Summary], config: &Config, tuning: &[Tuned]) -> Vec<String> {
    let mut levels: Vec<f64> = Vec::new();
    for row in summary {
        if !levels.contains(&row.label_noise) {
            levels.push(row.label_noise);
        }
    }
    let mut all = Vec::new();
    for &level in &levels {
        let rows = ranked(summary, level);
        let start = if levels.len() > 1 {
            format!("At {} % label noise, ", percent(level))
        } else {
            String::new()
        };
        all.extend(shown(&rows).map(|text| capital(&format!("{start}{text}"))));
        let chosen = tuning.iter().filter(|tuned| tuned.label_noise == level);
        let config = config.tuned(chosen.map(|t| (t.method.as_str(), t.rho, t.damping)));
        all.extend(untold(&rows, level, &config).map(|text| capital(&format!("{start}{text}"))));
    }
    all
}

/// What the intervals show.
fn shown(rows: &[&Summary]) -> Option<String> {
    if lost_yardstick(rows) {
        return Some("SAM itself is not ranked here, so nothing is compared with it.".to_owned());
    }
    let compared: Vec<&&Summary> =
        rows.iter().filter(|row| row.is_ranked() && row.difference_to_sam.is_some()).collect();
    let first = compared.first()?;
    let pairs = first.seeds;
    let better: Vec<String> = compared
        .iter()
        .filter(|row| row.difference_to_sam_low > Some(0.0))
        .map(|row| points(row))
        .collect();
    let worse: Vec<String> = compared
        .iter()
        .filter(|row| row.difference_to_sam_high.is_some_and(|high| high < 0.0))
        .map(|row| points(row))
        .collect();
    let seeds = format!("over {pairs} {}", if pairs == 1 { "seed" } else { "seeds" });
    Some(match (better.is_empty(), worse.is_empty()) {
        (false, false) => {
            format!("better than SAM {seeds}: {}; worse: {}.", list(&better), list(&worse))
        }
        (false, true) => {
            format!("better than SAM {seeds}: {}; none is shown to be worse.", list(&better))
        }
        (true, false) => {
            format!("no method is shown to be better than SAM {seeds}; worse: {}.", list(&worse))
        }
        (true, true) => format!("no method is shown to differ from SAM {seeds}."),
    })
}

/// Whether SAM did not do what it is for: a SAM that never perturbed is SGD, and no yardstick.
fn lost_yardstick(rows: &[&Summary]) -> bool {
    rows.iter().any(|row| row.method == "sam" && !row.is_ranked())
}

/// What they cannot tell, and the command that can.
fn untold(rows: &[&Summary], level: f64, config: &Config) -> Option<String> {
    if lost_yardstick(rows) {
        return None;
    }
    let open: Vec<&&Summary> = rows
        .iter()
        .filter(|row| row.is_ranked() && row.difference_to_sam.is_some() && undecided(row))
        .collect();
    let mut names: Vec<&str> = open.iter().map(|row| row.method.as_str()).collect();
    if names.is_empty() {
        return None;
    }
    let told = format!("cannot tell {} from SAM", list(&names));
    let wanted: Vec<Option<usize>> = open.iter().map(|row| needed(row)).collect();
    let Some(seeds) = wanted.iter().flatten().max() else {
        return Some(format!(
            "{told}: the difference is too small to settle even with {} seeds.",
            ROUND[4]
        ));
    };
    names = open
        .iter()
        .zip(&wanted)
        .filter(|(_, wanted)| wanted.is_some())
        .map(|(row, _)| row.method.as_str())
        .collect();
    names.insert(0, "sam");
    let again = Config {
        seeds: (0..*seeds as u64).collect(),
        label_noise: vec![level],
        methods: names.iter().map(|name| (*name).to_owned()).collect(),
        ..config.clone()
    };
    let only = if names.len() == open.len() + 1 {
        String::new()
    } else {
        format!(" for {}", list(&names[1..]))
    };
    Some(format!("{told}; this probably can{only}: {}", kept(again).command()))
}

/// Only the radii and keys of the methods that are left, so that the command names no others.
fn kept(mut config: Config) -> Config {
    let methods = config.methods.clone();
    config.rho.retain(|name, _| methods.contains(name));
    config.set.retain(|name, _| name == crate::config::BASE_TABLE || methods.contains(name));
    config
}

fn undecided(row: &Summary) -> bool {
    match (row.difference_to_sam_low, row.difference_to_sam_high) {
        (Some(low), Some(high)) => low <= 0.0 && high >= 0.0,
        _ => true,
    }
}

/// How many seeds would decide, were mean and spread as seen: the half width shrinks with the root of the number.
fn needed(row: &Summary) -> Option<usize> {
    let more = ROUND.iter().copied().find(|&seeds| seeds > row.seeds)?;
    let (Some(mean), Some(high)) = (row.difference_to_sam, row.difference_to_sam_high) else {
        return Some(more);
    };
    // A little more than the bare estimate, which itself would fail every other time.
    let estimate = 1.5 * row.seeds as f64 * ((high - mean) / mean).powi(2);
    ROUND.iter().copied().find(|&seeds| seeds > row.seeds && seeds as f64 >= estimate)
}

fn points(row: &Summary) -> String {
    format!("{} ({:+.1} points)", row.method, 100.0 * row.difference_to_sam.unwrap_or_default())
}

fn list<T: AsRef<str>>(items: &[T]) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    match items.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::config::{Options, resolve};

    fn row(method: &str, mean: f64, half: f64, seeds: usize) -> Summary {
        let mut row = sample::results(&["sam", "asam"], &[0.6], 2).summary.remove(1);
        row.method = method.into();
        row.seeds = seeds;
        row.difference_to_sam = Some(mean);
        row.difference_to_sam_low = Some(mean - half);
        row.difference_to_sam_high = Some(mean + half);
        row.mean_test_accuracy = 0.8 + mean;
        row
    }

    fn say(rows: &[Summary]) -> Vec<String> {
        sentences(rows, &resolve(Options::default()).unwrap(), &[])
    }

    #[test]
    fn only_intervals_that_leave_out_zero_are_claims() {
        let said = say(&[
            row("info-asam", 0.015, 0.005, 5),
            row("asam", -0.012, 0.002, 5),
            row("vasso", 0.004, 0.006, 5),
        ]);
        assert_eq!(
            said[0],
            "Better than SAM over 5 seeds: info-asam (+1.5 points); worse: asam (-1.2 points)."
        );
        assert_eq!(
            said[1],
            "Cannot tell vasso from SAM; this probably can: presam train --seeds 24 --methods sam,vasso"
        );
        assert_eq!(
            say(&[row("vasso", 0.0, 0.006, 5)])[0],
            "No method is shown to differ from SAM over 5 seeds."
        );
    }

    #[test]
    fn the_command_repeats_what_a_tuning_chose() {
        let config = resolve(Options { tune: Some(true), ..Options::default() }).unwrap();
        let tuned = Tuned {
            method: "info-sam".into(),
            label_noise: 0.6,
            rho: 0.22,
            damping: Some(0.1),
            collapse_rho: None,
            trials: Vec::new(),
        };
        let said = sentences(&[row("info-sam", 0.004, 0.006, 5)], &config, &[tuned]);
        assert!(
            said[1].ends_with(
                "--methods sam,info-sam --rho info-sam=0.22 --set info-sam.relative_damping=0.1"
            ),
            "{said:?}"
        );
    }

    #[test]
    fn the_suggested_seeds_grow_with_the_doubt_until_nothing_helps() {
        assert!(say(&[row("vasso", 0.002, 0.006, 5)])[1].contains("--seeds 100 "));
        let hopeless = say(&[row("vasso", 0.0001, 0.006, 5)]);
        assert_eq!(
            hopeless[1],
            "Cannot tell vasso from SAM: the difference is too small to settle even with 400 seeds."
        );
        let mut lone = row("vasso", 0.01, 0.0, 1);
        (lone.difference_to_sam_low, lone.difference_to_sam_high) = (None, None);
        assert!(say(&[lone])[1].contains("--seeds 24 "));
        let both = say(&[row("vasso", 0.004, 0.006, 5), row("asam", 0.0001, 0.006, 5)]);
        assert!(
            both[1]
                .starts_with("Cannot tell vasso and asam from SAM; this probably can for vasso: "),
            "{both:?}"
        );
    }

    #[test]
    fn a_method_that_never_moved_and_a_lone_sam_give_no_claim() {
        let mut still = row("asam", 0.02, 0.001, 5);
        still.moved = false;
        assert!(say(&[still]).is_empty());
        assert!(sample::results(&["sam"], &[0.6], 3).sentences.is_empty());
    }

    #[test]
    fn a_sam_that_never_moved_is_no_yardstick() {
        let mut sam = row("sam", 0.0, 0.001, 5);
        sam.moved = false;
        let said = say(&[sam, row("asam", 0.033, 0.001, 5)]);
        assert_eq!(said, ["SAM itself is not ranked here, so nothing is compared with it."]);
    }

    #[test]
    fn each_level_of_noise_is_named_and_repeated_alone() {
        let mut low = row("vasso", 0.004, 0.006, 5);
        low.label_noise = 0.2;
        let said = say(&[low, row("asam", 0.01, 0.001, 5)]);
        assert!(said[0].starts_with("At 20 % label noise, no method is shown to differ"));
        assert!(said[1].contains("--label-noise 0.2 "), "{said:?}");
        assert!(said[2].starts_with("At 60 % label noise, better than SAM"));
    }
}
