//! A command over a pipe: what it offers and what was asked for, law by law.

use std::time::Instant;

use presam_conformance::{
    Backend, Case, Checked, Config, Law, LengthRule, Nearness, Options, Rule, Scalar, Scope, Width,
    Worst, laws,
};

use super::bits::laws_in_bits;
use super::files::SavedCase;
use super::measure::Measure;
use super::record::{Report, Target};
use super::run::{Outcome, run};
use super::subject::{Plan, Subject, Witness};
use crate::config::ConfigError;
use crate::error::Error;
use presam_backends::Phases;
use presam_pipe::{
    Hello, Operation, PipeError, Piped, Talk, Timeouts, Yardstick, case_value, read_case,
};

/// What is asked of a command.
#[derive(Clone, Debug)]
pub struct Request {
    /// As a shell takes it.
    pub command: String,
    /// The rules; all that it has where none are given.
    pub rules: Option<Vec<Rule>>,
    /// The scalar type; each that it has where none is given.
    pub scalar: Option<&'static str>,
    /// Cases for each law and rule; where none are given as many as a budget of requests allows.
    pub cases: Option<u32>,
    /// Four times the budget, and cases of a size that it does not allow.
    pub thorough: bool,
    /// Whether code agrees that restores its parameters by subtraction.
    pub allows_subtraction: bool,
    /// What the cases are drawn from.
    pub seed: u64,
    /// How near an answer must be.
    pub measure: Measure,
    /// How long it is waited for.
    pub timeouts: Timeouts,
    /// The smallest case of every law that fails, for files.
    pub every_smallest: bool,
}

impl<R: Scalar> Subject<R> for Piped<'_, R>
where
    Phases: Backend<R>,
{
    fn answers(&self) -> bool {
        self.talk.fault().is_none()
    }

    fn witness(&self) -> Witness {
        let (case, requests) = self.last();
        let case = case.and_then(|case| case_value(case).ok());
        Witness { case, requests: requests.to_vec() }
    }
}

/// Tries every law within what the command offers.
///
/// # Errors
/// A command that cannot be tested.
pub fn verify_command(request: &Request) -> Result<Report, PipeError> {
    let start = Instant::now();
    let mut talk = Talk::open(&request.command, request.timeouts)?;
    let parts = parts(&talk.hello, request)?;
    let rules =
        parts.iter().map(|(_, operation)| scope(&talk.hello, request, *operation).rules.len());
    let cases = request.cases.unwrap_or_else(|| budgeted(rules.sum(), request.thorough));
    let mut outcome = Outcome::default();
    for (scalar, operation) in parts {
        let one = match scalar {
            "f32" => part::<f32>(&mut talk, (request, cases), operation),
            _ => part::<f64>(&mut talk, (request, cases), operation),
        };
        if let Some(fault) = talk.fault() {
            return Err(fault.clone());
        }
        outcome.laws.extend(one.laws);
        outcome.rules.extend(one.rules);
        outcome.findings.extend(one.findings);
    }
    let target = Target::command(&request.command, &talk.hello);
    let requests = talk.requests();
    let seconds = start.elapsed().as_secs_f64();
    talk.close();
    let Outcome { laws, rules, findings } = outcome;
    let (seed, measure) = (request.seed, request.measure.to_string());
    let allows_subtraction = request.allows_subtraction;
    Ok(Report {
        target,
        seed,
        cases,
        measure,
        allows_subtraction,
        laws,
        rules,
        findings,
        requests,
        seconds,
    })
}

/// Cases for each law, of so many rules and scalar types together: what one rule alone has too few requests for (a
/// fault after some thousands) is asked, and all rules together take no more than a minute.
fn budgeted(rules: usize, thorough: bool) -> u32 {
    /// Requests of all laws for one case of each.
    const REQUESTS: usize = 17;
    let (budget, fewest, most) = if thorough { (40_000, 192, 4096) } else { (10_000, 48, 1024) };
    let cases = (budget / (REQUESTS * rules.max(1))).clamp(fewest, most);
    u32::try_from(cases).unwrap_or(u32::MAX)
}

/// Scalar types and halves of the step to be asked; a command with the whole step is asked that.
fn parts(hello: &Hello, request: &Request) -> Result<Vec<(&'static str, Operation)>, PipeError> {
    let nothing =
        |asked: String, offered: String| Err(PipeError::NothingInCommon { asked, offered });
    let wanted = |scalar: &&&str| request.scalar.is_none_or(|wanted| wanted == **scalar);
    let scalars: Vec<&'static str> = hello.scalars.iter().filter(wanted).copied().collect();
    if scalars.is_empty() {
        let asked = format!("scalar {}", request.scalar.unwrap_or("f32 or f64"));
        return nothing(asked, format!("scalars {}", list(&hello.scalars)));
    }
    let halves = [Operation::Ascend, Operation::Descend];
    let offers = |operation: &Operation| hello.operations.contains(operation);
    let operations = if offers(&Operation::Step) {
        vec![Operation::Step]
    } else {
        halves.into_iter().filter(offers).collect()
    };
    if operations.is_empty() {
        return nothing("an operation".into(), "none".into());
    }
    let names = |rules: &[Rule]| list(&rules.iter().map(|rule| rule.name()).collect::<Vec<_>>());
    for rule in request.rules.iter().flatten() {
        if !offers_rule(hello, *rule) {
            return nothing(format!("rule {rule}"), format!("rules {}", names(&hello.rules)));
        }
        if operations == [Operation::Descend] {
            return nothing(format!("rule {rule}"), "the descent alone, which has none".into());
        }
    }
    for operation in &operations {
        let scope = scope(hello, request, *operation);
        if scope.rules.is_empty() {
            return nothing("a rule".into(), "none".into());
        }
        if scope.bases.is_empty() {
            return nothing("a base optimizer".into(), "none".into());
        }
    }
    let parts = scalars.into_iter().flat_map(|scalar| operations.iter().map(move |o| (scalar, *o)));
    Ok(parts.collect())
}

