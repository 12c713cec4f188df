//! [`Report`]: what came of the laws.

use presam_conformance::Diagnosis;
use serde::{Deserialize, Serialize};

use crate::pipe::{Hello, Operation, PROTOCOL};

/// What was verified.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Target {
    /// The core itself.
    Core {
        /// Its version.
        version: &'static str,
    },
    /// A command.
    Command {
        /// As it was given.
        command: String,
        /// The version of the protocol.
        protocol: &'static str,
        /// The name in its hello.
        name: String,
        /// The version in its hello.
        version: Option<String>,
        /// The rules that it has.
        rules: Vec<&'static str>,
        /// The base optimizers that it has.
        bases: Vec<&'static str>,
        /// The scalar types that it has.
        scalars: Vec<&'static str>,
        /// What it does.
        operations: Vec<Operation>,
        /// Whether it keeps memory and state itself.
        keeps_state: bool,
    },
}

impl Target {
    pub(super) fn command(command: &str, hello: &Hello) -> Self {
        Self::Command {
            command: command.to_owned(),
            protocol: PROTOCOL,
            name: hello.name.clone(),
            version: hello.version.clone(),
            rules: hello.rules.iter().map(|rule| rule.name()).collect(),
            bases: hello.bases.clone(),
            scalars: hello.scalars.clone(),
            operations: hello.operations.clone(),
            keeps_state: hello.keeps_state,
        }
    }
}

/// What became of a law.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LawVerdict {
    /// It holds for every rule it is about.
    Holds,
    /// It does not for some.
    Differs,
    /// Too few of the cases were any that it says something of.
    NotJudged,
}

/// One law over all rules that it is about, in one scalar type.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LawRow {
    /// The law's name.
    pub law: &'static str,
    /// What it says.
    pub statement: &'static str,
    /// The scalar type.
    pub scalar: &'static str,
    /// The half of the step that was asked.
    pub operation: Operation,
    /// Cases that were judged.
    pub cases: u64,
    /// The largest error, as a share of what is allowed, where numbers were compared.
    pub worst: Option<f64>,
    /// What became of it.
    pub verdict: LawVerdict,
    /// The rules for which it does not hold.
    pub differs_for: Vec<&'static str>,
}

/// What became of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleVerdict {
    /// Every law holds.
    Agrees,
    /// It is the step of a dialect.
    AgreesAs,
    /// It is the step with a known slip.
    DiffersAs,
    /// It is another step.
    Differs,
    /// Nothing was judged.
    NotJudged,
}

/// A rule, or the base optimizers alone, in one scalar type.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleRow {
    /// The rule; `base optimizers` where these alone were asked.
    pub rule: &'static str,
    /// The scalar type.
    pub scalar: &'static str,
    /// The half of the step that was asked.
    pub operation: Operation,
    /// What became of it.
    pub verdict: RuleVerdict,
    /// The catalogue's name for what it does.
    pub entry: Option<&'static str>,
    /// The verdict as a sentence.
    pub says: String,
}

impl RuleRow {
    /// With what the catalogue says where laws do not hold.
    pub(super) fn new(
        (rule, scalar, operation): (&'static str, &'static str, Operation),
        diagnosis: Diagnosis,
    ) -> Self {
        let (verdict, says) = match diagnosis {
            Diagnosis::Agrees => (RuleVerdict::Agrees, diagnosis.to_string()),
            Diagnosis::AgreesAs(_) => (RuleVerdict::AgreesAs, diagnosis.to_string()),
            Diagnosis::DiffersAs(_) => (RuleVerdict::DiffersAs, diagnosis.to_string()),
            Diagnosis::Differs => (RuleVerdict::Differs, diagnosis.to_string()),
            Diagnosis::Untested => (RuleVerdict::NotJudged, diagnosis.to_string()),
        };
        let entry = diagnosis.entry().map(|entry| entry.name);
        Self { rule, scalar, operation, verdict, entry, says }
    }
}

/// A law that does not hold for a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The law's name.
    pub law: String,
    /// What it says.
    pub statement: String,
    /// The rule.
    pub rule: String,
    /// The scalar type.
    pub scalar: String,
    /// The half of the step that was asked.
    pub operation: String,
    /// Whether it is the smallest case that a search found, or the first that failed.
    pub is_smallest: bool,
    /// Which number.
    pub place: String,
    /// What it should be, in decimal and bits.
    pub expected: String,
    /// What it is.
    pub found: String,
    /// The case for a reader.
    pub case_text: String,
    /// The case to be tried again.
    pub case: Option<serde_json::Value>,
    /// The lines that were asked; ids count from 1.
    pub requests: Vec<String>,
}

/// What came of the laws over one target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// What was verified.
    pub target: Target,
    /// What the cases were drawn from.
    pub seed: u64,
    /// Cases for each law and rule.
    pub cases: u32,
    /// How answers were judged.
    pub measure: String,
    /// The laws.
    pub laws: Vec<LawRow>,
    /// The rules.
    pub rules: Vec<RuleRow>,
    /// What does not hold.
    pub findings: Vec<Finding>,
    /// Steps that were asked.
    pub requests: u64,
    /// How long all of it took.
    pub seconds: f64,
}

impl Report {
    /// 0: everything agrees, or is a dialect; 1: a rule differs; 2: a rule or law was not judged.
    pub fn exit_code(&self) -> u8 {
        let has =
            |verdicts: &[RuleVerdict]| self.rules.iter().any(|row| verdicts.contains(&row.verdict));
        if has(&[RuleVerdict::DiffersAs, RuleVerdict::Differs]) {
            return 1;
        }
        let uncovered = self.laws.iter().any(|row| row.verdict == LawVerdict::NotJudged);
        if uncovered || self.laws.is_empty() || has(&[RuleVerdict::NotJudged]) { 2 } else { 0 }
    }
}
