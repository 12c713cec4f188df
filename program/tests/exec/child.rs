//! The other side of the pipe: the core's step, or the step of an entry of the catalogue, as a command.

use std::io::{BufRead, Write};

use presam::Cpu;
use presam_backends::Phases;
use presam_conformance::catalogue::{Entry, named};
use presam_conformance::{Answer, Backend, Case, Scalar};
use presam_program::pipe::{PROTOCOL, read_case};
use serde_json::{Value, json};

/// What the child is to be.
struct Manner {
    slip: Option<&'static Entry>,
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
        }});
        let slip = after("--slip").map(|name| named(name).expect("a name of the catalogue"));
        Self { slip, operation, keeps_state, bits, hello }
    }
}

/// Answers until nothing more is asked.
pub fn run(words: &[String]) {
    let manner = Manner::of(words);
    let mut lines = std::io::stdin().lock().lines().map(|line| line.expect("text"));
    lines.next().expect("the verifier's hello");
    say(&manner.hello);
    let (mut kept32, mut kept64) = (None, None);
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

fn answer<R: Scalar>(manner: &Manner, request: Value, kept: &mut Option<Answer<R>>) -> Value
where
    Phases: Backend<R>,
{
    let id = request["id"].clone();
    let mut case: Case<R> = read_case(whole(request)).expect("a case");
    let is_first = case.rule_state.is_first() && case.base_steps == 0;
    if let Some(kept) = kept.as_ref().filter(|_| manner.keeps_state && !is_first) {
        for (segment, kept) in case.segments.iter_mut().zip(&kept.segments) {
            segment.memory.clone_from(&kept.memory);
            segment.state.clone_from(&kept.state);
        }
        (case.rule_state, case.base_steps) = (kept.rule_state, kept.base_steps);
    }
    let step = match manner.slip {
        Some(entry) => entry.step(&case),
        None => Phases(Cpu::detect()).step(&case).expect("a step"),
    };
    let told = told(manner, &step);
    *kept = Some(step);
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
