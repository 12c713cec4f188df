//! [`Options`]: the command line.

use crate::common::{Shape, rules};

pub const HELP: &str = "\
The step against its floor: triad, naive and ours in strict alternation in one process.

Usage: floor [--sizes LIST] [--rules LIST] [--threads LIST] [--seconds NUMBER] [--markdown]

  --sizes LIST      parameters or models, e.g. 640,1e4,resnet-18 (default: all of
                    640,1e4,digits-mlp,1e6,1e7,resnet-18,vit-b-16,1e8)
  --rules LIST      e.g. sam,asam (default: all)
  --threads LIST    e.g. 1,2 (default: 1,2)
  --seconds NUMBER  a row, at least 7 rounds (default: 1)
  --markdown        the table for docs/speed.md and the README

1e8 needs up to 8 GB of memory, all sizes in one run 12 GB.
Exit: 0 measured, 1 an answer differs from the naive one, 2 wrong use.

  floor --sizes 1e7,1e8 --rules sam --seconds 20
  floor --sizes 640,1e4,1e6,1e7 --threads 1 --markdown";

/// What is to be measured.
pub struct Options {
    pub shapes: Vec<Shape>,
    pub threads: Vec<usize>,
    pub seconds: f64,
    pub markdown: bool,
    rules: Vec<String>,
}

impl Options {
    pub fn parse(arguments: &[String]) -> Result<Self, String> {
        let (mut sizes, mut threads) = (Shape::NAMES.map(String::from).to_vec(), vec![1, 2]);
        let (mut rules, mut seconds, mut markdown) = (known_rules(), 1.0, false);
        let mut arguments = arguments.iter();
        while let Some(flag) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{flag} needs a value"));
            match flag.as_str() {
                "--sizes" => sizes = list(value()?),
                "--rules" => rules = list(value()?),
                "--threads" => threads = numbers(value()?)?,
                "--seconds" => seconds = positive(value()?)?,
                "--markdown" => markdown = true,
                _ => return Err(format!("unknown option {flag}; --help lists them")),
            }
        }
        if let Some(unknown) = rules.iter().find(|rule| !known_rules().contains(rule)) {
            let known = known_rules().join(", ");
            return Err(format!("unknown rule {unknown}; expected some of: {known}"));
        }
        let shapes = sizes.iter().map(|name| Shape::parse(name)).collect::<Result<_, _>>()?;
        Ok(Self { shapes, threads, seconds, markdown, rules })
    }

    pub fn wants(&self, rule: &str) -> bool {
        self.rules.iter().any(|name| name == rule)
    }
}

fn known_rules() -> Vec<String> {
    rules().iter().map(|rule| rule.info.name.into()).collect()
}

fn list(value: &str) -> Vec<String> {
    value.split(',').map(String::from).collect()
}

fn numbers(value: &str) -> Result<Vec<usize>, String> {
    let number = |text: &str| text.parse().ok().filter(|number| (1..=1024).contains(number));
    let numbers: Option<_> = value.split(',').map(number).collect();
    numbers.ok_or(format!("--threads {value}: expected numbers from 1 to 1024, e.g. 1,2"))
}

fn positive(value: &str) -> Result<f64, String> {
    let seconds = value.parse().ok().filter(|seconds: &f64| *seconds > 0.0 && seconds.is_finite());
    seconds.ok_or(format!("--seconds {value}: expected a number > 0"))
}
