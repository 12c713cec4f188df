//! [`Reference`]: the core's answers to a first step, share by share, so that no size is too large for the
//! host's memory. Every number of a plane depends on its place alone: shares are made when they are looked at.

use std::ops::Range;
use std::sync::Arc;
use std::thread;

use presam::{DynVariant, LengthRule, Outcome, PartialNorm, RuleState, Scale, ScaledNorm};

use crate::bench::Shape;
use crate::bench::cpu::shard::{Order, Reply, Rules, Shard};
use crate::bench::cpu::tensor::{Tensor, share};
use crate::error::Error;

/// Parameters of a share.
const SHARE: usize = 1 << 21;

/// The same planes as the device's, on the CPU.
pub(super) struct Reference {
    pub rules: Rules,
    pub shape: Arc<Shape>,
    pub threads: usize,
}

/// Is shown the pieces of a share with their elements, and the reply to its last order.
type Look<'l> = dyn FnMut(&[Range<u64>], &[Tensor], Reply) -> Result<(), Error> + 'l;

/// The end of the norm pass.
pub(super) struct Norm {
    pub norm: ScaledNorm<f32>,
    pub scale: Scale<f32>,
}

impl Reference {
    /// Makes fresh shares, has each obey `orders`, and shows their pieces in order, with their elements.
    pub fn each(&self, orders: &[Order], look: &mut Look<'_>) -> Result<(), Error> {
        let of = self.shape.params().div_ceil(SHARE).max(1);
        for first in (0..of).step_by(self.threads) {
            let batch = first..of.min(first + self.threads);
            let made: Vec<_> = thread::scope(|scope| {
                let begun: Vec<_> = batch
                    .clone()
                    .map(|index| scope.spawn(move || self.made(index, of, orders)))
                    .collect();
                begun.into_iter().map(thread::ScopedJoinHandle::join).collect()
            });
            for (index, made) in batch.zip(made) {
                let lost = |_| Error::Wrong("a thread of the reference ended early".into());
                let (shard, reply) = made.map_err(lost)??;
                look(&share(&self.shape, index, of).pieces, &shard.tensors, reply)?;
            }
        }
        Ok(())
    }

    fn made(&self, index: usize, of: usize, orders: &[Order]) -> Result<(Shard, Reply), Error> {
        let mut shard = Shard::new(self.rules, &self.shape, index, of);
        let mut reply = Reply::NONE;
        for &order in orders {
            reply = shard.obey(order)?;
        }
        Ok((shard, reply))
    }

    /// The norm of the whole and the scale of the first ascent.
    pub fn norm(&self, rho: f32) -> Result<Norm, Error> {
        let (mut sums, mut state) = (PartialNorm::new(), RuleState::new());
        self.each(&[Order::Accumulate(state)], &mut |_, _, reply| Ok(sums.merge(&reply.norm)?))?;
        let ascent = self.rules.variant.finish(&sums, &mut state)?;
        if ascent.outcome != Outcome::Finite {
            let what = format!("the core's first step: expected a finite norm, found {ascent:?}");
            return Err(Error::Wrong(what));
        }
        let scale = ascent.scale(rho, LengthRule::NORMALISED)?;
        Ok(Norm { norm: ascent.norm, scale })
    }
}
