//! [`plan`]: the rows of a request on a target.

use std::sync::Arc;

use super::{ANY_RULE, Base, Job, Phase, Request, Row, Shape, Target, Traffic, room};
use crate::config::ConfigError;
use crate::error::Error;

/// The rows to be measured, and what memory does not allow.
#[derive(Clone, Debug)]
pub struct Plan {
    /// In the order of sizes, rules and phases.
    pub rows: Vec<Row>,
    /// A line for each size of which jobs were left out.
    pub left_out: Vec<String>,
}

/// The rows that `request` asks of `target`.
///
/// # Errors
/// A memory that holds none of the jobs; a filter that no row matches.
pub fn plan(target: &dyn Target, request: &Request) -> Result<Plan, Error> {
    let mut plan = Plan { rows: Vec::new(), left_out: Vec::new() };
    let (mut matched, mut large) = (false, Vec::new());
    for shape in &request.shapes {
        let jobs: Vec<Job> =
            jobs(request, shape).into_iter().filter(|job| request.wants(&job.name())).collect();
        matched |= !jobs.is_empty();
        let (all, memory) = (jobs.len(), target.memory());
        let (too_large, fit): (Vec<Job>, Vec<Job>) =
            jobs.into_iter().partition(|job| job.room > memory);
        if let Some(job) = too_large.first() {
            plan.left_out.push(format!(
                "{}: {} of {all} jobs are left out: {} needs {}, {} are available",
                shape.name,
                too_large.len(),
                job.name(),
                gigabytes(job.room),
                gigabytes(memory)
            ));
        }
        large.extend(too_large);
        plan.rows.extend(fit.into_iter().flat_map(|job| rows(target, job)));
    }
    match large.iter().min_by_key(|job| job.room) {
        _ if !matched => Err(no_match(request).into()),
        Some(least) if plan.rows.is_empty() => Err(too_large(least, target.memory()).into()),
        _ => Ok(plan),
    }
}

fn rows(target: &dyn Target, job: Job) -> impl Iterator<Item = Row> {
    target.modes(&job).into_iter().map(move |mode| Row { job: job.clone(), mode })
}

/// Every job on a shape: the rules' phases, then those that are the same for every rule.
fn jobs(request: &Request, shape: &Arc<Shape>) -> Vec<Job> {
    let params = shape.params() as u64;
    let job = |phase: Phase, rule: &'static str, traffic: Traffic| Job {
        phase,
        rule,
        shape: Arc::clone(shape),
        bytes: traffic.bytes(phase) * params,
        room: room(traffic, phase, params),
    };
    let own = [Phase::Accumulate, Phase::Ascend, Phase::AscendInPlace, Phase::Step];
    let mut jobs = Vec::new();
    for info in &request.rules {
        let traffic = Traffic::of(info, Base::SgdMomentum);
        jobs.extend(own.map(|phase| job(phase, info.name, traffic)));
    }
    let bare = |base: Base| Traffic { norm_reads: 0, memory: 0, inputs: 0, state: base.state() };
    jobs.push(job(Phase::Restore, ANY_RULE, bare(Base::SgdMomentum)));
    let descents = request.bases.iter().map(|base| job(Phase::Descend, base.name(), bare(*base)));
    jobs.extend(descents);
    jobs
}

fn too_large(job: &Job, memory: u64) -> ConfigError {
    let expected = format!("at most the {} available", gigabytes(memory));
    let found = format!("{} for {}", gigabytes(job.room), job.name());
    ConfigError::new(format!("--sizes {}", job.shape.name), expected, found)
}

fn no_match(request: &Request) -> ConfigError {
    let filter = request.filter.as_ref().map_or("", |filter| filter.as_str());
    let example = request.shapes.first().map_or("1e4", |shape| shape.name.as_str());
    let expected = format!("a match among rows such as step/sam/{example}");
    ConfigError::new("--filter", expected, format!("none for {filter:?}"))
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 * 1e-9)
}

#[cfg(test)]
mod tests {
    use super::super::fake::FakeTarget;
    use super::super::{Asked, Cache};
    use super::*;

    fn planned(memory: u64, asked: &Asked) -> Result<Plan, Error> {
        let request = Request::new(asked).unwrap();
        plan(&FakeTarget::of(memory), &request)
    }

