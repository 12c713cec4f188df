//! Any text as a configuration: an error of one line, or settings that survive their own TOML.

#![no_main]

use libfuzzer_sys::fuzz_target;
use presam_fuzz::memory::{Measuring, peak};
use presam_program::config::{
    Options, parse_numbers, parse_rho, parse_seeds, parse_setting, resolve,
};

#[global_allocator]
static ALLOCATOR: Measuring = Measuring;

/// Of the text's tree, and of a message, a byte of text.
const PER_BYTE: usize = 1024;
/// What 100,000 seeds need, the most that six digits can ask for, while each is looked at.
const SEEDS: usize = 8 << 20;

fuzz_target!(|text: &str| {
    let (options, held) = peak(|| Options::parse("f.toml", text));
    assert!(held <= PER_BYTE * (text.len() + 16), "{held} bytes for {}", text.len());
    match options {
        Err(error) => assert_eq!(error.to_string().lines().count(), 1, "{error}"),
        Ok(options) => settings(options, text.len()),
    }
    flags(text);
});

/// What resolves is within limits, so it can be written down and read again.
fn settings(options: Options, length: usize) {
    let (config, held) = peak(|| resolve(options));
    assert!(held <= SEEDS + PER_BYTE * (length + 16), "{held} bytes for {length}");
    let Ok(config) = config else { return };
    let again = config.to_toml().map_err(|error| error.to_string());
    let again = again.and_then(|text| Options::parse("f.toml", &text).map_err(|e| e.to_string()));
    let again = again.and_then(|options| resolve(options).map_err(|error| error.to_string()));
    assert_eq!(again, Ok(config.clone()));
    assert!(config.command().starts_with("presam train"));
    let (available, taken) = (1797, config.training_size(1797, false));
    assert!(taken.is_err() || taken.is_ok_and(|size| (1..available).contains(&size)));
}

/// The small languages of single flags.
fn flags(text: &str) {
    let (seeds, held) = peak(|| parse_seeds(text));
    assert!(held <= SEEDS + PER_BYTE * (text.len() + 16), "{held} bytes for {}", text.len());
    assert!(seeds.is_err() || seeds.is_ok_and(|seeds| !seeds.is_empty()));
    let _ = parse_rho(text);
    let _ = parse_setting(text);
    let numbers = parse_numbers::<usize>("--hidden", "widths", text);
    assert!(numbers.is_err() || numbers.is_ok_and(|n| n.len() == text.split(',').count()));
}
