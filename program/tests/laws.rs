//! Laws that hold for whole trainings, bit for bit: what equals what, and what a result may not depend on.

mod common;

use common::{compare, digests};
use presam_program::methods::METHODS;
use presam_program::report::Results;

const SHORT: &str = "epochs = 2\nseeds = 2\nhidden = 24\nthreads = 2\n";

/// Methods whose descent takes the second gradient as it is.
const PLAIN_DESCENT: [&str; 12] = [
    "sam",
    "asam",
    "fisher-sam",
    "vasso",
    "friendly-sam",
    "info-sam",
    "info-asam",
    "unified-sam",
    "unnormalised-sam",
    "momentum-sam",
    "friendly-asam",
    "raw-asam",
];

fn with_methods(methods: &[&str], rest: &str) -> Results {
    compare(&format!("{SHORT}methods = {methods:?}\n{rest}"))
}

#[test]
fn radius_zero_is_the_base_optimizer_in_every_bit() {
    for base in ["sgd", "adamw"] {
        let methods = [&["sgd"], &PLAIN_DESCENT[..]].concat();
        let results = with_methods(&methods, &format!("base = \"{base}\"\nrho = 0\n"));
        let expected = digests(&results, "sgd");
        assert_eq!(expected.len(), 2);
        assert_ne!(expected[0], expected[1], "seeds differ");
        for method in PLAIN_DESCENT {
            assert_eq!(digests(&results, method), expected, "{method} on {base}");
        }
        let moved = results.summary.iter().filter(|row| row.moved);
        assert_eq!(moved.map(|row| row.method.as_str()).collect::<Vec<_>>(), ["sgd"]);
    }
}

#[test]
fn every_method_at_its_own_radius_is_not_the_base_optimizer() {
    let results = compare(&format!("{SHORT}methods = \"all\"\n"));
    assert_eq!(results.runs.len(), 2 * METHODS.len());
    let plain = digests(&results, "sgd");
    for method in METHODS.iter().filter(|method| method.name != "sgd") {
        assert_ne!(digests(&results, method.name), plain, "{}", method.name);
    }
}

#[test]
fn threads_change_no_bit() {
    let one = compare(&SHORT.replace("threads = 2", "threads = 1"));
    for threads in [2, 5] {
        let many = compare(&SHORT.replace("threads = 2", &format!("threads = {threads}")));
        assert_eq!(one.digest, many.digest);
        for (a, b) in one.runs.iter().zip(&many.runs) {
            assert_eq!(
                (&a.method, a.seed, &a.params_sha256),
                (&b.method, b.seed, &b.params_sha256)
            );
            assert_eq!((&a.history, a.sam_sharpness), (&b.history, b.sam_sharpness));
            assert_eq!(a.hessian_eigenvalue, b.hessian_eigenvalue);
        }
    }
}

#[test]
fn special_cases_are_the_plain_method_in_every_bit() {
    for (method, key, value, equal) in [
        ("vasso", "decay", 0.0, "sam"),
        ("look-sam", "interval", 1.0, "sam"),
        ("saner", "alpha", 0.0, "sam"),
        ("saner-info-asam", "alpha", 0.0, "info-asam"),
    ] {
        let rest = format!("rho = 0.3\n[set.{method}]\n{key} = {value:?}\n");
        let results = with_methods(&[equal, method], &rest);
        assert_eq!(digests(&results, method), digests(&results, equal), "{method}");
        let other = with_methods(&[equal, method], "rho = 0.3\n");
        assert_ne!(digests(&other, method), digests(&other, equal), "{method} with its defaults");
    }
}

/// These write the same formula with other roundings.
#[test]
fn special_cases_are_sam_up_to_rounding() {
    let cases = [
        ("gsam", "alpha", 0.0, "sam"),
        ("wsam", "gamma", 0.5, "sam"),
        ("unified-sam", "lambda", 1.0, "sam"),
        ("unified-sam", "lambda", 0.0, "unnormalised-sam"),
    ];
    for (method, key, value, equal) in cases {
        let rest = format!("rho = 0.3\n[set.{method}]\n{key} = {value:?}\n");
        let results = with_methods(&["sgd", equal, method], &rest);
        let loss = |name: &str| -> Vec<f64> {
            let own = results.runs.iter().filter(|run| run.method == name);
            own.map(|run| run.final_train_loss).collect()
        };
        let apart = |a: &str, b: &str| -> f64 {
            loss(a).iter().zip(loss(b)).map(|(a, b)| (a - b).abs() / b).fold(0.0, f64::max)
        };
        assert!(apart(method, equal) < 1e-4, "{method}: {}", apart(method, equal));
        assert!(apart("sgd", equal) > 1e-3, "the bound tells methods apart");
    }
}

/// The draft divides by zero wherever a gradient repeats, as it does at pixels that are always empty.
#[test]
fn a_method_that_breaks_is_not_ranked_and_breaks_no_other() {
    let results = with_methods(&["sgd", "info-sam-draft"], "");
    let row = |name: &str| results.summary.iter().find(|row| row.method == name).unwrap();
    assert!(row("sgd").is_ranked() && !row("info-sam-draft").is_ranked());
    assert!(row("info-sam-draft").skipped_share > 0.5);
    let alone = with_methods(&["sgd"], "");
    assert_eq!(digests(&results, "sgd"), digests(&alone, "sgd"));
}

#[test]
fn label_noise_spoils_the_share_of_labels_that_it_says() {
    let results = with_methods(&["sgd"], "label_noise = [0, 0.6]\n");
    let wrong: Vec<f64> = results.data.noise.iter().map(|noise| noise.wrong_labels).collect();
    // Nine of ten redrawn labels are wrong; 2,000 draws, standard deviation 1.1 points.
    assert!(wrong[0] == 0.0 && (wrong[1] - 0.54).abs() < 0.045, "{wrong:?}");
    assert_eq!((results.data.train_samples, results.data.test_samples), (1000, 797));
}
