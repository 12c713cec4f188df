//! Sharpness-aware minimisation (SAM) for burn: every rule of presam by name, on the flex backend, in the modules' own
//! storage.
//!
//! ```text
//! perturbation = rho D^2 C g / || D C g ||      one norm over all parameters that have a gradient
//! w <- base optimizer(w, gradient taken at w + perturbation)
//! ```
//!
//! One file to copy. A step takes the tensors that have a gradient out of the module, so that nothing else holds their
//! storage, lets core's [`Session`] write there, and puts them back; nothing of the step is written again here.

use std::collections::HashMap;
use std::error::Error;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::module::{Module, ModuleMapper, Param, ParamGroup, ParamId};
use burn::optim::{GradientsParams, LearningRate};
use burn::tensor::kind::BridgeTensor;
use burn::tensor::{DType, GradientCheckpointingStrategy, Tensor};
use presam::{
    AnyBase, AnyVariant, Ascent, Cpu, DynVariant, Group, Mark, Outcome, Planes, PlanesMut,
    SegmentMut, Segments, Session, StepReport,
};

/// What a step that could not be taken says.
pub type Refused = Box<dyn Error + Send + Sync>;

/// The module, which comes back in any case, and what came of it.
pub type Back<M, T> = (M, Result<T, Refused>);

/// A rule, a base optimizer, and what all parameters have in common.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// One of presam's variants, its keys set: `AnyVariant::by_name("asam")?.set("eta", 0.02)?`.
    pub variant: AnyVariant<f32>,
    /// `sgd`, `sgd-momentum` or `adamw`, its keys set; its learning rate is the step's.
    pub base: AnyBase<f32>,
    /// Radius, weight decay, part in norm and ascent, unless [`Sam::with_group`] says otherwise.
    pub group: Group<f32>,
}

impl Config {
    /// Variant and base optimizer by name, every key at its default, and the radius.
    ///
    /// # Errors
    /// A name that is none, with those there are; a radius out of range.
    pub fn by_name(variant: &str, rho: f32, base: &str) -> Result<Self, presam::Error> {
        let (variant, base) = (AnyVariant::by_name(variant)?, AnyBase::by_name(base)?);
        Ok(Self { variant, base, group: Group::new(rho)? })
    }

    /// The same with a key of the base optimizer set: `momentum`, `weight_decay` ...
    ///
    /// # Errors
    /// A key that the base optimizer has not, with those it has; a value out of range.
    pub fn base(self, key: &str, value: f64) -> Result<Self, presam::Error> {
        Ok(Self { base: self.base.set(key, value)?, ..self })
    }
}

/// What a step did, and the loss of its first pass.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// As the closure gave it at the parameters (`momentum-sam`, which has one pass: at the perturbed ones).
    pub loss: f64,
    /// Norm, outcomes, whether the base optimizer stepped.
    pub report: StepReport<f32>,
}

/// The optimizer: owns the planes beside the parameters.
pub struct Sam {
    /// Counters and settings of core's: `second` for clipping, `loss_scale`, `length`.
    pub session: Session<f32, AnyVariant<f32>, AnyBase<f32>>,
    /// That of the configuration, then those added; a radius may be set between steps.
    pub groups: Vec<Group<f32>>,
    params: Params,
}

impl Sam {
    /// An optimizer before its first step.
    pub fn new(config: Config) -> Self {
        let Config { variant, base, group } = config;
        let params = Params {
            planes: (variant.planes().memory, base.about().state),
            matchers: vec![ParamGroup::all()],
            ..Params::default()
        };
        Self { session: Session::new(Cpu::detect(), variant, base), groups: vec![group], params }
    }

    /// Parameters that have settings of their own. Of several groups that match, the last one counts, as in burn's own.
    pub fn with_group(mut self, params: ParamGroup, settings: Group<f32>) -> Self {
        self.params.matchers.push(params);
        self.groups.push(settings);
        self
    }

