//! Which rules a law is about, and of whom it asks anything.

use std::collections::BTreeSet;

use presam_conformance::{Law, Rule, Scope, laws};

use super::stranger;

/// The laws that something is asked of no longer, once the scope has lost a claim.
fn lost(from: &Scope, to: &Scope) -> BTreeSet<&'static str> {
    let within = |scope: &Scope| -> BTreeSet<_> {
        laws::all::<f32>().iter().filter(|law| (law.needs)(scope)).map(|law| law.name).collect()
    };
    within(from).difference(&within(to)).copied().collect()
}

#[test]
fn what_is_not_claimed_is_not_asked() {
    let (full, own) = (Scope::full(), stranger());
    let of_contract = [
        "cut-at-a-chunk",
        "empty-segment",
        "first-step-is-sam",
        "hostile",
        "lengths-meet",
        "memory-dies",
        "momentum-sam-mirrors-sam",
        "range",
        "reduces-to-sam",
        "zero-norm",
    ];
    assert_eq!(lost(&full, &own), of_contract.into());
    assert_eq!(lost(&own, &full), ["skipped-is-forgotten"].into());

    let skips = ["non-finite", "non-finite-uncounted", "second-non-finite", "skipped-is-forgotten"];
    let silent = Scope { skips: false, ..own.clone() };
    assert_eq!(lost(&own, &silent), skips.into());
    assert_eq!(lost(&silent, &own), ["non-finite-spreads"].into());

    let of_ascent = [
        "ascends",
        "constrained-length-is-rho",
        "layer-rescaling",
        "length-at-most-rho",
        "length-is-rho",
        "non-finite",
        "non-finite-uncounted",
        "rho-zero-is-the-base",
        "scale-invariant",
        "skipped-is-forgotten",
        "uncounted-is-unfelt",
        "unperturbed-stays",
    ];
    assert_eq!(lost(&own, &Scope { ascends: false, ..own.clone() }), of_ascent.into());
    let of_descent = ["restored", "second-non-finite", "skipped-is-forgotten"];
    assert_eq!(lost(&own, &Scope { descends: false, ..own.clone() }), of_descent.into());
    let of_groups = ["non-finite-uncounted", "uncounted-is-unfelt", "unperturbed-stays"];
    assert_eq!(lost(&own, &Scope { groups: false, ..own.clone() }), of_groups.into());
    let of_lengths = ["layer-rescaling", "scale-invariant"];
    assert_eq!(lost(&own, &Scope { lengths: false, ..own.clone() }), of_lengths.into());
    let with_contract = ["layer-rescaling", "lengths-meet", "scale-invariant"];
    assert_eq!(lost(&full, &Scope { lengths: false, ..full.clone() }), with_contract.into());
    let without_sam: Vec<_> = Rule::all().into_iter().filter(|rule| *rule != Rule::Sam).collect();
    let of_sam = lost(&full, &Scope { rules: without_sam, ..full.clone() });
    assert_eq!(of_sam, ["first-step-is-sam", "momentum-sam-mirrors-sam", "reduces-to-sam"].into());
}

fn rules(name: &str) -> Vec<&'static str> {
    let law: Law<f32> = laws::named(name).unwrap();
    Rule::all().into_iter().filter(|rule| (law.rules)(*rule)).map(Rule::name).collect()
}

/// Laws about some rules alone.
const ABOUT: [(&str, &[&str]); 7] = [
    (
        "length-is-rho",
        &[
            "sam",
            "info-sam-draft",
            "info-sam",
            "vasso",
            "friendly-sam",
            "masked-sam",
            "momentum-sam",
            "objective-preconditioner",
        ],
    ),
    ("length-at-most-rho", &["fisher-sam", "ssam"]),
    (
        "constrained-length-is-rho",
        &[
            "asam",
            "fisher-sam",
            "info-asam",
            "constraint-preconditioner",
            "pre-sam",
            "friendly-asam",
        ],
    ),
    ("layer-rescaling", &["asam"]),
    ("first-step-is-sam", &["info-sam-draft", "info-sam", "vasso", "friendly-sam"]),
    ("momentum-sam-mirrors-sam", &["momentum-sam"]),
    ("hostile", &["sam", "asam", "vasso", "ssam", "masked-sam", "momentum-sam", "raw-asam"]),
];

/// And the rules that a law about most leaves out.
const BUT: [(&str, &[&str]); 6] = [
    (
        "ascends",
        &[
            "vasso",
            "friendly-sam",
            "momentum-sam",
            "objective-preconditioner",
            "pre-sam",
            "friendly-asam",
        ],
    ),
    ("scale-invariant", &["fisher-sam"]),
    (
        "range",
        &["fisher-sam", "info-sam-draft", "info-sam", "info-asam", "friendly-sam", "friendly-asam"],
    ),
    ("reduces-to-sam", &["sam", "momentum-sam"]),
    ("non-finite-spreads", &["ssam", "masked-sam"]),
    ("memory-dies", &["info-sam-draft"]),
];

#[test]
fn each_law_is_about_its_rules() {
    let all: Vec<_> = Rule::all().into_iter().map(Rule::name).collect();
    for law in laws::all::<f32>() {
        let row = |table: &[(&str, &'static [&'static str])]| {
            table.iter().find(|(name, _)| *name == law.name).map(|(_, rules)| *rules)
        };
        let (about, but) = (row(&ABOUT), row(&BUT).unwrap_or_default());
        let expected = about.unwrap_or(&all).iter().copied().filter(|rule| !but.contains(rule));
        assert_eq!(rules(law.name), expected.collect::<Vec<_>>(), "{}", law.name);
    }
    let long: Vec<_> =
        laws::all::<f32>().into_iter().filter(Law::is_long).map(|law| law.name).collect();
    assert_eq!(long, ["memory-dies"]);
}
