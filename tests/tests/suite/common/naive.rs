//! SAM as a reader would write it, in plain vectors and with none of core's code, with slips that can
//! be planted.

use presam_conformance::{Answer, Backend, Base, Case, Rule, Scope, Segment, SegmentAnswer};

/// A mistake that somebody once made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slip {
    /// None: the code is right.
    None,
    /// The ascent does nothing.
    NoAscent,
    /// perturbed = w - perturbation.
    WrongSign,
    /// Each tensor has a norm of its own.
    NormPerTensor,
    /// The last element of each tensor is left where it is.
    SkipsLast,
    /// rho g / N + k in place of rho g / (N + k).
    GuardAfterDivision,
    /// The base optimizer steps from the perturbed parameters.
    NoRestore,
    /// Weight decay acts on the perturbed parameter.
    DecayOnPerturbed,
    /// The base optimizer is given the first gradient.
    FirstGradientDescends,
    /// |w| g in place of w^2 g.
    AsamWithoutSquare,
    /// w^2 g over || g ||.
    AsamWithRawNorm,
    /// AdamW without its bias corrections.
    NoBiasCorrection,
    /// Adam with L2 regularisation in place of decoupled decay.
    CoupledAdam,
    /// theta for decay: the weights of the old and the new gradient are exchanged.
    DecayReversed,
    /// The perturbation follows the average before this gradient entered it.
    StaleAverage,
    /// An average that starts from zero in place of the first gradient.
    ColdAverage,
    /// g / sqrt(F) in place of g / F.
    FisherWithRoot,
    /// The sum of squares is the norm.
    NoSquareRoot,
    /// Dampening on the first momentum too.
    DampenedStart,
    /// Plain momentum in place of Nesterov's.
    NoNesterov,
}

/// The naive code with one slip.
#[derive(Clone, Copy, Debug)]
pub struct Naive(pub Slip);

impl Backend<f64> for Naive {
    fn scope(&self) -> Scope {
        let rules = [
            Rule::Sam,
            Rule::Asam { eta: 0.0 },
            Rule::FisherSam { eta: 1.0 },
            Rule::Vasso { decay: 0.1 },
        ];
        Scope::of(&rules, &["sgd", "sgd-momentum", "adamw"])
    }

    fn step(&mut self, case: &Case<f64>) -> Result<Answer<f64>, String> {
        let mut answer = Answer::unchanged(case);
        let whole = self.norm(case, &case.segments);
        for (from, to) in case.segments.iter().zip(&mut answer.segments) {
            let norm = match self.0 {
                Slip::NormPerTensor => self.norm(case, std::slice::from_ref(from)),
                _ => whole,
            };
            self.ascend(case, norm, from, to);
            self.descend(case, from, to);
        }
        Ok(answer)
    }
}

impl Naive {
    /// Term of the norm, direction, and new memory of element i.
    fn terms(self, case: &Case<f64>, s: &Segment<f64>, i: usize) -> (f64, f64, f64) {
        let (w, g) = (s.params[i], s.grads[i]);
        match case.rule {
            Rule::Asam { eta } => {
                let t = w.abs() + eta;
                let direction = if self.0 == Slip::AsamWithoutSquare { t * g } else { t * t * g };
                (if self.0 == Slip::AsamWithRawNorm { g } else { t * g }, direction, 0.0)
            }
            Rule::FisherSam { eta } => {
                let f = 1.0 + eta * g * g;
                let direction = if self.0 == Slip::FisherWithRoot { g / f.sqrt() } else { g / f };
                (g / f.sqrt(), direction, 0.0)
            }
            Rule::Vasso { decay } => {
                let old = s.memory[0][i];
                let decay = if self.0 == Slip::DecayReversed { 1.0 - decay } else { decay };
                let first = case.rule_state.steps == 0;
                let d = match (first, self.0) {
                    (true, Slip::ColdAverage) => (1.0 - decay) * g,
                    (true, _) => g,
                    (false, _) => decay * old + (1.0 - decay) * g,
                };
                let slope = if self.0 == Slip::StaleAverage && !first { old } else { d };
                (slope, slope, d)
            }
            _ => (g, g, 0.0),
        }
    }

