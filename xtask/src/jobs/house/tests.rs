//! Each rule catches a breach planted in a small tree, and nothing else.

use super::*;
use crate::command::job_dir;

/// A package `name` of a manifest's end and files `(path, text)`, on disk.
fn plant(folder: &str, name: &str, more: &str, files: &[(&str, &str)]) -> workspace::Package {
    let dir = job_dir("test-house").unwrap().join(folder);
    let manifest = format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n[workspace]\n{more}");
    for &(path, text) in files.iter().chain(&[("Cargo.toml", manifest.as_str())]) {
        std::fs::create_dir_all(dir.join(path).parent().unwrap()).unwrap();
        std::fs::write(dir.join(path), text).unwrap();
    }
    workspace::packages(&dir).unwrap().remove(0)
}

const LIB: (&str, &str) = ("src/lib.rs", "mod a;\nmod b;\npub use b::Roof;\n");
const A: &str = "pub struct Thing;\n#[cfg(test)]\nmod tests { use crate::b::Roof; }\n";
const B: (&str, &str) = (
    "src/b/mod.rs",
    "mod deep;\nuse crate::a::Thing;\npub use deep::Deep;\npub struct Roof(Deep, Thing);\n\
     #[cfg(test)]\nmod tests;\n",
);
const DEEP: (&str, &str) = ("src/b/deep.rs", "pub struct Deep(crate::a::Thing);\n");
const TESTS: (&str, &str) = ("src/b/tests.rs", "use crate::Roof;\nuse super::deep::Deep;\n");

#[test]
fn circles_and_roofs_are_caught_and_imports_downwards_and_those_of_tests_do_not_count() {
    let circle = "expected files that do not import each other, found ";
    let roof = "expected an import from the module that has the thing, found crate::Roof of lib.rs";
    let by_macro = "macro_rules! m { ($($n:ident),*) => { $(mod $n;)* } }\nm!(a);\nmod b;\n";
    for (folder, lib, a, expected) in [
        ("straight", LIB.1, A, vec![]),
        (
            "two",
            LIB.1,
            "use crate::b::{self, Roof};\npub struct Thing;",
            vec![
                format!("src/a.rs:1: {circle}crate::b of src/b/mod.rs, which leads back"),
                format!("src/b/mod.rs:2: {circle}crate::a::Thing of src/a.rs, which leads back"),
            ],
        ),
        (
            "over the head",
            LIB.1,
            "\nuse crate::b::Deep;\npub struct Thing;",
            vec![
                format!("src/a.rs:2: {circle}crate::b::Deep of src/b/deep.rs, which leads back"),
                format!("src/b/deep.rs:1: {circle}crate::a::Thing of src/a.rs, which leads back"),
            ],
        ),
        (
            "macro",
            by_macro,
            "use crate::b::Roof;\npub struct Thing;",
            vec![
                format!("src/a.rs:1: {circle}crate::b::Roof of src/b/mod.rs, which leads back"),
                format!("src/b/mod.rs:2: {circle}crate::a::Thing of src/a.rs, which leads back"),
            ],
        ),
        (
            "exported macro",
            "mod a;\n",
            "#[macro_export]\nmacro_rules! f { () => {} }\npub struct Thing;\nmod c { use crate::f; }",
            vec![],
        ),
        (
            "through the roof",
            LIB.1,
            "#[macro_export] macro_rules! f { () => {} }\nuse crate::{f, Roof};\npub struct Thing;",
            vec![
                format!("src/a.rs:2: {roof}"),
                format!("src/a.rs:2: {circle}crate::Roof of src/b/mod.rs, which leads back"),
                format!("src/b/mod.rs:2: {circle}crate::a::Thing of src/a.rs, which leads back"),
            ],
        ),
    ] {
        let files = [("src/lib.rs", lib), ("src/a.rs", a), B, DEEP, TESTS];
        let faults = tree::faults(&plant(folder, "x", "", &files)).unwrap();
        assert_eq!(Vec::from_iter(faults), expected, "{folder}");
    }
}

