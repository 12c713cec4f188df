//! The files of a benchmark: bench.json, bench.csv and bench.svg, complete or not at all.

use std::path::Path;

use super::picture::fractions_svg;
use super::record::{Header, Measurement, Record};
use crate::show::files::{Folder, OutputError, json};

/// The names of the files in the folder.
pub const FILES: [&str; 3] = ["bench.json", "bench.csv", "bench.svg"];

/// Writes all of [`FILES`] to the folder of `--out`.
///
/// # Errors
/// As [`Folder::write`].
pub fn write_files(folder: &Path, record: &Record) -> Result<(), OutputError> {
    let folder = Folder { flag: "--out", path: folder };
    let contents = contents(record).map_err(|reason| folder.error(reason))?;
    let files: Vec<(&str, Vec<u8>)> = FILES.into_iter().zip(contents).collect();
    folder.write(&files)
}

/// The bytes of each of [`FILES`], in that order.
fn contents(record: &Record) -> Result<[Vec<u8>; 3], Box<dyn std::error::Error>> {
    Ok([json(record)?, csv(record)?, fractions_svg(record)?.into_bytes()])
}

const COLUMNS: [&str; 18] = [
    "program",
    "phase",
    "rule",
    "shape",
    "params",
    "tensors",
    "cache",
    "graph",
    "bytes",
    "copy_bytes",
    "runs",
    "p05_ns",
    "p50_ns",
    "p95_ns",
    "copy_p50_ns",
    "fraction_of_copy",
    "floor_ns",
    "samples_ns",
];

/// The header as lines after `#`, then a line a measurement; its samples stand in one cell, with spaces between.
///
/// # Errors
/// None that a record can cause; the writer's own is passed on.
pub fn csv(record: &Record) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut writer = csv::Writer::from_writer(comments(&record.header).into_bytes());
    writer.write_record(COLUMNS)?;
    for row in &record.measurements {
        writer.write_record(cells(row))?;
    }
    Ok(writer.into_inner()?)
}

/// What the machine did not tell is left out.
fn comments(header: &Header) -> String {
    let lines = [
        ("version", Some(header.version.clone())),
        ("date", Some(header.date.clone())),
        ("command", Some(header.command.clone())),
        ("device", Some(header.device.clone())),
        ("driver", header.driver.clone()),
        ("last cache", header.last_cache_bytes.map(|bytes| format!("{bytes} bytes"))),
        ("host", Some(format!("{}, {} threads", header.host.cpu, header.host.threads))),
        ("rustc", header.rustc.clone()),
        ("launch overhead", header.launch_overhead_ns.map(|ns| format!("median {} ns", ns.p50))),
        ("on the device", header.launch_device_ns.map(|ns| format!("median {} ns", ns.p50))),
    ];
    let told = lines.into_iter().filter_map(|(name, value)| Some((name, value?)));
    // A line break within a value would end the comment.
    told.map(|(name, value)| format!("# {name}: {}\n", value.replace(['\n', '\r'], " "))).collect()
}

fn cells(row: &Measurement) -> [String; 18] {
    let samples: Vec<String> = row.samples_ns.iter().map(f64::to_string).collect();
    [
        row.program.clone(),
        row.phase.name().to_owned(),
        row.rule.clone(),
        row.shape.clone(),
        row.params.to_string(),
        row.tensors.to_string(),
        row.cache.name().to_owned(),
        row.graph.to_string(),
        row.bytes.to_string(),
        row.copy_bytes.to_string(),
        row.runs.to_string(),
        row.p05_ns.to_string(),
        row.p50_ns.to_string(),
        row.p95_ns.to_string(),
        row.copy_p50_ns.to_string(),
        row.fraction_of_copy.map_or_else(String::new, |fraction| fraction.to_string()),
        row.floor_ns.map_or_else(String::new, |floor| floor.to_string()),
        samples.join(" "),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::fake::record;
    use super::*;

    #[test]
    fn a_record_reads_back_in_every_bit_and_the_csv_says_the_same() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("a").join("b");
        let mut record = record("1e4,resnet-18", "^(step|restore)/");
        record.measurements[0].samples_ns = vec![0.1 + 0.2, 1.0 / 3.0];
        record.header.command = "presam bench\n--sizes".into();
        write_files(&folder, &record).unwrap();
        let mut names: Vec<_> =
            std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["bench.csv", "bench.json", "bench.svg"]);
        assert_eq!(Record::read("--from", &folder.join("bench.json")).unwrap(), record);
        let text = std::fs::read_to_string(folder.join("bench.csv")).unwrap();
        assert!(text.contains("# command: presam bench --sizes\n# device: fake\n"), "{text}");
        let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
        assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), COLUMNS);
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), record.measurements.len());
        assert_eq!(&rows[0][17], "0.30000000000000004 0.3333333333333333");
        assert_eq!(rows[0][8].parse::<u64>().unwrap(), record.measurements[0].bytes);
    }

    #[test]
    fn a_record_of_an_older_version_is_read_whatever_its_header_says_of_clocks() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("bench.json");
        let record = record("640", "restore");
        let mut older = serde_json::to_value(&record).unwrap();
        older["header"]["clocks_before"] =
            serde_json::json!({"core_mhz": 1980, "memory_mhz": 2619});
        older["header"]["clocks_after"] = serde_json::Value::Null;
        older["header"]["throttle_reasons"] = serde_json::json!(["sw power cap"]);
        std::fs::write(&file, older.to_string()).unwrap();
        assert_eq!(Record::read("--compare", &file).unwrap(), record);
    }

    #[test]
    fn what_is_no_record_is_refused_with_the_reason() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("other.json");
        let good = serde_json::to_value(record("640", "restore")).unwrap();
        let mut other_form = good.clone();
        other_form["form"] = "presam-bench 9".into();
        let mut no_times = good.clone();
        no_times["measurements"][0]["p05_ns"] = (-1.0).into();
        let mut no_phase = good.clone();
        no_phase["measurements"][0]["phase"] = "warp".into();
        let cases = [
            ("{".to_owned(), "no JSON: "),
            ("{\"results\": []}".to_owned(), "JSON without \"form\""),
            (other_form.to_string(), "the form \"presam-bench 9\""),
            (no_times.to_string(), "quantiles [-1.0, "),
            (no_phase.to_string(), "unknown variant `warp`"),
        ];
        for (text, reason) in cases {
            std::fs::write(&file, &text).unwrap();
            for flag in ["--from", "--compare"] {
                let message = Record::read(flag, &file).unwrap_err().to_string();
                assert!(message.starts_with(&format!("{flag} {}: expected ", file.display())));
                assert!(message.contains(reason) && message.lines().count() == 1, "{message}");
            }
        }
        std::fs::write(&file, good.to_string()).unwrap();
        Record::read("--from", &file).unwrap();
        assert!(Record::read("--from", &place.path().join("absent")).is_err());
    }
}