    fn norm(self, case: &Case<f64>, segments: &[Segment<f64>]) -> f64 {
        let terms = segments
            .iter()
            .flat_map(|s| (0..s.params.len()).map(move |i| self.terms(case, s, i).0));
        let sum: f64 = terms.map(|t| t * t).sum();
        if self.0 == Slip::NoSquareRoot { sum } else { sum.sqrt() }
    }

    fn ascend(self, case: &Case<f64>, norm: f64, s: &Segment<f64>, to: &mut SegmentAnswer<f64>) {
        let (guard, rho) = (case.norm_guard(), s.options.rho);
        for i in 0..s.params.len() {
            let (_, direction, memory) = self.terms(case, s, i);
            if let Some(plane) = to.memory.first_mut() {
                plane[i] = memory;
            }
            let moved = match self.0 {
                Slip::NoAscent => 0.0,
                Slip::SkipsLast if i + 1 == s.params.len() => 0.0,
                Slip::WrongSign => -rho * direction / (norm + guard),
                // A zero gradient would be 0/0 here; the slip is judged elsewhere.
                Slip::GuardAfterDivision if norm > 0.0 => rho * direction / norm + guard,
                _ => rho * direction / (norm + guard),
            };
            to.perturbed[i] = s.params[i] + moved;
        }
    }

    fn descend(self, case: &Case<f64>, s: &Segment<f64>, to: &mut SegmentAnswer<f64>) {
        for i in 0..s.params.len() {
            let w = if self.0 == Slip::NoRestore { to.perturbed[i] } else { s.params[i] };
            let decayed = if self.0 == Slip::DecayOnPerturbed { to.perturbed[i] } else { w };
            let g = match self.0 {
                Slip::FirstGradientDescends => s.grads[i],
                _ => s.perturbed_grads[i],
            };
            let state: Vec<f64> = s.state.iter().map(|plane| plane[i]).collect();
            let (w, state) = self.update(case, w, decayed, g, &state);
            to.params[i] = w;
            to.state.iter_mut().zip(state).for_each(|(plane, new)| plane[i] = new);
        }
    }

    /// The new parameter and planes of state.
    fn update(
        self,
        case: &Case<f64>,
        w: f64,
        decayed: f64,
        g: f64,
        state: &[f64],
    ) -> (f64, Vec<f64>) {
        match case.base {
            Base::Sgd { learning_rate, weight_decay } => {
                (w - learning_rate * (g + weight_decay * decayed), vec![])
            }
            Base::SgdMomentum { learning_rate, weight_decay, momentum, dampening, nesterov } => {
                let d = g + weight_decay * decayed;
                let first = case.base_steps == 0 && self.0 != Slip::DampenedStart;
                let old = if case.base_steps == 0 { 0.0 } else { state[0] };
                let v = if first { d } else { momentum * old + (1.0 - dampening) * d };
                let nesterov = nesterov && self.0 != Slip::NoNesterov;
                let step = if nesterov { d + momentum * v } else { v };
                (w - learning_rate * step, vec![v])
            }
            Base::AdamW { .. } => self.adamw(case, w, decayed, g, state),
        }
    }

    fn adamw(
        self,
        case: &Case<f64>,
        w: f64,
        decayed: f64,
        g: f64,
        state: &[f64],
    ) -> (f64, Vec<f64>) {
        let Base::AdamW {
            learning_rate,
            weight_decay,
            mean_decay,
            square_decay,
            denominator_guard,
        } = case.base
        else {
            return (w, state.to_vec());
        };
        let coupled = self.0 == Slip::CoupledAdam;
        let g = if coupled { g + weight_decay * w } else { g };
        let m = mean_decay * state[0] + (1.0 - mean_decay) * g;
        let v = square_decay * state[1] + (1.0 - square_decay) * g * g;
        let t = i32::try_from(case.base_steps + 1).unwrap_or(i32::MAX);
        let (mut bias1, mut bias2) = (1.0 - mean_decay.powi(t), 1.0 - square_decay.powi(t));
        if self.0 == Slip::NoBiasCorrection {
            (bias1, bias2) = (1.0, 1.0);
        }
        let step = m / bias1 / ((v / bias2).sqrt() + denominator_guard);
        let shrink = if coupled { 0.0 } else { learning_rate * weight_decay };
        (w - shrink * decayed - learning_rate * step, vec![m, v])
    }
}
