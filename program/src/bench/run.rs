//! [`run`]: all rows of a plan, one after the other; [`profile`]: each once.

use std::time::Instant;

use super::{FORM, Header, Measurement, Plan, Record, Request, Row, Target, measure};
use crate::error::Error;
use crate::machine::{self, Host, now};
use crate::stats::Quantiles;
use presam_cuda::DeviceError;

/// Told before each row: its place, how many there are, its name.
pub type Watch<'a> = &'a mut dyn FnMut(usize, usize, &Row);

/// What is told while rows are measured.
pub trait Events {
    /// Before each row, as [`Watch`].
    fn row(&mut self, _index: usize, _rows: usize, _row: &Row) {}

    /// After it: what was measured, or why nothing was, in a line.
    fn told(&mut self, _line: &str) {}

    /// After the rows of each shape but the last, and before an error: the record so far.
    ///
    /// # Errors
    /// Where it is to be kept and cannot be.
    fn kept(&mut self, _record: &Record) -> Result<(), Error> {
        Ok(())
    }
}

/// Nobody listens.
impl Events for () {}

/// Measures every row of `plan`; one for which there is no room (others use the device too) is left out, one
/// whose answer is wrong is recorded as that and passed over.
///
/// # Errors
/// Whatever the target refuses; no room for any row.
pub fn run(
    target: &mut dyn Target,
    plan: &Plan,
    request: &Request,
    command: &str,
    events: &mut dyn Events,
) -> Result<Record, Error> {
    let mut record = Record {
        form: FORM.to_owned(),
        header: header(target, request, command)?,
        measurements: Vec::with_capacity(plan.rows.len()),
        left_out: Vec::new(),
        wrong: Vec::new(),
    };
    let mut no_room = None;
    for (index, row) in plan.rows.iter().enumerate() {
        events.row(index, plan.rows.len(), row);
        match measured(target, row, request) {
            Ok(measurement) => {
                events.told(&line(row, &measurement));
                record.measurements.push(measurement);
            }
            Err(Error::Device(error @ DeviceError::OutOfMemory { .. })) => {
                record.left_out.push(format!("{} is left out: {error}", row.name()));
                no_room.get_or_insert(error);
            }
            Err(Error::Wrong(what)) => {
                let wrong = format!("{}: {what}", row.name());
                events.told(&wrong);
                record.wrong.push(wrong);
            }
            Err(error) => {
                events.kept(&record)?;
                return Err(error);
            }
        }
        let next = plan.rows.get(index + 1);
        if next.is_some_and(|next| next.job.shape != row.job.shape) {
            events.kept(&record)?;
        }
    }
    match no_room {
        Some(error) if record.measurements.is_empty() => return Err(error.into()),
        _ => {}
    }
    Ok(record)
}

/// What is known before the first row.
fn header(target: &mut dyn Target, request: &Request, command: &str) -> Result<Header, Error> {
    let (date, device) = (now(), target.describe()?);
    let overhead = target.launch_overhead()?;
    Ok(Header {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        date,
        command: command.to_owned(),
        device: device.name,
        driver: device.driver,
        last_cache_bytes: device.last_cache_bytes,
        host: Host::detect(request.threads),
        rustc: machine::rustc(),
        launch_overhead_ns: overhead.as_ref().map(|samples| Quantiles::of(&samples.host_ns)),
        launch_device_ns: overhead.as_ref().map(|samples| Quantiles::of(&samples.device_ns)),
    })
}

/// `step/sam/1e6 cold graph: 12.3 us, 97 % of copy`, as soon as it is known.
fn line(row: &Row, measurement: &Measurement) -> String {
    let share = measurement.fraction_of_copy;
    let share = share.map_or(String::new(), |share| format!(", {:.0} % of copy", 100.0 * share));
    format!("{}: {:.1} us{share}", row.name(), measurement.p50_ns * 1e-3)
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

    /// All that was told, in order.
    #[derive(Default)]
    struct Seen(Vec<String>);

    impl Events for Seen {
        fn row(&mut self, index: usize, rows: usize, row: &Row) {
            self.0.push(format!("{index} of {rows}: {}", row.name()));
        }

        fn told(&mut self, line: &str) {
            self.0.push(line.to_owned());
        }

        fn kept(&mut self, record: &Record) -> Result<(), Error> {
            let (rows, wrong) = (record.measurements.len(), record.wrong.len());
            self.0.push(format!("kept: {rows} rows, {wrong} wrong"));
            Ok(())
        }
    }

    #[test]
    fn a_record_holds_every_row_with_its_share_of_the_copy() {
        let mut target = FakeTarget::of(u64::MAX);
        let request = request("^step/sam/");
        let plan = plan(&target, &request).unwrap();
        let mut seen = Seen::default();
        let record = run(&mut target, &plan, &request, "presam bench", &mut seen).unwrap();
        assert_eq!(seen.0[6], "3 of 4: step/sam/1e4 cold graph");
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
    }

    #[test]
    fn a_row_without_room_is_left_out_and_told_and_the_others_are_measured() {
        let request = request("^(step|ascend)/sam/");
        let mut target = FakeTarget { full: "ascend", ..FakeTarget::of(u64::MAX) };
        let plan = plan(&target, &request).unwrap();
        let record = run(&mut target, &plan, &request, "presam bench", &mut ()).unwrap();
        assert_eq!((record.measurements.len(), record.left_out.len()), (4, 4));
        let line = "ascend/sam/1e4 warm is left out: device memory: no room for 640 bytes";
        assert_eq!(record.left_out[0], line);
        target.full = "";
        let error = run(&mut target, &plan, &request, "presam bench", &mut ()).unwrap_err();
        assert_eq!(error.to_string(), "device memory: no room for 640 bytes");
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn a_wrong_row_is_recorded_and_passed_over_and_each_size_is_kept() {
        let request = Request::new(&Asked {
            sizes: Some("1e4,640".into()),
            filter: Some("^(step|ascend)/sam/".into()),
            min_time: Some(1e-6),
            ..Asked::default()
        });
        let request = request.unwrap();
        let mut target = FakeTarget { wrong: "ascend/sam/1e4", ..FakeTarget::of(u64::MAX) };
        let plan = plan(&target, &request).unwrap();
        let mut seen = Seen::default();
        let record = run(&mut target, &plan, &request, "presam bench", &mut seen).unwrap();
        assert_eq!((record.measurements.len(), record.wrong.len()), (12, 4));
        assert_eq!(record.wrong[0], "ascend/sam/1e4 warm: scripted to be wrong");
        assert!(seen.0.contains(&record.wrong[0]), "{:?}", seen.0);
        assert!(seen.0.contains(&"kept: 4 rows, 4 wrong".to_owned()), "{:?}", seen.0);
        // What the device refuses ends the run, and what was measured before is kept.
        let mut target = FakeTarget { lost: "step/sam/640", ..FakeTarget::of(u64::MAX) };
        let error = run(&mut target, &plan, &request, "presam bench", &mut seen).unwrap_err();
        assert_eq!(error.to_string(), "device lost: scripted");
        assert_eq!(seen.0.last().unwrap(), "kept: 12 rows, 0 wrong");
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
}
