//! Every flag's language, every limit, and the way there and back through TOML and the command.

use super::*;
use presam::BaseOptimizer;

fn refuse(options: Options) -> String {
    resolve(options).unwrap_err().to_string()
}

fn toml(text: &str) -> Options {
    Options::parse("x.toml", text).unwrap()
}

#[test]
fn nothing_given_is_the_documented_default() {
    let config = resolve(Options::default()).unwrap();
    assert_eq!((config.epochs, config.batch, config.train_samples), (60, 64, 1000));
    assert_eq!((config.seeds.clone(), config.hidden.clone()), (vec![0, 1, 2, 3, 4], vec![128]));
    assert_eq!((config.label_noise.clone(), config.learning_rate), (vec![0.6], 0.1));
    assert_eq!(config.setting("base", "momentum"), Some(0.9));
    assert_eq!(config.setting("base", "weight_decay"), Some(5e-4));
    assert_eq!(config.rho("sgd"), None);
    assert_eq!(config.methods.len(), 15);
    let all = resolve(toml("methods = \"all\"")).unwrap();
    assert_eq!(all.methods.len(), crate::methods::METHODS.len());
    assert_eq!(config.command(), "presam train");
}

#[test]
fn a_resolved_configuration_survives_toml_and_its_own_command_line() {
    let options = toml(
        "methods = [\"SAM\", \"info_asam\"]\nseeds = \"100..124\"\nlabel_noise = [0, 0.2]\nbase = \"adamw\"\n\
         epochs = 3\nhidden = [64, 32]\nrho = { sam = 0.25 }\n[set.info-asam]\nRelativeDamping = 0.5\n",
    );
    let config = resolve(options).unwrap();
    assert_eq!(config.methods, ["sam", "info-asam"]);
    assert_eq!(
        (config.rho("sam"), config.setting("info-asam", "relative_damping")),
        (Some(0.25), Some(0.5))
    );
    assert_eq!(config.learning_rate, 1e-3);
    let again = resolve(toml(&config.to_toml().unwrap())).unwrap();
    assert_eq!(config, again);
    assert_eq!(
        config.command(),
        "presam train --label-noise 0,0.2 --hidden 64,32 --epochs 3 --base adamw --seeds 100..124 \
         --methods sam,info-asam --rho sam=0.25 --set info-asam.relative_damping=0.5"
    );
    let one_seed = resolve(toml("seeds = [7]")).unwrap();
    assert_eq!(one_seed.command(), "presam train --seeds 7..8");
    assert_eq!(resolve(toml(&one_seed.to_toml().unwrap())).unwrap(), one_seed);
    let data =
        resolve(Options { data: Some("cifar10:/a b".into()), ..Options::default() }).unwrap();
    assert_eq!(
        (data.train_samples, data.command()),
        (0, "presam train --data 'cifar10:/a b'".to_owned())
    );
}

#[test]
fn flags_win_over_the_file_key_by_key() {
    let file =
        toml("epochs = 3\nbatch = 8\nrho = { sam = 0.1, asam = 0.2 }\n[set.asam]\neta = 0.5\n");
    let mut flags =
        Options { epochs: Some(9), rho: parse_rho("asam=7").unwrap(), ..Options::default() };
    flags.set.entry("base".into()).or_default().insert("momentum".into(), 0.0);
    let config = resolve(flags.over(file.clone())).unwrap();
    assert_eq!((config.epochs, config.batch), (9, 8));
    assert_eq!((config.rho("sam"), config.rho("asam")), (Some(0.1), Some(7.0)));
    assert_eq!(
        (config.setting("asam", "eta"), config.setting("base", "momentum")),
        (Some(0.5), Some(0.0))
    );
    let all = Options { rho: parse_rho("0.3").unwrap(), ..Options::default() };
    assert_eq!(resolve(all.over(file)).unwrap().rho("asam"), Some(0.3));
}

#[test]
fn seeds_have_three_forms() {
    assert_eq!(parse_seeds("3").unwrap(), [0, 1, 2]);
    assert_eq!(parse_seeds("3,7,9").unwrap(), [3, 7, 9]);
    assert_eq!(parse_seeds("100..103").unwrap(), [100, 101, 102]);
    for wrong in ["0", "", "x", "5..5", "9..3", "1,,2", "-1", "100..999999999", "1.5"] {
        let message = parse_seeds(wrong).unwrap_err().to_string();
        assert!(message.starts_with("--seeds: expected a count (24)"), "{message}");
    }
    assert_eq!(
        parse_seeds("3,3").unwrap_err().to_string(),
        "--seeds: expected each seed once, found \"3,3\""
    );
}

