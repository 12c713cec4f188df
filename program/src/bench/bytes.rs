//! The bytes of a phase: the only place where they are counted.
//!
//! ```text
//! accumulate        norm_reads               what the rule's norm term reads
//! ascend            3 + 2 M + I              w, g read, perturbed written; memory both ways; inputs
//! ascend in place   4 + 2 M + I              the same, and the backup written
//! restore           2
//! descend           3 + 2 S                  w both ways, g~ read; state both ways
//! step              accumulate + ascend + descend
//! ```
//!
//! planes of four bytes a parameter. The line that a store fetches first is not counted, here or in the copy.

use presam::VariantInfo;

use super::{Base, Phase};

/// Bytes of an `f32`.
const FLOAT: u64 = 4;

/// What decides the traffic of a rule with a base optimizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// Planes that the norm pass reads.
    pub norm_reads: u64,
    /// Memory planes, M.
    pub memory: u64,
    /// Input planes, I.
    pub inputs: u64,
    /// State planes of the base optimizer, S.
    pub state: u64,
}

impl Traffic {
    /// That of `rule` with `base`.
    pub fn of(rule: &VariantInfo, base: Base) -> Self {
        Self {
            norm_reads: rule.norm_reads as u64,
            memory: rule.memory as u64,
            inputs: rule.inputs as u64,
            state: base.state(),
        }
    }

    /// Bytes read and written by `phase` for each parameter.
    pub fn bytes(self, phase: Phase) -> u64 {
        FLOAT * self.planes(phase)
    }

    fn planes(self, phase: Phase) -> u64 {
        let extra = 2 * self.memory + self.inputs;
        match phase {
            Phase::Accumulate => self.norm_reads,
            Phase::Ascend => 3 + extra,
            Phase::AscendInPlace => 4 + extra,
            Phase::Restore => 2,
            Phase::Descend => 3 + 2 * self.state,
            Phase::Step => [Phase::Accumulate, Phase::Ascend, Phase::Descend]
                .map(|phase| self.planes(phase))
                .iter()
                .sum(),
        }
    }
}

/// Bytes of memory for `params` parameters: params, two gradients, perturbed and one to check against;
/// memory, inputs and state; and the copy's two buffers, which hold the bytes of `phase` together.
pub fn room(traffic: Traffic, phase: Phase, params: u64) -> u64 {
    let planes = 5 + traffic.memory + traffic.inputs + traffic.state;
    params.saturating_mul(FLOAT * planes + traffic.bytes(phase))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(rule: &str, base: Base) -> [u64; 6] {
        let info = presam::variants::ALL.iter().find(|info| info.name == rule).unwrap();
        Phase::ALL.map(|phase| Traffic::of(info, base).bytes(phase))
    }

    #[test]
    fn the_costs_that_the_core_documents() {
        assert_eq!(bytes("sam", Base::SgdMomentum), [4, 12, 16, 8, 20, 36]);
        // w, g, m, v; then w g m v read and perturbed m v written.
        assert_eq!(bytes("info-asam", Base::SgdMomentum), [16, 28, 32, 8, 20, 64]);
        assert_eq!(bytes("masked-sam", Base::AdamW), [8, 16, 20, 8, 28, 52]);
    }

    #[test]
    fn a_whole_step_is_what_the_list_of_methods_says() {
        // That list leaves out rules with inputs, which a training run does not have.
        let listed = presam::variants::ALL.iter().filter(|info| info.inputs == 0);
        for info in listed {
            let method = crate::methods::find(info.name).unwrap();
            let step = Traffic::of(info, Base::SgdMomentum).bytes(Phase::Step);
            assert_eq!(step, u64::from(method.step_bytes()), "{}", info.name);
        }
    }

    #[test]
    fn room_holds_the_planes_and_the_copy() {
        let sam = Traffic { norm_reads: 1, memory: 0, inputs: 0, state: 1 };
        assert_eq!(room(sam, Phase::Step, 1000), 1000 * (4 * 6 + 36));
        assert_eq!(room(sam, Phase::Step, u64::MAX), u64::MAX);
    }
}
