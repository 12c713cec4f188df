// Run:   presam verify --init rust > adapter.rs && rustc -O adapter.rs
//        presam verify --exec ./adapter

use std::io::{self, BufRead, Write};

/// The scalar type that is offered, and its name: `f64`, or `f32`.
type Real = f64;
const SCALAR: &str = "f64";

/// What is offered. Whatever stands here is asked for; all of it goes through `step` below.
const RULES: &[&str] = &["sam"];
const BASES: &[&str] = &["sgd"];

// ------------------------------------------------------------------------------------------------
// FILL IN: one whole step of your code. As printed it is SAM with SGD, and right.
//
// A rule or base optimizer with memory or state writes these too, plane by plane; info-sam and
// info-asam also write `request.mean_of_variance`. Settings by name: `request.rule_setting("eta")`.
fn step(request: &mut Request) -> Result<(), String> {
    let learning_rate = request.base_setting("learning_rate")?;
    let weight_decay = request.base_setting("weight_decay")?;
    let squares = request.tensors.iter().flat_map(|t| &t.grads).map(|g| g * g);
    let scale = request.rho / (squares.sum::<Real>().sqrt() + request.norm_guard);

    for t in &mut request.tensors {
        t.perturbed = t.params.iter().zip(&t.grads).map(|(w, g)| w + scale * g).collect();
        let update = |(w, g)| w - learning_rate * (g + weight_decay * w);
        t.params = t.params.iter().zip(&t.perturbed_grads).map(update).collect();
    }
    Ok(())
}

/// One tensor: params, memory and state are given, and answered as `step` leaves them.
#[allow(dead_code)]
struct Tensor {
    params: Vec<Real>,
    grads: Vec<Real>,
    perturbed_grads: Vec<Real>,
    perturbed: Vec<Real>,
    memory: Vec<Vec<Real>>,
    inputs: Vec<Vec<Real>>,
    state: Vec<Vec<Real>>,
}

/// One question.
#[allow(dead_code)]
struct Request {
    rule: String,
    base: String,
    rho: Real,
    norm_guard: Real,
    rule_steps: u64,
    base_steps: u64,
    mean_of_variance: Real,
    tensors: Vec<Tensor>,
    rule_settings: Json,
    base_settings: Json,
}

// ------------------------------------------------------------------------------------------------
// The other side of the pipe: nothing to change from here on. One JSON object a line (docs/pipe.md).

#[allow(dead_code)]
impl Request {
    fn rule_setting(&self, name: &str) -> Result<Real, String> {
        self.rule_settings.member(name)?.number()
    }

    fn base_setting(&self, name: &str) -> Result<Real, String> {
        self.base_settings.member(name)?.number()
    }

    fn read(line: &Json) -> Result<Request, String> {
        let number = |object: &Json, name: &str| object.member(name)?.number();
        let base = line.member("base")?;
        let tensors: Result<Vec<Tensor>, String> =
            line.member("segments")?.list()?.iter().map(Tensor::read).collect();
        Ok(Request {
            rule: line.member("rule")?.text()?.to_string(),
            base: base.member("name")?.text()?.to_string(),
            rho: number(line, "rho")?,
            norm_guard: number(line.member("length")?, "norm_guard")?,
            rule_steps: number(line, "rule_steps")? as u64,
            base_steps: number(line, "base_steps")? as u64,
            mean_of_variance: number(line, "mean_of_variance").unwrap_or(0.0),
            tensors: tensors?,
            rule_settings: line.member("settings")?.clone(),
            base_settings: base.clone(),
        })
    }

    fn answer(&self) -> String {
        let segments: Vec<String> = self.tensors.iter().map(Tensor::written).collect();
        let mean = match self.rule.as_str() {
            "info-sam" | "info-asam" => {
                format!(",\"mean_of_variance\":{}", written(self.mean_of_variance))
            }
            _ => String::new(),
        };
        format!("\"segments\":[{}]{}", segments.join(","), mean)
    }
}

impl Tensor {
    fn read(segment: &Json) -> Result<Tensor, String> {
        let plane = |name: &str| segment.member(name)?.plane();
        let planes = |name: &str| -> Result<Vec<Vec<Real>>, String> {
            segment
                .member(name)
                .map_or(Ok(Vec::new()), |planes| planes.list()?.iter().map(Json::plane).collect())
        };
        Ok(Tensor {
            params: plane("params")?,
            grads: plane("grads")?,
            perturbed_grads: plane("perturbed_grads")?,
            perturbed: Vec::new(),
            memory: planes("memory")?,
            inputs: planes("inputs")?,
            state: planes("state")?,
        })
    }

    fn written(&self) -> String {
        let plane = |values: &Vec<Real>| {
            let numbers: Vec<String> = values.iter().map(|x| written(*x)).collect();
            format!("[{}]", numbers.join(","))
        };
        let planes = |planes: &Vec<Vec<Real>>| {
            format!("[{}]", planes.iter().map(plane).collect::<Vec<_>>().join(","))
        };
        format!(
            "{{\"perturbed\":{},\"params\":{},\"memory\":{},\"state\":{}}}",
            plane(&self.perturbed),
            plane(&self.params),
            planes(&self.memory),
            planes(&self.state)
        )
    }
}