#[test]
fn radii_and_settings_are_read_and_refused_in_one_line() {
    let rho = parse_rho("0.05,asam=2").unwrap();
    assert_eq!((rho.all, rho.each.get("asam")), (Some(0.05), Some(&2.0)));
    for wrong in ["", "x", "sam=", "1,2"] {
        assert!(
            parse_rho(wrong)
                .unwrap_err()
                .to_string()
                .contains("expected a number (0.05) or a list")
        );
    }
    assert_eq!(
        parse_setting("info-sam.relative_damping=0.1").unwrap(),
        ("info-sam".into(), "relative_damping".into(), 0.1)
    );
    assert!(parse_setting("damping=1").unwrap_err().to_string().contains("METHOD.KEY=NUMBER"));
    assert_eq!(parse_numbers::<usize>("--hidden", "widths", "8,4").unwrap(), [8, 4]);
    assert_eq!(
        parse_numbers::<usize>("--hidden", "widths", "8,x").unwrap_err().to_string(),
        "--hidden: expected widths, found \"8,x\""
    );
}

#[test]
fn every_value_outside_its_limits_is_refused_with_its_flag() {
    let cases = [
        ("rho = -1", "--rho asam: expected a number of at least 0, found -1"),
        ("rho = nan", "--rho asam: expected a number of at least 0, found NaN"),
        ("rho = { sgd = 1 }", "--rho: expected a method with a radius, found sgd"),
        (
            "rho = { sma = 1 }",
            "--rho: expected a method of `presam methods`, found \"sma\"; did you mean sam?",
        ),
        (
            "methods = \"sam,vaso\"",
            "--methods: expected a method of `presam methods`, found \"vaso\"; did you mean vasso?",
        ),
        ("methods = []", "--methods: expected at least one method, found none"),
        (
            "label_noise = 60",
            "--label-noise: expected fractions from 0 to 1 (0.6 for 60 %), found 60",
        ),
        ("label_noise = -0.1", "--label-noise: expected a number from 0 to 1, found -0.1"),
        ("label_noise = []", "--label-noise: expected at least one level, found none"),
        ("epochs = 0", "--epochs: expected a whole number from 1 to 1000000, found 0"),
        ("batch = 0", "--batch: expected a whole number of at least 1, found 0"),
        ("threads = 0", "--threads: expected a whole number from 1 to 1024, found 0"),
        ("hidden = [8, 0]", "--hidden: expected a whole number from 1 to 1048576, found 0"),
        ("learning_rate = inf", "--lr: expected a number of at least 0, found inf"),
        ("base = \"adam\"", "--base: expected sgd or adamw, found \"adam\"; did you mean adamw?"),
        ("tune_seeds = 2", "--tune-seeds: expected --tune beside it, found 2 alone"),
        (
            "tune = true\ntune_seeds = 9",
            "--tune-seeds: expected a whole number from 1 to 8, found 9",
        ),
        (
            "data = \"digit\"",
            "--data: expected digits, idx:DIR or cifar10:DIR, found \"digit\"; did you mean digits?",
        ),
        ("[set.asam]\neta = -1", "--set asam.eta: expected a number of at least 0, found -1"),
        (
            "[set.base]\nmomentum = 1",
            "--set base.momentum: expected a number from 0 to below 1, found 1",
        ),
        (
            "[set.info-sam]\nrelative_dampin = 1",
            "--set info-sam: expected one of mean_decay, variance_decay, absolute_damping, relative_damping, found \"relative_dampin\"; did you mean relative_damping?",
        ),
        ("[set.sam]\neta = 1", "--set sam: expected no key, sam has none, found \"eta\""),
    ];
    for (text, message) in cases {
        assert_eq!(refuse(toml(text)), message);
    }
}

#[test]
fn a_broken_file_is_named_with_its_line() {
    let message = |text: &str| Options::parse("x.toml", text).unwrap_err().to_string();
    assert_eq!(
        message("batch = 8\nepocs = 3\n"),
        "x.toml, line 2: expected a key of the configuration, found \"epocs\"; did you mean epochs?"
    );
    assert_eq!(
        message("epochs = \"three\""),
        "x.toml, line 1: epochs: expected a whole number, found \"three\""
    );
    assert!(
        message("epochs = = 3").starts_with("x.toml, line 1: expected a configuration in TOML")
    );
    let absent = Options::read(std::path::Path::new("/no/such.toml")).unwrap_err().to_string();
    assert!(absent.starts_with("/no/such.toml: expected a readable TOML file"), "{absent}");
}

