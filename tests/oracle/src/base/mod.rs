//! The descent: a base optimizer on the gradient taken at the perturbed parameters.

mod adamw;
mod sgd;
mod sgd_momentum;

use crate::format::{BoundedVector, Format};
use crate::number::Number;
use crate::segment::ShapeError;

/// The most planes of state that a base optimizer has.
const PLANES: usize = 2;

/// A base optimizer with its settings, each as PyTorch's of that name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Base {
    /// Gradient descent.
    Sgd {
        /// Step length.
        learning_rate: f64,
        /// Coupled: times w, added to the gradient.
        weight_decay: f64,
    },
    /// Gradient descent with momentum.
    SgdMomentum {
        /// Step length.
        learning_rate: f64,
        /// Coupled: times w, added to the gradient.
        weight_decay: f64,
        /// Weight of the old buffer.
        momentum: f64,
        /// 1 - the weight of the new gradient, from the second step on.
        dampening: f64,
        /// Whether the step looks ahead along the new buffer.
        nesterov: bool,
    },
    /// Adam with decoupled weight decay.
    AdamW {
        /// Step length.
        learning_rate: f64,
        /// Decoupled: w shrinks by learning_rate * weight_decay.
        weight_decay: f64,
        /// Weight of the old mean of gradients.
        mean_decay: f64,
        /// Weight of the old mean of squared gradients.
        square_decay: f64,
        /// Added to the denominator.
        denominator_guard: f64,
    },
}

/// One element of a base optimizer: parameter and planes of state.
struct Updated {
    param: Number,
    planes: [Number; PLANES],
}

impl Base {
    /// The same with every setting that is a number put through `f`, which sees its name and value.
    #[must_use]
    pub fn map_settings(mut self, f: impl Fn(&'static str, f64) -> f64) -> Self {
        let names = self.settings();
        let settings: Vec<&mut f64> = match &mut self {
            Self::Sgd { learning_rate, weight_decay } => vec![learning_rate, weight_decay],
            Self::SgdMomentum { learning_rate, weight_decay, momentum, dampening, .. } => {
                vec![learning_rate, weight_decay, momentum, dampening]
            }
            Self::AdamW {
                learning_rate,
                weight_decay,
                mean_decay,
                square_decay,
                denominator_guard,
            } => vec![learning_rate, weight_decay, mean_decay, square_decay, denominator_guard],
        };
        settings.into_iter().zip(names).for_each(|(value, (name, old))| *value = f(name, old));
        self
    }

    /// Its settings that are numbers: names and values.
    #[must_use]
    pub fn settings(self) -> Vec<(&'static str, f64)> {
        match self {
            Self::Sgd { learning_rate, weight_decay } => {
                vec![("learning_rate", learning_rate), ("weight_decay", weight_decay)]
            }
            Self::SgdMomentum { learning_rate, weight_decay, momentum, dampening, .. } => vec![
                ("learning_rate", learning_rate),
                ("weight_decay", weight_decay),
                ("momentum", momentum),
                ("dampening", dampening),
            ],
            Self::AdamW {
                learning_rate,
                weight_decay,
                mean_decay,
                square_decay,
                denominator_guard,
            } => vec![
                ("learning_rate", learning_rate),
                ("weight_decay", weight_decay),
                ("mean_decay", mean_decay),
                ("square_decay", square_decay),
                ("denominator_guard", denominator_guard),
            ],
        }
    }

    /// Planes of state.
    #[must_use]
    pub fn planes(self) -> usize {
        match self {
            Self::Sgd { .. } => 0,
            Self::SgdMomentum { .. } => 1,
            Self::AdamW { .. } => 2,
        }
    }

    /// The name in the command line and the tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sgd { .. } => "sgd",
            Self::SgdMomentum { .. } => "sgd-momentum",
            Self::AdamW { .. } => "adamw",
        }
    }

    fn update(self, w: Number, g: Number, planes: [Number; PLANES], steps: u64) -> Updated {
        match self {
            Self::Sgd { learning_rate, weight_decay } => {
                sgd::update(w, g, learning_rate, weight_decay)
            }
            Self::SgdMomentum { learning_rate, weight_decay, momentum, dampening, nesterov } => {
                let settings = sgd_momentum::Settings {
                    learning_rate,
                    weight_decay,
                    momentum,
                    dampening,
                    nesterov,
                };
                sgd_momentum::update(w, g, planes, steps, &settings)
            }
            Self::AdamW {
                learning_rate,
                weight_decay,
                mean_decay,
                square_decay,
                denominator_guard,
            } => {
                let settings = adamw::Settings {
                    learning_rate,
                    weight_decay,
                    mean_decay,
                    square_decay,
                    denominator_guard,
                };
                adamw::update(w, g, planes, steps, &settings)
            }
        }
    }
}

