//! [`Team`]: threads that stay, each with its shard and its share of the copy. The caller's is the first.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use presam_bandwidth::{read, triad};

use super::shard::{Order, Reply, Rules, Shard};
use crate::bench::Shape;
use crate::error::Error;

/// Fewer parameters stay on one thread: waking another costs more than it saves.
const SPLIT_FROM: usize = 1 << 17;
/// Floats of a page. Buffers begin at the same place of a page each: a store and a load that differ in
/// their pages alone are first taken for one address.
const PAGE: usize = 1024;

/// What every thread of a team is told.
#[derive(Clone)]
pub(super) enum Task {
    /// Give up the shard and make one of `of` of these rules and this shape.
    Build { rules: Rules, shape: Arc<Shape>, of: usize },
    /// Pass an order on to the shard.
    Order(Order),
    /// Hold buffers for a copy and a triad that write so many floats in all.
    Size { copy: usize, triad: usize },
    /// Copy: b = a.
    Copy,
    /// STREAM's triad: c = a + 3 b.
    Triad,
    /// Find every float written by both.
    CheckBandwidth,
    /// Fill the caches with other data.
    Evict,
}

/// What a thread holds.
struct Seat {
    index: usize,
    of: usize,
    shard: Option<Shard>,
    /// Of copy and triad, one behind the other.
    buffer: Vec<f32>,
    /// Floats that a copy writes, and a triad.
    copy: usize,
    triad: usize,
    last_cache: usize,
    other_data: Vec<u64>,
}

impl Seat {
    fn new(index: usize, last_cache: usize) -> Self {
        let (buffer, other_data) = (Vec::new(), Vec::new());
        Self { index, of: 1, shard: None, buffer, copy: 0, triad: 0, last_cache, other_data }
    }

    fn work(&mut self, task: &Task) -> Result<Reply, Error> {
        match task {
            Task::Build { rules, shape, of } => self.build(*rules, shape, *of),
            Task::Order(order) => {
                return self.shard.as_mut().map_or(Ok(Reply::NONE), |shard| shard.obey(*order));
            }
            Task::Size { copy, triad } => self.size(*copy, *triad),
            Task::Copy => self.copy(),
            Task::Triad => self.triad(),
            Task::CheckBandwidth => self.check_bandwidth()?,
            Task::Evict => {
                black_box(read(&self.other_data));
            }
        }
        Ok(Reply::NONE)
    }

    fn build(&mut self, rules: Rules, shape: &Shape, of: usize) {
        (self.shard, self.buffer, self.of) = (None, Vec::new(), of);
        if self.index < of {
            self.shard = Some(Shard::new(rules, shape, self.index, of));
            // Together twice the last cache, so that nothing of what was there before is left.
            let words = 2 * self.last_cache / size_of::<u64>() / of;
            self.other_data.resize(words, 1);
        }
    }

    fn size(&mut self, copy: usize, triad: usize) {
        let share =
            |floats: usize| floats * (self.index + 1) / self.of - floats * self.index / self.of;
        (self.copy, self.triad) = (share(copy), share(triad));
        let pages = |floats: usize| floats.next_multiple_of(PAGE);
        let len = (2 * pages(self.copy)).max(3 * pages(self.triad));
        if self.buffer.len() < len {
            // The old one goes first: both together might not fit.
            self.buffer = Vec::new();
            self.buffer.resize(len, 1.0);
        }
    }

    /// `count` buffers of `floats` each.
    fn buffers<const N: usize>(&mut self, floats: usize) -> [&mut [f32]; N] {
        let mut buffers = self.buffer.chunks_mut(floats.next_multiple_of(PAGE).max(1));
        std::array::from_fn(|_| &mut buffers.next().unwrap_or_default()[..floats])
    }

    fn copy(&mut self) {
        let [a, b] = self.buffers(self.copy);
        b.copy_from_slice(a);
        black_box(&mut self.buffer);
    }

    fn triad(&mut self) {
        let [a, b, c] = self.buffers(self.triad);
        triad(a, b, c);
        black_box(&mut self.buffer);
    }

    fn check_bandwidth(&mut self) -> Result<(), Error> {
        let complete = |what: &str, written: &[f32], expected: f32| match written
            .iter()
            .position(|value| *value != expected)
        {
            None => Ok(()),
            Some(i) => Err(Error::Wrong(format!("the {what} left out float {i}"))),
        };
        self.buffer.fill(1.0);
        self.buffers::<2>(self.copy)[1].fill(0.0);
        self.copy();
        complete("copy", self.buffers::<2>(self.copy)[1], 1.0)?;
        self.triad();
        complete("triad", self.buffers::<3>(self.triad)[2], 4.0)
    }
}

/// A thread beside the caller's; it ends when its tasks do.
struct Worker {
    tasks: Sender<Task>,
    replies: Receiver<Result<Reply, Error>>,
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

    /// Shards of rules and a shape on as many threads as are worth it.
    pub fn build(&mut self, rules: Rules, shape: &Arc<Shape>) -> Result<(), Error> {
        let all = self.workers.len() + 1;
        let of = if shape.params() < SPLIT_FROM { 1 } else { all };
        // All are told, so that those who rest give up what they held.
        self.active = all;
        self.run(&Task::Build { rules, shape: Arc::clone(shape), of })?;
        self.active = of;
        Ok(())
    }

    /// Lets every active thread do `task`, and returns when the last is done.
    pub fn run(&mut self, task: &Task) -> Result<Reply, Error> {
        let gone = || Error::Wrong("a thread of the benchmark ended early".into());
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