    fn asked(sizes: Option<&str>, filter: Option<&str>) -> Asked {
        Asked {
            sizes: sizes.map(str::to_owned),
            filter: filter.map(str::to_owned),
            ..Asked::default()
        }
    }

    #[test]
    fn every_phase_of_every_rule_in_every_mode() {
        let plan = planned(u64::MAX, &asked(Some("1e4,640"), None)).unwrap();
        // Three rules of four phases, restore, descend; two sizes; warm and cold, plain and graph.
        assert_eq!(plan.rows.len(), (3 * 4 + 2) * 2 * 4);
        let names: Vec<String> = plan.rows.iter().map(|row| row.job.name()).collect();
        for name in ["accumulate/info-asam/1e4", "restore/any/640", "descend/sgd-momentum/1e4"] {
            assert!(names.iter().any(|found| found == name), "{name}");
        }
        let step = plan.rows.iter().find(|row| row.job.name() == "step/sam/1e4").unwrap();
        assert_eq!((step.job.bytes, step.mode.cache), (360_000, Cache::Warm));
    }

    #[test]
    fn a_filter_reaches_all_rules_and_both_base_optimizers() {
        let filter = "^(step|descend)/(vasso|pre-sam|adamw)/";
        let plan = planned(u64::MAX, &asked(Some("1e4"), Some(filter))).unwrap();
        let names: Vec<String> = plan.rows.iter().map(Row::name).collect();
        assert_eq!(names.len(), 12);
        assert_eq!(names[0], "step/vasso/1e4 warm");
        assert_eq!(names[11], "descend/adamw/1e4 cold graph");
    }

    #[test]
    fn what_memory_does_not_hold_is_left_out_and_refused_where_nothing_else_was_asked_for() {
        let plan = planned(20_000_000, &asked(None, None)).unwrap();
        assert!(plan.rows.iter().all(|row| row.job.shape.params() <= 100_000));
        assert_eq!(plan.left_out.len(), 3);
        let expected = "1e6: 14 of 14 jobs are left out: accumulate/sam/1e6 needs 0.0 GB, ";
        assert!(plan.left_out[0].starts_with(expected), "{:?}", plan.left_out);
        let named = planned(20_000_000, &asked(Some("1e4,1e9"), None)).unwrap();
        assert_eq!((named.rows.len(), named.left_out.len()), (14 * 4, 1));
        assert!(named.left_out[0].starts_with("1e9: 14 of 14 jobs are left out: "));
        // What is named is the least of what would have been needed.
        let error = planned(20_000_000, &asked(Some("1e9,1e8"), None)).unwrap_err();
        let found = error.to_string();
        assert_eq!(error.exit_code(), 2);
        let expected = "--sizes 1e8: expected at most the 0.0 GB available, found 2.8 GB for ";
        assert!(found.starts_with(expected), "{found}");
        let error = planned(1, &asked(None, None)).unwrap_err();
        assert!(error.to_string().starts_with("--sizes 1e4: expected at most "), "{error}");
    }

    #[test]
    fn a_job_without_room_takes_no_other_job_of_its_size_with_it() {
        // What a step of info-asam on 1e6 needs is more than that of sam, named or by default.
        for sizes in [None, Some("1e6")] {
            let asked = asked(sizes, Some("^step/(sam|info-asam)/1e6$"));
            let room = |rule: &str| {
                let rows = planned(u64::MAX, &asked).unwrap().rows;
                rows.into_iter().find(|row| row.job.rule == rule).unwrap().job.room
            };
            let plan = planned(room("info-asam") - 1, &asked).unwrap();
            assert!(room("sam") < room("info-asam"));
            assert!(plan.rows.len() == 4 && plan.rows.iter().all(|row| row.job.rule == "sam"));
            let expected = "1e6: 1 of 2 jobs are left out: step/info-asam/1e6 needs ";
            assert!(plan.left_out[0].starts_with(expected), "{:?}", plan.left_out);
        }
    }

    #[test]
    fn a_filter_without_a_match_is_refused_with_an_example() {
        let found = planned(u64::MAX, &asked(Some("640"), Some("step/salm"))).unwrap_err();
        let expected = "--filter: expected a match among rows such as step/sam/640, found none";
        assert!(found.to_string().starts_with(expected), "{found}");
    }
}
