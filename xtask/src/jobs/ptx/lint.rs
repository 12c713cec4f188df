//! What must not stand in a text, found by reading it.

use super::entry::{Entry, Text, opcode, parse};
use super::fresh::Twin;

/// Entries with memory of their own, and why. Any other one must do with registers.
pub(crate) const WITH_LOCAL_MEMORY: &[(&str, &str)] = &[(
    "cross_entropy",
    "libm's expf stores two values, so that computing them raises their flags",
)];

/// Types of arithmetic that rounds.
const FLOATS: [&str; 7] = ["f16", "f16x2", "bf16", "bf16x2", "f32", "f32x2", "f64"];

/// Every fault of a text, each with its entry.
pub(crate) fn faults(text: &str) -> Vec<String> {
    let text = parse(text);
    let mut faults = outside_faults(&text);
    for entry in &text.entries {
        let found = entry_faults(entry);
        faults.extend(found.iter().map(|fault| format!("{}: {fault}", entry.name)));
    }
    faults
}

/// Functions and symbols that stand beside the entries.
fn outside_faults(text: &Text<'_>) -> Vec<String> {
    let words = |line: &&&str| {
        let mut words = line.split_whitespace();
        words.any(|word| [".func", ".extern", ".local", ".weak"].contains(&word))
    };
    let lines = text.outside.iter().filter(words);
    lines.map(|line| format!("outside of the entries: `{}`", line.trim())).collect()
}

fn entry_faults(entry: &Entry<'_>) -> Vec<String> {
    let mut faults: Vec<String> = Vec::new();
    for statement in &entry.statements {
        if let Some(fault) = opcode(statement).and_then(forbidden) {
            faults.push(format!("{fault}: `{statement}`"));
        }
    }
    let local = entry.statements.iter().find(|statement| is_local(statement));
    let allowed = WITH_LOCAL_MEMORY.iter().any(|(name, _)| *name == entry.name);
    match local {
        Some(statement) if !allowed => faults.push(format!("local memory: `{statement}`")),
        None if allowed => faults.push("has leave for local memory and uses none".to_owned()),
        _ => {}
    }
    // One fault repeated a hundred times says no more than once.
    let more = faults.len().saturating_sub(3);
    faults.truncate(3);
    if more > 0 {
        faults.push(format!("and {more} more"));
    }
    faults
}

/// What is wrong with an opcode, wherever it stands.
fn forbidden(opcode: &str) -> Option<&'static str> {
    let parts: Vec<&str> = opcode.split('.').collect();
    let kind = *parts.first()?;
    let float = parts.iter().any(|part| FLOATS.contains(part));
    let has = |part| parts.contains(&part);
    match kind {
        "call" => Some("a call"),
        "trap" | "exit" | "brkpt" => Some("an end other than `ret`"),
        "fma" => Some("fused"),
        "mad" if float => Some("fused"),
        _ if has("ftz") => Some("flushes subnormal numbers"),
        _ if has("approx") || has("full") => Some("approximate"),
        // Without a rounding mode of its own, ptxas may fuse it.
        "add" | "sub" | "mul" if float && !has("rn") => Some("may be fused"),
        "div" | "sqrt" | "rcp" if float && !has("rn") => Some("not rounded to nearest"),
        _ => None,
    }
}

fn is_local(statement: &str) -> bool {
    statement.starts_with(".local")
        || statement.contains("%SP")
        || opcode(statement).is_some_and(|opcode| opcode.split('.').any(|part| part == "local"))
}

