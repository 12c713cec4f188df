//! The step against its floor: triad, naive and ours in strict alternation in one process.
//!
//! ```text
//! floor = counted bytes / triad bandwidth = triad time * counted bytes / 24
//! ```
//!
//! `cargo run --release -p presam --example floor --features std,simd,rayon -- --help`

#[path = "../../benches/common/mod.rs"]
mod common;

mod alternate;
mod options;
mod report;

use alternate::alternate;
use common::{Triad, rules};
use options::Options;
use rayon::ThreadPoolBuilder;
use report::Report;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "-h" || argument == "--help") {
        println!("{}", options::HELP);
        return ExitCode::SUCCESS;
    }
    let measured = Options::parse(&arguments).map_err(|reason| (2, reason));
    match measured.and_then(|options| measure(&options).map_err(|reason| (1, reason))) {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, reason)) => {
            eprintln!("floor: {reason}");
            ExitCode::from(code)
        }
    }
}

/// Every rule on every shape and number of threads, one row each as it comes.
fn measure(options: &Options) -> Result<(), String> {
    let report = Report::new(options.markdown);
    report.heading();
    for shape in &options.shapes {
        for &threads in &options.threads {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build();
            let pool = pool.map_err(|error| format!("{threads} threads: {error}"))?;
            for rule in rules().iter().filter(|rule| options.wants(rule.info.name)) {
                let samples = pool.install(|| {
                    let mut pair = (rule.set_up)(shape, threads)?;
                    let triad = Triad::new(shape.params(), threads);
                    alternate(triad, pair.as_mut(), options.seconds)
                });
                let samples = samples.map_err(|reason| format!("{}: {reason}", rule.info.name))?;
                report.row(rule, shape, threads, &samples);
            }
        }
    }
    Ok(())
}