#[test]
fn tests_that_are_never_run_are_caught() {
    let files = [("src/lib.rs", "mod a;\n"), ("src/a.rs", A)];
    for (more, expected) in [
        ("[lib]\ntest = false\n", vec!["src/a.rs: expected tests that run, found `test = false`"]),
        ("", vec![]),
    ] {
        let faults = tree::faults(&plant("idle", "x", more, &files)).unwrap();
        assert_eq!(Vec::from_iter(faults), expected, "{more}");
    }
}

/// The line of a manifest that makes a package depend on one of ours, which is planted beside it.
fn ours(name: &str, more: &str) -> String {
    plant(name, name, "", &[("src/lib.rs", "")]);
    format!("{name} = {{ path = \"../{name}\"{more} }}\n")
}

#[test]
fn an_arrow_that_runs_back_and_a_dependency_too_many_are_caught() {
    let (core, kernels) = (ours("presam", ""), ours("presam-kernels", ""));
    let good = core.clone() + &kernels + &ours("presam-model", ", optional = true");
    let by_default = "expected the default dependencies presam, presam-kernels, found";
    let too_many = format!("{by_default} clap, presam, presam-kernels");
    let optional =
        "clap = { version = \"4\", optional = true }\n[features]\ndefault = [\"dep:clap\"]\n";
    let always = "ptx-machine: expected an optional dependency, found one that is always there";
    for (name, dependencies, expected) in [
        (
            "presam-kernels",
            core + &ours("presam-cuda", ""),
            vec!["presam-kernels may stand on presam, presam-model; found presam-cuda".to_owned()],
        ),
        (
            "presam",
            ours("presam-model", ""),
            vec!["presam may stand on nothing of ours; found presam-model".to_owned()],
        ),
        (
            "presam-new",
            String::new(),
            vec!["expected a crate of the table of arrows, found presam-new".to_owned()],
        ),
        ("presam-cuda", good.clone(), vec![]),
        ("presam-cuda", format!("{good}clap = \"4\"\n"), vec![too_many.clone()]),
        ("presam-cuda", format!("{good}{optional}"), vec![too_many]),
        (
            "presam-cuda",
            good + &ours("ptx-machine", ""),
            vec![always.to_owned(), format!("{by_default} presam, presam-kernels, ptx-machine")],
        ),
    ] {
        let manifest = format!("[dependencies]\n{dependencies}");
        let package = plant("arrows", name, &manifest, &[("src/lib.rs", "")]);
        assert_eq!(crates::faults(&package), expected, "{name}: {dependencies}");
    }
}

#[test]
fn a_second_dispatch_and_a_long_file_are_caught() {
    let call = "// for_each_variant!(x)\nfn f() { let s = \"for_each_base!\"; presam::for_each_variant!(m); }";
    let arms = "fn f(n: &str) { match n { \"sam\" => a(), \"asam\" | \"vasso\" => b(), X => c(\"ssam\") } }";
    let more = arms.replace("X =>", "\"fisher-sam\" =>");
    let long = "\n".repeat(401);
    let reasoned = format!("// Longer than 400 lines because it is one table.{long}");
    for (place, text, expected) in [
        (
            "program/src/train/run.rs",
            call,
            "line 2: expected core's `any`, found another use of for_each_variant!",
        ),
        ("core/src/any.rs", call, ""),
        ("program/src/x.rs", arms, ""),
        (
            "program/src/x.rs",
            &more,
            "expected core's `any`, found a decision by 4 names of rules (asam, fisher-sam, sam, vasso)",
        ),
        (
            "core/src/a.rs",
            &long,
            "expected at most 400 lines or `// Longer than 400 lines because ..`, found 401 lines",
        ),
        ("a.rs", &"\n".repeat(400), ""),
        ("a.rs", &reasoned, ""),
    ] {
        assert_eq!(texts::faults(place, text).unwrap().join(";"), expected, "{place}");
    }
}

#[test]
fn a_link_to_nothing_is_caught() {
    let text = "[a](README.md#there) [b](https://x.y/z) [c](#d) [`e`](crate::E) [f](gone/g.rs)";
    let found = "expected a file at the link (gone/g.rs), found none";
    assert_eq!(texts::dead_links(&root(), text), [found]);
}
