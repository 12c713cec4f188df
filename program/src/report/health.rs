//! What a comparison tells of its health: which methods did not do what they are for, and what to try.
//!
//! The commonest silent fault of others is a SAM that never was on: its second gradient equals the first.

use super::records::{Summary, Tuned};
use crate::config::Config;
use crate::show::table::percent;
use crate::stats::distinct;

/// What may stand behind a method's name, and what it means.
struct Mark {
    sign: char,
    is: fn(&Summary) -> bool,
    words: &'static str,
    /// The runs that it speaks of; `None` where it speaks of the method.
    runs: Option<fn(&Summary) -> usize>,
}

const MARKS: [Mark; 6] = [
    Mark {
        sign: '*',
        is: |row| !row.moved,
        words: "never moved a weight at this rho: the same as its base optimizer, not ranked",
        runs: None,
    },
    Mark {
        sign: '!',
        is: |row| row.moved && row.skipped_share >= 0.5,
        words: "stopped: most of its steps had a norm or gradient that is not finite; not ranked",
        runs: None,
    },
    Mark {
        sign: '^',
        is: |row| row.diverged > 0 && row.skipped_share < 0.5,
        words: "diverged",
        runs: Some(|row| row.diverged),
    },
    Mark {
        sign: 'o',
        is: |row| row.never_moved > 0,
        words: "never left its first weights",
        runs: Some(|row| row.never_moved),
    },
    Mark {
        sign: '~',
        is: |row| row.at_chance > 0,
        words: "ended at chance, no better than one class for every example",
        runs: Some(|row| row.at_chance),
    },
    Mark {
        sign: '=',
        is: |row| row.moved && row.equal_gradients_share >= Some(0.5),
        words: "its second gradient equals the first in every bit: the perturbation does nothing",
        runs: None,
    },
];

/// What stands behind a method's name: a sign for each thing that is wrong with it.
pub(super) fn mark(row: &Summary) -> String {
    let signs: String = MARKS.iter().filter(|mark| (mark.is)(row)).map(|mark| mark.sign).collect();
    if signs.is_empty() { signs } else { format!(" {signs}") }
}

/// Why rows are marked, a line a reason, and what all of them did to their gradients.
pub(super) fn footnotes(rows: &[Summary]) -> Vec<String> {
    let marked = MARKS.iter().filter_map(|mark| {
        let marked: Vec<&Summary> = rows.iter().filter(|row| (mark.is)(row)).collect();
        let runs = match mark.runs {
            _ if marked.is_empty() => return None,
            None => String::new(),
            Some(runs) => format!(": {}", counted(&marked, rows, runs)),
        };
        Some(format!("{} {}{runs}", mark.sign, mark.words))
    });
    marked.chain(gradients(rows)).collect()
}

/// `sam 5 of 5 runs, asam 2 of 5`, over all levels of label noise.
fn counted(marked: &[&Summary], rows: &[Summary], runs: fn(&Summary) -> usize) -> String {
    let count = |method: &str| {
        let own = || rows.iter().filter(|row| row.method == method);
        (own().map(runs).sum::<usize>(), own().map(|row| row.seeds).sum::<usize>())
    };
    let methods = distinct(marked.iter().map(|row| row.method.as_str()));
    let told = methods.into_iter().enumerate().map(|(index, method)| {
        let ((some, all), unit) = (count(method), if index == 0 { " runs" } else { "" });
        format!("{method} {some} of {all}{unit}")
    });
    told.collect::<Vec<_>>().join(", ")
}

/// How far second gradients are from the first, and which methods left out the perturbation in some steps.
fn gradients(rows: &[Summary]) -> Option<String> {
    let changes = || rows.iter().filter_map(|row| Some((row.gradient_change?, &row.method)));
    let least = changes().min_by(|a, b| a.0.total_cmp(&b.0))?;
    let most = changes().max_by(|a, b| a.0.total_cmp(&b.0))?;
    let range = if least.1 == most.1 {
        format!("{:.2} ({})", most.0, most.1)
    } else {
        format!("{:.2} ({}) to {:.2} ({})", least.0, least.1, most.0, most.1)
    };
    let seldom = rows.iter().filter(|row| row.rho.is_some() && row.perturbed_share < 0.9995);
    let seldom = distinct(seldom.map(|row| (row.method.as_str(), row.perturbed_share)));
    let seldom = seldom.iter().map(|(name, share)| format!("{name} {:.1} %", 100.0 * share));
    let seldom = seldom.collect::<Vec<_>>().join(", ");
    let but = if seldom.is_empty() { seldom } else { format!(" but {seldom}") };
    Some(format!("second gradient {range} |g| from the first; perturbed in every step{but}"))
}

/// Which methods did not learn at one level of label noise, and what to try; `None` where all did. `config` holds what
/// was chosen for that level, `tuning` what was tried.
pub(super) fn advice(rows: &[&Summary], config: &Config, tuning: &[Tuned]) -> Option<String> {
    let list = |runs: fn(&Summary) -> usize| {
        let some = rows.iter().filter(|row| runs(row) > 0);
        let told = some.map(|row| format!("{} ({} of {} runs)", row.method, runs(row), row.seeds));
        told.collect::<Vec<_>>().join(", ")
    };
    let chance = rows.iter().map(|row| row.chance).fold(0.0, f64::max);
    let kinds = [
        (format!("at chance ({:.1} %)", 100.0 * chance), list(|row| row.at_chance)),
        ("diverged".to_owned(), list(|row| row.diverged)),
        ("never left the first weights".to_owned(), list(|row| row.never_moved)),
    ];
    let told: Vec<String> = (kinds.iter())
        .filter(|(_, methods)| !methods.is_empty())
        .map(|(kind, methods)| format!("{kind}: {methods}"))
        .collect();
    if told.is_empty() {
        return None;
    }
    Some(format!("{}; {}.", told.join("; "), remedy(rows, config, tuning)))
}

