//! What a comparison shows, in one or two sentences a level of label noise, and no more than it shows.
//!
//! Whatever is said of a method rests on its 95 % interval of paired differences to SAM: above 0 it beat SAM,
//! below 0 it lost, else these seeds cannot tell. Each interval stands alone; with many methods, one in twenty
//! misses by chance.

use std::fmt;

use super::health::advice;
use super::records::{Summary, Tuned};
use super::table::ranked;
use crate::config::{BASE_TABLE, Config};
use crate::show::table::percent;
use crate::stats::distinct;

/// Seed counts that a suggestion may name: round, and the largest still a night's work.
const ROUND: [usize; 5] = [24, 50, 100, 200, 400];

/// Up to so many seeds nothing is reckoned from their spread: it is hardly known.
const FEW: usize = 3;

/// One thing that a level of label noise shows.
enum Said<'a> {
    /// Which methods did not learn, and what to try.
    Advice(String),
    /// SAM did not do what it is for: one that never perturbed is SGD, and no yardstick.
    NoYardstick,
    /// The methods whose intervals lie above 0 and below it.
    Shown { seeds: usize, better: Vec<&'a Summary>, worse: Vec<&'a Summary> },
    /// The methods whose intervals hold 0; the ones that more seeds would probably tell from SAM, and the command.
    Open { methods: Vec<&'a str>, decidable: Vec<&'a str>, command: String },
    /// The methods whose intervals hold 0 where there are too few seeds to reckon from, and a command.
    TooFew { seeds: usize, methods: Vec<&'a str>, command: String },
}

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Advice(advice) => f.write_str(advice),
            Self::TooFew { seeds, methods, command } => write!(
                f,
                "too few seeds ({seeds}) to tell {} from SAM; more say more: {command}",
                list(methods)
            ),
            Self::NoYardstick => {
                f.write_str("SAM itself is not ranked here, so nothing is compared with it.")
            }
            Self::Shown { seeds, better, worse } => f.write_str(&shown(*seeds, better, worse)),
            Self::Open { methods, decidable, command } => {
                write!(f, "cannot tell {} from SAM", list(methods))?;
                if decidable.is_empty() {
                    let most = ROUND[ROUND.len() - 1];
                    return write!(
                        f,
                        ": the difference is too small to settle even with {most} seeds."
                    );
                }
                f.write_str("; this probably can")?;
                if decidable.len() < methods.len() {
                    write!(f, " for {}", list(decidable))?;
                }
                write!(f, ": {command}")
            }
        }
    }
}

fn shown(seeds: usize, better: &[&Summary], worse: &[&Summary]) -> String {
    let over = format!("over {seeds} {}", if seeds == 1 { "seed" } else { "seeds" });
    let (is_better, is_worse) = (points(better), points(worse));
    match (better.is_empty(), worse.is_empty()) {
        (true, true) => format!("no method is shown to differ from SAM {over}."),
        (true, false) => {
            format!("no method is shown to be better than SAM {over}; worse: {is_worse}.")
        }
        (false, true) => {
            format!("better than SAM {over}: {is_better}; none is shown to be worse.")
        }
        (false, false) => format!("better than SAM {over}: {is_better}; worse: {is_worse}."),
    }
}

/// The sentences, for all levels of label noise of `summary`; a command they name repeats what `tuning` chose.
pub fn sentences(summary: &[Summary], config: &Config, tuning: &[Tuned]) -> Vec<String> {
    let levels = distinct(summary.iter().map(|row| row.label_noise));
    let sentences = levels.iter().flat_map(|&level| {
        let start = match levels.len() {
            1 => String::new(),
            _ => format!("At {} % label noise, ", percent(level)),
        };
        let tuning: Vec<Tuned> =
            tuning.iter().filter(|tuned| tuned.label_noise == level).cloned().collect();
        let config = config.tuned(tuning.iter().map(Tuned::chosen));
        let rows: Vec<&Summary> = summary.iter().filter(|row| row.label_noise == level).collect();
        let advice = advice(&rows, &config, &tuning).map(Said::Advice);
        (advice.into_iter().chain(said(summary, level, &config)))
            .map(move |said| capital(&format!("{start}{said}")))
    });
    sentences.collect()
}

