//! What can be wrong with a study file, in a user's words: the key, what it takes and what was found.

use std::path::Path;

use super::names::{key_name, method_name, named, table_name};
use super::{ConfigError, Options};
use crate::data::Source;
use presam_pipe::similar::suggestion;

/// Every key of the file, and what it takes.
const KEYS: [(&str, &str); 22] = [
    ("data", "a text: \"digits\", \"idx:DIR\" or \"cifar10:DIR\""),
    ("train_samples", "a whole number; 0 takes all"),
    ("label_noise", "a fraction (0.4) or a list of them ([0, 0.4])"),
    ("hidden", "a whole number (128) or a list of them ([64, 32])"),
    ("epochs", "a whole number"),
    ("sam_from", "a whole number"),
    ("sam_every", "a whole number"),
    ("budget", "a text: \"epochs\" or \"gradients\""),
    ("batch", "a whole number"),
    ("parts", "a whole number"),
    ("perturb", "a text: \"synchronised\" or \"local\""),
    ("base", "a text: \"sgd\" or \"adamw\""),
    ("learning_rate", "a number"),
    ("seeds", "a count (24), a list of seeds ([3, 7, 9]) or a range (\"100..124\")"),
    ("threads", "a whole number"),
    ("device", "a text: \"cpu\", \"emulated\", \"ptx\" or \"cuda\""),
    ("tune", "true or false"),
    ("tune_seeds", "a whole number"),
    ("search", "a text or a list of them: lr, methods, \"all\" or \"none\""),
    ("methods", "a text (\"sam,asam\") or a list of them ([\"sam\", \"asam\"])"),
    ("rho", "a number (0.05) or a table of methods and numbers ({ sam = 0.5 })"),
    ("set", "a table for each method, of keys and numbers ([set.asam], eta = 0.01)"),
];
/// Letters of a found value that are told.
const TOLD: usize = 40;

impl Options {
    /// Reads a TOML file; a relative folder in it is taken from the file's own.
    ///
    /// # Errors
    /// A file that cannot be read, or its first line that is no valid TOML, holds an unknown key or a value of another
    /// kind.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file)
            .map_err(|reason| ConfigError::new(file.display(), "a readable TOML file", reason))?;
        let mut options = Self::parse(&file.display().to_string(), &text)?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let source = options.data.as_deref().and_then(|data| data.parse::<Source>().ok());
        if let Some(source) = source {
            options.data = Some(source.within(folder).to_string());
        }
        Ok(options)
    }

    /// Reads TOML text; `name` stands in errors.
    ///
    /// # Errors
    /// The first line that is no valid TOML, holds an unknown key or a value of another kind; a method or a key of one in
    /// two spellings.
    pub fn parse(name: &str, text: &str) -> Result<Self, ConfigError> {
        let options: Self = toml::from_str(text).map_err(|error| wrong(name, text, &error))?;
        options.by_name(name)
    }

    /// Radii and settings under the lists' names, as the flags have them.
    fn by_name(mut self, file: &str) -> Result<Self, ConfigError> {
        self.rho.each = named(format!("{file}: rho"), self.rho.each, method_name)?;
        for (method, keys) in &mut self.set {
            let written = std::mem::take(keys);
            *keys = named(format!("{file}: set.{method}"), written, |key| key_name(method, key))?;
        }
        self.set = named(format!("{file}: set"), self.set, table_name)?;
        Ok(self)
    }
}

fn wrong(name: &str, text: &str, error: &toml::de::Error) -> ConfigError {
    let span = error.span().unwrap_or_default();
    let line = text.bytes().take(span.start).filter(|&byte| byte == b'\n').count() + 1;
    let place = format!("{name}, line {line}");
    let said = error.message().lines().next().unwrap_or_default();
    let unknown = said.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
    if let Some(key) = unknown {
        return ConfigError::new(place, "a key of the configuration", format!("{key:?}"))
            .suggest(suggestion(key, KEYS.map(|(key, _)| key)));
    }
    let known = key_at(text, span.start).and_then(|key| {
        let first = key.split('.').next().unwrap_or_default();
        let (_, takes) = KEYS.iter().find(|(known, _)| *known == first)?;
        Some(if key.contains('.') { (key, "a number") } else { (key, *takes) })
    });
    match known {
        // Only a value that was read can be of another kind; the rest is no TOML.
        Some((key, takes)) if is_of_another_kind(said) => {
            let found = text.get(span).unwrap_or_default();
            ConfigError::new(format!("{place}: {key}"), takes, told(found)).suggest(unquoted(found))
        }
        _ => ConfigError::new(place, "a configuration in TOML", said),
    }
}

/// Whether serde, not the parser of TOML, refused a value.
fn is_of_another_kind(said: &str) -> bool {
    ["invalid type", "invalid value", "invalid length", "data did not match"]
        .iter()
        .any(|start| said.starts_with(start))
}