fn remedy(rows: &[&Summary], config: &Config, tuning: &[Tuned]) -> String {
    let rate = config.learning_rate;
    let has_learned = |row: &&Summary| row.failed() < row.seeds;
    let base = rows.iter().find(|row| row.rho.is_none());
    if rows.iter().any(|row| row.never_moved > 0) {
        return format!("try a larger learning rate than {rate}");
    }
    if base.map_or_else(|| rows.iter().any(has_learned), has_learned) {
        let failed = rows.iter().filter(|row| row.failed() > 0);
        let smaller = failed.filter_map(|row| {
            Some(format!("{}={}", row.method, rounded(row.rho.filter(|rho| *rho > 0.0)? / 4.0)))
        });
        let smaller = smaller.collect::<Vec<_>>().join(",");
        if !smaller.is_empty() {
            return format!("try a smaller radius, --rho {smaller}, or --tune");
        }
        return format!("try a smaller learning rate, --lr {}", rounded(rate / 4.0));
    }
    let noise = rows.first().map_or(0.0, |row| row.label_noise);
    if noise > 0.9 {
        let noise = percent(noise);
        return format!(
            "with {noise} % of the labels redrawn there is little to learn: try --label-noise 0.4"
        );
    }
    if tuning.iter().any(|tuned| tuned.rho.is_none()) {
        return format!("try more epochs, --epochs {}, or fewer redrawn labels", 4 * config.epochs);
    }
    format!("try a smaller learning rate, --lr {}", rounded(rate / 10.0))
}

/// Two significant digits, to be typed.
fn rounded(value: f64) -> f64 {
    format!("{value:.1e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::config::{Options, resolve};

    fn rows(methods: &[&str]) -> Vec<Summary> {
        sample::results(methods, &[0.6], 5).summary
    }

    fn advised(rows: &[Summary]) -> Option<String> {
        let config = resolve(Options::default()).unwrap();
        advice(&rows.iter().collect::<Vec<_>>(), &config, &[])
    }

    #[test]
    fn healthy_methods_have_one_line_on_their_gradients() {
        let mut rows = rows(&["sgd", "sam", "look-sam"]);
        assert_eq!(
            footnotes(&rows[..2]),
            ["second gradient 0.25 (sam) |g| from the first; perturbed in every step"]
        );
        (rows[2].gradient_change, rows[2].perturbed_share) = (Some(0.01), 0.2);
        assert_eq!(
            footnotes(&rows),
            [
                "second gradient 0.01 (look-sam) to 0.25 (sam) |g| from the first; perturbed in every step but look-sam 20.0 %"
            ]
        );
        assert!(footnotes(&rows[..1]).is_empty() && rows.iter().all(|row| mark(row).is_empty()));
        assert_eq!(advised(&rows), None);
    }

    #[test]
    fn each_fault_has_its_sign_and_its_runs() {
        let mut rows = rows(&["sgd", "sam", "asam", "vasso", "gsam"]);
        rows[1].at_chance = 5;
        (rows[2].at_chance, rows[2].diverged) = (1, 1);
        rows[3].equal_gradients_share = Some(1.0);
        rows[4].never_moved = 5;
        let marks: Vec<String> = rows.iter().map(mark).collect();
        assert_eq!(marks, ["", " ~", " ^~", " =", " o"]);
        let notes = footnotes(&rows);
        assert_eq!(notes[0], "^ diverged: asam 1 of 5 runs");
        assert_eq!(notes[1], "o never left its first weights: gsam 5 of 5 runs");
        assert!(notes[2].ends_with("example: sam 5 of 5 runs, asam 1 of 5"), "{notes:?}");
        assert!(notes[3].starts_with("= its second gradient equals the first"), "{notes:?}");
        assert_eq!(rows.iter().map(Summary::is_ranked).filter(|ranked| !ranked).count(), 2);
    }

    #[test]
    fn what_to_try_depends_on_who_failed() {
        let mut some = rows(&["sgd", "sam", "asam"]);
        (some[1].at_chance, some[2].diverged) = (5, 2);
        assert_eq!(
            advised(&some).unwrap(),
            "at chance (10.0 %): sam (5 of 5 runs); diverged: asam (2 of 5 runs); try a smaller radius, --rho sam=0.12,asam=0.62, or --tune."
        );
        let mut all = rows(&["sgd", "sam"]);
        all.iter_mut().for_each(|row| row.at_chance = 5);
        assert!(advised(&all).unwrap().ends_with("; try a smaller learning rate, --lr 0.01."));
        all.iter_mut().for_each(|row| row.label_noise = 1.0);
        assert!(advised(&all).unwrap().ends_with("try --label-noise 0.4."));
        let mut still = rows(&["sgd", "sam"]);
        still.iter_mut().for_each(|row| row.never_moved = 5);
        assert!(advised(&still).unwrap().ends_with("; try a larger learning rate than 0.1."));
        let mut base = rows(&["sgd", "sam"]);
        base[0].diverged = 1;
        assert!(advised(&base).unwrap().ends_with("; try a smaller learning rate, --lr 0.025."));
    }
}
