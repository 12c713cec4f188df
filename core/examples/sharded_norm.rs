//! Parameters cut over processes at chunk boundaries: the norm of the whole model, in every bit.
//!
//! ```text
//! chunks    2048 elements of one tensor, the last one shorter; numbered through all tensors, n of them
//! rank r    holds chunks r n / N .. (r + 1) n / N and sums them
//! norm      what all ranks sent, merged in rank order: the same on each of them, and so is the scale
//! ```

use presam::{Asam, CHUNK, Cpu, Error, LengthRule, Part, PartialNorm, RuleState, Variant, finish};

const TENSORS: [usize; 4] = [5000, 100, 70_000, 2048];

/// What a rank sends: first and last chunk, elements and a few nodes, 12 bytes each.
type Sent = (u64, u64, u64, Vec<Part<f32>>);

fn main() -> Result<(), Error> {
    let plane = |step: f32| -> Vec<Vec<f32>> {
        let tensor = |len: usize| (0..len).map(|k| (k as f32 * step).sin()).collect();
        TENSORS.into_iter().map(tensor).collect()
    };
    let (params, grads) = (plane(0.37), plane(0.11));
    let (cpu, asam, mut state) = (Cpu::detect(), Asam::new(0.01)?, RuleState::new());
    let rule = asam.arm(&state);
    let mut whole = PartialNorm::new();
    for (w, g) in params.iter().zip(&grads) {
        cpu.accumulate_norm(rule, w, g, [], [], &mut whole)?;
    }
    let chunks: Vec<(&[f32], &[f32])> =
        params.iter().zip(&grads).flat_map(|(w, g)| w.chunks(CHUNK).zip(g.chunks(CHUNK))).collect();
    for ranks in 1..=8 {
        let sent = |rank: usize| -> Result<Sent, Error> {
            let own = rank * chunks.len() / ranks..(rank + 1) * chunks.len() / ranks;
            let mut norm = PartialNorm::starting_at(own.start as u64);
            for (w, g) in &chunks[own] {
                cpu.accumulate_norm(rule, w, g, [], [], &mut norm)?;
            }
            Ok((norm.start(), norm.end(), norm.counted(), norm.nodes().to_vec()))
        };
        let mut norm = PartialNorm::new();
        for rank in 0..ranks {
            let (start, end, counted, nodes) = sent(rank)?;
            norm.merge(&PartialNorm::from_nodes(start, end, counted, &nodes)?)?;
        }
        assert_eq!((norm.total()?, norm.counted()), (whole.total()?, whole.counted()));
    }
    let scale = finish(asam, &whole, &mut state)?.scale(0.5, LengthRule::NORMALISED)?;
    println!("{} chunks over 1 to 8 ranks: one norm, one scale {scale:?}", chunks.len());
    Ok(())
}
