//! Random bytes and mutated kernels: an error or a fault, never a panic, never a hang.

use crate::apply::random;
use ptx_machine::hostile::{Outcome, run_any};
use std::time::{Duration, Instant};

const TEXTS: [&str; 3] = [
    include_str!("../ptx/rust/kernels.ptx"),
    include_str!("../ptx/cuda/sm_70.ptx"),
    include_str!("../ptx/cuda/sm_75.ptx"),
];

/// Parts of PTX that a mutation may put anywhere.
const PARTS: [&str; 40] = [
    "{",
    "}",
    "[",
    "]",
    ";",
    ",",
    "(",
    ")",
    ":",
    "%r1",
    "%rd1",
    "%p1",
    "%f1",
    "-1",
    "0",
    "4294967295",
    "0xffffffffffffffff",
    "0f7FC00000",
    ".shared",
    ".global",
    ".local",
    ".param",
    "@%p1",
    "@!%p1",
    "bra",
    "bar.sync 0;",
    "exit;",
    "trap;",
    "shfl.sync.idx.b32 %r1, %r1, %r2, %r3, %r4;",
    "call",
    ".v4",
    ".b8",
    ".reg .b64 %rd<9>;",
    "atom.global.add.u32",
    "/*",
    "\"",
    ".align 4096",
    ".b8 x[999999];",
    "vote.sync.ballot.b32 %r1, %p1, -1;",
    "bar.sync %r1, %r2;",
];

/// One to four changes to a text, by what is drawn.
fn mutated(text: &str, draw: &mut impl Iterator<Item = u64>) -> Vec<u8> {
    let mut next = |limit: usize| (draw.next().unwrap_or(0) >> 8) as usize % limit.max(1);
    let mut words: Vec<String> =
        text.split_inclusive([' ', '\t', '\n', ',', '.', '+']).map(str::to_owned).collect();
    for _ in 0..=next(4) {
        let (at, other) = (next(words.len()), next(words.len()));
        match next(8) {
            0 => words.swap(at, other),
            1 => words[at] = words[other].clone(),
            2 => words[at] = format!("{} ", PARTS[next(PARTS.len())]),
            3 => words[at] = String::new(),
            4 => {
                words[at] = words[at].replace(|c: char| c.is_ascii_digit(), &next(100).to_string())
            }
            5 => words.truncate(at),
            6 => words.insert(at, format!(" {} ", PARTS[next(PARTS.len())])),
            _ => words[at] = words[at].chars().rev().collect(),
        }
        if words.is_empty() {
            break;
        }
    }
    let mut bytes = words.concat().into_bytes();
    if next(3) == 0 && !bytes.is_empty() {
        let at = next(bytes.len());
        bytes[at] ^= 1 << next(8);
    }
    bytes
}

/// Runs it; a single text that takes seconds counts as a hang.
fn run_in_time(bytes: &[u8]) -> Outcome {
    let start = Instant::now();
    let outcome = run_any(bytes);
    let taken = start.elapsed();
    assert!(taken < Duration::from_secs(10), "{taken:?} for\n{}", String::from_utf8_lossy(bytes));
    outcome
}

#[test]
fn the_texts_themselves_run() {
    for text in TEXTS {
        let outcome = run_in_time(text.as_bytes());
        assert!(outcome.understood && outcome.ran > 1 && outcome.refused == 0, "{outcome:?}");
    }
}

#[test]
fn mutated_kernels_end() {
    let mut draw = random(2026);
    let (mut understood, mut ran, mut faults) = (0, 0, 0);
    for n in 0..1500 {
        let outcome = run_in_time(&mutated(TEXTS[n % TEXTS.len()], &mut draw));
        understood += usize::from(outcome.understood);
        ran += outcome.ran;
        faults += outcome.faults;
    }
    // The mutations reach all depths: the parser, the decoder, the machine.
    assert!(
        understood > 50 && understood < 1450 && ran > 100 && faults > 50,
        "{understood} {ran} {faults}"
    );
}

#[test]
fn random_bytes_end() {
    let mut draw = random(7);
    for n in 0..3000_usize {
        let length = n % 300;
        let bytes: Vec<u8> = draw.by_ref().take(length).map(|bits| (bits >> 16) as u8).collect();
        assert!(!run_in_time(&bytes).understood);
        // The same bytes behind a header, as words.
        let words: Vec<&str> =
            bytes.iter().map(|byte| PARTS[usize::from(*byte) % PARTS.len()]).collect();
        let header = ".version 7.0 .target sm_70 .entry k() { .reg .b32 %r<9>; .reg .pred %p<4>; ";
        let _ = run_in_time(format!("{header}{}", words.join(" ")).as_bytes());
    }
}

#[test]
fn deep_and_wide_text_ends() {
    let header = ".version 7.0 .target sm_70 .entry k() ";
    let braces = format!("{header}{}{}", "{".repeat(100_000), "}".repeat(100_000));
    assert!(run_in_time(braces.as_bytes()).understood);
    let nested = format!(
        "{header} {{ .reg .b32 %r<2>; mov.u32 {}%r1{}, 1; }}",
        "(".repeat(50_000),
        ")".repeat(50_000)
    );
    assert!(!run_in_time(nested.as_bytes()).understood);
    let data = format!(
        ".version 7.0 .target sm_70 .global .b8 x[4] = {}1{};",
        "{".repeat(50_000),
        "}".repeat(50_000)
    );
    assert!(run_in_time(data.as_bytes()).understood);
    let many = format!(
        "{header} {{ .reg .b32 %r<70000>; {} }}",
        (0..66_000).map(|n| format!("mov.u32 %r{n}, {n};")).collect::<String>()
    );
    assert!(!run_in_time(many.as_bytes()).understood, "more registers than a warp has");
    let variables: String = (0..9).map(|n| format!(".global .b8 x{n}[60000000];")).collect();
    assert!(!run_in_time(format!(".version 7.0 .target sm_70 {variables}").as_bytes()).understood);
}