#[test]
fn the_data_decide_what_is_too_much() {
    let config = resolve(Options::default()).unwrap();
    assert_eq!(config.training_size(1797, false).unwrap(), 1000);
    let refuse = |config: &Config, n, test| config.training_size(n, test).unwrap_err().to_string();
    assert_eq!(
        refuse(&config, 900, false),
        "--train-samples: expected at most 899 of the 900 examples of digits (the rest is the test set), found 1000"
    );
    let large = Config { batch: 1001, ..config.clone() };
    assert_eq!(
        refuse(&large, 1797, false),
        "--batch: expected at most the 1000 training examples, found 1001"
    );
    let all = Config { train_samples: 0, batch: 8, ..config };
    assert_eq!(all.training_size(9, true).unwrap(), 9);
    assert!(refuse(&all, 9, false).contains("at most 8"));
}

#[test]
fn steps_that_32_bits_cannot_count_are_refused() {
    let config = resolve(toml("epochs = 1000000\nbatch = 1\ntrain_samples = 5000")).unwrap();
    let message = config.training_size(10_000, true).unwrap_err().to_string();
    assert_eq!(message, "--epochs: expected at most 4294967295 steps in all, found 5000000000");
    assert_eq!(Config { batch: 2, ..config }.training_size(10_000, true).unwrap(), 5000);
}

#[test]
fn what_the_core_refuses_within_the_limits_is_refused_by_its_flag() {
    // Below 1 in f64, 1 in f32; each right alone, not together.
    for (text, expected) in [
        ("[set.base]\nmomentum = 0.9999999999", "--set base.momentum: expected a value within its"),
        ("[set.base]\nnesterov = 1\ndampening = 0.5", "--set base.nesterov: expected a value with"),
        ("[set.vasso]\ndecay = 0.9999999999", "--set vasso.decay: expected a value within its"),
        ("[set.wsam]\ngamma = 0.9999999999", "--set wsam.gamma: expected a value within its"),
    ] {
        let found = refuse(toml(text));
        assert!(found.starts_with(expected) && found.lines().count() == 1, "{found}");
    }
}

#[test]
fn a_plan_has_the_keys_and_groups_that_were_set() {
    let config = resolve(toml(
        "rho = { asam = 2 }\nlearning_rate = 0.25\n[set.asam]\neta = 0.5\noperator_on_biases = 0\n\
         [set.base]\nmomentum = 0.5\n",
    ))
    .unwrap();
    let plan = Plan::new(&config, "asam", None, None).unwrap();
    let asam = presam::AnyVariant::by_name("asam").unwrap().set("eta", 0.5).unwrap();
    assert_eq!((plan.variant, plan.rho), (Some(asam), 2.0));
    let groups = plan.groups.map(|group| (group.rho(), group.operator()));
    assert_eq!(groups, [(2.0, true), (2.0, false)]);
    let sgd = presam::Sgd::new(0.25).unwrap().with_weight_decay(5e-4).unwrap();
    assert_eq!(plan.base, sgd.with_momentum(0.5).unwrap().into());
    let tried = Plan::new(&config, "info-asam", Some(7.0), Some(0.125)).unwrap();
    let damped = presam::AnyVariant::by_name("info-asam").unwrap().set(DAMPING, 0.125).unwrap();
    assert_eq!((tried.variant, tried.rho), (Some(damped), 7.0));
    assert_eq!(Plan::new(&config, "sgd", None, None).unwrap().variant, None);
    assert!(Plan::new(&config, "momentum-sam", None, None).unwrap().is_one_gradient());
}

