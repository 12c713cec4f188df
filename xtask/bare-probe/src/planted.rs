//! Faults on purpose: the search must find each of them before it may call the real object clean.

/// An index that some input takes out of bounds, by typed and by erased phases.
#[cfg(any(feature = "planted-index", feature = "planted-erased"))]
mod index {
    use presam::{
        Armed, AscentRule, Cpu, DynVariant, Element, Erased, Error, PartialNorm, Planes, RuleState,
        Variant,
    };

    #[derive(Clone, Copy)]
    struct Indexing;

    impl Variant<f32, 0, 0> for Indexing {
        type Rule = Self;

        fn arm(self, _: &RuleState<f32>) -> Self {
            self
        }
    }

    impl AscentRule<f32, 0, 0> for Indexing {
        fn norm_term(self, e: Element<f32, 0, 0>) -> f32 {
            [e.param, e.grad][e.grad.to_bits() as usize]
        }

        fn direction(self, e: Element<f32, 0, 0>) -> f32 {
            e.grad
        }
    }

    #[cfg(feature = "planted-index")]
    #[unsafe(export_name = "probe_planted_index")]
    pub fn planted(w: &[f32], g: &[f32], norm: &mut PartialNorm<f32>) -> Result<(), Error> {
        Cpu::plain().accumulate_norm(Indexing, w, g, [], [], norm)
    }

    #[cfg(feature = "planted-erased")]
    #[unsafe(export_name = "probe_planted_erased")]
    pub fn erased(w: &[f32], g: &[f32], norm: &mut PartialNorm<f32>) -> Result<(), Error> {
        let rule: &dyn DynVariant<f32> = &Erased::variant::<f32>(Indexing);
        let at = Armed::new(Cpu::plain(), RuleState::new());
        rule.accumulate_norm(&at, w, g, Planes::none(), Planes::none(), norm)
    }
}

/// A name taken for granted.
#[cfg(feature = "planted-any")]
#[unsafe(export_name = "probe_planted_any")]
pub fn by_name(name: &str) -> usize {
    presam::DynVariant::planes(&presam::AnyVariant::<f32>::by_name(name).unwrap()).memory
}

/// A product that is not rounded before it is added.
#[cfg(feature = "planted-fused")]
#[unsafe(export_name = "probe_planted_fused")]
pub fn planted() {
    // SAFETY: never run; only its text is looked at. As text, since the compiler fuses nothing.
    unsafe { core::arch::asm!("vfma.f32 s0, s1, s2") }
}
