//! The comment that heads a text: what made it, when, from what.

use super::{fresh, source};

/// `body` under its head; `twins` are the lines of the entries that stand for several rules.
pub(crate) fn headed(
    body: &str,
    twins: &[String],
    compiler: &str,
    source: &str,
    date: &str,
) -> String {
    let twins: String = twins.iter().map(|line| format!("// twins: {line}\n")).collect();
    let entries = body.lines().filter(|line| line.starts_with(".visible .entry ")).count();
    let text = source::sha256(&[body.to_owned()]);
    format!(
        "// Generated, not to be edited.\n\
         // command: {}\n\
         // compiler: {compiler}\n\
         // flags: {} -Cllvm-args={:?}\n\
         // date: {date}\n\
         // target: sm_70, PTX 7.0\n\
         // entries: {entries}\n\
         {twins}\
         // source: {source}\n\
         // text: {text}\n\
         {body}",
        fresh::CURE,
        source::RUSTFLAGS,
        source::LLVM_ARGS,
    )
}

/// A text without the day it was made on.
pub(crate) fn undated(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with("// date: "))
}
