//! The other side of the pipe: the core's step, or the step of an entry of the catalogue, as a command.

use std::io::{BufRead, Write};

use presam::Cpu;
use presam_backends::Phases;
use presam_backends::planted::{Past, faults};
use presam_conformance::catalogue::{Entry, named};
use presam_conformance::{Answer, Backend, Case, Expected, Scalar};
use presam_pipe::{PROTOCOL, read_case};
use serde_json::{Value, json};

/// What the child is to be.
struct Manner {
    slip: Option<&'static Entry>,
    /// The law whose fault of the table it has.
    fault: Option<String>,
    /// What is done to its answer.
    spoil: Option<String>,
    operation: &'static str,
    keeps_state: bool,
    bits: bool,
    hello: Value,
}

impl Manner {
    fn of(words: &[String]) -> Self {
        let after = |flag: &str| {
            let at = words.iter().position(|word| word == flag)?;
            words.get(at + 1).map(String::as_str)
        };
        let list = |flag: &str, default: &str| -> Vec<String> {
            after(flag).unwrap_or(default).split(',').map(str::to_owned).collect()
        };
        let operation = ["ascend", "descend"].into_iter().find(|name| after("--op") == Some(name));
        let operation = operation.unwrap_or("step");
        let keeps_state = words.iter().any(|word| word == "--kept");
        let bits = words.iter().any(|word| word == "--bits");
        let hello = json!({"hello": {
            "protocol": PROTOCOL, "name": "child", "version": "1.0",
            "rules": list("--rules", "sam"), "bases": list("--bases", "sgd,sgd-momentum,adamw"),
            "scalars": list("--scalars", "f64"), "operations": [operation],
            "state": if keeps_state { "kept" } else { "given" },
            "numbers": if bits { "bits" } else { "decimal" },
            "groups": true, "lengths": words.iter().any(|word| word == "--lengths"),
            "schedules": true, "non_finite": after("--non-finite").unwrap_or("open"),
        }});
        let slip = after("--slip").map(|name| named(name).expect("a name of the catalogue"));
        let (fault, spoil) =
            (after("--fault").map(str::to_owned), after("--spoil").map(str::to_owned));
        Self { slip, fault, spoil, operation, keeps_state, bits, hello }
    }
}

/// Answers until nothing more is asked.
pub fn run(words: &[String]) {
    let manner = Manner::of(words);
    let mut lines = std::io::stdin().lock().lines().map(|line| line.expect("text"));
    lines.next().expect("the verifier's hello");
    say(&manner.hello);
    let (mut kept32, mut kept64) = (Kept::default(), Kept::default());
    for line in lines {
        let request: Value = serde_json::from_str(&line).expect("a request");
        assert_eq!(request["op"], manner.operation);
        let answer = if request["scalar"] == "f32" {
            answer::<f32>(&manner, request, &mut kept32)
        } else {
            answer::<f64>(&manner, request, &mut kept64)
        };
        say(&answer);
    }
}

fn say(value: &Value) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{value}").and_then(|()| out.flush()).expect("the verifier listens");
}

/// What an operation does not send, filled in so that the request is a whole step.
fn whole(mut request: Value) -> Value {
    let defaults = json!({
        "rule": "sam", "settings": {}, "length": {"kind": "unnormalised"}, "rule_steps": 0,
        "mean_of_variance": 0.0, "base_steps": 0,
        "base": {"name": "sgd", "learning_rate": 0.5, "weight_decay": 0.0},
    });
    let fill = |to: &mut Value, defaults: Value| {
        let to = to.as_object_mut().expect("an object");
        for (key, value) in defaults.as_object().expect("an object") {
            to.entry(key).or_insert(value.clone());
        }
    };
    fill(&mut request, defaults);
    for segment in request["segments"].as_array_mut().expect("segments") {
        let params = segment["params"].clone();
        fill(
            segment,
            json!({
                "grads": params, "perturbed_grads": params, "memory": [], "inputs": [], "state": [],
                "rho": 0.5, "counts_in_norm": true, "is_perturbed": true, "operator_applies": true,
            }),
        );
    }
    request
}

/// What is left of earlier questions.
struct Kept<R> {
    answer: Option<Answer<R>>,
    past: Past<R>,
}

impl<R> Default for Kept<R> {
    fn default() -> Self {
        Self { answer: None, past: Past::default() }
    }
}

