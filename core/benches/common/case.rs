//! [`Pair`]: our step and the naive one of a rule on one shape, found equal before they are timed.

use super::naive::{self, LEARNING_RATE, MOMENTUM, Naive, WEIGHT_DECAY};
use super::tensor::{Random, Tensor};
use super::{SPLIT_FROM, Shape};
use presam::{
    BaseOptimizer, BaseState, Cpu, Error, LengthRule, Outcome, PartialNorm, RuleState, Sgd,
    SgdMomentum, VariantInfo, finish,
};

/// The two programs to be timed.
pub trait Pair: Send {
    /// Our step; an error where its outcome is not [`Outcome::Finite`]: it would have done less work.
    fn ours(&mut self) -> Result<(), String>;
    /// The same step, naively.
    fn naive(&mut self);
}

/// A rule of the list and how to set it up.
pub struct Rule {
    pub info: VariantInfo,
    /// Counted bytes a parameter of a whole `f32` step with SGD and momentum.
    pub bytes: usize,
    /// Both programs on a shape and a number of threads (of the current rayon pool), after
    /// `VERIFIED` steps in which they agreed; else what did not.
    pub set_up: fn(&Shape, usize) -> Verified,
}

type Verified = Result<Box<dyn Pair>, String>;

impl Rule {
    fn of<V, const M: usize, const I: usize>(info: VariantInfo) -> Self
    where
        V: Naive<M, I> + Send + 'static,
    {
        const STATE: usize = 1;
        let (norm, ascend, descend) = (info.norm_reads, 3 + 2 * M + I, 3 + 2 * STATE);
        Self { info, bytes: 4 * (norm + ascend + descend), set_up: set_up::<V, M, I> }
    }
}

/// Every rule of presam. One without a naive twin does not compile.
pub fn rules() -> Vec<Rule> {
    macro_rules! rows {
        ($($module:ident: $Variant:ident, memory $m:literal, inputs $i:literal;)*) => {
            vec![$(Rule::of::<presam::$Variant<f32>, $m, $i>(presam::variants::$module::INFO)),*]
        };
    }
    presam::for_each_variant!(rows)
}

struct Case<V, const M: usize, const I: usize> {
    variant: V,
    base: SgdMomentum<f32>,
    cpu: Cpu,
    rho: f32,
    rule_state: RuleState<f32>,
    base_state: BaseState<f32>,
    tensors: Vec<Tensor<M, I>>,
    naive_state: RuleState<f32>,
    naive_tensors: Vec<Tensor<M, I>>,
    threads: usize,
}

fn set_up<V, const M: usize, const I: usize>(shape: &Shape, threads: usize) -> Verified
where
    V: Naive<M, I> + Send + 'static,
{
    let mut case = Case::<V, M, I>::new(shape, threads).map_err(|error| error.to_string())?;
    case.verify().map_err(|reason| format!("{}: {reason}", shape.name))?;
    Ok(Box::new(case))
}

impl<V: Naive<M, I> + Send, const M: usize, const I: usize> Case<V, M, I> {
    fn new(shape: &Shape, threads: usize) -> Result<Self, Error> {
        let mut random = Random(1);
        let tensor = |len: &usize| Tensor::new(*len, V::INPUT, &mut random);
        let tensors: Vec<_> = shape.tensors.iter().map(tensor).collect();
        let piece = |len: usize| if len < SPLIT_FROM { len } else { len.div_ceil(threads) };
        let cpu = Cpu::detect();
        let configure =
            |variant: V, (key, value): &(&str, f32)| variant.set(key, f64::from(*value));
        Ok(Self {
            variant: V::KEYS.iter().try_fold(V::default(), configure)?,
            base: Sgd::new(LEARNING_RATE)?
                .with_weight_decay(WEIGHT_DECAY)?
                .with_momentum(MOMENTUM)?,
            cpu: if threads == 1 { cpu } else { cpu.parallel() },
            // 0.05 for an average entry: large against the last digit of a parameter at any size.
            rho: 0.05 * (shape.params() as f32).sqrt(),
            rule_state: RuleState::new(),
            base_state: BaseState::new(),
            naive_state: RuleState::new(),
            naive_tensors: tensors.iter().flat_map(|t| t.cut(piece(t.params.len()))).collect(),
            tensors,
            threads,
        })
    }