fn said<'a>(summary: &'a [Summary], level: f64, config: &Config) -> Vec<Said<'a>> {
    let mut rows = ranked(summary, level);
    if rows.iter().any(|row| row.method == "sam" && !row.is_ranked()) {
        return vec![Said::NoYardstick];
    }
    rows.retain(|row| row.is_ranked() && row.difference_to_sam.is_some());
    // Of pieces some methods have more seeds than SAM: those say nothing here.
    let Some(seeds) = rows.iter().map(|row| row.paired_seeds).min() else { return Vec::new() };
    let (better, rest): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| row.difference_to_sam_low > Some(0.0));
    let (worse, open): (Vec<_>, Vec<_>) =
        rest.into_iter().partition(|row| row.difference_to_sam_high.is_some_and(|high| high < 0.0));
    let mut all = vec![Said::Shown { seeds, better, worse }];
    if !open.is_empty() && seeds <= FEW {
        let methods: Vec<&str> = open.iter().map(|row| row.method.as_str()).collect();
        let command = again(&methods, ROUND[0], level, config).command();
        all.push(Said::TooFew { seeds, methods, command });
    } else if !open.is_empty() {
        let method = |row: &&'a Summary| row.method.as_str();
        let wanted = |row: &&&Summary| needed(row).is_some();
        let decidable: Vec<&str> = open.iter().filter(wanted).map(method).collect();
        let seeds = open.iter().filter_map(|row| needed(row)).max().unwrap_or(0);
        let command = again(&decidable, seeds, level, config).command();
        all.push(Said::Open { methods: open.iter().map(method).collect(), decidable, command });
    }
    all
}

/// SAM and `methods` at one level over more seeds: only their own radii and keys are left, so that the command names
/// no others.
fn again(methods: &[&str], seeds: usize, level: f64, config: &Config) -> Config {
    let methods = ["sam"].iter().chain(methods).map(|name| (*name).to_owned()).collect();
    let seeds = (0..seeds as u64).collect();
    let mut config = Config { seeds, label_noise: vec![level], methods, ..config.clone() };
    config.rho.retain(|name, _| config.methods.contains(name));
    config.set.retain(|name, _| name == BASE_TABLE || config.methods.contains(name));
    config
}

/// How many seeds would decide, were mean and spread as seen: the half width shrinks with the root of the number.
fn needed(row: &Summary) -> Option<usize> {
    let (mean, high) = (row.difference_to_sam?, row.difference_to_sam_high?);
    // A little more than the bare estimate, which itself would fail every other time.
    let estimate = 1.5 * row.paired_seeds as f64 * ((high - mean) / mean).powi(2);
    ROUND.iter().copied().find(|&seeds| seeds > row.paired_seeds && seeds as f64 >= estimate)
}

fn points(rows: &[&Summary]) -> String {
    let points = |row: &&Summary| {
        let difference = 100.0 * row.difference_to_sam.unwrap_or_default();
        format!("{} ({difference:+.1} points)", row.method)
    };
    list(&rows.iter().map(points).collect::<Vec<_>>())
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
        (row.seeds, row.paired_seeds) = (seeds, seeds);
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
            learning_rate: 0.1,
            rho: Some(0.22),
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
        let both = say(&[row("vasso", 0.004, 0.006, 5), row("asam", 0.0001, 0.006, 5)]);
        assert!(
            both[1]
                .starts_with("Cannot tell vasso and asam from SAM; this probably can for vasso: "),
            "{both:?}"
        );
    }

    #[test]
    fn from_three_seeds_or_fewer_nothing_is_reckoned() {
        let mut lone = row("vasso", 0.01, 0.0, 1);
        (lone.difference_to_sam_low, lone.difference_to_sam_high) = (None, None);
        let few = |seeds| row("vasso", 0.0001, 0.006, seeds);
        for (row, seeds) in [(lone, 1), (few(2), 2), (few(3), 3)] {
            assert_eq!(
                say(&[row])[1],
                format!(
                    "Too few seeds ({seeds}) to tell vasso from SAM; more say more: presam train --seeds 24 --methods sam,vasso"
                )
            );
        }
        assert!(say(&[few(4)])[1].ends_with("even with 400 seeds."));
    }

    #[test]
    fn seeds_that_sam_lacks_are_not_counted() {
        let mut asam = row("asam", 0.015, 0.005, 5);
        asam.seeds = 400;
        assert!(say(&[asam])[0].starts_with("Better than SAM over 5 seeds: asam"));
    }

    #[test]
    fn a_method_that_did_not_learn_is_named_first() {
        let mut lost = row("vasso", -0.7, 0.01, 5);
        lost.at_chance = 5;
        let said = say(&[row("asam", 0.004, 0.006, 5), lost]);
        assert!(said[0].starts_with("At chance (10.0 %): vasso (5 of 5 runs); try"), "{said:?}");
        assert_eq!(said[1], "No method is shown to differ from SAM over 5 seeds.");
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
