//! A command as a child process that is always ended, its own children with it.

use std::io::{self, Write};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::lines::{Event, lines};

/// A started command.
pub(crate) struct Child {
    process: std::process::Child,
    guard: Option<Guard>,
    to: Option<Sender<String>>,
    from: Receiver<Event>,
}

impl Child {
    /// Starts the command in a shell; its standard error stays the user's.
    pub fn start(command: &str) -> io::Result<Self> {
        let mut process = shell(command).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let guard = Guard::over(&process);
        let (to, requests) = channel();
        match (process.stdin.take(), process.stdout.take(), guard) {
            (Some(input), Some(output), Ok(guard)) => {
                // Ends where nobody asks any more, or the command reads no more.
                thread::spawn(move || write_all(input, &requests));
                Ok(Self { process, guard, to: Some(to), from: lines(output) })
            }
            (_, _, guard) => {
                process.kill().and_then(|()| process.wait())?;
                Err(guard.err().unwrap_or_else(|| io::Error::other("no pipe to the command")))
            }
        }
    }

    /// Hands over a line, and never waits for the command to read it.
    pub fn send(&self, line: String) {
        if let Some(to) = &self.to {
            // A writer that has gone found a command that reads no more: its next line says so.
            let _gone = to.send(line);
        }
    }

    /// The next line, the end, or nothing within `limit`.
    pub fn next(&self, limit: Duration) -> Option<Event> {
        match self.from.recv_timeout(limit) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Disconnected) => Some(Event::End),
            Err(RecvTimeoutError::Timeout) => None,
        }
    }

    /// What has come without being waited for.
    pub fn unasked(&self) -> Option<Event> {
        match self.from.try_recv() {
            Ok(event) => Some(event),
            Err(TryRecvError::Disconnected) => Some(Event::End),
            Err(TryRecvError::Empty) => None,
        }
    }

    /// How it ended, if it does within `patience`.
    pub fn status(&mut self, patience: Duration) -> Option<ExitStatus> {
        let start = Instant::now();
        loop {
            match self.process.try_wait() {
                Ok(None) if start.elapsed() < patience => thread::sleep(Duration::from_millis(2)),
                Ok(status) => return status,
                Err(_) => return None,
            }
        }
    }

    /// Closes its input, lets it end by itself within `patience`, then ends it and what it started.
    pub fn end(&mut self, patience: Duration) {
        self.to = None;
        let _status = self.status(patience);
        if let Some(guard) = self.guard.take() {
            guard.strike();
        }
        // Where there is no guard; for a process that has ended this does nothing.
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end(Duration::ZERO);
    }
}

fn write_all(mut input: ChildStdin, requests: &Receiver<String>) {
    for mut line in requests {
        line.push('\n');
        if input.write_all(line.as_bytes()).and_then(|()| input.flush()).is_err() {
            return;
        }
    }
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    use std::os::unix::process::CommandExt;
    let mut shell = Command::new("sh");
    // A group of its own: what the shell starts is ended with it.
    shell.args(["-c", command]).process_group(0);
    shell
}

#[cfg(not(unix))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.args(["/C", command]);
    shell
}

/// A second shell that ends the command's process group as soon as its own input closes: when
/// it is told to, and when this program itself is ended, by whatever means (an interrupt from the
/// keyboard does not reach a group of its own).
struct Guard(std::process::Child);

impl Guard {
    #[cfg(unix)]
    fn over(process: &std::process::Child) -> io::Result<Option<Self>> {
        use std::os::unix::process::CommandExt;
        let mut shell = Command::new("sh");
        shell.args([
            "-c",
            "read -r line; kill -s KILL -- \"-$1\"",
            "guard",
            &process.id().to_string(),
        ]);
        shell.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        shell.spawn().map(|guard| Some(Self(guard)))
    }

    #[cfg(not(unix))]
    fn over(_: &std::process::Child) -> io::Result<Option<Self>> {
        Ok(None)
    }

    /// Ends the group, and with it the guard.
    fn strike(mut self) {
        drop(self.0.stdin.take());
        let _reaped = self.0.wait();
    }
}
