//! The first line of each side: who speaks, and what it can do.

use presam_conformance::{Convention, Nearness, Rule, Scope, Width};
use serde::{Deserialize, Serialize};

use crate::capped::Capped;
use crate::error::{PipeError, plain};
use crate::number::Form;
use crate::similar::suggestion;

/// The version of the protocol.
pub const PROTOCOL: &str = "presam-verify/1";

/// What a command is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// A whole step.
    Step,
    /// The first half: perturbed parameters and memory.
    Ascend,
    /// The second half, the base optimizer alone.
    Descend,
}

impl Operation {
    /// Every operation, by its name on the wire.
    pub const ALL: [(&'static str, Self); 3] =
        [("step", Self::Step), ("ascend", Self::Ascend), ("descend", Self::Descend)];

    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, operation)| *operation == self).map_or("", |(name, _)| name)
    }
}

/// What a command says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Hello {
    /// Its name.
    pub name: String,
    /// Its version, where it tells one.
    pub version: Option<String>,
    /// The rules it has.
    pub rules: Vec<Rule>,
    /// The base optimizers it has.
    pub bases: Vec<&'static str>,
    /// The scalar types it computes in: `f32`, `f64`.
    pub scalars: Vec<&'static str>,
    /// What it does.
    pub operations: Vec<Operation>,
    /// It keeps memory and state itself.
    pub keeps_state: bool,
    /// How it wants its numbers.
    pub form: Form,
    /// It knows groups.
    pub groups: bool,
    /// It knows other length rules.
    pub lengths: bool,
    /// It follows a learning rate and a radius that change from one step of a run to the next.
    pub schedules: bool,
    /// A step with a gradient that is not finite changes nothing.
    pub skips: bool,
}

impl Hello {
    /// All that it offers of an operation.
    #[must_use]
    pub fn scope(&self, operation: Operation) -> Scope {
        let (ascends, descends) = (operation != Operation::Descend, operation != Operation::Ascend);
        Scope {
            // The second half knows no rule: any will do, and its ascent is not asked.
            rules: if ascends { self.rules.clone() } else { vec![Rule::Sam] },
            bases: if descends { self.bases.clone() } else { vec!["sgd"] },
            groups: self.groups && ascends,
            lengths: self.lengths && ascends,
            contract: false,
            ascends,
            descends,
            fresh: self.keeps_state,
            schedules: self.schedules,
            skips: self.skips,
            nearness: Nearness::Bound,
            convention: Convention::ORACLE,
            width: Width::Usual,
        }
    }
}

#[derive(Serialize)]
struct Greeting<'a> {
    hello: GreetingBody<'a>,
}

#[derive(Serialize)]
struct GreetingBody<'a> {
    protocol: &'a str,
    program: String,
}

/// The verifier's first line.
pub(crate) fn greeting() -> Result<String, serde_json::Error> {
    let program = format!("presam {}", env!("CARGO_PKG_VERSION"));
    serde_json::to_string(&Greeting { hello: GreetingBody { protocol: PROTOCOL, program } })
}

/// Only the protocol: another version may have another form.
#[derive(Deserialize)]
struct Versioned {
    hello: Version,
}

#[derive(Deserialize)]
struct Version {
    protocol: String,
}

#[derive(Deserialize)]
struct Line {
    hello: Body,
}

/// More names than there are can be no longer a list than this.
type Names = Capped<String, 256>;

#[derive(Deserialize)]
struct Body {
    name: String,
    version: Option<String>,
    rules: Names,
    bases: Option<Names>,
    scalars: Names,
    operations: Names,
    state: Option<String>,
    numbers: Option<String>,
    #[serde(default)]
    groups: bool,
    #[serde(default)]
    lengths: bool,
    #[serde(default)]
    schedules: bool,
    non_finite: Option<String>,
}

