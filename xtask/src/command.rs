//! Commands that say what they run, and the folders they run in.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a job ends with: nothing, or one line that says what went wrong.
pub(crate) type Outcome = Result<(), String>;

/// A command, printed before it runs.
pub(crate) struct Run {
    command: Command,
    shown: String,
}

impl Run {
    /// The Cargo that started this program, in the repository's root.
    pub(crate) fn cargo() -> Self {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Self { command: Command::new(cargo), shown: "cargo".into() }.dir(&root())
    }

    /// Another program, in the repository's root.
    pub(crate) fn program(program: impl AsRef<OsStr>) -> Self {
        let program = program.as_ref();
        let shown = program.to_string_lossy().into_owned();
        Self { command: Command::new(program), shown }.dir(&root())
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        let _ = write!(self.shown, " {}", quoted(arg.as_ref()));
        self.command.arg(arg);
        self
    }

    pub(crate) fn args<T: AsRef<OsStr>>(self, args: impl IntoIterator<Item = T>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.shown = format!("{name}={} {}", quoted(OsStr::new(value)), self.shown);
        self.command.env(name, value);
        self
    }

    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub(crate) fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Runs it; anything but success is an error that repeats the command.
    pub(crate) fn run(mut self) -> Outcome {
        eprintln!("$ {}", self.shown);
        match self.command.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("`{}` failed ({status})", self.shown)),
            Err(error) => Err(format!("`{}` did not start: {error}", self.shown)),
        }
    }

    /// Whether it starts and succeeds, without a word.
    pub(crate) fn succeeds(mut self) -> bool {
        let quiet = self.command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        quiet.status().is_ok_and(|status| status.success())
    }

    /// Its exit code, stdout and stderr, whatever they are.
    pub(crate) fn answer(self) -> Result<(Option<i32>, String, String), String> {
        eprintln!("$ {}", self.shown);
        self.quiet_answer()
    }

    /// The same, not printed: for one of many commands that are alike.
    pub(crate) fn quiet_answer(mut self) -> Result<(Option<i32>, String, String), String> {
        let output = self.command.stdin(Stdio::null()).output();
        let output = output.map_err(|error| format!("`{}` did not start: {error}", self.shown))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok((output.status.code(), text(&output.stdout), text(&output.stderr)))
    }

    /// What it prints on stdout, or `None` where it fails.
    pub(crate) fn output(mut self) -> Option<String> {
        let output = self.command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some(text)
    }
}

/// As a shell would need it.
pub(crate) fn quoted(arg: &OsStr) -> String {
    let text = arg.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./,:+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.into()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// The repository: where Cargo says this package is (it may have been moved since it was built).
pub(crate) fn root() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| OsString::from("xtask"));
    PathBuf::from(package).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// Where builds go.
pub(crate) fn target_dir() -> PathBuf {
    root().join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// A folder of a job's own, made if it is not there.
pub(crate) fn job_dir(job: &str) -> Result<PathBuf, String> {
    let dir = target_dir().join("xtask").join(job);
    made(&dir).map(|()| dir)
}

/// The text of a file; the error names it.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Writes a file; the error names it.
pub(crate) fn write(path: &Path, text: impl AsRef<[u8]>) -> Outcome {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// A file of the repository that a command writes: written, or found stale where it is only checked.
pub(crate) fn kept(file: &str, new: &str, check_only: bool, cure: &str) -> Outcome {
    let path = root().join(file);
    let old = if path.exists() { read(&path)? } else { String::new() };
    if old == new {
        eprintln!("{file}: fresh");
        return Ok(());
    }
    if check_only {
        let news: Vec<&str> = new.lines().filter(|line| !old.contains(line)).take(5).collect();
        return Err(format!("{file} is stale: `{cure}` writes it; now\n  {}", news.join("\n  ")));
    }
    eprintln!("{file}: written");
    write(&path, new)
}

/// No folder, whether there was one or not.
pub(crate) fn removed(dir: &Path) -> Outcome {
    let done = if dir.exists() { std::fs::remove_dir_all(dir) } else { Ok(()) };
    done.map_err(|error| format!("{}: {error}", dir.display()))
}

/// An empty folder.
pub(crate) fn emptied(dir: &Path) -> Outcome {
    removed(dir)?;
    made(dir)
}

/// A folder, whether there was one or not.
pub(crate) fn made(dir: &Path) -> Outcome {
    std::fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))
}

/// A Python of its own that has a package, installed if need be: the jobs `pandas` and `exec-smoke` share it.
pub(crate) fn python_with(package: &str) -> Result<PathBuf, String> {
    let venv = job_dir("venv")?;
    let python = venv.join("bin/python");
    if !Run::program(&python).args(["-c", &format!("import {package}")]).succeeds() {
        install(&venv, &[package])?;
    }
    Ok(python)
}

/// Packages of PyPI in a folder of their own.
pub(crate) fn install(venv: &Path, packages: &[&str]) -> Outcome {
    let make = Run::program("python3").args(["-m", "venv"]).arg(venv).run();
    make.map_err(|reason| format!("{reason}; on Debian: `apt-get install -y python3-venv`"))?;
    Run::program(venv.join("bin/pip")).args(["install", "--quiet"]).args(packages).run()
}

/// The entries of a folder in alphabetical order, none where there is no such folder.
pub(crate) fn entries(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_command_is_an_error_that_names_it() {
        let error = Run::program("false").arg("a b").run().unwrap_err();
        assert!(error.starts_with("`false 'a b'` failed"), "{error}");
        assert_eq!(quoted(OsStr::new("/a b/it's")), r"'/a b/it'\''s'");
        assert!(Run::program("no-such-program").run().unwrap_err().contains("did not start"));
    }

    #[test]
    fn output_is_that_of_success_only() {
        assert_eq!(Run::program("echo").arg("7").output().as_deref(), Some("7"));
        assert_eq!(Run::program("false").output(), None);
    }
}
