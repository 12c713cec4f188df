//! `--ranks`: what several processes are told, and how they end.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::command::say::aside;
use crate::config::{ConfigError, Options};
use crate::error::Error;
use crate::train::Peers;

/// The first rank says what all ranks have found; another one waits so long before it says what it alone may have found.
const FIRST_SAYS: Duration = Duration::from_secs(2);

/// The processes that `mpirun` started, or this one alone. `asked` becomes true where this process is to stop, and `stop`
/// where all of them are; `checkpoint` is what a message names.
#[cfg(feature = "mpi")]
pub(crate) fn open(
    asked: &Arc<AtomicBool>,
    stop: &Arc<AtomicBool>,
    checkpoint: Option<&Path>,
) -> Result<Box<dyn Peers>, ConfigError> {
    use crate::command::world::World;
    let world = World::open(asked, stop, checkpoint);
    world.map(|world| Box::new(world) as Box<dyn Peers>).ok_or_else(|| {
        ConfigError::new("--ranks", "an MPI library that starts", "one that is in use already")
    })
}

/// Without the feature there is no such program.
#[cfg(not(feature = "mpi"))]
pub(crate) fn open(
    _: &Arc<AtomicBool>,
    _: &Arc<AtomicBool>,
    _: Option<&Path>,
) -> Result<Box<dyn Peers>, ConfigError> {
    let found = "one without (cargo build --release --bin presam --features mpi makes one)";
    Err(ConfigError::new("--ranks", "a program with the feature mpi", found))
}

/// The options of so many ranks: a part and a thread for each, on the CPU.
pub(crate) fn options(mut options: Options, ranks: usize) -> Result<Options, ConfigError> {
    let refused = |flag: &str, expected: String, found: &dyn std::fmt::Display| {
        Err(ConfigError::new(flag, expected, found))
    };
    match (options.parts, options.threads, options.device.as_deref()) {
        (Some(parts), ..) if parts != ranks => {
            refused("--parts", format!("{ranks}, the number of ranks"), &parts)
        }
        (_, Some(threads), _) if threads != 1 => {
            refused("--threads", "1 with --ranks".to_owned(), &threads)
        }
        (.., Some(device)) if device != "cpu" => {
            refused("--device", "cpu with --ranks".to_owned(), &device)
        }
        _ => {
            (options.parts, options.threads) = (Some(ranks), Some(1));
            Ok(options)
        }
    }
}

/// Says why this rank cannot go on and ends all of them, which would wait for it. One process ends by itself.
pub(crate) fn end(peers: &dyn Peers, error: &Error) {
    match (peers.size(), peers.rank()) {
        (0 | 1, _) => return,
        (_, 0) => aside(format_args!("error: {error}")),
        (_, rank) => {
            std::thread::sleep(FIRST_SAYS);
            aside(format_args!("error: rank {rank}: {error}"));
        }
    }
    peers.end(error.exit_code());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_as_many_as_ranks_on_a_thread_of_the_cpu_each() {
        let given = Options { device: Some("cpu".to_owned()), ..Options::default() };
        let found = options(given.clone(), 3).unwrap();
        assert_eq!((found.parts, found.threads), (Some(3), Some(1)));
        assert_eq!(options(found.clone(), 3), Ok(found));
        for (wrong, words) in [
            (
                Options { parts: Some(2), ..given.clone() },
                "--parts: expected 3, the number of ranks, found 2",
            ),
            (
                Options { threads: Some(4), ..given.clone() },
                "--threads: expected 1 with --ranks, found 4",
            ),
            (
                Options { device: Some("ptx".to_owned()), ..given },
                "--device: expected cpu with --ranks, found ptx",
            ),
        ] {
            assert_eq!(options(wrong, 3).unwrap_err().to_string(), words);
        }
    }
}