/// The shortest decimal that reads back exactly, as f64; a name for what is not finite.
fn written(x: Real) -> String {
    if x.is_finite() {
        format!("{:?}", x as f64)
    } else if x.is_nan() {
        "\"nan\"".to_string()
    } else {
        (if x > 0.0 { "\"inf\"" } else { "\"-inf\"" }).to_string()
    }
}

/// A JSON value; true, false and null are texts.
#[derive(Clone)]
enum Json {
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    fn member(&self, name: &str) -> Result<&Json, String> {
        let found = match self {
            Json::Object(members) => members.iter().find(|(key, _)| key == name),
            _ => None,
        };
        found.map(|(_, value)| value).ok_or_else(|| format!("the request has no {}", name))
    }

    fn list(&self) -> Result<&[Json], String> {
        if let Json::List(values) = self { Ok(values) } else { Err("expected a list".to_string()) }
    }

    fn text(&self) -> Result<&str, String> {
        if let Json::Text(text) = self { Ok(text) } else { Err("expected a string".to_string()) }
    }

    /// A number, or the name of one that is not finite.
    fn number(&self) -> Result<Real, String> {
        match self {
            Json::Number(x) => Ok(*x as Real),
            _ => self.text()?.parse().map_err(|_| "expected a number".to_string()),
        }
    }

    fn plane(&self) -> Result<Vec<Real>, String> {
        self.list()?.iter().map(Json::number).collect()
    }
}

/// What is left of a line. `None` anywhere: it is not JSON.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    const DEPTH: usize = 16;

    fn takes(&mut self, start: &str) -> bool {
        self.rest = self.rest.trim_start();
        let found = self.rest.starts_with(start);
        if found {
            self.rest = &self.rest[start.len()..];
        }
        found
    }

    fn take_while(&mut self, belongs: fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        if depth > Self::DEPTH {
            None
        } else if self.takes("[") {
            let mut values = Vec::new();
            self.members("]", |reader| {
                values.push(reader.value(depth + 1)?);
                Some(())
            })?;
            Some(Json::List(values))
        } else if self.takes("{") {
            let mut members = Vec::new();
            self.members("}", |reader| {
                let name = if reader.takes("\"") { reader.string()? } else { return None };
                let value = if reader.takes(":") { reader.value(depth + 1)? } else { return None };
                members.push((name, value));
                Some(())
            })?;
            Some(Json::Object(members))
        } else if self.takes("\"") {
            self.string().map(Json::Text)
        } else {
            let word = self.take_while(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
            match word {
                "true" | "false" | "null" => Some(Json::Text(word.to_string())),
                _ => word.parse().ok().map(Json::Number),
            }
        }
    }

    fn members(
        &mut self,
        close: &str,
        mut member: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        if self.takes(close) {
            return Some(());
        }
        loop {
            member(self)?;
            if self.takes(close) {
                return Some(());
            }
            if !self.takes(",") {
                return None;
            }
        }
    }

    /// After the opening quote. The protocol's own strings need no escapes: those of others are kept as they are.
    fn string(&mut self) -> Option<String> {
        let mut escaped = false;
        let end = self.rest.find(|c| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        })?;
        let text = self.rest[..end].to_string();
        self.rest = &self.rest[end + 1..];
        Some(text)
    }
}

/// The answer to one line, and nothing but a line.
fn answer(line: &str) -> String {
    let request = Reader { rest: line }.value(0).ok_or_else(|| "not JSON".to_string());
    let id = match request.as_ref().map(|line| line.member("id")) {
        Ok(Ok(Json::Number(id))) => *id,
        _ => 0.0,
    };
    let fields = request.and_then(|line| Request::read(&line)).and_then(|mut request| {
        step(&mut request)?;
        Ok(request.answer())
    });
    let fields = fields.unwrap_or_else(|reason| format!("\"error\":\"{}\"", reason));
    format!("{{\"id\":{},{}}}", id, fields)
}

fn main() -> io::Result<()> {
    let quoted = |names: &[&str]| format!("\"{}\"", names.join("\",\""));
    let mut lines = io::stdin().lock().lines();
    let mut out = io::stdout();
    lines.next().transpose()?;
    writeln!(
        out,
        "{{\"hello\":{{\"protocol\":\"presam-verify/1\",\"name\":\"adapter.rs\",\"operations\":[\"step\"],\
         \"rules\":[{}],\"bases\":[{}],\"scalars\":[\"{}\"]}}}}",
        quoted(RULES),
        quoted(BASES),
        SCALAR
    )?;
    for line in lines {
        writeln!(out, "{}", answer(&line?))?;
        out.flush()?;
    }
    Ok(())
}