    /// Tensors copied so far: parameters whose storage something else held too (a clone of the module that is still
    /// there), gradients that were no block of memory in the parameter's order.
    pub fn copies(&self) -> usize {
        self.params.copies
    }

    /// A step with a closure that gives loss and gradients, as burn's `LBFGS` takes it: called at the parameters and
    /// again at the perturbed ones, on the same batch.
    ///
    /// The module comes back in any case; after an error its parameters are as they were. Running statistics (batch
    /// normalisation's) count the first pass alone. A parameter without a gradient is left alone: one that lacks the
    /// first is not perturbed, one that lacks the second does not step. A gradient that is not finite skips the step,
    /// which the report tells.
    pub fn step<M: Module>(
        &mut self,
        lr: LearningRate,
        module: M,
        mut closure: impl FnMut(M) -> (f64, GradientsParams),
    ) -> Back<M, Step> {
        self.session.learning_rate = Some(lr as f32);
        let mut loss = None;
        let mut pass = |module: &M| {
            let (value, grads) = closure(module.clone());
            loss.get_or_insert(value);
            grads
        };
        let (module, both) = self.perturbed(module, &mut pass);
        let module = self.params.give(module);
        let (ascent, grads) = match both {
            Ok(both) => both,
            Err(error) => return (module, Err(error)),
        };
        let (module, second) = match grads {
            Some(grads) => self.descend(module, grads),
            None => (module, Ok(Outcome::Finite)),
        };
        let step = second.map(|second| {
            let descended = ![ascent.outcome, second].contains(&Outcome::NonFinite);
            let report = StepReport { ascent, second, descended };
            Step { loss: loss.unwrap_or(f64::NAN), report }
        });
        (module, step)
    }

    /// Both passes. The parameters are restored, bit for bit, and may still be out of the module; no second gradient
    /// where the first one is not finite.
    fn perturbed<M: Module>(
        &mut self,
        module: M,
        pass: &mut dyn FnMut(&M) -> GradientsParams,
    ) -> Back<M, (Ascent<f32>, Option<GradientsParams>)> {
        let one_gradient = matches!(self.session.variant, AnyVariant::MomentumSam(_));
        let grads = (!one_gradient).then(|| pass(&module));
        sync(&module);
        let Self { session, groups, params } = self;
        params.still.clear();
        let (module, taken) = params.take(module, grads);
        if let Err(error) = taken {
            return (module, Err(error));
        }
        let ascended = match one_gradient {
            true => session.ascend_with_momentum(groups, params),
            false => session.ascend(groups, params),
        };
        let mut ascended = match ascended {
            Ok(ascended) => ascended,
            Err(error) => return (module, Err(error.into())),
        };
        let ascent = ascended.ascent();
        if ascent.outcome == Outcome::NonFinite {
            return (module, Ok((ascent, None)));
        }
        let module = ascended.model().give(module);
        let second = pass(&module);
        sync(&module);
        let (module, taken) = ascended.model().take(module, None);
        (module, taken.map(|()| (ascent, Some(second)))) // Dropping `ascended` restores.
    }

    /// The base optimizer steps along the gradients.
    fn descend<M: Module>(&mut self, module: M, grads: GradientsParams) -> Back<M, Outcome> {
        let Self { session, groups, params } = self;
        params.still.clear();
        let (module, taken) = params.take(module, Some(grads));
        let second = taken.and_then(|()| Ok(session.descend(groups, params)?));
        (params.give(module), second)
    }

    /// The read-only planes of a parameter, each of its shape: the mask of `ssam` and `masked-sam`, C or D of the
    /// preconditioners, C and D of `pre-sam`. Copied.
    ///
    /// # Errors
    /// A plane of another shape, or not of `f32`.
    pub fn set_inputs<const D: usize>(
        &mut self,
        param: &Param<Tensor<D>>,
        planes: Vec<Tensor<D>>,
    ) -> Result<(), Refused> {
        let shape = param.val().shape();
        if let Some(plane) = planes.iter().find(|plane| plane.shape() != shape) {
            return Err(format!("inputs: expected {shape:?}, found {:?}", plane.shape()).into());
        }
        let flat = planes.into_iter().map(|plane| plane.into_data().try_to_vec());
        let flat = flat.collect::<Result<_, _>>().map_err(|error| format!("inputs: {error:?}"));
        self.params.seat(param.id).inputs = flat?;
        Ok(())
    }
}