/// The key whose value stands at byte `start`, with the table that it belongs to: the nearest `key =` before it.
fn key_at(text: &str, start: usize) -> Option<String> {
    let end = text.get(start..)?.find('\n').map_or(text.len(), |length| start + length);
    let mut key = None;
    for line in text.get(..end)?.lines().rev() {
        let line = line.trim();
        if let Some(table) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            // A list that goes on over lines begins like a table's head; a head is a name alone.
            if is_name(table) && table.starts_with(|first: char| first.is_alphabetic()) {
                return Some(key.map_or_else(|| table.into(), |key| format!("{table}.{key}")));
            }
        }
        let own = line.split_once('=').map(|(key, _)| key.trim().replace(['"', '\''], ""));
        key = key.or(own.filter(|key| is_name(key)));
    }
    key
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "-_. ".contains(c))
}

/// A value as it stands in the file, on one line and not too long.
fn told(found: &str) -> String {
    let line = found.split_whitespace().collect::<Vec<_>>().join(" ");
    let rest = if line.chars().count() > TOLD { "..." } else { "" };
    line.chars().take(TOLD).collect::<String>() + rest
}

/// A number that was written as a text, without its quotes.
fn unquoted(found: &str) -> Option<&str> {
    let inner = found.trim().strip_prefix(['"', '\''])?.strip_suffix(['"', '\''])?;
    inner.parse::<f64>().is_ok().then_some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        Options::parse("x.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn a_value_of_another_kind_is_told_with_its_key_and_what_that_takes() {
        for (line, key, takes, found) in [
            ("label_noise = \"0.4\"", "label_noise", "a fraction", "\"0.4\"; did you mean 0.4?"),
            ("label_noise = [0.2, \"x\"]", "label_noise", "a fraction", "[0.2, \"x\"]"),
            ("rho = \"0.5\"", "rho", "a number (0.05) or a table", "\"0.5\"; did you mean 0.5?"),
            ("rho = { sam = \"x\" }", "rho", "a number (0.05) or a table", "{ sam = \"x\" }"),
            ("rho = [0.1]", "rho", "a number (0.05) or a table", "[0.1]"),
            ("seeds = 1.5", "seeds", "a count (24)", "1.5"),
            ("seeds = -1", "seeds", "a count (24)", "-1"),
            ("methods = [1]", "methods", "a text", "[1]"),
            ("methods = true", "methods", "a text", "true"),
            ("hidden = 128.0", "hidden", "a whole number (128)", "128.0"),
            (
                "hidden = [\n  128,\n  \"64\",\n]",
                "hidden",
                "a whole number (128)",
                "[ 128, \"64\", ]",
            ),
            ("epochs = \"three\"", "epochs", "a whole number", "\"three\""),
            ("batch = -8", "batch", "a whole number", "-8"),
            ("sam_from = \"2\"", "sam_from", "a whole number", "\"2\"; did you mean 2?"),
            ("budget = 2", "budget", "a text: \"epochs\"", "2"),
            ("tune = 1", "tune", "true or false", "1"),
            ("data = 7", "data", "a text: \"digits\"", "7"),
            ("learning_rate = \"0.1\"", "learning_rate", "a number", "\"0.1\"; did you mean 0.1?"),
            ("set = 3", "set", "a table for each method", "3"),
            ("[set.asam]\neta = \"big\"", "set.asam.eta", "a number", "\"big\""),
            ("set.asam.eta = true", "set.asam.eta", "a number", "true"),
        ] {
            let text = format!("threads = 3\n{line}\n");
            let found_line = message(&text);
            let line = if line.starts_with('[') { 3 } else { 2 };
            let start = format!("x.toml, line {line}: {key}: expected {takes}");
            assert!(found_line.starts_with(&start), "{found_line} instead of {start}");
            assert!(found_line.ends_with(&format!(", found {found}")), "{found_line}: {found}");
        }
    }

    #[test]
    fn what_is_no_toml_is_told_as_that_and_a_mark_at_the_beginning_is_none() {
        for text in ["epochs = = 3", "epochs", "[set", "epochs = 3\nepochs = 4"] {
            assert!(message(text).contains(": expected a configuration in TOML, found"), "{text}");
        }
        let marked = message("\u{feff}epochs = 3\r\nbatch = 8\r\nepocs = 3\r\n");
        assert!(marked.contains("line 3") && marked.ends_with("did you mean epochs?"), "{marked}");
    }

    #[test]
    fn a_relative_folder_is_that_of_the_file() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("study.toml");
        let data = |text: &str| {
            std::fs::write(&file, format!("data = {text:?}")).unwrap();
            Options::read(&file).unwrap().data.unwrap()
        };
        assert_eq!(data("idx:mnist"), format!("idx:{}/mnist", place.path().display()));
        assert_eq!(data("cifar10:/abs"), "cifar10:/abs");
        // Told by whoever resolves it.
        assert_eq!(data("idx:~/mnist"), "idx:~/mnist");
        assert_eq!((data("digits"), data("nonsense")), ("digits".into(), "nonsense".into()));
    }
}