/// State and counter of a base optimizer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BaseState {
    /// Steps taken.
    pub steps: u64,
    /// For each segment its planes.
    pub planes: Vec<Vec<Vec<f64>>>,
}

impl BaseState {
    /// The state before the first step over these parameters.
    #[must_use]
    pub fn new(base: Base, params: &[Vec<f64>]) -> Self {
        let planes =
            params.iter().map(|segment| vec![vec![0.0; segment.len()]; base.planes()]).collect();
        Self { steps: 0, planes }
    }
}

/// The result of a descent.
#[derive(Clone, Debug, PartialEq)]
pub struct Descent {
    /// False where a gradient (times the factor) is NaN or infinite: then nothing changed.
    pub is_finite: bool,
    /// The new parameters of each segment.
    pub params: Vec<BoundedVector>,
    /// The new planes of each segment.
    pub planes: Vec<Vec<BoundedVector>>,
    /// The new state, without bounds.
    pub state: BaseState,
}

/// One step of the base optimizer from `params`, the unperturbed parameters.
///
/// Every gradient is first multiplied by `factor`: clipping, or 1 / loss scale. All segments share the settings;
/// groups with other settings are calls of their own.
///
/// # Errors
/// A vector or a number of planes that does not fit.
pub fn descend(
    base: Base,
    params: &[Vec<f64>],
    perturbed_grads: &[Vec<f64>],
    factor: f64,
    state: &BaseState,
    format: Format,
) -> Result<Descent, ShapeError> {
    check(base, params, perturbed_grads, state)?;
    let is_finite = perturbed_grads.iter().flatten().all(|g| (factor * g).is_finite());
    if !is_finite {
        return Ok(unchanged(params, state));
    }
    let segments = params.iter().zip(perturbed_grads).zip(&state.planes);
    let updated: Vec<Vec<Updated>> = segments
        .map(|((w, g), planes)| update_segment(base, w, g, factor, planes, state.steps))
        .collect();
    let new_params = |segment: &Vec<Updated>| {
        format.bounded_vector(&segment.iter().map(|u| u.param).collect::<Vec<_>>())
    };
    let planes: Vec<Vec<BoundedVector>> =
        updated.iter().map(|segment| stored_planes(base, segment, format)).collect();
    let values = |planes: &Vec<BoundedVector>| planes.iter().map(|p| p.values.clone()).collect();
    Ok(Descent {
        is_finite,
        params: updated.iter().map(new_params).collect(),
        state: BaseState { steps: state.steps + 1, planes: planes.iter().map(values).collect() },
        planes,
    })
}

fn unchanged(params: &[Vec<f64>], state: &BaseState) -> Descent {
    let copied = |list: &[Vec<f64>]| list.iter().map(|x| BoundedVector::copied(x)).collect();
    Descent {
        is_finite: false,
        params: copied(params),
        planes: state.planes.iter().map(|planes| copied(planes)).collect(),
        state: state.clone(),
    }
}

fn stored_planes(base: Base, updated: &[Updated], format: Format) -> Vec<BoundedVector> {
    let mut planes = vec![Vec::new(); base.planes()];
    for u in updated {
        for (plane, number) in planes.iter_mut().zip(u.planes) {
            plane.push(format.stored(number));
        }
    }
    planes.iter().map(|plane| format.bounded_vector(plane)).collect()
}

fn update_segment(
    base: Base,
    params: &[f64],
    grads: &[f64],
    factor: f64,
    planes: &[Vec<f64>],
    steps: u64,
) -> Vec<Updated> {
    let mut updated = Vec::new();
    for (i, (w, g)) in params.iter().zip(grads).enumerate() {
        let mut old = [Number::ZERO; PLANES];
        for (number, plane) in old.iter_mut().zip(planes) {
            *number = plane.get(i).map_or(Number::ZERO, |x| Number::exact(*x));
        }
        updated.push(base.update(Number::exact(*w), factor * Number::exact(*g), old, steps));
    }
    updated
}

fn check(
    base: Base,
    params: &[Vec<f64>],
    perturbed_grads: &[Vec<f64>],
    state: &BaseState,
) -> Result<(), ShapeError> {
    ShapeError::unless_equal(0, "list of perturbed_grads", params.len(), perturbed_grads.len())?;
    ShapeError::unless_equal(0, "list of state planes", params.len(), state.planes.len())?;
    for (index, ((w, g), planes)) in
        params.iter().zip(perturbed_grads).zip(&state.planes).enumerate()
    {
        ShapeError::unless_equal(index, "perturbed_grads", w.len(), g.len())?;
        ShapeError::unless_equal(index, "state planes", base.planes(), planes.len())?;
        planes
            .iter()
            .try_for_each(|p| ShapeError::unless_equal(index, "state", w.len(), p.len()))?;
    }
    Ok(())
}
