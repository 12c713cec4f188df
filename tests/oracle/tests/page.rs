//! README.md has a row for every rule of the list, with its planes, and for no other.

use presam_oracle::{Rule, Statistic};

/// The rows of the table of rules, by cells: formula, keeps, inputs and second sum behind the name.
fn rows() -> Vec<Vec<String>> {
    let page = include_str!("../README.md");
    let (_, table) = page.split_once("## The rules\n").expect("a section of rules");
    let (table, _) = table.split_once("\n## ").expect("a section after it");
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let cells =
        |row: &str| row.replace("\\|", "").split('|').map(|cell| cell.trim().to_owned()).collect();
    rows.map(cells).collect()
}

/// How many things a cell lists.
fn count(cell: &str) -> usize {
    cell.split(',').filter(|part| !part.trim().is_empty()).count()
}

#[test]
fn every_rule_stands_on_the_page_in_the_order_of_the_list() {
    let names: Vec<String> = rows().iter().map(|row| row[1].trim_matches('`').to_owned()).collect();
    let expected: Vec<&str> = Rule::all().into_iter().map(Rule::name).collect();
    assert_eq!(names, expected, "tests/oracle/README.md and the list of src/rules/mod.rs");
}

#[test]
fn every_row_has_the_rule_s_planes_and_a_source() {
    for (rule, row) in Rule::all().into_iter().zip(rows()) {
        let [_, _, formula, keeps, inputs, sum, source, _] = row.as_slice() else {
            panic!("{rule}: expected six cells, found {row:?}");
        };
        assert_eq!(count(keeps), rule.memory(), "{rule} keeps {keeps}");
        assert_eq!(count(inputs), rule.inputs(), "{rule} takes {inputs}");
        assert_eq!(count(sum), usize::from(rule.statistic() != Statistic::None), "{rule}: {sum}");
        assert!(!formula.is_empty() && !source.is_empty(), "{rule}");
    }
}

#[test]
fn every_default_setting_is_named() {
    let page = include_str!("../README.md");
    for rule in Rule::all() {
        // `Asam { eta: 0.01 }`: the settings as they are written.
        let written = format!("{rule:?}");
        for key in written.split([' ', '{', ',']).filter_map(|word| word.strip_suffix(':')) {
            assert!(page.contains(key), "{rule}: {key}");
        }
    }
}
