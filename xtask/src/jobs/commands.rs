//! The commands on the pages: each that this repository answers is one that it takes, files named in it are there,
//! and the quick ones run as they are written.

use super::house::listed;
use crate::command::{Outcome, Run, job_dir, read, root, target_dir};
use crate::workspace::{self, Package};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What takes seconds. The others are only parsed: they train or measure for minutes, need a GPU, another program
/// or a word of the reader's, or are a job or a test by themselves.
const QUICK: [&str; 6] = [
    "presam methods",
    "presam methods info-asam",
    "presam verify",
    "presam verify --device emulated",
    "presam verify --init python",
    "presam train --methods info-asam",
];

/// A history: its commands were right when they were written.
const LEFT_OUT: &str = "CHANGELOG.md";

/// Programs that a command on a page begins with; a variable before them is part of it.
const PROGRAMS: [&str; 8] =
    ["presam", "cargo", "python", "python3", "pip", "cc", "perf", "UPDATE=1"];

/// Files by these names are looked for: in the repository and beside the page.
const FILES: [&str; 3] = [".py", ".c", ".toml"];
/// The reader's own.
const OWN: [&str; 2] = ["my_sam.py", "trainer.c"];

/// `takes` says whether words are a job with its flags.
pub(crate) fn commands(takes: fn(&[&str]) -> bool) -> Outcome {
    Run::cargo().args(["build", "--release", "--bin", "presam"]).run()?;
    let presam = target_dir().join("release").join("presam");
    let judge = Judge { presam, packages: workspace::all()?, takes };
    let planted = "presam bench --rulez sam";
    if judge.fault(planted, "README.md")?.is_none() {
        return Err(format!("the planted `{planted}` was not caught"));
    }
    // A page for each command, in a fixed order.
    let mut found = BTreeMap::new();
    for page in listed("*.md")?.into_iter().filter(|page| page != LEFT_OUT) {
        for command in on_page(&read(&root().join(&page))?) {
            found.entry(command).or_insert_with(|| page.clone());
        }
    }
    let mut faults = Vec::new();
    for (command, page) in &found {
        let fault = judge.fault(command, page)?;
        faults.extend(fault.map(|fault| format!("\n  {page}: `{command}`: {fault}")));
    }
    let stale = QUICK.iter().filter(|quick| !found.contains_key(**quick));
    faults.extend(stale.map(|quick| format!("\n  on no page: `{quick}`")));
    if !faults.is_empty() {
        return Err(format!("{} faults:{}", faults.len(), faults.concat()));
    }
    QUICK.iter().try_for_each(|quick| judge.as_written(quick))?;
    eprintln!("{} commands parsed, {} run as written", found.len(), QUICK.len());
    Ok(())
}

/// The commands of a page: in code spans, and on lines of their own in code blocks, without what explains them.
fn on_page(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut fenced = false;
    for line in page.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if fenced || line.starts_with("    ") {
            let line = line.trim().trim_start_matches("$ ");
            let end = ["  ", " #"].iter().filter_map(|mark| line.find(mark)).min();
            found.push(&line[..end.unwrap_or(line.len())]);
        } else {
            found.extend(line.split('`').skip(1).step_by(2));
        }
    }
    let each = found.iter().flat_map(|line| line.split(" && "));
    let is_command = |line: &&str| {
        let mut words = line.split(' ');
        // `presam = ..` is a line of a manifest.
        words.next().is_some_and(|first| PROGRAMS.contains(&first)) && words.next() != Some("=")
    };
    each.filter(is_command).map(str::to_owned).collect()
}

