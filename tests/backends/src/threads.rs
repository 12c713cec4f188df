//! [`Threads`]: any backend in a rayon pool of its own.

use presam_conformance::{Answer, Backend, Case, Scope};
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

/// A backend whose steps run in a pool of a fixed number of threads.
#[derive(Debug)]
pub struct Threads<B> {
    pool: ThreadPool,
    backend: B,
}

impl<B> Threads<B> {
    /// `backend` in a pool of `threads`.
    ///
    /// # Errors
    /// The pool's.
    pub fn new(threads: usize, backend: B) -> Result<Self, ThreadPoolBuildError> {
        Ok(Self { pool: ThreadPoolBuilder::new().num_threads(threads).build()?, backend })
    }
}

impl<R: Sync, B: Backend<R> + Send> Backend<R> for Threads<B>
where
    Answer<R>: Send,
{
    fn scope(&self) -> Scope {
        self.backend.scope()
    }

    fn step(&mut self, case: &Case<R>) -> Result<Answer<R>, String> {
        let backend = &mut self.backend;
        self.pool.install(|| backend.step(case))
    }
}