    fn step(&mut self) -> Result<Outcome, Error> {
        let Self { variant, base, cpu, .. } = *self;
        let rule = variant.arm(&self.rule_state);
        let mut norm = PartialNorm::new();
        for t in &self.tensors {
            let (memory, inputs) = (t.memory.each_ref(), t.inputs.each_ref());
            let (memory, inputs) = (memory.map(Vec::as_slice), inputs.map(Vec::as_slice));
            cpu.accumulate_norm(rule, &t.params, &t.grads, memory, inputs, &mut norm)?;
        }
        let ascent = finish(variant, &norm, &mut self.rule_state)?;
        let scale = ascent.scale(self.rho, LengthRule::NORMALISED)?;
        for t in &mut self.tensors {
            let memory = t.memory.each_mut().map(Vec::as_mut_slice);
            let inputs = t.inputs.each_ref().map(Vec::as_slice);
            cpu.ascend(rule, scale, &t.params, &t.grads, memory, inputs, &mut t.perturbed)?;
        }
        let descent = base.arm(&self.base_state);
        for t in &mut self.tensors {
            cpu.descend(descent, 1.0, &mut t.params, &t.perturbed_grads, [&mut t.velocity])?;
            t.take_turns();
        }
        self.base_state = base.advance(&self.base_state);
        Ok(ascent.outcome)
    }

    /// Steps that cover the first ones, which rules with memory treat apart.
    fn verify(&mut self) -> Result<(), String> {
        const VERIFIED: usize = 4;
        for step in 1..=VERIFIED {
            self.ours()?;
            self.naive();
            self.compare().map_err(|reason| format!("step {step}: {reason}"))?;
        }
        Ok(())
    }

    /// Only the norms are summed in another order. The limit is 4e-5 of a perturbation of about 0.05, a
    /// few last digits of a parameter of about 1.
    fn compare(&self) -> Result<(), String> {
        const LIMIT: f32 = 2e-6;
        let mut naive = self.naive_tensors.iter();
        let mut moved = 0.0f32;
        for tensor in &self.tensors {
            let mut done = 0;
            while done < tensor.params.len() {
                let piece = naive.next().ok_or("the naive step has too few tensors")?;
                let len = piece.params.len();
                for ((name, ours), (_, theirs)) in tensor.results().zip(piece.results()) {
                    let ours = &ours[done..done + len];
                    // Not `>`: a NaN differs.
                    let same = |(a, b): (&f32, &f32)| (a - b).abs() <= LIMIT * b.abs().max(1.0);
                    if let Some(i) = ours.iter().zip(theirs).position(|pair| !same(pair)) {
                        let (ours, theirs) = (ours[i], theirs[i]);
                        return Err(format!("{name}[{}]: ours {ours}, naive {theirs}", done + i));
                    }
                }
                done += len;
            }
            // The parameters have descended since: w + learning_rate v is where they were.
            let before =
                tensor.params.iter().zip(&tensor.velocity).map(|(w, v)| w + LEARNING_RATE * v);
            let shifts = tensor.perturbed.iter().zip(before).map(|(p, w)| (p - w).abs());
            moved = shifts.fold(moved, f32::max);
        }
        if moved > 0.01 { Ok(()) } else { Err(format!("nothing moved by more than {moved}")) }
    }
}

impl<V: Naive<M, I> + Send, const M: usize, const I: usize> Pair for Case<V, M, I> {
    fn ours(&mut self) -> Result<(), String> {
        match self.step() {
            Ok(Outcome::Finite) => Ok(()),
            Ok(outcome) => Err(format!("the step did less than its work: {outcome:?}")),
            Err(error) => Err(error.to_string()),
        }
    }

    fn naive(&mut self) {
        naive::step::<V, M, I>(
            &mut self.naive_state,
            self.rho,
            &mut self.naive_tensors,
            self.threads,
        );
        self.naive_tensors.iter_mut().for_each(Tensor::take_turns);
    }
}
