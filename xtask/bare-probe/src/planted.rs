//! Faults on purpose: the search must find each of them before it may call the real object clean.

/// An index that some input takes out of bounds.
#[cfg(feature = "planted-index")]
mod index {
    use presam::{AscentRule, Cpu, Element, Error, PartialNorm};

    #[derive(Clone, Copy)]
    struct Indexing;

    impl AscentRule<f32, 0, 0> for Indexing {
        fn norm_term(self, e: Element<f32, 0, 0>) -> f32 {
            [e.param, e.grad][e.grad.to_bits() as usize]
        }

        fn direction(self, e: Element<f32, 0, 0>) -> f32 {
            e.grad
        }
    }

    #[unsafe(export_name = "probe_planted_index")]
    pub fn planted(w: &[f32], g: &[f32], norm: &mut PartialNorm<f32>) -> Result<(), Error> {
        Cpu::plain().accumulate_norm(Indexing, w, g, [], [], norm)
    }
}

/// A product that is not rounded before it is added.
#[cfg(feature = "planted-fused")]
#[unsafe(export_name = "probe_planted_fused")]
pub fn planted() {
    // SAFETY: never run; only its text is looked at. As text, since the compiler fuses nothing.
    unsafe { core::arch::asm!("vfma.f32 s0, s1, s2") }
}