#[test]
fn a_part_of_the_run_survives_toml_and_command_and_keeps_its_limits() {
    let config = resolve(toml(
        "epochs = 8\nsam_from = 3\nsam_every = 2\nbudget = \"gradients\"\nparts = 4\nperturb = \"local\"\n\
         methods = [\"sam\"]",
    ))
    .unwrap();
    assert_eq!(resolve(toml(&config.to_toml().unwrap())).unwrap(), config);
    assert_eq!(
        config.command(),
        "presam train --epochs 8 --sam-from 3 --sam-every 2 --budget gradients --parts 4 --perturb local --methods sam"
    );
    for (text, expected) in [
        ("sam_from = 0", "--sam-from: expected a whole number from 1 to 60, found 0"),
        ("epochs = 8\nsam_from = 9", "--sam-from: expected a whole number from 1 to 8, found 9"),
        ("sam_every = 0", "--sam-every: expected a whole number of at least 1, found 0"),
        ("budget = \"time\"", "--budget: expected epochs or gradients, found \"time\""),
        (
            "epochs = 8\nsam_from = 8\nbudget = \"gradients\"",
            "--epochs: expected epochs enough for sam to perturb",
        ),
    ] {
        assert!(
            refuse(toml(text)).contains(expected),
            "{} instead of {expected}",
            refuse(toml(text))
        );
    }
}

#[test]
fn what_nobody_gave_is_searched_on_other_data_than_the_digits() {
    let search = |text: &str| resolve(toml(text)).unwrap().search;
    let few = "methods = \"sgd,sam,asam\"\n";
    let on = |text: &str| search(&format!("data = \"idx:/a\"\n{few}{text}"));
    assert_eq!(search(few), [""; 0]);
    assert_eq!(on(""), ["learning_rate", "sam", "asam"]);
    assert_eq!(on("learning_rate = 0.1"), ["sam", "asam"]);
    assert_eq!(on("rho = { SAM = 0.48 }"), ["learning_rate", "asam"]);
    assert_eq!(on("rho = 0.1"), ["learning_rate"]);
    assert_eq!(on("tune = true"), ["learning_rate"]);
    assert_eq!(on("search = \"none\""), [""; 0]);
    assert_eq!(on("search = []"), [""; 0]);
    assert_eq!(
        search(&format!("{few}search = [\"vasso\", \"asam\", \"LR\"]")),
        ["learning_rate", "asam"]
    );
    assert_eq!(
        refuse(toml("search = \"sma\"")),
        "--search: expected lr, methods with a radius, all or none, found \"sma\"; did you mean sam?"
    );
}

#[test]
fn every_search_survives_toml_and_its_own_command() {
    let words = |text: &str| resolve(toml(text)).unwrap();
    let few = "methods = \"sgd,sam,asam\"\n";
    let on = "data = \"idx:/a\"\nmethods = \"sgd,sam,asam\"\n";
    let all = "presam train --data idx:/a --methods sgd,sam,asam";
    for (text, command) in [
        (on.to_owned(), all.to_owned()),
        (format!("{on}learning_rate = 0.1"), format!("{all} --lr 0.1").replace(" --methods sgd,sam,asam --lr 0.1", " --lr 0.1 --methods sgd,sam,asam")),
        (format!("{on}rho = {{ sam = 0.48 }}"), format!("{all} --rho sam=0.48")),
        (format!("{on}tune = true"), format!("{all} --tune")),
        (
            format!("{on}tune = true\ntune_seeds = 2"),
            format!("{all} --tune").replace("--methods", "--tune-seeds 2 --methods"),
        ),
        (
            format!("{few}search = \"all\""),
            "presam train --methods sgd,sam,asam --search learning_rate,sam,asam".to_owned(),
        ),
        (
            format!("{on}rho = {{ sam = 0.1 }}\nsearch = \"sam\""),
            "presam train --data idx:/a --lr 0.1 --methods sgd,sam,asam --rho asam=2.5,sam=0.1 --search sam".to_owned(),
        ),
    ] {
        let config = words(&text);
        assert_eq!(config.command(), command, "{text}");
        assert_eq!(words(&config.to_toml().unwrap()), config, "{text}");
    }
    let chosen = ["sgd", "sam"].map(|method| Chosen {
        method,
        learning_rate: 0.025,
        rho: (method == "sam").then_some(0.12),
        damping: None,
    });
    assert_eq!(
        words(&format!("{on}rho = {{ asam = 2 }}")).tuned(chosen).command(),
        "presam train --data idx:/a --lr 0.025 --methods sgd,sam,asam --rho asam=2,sam=0.12"
    );
}

#[test]
fn a_tilde_that_no_shell_replaced_is_told_with_what_it_means() {
    let message = refuse(toml("data = \"idx:~/mnist\""));
    assert!(
        message.starts_with(
            "--data: expected a folder by its whole name, found \"idx:~/mnist\", whose ~ no shell has replaced; did you mean idx:"
        ) && message.ends_with("/mnist?"),
        "{message}"
    );
}
