//! [`Engine`]: rules, counters and tensors of one optimizer, and what both halves of a step share.

use presam::{
    AnyBase, AnyReal, AnyVariant, BaseState, Cpu, DynBase, DynVariant, LengthRule, RuleState,
};
use presam_bridge::{Descent, Fault, Settings, length, variant};

use crate::slices::{Block, Region, Row};
use crate::threads;

/// Shorter tensors are not cut for threads (core's own limit): where all are, no pool is entered.
const SHORTEST_CUT: usize = 1 << 17;

/// A tensor and what is remembered beside it.
pub(crate) struct Tensor<R> {
    pub row: Row<R>,
    pub group: usize,
    /// Whether its backup holds the parameters.
    pub perturbed: bool,
    /// Its own counters: a tensor that takes part in fewer steps is corrected for those alone.
    pub base_state: BaseState,
}

/// Everything of one optimizer but the memory itself.
pub(crate) struct Engine<R: AnyReal> {
    pub cpu: Cpu,
    pub variant: AnyVariant<R>,
    pub base: Option<AnyBase<R>>,
    extra: Vec<String>,
    pub length: LengthRule<R>,
    pub descent: Descent<R>,
    pub rule_state: RuleState<R>,
    pub tensors: Vec<Tensor<R>>,
    params: Block<R>,
    pub groups: Vec<Settings<R>>,
    longest: usize,
    total: usize,
    /// Whether it works on several threads now.
    pooled: bool,
}

