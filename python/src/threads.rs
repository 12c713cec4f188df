//! As many threads as the caller's framework uses: its own where they can be had, or pools that are kept.

use std::sync::{Arc, Mutex, PoisonError};

use presam_bridge::Fault;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::team::Team;

/// A pool of a process: a fork has none of its parent's threads.
struct Kept {
    process: u32,
    threads: usize,
    pool: Arc<ThreadPool>,
}

static POOLS: Mutex<Vec<Kept>> = Mutex::new(Vec::new());

/// Runs `work` where rayon's current pool has `threads` threads.
pub(crate) fn on<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> Result<T, Fault> {
    match Team::of(threads) {
        Some(team) => team.on(threads, work),
        None => Ok(pool(threads)?.install(work)),
    }
}

fn pool(threads: usize) -> Result<Arc<ThreadPool>, Fault> {
    let process = std::process::id();
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(kept) = pools.iter().find(|k| k.process == process && k.threads == threads) {
        return Ok(Arc::clone(&kept.pool));
    }
    let named = |index| format!("presam-{index}");
    let pool = ThreadPoolBuilder::new().num_threads(threads).thread_name(named).build();
    let pool =
        pool.map_err(|error| Fault::new(format!("threads: {threads} did not start: {error}")))?;
    let pool = Arc::new(pool);
    pools.push(Kept { process, threads, pool: Arc::clone(&pool) });
    Ok(pool)
}
