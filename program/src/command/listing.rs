//! `presam methods` and `presam info`.

use clap::Args;
use serde::Serialize;

use crate::config::ConfigError;
use crate::data::Source;
use crate::error::Error;
use crate::machine::{Host, available_threads};
use crate::methods::{METHODS, Method, find};
use crate::show::view::View;
use presam_pipe::similar::suggestion;

use crate::command::say::{say, say_json};

/// The features of this crate that were compiled in.
const FEATURES: &[&str] = &[
    #[cfg(feature = "cuda")]
    "cuda",
    #[cfg(feature = "mpi")]
    "mpi",
];

#[derive(Debug, Args)]
pub(crate) struct MethodsArguments {
    /// The method to explain
    pub(crate) name: Option<String>,
    /// One JSON document on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct InfoArguments {
    /// One JSON document on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

/// All methods in short, or one in full.
pub(crate) fn methods(arguments: &MethodsArguments) -> Result<(), Error> {
    let view = View::of_stdout(false);
    let Some(name) = &arguments.name else {
        if arguments.json {
            return say_json(&METHODS);
        }
        say(&list(view));
        return Ok(());
    };
    let method = find(name).ok_or_else(|| {
        ConfigError::new("methods", "a name from `presam methods`", format!("{name:?}"))
            .suggest(suggestion(name, METHODS.iter().map(|method| method.name)))
    })?;
    if arguments.json {
        return say_json(method);
    }
    say(&explained(method, view));
    Ok(())
}

/// A name and what is to be said of it, in two columns.
fn entry(name: &str, words: &str, width: usize, view: View) -> String {
    view.wrapped(&format!("{name:<width$}{words}"), width) + "\n"
}

fn list(view: View) -> String {
    let width = METHODS.iter().map(|method| method.name.len()).max().unwrap_or(0) + 2;
    let text: String =
        METHODS.iter().map(|method| entry(method.name, method.what, width, view)).collect();
    text + "\npresam methods NAME explains one: formula, keys, cost, source.\n"
}

fn explained(method: &Method, view: View) -> String {
    let head = format!("{}: {}\n\n  {}", method.name, method.what, method.formula);
    let mut text = view.wrapped(&head, 4) + "\n\n";
    let mut line = |name: &str, value: &str| text += &entry(name, value, 20, view);
    if let Some(rho) = method.rho {
        line("rho", &format!("{rho}, the radius (--rho {}={rho})", method.name));
    }
    for key in method.keys {
        line(key.name, &format!("{}, {} ({})", key.default, key.meaning, key.limits.words()));
    }
    line(
        "floats a parameter",
        &format!("{} kept, {} within a step", method.kept_floats, method.step_floats),
    );
    line("gradients a step", method.gradients);
    line("passes", &passes(method));
    line(
        "bytes a parameter",
        &format!("{} moved a step, with sgd and momentum", method.step_bytes()),
    );
    line("equals", method.equals);
    line("source", method.source);
    if !method.aliases.is_empty() {
        line("also called", &method.aliases.join(", "));
    }
    if method.name == "friendly-sam" {
        let note = "Note: f-sam and fsam are also used for FisherSAM, which is fisher-sam here.";
        text += &format!("\n{}\n", view.wrapped(note, 0));
    }
    text
}

/// Passes over the parameters, in the order of a step.
fn passes(method: &Method) -> String {
    let mut passes = Vec::new();
    if method.ascent_passes > 0 {
        passes.push(format!("norm ({} read)", method.norm_reads));
        let kept = method.memory_floats;
        passes.push(format!("ascent ({} read, {} written)", 2 + kept, 1 + kept));
    }
    if method.mix_floats > 0 {
        passes.push(format!("gradient mix ({} read or written)", method.mix_floats));
    }
    passes.push("descent (3 read, 2 written)".to_owned());
    passes.join(", ")
}

#[derive(Serialize)]
struct Info {
    version: &'static str,
    host: Host,
    methods: usize,
    data: String,
    features: &'static [&'static str],
    devices: Vec<String>,
    kernels: usize,
}

/// Version, machine, embedded data.
pub(crate) fn info(arguments: &InfoArguments) -> Result<(), Error> {
    let digits = Source::Digits.load()?.train;
    let info = Info {
        version: env!("CARGO_PKG_VERSION"),
        host: Host::detect(available_threads()),
        methods: METHODS.len(),
        data: format!(
            "{}: {} examples of {} numbers, {} classes",
            digits.name,
            digits.len(),
            digits.features,
            digits.classes
        ),
        features: FEATURES,
        devices: devices(),
        kernels: presam_kernels::entries::all().count(),
    };
    if arguments.json {
        return say_json(&info);
    }
    let host = &info.host;
    let lines = [
        ("presam", info.version.to_owned()),
        ("machine", format!("{} ({} {})", host.cpu, host.os, host.arch)),
        ("loops", host.cpu_level.clone()),
        ("threads", host.threads.to_string()),
        ("features", info.features.join(", ")),
        ("devices", info.devices.join(", ")),
        ("kernels", format!("sm_70, PTX 7.0 ({} entry points)", info.kernels)),
        ("methods", format!("{} (presam methods)", info.methods)),
        ("data", info.data),
    ];
    let view = View::of_stdout(false);
    say(&lines.map(|(name, value)| entry(name, &value, 10, view)).concat());
    Ok(())
}

/// The processor, and every GPU that the driver finds; in words where there is none.
fn devices() -> Vec<String> {
    #[allow(unused_mut, reason = "without the feature cuda nothing is added")]
    let mut devices = ["cpu", "emulated", "ptx"].map(str::to_owned).to_vec();
    #[cfg(feature = "cuda")]
    match presam_cuda::cuda::devices() {
        Ok(found) if found.is_empty() => devices.push("no CUDA device was found".to_owned()),
        Ok(found) => devices.extend(found.iter().map(|facts| {
            let (major, minor) = facts.compute_capability;
            format!(
                "cuda:{} {} (sm_{major}{minor}, {} MiB, driver for CUDA {})",
                facts.ordinal,
                facts.name,
                facts.memory_bytes >> 20,
                facts.driver
            )
        })),
        Err(error) => devices.push(error.to_string()),
    }
    devices
}