/// The words of a command, as a shell takes them apart where there is nothing but single quotes.
fn words_of(command: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for (index, part) in command.split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

struct Judge {
    presam: PathBuf,
    packages: Vec<Package>,
    takes: fn(&[&str]) -> bool,
}

impl Judge {
    /// What is wrong with a command of a page.
    fn fault(&self, command: &str, page: &str) -> Result<Option<String>, String> {
        let words = words_of(command.trim_start_matches("UPDATE=1 "));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if let Some(missing) = missing_file(command, page) {
            return Ok(Some(format!("expected a file {missing}, found none")));
        }
        match words.as_slice() {
            ["cargo", "xtask", job @ ..] if !job.is_empty() && !(self.takes)(job) => {
                Ok(Some("expected a job and its flag, found none of that name".into()))
            }
            ["cargo", "xtask", ..] => Ok(None),
            ["presam", rest @ ..] => self.refused(rest),
            ["cargo", "run", rest @ ..] if !rest.contains(&"-p") => {
                let ours = rest.iter().position(|word| *word == "--");
                self.refused(ours.map_or(&[], |at| &rest[at + 1..]))
            }
            ["cargo", rest @ ..] => self.untargeted(rest),
            _ => Ok(None),
        }
    }

    /// The program's complaint about arguments. A call for help at their end keeps it from doing what they say, but
    /// not from reading them.
    fn refused(&self, arguments: &[&str]) -> Result<Option<String>, String> {
        // `--every N`, `--sam-from E`: a number of the reader's.
        let is_letter = |word: &str| word.len() == 1 && word.chars().all(char::is_uppercase);
        let arguments = arguments.iter().map(|word| if is_letter(word) { "1" } else { word });
        let run = Run::program(&self.presam).args(arguments).arg("--help");
        let (code, _, said) = run.quiet_answer()?;
        // A flag by itself in a sentence is there, and wants its value.
        let fine = code == Some(0) || said.contains("none was supplied");
        Ok((!fine).then(|| said.lines().next().unwrap_or("no word").to_owned()))
    }

    /// What Cargo would not find: a package, a target, a test.
    fn untargeted(&self, words: &[&str]) -> Result<Option<String>, String> {
        let words = words.split(|word| *word == "--").next().unwrap_or(words);
        let after = |flag: &'static str| {
            let pairs = words.iter().zip(words.iter().skip(1));
            pairs.filter(move |(at, _)| **at == flag).map(|(_, name)| *name)
        };
        let named: Vec<&str> = after("-p").collect();
        let chosen = || {
            let packages = self.packages.iter();
            packages.filter(|one| named.is_empty() || named.contains(&one.name.as_str()))
        };
        if let Some(name) = named.iter().find(|name| !chosen().any(|one| one.name == **name)) {
            return Ok(Some(format!("no package {name}")));
        }
        for (flag, kind) in [("--test", "test"), ("--example", "example")] {
            let known = |name: &&str| chosen().any(|one| one.targets(kind).any(|t| t == *name));
            if let Some(name) = after(flag).find(|name| !known(name)) {
                return Ok(Some(format!("no {kind} {name}")));
            }
        }
        let values = ["-p", "--test"].into_iter().flat_map(after).collect::<Vec<_>>();
        let mut plain =
            words.iter().filter(|word| !word.starts_with('-') && !values.contains(word));
        let filter = plain.nth(1).filter(|_| words.first() == Some(&"test"));
        let Some(filter) = filter else { return Ok(None) };
        let is_in = |text: &str| text.contains(&format!("mod {filter};"));
        let roots = chosen().flat_map(Package::roots).map(|file| read(&file));
        let texts = roots.collect::<Result<Vec<_>, _>>()?;
        Ok((!texts.iter().any(|text| is_in(text))).then(|| format!("no tests of {filter}")))
    }

    /// Runs it, by the program that was built here.
    fn as_written(&self, command: &str) -> Outcome {
        let words = words_of(command);
        let run = Run::program(&self.presam).args(words.iter().skip(1));
        let (code, said, errors) = run.dir(&job_dir("commands")?).answer()?;
        let ended = code == Some(0) && !said.is_empty();
        if ended { Ok(()) } else { Err(format!("`{command}`: exit code {code:?}: {errors}")) }
    }
}

/// A file that the command names and that is nowhere.
fn missing_file<'a>(command: &'a str, page: &str) -> Option<&'a str> {
    let beside = root().join(page);
    let beside = beside.parent()?;
    let words = command.split([' ', '\'']);
    let mut files = words.filter(|word| FILES.iter().any(|ending| word.ends_with(ending)));
    let is_there = |file: &str| root().join(file).exists() || beside.join(file).exists();
    files.find(|file| !OWN.contains(file) && !is_there(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_stand_in_spans_and_blocks_without_their_remarks() {
        let page = "Type `presam info`, not `presam.torch`.\n\n    \
                    $ presam bench  a minute\n    cargo xtask size # long\n    presam = { path }\n\
                    ```text\ncc a.c && presam verify\n```\n";
        let expected =
            ["presam info", "presam bench", "cargo xtask size", "cc a.c", "presam verify"];
        assert_eq!(on_page(page), expected);
        assert_eq!(
            words_of("presam verify --exec 'a b' -q"),
            ["presam", "verify", "--exec", "a b", "-q"]
        );
    }

    #[test]
    fn what_is_nowhere_is_told() {
        let takes = |words: &[&str]| words == ["house"];
        let judge = Judge { presam: "false".into(), packages: workspace::all().unwrap(), takes };
        let fault = |command: &str| judge.fault(command, "tests/peers/README.md").unwrap();
        for wrong in [
            "cargo xtask hause",
            "cargo test --test swuite",
            "cargo test --test suite agrement",
            "cargo test -p presam-orakel",
            "cargo run -p presam-conformance --example my_sum -- NAME",
            "python3 pytorch_sum.py",
            "presam nonsense",
        ] {
            assert!(fault(wrong).is_some(), "{wrong}");
        }
        for right in [
            "cargo xtask house",
            "cargo test --test suite agreement",
            "UPDATE=1 cargo test -p presam-tests sizes",
            "cargo run -p presam-conformance --example my_sam -- NAME",
            "cargo clippy -p presam -p presam-model",
            "python3 pytorch_sam.py --out peer",
            "cargo install cargo-fuzz --version 0.13.2",
        ] {
            assert_eq!(fault(right), None, "{right}");
        }
    }
}
