//! A command's answer, read as what a hostile one may send.

use presam_conformance::{Case, Rule, Scalar, Segment};
use serde::Deserialize;

use crate::capped::Capped;
use crate::error::{PipeError, plain};
use crate::hello::Operation;
use crate::number::Read;
use crate::request::Asked;

/// What a command answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply<R> {
    /// A step.
    Step {
        /// One for each segment of the case.
        segments: Vec<ReplySegment<R>>,
        /// The mean that the rule carries to its next step, where it has one.
        mean_of_variance: Option<R>,
    },
    /// No step, in its own words.
    Refused(String),
}

/// What is left of one segment; a list that was not asked for is `None`, every other has the case's
/// lengths.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplySegment<R> {
    /// The perturbed parameters.
    pub perturbed: Option<Vec<R>>,
    /// The rule's new memory.
    pub memory: Option<Vec<Vec<R>>>,
    /// The new parameters.
    pub params: Option<Vec<R>>,
    /// The base optimizer's new state.
    pub state: Option<Vec<Vec<R>>>,
}

/// A tensor of the suite over the pipe has 65,537 elements at most: more than this is counted and not kept.
type Plane<R> = Capped<Read<R>, 131_072>;
type Planes<R> = Capped<Plane<R>, 16>;

#[derive(Deserialize)]
#[serde(bound = "R: Scalar")]
struct Line<R> {
    id: Option<u64>,
    segments: Option<Capped<LineSegment<R>, 256>>,
    mean_of_variance: Option<Read<R>>,
    error: Option<String>,
}

#[derive(Deserialize)]
#[serde(bound = "R: Scalar")]
struct LineSegment<R> {
    perturbed: Option<Plane<R>>,
    memory: Option<Planes<R>>,
    params: Option<Plane<R>>,
    state: Option<Planes<R>>,
}

/// Reads the answer to the request `id` for `case`.
///
/// Never panics, and keeps no more than a small multiple of the line's own length.
///
/// # Errors
/// A line that is no answer to it, or has lists of other lengths.
pub fn parse_answer<R: Scalar>(
    line: &[u8],
    id: u64,
    case: &Case<R>,
    asked: Asked,
) -> Result<Reply<R>, PipeError> {
    let reader = Reader { awaited: format!("the answer to request {id}"), line };
    let parsed: Line<R> = serde_json::from_slice(line)
        .map_err(|reason| reader.rubbish(format!("{reason}{}", hint(line))))?;
    if parsed.id != Some(id) {
        return Err(reader.rubbish(format!("expected \"id\":{id}")));
    }
    if let Some(reason) = parsed.error {
        return Ok(Reply::Refused(plain(reason.lines().next().unwrap_or_default())));
    }
    let segments = parsed.segments.ok_or_else(|| reader.lacks("segments"))?;
    reader.equal("segments", case.segments.len(), segments.found)?;
    reader.equal("segments that are kept", segments.found, segments.items.len())?;
    let mean_of_variance = reader.mean(case.rule, asked, parsed.mean_of_variance)?;
    let pairs = segments.items.into_iter().zip(&case.segments).enumerate();
    let planes = (case.rule.memory(), case.base.planes());
    let read = |(index, (found, wanted)): (usize, (_, &Segment<R>))| {
        reader.segment((index, wanted.params.len()), planes, asked, found)
    };
    let segments = pairs.map(read).collect::<Result<_, _>>()?;
    Ok(Reply::Step { segments, mean_of_variance })
}

/// The usual reasons: a print to standard output, and what Python's json writes unless told otherwise.
fn hint(line: &[u8]) -> &'static str {
    if !line.trim_ascii_start().starts_with(b"{") {
        return " (messages belong on standard error)";
    }
    let has = |word: &[u8]| line.windows(word.len()).any(|part| part == word);
    if has(b"NaN") || has(b"Infinity") {
        "; numbers that are not finite are \"nan\", \"inf\" and \"-inf\" in quotes"
    } else {
        ""
    }
}

