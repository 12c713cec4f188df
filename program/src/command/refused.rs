//! Flags whose values cannot be read: one line in a user's words, as for every other wrong value.

use std::error::Error as _;
use std::ffi::OsString;
use std::num::{IntErrorKind, ParseFloatError, ParseIntError};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory, FromArgMatches};

use super::arguments::Arguments;
use super::say::aside;

/// The arguments of this call; where they are wrong, says so and ends the program with code 2.
pub(crate) fn arguments() -> Arguments {
    parsed(std::env::args_os()).unwrap_or_else(|error| match words(&error) {
        Some(line) => {
            aside(format_args!("error: {line}"));
            std::process::exit(2);
        }
        None => error.exit(),
    })
}

fn parsed<T: Into<OsString> + Clone>(
    line: impl IntoIterator<Item = T>,
) -> Result<Arguments, clap::Error> {
    let matches = with_negative_numbers(Arguments::command()).try_get_matches_from(line)?;
    Arguments::from_arg_matches(&matches)
}

/// A number below 0 is a value that may be wrong, and no flag.
fn with_negative_numbers(command: Command) -> Command {
    let allows = |arg: Arg| match arg.get_action().takes_values() {
        true => arg.allow_negative_numbers(true),
        false => arg,
    };
    command.mut_args(allows).mut_subcommands(with_negative_numbers)
}

/// Flag, what it takes and what was found; `None` where the value is not what is wrong.
fn words(error: &clap::Error) -> Option<String> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let flag = text(ContextKind::InvalidArg)?.split(' ').next()?;
    let found =
        text(ContextKind::InvalidValue).filter(|_| error.kind() == ErrorKind::ValueValidation)?;
    let reason = error.source()?;
    let takes = if let Some(number) = reason.downcast_ref::<ParseIntError>() {
        match number.kind() {
            IntErrorKind::PosOverflow => "a smaller whole number".to_owned(),
            _ => "a whole number".to_owned(),
        }
    } else if reason.is::<ParseFloatError>() {
        "a number".to_owned()
    } else {
        // The parsers of the program's own say what they take; clap's say what is wrong with the number.
        return Some(format!("{flag}: {reason}"));
    };
    Some(format!("{flag}: expected {takes}, found {found:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refuse(line: &[&str]) -> String {
        let line = ["presam"].iter().chain(line);
        words(&parsed(line).unwrap_err()).unwrap()
    }

    #[test]
    fn a_number_that_is_none_is_told_in_a_user_s_words() {
        for (line, said) in [
            (&["--epochs", "three"][..], "--epochs: expected a whole number, found \"three\""),
            (&["--epochs", "1.5"], "--epochs: expected a whole number, found \"1.5\""),
            (&["--epochs", "-1"], "--epochs: expected a whole number, found \"-1\""),
            (&["verify", "--seed", "-1"], "--seed: expected a whole number, found \"-1\""),
            (&["train", "--batch", ""], "--batch: expected a whole number, found \"\""),
            (&["--lr", "fast"], "--lr: expected a number, found \"fast\""),
            (
                &["--epochs", "99999999999999999999999"],
                "--epochs: expected a smaller whole number, found \"99999999999999999999999\"",
            ),
            (&["verify", "--cases", "many"], "--cases: expected a whole number, found \"many\""),
        ] {
            assert_eq!(refuse(line), said);
        }
        let unknown = parsed(["presam", "--epocs", "3"]).unwrap_err();
        assert_eq!(words(&unknown), None);
    }
}