/// Has running statistics count what this thread's passes have left them.
fn sync<M: Module>(module: &M) {
    drop(module.valid());
}

/// A parameter's planes, which are made with its first gradient, and its tensor while that is out of the module.
#[derive(Default)]
struct Seat {
    group: usize,
    tensor: Option<FlexTensor>,
    /// What autodiff knew of the tensor: the inner one does not.
    requires_grad: bool,
    checkpointing: Option<GradientCheckpointingStrategy>,
    grad: Option<FlexTensor>,
    spare: Vec<f32>,
    memory: Vec<Vec<f32>>,
    inputs: Vec<Vec<f32>>,
    state: Vec<Vec<f32>>,
    mark: Mark,
}

#[derive(Default)]
struct Params {
    /// Of memory and of state, for each parameter.
    planes: (usize, usize),
    /// One for each group.
    matchers: Vec<ParamGroup>,
    copies: usize,
    /// In the order in which they were first met in the module: the norm's.
    seats: Vec<Seat>,
    places: HashMap<ParamId, usize>,
    /// What had no gradient in the first pass, as it was then: statistics among it.
    still: HashMap<ParamId, BridgeTensor>,
}

impl Params {
    /// The seat of a parameter, a new one at the end if it has none.
    fn seat(&mut self, id: ParamId) -> &mut Seat {
        let Self { seats, places, .. } = self;
        let at = *places.entry(id).or_insert(seats.len());
        if at == seats.len() {
            seats.push(Seat::default());
        }
        &mut seats[at]
    }

    /// Out of the module: every parameter that has a gradient, or, without gradients, that had one last.
    fn take<M: Module>(&mut self, module: M, grads: Option<GradientsParams>) -> Back<M, ()> {
        let mut taker = Taker { params: self, grads, path: Vec::new(), refused: None };
        let module = module.map(&mut taker);
        (module, taker.refused.map_or(Ok(()), |why| Err(why.into())))
    }

    /// Back into the module: every tensor that is out of it, and what had no gradient as it was.
    fn give<M: Module>(&mut self, module: M) -> M {
        module.map(&mut Giver(self))
    }

    /// A tensor as storage that nothing else holds.
    fn alone(&mut self, tensor: FlexTensor) -> FlexTensor {
        let whole = tensor.bytes().len() / size_of::<f32>();
        let is_whole = tensor.layout().contiguous_offsets() == Some((0, whole));
        self.copies += usize::from(!is_whole || !tensor.is_unique());
        let mut tensor = if is_whole { tensor } else { tensor.to_contiguous() };
        tensor.storage_mut::<f32>(); // Copies what something else holds too.
        tensor
    }
}

/// A model in its tensors' own storage: those that are out of the module.
impl Segments<f32> for Params {
    fn visit(
        &mut self,
        visitor: &mut dyn FnMut(SegmentMut<'_, f32>) -> Result<(), presam::Error>,
    ) -> Result<(), presam::Error> {
        for seat in &mut self.seats {
            let (Some(tensor), Some(grad)) = (&mut seat.tensor, &seat.grad) else { continue };
            let grads = grad.as_slice::<f32>().unwrap_or_default();
            visitor(SegmentMut {
                group: seat.group,
                params: tensor.storage_mut::<f32>(),
                grads,
                perturbed_grads: grads,
                spare: &mut seat.spare,
                memory: PlanesMut::of(&mut seat.memory),
                inputs: Planes::of(&seat.inputs),
                state: PlanesMut::of(&mut seat.state),
                mark: &mut seat.mark,
            })?;
        }
        Ok(())
    }
}

/// Takes tensors out of a module and leaves empty ones.
struct Taker<'a> {
    params: &'a mut Params,
    grads: Option<GradientsParams>,
    path: Vec<String>,
    refused: Option<String>,
}

