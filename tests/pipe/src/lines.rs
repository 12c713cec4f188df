//! A command's output, line by line, with a limit on each.

use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// The longest line that is read.
pub(crate) const LONGEST: u64 = 16 << 20;

/// Lines that may wait to be asked for: beyond it the command waits.
const WAITING: usize = 16;

/// What comes out of a command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A line, without its end.
    Line(Vec<u8>),
    /// A line of more than [`LONGEST`] bytes.
    TooLong,
    /// Nothing more.
    End,
}

/// Reads lines in a thread of its own, so that waiting for one has a limit.
pub(crate) fn lines(output: impl Read + Send + 'static) -> Receiver<Event> {
    let (to, from) = sync_channel(WAITING);
    // Ends with the output, or where nobody listens any more.
    thread::spawn(move || send_all(BufReader::new(output), LONGEST, &to));
    from
}

fn send_all(mut output: impl BufRead, longest: u64, to: &SyncSender<Event>) {
    loop {
        let mut line = Vec::new();
        // One more than the longest: its end.
        let read = output.by_ref().take(longest + 1).read_until(b'\n', &mut line);
        let complete = line.pop_if(|last| *last == b'\n').is_some();
        let event = match read {
            Ok(_) if complete => {
                line.pop_if(|last| *last == b'\r');
                Event::Line(line)
            }
            Ok(read) if read as u64 > longest => Event::TooLong,
            // A last line without an end is a line.
            Ok(_) if !line.is_empty() => Event::Line(line),
            Ok(_) | Err(_) => Event::End,
        };
        let last = !matches!(event, Event::Line(_));
        if to.send(event).is_err() || last {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str, longest: u64) -> Vec<Event> {
        let (to, from) = sync_channel(WAITING);
        send_all(text.as_bytes(), longest, &to);
        drop(to);
        from.into_iter().collect()
    }

    #[test]
    fn lines_come_whole_and_none_is_longer_than_the_limit() {
        let line = |text: &str| Event::Line(text.as_bytes().to_vec());
        assert_eq!(
            all("a\nbc\r\n\nd", 4),
            [line("a"), line("bc"), line(""), line("d"), Event::End]
        );
        assert_eq!(all("abcd\nabcde\n", 4), [line("abcd"), Event::TooLong]);
        assert_eq!(all("", 4), [Event::End]);
    }
}
