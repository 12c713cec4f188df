//! `presam report`: what a run printed, printed again from its file; pieces of a study as one; files of vision.py.

mod common;

use std::path::{Path, PathBuf};

use common::{names, out, presam, refused};
use serde_json::{Value, json};

/// From a run of python/benchmarks/vision.py: three seeds, three epochs, as it wrote before the measure was recorded.
const NUCLEI: &str = include_str!("report/nuclei.json");

/// A short run into `folder`: what it prints.
fn train(folder: &Path, more: &[&str]) -> String {
    let short = "-q --epochs 2 --seeds 2 --hidden 8 --train-samples 100 --out";
    let short: Vec<&str> =
        short.split(' ').chain([text(folder)]).chain(more.iter().copied()).collect();
    let output = presam(&short);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    out(&output)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// What `presam report` prints.
fn report(arguments: &[&str]) -> String {
    let output = presam(&[&["report"], arguments].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    out(&output)
}

/// A file of its own in `place` with what `change` leaves of the vision file.
fn changed(place: &Path, name: &str, change: impl Fn(&mut Value)) -> PathBuf {
    let mut value: Value = serde_json::from_str(NUCLEI).expect("the file is JSON");
    change(&mut value);
    let file = place.join(name);
    std::fs::write(&file, value.to_string()).expect("the test may write here");
    file
}

#[test]
fn a_run_s_own_file_shows_what_the_run_printed() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("out");
    let more =
        ["--methods", "sgd,sam,info-sam", "--label-noise", "0,0.6", "--tune", "--tune-seeds", "1"];
    let printed = train(&folder, &more);
    assert_eq!(report(&[text(&folder), "--out", text(&folder)]), printed);
    let again = place.path().join("again");
    report(&[text(&folder.join("results.json")), "--out", text(&again)]);
    assert_eq!(names(&again), ["curves.svg", "report.html", "sharpness.svg"]);
    for name in names(&again) {
        let bytes = |folder: &Path| std::fs::read(folder.join(&name)).unwrap();
        assert_eq!(bytes(&folder), bytes(&again), "{name}");
    }
    let page = |line: &&str| !line.starts_with("report: ");
    let without: Vec<&str> = printed.lines().filter(page).collect();
    assert_eq!(report(&[text(&folder)]).lines().collect::<Vec<_>>(), without);
}

/// The lines without what was measured in time.
fn timeless(text: &str) -> Vec<String> {
    let is_row =
        |line: &str| ["sgd ", "sam ", "info-sam "].iter().any(|name| line.starts_with(name));
    let kept = |line: &str| match line.rsplit_once(' ') {
        Some((row, _)) if is_row(line) => row.trim_end().to_owned(),
        _ => line.to_owned(),
    };
    text.lines().filter(|line| !line.starts_with("report: ")).map(kept).collect()
}

#[test]
fn pieces_of_a_study_are_shown_as_the_whole() {
    let place = tempfile::tempdir().unwrap();
    let folder = |name: &str| place.path().join(name);
    let whole =
        train(&folder("whole"), &["--methods", "sgd,sam,info-sam", "--label-noise", "0,0.6"]);
    train(&folder("a"), &["--methods", "sgd,sam,info-sam", "--label-noise", "0"]);
    // A piece of other methods has no SAM to be compared with by itself.
    train(&folder("b"), &["--methods", "sgd,sam", "--label-noise", "0.6"]);
    let alone = train(&folder("c"), &["--methods", "info-sam", "--label-noise", "0.6"]);
    assert!(!alone.contains("minus SAM") && whole.contains("minus SAM"), "{alone}");
    let [a, b, c, joined] = ["a", "b", "c", "page"].map(folder);
    let pieces = [text(&a), text(&b), text(&c), "--out", text(&joined)];
    let found = report(&pieces);
    let (files, found) = found.split_once('\n').unwrap();
    let file = |folder: &Path| folder.join("results.json").display().to_string();
    assert_eq!(files, format!("== {}, {}, {}", file(&a), file(&b), file(&c)));
    assert_eq!(timeless(found), timeless(&whole));
    let page = |folder: PathBuf| {
        let page = std::fs::read_to_string(folder.join("report.html")).unwrap();
        let (_, command) = page.split_once("repeats this page:</p>\n<pre>").unwrap();
        command.split_once("</pre>").unwrap().0.to_owned()
    };
    assert_eq!(page(folder("page")), page(folder("whole")), "one command for all of it");
    let twice = report(&[text(&b), text(&b)]);
    assert_eq!(twice.split_once('\n').unwrap().1, report(&[text(&b)]), "a run counts once");
}

#[test]
fn what_was_trained_otherwise_has_a_table_of_its_own() {
    let place = tempfile::tempdir().unwrap();
    let changed = |name: &str, change: fn(&mut Value)| changed(place.path(), name, change);
    let first = changed("first.json", |_| {});
    for other in [
        changed("epochs.json", |value| value["settings"]["epochs"] = json!(9)),
        changed("data.json", |value| value["data"]["train_samples"] = json!(9)),
        changed("rho.json", |value| value["runs"][1]["rho"] = json!(9)),
        changed("bits.json", |value| value["runs"][1]["params_sha256"] = json!("9")),
        changed("rate.json", |value| value["runs"][1]["history"][0]["learning_rate"] = json!(9)),
    ] {
        let both = [text(&first), text(&other)];
        let found = report(&both);
        let heads: Vec<&str> = found.lines().filter(|line| line.starts_with("==")).collect();
        assert_eq!(heads, [format!("== {}", both[0]), format!("== {}", both[1])]);
        let message =
            refused(&["report", both[0], both[1], "--out", text(&place.path().join("o"))]);
        let expected = "error: --out: expected files of one study, found 2: ";
        assert!(message.starts_with(expected) && message.contains(both[1]), "{message}");
    }
    // What a radius is for one method says nothing of another.
    let other = changed("new.json", |value| {
        value["settings"]["methods"] = json!(["asam"]);
        value["settings"]["noise"] = json!([0.6]);
        value["runs"].as_array_mut().unwrap().retain(|run| run["method"] == "info-asam");
        let runs = value["runs"].as_array_mut().unwrap();
        runs.iter_mut().for_each(|run| run["method"] = json!("asam"));
    });
    let joined = report(&[text(&first), text(&other)]);
    assert_eq!(joined.matches("==").count(), 1, "{joined}");
    assert!(joined.lines().any(|line| line.starts_with("asam  ") && line.contains("+5.06")));
}

const NUCLEI_TOLD: &str = "\
nuclei: 200 training and 200 test examples; 0 % of the training masks from another picture; 3 seeds

tuned      label noise %  learning rate      rho  validation %          tried  collapse from
sgd                    0              1        -         64.57  0.01 to 1.778              -
sam                    0              1  0.01778         64.91   0.001 to 0.1  not up to 0.1
info-asam              0              1  0.03162         63.83      0.01 to 1              1

method         rho     mean IoU %  best %  minus SAM (95 % interval)  train clean / noisy %  time / SGD
info-asam  0.03162  65.65 +- 0.70   65.70    +5.06 (-6.88 to +17.00)            64.7 / 64.7        2.01
sgd              -  65.64 +- 1.22   65.69   +5.05 (-11.27 to +21.37)            64.7 / 64.7        1.00
sam        0.01778  60.59 +- 2.61   60.59                          -            59.8 / 59.8        1.99

digest: da67f500e242099d5317219f57874063c8a5d39255b5efa0d67c0afe65f1d611
";

/// The file as vision.py writes it today: with the measure, and learning rates where they belong.
fn today(value: &mut Value) {
    value["data"]["measure"] = json!("mean IoU");
    for tuned in value["tuning"].as_array_mut().expect("a list") {
        let is_base = tuned["method"] == "sgd";
        let split = |row: &mut Value| {
            row["learning_rate"] = if is_base { row["rho"].take() } else { json!(1.0) };
        };
        tuned["trials"].as_array_mut().expect("a list").iter_mut().for_each(split);
        split(tuned);
    }
}

#[test]
fn a_segmentation_is_told_in_its_own_words_whether_the_file_is_old_or_new() {
    let place = tempfile::tempdir().unwrap();
    let old = changed(place.path(), "old.json", |_| {});
    let new = changed(place.path(), "new.json", |value| {
        today(value);
        value["settings"]["net"] = json!("another");
    });
    assert_eq!(report(&[text(&old)]), NUCLEI_TOLD);
    assert_eq!(report(&[text(&new)]), NUCLEI_TOLD);
    for (kind, words) in [
        (
            "foreign",
            "25 % of the training masks from another picture, 4 % of the pixels wrong; 3 seeds",
        ),
        (
            "rims",
            "25 % of the training masks moved by a pixel or two, 4 % of the pixels wrong; 3 seeds",
        ),
    ] {
        let noisy = changed(place.path(), "noisy.json", |value| {
            value["settings"]["noise_kind"] = json!(kind);
            value["data"]["noise"] = json!([{"label_noise": 0.25, "wrong_labels": 0.04}]);
            let runs = value["runs"].as_array_mut().unwrap();
            runs.iter_mut().for_each(|run| run["label_noise"] = json!(0.25));
        });
        let told = report(&[text(&noisy)]);
        assert!(told.lines().next().unwrap().ends_with(words), "{told}");
    }
}

#[test]
fn what_cannot_be_drawn_is_said_and_the_rest_is_written() {
    let place = tempfile::tempdir().unwrap();
    let file = changed(place.path(), "results.json", |_| {});
    let folder = place.path().join("page");
    let output = presam(&["report", text(&file), "--out", text(&folder)]);
    assert!(output.status.success());
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "sharpness.svg is not drawn: no run has a Hessian eigenvalue\n"
    );
    assert_eq!(names(&folder), ["curves.svg", "report.html"]);
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let (curves, page) = (read("curves.svg"), read("report.html"));
    assert!(curves.contains("Mean IoU while training: 0 % of the training masks"), "{curves}");
    assert!(curves.contains("\nmean IoU in %\n") && curves.contains("\ninfo-asam 65.7 "));
    assert!(
        page.contains("<th scope=\"col\">mean IoU %</th>") && page.contains("their true masks")
    );
    assert_eq!((page.matches("<svg").count(), page.matches("ccuracy").count()), (1, 0), "{page}");
    let file = changed(place.path(), "results.json", |value| {
        for run in value["runs"].as_array_mut().unwrap() {
            run.as_object_mut().unwrap().remove("history");
        }
    });
    let output = presam(&["report", text(&file), "--out", text(&place.path().join("bare"))]);
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "curves.svg is not drawn: no run has its epochs\nsharpness.svg is not drawn: no run has a Hessian eigenvalue\n"
    );
    assert_eq!(names(&place.path().join("bare")), ["report.html"]);
    // Over the page of before, whose picture stays.
    let output = presam(&["report", text(&file), "--out", text(&folder)]);
    let told = String::from_utf8(output.stderr).unwrap();
    let stays = "no run has its epochs; the one that is there is of another report\n";
    assert!(told.contains(stays), "{told}");
}

