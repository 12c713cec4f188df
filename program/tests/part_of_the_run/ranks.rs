//! Ranks that are threads: the bits of one process that takes all parts, and what one of them does that is not like the
//! others.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;

use presam_program::config::Config;
use presam_program::error::Error;
use presam_program::report::Results;
use presam_program::train::{Checkpoints, Peers, run_kept, run_ranks};

#[cfg(not(feature = "mpi"))]
use crate::common::refused;
use crate::common::{compare, config, timeless};

/// The last batch of an epoch has one example: only the first part.
const STUDY: &str = "seeds = 1\nepochs = 3\nhidden = 8\ntrain_samples = 97\nbatch = 32\nthreads = 1\n\
     methods = [\"sgd\", \"sam\", \"info-asam\", \"look-sam\", \"momentum-sam\", \"gsam\"]\n\
     [set.look-sam]\ninterval = 2\n";

/// What the threads share.
struct Table {
    barrier: Barrier,
    brought: Mutex<Vec<Vec<u8>>>,
}

/// A rank that is a thread.
struct Rank<'t> {
    rank: usize,
    size: usize,
    table: &'t Table,
    /// Whether the next gradient that this rank is handed is not what it was sent.
    slips: AtomicBool,
    asked: bool,
    stop: AtomicBool,
}

impl Peers for Rank<'_> {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn gather(&self, own: &[u8]) -> Vec<Vec<u8>> {
        self.table.brought.lock().expect("no rank fails")[self.rank] = own.to_vec();
        self.table.barrier.wait();
        let mut all = self.table.brought.lock().expect("no rank fails").clone();
        self.table.barrier.wait();
        if all[0].len() > 1000 && self.slips.swap(false, Ordering::Relaxed) {
            all[0][603] ^= 0x40;
        }
        all
    }

    fn is_asked_to_stop(&self) -> bool {
        self.asked
    }

    fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    fn end(&self, _: u8) {}
}

/// What each rank comes to; the last one `slips`, or is `asked` to stop, and takes `other` for its configuration.
fn ranks(
    own: &Config,
    size: usize,
    kept: Option<&Path>,
    [slips, asked]: [bool; 2],
    other: &Config,
) -> Vec<Result<Results, Error>> {
    let table = Table { barrier: Barrier::new(size), brought: Mutex::new(vec![Vec::new(); size]) };
    let rank = |rank: usize| {
        let is_last = rank + 1 == size;
        let (slips, stop) = (AtomicBool::new(slips && is_last), AtomicBool::new(false));
        let peer = Rank { rank, size, table: &table, slips, asked: asked && is_last, stop };
        let kept =
            kept.map(|folder| Checkpoints { folder, every: 1, resume: true, stop: &peer.stop });
        run_ranks(if is_last { other } else { own }, &peer, kept.as_ref(), &|_| {})
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..size).map(|number| scope.spawn(move || rank(number))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no rank fails")).collect()
    })
}

#[test]
#[cfg(not(feature = "mpi"))]
fn a_program_without_mpi_says_how_to_build_one_with() {
    let message = refused(&["--ranks"]);
    let words = "error: --ranks: expected a program with the feature mpi, found one without (";
    assert!(message.starts_with(words), "{message}");
}

#[test]
fn so_many_ranks_have_the_records_of_one_process_that_takes_the_parts_in_turn() {
    for (size, perturb) in [(2, "synchronised"), (3, "synchronised"), (3, "local"), (1, "local")] {
        let study = format!("parts = {size}\nperturb = \"{perturb}\"\n{STUDY}");
        let (alone, own) = (compare(&study), config(&study));
        let mut found = ranks(&own, size, None, [false; 2], &own).into_iter().map(Result::unwrap);
        let first = found.next().unwrap();
        assert_eq!(first.command, alone.command);
        for (first, alone) in first.runs.iter().zip(&alone.runs) {
            assert_eq!(timeless(first), timeless(alone), "{size} {perturb}");
        }
        assert!(found.all(|other| other.digest == alone.digest), "{size} {perturb}");
    }
}

#[test]
fn a_rank_that_differs_is_named_on_every_rank() {
    let own = config(STUDY);
    let told = |slips, other: &Config| {
        let found = ranks(&own, 3, None, [slips, false], other).into_iter();
        let told: Vec<String> = found.map(|found| found.unwrap_err().to_string()).collect();
        assert!(told.iter().all(|line| *line == told[0]), "{told:?}");
        told[0].clone()
    };
    assert_eq!(told(true, &own), "rank 2: the parameters behind epoch 1 are not those of rank 0");
    let other =
        config(&format!("train_samples = 96\n{}", STUDY.replace("train_samples = 97\n", "")));
    let words = "--ranks: expected the program, settings and data of rank 0 on every rank, found others on rank 2";
    assert_eq!(told(false, &other), words);
}

#[test]
fn ranks_stop_together_and_one_process_goes_on_with_what_each_part_remembers() {
    for (perturb, epochs) in [("synchronised", 8), ("local", 8), ("local", 11)] {
        let study = format!("parts = 3\nperturb = \"{perturb}\"\n{STUDY}");
        let (own, place) = (config(&study), tempfile::tempdir().unwrap());
        // An epoch each time: info-asam, or look-sam, has one left.
        for _ in 0..epochs {
            for found in ranks(&own, 3, Some(place.path()), [false, true], &own) {
                assert!(matches!(found, Err(Error::Interrupted(_))));
            }
        }
        let stop = AtomicBool::new(false);
        let kept = Checkpoints { folder: place.path(), every: 1, resume: true, stop: &stop };
        let ended = run_kept(&own, Some(&kept), &|_| {}).unwrap();
        for (ended, whole) in ended.runs.iter().zip(&compare(&study).runs) {
            assert_eq!(timeless(ended), timeless(whole), "{perturb} {epochs}");
        }
    }
}
