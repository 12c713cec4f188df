//! Each rule catches a breach planted in a small tree, and nothing else.

use super::*;
use crate::command::job_dir;

/// A package `name` of the files `(path, text)`, on disk.
fn plant(folder: &str, name: &str, files: &[(&str, &str)]) -> workspace::Package {
    let dir = job_dir("test-house").unwrap().join(folder);
    let manifest = format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n[workspace]\n");
    let given = files.iter().find(|(path, _)| *path == "Cargo.toml").map_or("", |(_, text)| text);
    std::fs::create_dir_all(dir.join("src")).unwrap();
    std::fs::write(dir.join("Cargo.toml"), manifest + given).unwrap();
    for (path, text) in files.iter().filter(|(path, _)| *path != "Cargo.toml") {
        std::fs::create_dir_all(dir.join(path).parent().unwrap()).unwrap();
        std::fs::write(dir.join(path), text).unwrap();
    }
    workspace::packages(&dir).unwrap().remove(0)
}

/// The line of a manifest that makes a package depend on one of ours, which is planted beside it.
fn ours(name: &str, more: &str) -> String {
    plant(name, name, &[("src/lib.rs", "")]);
    format!("{name} = {{ path = \"../{name}\"{more} }}\n")
}

fn words(faults: &[Fault]) -> Vec<&str> {
    faults.iter().map(|fault| fault.what.as_str()).collect()
}

const STRAIGHT: [(&str, &str); 4] = [
    ("src/lib.rs", "mod a;\nmod b;\npub use b::Roof;\n"),
    ("src/a.rs", "pub struct Thing;\n#[cfg(test)]\nmod tests { use crate::b::Roof; }\n"),
    (
        "src/b/mod.rs",
        "mod deep;\nuse crate::a::Thing;\npub use deep::Deep;\npub struct Roof(Deep, Thing);\n",
    ),
    ("src/b/deep.rs", "pub struct Deep(crate::a::Thing);\n"),
];

#[test]
fn imports_downwards_are_no_circle_and_those_of_tests_do_not_count() {
    assert_eq!(circles::faults(&plant("straight", "x", &STRAIGHT)).unwrap(), []);
}

#[test]
fn each_kind_of_circle_is_caught() {
    for (folder, file, text, found) in [
        (
            "two",
            "src/a.rs",
            "use crate::b::{self, Roof};\npub struct Thing;",
            "a circle of 2: src/a.rs:1 takes crate::b from src/b/mod.rs; \
             src/b/mod.rs:2 takes crate::a::Thing from src/a.rs",
        ),
        (
            "over the head",
            "src/a.rs",
            "\nuse crate::b::Deep;\npub struct Thing;",
            "a circle of 2: src/a.rs:2 takes crate::b::Deep from src/b/deep.rs; \
             src/b/deep.rs:1 takes crate::a::Thing from src/a.rs",
        ),
    ] {
        let files: Vec<_> = STRAIGHT
            .into_iter()
            .map(|(path, old)| (path, if path == file { text } else { old }))
            .collect();
        let faults = circles::faults(&plant(folder, "x", &files)).unwrap();
        let expected = format!("expected files that do not import each other, found {found}");
        assert_eq!(words(&faults), [expected], "{folder}");
    }
}

#[test]
fn files_that_a_macro_declares_are_read() {
    let mut files = STRAIGHT;
    files[0].1 = "macro_rules! m { ($($n:ident),*) => { $(mod $n;)* } }\nm!(a);\nmod b;\n";
    files[1].1 = "use crate::b::Roof;\npub struct Thing;";
    let faults = circles::faults(&plant("macro", "x", &files)).unwrap();
    assert!(words(&faults).iter().any(|what| what.contains("src/a.rs:1 takes")), "{faults:?}");
}

#[test]
fn an_import_through_the_roof_is_caught() {
    let mut files = STRAIGHT;
    files[1].1 =
        "use crate::{f, Roof};\npub struct Thing;\n#[macro_export]\nmacro_rules! f { () => {} }";
    let faults = circles::faults(&plant("roof", "x", &files)).unwrap();
    let roof = "line 1: expected an import from the module that has the thing, found crate::Roof of lib.rs";
    assert!(words(&faults).contains(&roof), "{faults:?}");
}

