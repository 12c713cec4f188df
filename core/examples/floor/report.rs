//! [`Report`]: the table, and the machine it was measured on.

use crate::alternate::{Samples, quantile};
use crate::common::{Rule, Shape, TRIAD_BYTES};
use presam::Cpu;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

const COLUMNS: [&str; 8] = [
    "rule",
    "size",
    "threads",
    "microseconds (10 to 90 %)",
    "bytes/param",
    "x floor (10 to 90 %)",
    "x naive (10 to 90 %)",
    "triad GB/s",
];
const WIDTHS: [usize; 8] = [26, 11, 7, 34, 11, 20, 20, 10];

/// Prints rows as they come.
pub struct Report {
    markdown: bool,
}

impl Report {
    pub fn new(markdown: bool) -> Self {
        Self { markdown }
    }

    pub fn heading(&self) {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let target = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
        let (level, build) = (Cpu::detect().level(), build());
        println!("{}, {cores} cores, {target}; {}", processor(), date());
        println!("level {level}; {}, {build}\n", compiler());
        self.print(COLUMNS.map(String::from));
        if self.markdown {
            self.print([(); 8].map(|()| "---".into()));
        }
    }

    /// Ratios are taken round by round and then summed up, so that a drift of the machine cancels.
    pub fn row(&self, rule: &Rule, shape: &Shape, threads: usize, samples: &Samples) {
        let Samples { triad, naive, ours } = samples;
        let ratios = |below: &[f64], factor: f64| -> Vec<f64> {
            ours.iter().zip(below).map(|(ours, below)| ours / (below * factor)).collect()
        };
        let micros: Vec<f64> = ours.iter().map(|seconds| seconds * 1e6).collect();
        let bandwidth = TRIAD_BYTES * shape.params() as f64 / quantile(triad, 0.5) * 1e-9;
        self.print([
            rule.info.name.into(),
            shape.name.clone(),
            threads.to_string(),
            spread(&micros),
            rule.bytes.to_string(),
            spread(&ratios(triad, rule.bytes as f64 / TRIAD_BYTES)),
            spread(&ratios(naive, 1.0)),
            format!("{bandwidth:.1}"),
        ]);
    }

    fn print(&self, cells: [String; 8]) {
        if self.markdown {
            println!("| {} |", cells.join(" | "));
        } else {
            let padded = cells.iter().zip(WIDTHS).map(|(cell, width)| format!("{cell:<width$}"));
            println!("{}", padded.collect::<Vec<_>>().join(" ").trim_end());
        }
    }
}

/// Median (10 % quantile to 90 % quantile)
fn spread(values: &[f64]) -> String {
    let [low, median, high] = [0.1, 0.5, 0.9].map(|share| quantile(values, share));
    let digits = if median < 10.0 { 2 } else { usize::from(median < 1000.0) };
    format!("{median:.digits$} ({low:.digits$} to {high:.digits$})")
}

fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find(|line| line.starts_with("model name"));
    let name = name.and_then(|line| line.split(": ").nth(1));
    name.unwrap_or("unknown processor").into()
}

/// What `rustc` is here; cargo tells a program nothing of the compiler that built it.
fn compiler() -> String {
    let output = Command::new("rustc").arg("--version").output();
    let version = output.ok().filter(|output| output.status.success());
    let version = version.and_then(|output| String::from_utf8(output.stdout).ok());
    version.map_or("unknown compiler".into(), |version| version.trim().into())
}

/// What the plain loops, the naive ones and the triad are compiled for.
fn build() -> &'static str {
    if cfg!(debug_assertions) {
        "WITHOUT --release"
    } else if cfg!(target_feature = "avx512f") {
        "release for AVX-512"
    } else if cfg!(target_feature = "avx2") {
        "release for AVX2"
    } else {
        "release for the target's default processor"
    }
}

/// Today in UTC, by Howard Hinnant's civil calendar with years that begin in March.
fn date() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let day = seconds / 86_400 + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year + carry)
}
