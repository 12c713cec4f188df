//! [`Talk`]: a command that said hello, and the questions put to it.

use std::time::Duration;

use presam_conformance::{Case, Scalar};

use crate::answer::{Reply, parse_answer};
use crate::child::Child;
use crate::error::{PipeError, shortened};
use crate::hello::{Hello, greeting, parse_hello};
use crate::lines::{Event, LONGEST};
use crate::request::{Asked, request_line};

/// How long a command may take to end after its input was closed, or to say why it ended.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a command is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For its `hello`: interpreters and large libraries take their time.
    pub hello: Duration,
    /// For an answer.
    pub answer: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { hello: Duration::from_secs(60), answer: Duration::from_secs(10) }
    }
}

/// A command that said hello.
pub struct Talk {
    /// What it said.
    pub hello: Hello,
    child: Child,
    timeouts: Timeouts,
    requests: u64,
    fault: Option<PipeError>,
}

impl Talk {
    /// Starts the command and exchanges the first lines.
    ///
    /// # Errors
    /// A command that cannot be started, or does not say hello in time.
    pub fn open(command: &str, timeouts: Timeouts) -> Result<Self, PipeError> {
        let not_started = |reason: String| PipeError::NotStarted { reason };
        let mut child = Child::start(command).map_err(|reason| not_started(reason.to_string()))?;
        child.send(greeting().map_err(|reason| not_started(reason.to_string()))?);
        let line = match next(&mut child, "its hello", timeouts.hello) {
            // What a shell says of a command that it cannot find, or not run.
            Err(PipeError::Died { status, .. })
                if ["exit status: 127", "exit status: 126"].contains(&status.as_str()) =>
            {
                return Err(PipeError::NotFound { command: command.to_owned(), status });
            }
            other => other?,
        };
        Ok(Self { hello: parse_hello(&line)?, child, timeouts, requests: 0, fault: None })
    }

    /// Puts the case to it.
    ///
    /// # Errors
    /// What it does instead of answering. After that it has been ended, and every further question has
    /// the same error.
    pub fn ask<R: Scalar>(&mut self, case: &Case<R>, asked: Asked) -> Result<Reply<R>, PipeError> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        self.requests += 1;
        self.answer(case, asked).map_err(|fault| {
            let case = format!("{} over {}, {}", case.rule, case.base.name(), R::NAME);
            let fault = PipeError::Asked { fault: Box::new(fault), case };
            self.fault = Some(fault.clone());
            self.child.end(Duration::ZERO);
            fault
        })
    }

    fn answer<R: Scalar>(&mut self, case: &Case<R>, asked: Asked) -> Result<Reply<R>, PipeError> {
        let id = self.requests;
        match self.child.unasked() {
            None | Some(Event::End) => {}
            Some(Event::TooLong) => return Err(too_long()),
            Some(Event::Line(line)) => {
                let reason = format!("a line that nobody asked for: {}", shortened(&line));
                return Err(PipeError::Flood { reason });
            }
        }
        let awaited = format!("the answer to request {id}");
        let line = request_line(case, id, asked)
            .map_err(|reason| PipeError::rubbish("the request", b"", reason))?;
        self.child.send(line);
        let line = next(&mut self.child, &awaited, self.timeouts.answer)?;
        parse_answer(&line, id, case, asked)
    }

    /// How many questions were put.
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// What it did instead of answering, if it did.
    pub fn fault(&self) -> Option<&PipeError> {
        self.fault.as_ref()
    }

    /// Closes its input and waits for it to end, which is then seen to.
    pub fn close(mut self) {
        self.child.end(PATIENCE);
    }
}

fn too_long() -> PipeError {
    PipeError::Flood { reason: format!("a line of more than {LONGEST} bytes") }
}

/// The next line within `limit`.
fn next(child: &mut Child, awaited: &str, limit: Duration) -> Result<Vec<u8>, PipeError> {
    let awaited = awaited.to_owned();
    match child.next(limit) {
        Some(Event::Line(line)) => Ok(line),
        Some(Event::TooLong) => Err(too_long()),
        Some(Event::End) => {
            let status = child.status(PATIENCE);
            let status =
                status.map_or("it closed its output".to_owned(), |status| status.to_string());
            Err(PipeError::Died { awaited, status })
        }
        None => Err(PipeError::Hung { awaited, seconds: format!("{}", limit.as_secs_f64()) }),
    }
}