#[test]
fn an_arrow_that_runs_back_is_caught() {
    let faults_of = |folder: &str, name: &str, dependencies: &str| {
        let manifest = format!("[dependencies]\n{dependencies}");
        let package = plant(folder, name, &[("Cargo.toml", &manifest), ("src/lib.rs", "")]);
        [arrows::faults(std::slice::from_ref(&package)), device::faults(&[package])].concat()
    };
    let faults =
        faults_of("up", "presam-kernels", &(ours("presam", "") + &ours("presam-cuda", "")));
    assert_eq!(
        words(&faults),
        ["presam-kernels may stand on presam, presam-model; found presam-cuda"]
    );
    let faults = faults_of("core", "presam", &ours("presam-model", ""));
    assert_eq!(words(&faults), ["presam may stand on nothing of ours; found presam-model"]);
    let faults = faults_of("stranger", "presam-new", "");
    assert_eq!(words(&faults), ["expected a crate of the table of arrows, found presam-new"]);
}

#[test]
fn a_dependency_too_many_of_the_device_library_is_caught() {
    let good = ours("presam", "")
        + &ours("presam-kernels", "")
        + &ours("presam-model", ", optional = true");
    let expected = "expected the default dependencies presam, presam-kernels, found";
    for (folder, more, found) in [
        ("slim", "", None),
        ("outside", "clap = \"4\"\n", Some("clap, presam, presam-kernels")),
        (
            "default",
            "clap = { version = \"4\", optional = true }\n[features]\ndefault = [\"dep:clap\"]\n",
            Some("clap, presam, presam-kernels"),
        ),
    ] {
        let manifest = format!("[dependencies]\n{good}{more}");
        let files = [("Cargo.toml", manifest.as_str()), ("src/lib.rs", "")];
        let package = plant(folder, "presam-cuda", &files);
        assert_eq!(arrows::faults(std::slice::from_ref(&package)), [], "{folder}");
        let found = found.map(|found| format!("{expected} {found}"));
        assert_eq!(words(&device::faults(&[package])), Vec::from_iter(found), "{folder}");
    }
    let always = "[dependencies]\n".to_owned() + &ours("ptx-machine", "");
    let package = plant("always", "presam-cuda", &[("Cargo.toml", &always), ("src/lib.rs", "")]);
    let what = "ptx-machine: expected an optional dependency, found one that is always there";
    assert_eq!(words(&arrows::faults(&[package])), [what]);
}

/// The faults of a text at a place of the repository.
fn at(place: &str, text: &str) -> Vec<String> {
    let file = job_dir("test-house").unwrap().join("text.rs");
    std::fs::write(&file, text).unwrap();
    let faults = [dispatch::faults(&file, place).unwrap(), length::faults(&file).unwrap()].concat();
    words(&faults).into_iter().map(str::to_owned).collect()
}

#[test]
fn a_second_dispatch_and_a_long_file_are_caught() {
    let call = "// for_each_variant!(x)\nfn f() { let s = \"for_each_base!\"; presam::for_each_variant!(m); }";
    let found = "line 2: expected core's `any`, found another use of for_each_variant!";
    assert_eq!(at("program/src/train/run.rs", call), [found]);
    assert_eq!(at("core/src/any.rs", call), Vec::<String>::new());
    let arms = "fn f(n: &str) { match n { \"sam\" => a(), \"asam\" | \"vasso\" => b(), X => c(\"ssam\") } }";
    assert_eq!(at("program/src/x.rs", arms), Vec::<String>::new());
    let more = arms.replace("X =>", "\"fisher-sam\" =>");
    let found = "expected core's `any`, found a decision by 4 names of rules (asam, fisher-sam, sam, vasso)";
    assert_eq!(at("program/src/x.rs", &more), [found]);
    let long = "\n".repeat(401);
    let found =
        "expected at most 400 lines or `// Longer than 400 lines because ..`, found 401 lines";
    assert_eq!(at("a.rs", &long), [found]);
    assert_eq!(at("a.rs", &"\n".repeat(400)), Vec::<String>::new());
    let reasoned = format!("// Longer than 400 lines because it is one table.{long}");
    assert_eq!(at("a.rs", &reasoned), Vec::<String>::new());
}

#[test]
fn a_link_to_nothing_is_caught() {
    let page = job_dir("test-house").unwrap().join("page.md");
    let text = "[a](page.md#there) [b](https://x.y/z) [c](#d) [`e`](crate::E) [f](gone/g.rs)";
    std::fs::write(&page, text).unwrap();
    let found = "expected a file at the link (gone/g.rs), found none";
    assert_eq!(words(&links::faults(&page).unwrap()), [found]);
}
