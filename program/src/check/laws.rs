//! The suite's own laws poured over a device: every rule, scalar, form and base optimizer.

use presam_conformance::{Config, Failure, Law, Rule, Trial, laws};
use presam_cuda::DeviceError;

use super::Request;
use super::counted::Counted;
use super::twin::{Manner, Twin};

/// Tries every law over every rule, going on after a difference.
pub(super) fn check(device: Counted, request: Request) -> Result<Counted, DeviceError> {
    let mut twin = Twin::new(device);
    let rules = Rule::all();
    for (number, law) in laws::all::<f32>().into_iter().enumerate() {
        if law.is_long() {
            // Every rule in one of its cases is enough.
            one(&mut twin, &law, &rules, request, (1, number))?;
            continue;
        }
        for (offset, rule) in rules.iter().enumerate() {
            one(&mut twin, &law, &[*rule], request, (request.cases, number + offset))?;
        }
    }
    Ok(twin.into_device())
}

fn one(
    twin: &mut Twin,
    law: &Law<f32>,
    rules: &[Rule],
    request: Request,
    (cases, manner): (u32, usize),
) -> Result<(), DeviceError> {
    let config = Config { cases, seed: request.seed };
    let names: Vec<_> = rules.iter().map(|rule| rule.name()).collect();
    twin.told = format!("law {}, {}", law.name, names.join(", "));
    let known = twin.device().differences().len();
    let failure = tried(twin, (law, rules), config, (0, manner))?;
    if failure.is_none() || twin.device().differences().len() == known || request.shrinks == 0 {
        return Ok(());
    }
    twin.device().searches = true;
    let smallest = tried(twin, (law, rules), config, (request.shrinks, manner));
    twin.device().searches = false;
    if let (Some(smallest), Some(last)) = (smallest?, twin.device().differences().last_mut()) {
        last.smallest = smallest.case;
    }
    Ok(())
}

fn tried(
    twin: &mut Twin,
    (law, rules): (&Law<f32>, &[Rule]),
    config: Config,
    (shrinks, manner): (u32, usize),
) -> Result<Option<Box<Failure>>, DeviceError> {
    twin.start(Manner(manner));
    let failure = Trial { law, rules, config, shrinks, least: 0 }.run(twin).err();
    twin.refused.take().map_or(Ok(failure), Err)
}
