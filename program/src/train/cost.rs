//! What a short tuning costs, told before it begins.
//!
//! ```text
//! cost      gradients of a run * examples of a batch, over all runs        in gradients of one example
//! time      cost / batch * time of a gradient of one batch here / threads
//! ```

use std::time::Instant;

use super::network::Network;
use super::tune::{BASE, SHORT_SEEDS, SHORT_TRIALS, TRIALS, short};
use crate::config::{Config, LEARNING_RATE, Plan};
use crate::data::Loaded;
use crate::error::Error;
use presam_cuda::Choice;

/// Gradients that are timed, after one that is not; the fastest counts.
const TIMED: usize = 3;

/// What is searched and what it costs, in words; `None` where nothing is.
///
/// # Errors
/// A model that cannot be made.
pub(crate) fn cost(config: &Config, loaded: &Loaded) -> Result<Option<String>, Error> {
    if config.search.is_empty() {
        return Ok(None);
    }
    let size = config.training_size(loaded.train.len(), loaded.test.is_some())?;
    let short = short(config, size);
    let held_out = short.train_samples * 3 / 10;
    let Costs { tuning, comparison } = costs(config, &short, size)?;
    let time = match config.device {
        Choice::Cpu => {
            let second = seconds_an_example(config, loaded)? / config.threads as f64;
            let [first, then] = [tuning, comparison].map(|cost| duration(cost * second));
            format!("about {first}, and then about {then} for the comparison")
        }
        _ => format!("about {:.2} times the comparison's gradients", tuning / comparison),
    };
    Ok(Some(format!(
        "{}: first a short tuning, {SHORT_SEEDS} seeds of {} epochs on {} examples judged by {held_out} others{}; {time}. \
         --lr and --rho leave it out.",
        searched(config),
        short.epochs,
        short.train_samples - held_out,
        if config.tune { ", then --tune's own" } else { "" },
    )))
}

/// In gradients of one example.
struct Costs {
    tuning: f64,
    comparison: f64,
}

fn costs(config: &Config, short: &Config, size: usize) -> Result<Costs, Error> {
    // So many runs on `size` examples.
    let runs = |config: &Config, method: &str, runs: usize, size: usize| -> Result<f64, Error> {
        let steps = size.div_ceil(config.batch).max(1);
        let gradients = Plan::new(config, method, None, None)?.part.gradients(steps);
        Ok(runs as f64 * gradients as f64 * size as f64 / steps as f64)
    };
    // What a tuning holds out is not trained on.
    let left = |size: usize| size - size * 3 / 10;
    let [rate_trials, radius_trials] = SHORT_TRIALS.map(|trials| trials * SHORT_SEEDS);
    let (mut tuning, mut comparison) = (0.0, 0.0);
    for what in &config.search {
        let (method, trials) = if what == LEARNING_RATE {
            (BASE, rate_trials)
        } else {
            (what.as_str(), radius_trials)
        };
        tuning += runs(short, method, trials, left(short.train_samples))?;
    }
    for method in &config.methods {
        comparison += runs(config, method, config.seeds.len(), size)?;
        if config.tune && config.rho(method).is_some() {
            tuning += runs(config, method, TRIALS * config.tune_seeds, left(size))?;
        }
    }
    let levels = config.label_noise.len() as f64;
    Ok(Costs { tuning: levels * tuning, comparison: levels * comparison })
}

/// What nobody gave: `the learning rate and the radii of 14 methods are not given`.
fn searched(config: &Config) -> String {
    let rate = config.searches(LEARNING_RATE);
    let radii = match config.search.len() - usize::from(rate) {
        0 => String::new(),
        1 => format!("the radius of {}", config.search.last().map_or("", String::as_str)),
        several => format!("the radii of {several} methods"),
    };
    match (rate, radii.as_str()) {
        (true, "") => "searching the learning rate".to_owned(),
        (true, _) => format!("searching the learning rate and {radii}"),
        (false, _) => format!("searching {radii}"),
    }
}

/// Time of an example's share in the gradient of a batch, on one thread.
fn seconds_an_example(config: &Config, loaded: &Loaded) -> Result<f64, Error> {
    let train = &loaded.train;
    let hidden = config.hidden.iter().copied();
    let widths: Vec<usize> =
        [train.features].into_iter().chain(hidden).chain([train.classes]).collect();
    let mut network = Network::new(&widths, config.batch)?;
    let batch: Vec<usize> = (0..config.batch.min(train.len())).collect();
    network.gather(train, &train.labels, &batch);
    let params = vec![0.0; network.mlp.param_count()];
    let mut grads = params.clone();
    let mut best = f64::INFINITY;
    for timed in 0..=TIMED {
        let clock = Instant::now();
        network.gradient(&params, &mut grads)?;
        if timed > 0 {
            best = best.min(clock.elapsed().as_secs_f64());
        }
    }
    Ok(best / batch.len().max(1) as f64)
}

/// A time in the largest unit of which there are two at least.
fn duration(seconds: f64) -> String {
    match seconds {
        0.0..120.0 => format!("{seconds:.0} s"),
        120.0..7200.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.0} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Options, resolve};

    fn told(text: &str) -> Option<String> {
        let config = resolve(Options::parse("x", text).unwrap()).unwrap();
        cost(&config, &config.data.load().unwrap()).unwrap()
    }

    #[test]
    fn a_search_is_told_with_its_budget() {
        assert_eq!(told(""), None);
        let said = told("methods = \"sgd,sam,asam\"\nsearch = \"all\"\nepochs = 10").unwrap();
        assert!(
            said.starts_with(
                "searching the learning rate and the radii of 2 methods: first a short tuning, 2 seeds of 5 epochs on 700 examples judged by 300 others; about "
            ),
            "{said}"
        );
        let on_a_device = told(
            "methods = \"sam\"\nsearch = \"sam\"\nepochs = 8\nseeds = 2\ndevice = \"emulated\"",
        );
        let thorough = told(
            "methods = \"sam\"\nsearch = \"lr\"\ntune = true\nepochs = 8\nseeds = 2\ndevice = \"emulated\"",
        );
        // 216 runs of 8 epochs and 700 examples with two gradients, 12 of 5 epochs with one.
        assert!(thorough.unwrap().contains("then --tune's own; about 76.9"));
        // 18 runs of 5 epochs and 700 examples over 2 of 8 epochs and 1000.
        let said = on_a_device.unwrap();
        assert!(said.starts_with("searching the radius of sam: "), "{said}");
        assert!(said.contains("about 3.94 times the comparison's gradients"), "{said}");
    }

    #[test]
    fn times_are_told_in_units_that_say_something() {
        assert_eq!([0.4, 119.0, 150.0, 7300.0].map(duration), ["0 s", "119 s", "2 min", "2 h"]);
    }
}
