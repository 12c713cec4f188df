//! [`run`]: all rows of a plan, one after the other; [`profile`]: each once.

use std::time::Instant;

use super::{FORM, Header, Measurement, Plan, Record, Request, Row, Target, measure};
use crate::error::Error;
use crate::machine::{self, Host, now};
use crate::stats::Quantiles;
use presam_cuda::DeviceError;

/// Told before each row: its place, how many there are, its name.
pub type Watch<'a> = &'a mut dyn FnMut(usize, usize, &Row);

/// Measures every row of `plan`; one for which there is no room (others use the device too) is left out.
///
/// # Errors
/// A wrong answer, or whatever the target refuses; no room for any row.
pub fn run(
    target: &mut dyn Target,
    plan: &Plan,
    request: &Request,
    command: &str,
    watch: Watch<'_>,
) -> Result<Record, Error> {
    let (date, before) = (now(), target.describe()?);
    let overhead = target.launch_overhead()?;
    let mut measurements = Vec::with_capacity(plan.rows.len());
    let (mut left_out, mut no_room) = (Vec::new(), None);
    for (index, row) in plan.rows.iter().enumerate() {
        watch(index, plan.rows.len(), row);
        match measured(target, row, request) {
            Ok(measurement) => measurements.push(measurement),
            Err(Error::Device(error @ DeviceError::OutOfMemory { .. })) => {
                left_out.push(format!("{} is left out: {error}", row.name()));
                no_room.get_or_insert(error);
            }
            Err(error) => return Err(named(error, row)),
        }
    }
    if let (true, Some(error)) = (measurements.is_empty(), no_room) {
        return Err(error.into());
    }
    let after = target.describe()?;
    let reasons = [&before, &after].map(|device| device.throttle_reasons.clone());
    let header = Header {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        date,
        command: command.to_owned(),
        device: before.name,
        driver: before.driver,
        last_cache_bytes: before.last_cache_bytes,
        clocks_before: before.clocks,
        clocks_after: after.clocks,
        throttle_reasons: joined(reasons),
        host: Host::detect(request.threads),
        rustc: machine::rustc(),
        launch_overhead_ns: overhead.as_ref().map(|samples| Quantiles::of(&samples.host_ns)),
        launch_device_ns: overhead.as_ref().map(|samples| Quantiles::of(&samples.device_ns)),
    };
    Ok(Record { form: FORM.to_owned(), header, measurements, left_out })
}

fn measured(target: &mut dyn Target, row: &Row, request: &Request) -> Result<Measurement, Error> {
    let mut programs = target.prepare(row)?;
    let start = Instant::now();
    let clock = || start.elapsed();
    let samples = measure(programs.as_mut(), row.mode.cache, request.min_time, &clock)?;
    Ok(Measurement::new(row, samples))
}

/// Runs the job of every row once, for a profiler to watch, and measures nothing; gives the number of rows.
/// Those of graphs are none of them: their kernels are those of the plain ones.
///
/// # Errors
/// A wrong answer, or whatever the target refuses.
pub fn profile(target: &mut dyn Target, plan: &Plan, watch: Watch<'_>) -> Result<usize, Error> {
    let rows: Vec<&Row> = plan.rows.iter().filter(|row| !row.mode.graph).collect();
    for (index, row) in rows.iter().enumerate() {
        watch(index, rows.len(), row);
        target.profile(row).map_err(|error| named(error, row))?;
    }
    Ok(rows.len())
}

fn named(error: Error, row: &Row) -> Error {
    match error {
        Error::Wrong(what) => Error::Wrong(format!("{}: {what}", row.name())),
        other => other,
    }
}

/// Each reason once; `None` where the device never told.
fn joined(reasons: [Option<Vec<String>>; 2]) -> Option<Vec<String>> {
    let told: Vec<Vec<String>> = reasons.into_iter().flatten().collect();
    let mut all: Vec<String> = told.iter().flatten().cloned().collect();
    all.sort();
    all.dedup();
    (!told.is_empty()).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::super::fake::FakeTarget;
    use super::super::{Asked, Cache, plan};
    use super::*;

    fn request(filter: &str) -> Request {
        Request::new(&Asked {
            sizes: Some("1e4".into()),
            filter: Some(filter.into()),
            min_time: Some(1e-6),
            ..Asked::default()
        })
        .unwrap()
    }

    #[test]
    fn a_record_holds_every_row_with_its_share_of_the_copy() {
        let mut target = FakeTarget::of(u64::MAX);
        let request = request("^step/sam/");
        let plan = plan(&target, &request).unwrap();
        let mut seen = Vec::new();
        let mut watch = |index: usize, total: usize, row: &Row| {
            seen.push(format!("{index} of {total}: {}", row.name()));
        };
        let record = run(&mut target, &plan, &request, "presam bench", &mut watch).unwrap();
        assert_eq!(seen[3], "3 of 4: step/sam/1e4 cold graph");
        let shares: Vec<(Cache, bool, Option<f64>)> = record
            .measurements
            .iter()
            .map(|row| (row.cache, row.graph, row.fraction_of_copy))
            .collect();
        let expected = [
            (Cache::Warm, false, Some(0.5)),
            (Cache::Cold, false, Some(0.8)),
            (Cache::Warm, true, Some(1.0)),
            (Cache::Cold, true, Some(1.6)),
        ];
        assert_eq!(shares, expected);
        let row = &record.measurements[0];
        assert_eq!((row.bytes, row.p05_ns, row.p50_ns, row.p95_ns), (360_000, 3.6e5, 3.6e5, 3.6e5));
        let overhead = record.header.launch_overhead_ns.unwrap();
        assert_eq!((overhead.p50, record.header.device.as_str()), (4000.0, "fake"));
        assert_eq!((&record.header.clocks_before, &record.header.throttle_reasons), (&None, &None));
    }

    #[test]
    fn a_row_without_room_is_left_out_and_told_and_the_others_are_measured() {
        let request = request("^(step|ascend)/sam/");
        let mut target = FakeTarget { full: "ascend", ..FakeTarget::of(u64::MAX) };
        let plan = plan(&target, &request).unwrap();
        let record = run(&mut target, &plan, &request, "presam bench", &mut |_, _, _| {}).unwrap();
        assert_eq!((record.measurements.len(), record.left_out.len()), (4, 4));
        let line = "ascend/sam/1e4 warm is left out: device memory: no room for 640 bytes";
        assert_eq!(record.left_out[0], line);
        target.full = "";
        let error =
            run(&mut target, &plan, &request, "presam bench", &mut |_, _, _| {}).unwrap_err();
        assert_eq!(error.to_string(), "device memory: no room for 640 bytes");
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn a_profile_runs_each_row_but_those_of_graphs_once() {
        let mut target = FakeTarget::of(u64::MAX);
        let plan = plan(&target, &request("^ascend")).unwrap();
        let count = profile(&mut target, &plan, &mut |_, _, _| {}).unwrap();
        let plain = plan.rows.iter().filter(|row| !row.mode.graph);
        let names: Vec<String> = plain.map(Row::name).collect();
        assert_eq!((count, 2 * count), (names.len(), plan.rows.len()));
        assert_eq!(target.prepared, names);
    }

    #[test]
    fn reasons_of_both_moments_are_told_once() {
        let told = |text: &str| Some(vec![text.to_owned()]);
        assert_eq!(joined([told("heat"), told("heat")]), told("heat"));
        assert_eq!(joined([Some(Vec::new()), None]), Some(Vec::new()));
        assert_eq!(joined([None, None]), None);
    }
}
