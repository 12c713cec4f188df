//! [`Case`]: what a step reads, drawn so that it meets every boundary and every kind of number.

use presam::Group;

use super::random::Random;
use presam_cuda::{Form, Scalar};

/// Lengths around rows of 128, chunks of 2048 and the four elements of a wide access.
const LENGTHS: &[usize] =
    &[0, 1, 2, 3, 4, 5, 31, 127, 128, 129, 511, 640, 2047, 2048, 2049, 2051, 4096, 5000];

/// What a plane is filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Numbers of the size of gradients.
    Ordinary,
    /// Numbers whose squares vanish.
    Tiny,
    /// Numbers whose squares overflow.
    Huge,
    /// Zeros of both signs.
    Zero,
    /// Subnormal, largest, smallest and special numbers among ordinary ones; infinities and NaNs where
    /// the second is set.
    Hostile(bool),
}

/// One tensor and its planes.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    pub group: usize,
    pub params: Vec<f32>,
    pub grads: Vec<f32>,
    pub perturbed_grads: Vec<f32>,
    pub memory: Vec<Vec<f32>>,
    pub inputs: Vec<Vec<f32>>,
    pub state: Vec<Vec<f32>>,
    /// Bytes by which its planes miss a multiple of 16.
    pub shift: u64,
}

/// Everything that two steps read.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub form: Form,
    pub scalar: Scalar,
    pub kind: Kind,
    pub tensors: Vec<Tensor>,
    pub groups: Vec<Group<f32>>,
    pub clipped: bool,
    pub loss_scale: f32,
}

impl Case {
    /// A case with planes as the rule and the base optimizer have them.
    pub fn draw(
        random: &mut Random,
        (form, scalar): (Form, Scalar),
        [memory, inputs, state]: [usize; 3],
    ) -> Result<Self, presam::Error> {
        let kind = random.pick(&[
            Kind::Ordinary,
            Kind::Ordinary,
            Kind::Tiny,
            Kind::Huge,
            Kind::Zero,
            Kind::Hostile(false),
            Kind::Hostile(true),
        ]);
        let groups = groups(random)?;
        let tensors = (0..1 + random.below(4))
            .map(|_| {
                let len = random.pick(LENGTHS);
                let mut plane = |kind| (0..len).map(|_| number(random, kind)).collect::<Vec<_>>();
                let mut planes = |count, kind| (0..count).map(|_| plane(kind)).collect();
                Tensor {
                    memory: planes(memory, Kind::Ordinary),
                    inputs: planes(inputs, Kind::Ordinary),
                    state: planes(state, Kind::Ordinary),
                    params: plane(Kind::Ordinary),
                    grads: plane(kind),
                    perturbed_grads: plane(kind),
                    group: random.below(groups.len()),
                    shift: random.pick(&[0, 0, 4, 8, 12]),
                }
            })
            .collect();
        let clipped = random.once_in(3);
        let loss_scale = random.pick(&[1.0, 1.0, 1024.0, 3.0]);
        Ok(Self { form, scalar, kind, tensors, groups, clipped, loss_scale })
    }

    /// Other gradients for the second step.
    pub fn redraw(&mut self, random: &mut Random) {
        for tensor in &mut self.tensors {
            let planes = tensor.grads.iter_mut().chain(&mut tensor.perturbed_grads);
            planes.for_each(|value| *value = number(random, self.kind));
        }
    }

    /// What a message says of it.
    pub fn told(&self) -> String {
        let lens: Vec<usize> = self.tensors.iter().map(|tensor| tensor.params.len()).collect();
        format!("{:?}, {:?}, {:?} numbers, lengths {lens:?}", self.form, self.scalar, self.kind)
    }
}

/// Groups of every kind.
fn groups(random: &mut Random) -> Result<Vec<Group<f32>>, presam::Error> {
    let mut groups = vec![Group::new(random.pick(&[0.05, 0.5, 0.0]))?];
    for _ in 0..random.below(3) {
        let group = Group::new(random.pick(&[0.1, 0.0, 2.0]))?;
        groups.push(match random.below(5) {
            0 => group.not_counted(),
            1 => group.counted_only(),
            2 => group.not_perturbed(),
            3 => group.without_operator(),
            _ => group.with_weight_decay(0.01)?,
        });
    }
    Ok(groups)
}

/// One number of a kind.
fn number(random: &mut Random, kind: Kind) -> f32 {
    let value = random.unit();
    match kind {
        Kind::Ordinary => value,
        Kind::Tiny => value * 1e-30,
        Kind::Huge => value * 1e25,
        Kind::Zero => value * 0.0,
        Kind::Hostile(special) if random.once_in(8) => hostile(random, special),
        Kind::Hostile(_) => value,
    }
}

fn hostile(random: &mut Random, special: bool) -> f32 {
    const FINITE: &[f32] = &[0.0, -0.0, f32::MIN_POSITIVE, -1e-40, 1e-45, 1e-20, -1e19, f32::MAX];
    // Rarely: one is enough, and the step around it should mostly go on.
    if special && random.once_in(16) {
        return random.pick(&[f32::INFINITY, f32::NEG_INFINITY, f32::NAN]);
    }
    random.pick(FINITE)
}