/// What codes of the field do besides: each is wrong, whatever norm guard it has.
fn spoil<R: Scalar>(manner: &Manner, case: &Case<R>, step: &mut Answer<R>, calls: u64) {
    let name = manner.spoil.as_deref().unwrap_or_default();
    let right = || Expected::of(case).expect("a case");
    let expected = manner.slip.map_or_else(right, |entry| entry.expected(case));
    let rho_zero = case.segments.iter().all(|segment| segment.options.rho == 0.0);
    let number = |x: f64| R::from_f64(x);
    let perturbations = expected.ascent.perturbation.iter().map(|plane| &plane.values);
    for ((from, to), e) in case.segments.iter().zip(&mut step.segments).zip(perturbations) {
        for (i, w) in to.params.iter_mut().enumerate() {
            let (old, new, up) = (from.params[i], *w, to.perturbed[i].to_f64());
            let moved = new.to_f64() - old.to_f64();
            *w = match name {
                // Restores by subtraction, as eight of the official codes do; what was skipped was not added.
                "subtracts" if !to.perturbed[i].same(old) => {
                    number(R::held(up - R::held(e[i])) + moved)
                }
                "drifts" if old.to_f64() > 0.0 => R::from_bits(new.bits() + 1),
                "stays" if case.learning_rate().to_f64() == 0.0 => to.perturbed[i],
                "impure" => number(new.to_f64() + moved * 1e-9 * (calls % 2) as f64),
                "early" if rho_zero => old,
                "twice" if rho_zero => number(new.to_f64() + moved),
                "shifts" if rho_zero => number(new.to_f64() + 0.01),
                "stands" if from.perturbed_grads.iter().all(|g| g.to_f64() == 0.0) => old,
                _ => new,
            };
        }
        if name == "stands" && from.perturbed_grads.iter().all(|g| g.to_f64() == 0.0) {
            to.state.clone_from(&from.state);
        }
    }
}

fn answer<R: Scalar>(manner: &Manner, request: Value, kept: &mut Kept<R>) -> Value
where
    Phases: Backend<R>,
{
    let id = request["id"].clone();
    let mut case: Case<R> = read_case(whole(request)).expect("a case");
    let is_first = case.rule_state.is_first() && case.base_steps == 0;
    if let Some(kept) = kept.answer.as_ref().filter(|_| manner.keeps_state && !is_first) {
        for (segment, kept) in case.segments.iter_mut().zip(&kept.segments) {
            segment.memory.clone_from(&kept.memory);
            segment.state.clone_from(&kept.state);
        }
        (case.rule_state, case.base_steps) = (kept.rule_state, kept.base_steps);
    }
    let mut step = match manner.slip {
        Some(entry) => entry.step(&case),
        None => Phases(Cpu::detect()).step(&case).expect("a step"),
    };
    if let Some(law) = &manner.fault {
        let fault =
            faults().into_iter().find(|fault| fault.law == law).expect("a law of the table");
        fault.spoils(&case, &mut step, &mut kept.past);
    }
    let grads = case.segments.iter().flat_map(|s| s.grads.iter().chain(&s.perturbed_grads));
    let is_finite = { grads }.all(|g| g.to_f64().is_finite());
    // What is taken off again is not finite where what was added is not: w + NaN - NaN.
    let subtracts = manner.spoil.as_deref() == Some("subtracts");
    if manner.spoil.is_some() && (is_finite || subtracts) {
        kept.past.calls += 1;
        spoil(manner, &case, &mut step, kept.past.calls);
    }
    let told = told(manner, &step);
    kept.answer = Some(step);
    json!({"id": id, "segments": told.0, "mean_of_variance": told.1})
}

/// The segments and the mean as they go over the wire.
fn told<R: Scalar>(manner: &Manner, step: &Answer<R>) -> (Vec<Value>, Value) {
    let number = |x: R| match (manner.bits, x.to_f64()) {
        (true, _) => json!(x.hex()),
        (false, x) if x.is_nan() => json!("nan"),
        (false, x) if x.is_infinite() => json!(if x > 0.0 { "inf" } else { "-inf" }),
        (false, x) => json!(x),
    };
    let plane = |plane: &Vec<R>| plane.iter().map(|x| number(*x)).collect::<Vec<_>>();
    let planes = |planes: &Vec<Vec<R>>| planes.iter().map(plane).collect::<Vec<_>>();
    let segments = step.segments.iter().map(|s| {
        let mut segment = json!({});
        if manner.operation != "descend" {
            segment["perturbed"] = json!(plane(&s.perturbed));
        }
        if manner.operation != "ascend" {
            segment["params"] = json!(plane(&s.params));
        }
        if !manner.keeps_state && manner.operation != "descend" {
            segment["memory"] = json!(planes(&s.memory));
        }
        if !manner.keeps_state && manner.operation != "ascend" {
            segment["state"] = json!(planes(&s.state));
        }
        segment
    });
    (segments.collect(), number(R::from_f64(step.rule_state.mean_of_variance)))
}
