//! What the page shows of C, compiled: a name that the header does not have is found here.

use super::C_FLAGS;
use crate::command::{Outcome, Run, read, root, write};
use std::path::Path;

const PAGE: &str = "capi/README.md";

/// What the page takes for granted.
const AROUND: &str = "\
#include <presam.h>
enum { N = 8, count = 1 };
extern presam_state_f32 sam;
extern presam_tensor_f32 tensors[count];
extern const presam_config config;
extern float weights[N], gradients[N];
void backward(float *, float *);
void step(void);
";

pub(super) fn run(dir: &Path, prefix: &Path) -> Outcome {
    let file = dir.join("page.c");
    write(&file, program(&read(&root().join(PAGE))?)?)?;
    let run = Run::program("gcc").args(C_FLAGS).arg("-fsyntax-only").arg("-I");
    run.arg(prefix.join("include")).arg(file).run()
}

/// The block of C as a function's body, each `.member = ..` of a table as a configuration, each buffer as it stands.
fn program(page: &str) -> Result<String, String> {
    let block = page.split_once("```c\n").and_then(|(_, rest)| rest.split_once("```"));
    let (block, _) = block.ok_or_else(|| format!("{PAGE}: expected a block of C, found none"))?;
    let rows = page.lines().filter(|line| line.starts_with('|'));
    let spans = || rows.clone().flat_map(|row| row.split('`').skip(1).step_by(2));
    let members: String = (0..)
        .zip(spans().filter(|span| span.starts_with('.')))
        .map(|(at, member)| {
            format!("const presam_config config{at} = {{PRESAM_HEAD(presam_config), {member}}};\n")
        })
        .collect();
    let buffers = spans().filter(|span| span.starts_with("float "));
    let buffers: String = buffers.map(|buffer| format!("{buffer};\n")).collect();
    if members.is_empty() || buffers.is_empty() {
        return Err(format!("{PAGE}: expected configurations and buffers in its table"));
    }
    Ok(format!("{AROUND}{members}{buffers}void step(void) {{\n{block}}}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_compiled_and_a_page_without_it_is_refused() {
        let page = "```c\nf();\n```\n| a | `.base = B`, `.x = 1`; `g` |\n| b | `float w[N]` |\n";
        let text = program(page).unwrap();
        for part in [
            "config0 = {PRESAM_HEAD(presam_config), .base = B};",
            "config1",
            "\nfloat w[N];\n",
            "{\nf();\n}",
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert!(program("no C").is_err() && program("```c\nf();\n```\n").is_err());
    }
}
