//! [`World`]: MPI's processes. All calls of the MPI library are here.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use mpi::Count;
use mpi::datatype::PartitionMut;
use mpi::environment::Universe;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives};

use crate::command::say::aside;
use crate::error::INTERRUPTED;
use crate::train::Peers;

/// Bytes that are gathered at once: MPI counts them in 31 bits.
const MOST: usize = 1 << 30;
/// How often a rank looks whether it waits in vain.
const LOOK: Duration = Duration::from_millis(100);
/// So many looks in one gather are in vain once this process is to stop. Open MPI kills a second after it has asked.
const LOOKS: usize = 6;

/// The processes that one `mpirun` started.
pub(crate) struct World {
    rank: usize,
    size: usize,
    asked: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
    /// Gathers begun and ended: odd while this process waits in one.
    gathers: Arc<AtomicUsize>,
    /// MPI's end.
    _universe: Universe,
}

impl World {
    /// Starts MPI; `None` where it was started before. What the arguments are, `super::ranks::open` says.
    pub fn open(
        asked: &Arc<AtomicBool>,
        stop: &Arc<AtomicBool>,
        checkpoint: Option<&Path>,
    ) -> Option<Self> {
        let universe = mpi::initialize()?;
        let world = universe.world();
        let (rank, size) = (world.rank() as usize, world.size() as usize);
        let gathers = Arc::<AtomicUsize>::default();
        if size > 1 {
            let says = format!("rank {rank}: {GONE}; {}", left(checkpoint));
            let (asked, gathers) = (Arc::clone(asked), Arc::clone(&gathers));
            std::thread::spawn(move || watch(&asked, &gathers, &says));
        }
        let (asked, stop) = (Arc::clone(asked), Arc::clone(stop));
        Some(Self { rank, size, asked, stop, gathers, _universe: universe })
    }
}

const GONE: &str =
    "asked to stop, waited in vain for another rank (mpirun's own message names one that is gone)";

/// What there is to go on with.
fn left(checkpoint: Option<&Path>) -> String {
    match checkpoint {
        Some(folder) => format!(
            "{} holds what each run last wrote: the same command with --resume goes on",
            folder.display()
        ),
        None => "nothing was kept: --checkpoint DIR keeps each run".to_owned(),
    }
}

/// Ends a process that waits for others in vain: where a rank dies, `mpirun` asks the others to end, and kills them a
/// second later without a word.
fn watch(asked: &AtomicBool, gathers: &AtomicUsize, says: &str) {
    let (mut last, mut looks) = (0, 0);
    while looks < LOOKS {
        std::thread::sleep(LOOK);
        let now = gathers.load(Ordering::Relaxed);
        let waits = asked.load(Ordering::Relaxed) && now == last && now % 2 == 1;
        looks = if waits { looks + 1 } else { 0 };
        last = now;
    }
    aside(format_args!("error: {says}"));
    std::process::exit(INTERRUPTED.into());
}

impl Peers for World {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn gather(&self, own: &[u8]) -> Vec<Vec<u8>> {
        self.gathers.fetch_add(1, Ordering::Relaxed);
        let all = gathered(own, self.size);
        self.gathers.fetch_add(1, Ordering::Relaxed);
        all
    }

    fn is_asked_to_stop(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    fn end(&self, code: u8) {
        SimpleCommunicator::world().abort(code.into())
    }
}

/// The lengths first, then as much of each in a round as MPI can count.
fn gathered(own: &[u8], size: usize) -> Vec<Vec<u8>> {
    let world = SimpleCommunicator::world();
    let mut lens = vec![0_usize; size];
    world.all_gather_into(&own.len(), &mut lens[..]);
    let mut all: Vec<Vec<u8>> = lens.iter().map(|&len| Vec::with_capacity(len)).collect();
    let most = MOST / size;
    for start in (0..lens.iter().copied().max().unwrap_or(0)).step_by(most) {
        let counts: Vec<Count> =
            lens.iter().map(|len| len.saturating_sub(start).min(most) as Count).collect();
        let places = counts.iter().scan(0, |end, count| {
            *end += count;
            Some(*end - count)
        });
        let places: Vec<Count> = places.collect();
        let mut round = vec![0_u8; counts.iter().sum::<Count>() as usize];
        let share = own.get(start..).unwrap_or_default();
        let share = share.get(..most).unwrap_or(share);
        let mut parts = PartitionMut::new(&mut round[..], counts.as_slice(), places.as_slice());
        world.all_gather_varcount_into(share, &mut parts);
        let mut rest = round.as_slice();
        for (all, &count) in all.iter_mut().zip(&counts) {
            all.extend_from_slice(rest.split_off(..count as usize).unwrap_or_default());
        }
    }
    all
}