/// The line that is read, for messages.
struct Reader<'a> {
    awaited: String,
    line: &'a [u8],
}

impl Reader<'_> {
    fn rubbish(&self, reason: String) -> PipeError {
        PipeError::rubbish(&self.awaited, self.line, reason)
    }

    fn lacks(&self, name: &str) -> PipeError {
        self.rubbish(format!("it lacks {name}"))
    }

    fn equal(&self, place: &str, expected: usize, found: usize) -> Result<(), PipeError> {
        if expected == found {
            return Ok(());
        }
        let (awaited, place) = (self.awaited.clone(), place.to_owned());
        Err(PipeError::WrongLength { awaited, place, expected, found })
    }

    /// The mean, where the rule has one and the command does not keep it.
    fn mean<R: Scalar>(
        &self,
        rule: Rule,
        asked: Asked,
        found: Option<Read<R>>,
    ) -> Result<Option<R>, PipeError> {
        if !rule.carries_mean() || asked.operation == Operation::Descend || asked.keeps_state {
            return Ok(None);
        }
        found.map(|mean| Some(mean.0)).ok_or_else(|| self.lacks("mean_of_variance"))
    }

    /// The lists of the segment of this index and length; so many planes of memory and state.
    fn segment<R: Scalar>(
        &self,
        (index, length): (usize, usize),
        (memory, state): (usize, usize),
        asked: Asked,
        found: LineSegment<R>,
    ) -> Result<ReplySegment<R>, PipeError> {
        let ascends = asked.operation != Operation::Descend;
        let descends = asked.operation != Operation::Ascend;
        let given = !asked.keeps_state;
        let at = |name: &str| format!("segment {index}: {name}");
        let (memory, state) = ((memory, length), (state, length));
        Ok(ReplySegment {
            perturbed: self.plane(ascends, at("perturbed"), length, found.perturbed)?,
            memory: self.planes(ascends && given, at("memory"), memory, found.memory)?,
            params: self.plane(descends, at("params"), length, found.params)?,
            state: self.planes(descends && given, at("state"), state, found.state)?,
        })
    }

    /// A plane of this length, where one is asked for.
    fn plane<R: Scalar>(
        &self,
        asked: bool,
        place: String,
        length: usize,
        found: Option<Plane<R>>,
    ) -> Result<Option<Vec<R>>, PipeError> {
        if !asked {
            return Ok(None);
        }
        let found = found.ok_or_else(|| self.lacks(&place))?;
        self.equal(&place, length, found.found)?;
        self.equal(&format!("{place}: elements that are kept"), length, found.items.len())?;
        Ok(Some(found.items.into_iter().map(|x| x.0).collect()))
    }

    /// So many planes of this length; a list of none may be left out.
    fn planes<R: Scalar>(
        &self,
        asked: bool,
        place: String,
        (count, length): (usize, usize),
        found: Option<Planes<R>>,
    ) -> Result<Option<Vec<Vec<R>>>, PipeError> {
        if !asked || (count == 0 && found.is_none()) {
            return Ok(asked.then(Vec::new));
        }
        let found = found.ok_or_else(|| self.lacks(&place))?;
        self.equal(&format!("{place}: planes"), count, found.found)?;
        let planes = found.items.into_iter().enumerate();
        let plane = |(i, plane)| self.plane(true, format!("{place}[{i}]"), length, Some(plane));
        let planes: Vec<Option<Vec<R>>> = planes.map(plane).collect::<Result<_, _>>()?;
        Ok(Some(planes.into_iter().flatten().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Form, case_value};
    use presam_conformance::generate::Shape;
    use presam_conformance::{Config, Scope, draw};

    const ASKED: Asked = Asked {
        operation: Operation::Step,
        form: Form::Decimal,
        groups: false,
        keeps_state: false,
    };

    fn cases(rule: &str) -> Vec<Case<f32>> {
        let rules = [Rule::from_name(rule).unwrap()];
        let scope = Scope::of(&rules, &["sgd-momentum"]);
        draw(&scope, &rules, Shape::Small, Config { cases: 20, seed: 1 }).unwrap()
    }

    /// A right answer: every list of the request back again.
    fn answer(case: &Case<f32>) -> String {
        let asked = case_value(case).unwrap();
        let segments = asked["segments"].as_array().unwrap().iter().map(|s| {
            serde_json::json!({"perturbed": s["params"], "memory": s["memory"], "params": s["grads"], "state": s["state"]})
        });
        let segments: Vec<_> = segments.collect();
        serde_json::json!({"id": 7, "segments": segments, "mean_of_variance": 0.5}).to_string()
    }

    fn read(line: &str, case: &Case<f32>) -> Result<Reply<f32>, String> {
        parse_answer(line.as_bytes(), 7, case, ASKED).map_err(|error| error.to_string())
    }

    #[test]
    fn a_right_answer_is_read_and_a_wrong_length_named() {
        // A list without elements has no place for one more in front of another.
        let has_first = |case: &&Case<f32>| !case.segments[0].params.is_empty();
        for case in cases("info-sam").iter().filter(has_first) {
            let line = answer(case);
            let Reply::Step { segments, mean_of_variance } = read(&line, case).unwrap() else {
                panic!("a step");
            };
            assert_eq!(mean_of_variance, Some(0.5));
            for (found, from) in segments.iter().zip(&case.segments) {
                assert_eq!(found.perturbed.as_ref(), Some(&from.params));
                assert_eq!(found.memory.as_ref(), Some(&from.memory));
                assert_eq!(found.state.as_ref(), Some(&from.state));
            }
            let longer = line.replacen("\"params\":[", "\"params\":[0,", 1);
            assert!(read(&longer, case).unwrap_err().contains("a wrong length: segment 0: params"));
            let less = line.replace(",\"state\":[[", ",\"state\":[[],[");
            assert!(
                read(&less, case).unwrap_err().contains("segment 0: state: planes: expected 1")
            );
            let without = line.replace("mean_of_variance", "mean");
            assert!(read(&without, case).unwrap_err().contains("it lacks mean_of_variance"));
        }
    }

    #[test]
    fn a_refusal_is_one_line() {
        let found = read(r#"{"id":7,"error":"no\u001b\nstep"}"#, &cases("sam")[0]);
        assert_eq!(found, Ok(Reply::Refused("no".into())));
    }

    #[test]
    fn hostile_lines_are_errors_or_steps_of_the_right_lengths() {
        let mut bits = 1_u64;
        let mut random = move |below: usize| {
            bits = bits
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (bits >> 33) as usize % below
        };
        let parts = ["[", "]", "{", "}", "\"", ",", ":", "0", "-", "1e99", "null", "\u{e9}", "NaN"];
        for case in cases("vasso") {
            let line = answer(&case);
            for _ in 0..500 {
                let mut line = line.clone().into_bytes();
                for _ in 0..=random(3) {
                    let at = random(line.len());
                    let end = (at + random(4)).min(line.len());
                    line.splice(at..end, parts[random(parts.len())].bytes());
                }
                if let Ok(Reply::Step { segments, .. }) = parse_answer(&line, 7, &case, ASKED) {
                    assert_eq!(segments.len(), case.segments.len());
                    for (found, from) in segments.iter().zip(&case.segments) {
                        assert_eq!(found.params.as_ref().unwrap().len(), from.params.len());
                    }
                }
            }
        }
        let deep = "[".repeat(1 << 16);
        assert!(read(&deep, &cases("sam")[0]).is_err(), "nesting has a limit");
        let wide = format!("{{\"id\":7,\"segments\":[{}]}}", vec!["{}"; 1 << 20].join(","));
        let told = read(&wide, &cases("sam")[0]).unwrap_err();
        assert!(told.contains("segments: expected") && told.ends_with("found 1048576"), "{told}");
    }
}
