//! [`Team`]: threads that stay, each with its shard and its share of the copy. The caller's is the first.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use super::rules::Entry;
use super::shard::{Order, Reply, Shard};
use crate::bench::{BenchError, Shape};

/// Fewer parameters stay on one thread: waking another costs more than it saves.
const SPLIT_FROM: usize = 1 << 17;
/// A read of one word brings in a whole line.
const LINE: usize = 8;

/// What every thread of a team is told.
#[derive(Clone)]
pub(super) enum Task {
    /// Give up the shard and make one of `of` of this rule and shape.
    Build { entry: Entry, shape: Arc<Shape>, of: usize },
    /// Pass an order on to the shard.
    Order(Order),
    /// Hold two buffers for a copy of so many floats in all.
    SizeCopy(usize),
    /// Copy.
    Copy,
    /// Find every float copied.
    CheckCopy,
    /// Fill the caches with other data.
    Evict,
}

/// What a thread holds.
struct Seat {
    index: usize,
    of: usize,
    shard: Option<Box<dyn Shard>>,
    from: Vec<f32>,
    to: Vec<f32>,
    /// Floats of the buffers that a copy takes.
    floats: usize,
    last_cache: usize,
    other_data: Vec<u64>,
}

impl Seat {
    fn new(index: usize, last_cache: usize) -> Self {
        let (from, to, other_data) = (Vec::new(), Vec::new(), Vec::new());
        Self { index, of: 1, shard: None, from, to, floats: 0, last_cache, other_data }
    }

    fn work(&mut self, task: &Task) -> Result<Reply, BenchError> {
        match task {
            Task::Build { entry, shape, of } => self.build(entry, shape, *of)?,
            Task::Order(order) => {
                return self.shard.as_mut().map_or(Ok(Reply::NONE), |shard| shard.obey(*order));
            }
            Task::SizeCopy(floats) => self.size_copy(*floats),
            Task::Copy => {
                self.to[..self.floats].copy_from_slice(&self.from[..self.floats]);
                black_box(&mut self.to);
            }
            Task::CheckCopy => self.check_copy()?,
            Task::Evict => {
                let words = self.other_data.iter().step_by(LINE);
                black_box(words.fold(0, |sum: u64, word| sum.wrapping_add(*word)));
            }
        }
        Ok(Reply::NONE)
    }

    fn build(&mut self, entry: &Entry, shape: &Shape, of: usize) -> Result<(), BenchError> {
        (self.shard, self.from, self.to, self.of) = (None, Vec::new(), Vec::new(), of);
        if self.index < of {
            self.shard = Some((entry.make)(entry.info.name, shape, self.index, of)?);
            // Together twice the last cache, so that nothing of what was there before is left.
            let words = 2 * self.last_cache / size_of::<u64>() / of;
            self.other_data.resize(words, 1);
        }
        Ok(())
    }

    fn size_copy(&mut self, floats: usize) {
        self.floats = floats * (self.index + 1) / self.of - floats * self.index / self.of;
        if self.from.len() < self.floats {
            // The old ones go first: both together might not fit.
            (self.from, self.to) = (Vec::new(), Vec::new());
            self.from = vec![1.0; self.floats];
            self.to = vec![0.0; self.floats];
        }
        self.to[..self.floats].fill(0.0);
    }

    fn check_copy(&self) -> Result<(), BenchError> {
        match self.to[..self.floats].iter().position(|value| *value != 1.0) {
            None => Ok(()),
            Some(i) => Err(BenchError::Wrong(format!("the copy left out float {i}"))),
        }
    }
}

/// A thread beside the caller's; it ends when its tasks do.
struct Worker {
    tasks: Sender<Task>,
    replies: Receiver<Result<Reply, BenchError>>,
}

impl Worker {
    fn new(mut seat: Seat) -> Self {
        let (tasks, inbox) = channel::<Task>();
        let (outbox, replies) = channel();
        thread::spawn(move || {
            for task in inbox {
                if outbox.send(seat.work(&task)).is_err() {
                    return;
                }
            }
        });
        Self { tasks, replies }
    }
}

/// Threads that do the same thing at the same time, each with its own planes.
pub(super) struct Team {
    own: Seat,
    workers: Vec<Worker>,
    /// Threads that take part, the caller's included.
    active: usize,
}

impl Team {
    pub fn new(threads: usize, last_cache: u64) -> Self {
        let seat = |index| Seat::new(index, last_cache as usize);
        let workers = (1..threads).map(|index| Worker::new(seat(index))).collect();
        Self { own: seat(0), workers, active: 1 }
    }

    /// Shards of a rule and shape on as many threads as are worth it.
    pub fn build(&mut self, entry: Entry, shape: &Arc<Shape>) -> Result<(), BenchError> {
        let all = self.workers.len() + 1;
        let of = if shape.params() < SPLIT_FROM { 1 } else { all };
        // All are told, so that those who rest give up what they held.
        self.active = all;
        self.run(&Task::Build { entry, shape: Arc::clone(shape), of })?;
        self.active = of;
        Ok(())
    }

    /// Lets every active thread do `task`, and returns when the last is done.
    pub fn run(&mut self, task: &Task) -> Result<Reply, BenchError> {
        let gone = || BenchError::Wrong("a thread of the benchmark ended early".into());
        let workers = &self.workers[..self.active - 1];
        let sent = workers.iter().all(|worker| worker.tasks.send(task.clone()).is_ok());
        let own = self.own.work(task);
        if !sent {
            return Err(gone());
        }
        // Every reply is taken, so that none is mistaken for that of the next task.
        let replies: Vec<_> = workers.iter().map(|worker| worker.replies.recv()).collect();
        let mut whole = own?;
        for reply in replies {
            let reply = reply.map_err(|_| gone())??;
            whole.norm.merge(&reply.norm)?;
            whole.sum += reply.sum;
        }
        Ok(whole)
    }
}
