//! `presam verify --exec` on codes that are wrong in one narrow way, all of which it must tell, and on right ones of
//! unusual form, with all of which it must agree: the table of examples/verify/wrong_codes.py.

use crate::command::{Outcome, Run, python_with, quoted, target_dir};
use std::path::Path;
use std::sync::Mutex;

const CODES: &str = "examples/verify/wrong_codes.py";
/// At each of them a right code agrees and a wrong one is told.
const SEEDS: [u32; 5] = [1, 2, 3, 4, 5];

/// One code at one seed.
#[derive(Clone, Debug, PartialEq)]
struct Case {
    name: String,
    /// told, thorough or agrees.
    says: String,
    seed: u32,
    /// What it is asked with besides.
    flags: &'static [&'static str],
}

/// The whole table: hours.
pub(crate) fn wrong_codes_all() -> Outcome {
    judged(table)
}

/// The share of continuous integration: a minute of one core.
pub(crate) fn wrong_codes() -> Outcome {
    judged(share)
}

fn judged(chosen: fn(&str) -> Vec<Case>) -> Outcome {
    let python = python_with("numpy")?;
    Run::cargo().args(["build", "--release", "--bin", "presam"]).run()?;
    let presam = target_dir().join("release").join("presam");
    let listed = Run::program(&python).args([CODES, "--list"]).output();
    let table = chosen(&listed.ok_or_else(|| format!("{CODES} --list failed"))?);
    let failed = in_threads(&table, |case| judge(&presam, &python, case));
    println!("{} of {} runs say what they must", table.len() - failed.len(), table.len());
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

/// Lines of a name, a kind and what must be said, as cases at the first seed.
fn codes(list: &str) -> impl Iterator<Item = Case> {
    let rows = list.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    rows.filter_map(|row| {
        let (name, says) = ((*row.first()?).to_owned(), (*row.last()?).to_owned());
        let flags: &[&str] = if says == "thorough" { &["--thorough"] } else { &[] };
        Some(Case { name, says, seed: SEEDS[0], flags })
    })
}

/// Every code at each seed: what is told at one alone was told by luck.
fn table(list: &str) -> Vec<Case> {
    codes(list).flat_map(|case| SEEDS.map(|seed| Case { seed, ..case.clone() })).collect()
}

/// Some wrong codes that the default tells, and some right ones with few cases: what agrees is asked everything.
fn share(list: &str) -> Vec<Case> {
    let told = codes(list).filter(|case| case.says == "told").step_by(26);
    let right = codes(list).filter(|case| case.says == "agrees").step_by(7);
    told.chain(right.map(|case| Case { flags: &["--cases", "64"], ..case })).collect()
}

/// What goes wrong, over every core of the machine.
fn in_threads(table: &[Case], judge: impl Fn(&Case) -> Outcome + Sync) -> Vec<String> {
    let (queue, failed) = (Mutex::new(table.iter()), Mutex::new(Vec::new()));
    let work = || {
        while let Some(case) = queue.lock().ok().and_then(|mut queue| queue.next()) {
            if let (Err(reason), Ok(mut failed)) = (judge(case), failed.lock()) {
                failed.push(reason);
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    failed.into_inner().unwrap_or_default()
}

fn judge(presam: &Path, python: &Path, case: &Case) -> Outcome {
    let Case { name, says, seed, flags } = case;
    let command = format!("{} {CODES} {name}", quoted(python.as_os_str()));
    let run = Run::program(presam).args(["verify", "--exec", &command, "--seed"]);
    let run = run.arg(seed.to_string()).args(*flags);
    let (code, said, errors) = run.answer()?;
    let expected = if says == "agrees" { 0 } else { 1 };
    if code == Some(expected) {
        return Ok(());
    }
    let last = said.trim().lines().last().unwrap_or_default().to_owned();
    Err(format!(
        "{name} at seed {seed}: expected exit code {expected}, found {code:?}: {last} {errors}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_tried_at_every_seed() {
        let found = table("tail-of-32 long told\nlerp averages agrees\n");
        let (told, right) = found.split_at(SEEDS.len());
        assert!(told.iter().all(|case| case.name == "tail-of-32" && case.says == "told"));
        assert!(right.iter().all(|case| case.name == "lerp" && case.says == "agrees"));
        for half in [told, right] {
            assert_eq!(half.iter().map(|case| case.seed).collect::<Vec<_>>(), SEEDS);
        }
    }

    #[test]
    fn the_share_has_right_codes_and_wrong_ones_and_nothing_that_takes_minutes() {
        let list = ["a x told\nb x thorough\n".repeat(40), "c x agrees\n".repeat(10)].concat();
        let share = share(&list);
        let count = |says: &str| share.iter().filter(|case| case.says == says).count();
        assert_eq!((count("told"), count("agrees"), count("thorough")), (2, 2, 0));
    }

    #[test]
    fn every_failure_is_told() {
        let table: Vec<Case> = codes("a x told\nb x told\nc x told\n").collect();
        let judge = |case: &Case| if case.name == "b" { Err("b".into()) } else { Ok(()) };
        assert_eq!(in_threads(&table, judge), ["b"]);
    }
}
