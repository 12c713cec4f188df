//! `presam train`: resolve, check, compute, write, tell.

use std::io::IsTerminal;

use crate::config::{Config, ConfigError, resolve};
use crate::error::Error;
use crate::report::{
    Results, Style, check_folder, headline, speed_table, table, tuning_table, write_results,
};
use crate::train::run;

use crate::command::arguments::TrainArguments;
use crate::command::progress::Display;
use crate::command::{say, say_json};

/// Everything that can be wrong with the request is found before the first step.
pub(crate) fn train(arguments: &TrainArguments) -> Result<(), Error> {
    let config = resolve(arguments.options()?)?;
    check_folder(&arguments.out)?;
    if arguments.dry_run {
        return dry_run(&config, arguments.json);
    }
    let display = Display::new(arguments.quiet);
    let results = run(&config, &|message| display.show(message))?;
    display.clear();
    write_results(&arguments.out, &results, &config)?;
    if arguments.json {
        return say_json(&results);
    }
    say(&told(&results, &arguments.out.join("report.html").display().to_string()));
    Ok(())
}

/// Loads the data and prints the resolved configuration.
fn dry_run(config: &Config, json: bool) -> Result<(), Error> {
    let loaded = config.data.load()?;
    config.training_size(loaded.train.len(), loaded.test.is_some())?;
    if json {
        return say_json(config);
    }
    let text = config.to_toml().map_err(|reason| {
        ConfigError::new("--dry-run", "a configuration that TOML can hold", reason)
    })?;
    say(&format!("# {}\n{text}", config.command()));
    Ok(())
}

/// The results as a terminal shows them; the digest is the last line.
fn told(results: &Results, page: &str) -> String {
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let style =
        if std::io::stdout().is_terminal() && !no_colour { Style::Bold } else { Style::Plain };
    let sentences: String =
        results.sentences.iter().map(|sentence| format!("{sentence}\n")).collect();
    // A blank line behind a table, where there is one.
    let spaced = |table: String| if table.is_empty() { table } else { table + "\n" };
    let tuning = spaced(tuning_table(results, style));
    let speed = spaced(speed_table(results, style));
    format!(
        "{}\n\n{tuning}{}\n{speed}{sentences}\nreport: {page}\ndigest: {}\n",
        headline(results),
        table(results, style),
        results.digest
    )
}
