//! The suite's own laws poured over a device: every rule, scalar, form and base optimizer.

use presam_conformance::{Config, Failure, Law, Rule, Trial, laws};
use presam_cuda::{Device, DeviceError};

use super::Request;
use super::counted::Counted;
use super::twin::{Keeps, Manner, Twin};

/// Elements of the tensors of the large case.
const LARGE: usize = 1_000_000;

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
    if !twin.device().stands_in() {
        large(&mut twin, request, LARGE);
        if let Some(refused) = twin.refused.take() {
            return Err(refused);
        }
    }
    Ok(twin.into_device())
}

/// A case of the richest rule with tensors of so many elements: on a GPU more blocks than run at once.
fn large(twin: &mut Twin, request: Request, len: usize) {
    let config = Config { cases: 16, seed: request.seed };
    let rules: Vec<Rule> =
        Rule::all().into_iter().filter(|rule| rule.name() == "info-asam").collect();
    let mut kept = Keeps(None);
    if let Some(law) = laws::all::<f32>().first() {
        // The core holds what the law says: it only draws the case.
        let _ = Trial { law, rules: &rules, config, shrinks: 0, least: 0 }.run(&mut kept);
    }
    twin.told = "info-asam".to_owned();
    if let Some(case) = kept.0 {
        twin.grown(&case, len);
    }
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

#[cfg(test)]
mod tests {
    use presam_backends::Faulty;

    use super::*;

    #[test]
    fn the_large_case_is_compared() {
        let request = Request { cases: 1, seed: 1, epochs: 1, shrinks: 0 };
        let agreed = |ignored: &[&'static str]| {
            let mut twin = Twin::new(Counted::new(Box::new(Faulty::without(ignored))));
            large(&mut twin, request, 5000);
            assert_eq!(twin.refused, None);
            let device = twin.device();
            (device.agreed("finish_info_sam"), device.differences().len())
        };
        assert_eq!(agreed(&[]), (2, 0));
        assert_eq!(agreed(&["ascend_info_asam_f32"]).1, 1);
    }
}
