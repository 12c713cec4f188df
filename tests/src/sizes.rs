//! The generated table of sizes: what the norm, the session and each rule hold, and what a step moves.

use presam::{Cpu, PartialNorm, RuleState, Sam, Session, SgdMomentum, for_each_variant};
use std::fmt::Write;

/// Bytes that the second pass of a step with SGD and momentum moves per parameter: g~, v, w read, v, w written.
const DESCENT: usize = 5;

macro_rules! rows {
    ($($module:ident: $Variant:ident, memory $m:literal, inputs $i:literal;)*) => {
        vec![$(Row {
            name: presam::variants::$module::INFO.name,
            config: size_of::<presam::$Variant<f32>>(),
            memory: $m,
            inputs: $i,
            norm_reads: presam::variants::$module::INFO.norm_reads,
        }),*]
    };
}

struct Row {
    name: &'static str,
    config: usize,
    memory: usize,
    inputs: usize,
    norm_reads: usize,
}

impl Row {
    /// w, g, memory and inputs read; the perturbed parameters and memory written.
    fn ascent(&self) -> usize {
        2 + self.memory + self.inputs + 1 + self.memory
    }
}

/// The table as Markdown, for `f32`.
#[must_use]
pub fn table() -> String {
    let float = size_of::<f32>();
    let mut text = String::from("| value (`f32`) | bytes |\n| --- | --- |\n");
    let values = [
        ("`PartialNorm`", size_of::<PartialNorm<f32>>()),
        ("`RuleState`", size_of::<RuleState<f32>>()),
        (
            "`Session` of SAM over SGD with momentum",
            size_of::<Session<f32, Sam<f32>, SgdMomentum<f32>>>(),
        ),
        ("`Cpu`", size_of::<Cpu>()),
    ];
    // Writing to a String cannot fail.
    for (name, bytes) in values {
        let _ = writeln!(text, "| {name} | {bytes} |");
    }
    text.push_str("\nOf each rule: its configuration, the floats that a step needs per parameter beside w and g \
         (memory, and the perturbed copy or backup), and the bytes per parameter that its passes move (norm, ascent, and \
         the whole step out of place with SGD and momentum).\n\n");
    text.push_str("| rule | configuration, bytes | memory | inputs | extra floats | norm pass, bytes | ascent, bytes | step, bytes |\n");
    text.push_str("| --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for row in for_each_variant!(rows) {
        let Row { name, config, memory, inputs, norm_reads } = row;
        let (norm, ascent) = (norm_reads * float, row.ascent() * float);
        let step = norm + ascent + DESCENT * float;
        let extra = memory + 1;
        let _ = writeln!(
            text,
            "| {name} | {config} | {memory} | {inputs} | {extra} | {norm} | {ascent} | {step} |"
        );
    }
    text
}