/// Reads a command's first line.
///
/// # Errors
/// A line that is none, another version of the protocol, a name that nobody knows.
pub fn parse_hello(line: &[u8]) -> Result<Hello, PipeError> {
    let rubbish = |reason: serde_json::Error| {
        PipeError::rubbish(
            "its hello",
            line,
            format!("{reason} (messages belong on standard error)"),
        )
    };
    let Versioned { hello: Version { protocol } } =
        serde_json::from_slice(line).map_err(rubbish)?;
    if protocol != PROTOCOL {
        return Err(PipeError::WrongVersion { expected: PROTOCOL, found: plain(&protocol) });
    }
    let Line { hello: body } = serde_json::from_slice(line).map_err(rubbish)?;
    let rules: Vec<_> = Rule::all().into_iter().map(|rule| (rule.name(), rule)).collect();
    let forms = [("decimal", Form::Decimal), ("bits", Form::Bits)];
    let states = [("given", false), ("kept", true)];
    let outcomes = [("open", false), ("skipped", true)];
    let keeps_state = known("state", body.state.as_deref().unwrap_or("given"), &states)?;
    Ok(Hello {
        name: plain(&body.name),
        version: body.version.as_deref().map(plain),
        rules: all_known("rule", Some(&body.rules), &rules)?,
        bases: all_known("base optimizer", body.bases.as_ref(), &BASES)?,
        scalars: all_known("scalar type", Some(&body.scalars), &SCALARS)?,
        operations: all_known("operation", Some(&body.operations), &Operation::ALL)?,
        keeps_state,
        form: known("form of numbers", body.numbers.as_deref().unwrap_or("decimal"), &forms)?,
        groups: body.groups,
        lengths: body.lengths,
        // Where nothing is kept each step has its own settings.
        schedules: body.schedules || !keeps_state,
        skips: known("outcome", body.non_finite.as_deref().unwrap_or("open"), &outcomes)?,
    })
}

/// The base optimizers of the suite.
const BASES: [(&str, &str); 3] =
    [("sgd", "sgd"), ("sgd-momentum", "sgd-momentum"), ("adamw", "adamw")];

/// The scalar types of the suite.
const SCALARS: [(&str, &str); 2] = [("f32", "f32"), ("f64", "f64")];

/// What the name stands for.
fn known<T: Copy>(
    kind: &'static str,
    name: &str,
    all: &[(&'static str, T)],
) -> Result<T, PipeError> {
    all.iter().find(|(known, _)| *known == name).map(|(_, value)| *value).ok_or_else(|| {
        let meant = suggestion(name, all.iter().map(|(known, _)| *known));
        let found = plain(name);
        PipeError::Unknown { kind, found, meant: meant.and_then(|meant| own(all, meant)) }
    })
}

/// The same name, as the list owns it.
fn own<T>(all: &[(&'static str, T)], name: &str) -> Option<&'static str> {
    all.iter().map(|(known, _)| *known).find(|known| *known == name)
}

/// Each once, in the order of `all`.
fn all_known<T: Copy>(
    kind: &'static str,
    names: Option<&Names>,
    all: &[(&'static str, T)],
) -> Result<Vec<T>, PipeError> {
    let names = names.map_or(&[][..], |names| &names.items);
    names.iter().try_for_each(|name| known(kind, name, all).map(drop))?;
    let named = all.iter().filter(|(known, _)| names.iter().any(|name| name == known));
    Ok(named.map(|(_, value)| *value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(rest: &str) -> Result<Hello, PipeError> {
        parse_hello(format!("{{\"hello\":{{\"protocol\":\"presam-verify/1\"{rest}}}}}").as_bytes())
    }

    const GOOD: &str =
        r#","name":"x","rules":["vasso","sam","sam"],"scalars":["f64"],"operations":["step"]"#;

    #[test]
    fn a_hello_says_what_it_says_and_the_rest_is_as_documented() {
        let found = hello(GOOD).unwrap();
        let names: Vec<_> = found.rules.iter().map(|rule| rule.name()).collect();
        assert_eq!(names, ["sam", "vasso"], "each once, in the suite's order");
        assert_eq!((found.keeps_state, found.form, found.groups), (false, Form::Decimal, false));
        let more = format!(r#"{GOOD},"state":"kept","numbers":"bits","groups":true,"new":1"#);
        let found = hello(&more).unwrap();
        assert_eq!((found.keeps_state, found.form, found.groups), (true, Form::Bits, true));
    }

    #[test]
    fn a_hello_that_is_none_is_told_in_one_line() {
        let other = parse_hello(br#"{"hello":{"protocol":"presam-verify/2","shape":[]}}"#);
        let other = other.unwrap_err().to_string();
        assert!(
            other.ends_with(r#"expected the protocol presam-verify/1, found "presam-verify/2""#)
        );
        let unknown = hello(&GOOD.replace("vasso", "vaso")).unwrap_err().to_string();
        assert!(
            unknown.contains("rule \"vaso\", which is unknown; did it mean vasso?"),
            "{unknown}"
        );
        for (line, words) in [
            ("loading the model", "its hello cannot be read: expected value at line 1 column 1"),
            ("{\"hello\":{}}", "missing field `protocol`"),
            ("", "EOF"),
        ] {
            let found = parse_hello(line.as_bytes()).unwrap_err().to_string();
            assert!(found.contains(words) && found.lines().count() == 1, "{found}");
        }
    }
}
