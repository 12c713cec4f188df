//! What each law asks of right code: one that no longer asks for the case in which a fault shows would still hold, and
//! may still see the one fault that the table has for it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod again;
mod equal;
mod poison;
mod right;
mod runs;
mod same;
mod scopes;
mod spoilt;
mod spreads;
mod wrong;

use presam::Cpu;
use presam_backends::Phases;
use presam_conformance::{Answer, Backend, Case, Config, Rule, Scope, Trial, laws};

/// A case that was asked, and what came back.
struct Step {
    case: Case<f32>,
    answer: Answer<f32>,
}

/// The core, which keeps what a law asks of it, a list for each case that is judged.
struct Asked {
    scope: Scope,
    judged: Vec<(Case<f32>, Vec<Step>)>,
}

impl Backend<f32> for Asked {
    fn scope(&self) -> Scope {
        self.scope.clone()
    }

    fn begins(&mut self, case: &Case<f32>) {
        self.judged.push((case.clone(), Vec::new()));
    }

    fn step(&mut self, case: &Case<f32>) -> Result<Answer<f32>, String> {
        let answer = Phases(Cpu::plain()).step(case)?;
        let step = Step { case: case.clone(), answer: answer.clone() };
        self.judged.last_mut().unwrap().1.push(step);
        Ok(answer)
    }
}

/// Code that makes a stranger's claims, groups and lengths among them.
fn stranger() -> Scope {
    Scope { contract: false, skips: true, ..Scope::full() }
}

/// What the law asks in so many cases, each with the case that it begins from; half of them at least are judged.
fn asked(law: &str, scope: Scope, cases: u32) -> Vec<(Case<f32>, Vec<Step>)> {
    let mut backend = Asked { scope, judged: Vec::new() };
    let (law, rules) = (laws::named(law).unwrap(), Rule::all());
    let config = Config { cases, seed: 7 };
    let trial = Trial { law: &law, rules: &rules, config, shrinks: 0, least: cases.div_ceil(2) };
    trial.run(&mut backend).unwrap_or_else(|failure| panic!("{failure}"));
    backend.judged
}

fn is_finite(plane: &[f32]) -> bool {
    plane.iter().all(|x| x.is_finite())
}

fn is_zero(plane: &[f32]) -> bool {
    plane.iter().all(|x| *x == 0.0)
}