#[test]
fn times_of_two_machines_are_not_divided() {
    let place = tempfile::tempdir().unwrap();
    let piece = |name: &str, method: &str, cpu: &str| {
        changed(place.path(), name, |value| {
            value["runs"].as_array_mut().unwrap().retain(|run| run["method"] == method);
            value["host"]["cpu"] = json!(cpu);
        })
    };
    let sgd = piece("sgd.json", "sgd", "one");
    for (cpu, is_shown) in [("one", true), ("another", false)] {
        let sam = piece("sam.json", "sam", cpu);
        let found = report(&["--wide", text(&sgd), text(&sam)]);
        assert_eq!(found.contains("time / SGD"), is_shown, "{cpu}: {found}");
    }
}

#[test]
fn a_run_whose_loss_is_not_finite_is_marked_in_a_file_that_does_not_say_how_it_ended() {
    let place = tempfile::tempdir().unwrap();
    let file = changed(place.path(), "lost.json", |value| {
        value["runs"][0]["final_train_loss"] = Value::Null;
    });
    let told = report(&[text(&file)]);
    assert!(told.contains("\n^ diverged: sgd 1 of 3 runs\n"), "{told}");
}

#[test]
fn what_is_no_record_is_refused_in_one_line() {
    let place = tempfile::tempdir().unwrap();
    let whole = "expected a results.json of presam train or vision.py, found";
    let write = |name: &str, text: &str| {
        let file = place.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    };
    let cases = [
        (place.path().join("none.json"), "no such file"),
        (write("empty.json", ""), "an empty file"),
        (
            write("half.json", &NUCLEI[..NUCLEI.len() / 2]),
            "a file that ends in the middle, in line 18",
        ),
        (write("table.csv", "method,seed\nsam,1\n"), "no JSON: expected value at line 1 column 1"),
        (write("list.json", "[1]"), "JSON of another kind: no object"),
        (write("other.json", "{\"name\": 1}"), "JSON of another kind: no schema_version"),
        (write("bench.json", "{\"form\": \"f\"}"), "JSON of another kind: the form \"f\""),
        (
            changed(place.path(), "newer.json", |value| value["schema_version"] = json!(2)),
            "schema_version 2 of another presam (this one reads 1)",
        ),
        (
            changed(place.path(), "older.json", |value| value["schema_version"] = json!(0)),
            "schema_version 0 of another presam (this one reads 1)",
        ),
        (changed(place.path(), "no-run.json", |value| value["runs"] = json!([])), "no run in it"),
        (
            changed(place.path(), "no-seed.json", |value| {
                value["runs"][2].as_object_mut().unwrap().remove("seed");
            }),
            "runs[2]: missing field `seed`",
        ),
        (
            changed(place.path(), "percent.json", |value| {
                value["runs"][1]["final_test_accuracy"] = json!(65.5);
            }),
            "runs[1]: 65.5 where a fraction from 0 to 1 belongs",
        ),
        (
            changed(place.path(), "words.json", |value| value["data"]["measure"] = json!("luck")),
            "unknown variant `luck`, expected `accuracy` or `mean IoU`",
        ),
        (
            changed(place.path(), "orders.json", |value| {
                value["data"]["source"] = json!("n\u{1b}[31m");
            }),
            "a control character in \"n\\u{1b}[31m\"",
        ),
        (
            changed(place.path(), "lines.json", |value| value["runs"][1]["method"] = json!("a\nb")),
            "runs[1]: lines in a name, \"a\\nb\"",
        ),
        (
            changed(place.path(), "twice.json", |value| {
                let again = value["runs"][1].clone();
                value["runs"].as_array_mut().unwrap().push(again);
            }),
            "seed 1 of sam at noise 0 % twice",
        ),
    ];
    for (file, found) in cases {
        let message = refused(&["report", text(&file)]);
        assert_eq!(message, format!("error: {}: {whole} {found}\n", file.display()));
    }
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("results.json");
    let message = refused(&["report", text(folder.path())]);
    assert_eq!(message, format!("error: {}: {whole} no such file\n", inside.display()));
    assert!(
        refused(&["report", "~/none"]).contains("found a ~ that no shell has replaced: write /")
    );
}

#[test]
fn runs_without_a_common_seed_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let lonely = changed(place.path(), "lonely.json", |value| {
        let runs = value["runs"].as_array_mut().unwrap();
        runs.retain(|run| (run["method"] == "sam") == (run["seed"] == 1));
    });
    assert_eq!(
        refused(&["report", text(&lonely)]),
        format!(
            "error: {}: expected a seed that sam and sgd share at noise 0 %, found sam seed 1, sgd 2 seeds from 2 to 3\n",
            lonely.display()
        )
    );
}
