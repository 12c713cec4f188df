//! The suite's own laws poured over a device: every rule, scalar, form and base optimizer.

use presam_conformance::{Backend, Config, Failure, Law, Rule, Trial, laws};
use presam_cuda::{Device, DeviceError};

use super::Request;
use super::counted::Counted;
use super::twin::{Keeps, Manner, Twin};

/// Elements of the tensors of the large case.
const LARGE: usize = 1_000_000;
/// How it is put.
const ALIGNED_THEN_MIXED: usize = 20;

/// Tries every law over every rule, going on after a difference; the device comes back whatever it refuses.
pub(super) fn check(device: Counted, request: Request) -> (Counted, Result<(), DeviceError>) {
    let mut twin = Twin::new(device);
    let done = all(&mut twin, request);
    (twin.into_device(), done)
}

fn all(twin: &mut Twin, request: Request) -> Result<(), DeviceError> {
    let rules = Rule::all();
    for (number, law) in laws::all::<f32>().into_iter().enumerate() {
        twin.device().begins(&format!("law {}", law.name));
        if law.is_long() {
            // Every rule in one of its cases is enough.
            one(twin, &law, &rules, request, (1, number))?;
            continue;
        }
        for (offset, rule) in rules.iter().enumerate() {
            one(twin, &law, &[*rule], request, (request.cases, number + offset))?;
        }
    }
    if !twin.device().stands_in() {
        twin.device().begins("tensors of a million elements");
        large(twin, request, LARGE)?;
    }
    twin.refused.take().map_or(Ok(()), Err)
}

/// A case of the richest rule with tensors of so many elements: on a GPU more blocks than run at once.
///
/// # Errors
/// Where none is drawn.
fn large(twin: &mut Twin, request: Request, len: usize) -> Result<(), DeviceError> {
    let config = Config { cases: 64, seed: request.seed };
    let rules: Vec<Rule> =
        Rule::all().into_iter().filter(|rule| rule.name() == "info-asam").collect();
    let mut kept = Keeps(None);
    if let Some(law) = laws::all::<f32>().first() {
        // The core holds what the law says: it only draws the case.
        let _ = Trial { law, rules: &rules, config, shrinks: 0, least: 0 }.run(&mut kept);
    }
    twin.told = "info-asam".to_owned();
    let Some(case) = kept.0 else {
        return Err(DeviceError::Contract {
            kernel: "info-asam",
            what: "the large case".to_owned(),
            expected: "one that perturbs".to_owned(),
            found: "none among 64".to_owned(),
        });
    };
    // Whatever was asked before: on multiples of 16 bytes, then as a model in 16 bits.
    twin.start(Manner(ALIGNED_THEN_MIXED - 1));
    twin.begins(&case);
    twin.grown(&case, len);
    Ok(())
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

    /// Tensors of more chunks than a block has.
    #[test]
    fn the_large_case_is_compared() {
        let request = Request { cases: 1, seed: 1, epochs: 1, shrinks: 0 };
        let agreed = |ignored: &[&'static str]| {
            let mut twin = Twin::new(Counted::new(Box::new(Faulty::without(ignored)), |_| ()));
            // As a law leaves it that takes many steps, put in another manner.
            let vasso = Rule::all().into_iter().find(|rule| rule.name() == "vasso").unwrap();
            let many = laws::named("memory-dies").unwrap();
            one(&mut twin, &many, &[vasso], request, (1, 42)).unwrap();
            let before = twin.device().agreed("finish_info_sam");
            large(&mut twin, request, 20_000).unwrap();
            assert_eq!(twin.refused, None);
            let device = twin.device();
            let told =
                device.differences().iter().filter(|one| one.case.contains("tensors of 20000"));
            let told = told.map(|one| one.case.contains("Mixed, Scalars")).collect::<Vec<_>>();
            (device.agreed("finish_info_sam") - before, told)
        };
        assert_eq!(agreed(&[]), (2, vec![]));
        assert_eq!(agreed(&["ascend_info_asam_f32"]).1, [false]);
        assert_eq!(agreed(&["ascend_info_asam_mixed"]).1, [true]);
    }
}