/// What an engine is made of, as Python names it.
pub(crate) struct Made<'a> {
    pub variant: (&'a str, &'a [(String, f64)]),
    /// The name of a base optimizer of core, and the keys that groups set.
    pub base: Option<(&'a str, Vec<String>)>,
    /// lambda and guard
    pub length: (f64, f64),
    /// Name and weight.
    pub descent: (&'a str, f64),
}

impl<R: AnyReal> Engine<R> {
    pub fn new(made: Made<'_>) -> Result<Self, Fault> {
        let (base, extra) = match made.base {
            Some((name, extra)) => (Some(AnyBase::by_name(name)?), extra),
            None => (None, Vec::new()),
        };
        Ok(Self {
            cpu: Cpu::detect(),
            variant: variant(made.variant.0, made.variant.1)?,
            base,
            extra,
            length: length(made.length.0, made.length.1)?,
            descent: Descent::by_name(made.descent.0, made.descent.1)?,
            rule_state: RuleState::new(),
            tensors: Vec::new(),
            params: Block::of(std::iter::empty()),
            groups: Vec::new(),
            longest: 0,
            total: 0,
            pooled: false,
        })
    }

    /// Planes of memory, inputs and state.
    pub fn planes(&self) -> [usize; 3] {
        let count = self.variant.planes();
        [count.memory, count.inputs, self.base.map_or(0, |base| base.state_planes())]
    }

    /// How many numbers the tensors have, all together.
    pub const fn total(&self) -> usize {
        self.total
    }

    /// The tensors from now on: length, group and addresses of each. Their counters begin anew.
    pub fn set_tensors(&mut self, list: &[(usize, usize, Vec<usize>)]) -> Result<(), Fault> {
        self.at_rest()?;
        let counts = self.planes();
        let tensor = |(len, group, addresses): &(usize, usize, Vec<usize>)| -> Result<_, Fault> {
            let row = Row::new(*len, addresses, counts)?;
            Ok(Tensor { row, group: *group, perturbed: false, base_state: BaseState::new() })
        };
        let tensors: Vec<_> = list.iter().map(tensor).collect::<Result<_, _>>()?;
        let params = Block::of(tensors.iter().map(|tensor| tensor.row.params()));
        if params.overlaps_itself() {
            return Err(Fault::new(
                "two parameters share memory: expected memory of its own for each".into(),
            ));
        }
        (self.tensors, self.params) = (tensors, params);
        self.longest = list.iter().map(|(len, ..)| *len).max().unwrap_or(0);
        self.total = list.iter().map(|(len, ..)| *len).sum();
        Ok(())
    }

    /// Brings the groups up to date.
    pub fn set_groups(&mut self, values: Vec<Vec<f64>>) -> Result<(), Fault> {
        Settings::renew(&mut self.groups, values, self.base, &self.extra)
    }

    /// The gradients at these addresses; 0 for a tensor that takes no part.
    pub fn gradients(&self, addresses: &[usize]) -> Result<Vec<Region<R>>, Fault> {
        if addresses.len() != self.tensors.len() {
            let (expected, found) = (self.tensors.len(), addresses.len());
            return Err(Fault::new(format!(
                "gradients: expected {expected} addresses, found {found}"
            )));
        }
        let region = |(tensor, &address): (&Tensor<R>, &usize)| {
            if address == 0 {
                return Ok(Region::EMPTY);
            }
            let region = Region::claim("gradient", address, tensor.row.len())?;
            if self.params.meets(region) {
                let words = "a gradient shares memory with a parameter: expected memory of its own, as a copy has";
                return Err(Fault::new(words.into()));
            }
            Ok(region)
        };
        self.tensors.iter().zip(addresses).map(region).collect()
    }

    /// Runs `work` on so many threads, where there is a tensor to be cut for them. What a half of a step runs so runs in one
    /// piece where it can: threads that have gone to sleep between two passes wake late, often on one core.
    pub fn on<T: Send>(
        &mut self,
        count: usize,
        work: impl FnOnce(&mut Self) -> Result<T, Fault> + Send,
    ) -> Result<T, Fault> {
        if self.pooled || count < 2 || self.longest < SHORTEST_CUT {
            return work(self);
        }
        (self.cpu, self.pooled) = (self.cpu.parallel(), true);
        let done = threads::on(count, || work(self));
        (self.cpu, self.pooled) = (Cpu::detect(), false);
        done?
    }

    /// Every perturbed tensor back from its backup. Returns how many.
    pub fn restore(&mut self) -> Result<usize, Fault> {
        let mut restored = 0;
        for tensor in self.tensors.iter_mut().filter(|tensor| tensor.perturbed) {
            let (params, backup) = tensor.row.restore();
            self.cpu.restore(params, backup)?;
            tensor.perturbed = false;
            restored += 1;
        }
        Ok(restored)
    }

    /// `Ok` where no tensor is perturbed.
    pub fn at_rest(&self) -> Result<(), Fault> {
        if self.tensors.iter().any(|tensor| tensor.perturbed) {
            return Err(Fault::new("the parameters are perturbed: the second half of the step, or a restore, comes first".into()));
        }
        Ok(())
    }

    /// As after so many steps of either kind, where the last left this mean.
    pub fn resume(&mut self, rule_steps: u64, mean: f64, base_steps: u64) -> Result<(), Fault> {
        self.rule_state = RuleState::new();
        let nothing = presam::PartialNorm::new();
        for _ in 0..rule_steps {
            let before = self.rule_state;
            self.variant.finish(&nothing, &mut self.rule_state)?;
            let dead = before.decay_power == self.rule_state.decay_power && before.steps > 1;
            if dead {
                break;
            }
        }
        self.rule_state.steps = u32::try_from(rule_steps).unwrap_or(u32::MAX);
        self.rule_state.mean = R::from_f64(mean);
        for tensor in &mut self.tensors {
            let base = self.groups.get(tensor.group).and_then(|group| group.base);
            tensor.base_state = base.map_or_else(BaseState::new, |base| after(base, base_steps));
        }
        Ok(())
    }
}

/// The counters after so many steps; what stands still is not run to the end.
fn after<R: AnyReal>(base: AnyBase<R>, steps: u64) -> BaseState {
    let mut state = BaseState::new();
    for _ in 0..steps {
        let next = base.advance(&state);
        let still = next.decay_powers == state.decay_powers;
        state = next;
        if still {
            break;
        }
    }
    state.steps = u32::try_from(steps).unwrap_or(u32::MAX);
    state
}
