//! [`Request`]: what a benchmark is told, checked in one place.

use std::sync::Arc;
use std::time::Duration;

use presam::VariantInfo;
use presam::variants::ALL;
use regex_lite::Regex;

use super::{Base, Shape};
use crate::config::ConfigError;
use crate::machine::available_threads;
use presam_cuda::Choice;
use presam_pipe::similar::suggestion;

/// The rules where neither rules nor a filter are asked for.
pub const DEFAULT_RULES: &str = "sam,asam,info-asam";
/// The sizes where none are asked for; those that memory does not allow are left out, by name.
pub const DEFAULT_SIZES: &str = "1e4,1e5,1e6,1e7,resnet-18";
/// The sizes on a GPU.
pub const GPU_SIZES: &str = "1e4,1e5,1e6,1e7,1e8,1e9,resnet-18,vit-b-16,gpt2-small";
/// The sizes on what stands in for a GPU, a thousand times slower.
const EMULATED_SIZES: &str = "640,1e4";
const DEFAULT_MIN_TIME: f64 = 0.3;
const MOST_SECONDS: f64 = 3600.0;
const MOST_THREADS: usize = 1024;

/// What somebody wrote, not yet checked; everything may be left out.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// `--sizes`: numbers of parameters and networks.
    pub sizes: Option<String>,
    /// `--rules`: names, or `all`.
    pub rules: Option<String>,
    /// `--filter`: a regular expression on `phase/rule/shape`.
    pub filter: Option<String>,
    /// `--min-time`: seconds a row.
    pub min_time: Option<f64>,
    /// `--threads`.
    pub threads: Option<usize>,
    /// `--device`.
    pub device: Choice,
}

/// A checked request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The parameters.
    pub shapes: Vec<Arc<Shape>>,
    /// The rules of accumulate, ascend, ascend in place and step.
    pub rules: Vec<&'static VariantInfo>,
    /// The base optimizers of descend.
    pub bases: Vec<Base>,
    /// Which of the rows.
    pub filter: Option<Regex>,
    /// How long a row takes at least.
    pub min_time: Duration,
    /// Threads of the CPU.
    pub threads: usize,
    /// Where the rows run.
    pub device: Choice,
}

impl Request {
    /// Checks what was asked for.
    ///
    /// # Errors
    /// The first flag whose value cannot be used.
    pub fn new(asked: &Asked) -> Result<Self, ConfigError> {
        let sizes = asked.sizes.as_deref().unwrap_or(default_sizes(asked.device));
        let shapes = sizes.split(',').map(|name| Shape::parse(name.trim()).map(Arc::new));
        // A filter picks from everything there is: whoever writes a name there means it.
        let narrow = asked.rules.is_none() && asked.filter.is_none();
        let every = if narrow { DEFAULT_RULES } else { "all" };
        Ok(Self {
            shapes: shapes.collect::<Result<_, _>>()?,
            rules: rules(asked.rules.as_deref().unwrap_or(every))?,
            bases: if asked.filter.is_some() {
                Base::ALL.to_vec()
            } else {
                vec![Base::SgdMomentum]
            },
            filter: asked.filter.as_deref().map(filter).transpose()?,
            min_time: min_time(asked.min_time.unwrap_or(DEFAULT_MIN_TIME))?,
            threads: threads(asked.threads.unwrap_or_else(available_threads))?,
            device: asked.device,
        })
    }

    /// Whether a row of that name is wanted.
    pub fn wants(&self, name: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.is_match(name))
    }
}

fn default_sizes(device: Choice) -> &'static str {
    match device {
        Choice::Cpu => DEFAULT_SIZES,
        Choice::Cuda(_) => GPU_SIZES,
        _ => EMULATED_SIZES,
    }
}

fn rules(text: &str) -> Result<Vec<&'static VariantInfo>, ConfigError> {
    if text == "all" {
        return Ok(ALL.iter().collect());
    }
    let rule = |name: &str| {
        ALL.iter().find(|info| info.name == name).ok_or_else(|| {
            ConfigError::new("--rules", "all or names from `presam methods`", format!("{name:?}"))
                .suggest(suggestion(name, ALL.iter().map(|info| info.name)))
        })
    };
    text.split(',').map(|name| rule(name.trim())).collect()
}

/// The parser explains itself over several lines; its last one says what is wrong.
fn filter(text: &str) -> Result<Regex, ConfigError> {
    Regex::new(text).map_err(|error| {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
        ConfigError::new("--filter", "a regular expression", format!("{text:?} ({reason})"))
    })
}

fn min_time(seconds: f64) -> Result<Duration, ConfigError> {
    if seconds > 0.0 && seconds <= MOST_SECONDS {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        let expected = format!("seconds, above 0 and at most {MOST_SECONDS}");
        Err(ConfigError::new("--min-time", expected, seconds))
    }
}

fn threads(threads: usize) -> Result<usize, ConfigError> {
    if (1..=MOST_THREADS).contains(&threads) {
        Ok(threads)
    } else {
        let expected = format!("a whole number from 1 to {MOST_THREADS}");
        Err(ConfigError::new("--threads", expected, threads))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Asked {
        Asked { threads: Some(2), ..Asked::default() }
    }

    fn names(request: &Request) -> Vec<&str> {
        request.rules.iter().map(|info| info.name).collect()
    }

    #[test]
    fn three_rules_by_default_and_all_of_them_under_a_filter() {
        let plain = Request::new(&asked()).unwrap();
        assert_eq!(names(&plain), ["sam", "asam", "info-asam"]);
        assert_eq!((plain.bases.len(), plain.shapes.len()), (1, 5));
        let filtered = Asked { filter: Some("^step/".into()), ..asked() };
        let filtered = Request::new(&filtered).unwrap();
        assert_eq!((filtered.rules.len(), filtered.bases.len()), (ALL.len(), 2));
        assert!(filtered.wants("step/sam/1e4") && !filtered.wants("restore/any/1e4"));
        let both = Asked { filter: Some(".".into()), rules: Some("vasso".into()), ..asked() };
        assert_eq!(names(&Request::new(&both).unwrap()), ["vasso"]);
    }

    #[test]
    fn what_cannot_be_used_is_one_line_that_names_the_flag() {
        let text = |text: &str| Some(text.to_owned());
        let cases = [
            (Asked { sizes: text("1e4,big"), ..asked() }, "--sizes: expected a whole number"),
            (Asked { rules: text("sam,assam"), ..asked() }, "found \"assam\"; did you mean asam?"),
            (
                Asked { filter: text("("), ..asked() },
                "--filter: expected a regular expression, found \"(\" (found open group without closing ')')",
            ),
            (Asked { min_time: Some(0.0), ..asked() }, "--min-time: expected seconds, above 0"),
            (Asked { min_time: Some(f64::NAN), ..asked() }, "--min-time"),
            (Asked { threads: Some(0), ..asked() }, "--threads: expected a whole number from 1"),
        ];
        for (asked, expected) in cases {
            let message = Request::new(&asked).unwrap_err().to_string();
            assert!(message.contains(expected) && message.lines().count() == 1, "{message}");
        }
    }
}
