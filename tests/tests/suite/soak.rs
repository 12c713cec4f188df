//! Endurance (`cargo xtask soak --minutes N`): random steps on every backend side by side, for as long as is asked.
//! Bits are equal, every outcome occurs, memory stays flat.

use presam::Cpu;
use presam_backends::tensor::Layout;
use presam_backends::{Devices, Faulty, Phases, Sessions, Threads};
use presam_conformance::compare::same_answer;
use presam_conformance::generate::{Shape, hostile_cases};
use presam_conformance::{Answer, Backend, Case, Outcome, Rule, Scope};
use presam_cuda::{Form, Ptx};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::time::{Duration, Instant};

type Named = (&'static str, Box<dyn Backend<f32>>);

/// What a step can come to, in the order of [`Told::outcomes`].
const OUTCOMES: [&str; 4] =
    ["perturbed", "without a norm", "g not finite, skipped", "g~ not finite, not descended"];

/// How much more memory the last quarter of a run may need at most than the second: the first has met nearly
/// every size, and the allocator's own ways cost less than this.
const MOST_GROWTH: u64 = 8 << 20;

/// Everything that is not compared with itself, each kept for the whole run.
fn every_backend() -> Vec<Named> {
    let misaligned = Layout { mixed: None, shift: 4 };
    let parallel = Sessions::in_place(Cpu::detect().parallel());
    vec![
        ("session in place", Box::new(Sessions::in_place(Cpu::detect()))),
        ("session out of place", Box::new(Sessions::out_of_place(Cpu::plain()))),
        ("threads", Box::new(Threads::new(3, parallel).unwrap())),
        ("emulated device", Box::new(Devices::emulated(Form::InPlace))),
        (
            "PTX machine",
            Box::new(Devices { device: Ptx::new(5), form: Form::OutOfPlace, layout: misaligned }),
        ),
    ]
}

/// What a run has seen so far.
#[derive(Default)]
struct Told {
    outcomes: [u64; OUTCOMES.len()],
    /// Resident bytes, at even distances of time; none where the system does not tell.
    resident: Vec<u64>,
}

/// Random rules, settings, sizes, groups and scales with gradients that are not finite among them: a few steps of
/// each, by the plain loops and by every candidate, until the time is over.
fn soak(candidates: &mut [Named], lasts: Duration) -> Result<Told, String> {
    const SAMPLES: u32 = 40;
    let cases = hostile_cases::<f32>(&Scope::full(), &Rule::all(), Shape::Any);
    let drawn = (cases, -40_i32..=40, 1_u32..=4);
    let seed = TestRng::from_seed(RngAlgorithm::ChaCha, &[21; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), seed);
    let (mut told, begun) = (Told::default(), Instant::now());
    for sample in 1..=SAMPLES {
        while begun.elapsed() < lasts * sample / SAMPLES {
            let tree = drawn.new_tree(&mut runner).map_err(|reason| reason.to_string())?;
            let (case, exponent, steps) = tree.current();
            told.steps(case.map_grads(|g| g * 2_f32.powi(exponent)), steps, candidates)?;
        }
        told.resident.extend(resident());
    }
    told.judged()
}

impl Told {
    fn steps(
        &mut self,
        mut case: Case<f32>,
        steps: u32,
        candidates: &mut [Named],
    ) -> Result<(), String> {
        for _ in 0..steps {
            let expected = Phases(Cpu::plain()).step(&case)?;
            for (name, candidate) in candidates.iter_mut() {
                let same = |found| same_answer(&expected, &found).map_err(|why| why.to_string());
                let compared = candidate.step(&case).and_then(same);
                compared.map_err(|why| format!("{name}: {why}\n{case}"))?;
            }
            self.outcomes[came_to(&case, &expected)] += 1;
            case = case.next(&expected, &[]);
        }
        Ok(())
    }

    /// The run, unless an outcome is missing or memory has grown.
    fn judged(self) -> Result<Self, String> {
        if let Some(missing) = self.outcomes.iter().position(|count| *count == 0) {
            return Err(format!("no step was {}: {self}", OUTCOMES[missing]));
        }
        let [second, last] = self.peaks();
        if last > second + MOST_GROWTH { Err(format!("memory grows: {self}")) } else { Ok(self) }
    }

    /// The most memory in the second and in the last quarter.
    fn peaks(&self) -> [u64; 2] {
        let quarter = self.resident.len() / 4;
        let peak = |n: usize| self.resident.iter().skip(n * quarter).take(quarter).copied().max();
        [1, 3].map(|n| peak(n).unwrap_or(0))
    }
}

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} steps", self.outcomes.iter().sum::<u64>())?;
        for (count, what) in self.outcomes.iter().zip(OUTCOMES) {
            write!(f, ", {count} {what}")?;
        }
        let [second, last] = self.peaks().map(|bytes| bytes as f64 / f64::from(1 << 20));
        if self.resident.is_empty() {
            return write!(f, "; memory is not measured on this system");
        }
        write!(f, "; at most {second:.1} MiB in the second quarter, {last:.1} MiB in the last")
    }
}

/// Which of [`OUTCOMES`].
fn came_to(case: &Case<f32>, answer: &Answer<f32>) -> usize {
    let descended = answer.base_steps != case.base_steps;
    match answer.outcome {
        Outcome::NonFinite => 2,
        _ if !descended => 3,
        Outcome::ZeroNorm => 1,
        Outcome::Perturbed => 0,
    }
}

/// This process's resident memory in bytes, as Linux tells it.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
}

#[test]
fn one_wrong_bit_ends_it() {
    // The counters' words, of which not all are compared, are left alone.
    let but = size_of::<presam_kernels::layout::Control>();
    let device = Faulty::without(&[]).flipping(40, but);
    let layout = Layout::default();
    let faulty = Devices { device, form: Form::OutOfPlace, layout };
    let mut candidates: [Named; 1] = [("a faulty device", Box::new(faulty))];
    let found = soak(&mut candidates, Duration::from_secs(60)).map(|told| told.to_string());
    assert!(found.as_ref().is_err_and(|why| why.starts_with("a faulty device: ")), "{found:?}");
}

/// The plain loops, keeping 64 KiB of every step.
struct Hoarder(Vec<Vec<u8>>);

impl Backend<f32> for Hoarder {
    fn scope(&self) -> Scope {
        Scope::full()
    }

    fn step(&mut self, case: &Case<f32>) -> Result<Answer<f32>, String> {
        self.0.push(vec![1; 1 << 16]);
        Phases(Cpu::plain()).step(case)
    }
}

#[test]
#[ignore = "measures the memory of the process, so it runs alone: cargo xtask soak"]
fn a_backend_that_hoards_ends_it() {
    let mut candidates: [Named; 1] = [("a hoarder", Box::new(Hoarder(Vec::new())))];
    let found = soak(&mut candidates, Duration::from_secs(2)).map(|told| told.to_string());
    assert!(found.as_ref().is_err_and(|why| why.starts_with("memory grows")), "{found:?}");
}

#[test]
#[ignore = "takes as long as it is told, and measures memory: cargo xtask soak"]
fn every_backend_endures() {
    let minutes = std::env::var("PRESAM_SOAK_MINUTES").map_or(Ok(0.4), |text| text.parse());
    let lasts = Duration::try_from_secs_f64(60.0 * minutes.unwrap()).unwrap();
    let told = soak(&mut every_backend(), lasts).unwrap_or_else(|why| panic!("{why}"));
    println!("{} s: {told}", lasts.as_secs());
}
