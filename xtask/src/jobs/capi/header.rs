//! `capi/include/presam.h`: what cbindgen makes of capi's functions, and what the core knows of its rules.

use crate::command::{Outcome, kept, root};
use std::fmt::Write as _;

const FILE: &str = "capi/include/presam.h";

/// Written for Rust's readers; the header says it once, at its head.
const SAFETY: &str = "//\n// # Safety\n// As the module says.\n";

/// What no tool makes of Rust: macros with arguments.
const MACROS: &str = "\
/* The first two members of every struct that has them: {PRESAM_HEAD(presam_group), .rho = 0.05} */
#define PRESAM_HEAD(type) (uint32_t)sizeof(type), PRESAM_VERSION

/* The parts of a status. */
#define PRESAM_CODE(status) ((status) & 255u)
#define PRESAM_ARGUMENT(status) ((status) >> 8 & 255u)
#define PRESAM_INDEX(status) ((status) >> 16)

/* The bytes of a state, and what its address must be a multiple of. */
#define PRESAM_STATE_F32_SIZE (8 * PRESAM_STATE_F32_WORDS)
#define PRESAM_STATE_F64_SIZE (8 * PRESAM_STATE_F64_WORDS)
#define PRESAM_STATE_ALIGN 8
";

pub(crate) fn header(check_only: bool) -> Outcome {
    kept(FILE, &text()?, check_only, "cargo xtask capi-header")
}

fn text() -> Result<String, String> {
    let crate_dir = root().join("capi");
    let config = cbindgen::Config::from_file(crate_dir.join("cbindgen.toml"))?;
    let builder = cbindgen::Builder::new().with_crate(crate_dir).with_config(config);
    let bindings = builder.generate().map_err(|error| format!("cbindgen: {error}"))?;
    let mut bytes = Vec::new();
    bindings.write(&mut bytes);
    let text = String::from_utf8(bytes).map_err(|error| error.to_string())?;
    let text = text.replace(SAFETY, "");
    let end = text.rfind("#endif").ok_or("the header has no end")?;
    let (text, guard) = text.split_at(end);
    Ok(format!("{text}{MACROS}\n{}\n{guard}", planes()?))
}

/// The planes of every rule, so that buffers can be static.
fn planes() -> Result<String, String> {
    let mut text = String::from(
        "/* Planes of each rule, each as long as its tensor: static float memory[PRESAM_MEMORY_VASSO][N]. */\n",
    );
    let upper = |name: &str| name.replace('-', "_").to_uppercase();
    for info in presam::variants::ALL {
        let name = upper(info.name);
        let written = writeln!(text, "#define PRESAM_MEMORY_{name} {}", info.memory);
        let written =
            written.and_then(|()| writeln!(text, "#define PRESAM_INPUTS_{name} {}", info.inputs));
        written.map_err(|error| error.to_string())?;
    }
    for info in presam::base::ALL {
        let written = writeln!(text, "#define PRESAM_STATE_{} {}", upper(info.name), info.state);
        written.map_err(|error| error.to_string())?;
    }
    Ok(text)
}
