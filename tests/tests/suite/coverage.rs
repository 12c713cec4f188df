//! One list: the files of core's variants, its registry, the oracle's rules, the golden vectors and
//! the tables of both READMEs.

use presam::Configure;
use presam_conformance::Rule;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

type Names = BTreeSet<String>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn registry() -> Names {
    presam::variants::ALL.iter().map(|info| info.name.to_owned()).collect()
}

/// `info_sam.rs` is info-sam; `shorthand.rs` holds what several of them write alike.
fn files() -> Names {
    let folder = fs::read_dir(root().join("core/src/variants")).expect("core's variants");
    let names = folder.map(|entry| entry.expect("a file").file_name().into_string().expect("text"));
    let stems =
        names.filter_map(|name| name.strip_suffix(".rs").map(|stem| stem.replace('_', "-")));
    stems.filter(|stem| stem != "mod" && stem != "shorthand").collect()
}

/// The first cells of the rows between the markers: a name in backticks, or a link to it.
fn table(path: &str) -> Names {
    let text = read(path);
    let rows = text
        .split_once("<!-- variants -->")
        .and_then(|(_, rest)| rest.split_once("<!-- /variants -->"));
    let (rows, _) = rows.unwrap_or_else(|| {
        panic!("{path}: no table between <!-- variants --> and <!-- /variants -->")
    });
    let cells = rows.lines().filter_map(|line| line.trim().strip_prefix('|')?.split('|').next());
    let names = cells.filter_map(|cell| cell.split('`').nth(1));
    names.map(str::to_owned).collect()
}

#[test]
fn every_variant_is_a_file() {
    assert_eq!(files(), registry());
}

#[test]
fn every_variant_is_a_rule_of_the_oracle() {
    let rules: Names = Rule::all().iter().map(|rule| rule.name().to_owned()).collect();
    assert_eq!(rules, registry());
    for info in presam::variants::ALL {
        let rule = Rule::from_name(info.name).expect("a rule");
        let keys: Names = rule.settings().iter().map(|(key, _)| (*key).to_owned()).collect();
        let expected: Names = info.keys.iter().map(|key| key.name.to_owned()).collect();
        assert_eq!(keys, expected, "{}: hyperparameters", info.name);
    }
}

macro_rules! defaults {
    ($($module:ident: $Variant:ident, memory $m:literal, inputs $i:literal;)*) => {$(
        let default = presam::$Variant::<f64>::default();
        for key in presam::variants::$module::INFO.keys {
            let same = default.set(key.name, key.default).expect("a key of the rule");
            assert_eq!(same, default, "{}: default of {}", stringify!($module), key.name);
            let other = default.set(key.name, 0.375).expect("a value in range");
            assert_ne!(other, default, "{}: {} has no effect", stringify!($module), key.name);
        }
    )*};
}

#[test]
fn every_default_in_the_list_is_the_rules_own() {
    presam::for_each_variant!(defaults);
}

/// Rules with no golden row of their own, and the law that reduces each to one that has.
const WITHOUT_ROW: [(&str, &str); 4] = [
    ("info-sam", "reduces-to-sam"),
    ("info-asam", "reduces-to-sam"),
    ("constraint-preconditioner", "reduces-to-sam"),
    ("pre-sam", "reduces-to-sam"),
];

#[test]
fn every_variant_has_a_golden_row_or_a_law_that_leads_to_one() {
    let golden = read("tests/vectors/golden.rs");
    for rule in Rule::all() {
        let has_row = golden.contains(&format!("(\"{}\", ", rule.name()));
        let law = WITHOUT_ROW.iter().find(|(without, _)| *without == rule.name());
        assert!(has_row != law.is_some(), "{rule}: golden row {has_row}, exempt {}", law.is_some());
        if let Some((_, law)) = law {
            let law = presam_conformance::laws::named::<f64>(law).expect("a law of this name");
            assert!((law.rules)(rule), "{rule}");
        }
    }
}

#[test]
fn every_variant_is_in_the_table_of_cores_readme() {
    assert_eq!(table("core/README.md"), registry());
}

#[test]
fn every_variant_is_in_the_table_of_variants() {
    assert_eq!(table("docs/variants.md"), registry());
}
