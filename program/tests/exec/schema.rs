//! docs/pipe.schema.json describes what really goes over the pipe.

use serde_json::{Map, Value};

use super::common::{presam, workspace_text};
use super::{Test, child_command};

pub const TESTS: &[Test] = &[
    ("the_schema_describes_every_line", the_schema_describes_every_line),
    ("the_schema_refuses_other_lines", the_schema_refuses_other_lines),
    ("the_exchange_in_the_page_is_one", the_exchange_in_the_page_is_one),
];

/// A schema of the words that ours uses; any other word is a fault of this test.
struct Schema(Value);

impl Schema {
    fn read() -> Self {
        Self(serde_json::from_str(&workspace_text("docs/pipe.schema.json")).unwrap())
    }

    fn holds(&self, line: &Value) -> bool {
        self.judge(&self.0, line)
    }

    fn judge(&self, schema: &Value, value: &Value) -> bool {
        let schema = schema.as_object().unwrap();
        schema.iter().all(|(word, wanted)| match word.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" => true,
            "$ref" => {
                let name = wanted.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                self.judge(&self.0["$defs"][name], value)
            }
            "oneOf" => {
                let all = wanted.as_array().unwrap().iter();
                all.filter(|schema| self.judge(schema, value)).count() == 1
            }
            "anyOf" => wanted.as_array().unwrap().iter().any(|schema| self.judge(schema, value)),
            "not" => !self.judge(wanted, value),
            "const" => wanted == value,
            "enum" => wanted.as_array().unwrap().contains(value),
            "type" => is_of_type(wanted.as_str().unwrap(), value),
            "minimum" => value.as_f64().is_none_or(|x| x >= wanted.as_f64().unwrap()),
            "pattern" => value.as_str().is_none_or(|text| is_of_pattern(wanted, text)),
            "items" => value.as_array().is_none_or(|all| all.iter().all(|x| self.judge(wanted, x))),
            "required" => value.as_object().is_none_or(|object| {
                wanted
                    .as_array()
                    .unwrap()
                    .iter()
                    .all(|key| object.contains_key(key.as_str().unwrap()))
            }),
            "properties" => value.as_object().is_none_or(|object| self.keys(schema, object)),
            // Looked at with the properties.
            "additionalProperties" => *wanted == Value::Bool(false),
            other => panic!("the test does not know {other}"),
        })
    }

    fn keys(&self, schema: &Map<String, Value>, object: &Map<String, Value>) -> bool {
        let is_closed = schema.contains_key("additionalProperties");
        object.iter().all(|(key, value)| match schema["properties"].get(key) {
            Some(schema) => self.judge(schema, value),
            None => !is_closed,
        })
    }
}

fn is_of_type(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        other => panic!("the test does not know {other}"),
    }
}

fn is_of_pattern(pattern: &Value, text: &str) -> bool {
    assert_eq!(pattern, "^0x([0-9a-fA-F]{8}|[0-9a-fA-F]{16})$");
    let digits = text.strip_prefix("0x").unwrap_or_default();
    [8, 16].contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn the_schema_describes_every_line() {
    let schema = Schema::read();
    let all = "--rules sam,asam,fisher-sam,friendly-sam,info-asam,vasso,pre-sam --scalars f32,f64";
    let few = "--rules info-asam,pre-sam --scalars f32,f64";
    for words in [
        format!("{all} --lengths"),
        format!("{few} --bits --lengths"),
        format!("{few} --kept"),
        format!("{few} --op ascend"),
        format!("{few} --op descend --bits"),
    ] {
        let place = tempfile::tempdir().unwrap();
        let file = |name: &str| place.path().join(name).display().to_string();
        let child = child_command(&words).replace("exec ", "");
        let command = format!("tee '{}' | {child} | tee '{}'", file("asked"), file("answered"));
        let output = presam(&["verify", "--exec", &command, "--cases", "8"]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        for name in ["asked", "answered"] {
            let text = std::fs::read_to_string(file(name)).unwrap();
            assert!(text.lines().count() > 100, "{words}: {name}");
            for line in text.lines() {
                assert!(schema.holds(&serde_json::from_str(line).unwrap()), "{name}: {line}");
            }
        }
    }
}

/// One exchange, line by line.
fn page() -> Vec<String> {
    let page = workspace_text("docs/pipe.md");
    page.lines().filter(|line| line.starts_with("{\"")).map(str::to_owned).collect()
}

fn the_schema_refuses_other_lines() {
    let schema = Schema::read();
    let [_, hello, request, answer] = &page()[..] else { panic!("four lines of an exchange") };
    for (line, from, to) in [
        (hello, "\"sam\"", "\"sma\""),
        (hello, "presam-verify/1", "presam-verify/2"),
        (request, "\"rho\"", "\"radius\""),
        (request, "\"id\":1", "\"id\":-1"),
        (request, "\"base_steps\":0,", ""),
        (request, "3.0", "\"0x3f80000\""),
        (request, "\"op\":\"step\"", "\"op\":\"ascend\""),
        (answer, "\"segments\"", "\"tensors\""),
        (answer, "[1.3,2.4]", "[null,2.4]"),
    ] {
        assert!(schema.holds(&serde_json::from_str(line).unwrap()), "{line}");
        let other = line.replace(from, to);
        assert_ne!(&other, line);
        assert!(!schema.holds(&serde_json::from_str(&other).unwrap()), "{other}");
    }
}

fn the_exchange_in_the_page_is_one() {
    let [greeting, hello, request, answer] = &page()[..] else { panic!("four lines") };
    assert!(greeting.contains(&format!("presam {}", env!("CARGO_PKG_VERSION"))));
    let hello = presam_pipe::parse_hello(hello.as_bytes()).unwrap();
    let mut value: Value = serde_json::from_str(request).unwrap();
    let asked = presam_pipe::Asked::of(&hello, hello.operations[0]);
    // A saved case has groups: the radius moves into its one segment.
    let rho = value["rho"].clone();
    let segment = &mut value["segments"][0];
    segment["rho"] = rho;
    for switch in ["counts_in_norm", "is_perturbed", "operator_applies"] {
        segment[switch] = Value::Bool(true);
    }
    let case = presam_pipe::read_case::<f64>(value).unwrap();
    assert_eq!(&presam_pipe::request_line(&case, 1, asked).unwrap(), request);
    let reply = presam_pipe::parse_answer(answer.as_bytes(), 1, &case, asked).unwrap();
    let presam_pipe::Reply::Step { segments, .. } = reply else { panic!("a step") };
    let expected = presam_conformance::Expected::of(&case).unwrap();
    for (found, value) in [
        (&segments[0].perturbed, &expected.ascent.perturbed[0].values),
        (&segments[0].params, &expected.descent.params[0].values),
    ] {
        for (found, value) in found.as_ref().unwrap().iter().zip(value) {
            assert!((found - value).abs() < 1e-12, "{found} {value}");
        }
    }
}
