//! Any bytes as the lines of a child of `presam verify --exec`: an error of one line, or what was asked for and no
//! list of another length; no memory is taken for lies.

#![no_main]

use libfuzzer_sys::fuzz_target;
use presam_conformance::{Case, Scalar};
use presam_fuzz::case::case;
use presam_fuzz::draw::{Draw, Kind};
use presam_fuzz::memory::{Measuring, peak};
use presam_fuzz::same;
use presam_pipe::{
    Asked, Form, Operation, Reply, case_value, parse_answer, parse_hello, read_case,
};

#[global_allocator]
static ALLOCATOR: Measuring = Measuring;

/// A number of two bytes becomes one of eight, in a list that doubles; an empty segment a row of lists.
const PER_BYTE: usize = 64;
/// The head of a line in a message, and what a list starts with.
const SLACK: usize = 16 << 10;
/// Bytes of an input from which the case is drawn; the rest is the line.
const CASE: usize = 32;
/// The request that is answered.
const ID: u64 = 7;

fuzz_target!(|bytes: &[u8]| {
    let (head, line) = bytes.split_at(bytes.len().min(CASE));
    let mut draw = Draw::new(head);
    match draw.below(4) {
        0 => hello(line),
        1 => answer::<f32>(&mut draw, line),
        2 => answer::<f64>(&mut draw, line),
        _ => saved(line),
    }
});

fn bounded<T>(line: &[u8], parse: impl FnOnce() -> T) -> T {
    let (parsed, held) = peak(parse);
    assert!(held <= PER_BYTE * line.len() + SLACK, "{held} bytes for {}", line.len());
    parsed
}

fn is_one_line(error: &impl ToString) {
    assert_eq!(error.to_string().lines().count(), 1, "{:?}", error.to_string());
}

/// What a child says of itself: names that the suite knows, each once.
fn hello(line: &[u8]) {
    match bounded(line, || parse_hello(line)) {
        Ok(hello) => {
            let mut names: Vec<_> = hello.rules.iter().map(|rule| rule.name()).collect();
            names.dedup();
            assert_eq!(names.len(), hello.rules.len());
            assert!(
                hello.bases.len() <= 3 && hello.scalars.len() <= 2 && hello.operations.len() <= 3
            );
        }
        Err(error) => is_one_line(&error),
    }
}

fn answer<R: Scalar>(draw: &mut Draw<'_>, line: &[u8]) {
    let operation = draw.pick(&[Operation::Step, Operation::Ascend, Operation::Descend]);
    let form = draw.pick(&[Form::Decimal, Form::Bits]);
    let asked = Asked { operation, form, groups: draw.flag(), keeps_state: draw.flag() };
    let case: Case<R> = case(draw, Kind::Tame);
    let (segments, has_mean) = match bounded(line, || parse_answer(line, ID, &case, asked)) {
        Ok(Reply::Step { segments, mean_of_variance }) => (segments, mean_of_variance.is_some()),
        Ok(Reply::Refused(reason)) => return assert!(reason.lines().count() <= 1),
        Err(error) => return is_one_line(&error),
    };
    let (ascends, descends) = (operation != Operation::Descend, operation != Operation::Ascend);
    let given = !asked.keeps_state;
    assert!(!has_mean || ascends && given && case.rule.carries_mean());
    assert_eq!(segments.len(), case.segments.len());
    for (found, wanted) in segments.iter().zip(&case.segments) {
        let length = wanted.params.len();
        let plane = |is_asked: bool| is_asked.then_some(length);
        assert_eq!(found.perturbed.as_ref().map(Vec::len), plane(ascends));
        assert_eq!(found.params.as_ref().map(Vec::len), plane(descends));
        let lengths = |planes: &Option<Vec<Vec<R>>>| -> Option<Vec<usize>> {
            planes.as_ref().map(|planes| planes.iter().map(Vec::len).collect())
        };
        let memory = (ascends && given).then(|| vec![length; case.rule.memory()]);
        let state = (descends && given).then(|| vec![length; case.base.planes()]);
        assert_eq!((lengths(&found.memory), lengths(&found.state)), (memory, state));
    }
}

/// A file of `--replay`: what reads as a case is written and read again as the same.
fn saved(line: &[u8]) {
    let Ok(value) = serde_json::from_slice(line) else { return };
    let case = match read_case::<f64>(value) {
        Ok(case) => case,
        Err(error) => return is_one_line(&error),
    };
    let again = case_value(&case).map_err(|error| error.to_string()).and_then(read_case::<f64>);
    let again = again.unwrap_or_else(|error| panic!("{error}\n{case}"));
    assert_eq!(again.segments.len(), case.segments.len());
    for (a, b) in case.segments.iter().zip(&again.segments) {
        assert!(same(&a.params, &b.params) && same(&a.grads, &b.grads));
    }
}