fn offers_rule(hello: &Hello, rule: Rule) -> bool {
    hello.rules.iter().any(|offered| offered.name() == rule.name())
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// What it offers of what was asked for.
fn scope(hello: &Hello, request: &Request, operation: Operation) -> Scope {
    let mut scope = hello.scope(operation);
    if let (Some(wanted), true) = (&request.rules, scope.ascends) {
        scope.rules.retain(|rule| wanted.iter().any(|wanted| wanted.name() == rule.name()));
    }
    if let Measure::Ulps(ulps) = request.measure {
        scope.nearness = Nearness::Ulps(ulps);
    }
    if request.thorough {
        scope.width = Width::Thorough;
    }
    scope
}

fn piped<'t, R: Scalar>(
    talk: &'t mut Talk,
    request: &Request,
    operation: Operation,
) -> Piped<'t, R> {
    let scope = scope(&talk.hello, request, operation);
    let yardstick = match request.measure {
        Measure::Bits => Yardstick::Core,
        Measure::Bound | Measure::Ulps(_) => Yardstick::Oracle,
    };
    Piped::new(talk, scope, operation, yardstick)
}

fn all_laws<R: Scalar>(measure: Measure) -> Vec<Law<R>>
where
    Phases: Backend<R>,
{
    if measure == Measure::Bits { laws_in_bits() } else { laws::all() }
}

fn part<R: Scalar>(
    talk: &mut Talk,
    (request, cases): (&Request, u32),
    operation: Operation,
) -> Outcome
where
    Phases: Backend<R>,
{
    let config = Config { cases, seed: request.seed };
    let plan = Plan { config, every_smallest: request.every_smallest, operation };
    run(&mut piped::<R>(talk, request, operation), &all_laws(request.measure), plan)
}

/// A file that holds no case of ours.
fn wrong(reason: String) -> Error {
    ConfigError::new("--replay", "a case of --save-failing", reason).into()
}

/// Tries a saved case again, as near as it was asked for: its law's mismatch, or nothing where the law now holds
/// for it.
///
/// # Errors
/// A command that cannot be tested, or a file that holds no such case.
pub fn replay(request: &Request, saved: &SavedCase) -> Result<Option<String>, Error> {
    let request = &Request { measure: saved.measure, ..request.clone() };
    let mut talk = Talk::open(&request.command, request.timeouts)?;
    let tried = match saved.scalar.as_str() {
        "f32" => again::<f32>(&mut talk, request, saved),
        "f64" => again::<f64>(&mut talk, request, saved),
        other => Err(wrong(format!("no scalar type {other}"))),
    };
    if let Some(fault) = talk.fault() {
        return Err(fault.clone().into());
    }
    talk.close();
    tried
}

/// What a case needs that the command does not offer.
fn unoffered<R: Scalar>(hello: &Hello, case: &Case<R>, operation: Operation) -> Option<String> {
    let (ascends, descends) = (operation != Operation::Descend, operation != Operation::Ascend);
    let (rule, base) = (case.rule.name(), case.base.name());
    let options = case.segments.first().map(|segment| segment.options);
    let plain = options.map(|options| Options {
        counts_in_norm: true,
        is_perturbed: true,
        operator_applies: true,
        ..options
    });
    let has_groups = case.segments.iter().any(|segment| Some(segment.options) != plain);
    let usual = LengthRule::Normalised { norm_guard: R::held(1e-12) };
    let needs = [
        (hello.operations.contains(&operation), format!("the operation {}", operation.name())),
        (hello.scalars.contains(&R::NAME), format!("the scalar type {}", R::NAME)),
        (!ascends || offers_rule(hello, case.rule), format!("the rule {rule}")),
        (!descends || hello.bases.contains(&base), format!("the base optimizer {base}")),
        (!ascends || hello.groups || !has_groups, "groups".to_owned()),
        (!ascends || hello.lengths || case.length == usual, "another length rule".to_owned()),
    ];
    needs.into_iter().find(|(offered, _)| !offered).map(|(_, what)| what)
}

fn again<R: Scalar>(
    talk: &mut Talk,
    request: &Request,
    saved: &SavedCase,
) -> Result<Option<String>, Error>
where
    Phases: Backend<R>,
{
    let mut known = all_laws::<R>(saved.measure).into_iter();
    let law = known.find(|law| law.name == saved.law);
    let law = law.ok_or_else(|| wrong(format!("no law {}", saved.law)))?;
    let operation = Operation::ALL.iter().find(|(name, _)| *name == saved.operation);
    let (_, operation) =
        operation.ok_or_else(|| wrong(format!("no operation {}", saved.operation)))?;
    let case = read_case::<R>(saved.case.clone()).map_err(wrong)?;
    if let Some(asked) = unoffered(&talk.hello, &case, *operation) {
        let (asked, offered) = (format!("{asked}, which the case needs"), "none".to_owned());
        return Err(PipeError::NothingInCommon { asked, offered }.into());
    }
    let mut subject = piped::<R>(talk, request, *operation);
    subject.begins(&case);
    match (law.check)(&mut subject, &case, &mut Worst::default()) {
        Ok(Checked::Judged) => Ok(None),
        Ok(Checked::PassedOver) => Err(wrong("the law says nothing of this case".into())),
        Err(mismatch) => {
            let said = format!("law {} does not hold: {}", law.name, law.statement);
            Ok(Some(format!("{said}\n{mismatch}\n{case}")))
        }
    }
}