impl Taker<'_> {
    /// The gradient of a parameter, as a block of memory of its shape; `None` where it has none.
    fn gradient<const D: usize>(
        &mut self,
        id: ParamId,
        of: &Tensor<D>,
    ) -> Option<Result<FlexTensor, String>> {
        let last = self.params.seat(id).grad.take();
        let Some(grads) = &mut self.grads else { return last.map(Ok) };
        let grad = grads.remove::<D>(id)?;
        let (expected, found) = (of.shape(), grad.shape());
        if expected != found {
            return Some(Err(format!("gradient: expected {expected:?}, found {found:?}")));
        }
        Some(flex(&grad).map(|grad| {
            let is_block = grad.as_slice::<f32>().is_some();
            self.params.copies += usize::from(!is_block);
            if is_block { grad } else { grad.to_contiguous() }
        }))
    }
}

impl ModuleMapper for Taker<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = param.consume();
        let Some(grad) = self.gradient(id, &tensor) else {
            if self.grads.is_some() {
                self.params.still.insert(id, tensor.clone().into_bridge());
            }
            return Param::from_mapped_value(id, tensor, mapper);
        };
        let path = self.path.join(".");
        let (grad, inner) = match grad.and_then(|grad| Ok((grad, flex(&tensor)?))) {
            Ok(both) => both,
            Err(why) => {
                self.refused.get_or_insert(format!("{path}: {why}"));
                return Param::from_mapped_value(id, tensor, mapper);
            }
        };
        let hole = Tensor::<D>::empty([0; D], &tensor.device());
        let (requires_grad, checkpointing) =
            (tensor.is_require_grad(), tensor.gradient_checkpointing_strategy());
        drop(tensor);
        let params = &mut *self.params;
        let group =
            params.matchers.iter().rposition(|group| group.matches(&id, Some(path.as_str())));
        let ((memory, state), inner) = (params.planes, params.alone(inner));
        let (seat, len) = (params.seat(id), inner.layout().num_elements());
        (seat.requires_grad, seat.checkpointing) = (requires_grad, checkpointing);
        (seat.tensor, seat.grad, seat.group) = (Some(inner), Some(grad), group.unwrap_or(0));
        seat.spare.resize(len, 0.0);
        seat.memory.resize_with(memory, || vec![0.0; len]);
        seat.state.resize_with(state, || vec![0.0; len]);
        Param::from_mapped_value(id, hole, mapper)
    }
}

/// Puts tensors back into a module.
struct Giver<'a>(&'a mut Params);

impl ModuleMapper for Giver<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if let Some(still) = self.0.still.get(&param.id) {
            return param.map(|_| Tensor::from_bridge(still.clone()));
        }
        let seat = self.0.seat(param.id);
        let Some(tensor) = seat.tensor.take() else { return param };
        param.map(|_| {
            let tensor = Tensor::<D>::from_primitive::<Flex>(tensor);
            let Some(strategy) = seat.checkpointing else { return tensor };
            let tensor = tensor.autodiff().with_gradient_checkpointing_strategy(strategy);
            if seat.requires_grad { tensor.require_grad() } else { tensor }
        })
    }
}

/// Another hold on a tensor's storage.
fn flex<const D: usize>(tensor: &Tensor<D>) -> Result<FlexTensor, String> {
    let (dtype, device) = (tensor.dtype(), tensor.device());
    let flex = tensor.clone().inner().try_into_primitive::<Flex>().ok();
    let flex = flex.filter(|flex| flex.dtype() == DType::F32);
    flex.ok_or_else(|| format!("expected f32 on the flex backend, found {dtype:?} on {device:?}"))
}
