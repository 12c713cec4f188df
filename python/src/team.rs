//! The threads of the OpenMP runtime that the process has loaded, which are PyTorch's.
//!
//! Its team spins for milliseconds after each operation. Threads of another pool would share the processors with it;
//! here the team's threads become rayon's for as long as a half of a step takes, and are the team's again.
#![allow(unsafe_code, reason = "a C function is found by its name and called")]

use std::ffi::{CStr, c_int, c_uint, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, OnceLock, PoisonError};

use presam_bridge::Fault;
use rayon::{ThreadBuilder, ThreadPoolBuilder};

/// `GOMP_parallel(body, data, threads, flags)`, of GNU's runtime and LLVM's: `body(data)` on each thread of a team of at
/// most so many, the calling one among them. Returns when all have.
type Parallel = unsafe extern "C" fn(extern "C" fn(*mut c_void), *mut c_void, c_uint, c_uint);

/// How many threads a team has now, which PyTorch sets.
type MaxThreads = unsafe extern "C" fn() -> c_int;

/// A runtime's two functions.
#[derive(Clone, Copy)]
pub(crate) struct Team {
    parallel: Parallel,
    max_threads: MaxThreads,
}

/// The process that has the runtime's threads: a fork has none of them, and would wait for them for ever.
static PROCESS: OnceLock<u32> = OnceLock::new();

/// Remembers the process that loads the module.
pub(crate) fn begin() {
    PROCESS.get_or_init(std::process::id);
}

impl Team {
    /// That of this process, where something has loaded one for all to see and it has so many threads: a team that changes
    /// its number starts threads anew, in the framework's next operation too.
    pub fn of(threads: usize) -> Option<Self> {
        if PROCESS.get() != Some(&std::process::id()) {
            return None;
        }
        // Found once; looked for again until then, for PyTorch may be imported later.
        static FOUND: OnceLock<Team> = OnceLock::new();
        let team = match FOUND.get() {
            Some(&found) => found,
            None => *FOUND.get_or_init({
                let found = found()?;
                move || found
            }),
        };
        // SAFETY: a function of this signature by its documentation.
        let most = unsafe { (team.max_threads)() };
        (usize::try_from(most) == Ok(threads)).then_some(team)
    }

    /// Runs `work` where rayon's current pool is this team, of `threads` threads.
    pub fn on<T: Send>(self, threads: usize, work: impl FnOnce() -> T + Send) -> Result<T, Fault> {
        let seats = Mutex::new(Vec::new());
        let pool = ThreadPoolBuilder::new().num_threads(threads).spawn_handler(|seat| {
            held(&seats).push(seat);
            Ok(())
        });
        let fault = |why: String| Fault::new(format!("threads: {threads} did not start: {why}"));
        let pool = Mutex::new(Some(pool.build().map_err(|error| fault(error.to_string()))?));
        let mut done = None;
        let task: Box<dyn FnOnce() + Send + '_> = Box::new(|| {
            done = Some(catch_unwind(AssertUnwindSafe(work)));
            // Its threads leave their seats.
            drop(held(&pool).take());
        });
        // SAFETY: what the task borrows outlives it. Only a thread in a seat runs it, within the call below, which returns
        // after all have left theirs: after the pool has ended, which the task does last.
        let task = unsafe {
            std::mem::transmute::<Box<dyn FnOnce() + Send + '_>, Box<dyn FnOnce() + Send + 'static>>(
                task,
            )
        };
        if let Some(pool) = held(&pool).as_ref() {
            pool.spawn(task);
        }
        let data: *const Mutex<Vec<ThreadBuilder>> = &raw const seats;
        let team = c_uint::try_from(threads).unwrap_or(c_uint::MAX);
        // SAFETY: a function of this signature by its documentation; `sit` reads `data` as what it is, which lives on.
        unsafe { (self.parallel)(sit, data.cast_mut().cast(), team, 0) };
        match done {
            Some(Ok(value)) => Ok(value),
            Some(Err(panic)) => resume_unwind(panic),
            None => Err(fault("the team was empty".into())),
        }
    }
}

/// One thread of the team: a worker of the pool until that ends.
extern "C" fn sit(seats: *mut c_void) {
    // SAFETY: `Team::on` gives no other pointer, and waits for this to return.
    let seats = unsafe { &*seats.cast_const().cast::<Mutex<Vec<ThreadBuilder>>>() };
    let seat = held(seats).pop();
    if let Some(seat) = seat {
        seat.run();
    }
}

fn held<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(target_os = "linux")]
fn found() -> Option<Team> {
    // SAFETY: names that end with 0.
    let named = |name: &CStr| unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    let (parallel, max_threads) = (named(c"GOMP_parallel"), named(c"omp_get_max_threads"));
    if parallel.is_null() || max_threads.is_null() {
        return None;
    }
    // SAFETY: the functions of these names have these signatures in both runtimes.
    Some(unsafe {
        Team {
            parallel: std::mem::transmute::<*mut c_void, Parallel>(parallel),
            max_threads: std::mem::transmute::<*mut c_void, MaxThreads>(max_threads),
        }
    })
}

/// Elsewhere several runtimes in one process are usual.
#[cfg(not(target_os = "linux"))]
fn found() -> Option<Team> {
    None
}
