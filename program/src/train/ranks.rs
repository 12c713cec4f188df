//! [`Ranks`]: the processes of a run, each of which takes one part of every batch.
//!
//! ```text
//! one process      takes every part, one after the other
//! rank r of N      takes part r; what all bring is gathered in rank order
//! ```
//!
//! Everything else each rank does for itself, and comes to the same bits: nothing is handed round but what parts bring
//! and the checkpoint that the first rank reads.
//! That they do come to the same bits is asked at the end of every epoch.

use sha2::{Digest, Sha256};

use crate::config::ConfigError;
use crate::error::Error;

/// What several processes need of each other.
pub trait Peers: Sync {
    /// The number of this process, from 0.
    fn rank(&self) -> usize;
    /// How many there are.
    fn size(&self) -> usize;
    /// What each of them brings, in rank order. All of them call it as often and in the same order, and each waits for all.
    fn gather(&self, own: &[u8]) -> Vec<Vec<u8>>;
    /// Whether this process was asked to stop.
    fn is_asked_to_stop(&self) -> bool;
    /// Told at the end of an epoch, on every rank alike, that one of them was.
    fn stop(&self);
    /// Ends all of them with an exit code, where this one cannot go on.
    fn end(&self, code: u8);
}

/// The processes of a run; one where there are no others.
#[derive(Clone, Copy)]
pub(super) struct Ranks<'a>(Option<&'a dyn Peers>);

impl<'a> Ranks<'a> {
    /// One process.
    pub const ALONE: Self = Self(None);

    /// Those that `peers` bring together.
    pub fn of(peers: &'a dyn Peers) -> Self {
        Self(Some(peers).filter(|peers| peers.size() > 1))
    }

    /// Whether this process is the one that reads and writes.
    pub fn is_first(self) -> bool {
        self.takes(0)
    }

    /// Whether this process takes that part of a batch.
    pub fn takes(self, part: usize) -> bool {
        self.0.is_none_or(|peers| peers.rank() == part)
    }

    /// What each rank brings; what one process brings, alone.
    pub fn gather(self, own: impl FnOnce() -> Vec<u8>) -> Option<Vec<Vec<u8>>> {
        self.0.map(|peers| peers.gather(&own()))
    }

    /// What the first rank reads, on all of them.
    pub fn read_by_first<E>(
        self,
        read: impl FnOnce() -> Result<Option<Vec<u8>>, E>,
    ) -> Result<Option<Vec<u8>>, E> {
        let read = if self.is_first() { read()? } else { None };
        let Some(peers) = self.0 else { return Ok(read) };
        // One byte more, since a file may be empty.
        let sent = read.map(|bytes| [bytes, vec![0]].concat()).unwrap_or_default();
        let mut found = peers.gather(&sent).into_iter().next().unwrap_or_default();
        Ok(found.pop().map(|_| found))
    }

    /// Refuses ranks that were started with other settings or data than the first one; `told` are all of them.
    pub fn begin(self, told: impl FnOnce() -> String) -> Result<(), Error> {
        let found = self.gather(|| Sha256::digest(told()).to_vec());
        let Some(others) = found.and_then(|found| others(&found)) else { return Ok(()) };
        let expected = "the program, settings and data of rank 0 on every rank";
        Err(ConfigError::new("--ranks", expected, format!("others on rank {others}")).into())
    }

    /// Compares the parameters behind an epoch, and lets all stop where one was asked to.
    pub fn end_epoch(
        self,
        epoch: usize,
        params_sha256: impl FnOnce() -> Result<String, Error>,
    ) -> Result<(), Error> {
        let Some(peers) = self.0 else { return Ok(()) };
        let stops = peers.gather(&[u8::from(peers.is_asked_to_stop())]);
        if let Some(others) = others(&peers.gather(params_sha256()?.as_bytes())) {
            let what = format!("the parameters behind epoch {epoch} are not those of rank 0");
            return Err(Error::Wrong(format!("rank {others}: {what}")));
        }
        if stops.concat().contains(&1) {
            peers.stop();
        }
        Ok(())
    }
}

/// The ranks that brought something else than the first one.
fn others(found: &[Vec<u8>]) -> Option<String> {
    let ranks = found.iter().enumerate().filter(|(_, own)| Some(*own) != found.first());
    let names: Vec<String> = ranks.map(|(rank, _)| rank.to_string()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// As ranks hand them to each other.
pub(super) fn bytes_of(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Back from there.
pub(super) fn values_of(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}
