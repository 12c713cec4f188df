//! [`table`]: what a person sees.

use super::record::{Measurement, Record};
use crate::show::table::{Column, Table};
use crate::show::view::View;

/// In a narrow place what a record holds too leaves first.
const COLUMNS: [Column; 8] = [
    Column::left("phase"),
    Column::left("rule"),
    Column::left("cache"),
    Column::right("median"),
    Column::right("5 % to 95 %").leaves(2),
    Column::right("bytes/param").leaves(4),
    Column::right("GB/s").leaves(3),
    Column::right("of copy"),
];
/// Where only a captured graph is another way to run a row.
const LAUNCH: Column = Column::left("launch").leaves(1);
/// Where a triad runs in turn with the rows.
const FLOOR: Column = Column::right("x floor").leaves(1);

/// The machine, and what the last columns mean.
pub fn headline(record: &Record) -> String {
    let header = &record.header;
    let threads = match header.host.threads {
        1 => "1 thread".to_owned(),
        threads => format!("{threads} threads"),
    };
    let driver = header.driver.as_ref().map_or(String::new(), |driver| format!(", {driver}"));
    let mut text = format!("{}, {threads}, {}{driver}\n", header.device, header.host.cpu_level);
    if let Some(overhead) = header.launch_overhead_ns {
        let (p50, p05, p95) = (overhead.p50, overhead.p05, overhead.p95);
        text += &format!("an empty launch: {} ({})", time(p50), range(p50, p05, p95));
        let device = header.launch_device_ns;
        let device = device.map_or(String::new(), |ns| format!(", {} on the device", time(ns.p50)));
        text += &(device + "\n");
    }
    text += "of copy: 100 % is as fast as a copy of as many bytes, run in turn with it\n";
    if has_floor(record) {
        text += "x floor: 1.00 is as fast as a triad (c = a + 3 b) of as many bytes, in turn with both\n";
    }
    text
}

fn has_floor(record: &Record) -> bool {
    record.measurements.iter().any(|row| row.floor_ns.is_some())
}

/// A section a size, a line a row.
pub fn table(record: &Record, view: View) -> String {
    let (rows, floor) = (&record.measurements, has_floor(record));
    let graphs = rows.iter().any(|row| row.graph);
    let mut columns = COLUMNS.to_vec();
    if floor {
        columns.push(FLOOR);
    }
    if graphs {
        columns.insert(3, LAUNCH);
    }
    let blocks = rows.chunk_by(|a, b| a.shape == b.shape);
    let table = blocks.fold(Table::new(columns), |table, block| {
        let heading = block.first().map_or_else(String::new, heading);
        table.section(heading, block.iter().map(|row| cells(row, graphs, floor)).collect())
    });
    format!("\n{}", table.text(view))
}

/// The size in words: a flat one needs no count of its tensors.
fn heading(row: &Measurement) -> String {
    let params = grouped(row.params);
    match row.tensors {
        1 => format!("{}: {params} parameters", row.shape),
        tensors => format!("{}: {params} parameters in {tensors} tensors", row.shape),
    }
}

fn cells(row: &Measurement, graphs: bool, floor: bool) -> Vec<String> {
    let share = |fraction: f64| format!("{:.0} %", 100.0 * fraction);
    let mut cells = vec![
        row.phase.name().to_owned(),
        row.rule.clone(),
        row.cache.name().to_owned(),
        time(row.p50_ns),
        range(row.p50_ns, row.p05_ns, row.p95_ns),
        (row.bytes / row.params.max(1)).to_string(),
        format!("{:.1}", row.bytes as f64 / row.p50_ns),
        row.fraction_of_copy.map_or_else(|| "-".to_owned(), share),
    ];
    if graphs {
        cells.insert(3, if row.graph { "graph" } else { "plain" }.to_owned());
    }
    if floor {
        cells.push(row.times_floor().map_or_else(|| "-".to_owned(), |times| format!("{times:.2}")));
    }
    cells
}

/// The unit in which `nanoseconds` is read best, and its length.
fn unit(nanoseconds: f64) -> (&'static str, f64) {
    let units = [("s", 1e9), ("ms", 1e6), ("us", 1e3)];
    units.into_iter().find(|(_, length)| nanoseconds >= *length).unwrap_or(("ns", 1.0))
}

/// A time with three digits or a few more, and its unit.
pub(super) fn time(nanoseconds: f64) -> String {
    let (unit, length) = unit(nanoseconds);
    format!("{} {unit}", digits(nanoseconds / length, nanoseconds / length))
}

/// `p05` to `p95` in the unit and with the decimals of the median.
fn range(p50: f64, p05: f64, p95: f64) -> String {
    let (_, length) = unit(p50);
    let show = |value: f64| digits(value / length, p50 / length);
    format!("{} to {}", show(p05), show(p95))
}

/// `value` with the decimals that leave `like` three digits.
fn digits(value: f64, like: f64) -> String {
    let decimals = usize::from(like < 100.0) + usize::from(like < 10.0);
    format!("{value:.decimals$}")
}

/// 11689512 as 11,689,512.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::fake::{FakeTarget, record};
    use super::*;

    #[test]
    fn a_block_a_size_with_aligned_columns() {
        let text = table(&record("1e4,resnet-18", "^step/(sam|info-asam)/"), View::PLAIN);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "1e4: 10,000 parameters");
        assert!(lines[2].starts_with("phase  rule       cache  launch  median"), "{text}");
        assert!(text.contains("\nresnet-18: 11,689,512 parameters in 62 tensors\n"));
        // A nanosecond a byte: 360 us, 1 GB/s, and half of the copy's bandwidth.
        assert!(lines[3].starts_with("step   sam        warm   plain   360 us   360 to 360"));
        assert!(lines[3].ends_with("36   1.0     50 %"), "{text}");
        let blocks = lines.split(|line| line.is_empty()).filter(|block| block.len() > 1);
        for block in blocks {
            let widths = block[1..].iter().map(|line| line.chars().count());
            assert!(widths.max() <= Some(100), "{text}");
        }
    }

    #[test]
    fn the_headline_names_the_machine_and_what_a_launch_costs() {
        let record = record("640", "restore");
        let text = headline(&record);
        assert!(text.starts_with("fake, "), "{text}");
        assert!(
            text.contains("an empty launch: 4.00 us (3.10 to 4.90), 1.50 us on the device\n"),
            "{text}"
        );
        assert_eq!(FakeTarget::NAME, record.header.device);
    }

    #[test]
    fn times_have_three_digits_and_the_unit_that_suits_them() {
        let shown = [0.5, 12.34, 999.0, 1234.0, 56_789.0, 7.2e8, 1.5e10].map(time);
        assert_eq!(
            shown,
            ["0.50 ns", "12.3 ns", "999 ns", "1.23 us", "56.8 us", "720 ms", "15.0 s"]
        );
        assert_eq!(range(1000.0, 999.0, 12_000.0), "1.00 to 12.00");
        assert_eq!([7, 999, 1000, 11_689_512].map(grouped), ["7", "999", "1,000", "11,689,512"]);
    }
}
