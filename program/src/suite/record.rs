//! [`Report`]: what came of the laws.

use presam_conformance::Diagnosis;
use serde::{Deserialize, Serialize};

use presam_pipe::{Hello, Operation, PROTOCOL};

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
    /// The rules of which it said nothing in any of its cases.
    pub unjudged_for: Vec<&'static str>,
}

/// What became of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleVerdict {
    /// Every law holds.
    Agrees,
    /// It is the step of a dialect.
    AgreesAs,
    /// It is either, but that parameters are restored by subtraction.
    AgreesBut,
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
    /// The law that it breaks whichever convention it is judged by.
    pub law: Option<&'static str>,
    /// The verdict as a sentence.
    pub says: String,
}

/// A diagnosis that the laws were held to.
#[derive(Clone, Debug)]
pub(super) struct Settled {
    pub diagnosis: Diagnosis,
    pub law: Option<&'static str>,
    pub says: String,
}

impl RuleRow {
    /// With what the catalogue says where laws do not hold.
    pub(super) fn new(
        (rule, scalar, operation): (&'static str, &'static str, Operation),
        settled: Settled,
    ) -> Self {
        let Settled { diagnosis, law, says } = settled;
        let verdict = match diagnosis {
            Diagnosis::Agrees => RuleVerdict::Agrees,
            Diagnosis::AgreesAs(_) => RuleVerdict::AgreesAs,
            Diagnosis::AgreesBut(_) => RuleVerdict::AgreesBut,
            Diagnosis::DiffersAs(_) => RuleVerdict::DiffersAs,
            Diagnosis::Differs => RuleVerdict::Differs,
            Diagnosis::Untested => RuleVerdict::NotJudged,
        };
        let entry = diagnosis.entry().map(|entry| entry.name);
        Self { rule, scalar, operation, verdict, entry, law, says }
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
    /// Whether restoring by subtraction is no reason to differ.
    pub allows_subtraction: bool,
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
    /// 0: everything agrees, or is a dialect; 1: a rule differs, or restores by subtraction where that is not
    /// allowed; 2: a rule or law was not judged.
    pub fn exit_code(&self) -> u8 {
        let differs = |row: &RuleRow| match row.verdict {
            RuleVerdict::DiffersAs | RuleVerdict::Differs => true,
            RuleVerdict::AgreesBut => !self.allows_subtraction,
            _ => false,
        };
        if self.rules.iter().any(differs) {
            return 1;
        }
        if self.laws.is_empty() || !self.missing().is_empty() { 2 } else { 0 }
    }

    /// Whether some rule agrees but restores by subtraction.
    pub(super) fn subtracts(&self) -> bool {
        self.rules.iter().any(|row| row.verdict == RuleVerdict::AgreesBut)
    }

    /// What was not judged: rules of which the first law said nothing, laws that said nothing at all.
    fn missing(&self) -> Vec<String> {
        let unjudged = self.rules.iter().filter(|row| row.verdict == RuleVerdict::NotJudged);
        let rules = unjudged.map(|RuleRow { rule, scalar, .. }| {
            let of = |row: &&LawRow| row.scalar == *scalar;
            let law = self.laws.iter().find(of).map_or("agrees", |row| row.law);
            format!("{rule} in {scalar} (no case that law {law} says anything of)")
        });
        let silent = self.laws.iter().filter(|row| row.verdict == LawVerdict::NotJudged);
        let laws = silent.map(|LawRow { law, scalar, unjudged_for, .. }| {
            let rules = unjudged_for.join(", ");
            format!("law {law} in {scalar} (no case of {rules} that it says anything of)")
        });
        rules.chain(laws).collect()
    }

    /// One line for a verdict of code 2.
    pub fn incomplete(&self) -> Option<String> {
        let missing = self.missing();
        let is_incomplete = self.exit_code() == 2 && !missing.is_empty();
        is_incomplete.then(|| {
            let cases = self.cases;
            format!("not judged: {}; {cases} cases each, more may do (--cases)", missing.join(", "))
        })
    }
}