/// Collectives of the mixed entries against those of the 32-bit one: another scalar adds none. A shuffle
/// that the compiler moved or copied into a branch would wait for lanes that never come.
pub(crate) fn sibling_faults(entries: &[&Entry<'_>], twins: &[Twin]) -> Vec<String> {
    let collectives = |entry: &Entry<'_>| ["shfl", "bar"].map(|kind| entry.count(kind));
    let mut faults = Vec::new();
    for entry in entries {
        let Some(stem) = entry.name.strip_suffix("_mixed") else { continue };
        let wide = format!("{stem}_f32");
        let wide = twins.iter().find(|(twin, _)| *twin == wide).map_or(&wide, |(_, first)| first);
        let of_kind = |other: &&&Entry<'_>| other.name == wide || other.name == stem;
        match entries.iter().find(of_kind) {
            Some(other) if collectives(other) == collectives(entry) => {}
            Some(other) => faults.push(format!(
                "{}: {:?} shuffles and barriers, but {} has {:?}",
                entry.name,
                collectives(entry),
                other.name,
                collectives(other),
            )),
            None => faults.push(format!("{}: no 32-bit entry of its kind", entry.name)),
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, line: &str) -> String {
        format!(
            ".version 7.0\n.visible .entry {name}()\n{{\n\tadd.rn.f32 %r1, %r2, %r3;\n{line}\n}}\n"
        )
    }

    #[test]
    fn what_is_allowed_passes() {
        for line in [
            "\tmad.lo.s32 %r1, %r2, %r3, %r4;",
            "\trcp.rn.f32 %r1, %r2;",
            "\tadd.s64 %rd1, %rd2, 1;",
            "\tmul.lo.s32 %r1, %r2, %r3;",
            "\tdiv.u32 %r1, %r2, %r3;",
            "$L__BB0_1:",
            "\t@%p1 bra $L__BB0_1;",
        ] {
            assert_eq!(faults(&with("a", line)), Vec::<String>::new(), "{line}");
        }
        assert_eq!(
            faults(&with("cross_entropy", "\tst.local.b32 [%rd1], %r1;")),
            Vec::<String>::new()
        );
    }

    #[test]
    fn each_planted_violation_is_caught() {
        for (line, fault) in [
            ("\tfma.rn.f32 %r1, %r2, %r3, %r4;", "a: fused"),
            ("\t@%p1 fma.rn.f64 %rd1, %rd2, %rd3, %rd4;", "a: fused"),
            ("\tmad.rn.f32 %r1, %r2, %r3, %r4;", "a: fused"),
            ("\tadd.rn.ftz.f32 %r1, %r2, %r3;", "a: flushes"),
            ("\tsqrt.approx.f32 %r1, %r2;", "a: approximate"),
            ("\tex2.approx.ftz.f32 %r1, %r2;", "a: flushes"),
            ("\tdiv.full.f32 %r1, %r2, %r3;", "a: approximate"),
            ("\tadd.f32 %r1, %r2, %r3;", "a: may be fused"),
            ("\tmul.rz.f32 %r1, %r2, %r3;", "a: may be fused"),
            ("\tdiv.rz.f32 %r1, %r2, %r3;", "a: not rounded"),
            ("\t{ call.uni f, (x); }", "a: a call"),
            ("\ttrap; exit;", "a: an end other"),
            ("\t.local .align 4 .b8 __local_depot0[8];", "a: local memory"),
            ("\t.reg .b64 %SPL;", "a: local memory"),
            ("\tst.local.b32 [%rd1], %r1;", "a: local memory"),
            ("}\n.func f()\n{\n\tret;", "outside of the entries: `.func f()`"),
            ("}\n.extern .shared .b8 s[];\n{", "outside of the entries: `.extern"),
        ] {
            let found = faults(&with("a", line));
            assert!(found.iter().any(|found| found.starts_with(fault)), "{line}: {found:?}");
        }
    }

    #[test]
    fn a_leave_that_nobody_needs_is_a_fault() {
        let found = faults(&with("cross_entropy", "\tret;"));
        assert_eq!(found, ["cross_entropy: has leave for local memory and uses none"]);
    }

    #[test]
    fn a_copied_shuffle_is_caught() {
        let shuffle = "\tshfl.sync.down.b32 %r1, %r2, 16, 31, -1;";
        // Of `t` the 32-bit entry is a twin of another rule's, and the mixed one is not.
        let text =
            [with("s_f32", shuffle), with("s_mixed", shuffle), with("t_mixed", shuffle)].concat();
        let faults = |text: &str| {
            let text = parse(text);
            let twins = [("t_f32".to_owned(), "s_f32".to_owned())];
            sibling_faults(&text.entries.iter().collect::<Vec<_>>(), &twins)
        };
        assert_eq!(faults(&text), Vec::<String>::new());
        let copied =
            [with("s_f32", shuffle), with("s_mixed", &format!("{shuffle}\n{shuffle}"))].concat();
        assert!(
            faults(&copied)[0].starts_with("s_mixed: [2, 0] shuffles"),
            "{:?}",
            faults(&copied)
        );
        let copied = text.replace("t_mixed()\n{", &format!("t_mixed()\n{{\n{shuffle}"));
        assert!(
            faults(&copied)[0].starts_with("t_mixed: [2, 0] shuffles"),
            "{:?}",
            faults(&copied)
        );
        assert!(faults(&with("s_mixed", ""))[0].contains("no 32-bit entry"));
    }
}
