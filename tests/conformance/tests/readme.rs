//! README.md's example is the compiled one, and its reports are what that one prints; UPDATE=1 writes them anew.

#[path = "../examples/my_sam.rs"]
#[allow(dead_code, reason = "an example has a main of its own")]
mod my_sam;

use std::{env, fs, path::PathBuf};

fn readme() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("README.md")
}

/// The page with every block "```text NAME" filled by the report of that name, and the names.
fn filled(page: &str) -> (String, Vec<String>) {
    let (mut out, mut names, mut lines) = (String::new(), Vec::new(), page.lines());
    while let Some(line) = lines.next() {
        out += line;
        out += "\n";
        if let Some(name) = line.strip_prefix("```text ") {
            out += &my_sam::report(name);
            out += "```\n";
            names.push(name.to_owned());
            lines.by_ref().find(|line| *line == "```").expect("a block that ends");
        }
    }
    (out, names)
}

#[test]
fn the_reports_are_those_of_the_example() {
    let page = fs::read_to_string(readme()).expect("README.md");
    let (fresh, names) = filled(&page);
    assert_eq!(names[0], "right");
    assert_eq!(names[1..], my_sam::SLIPS);
    if env::var_os("UPDATE").is_some() {
        fs::write(readme(), fresh).expect("README.md can be written");
    } else {
        let differing = page.lines().zip(fresh.lines()).find(|(old, new)| old != new);
        assert!(page == fresh, "README.md is stale (UPDATE=1 writes it anew): {differing:?}");
    }
}

#[test]
fn the_twenty_lines_are_those_of_the_example() {
    let example = include_str!("../examples/my_sam.rs");
    let page = fs::read_to_string(readme()).expect("README.md");
    let function = |text: &str| -> Vec<String> {
        let from = text.lines().skip_while(|line| !line.starts_with("/// One step of SAM"));
        let mut function: Vec<_> = from.map(str::to_owned).take_while(|line| line != "}").collect();
        function.retain(|line| !line.is_empty());
        function
    };
    assert_eq!(function(&page), function(example));
    assert!(function(example).len() > 8);
    let block = page.lines().skip_while(|line| *line != "```rust").skip(1);
    let lines = block.take_while(|line| *line != "```").filter(|line| !line.starts_with('#'));
    assert!(lines.filter(|line| !line.is_empty()).count() <= 20);
}

/// Each is named as what it is, and its report has a law, a smallest case, and both numbers in decimal and bits.
#[test]
fn each_report_names_its_slip() {
    for slip in my_sam::SLIPS {
        let report = my_sam::report(slip);
        let entry = presam_conformance::catalogue::named(slip).expect("an entry of this name");
        assert!(report.ends_with(&format!("differs: exactly as if {}\n", entry.says)), "{report}");
        for word in ["fails after", "smallest case:", "expected ", "found ", "0x"] {
            assert!(report.contains(word), "{word} is not in {report}");
        }
    }
    assert!(my_sam::report("right").ends_with("\nagrees\n"));
}
