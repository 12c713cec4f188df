//! A text taken apart: entries, and their statements.

/// A kernel of a text.
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a str,
    /// Declarations and instructions in order, without labels and the semicolon.
    pub(crate) statements: Vec<&'a str>,
}

impl Entry<'_> {
    /// The opcodes of its instructions.
    pub(crate) fn opcodes(&self) -> impl Iterator<Item = &str> {
        self.statements.iter().filter_map(|statement| opcode(statement))
    }

    /// How many instructions are `opcode` or of its kind: `shfl` counts `shfl.sync.idx.b32`.
    pub(crate) fn count(&self, kind: &str) -> usize {
        self.opcodes().filter(|opcode| opcode.split('.').next() == Some(kind)).count()
    }
}

/// A text: what stands outside of its entries, and these.
pub(crate) struct Text<'a> {
    pub(crate) outside: Vec<&'a str>,
    pub(crate) entries: Vec<Entry<'a>>,
}

/// Takes a text apart. An entry runs from its head to the brace at the start of a line.
pub(crate) fn parse(text: &str) -> Text<'_> {
    let (mut outside, mut entries) = (Vec::new(), Vec::<Entry<'_>>::new());
    let mut inside = false;
    for line in text.lines().filter(|line| !line.starts_with("//")) {
        if let Some(head) = line.strip_prefix(".visible .entry ") {
            let name = head.split('(').next().unwrap_or(head).trim();
            entries.push(Entry { name, statements: Vec::new() });
            inside = true;
        } else if let Some(entry) = entries.last_mut().filter(|_| inside) {
            inside = line != "}";
            entry.statements.extend(statements(line));
        } else {
            outside.push(line);
        }
    }
    Text { outside, entries }
}

/// The statements of a line; the compiler writes a call's arguments as several.
fn statements(line: &str) -> impl Iterator<Item = &str> {
    let words = line.split(';').map(|part| part.trim().trim_matches(['{', '}']).trim());
    // What ends the line without a semicolon is a label or punctuation, but for the list of a table.
    let ended = line.matches(';').count();
    words.take(ended).map(after_label).filter(|statement| !statement.is_empty())
}

/// `bar.sync 0` of `$L__BB0_1: bar.sync 0`.
fn after_label(statement: &str) -> &str {
    match statement.split_once(':') {
        Some((label, rest)) if label.starts_with('$') && !label.contains(' ') => rest.trim(),
        _ => statement,
    }
}

/// `add.rn.f32` of `@%p1 add.rn.f32 %r1, %r2, %r3`; nothing for a declaration.
pub(crate) fn opcode(statement: &str) -> Option<&str> {
    let mut words = statement.split_whitespace();
    let first = words.next()?;
    let opcode = if first.starts_with('@') { words.next()? } else { first };
    (!opcode.starts_with('.')).then_some(opcode)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "// head\n.version 7.0\n.visible .entry one(\n\t.param .u64 one_param_0\n)\n{\n\
                        \t.reg .b32 \t%r<2>;\n$L__BB0_1:\n\t@%p1 bra \t$L__BB0_1;\n\
                        \t{ st.param.b64 [x], 1; call.uni f, (x); }\n\
                        \tld.global.v4.b32 \t{%r1, %r2, %r3, %r4}, [%rd1];\n\tret;\n}\n.shared .b8 s[4];\n\
                        .visible .entry two()\n{\n$L1: \tshfl.sync.idx.b32 \t%r1, %r2, 0, 31, -1;\n}\n";

    #[test]
    fn entries_and_their_opcodes() {
        let text = parse(TEXT);
        assert_eq!(text.outside, [".version 7.0", ".shared .b8 s[4];"]);
        let names: Vec<&str> = text.entries.iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["one", "two"]);
        let opcodes: Vec<&str> = text.entries[0].opcodes().collect();
        assert_eq!(opcodes, ["bra", "st.param.b64", "call.uni", "ld.global.v4.b32", "ret"]);
        assert_eq!(text.entries[1].count("shfl"), 1);
        assert_eq!(text.entries[0].count("shfl"), 0);
    }
}
