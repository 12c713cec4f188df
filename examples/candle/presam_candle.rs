//! Sharpness-aware minimisation (SAM) for candle: every rule of presam by name, on the CPU, in a `Var`'s own storage.
//!
//! ```text
//! perturbation = rho D^2 C g / || D C g ||      one norm over all parameters that have a gradient
//! w <- base optimizer(w, gradient taken at w + perturbation)
//! ```
//!
//! One file to copy. candle lends a storage for the length of one call ([`InplaceOp2`]), tensor by tensor; core's
//! [`Session`] visits a model in just that way, so that nothing of the step is written again here.

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::PoisonError;

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, DType, Error, InplaceOp2, Layout, Result, Tensor, Var, bail};
use candle_nn::VarMap;
use presam::{
    AnyBase, AnyVariant, Ascent, Cpu, DynVariant, Group, Mark, Outcome, Planes, PlanesMut,
    SegmentMut, Segments, Session, StepReport,
};

/// What core answers.
type Core<T> = std::result::Result<T, presam::Error>;

/// A rule, a base optimizer, and what groups of parameters have of their own.
#[derive(Clone, Debug)]
pub struct Config {
    /// One of presam's variants, its keys set: `AnyVariant::by_name("asam")?.set("eta", 0.02)?`.
    pub variant: AnyVariant<f32>,
    /// `sgd`, `sgd-momentum` or `adamw`, its keys set.
    pub base: AnyBase<f32>,
    /// Radius, weight decay, part in norm and ascent; a parameter names its group by index.
    pub groups: Vec<Group<f32>>,
}

impl Config {
    /// Variant and base optimizer by name, every key at its default, and one group of radius `rho`.
    ///
    /// # Errors
    /// A name that is none, with those there are; a radius out of range.
    pub fn by_name(variant: &str, rho: f32, base: &str) -> Result<Self> {
        Ok(Self {
            variant: AnyVariant::by_name(variant).map_err(Error::wrap)?,
            base: AnyBase::by_name(base).map_err(Error::wrap)?,
            groups: vec![Group::new(rho).map_err(Error::wrap)?],
        })
    }

    /// The same with a key of the base optimizer set: `learning_rate`, `momentum`, `weight_decay` ...
    ///
    /// # Errors
    /// A key that the base optimizer has not, with those it has; a value out of range.
    pub fn base(self, key: &str, value: f64) -> Result<Self> {
        Ok(Self { base: self.base.set(key, value).map_err(Error::wrap)?, ..self })
    }
}

/// The optimizer: owns the planes beside the parameters, and shares the parameters with the model.
pub struct Sam {
    /// Counters and settings of core's: `learning_rate` for a schedule, `second` for clipping, `loss_scale`, `length`.
    pub session: Session<f32, AnyVariant<f32>, AnyBase<f32>>,
    /// Those of the configuration; a radius may be set between steps.
    pub groups: Vec<Group<f32>>,
    /// Gradients copied so far, because they were no block of memory in the parameter's order.
    pub copies: usize,
    params: Params,
}

impl Sam {
    /// Every variable in group 0. List them in the same order in every run ([`in_order`]): it is the norm's.
    ///
    /// Batch normalisation's running statistics belong in the list: what has no gradient in the first pass is put back
    /// after the second, so that a batch counts once. For the same reason leave frozen parameters out.
    ///
    /// # Errors
    /// Those of [`grouped`](Sam::grouped).
    pub fn new(vars: Vec<Var>, config: Config) -> Result<Self> {
        Self::grouped(vars.into_iter().map(|var| (var, 0)).collect(), config)
    }

    /// Every variable with the index of its group.
    ///
    /// # Errors
    /// A variable that is not on the CPU, a floating-point one that is not `f32`, one that is listed twice.
    pub fn grouped(vars: Vec<(Var, usize)>, config: Config) -> Result<Self> {
        let mut seen = HashSet::new();
        for (at, (var, _)) in vars.iter().enumerate() {
            let (dtype, device) = (var.dtype(), var.device().location());
            if !var.device().is_cpu() || (dtype.is_float() && dtype != DType::F32) {
                bail!(
                    "presam: variable {at}: expected f32 on the CPU, found {dtype:?} on {device:?}"
                );
            }
            if !seen.insert(var.id()) {
                bail!("presam: variable {at}: expected each variable once, found it a second time");
            }
        }
        let Config { variant, base, groups } = config;
        let params = Params { all: vars.into_iter().map(Param::new).collect(), refused: None };
        Ok(Self { session: Session::new(Cpu::detect(), variant, base), groups, copies: 0, params })
    }

    /// A step with a closure that gives the loss: called at the parameters and again at the perturbed ones, on the same
    /// batch. Returns the first call's loss and what the step did. The rule `momentum-sam` takes one gradient a step: its
    /// closure is called once, at the perturbed parameters.
    ///
    /// # Errors
    /// The closure's, and those of [`step`](Sam::step).
    pub fn backward_step(
        &mut self,
        mut loss: impl FnMut() -> Result<Tensor>,
    ) -> Result<(Option<Tensor>, StepReport<f32>)> {
        let mut first = None;
        let report = self.step(|| {
            let loss = loss()?;
            first.get_or_insert(loss.detach());
            loss.backward()
        })?;
        Ok((first, report))
    }

    /// A step with a closure that gives the gradients: for what is added up over parts of a batch ([`GradStore::extend`])
    /// or comes from elsewhere.
    ///
    /// A variable without a gradient is left alone: one that lacks the first is not perturbed, one that lacks the second
    /// does not step. A gradient that is not finite skips the step, which the report tells.
    ///
    /// # Errors
    /// The closure's, a gradient of another kind or size than its variable, and core's for settings out of range: the
    /// parameters are then as before the step.
    pub fn step(
        &mut self,
        mut gradients: impl FnMut() -> Result<GradStore>,
    ) -> Result<StepReport<f32>> {
        let one_gradient = matches!(self.session.variant, AnyVariant::MomentumSam(_));
        let mut kept = Vec::new();
        if !one_gradient {
            self.take(&gradients()?)?;
            kept = self.params.without_gradient()?;
        }
        let perturbed = self.perturbed(one_gradient, &mut gradients);
        let (ascent, second) = perturbed.map_err(|error| self.params.error(error))?;
        for (var, value) in kept {
            var.set(&value)?;
        }
        let Some(second) = second else {
            return Ok(StepReport { ascent, second: Outcome::Finite, descended: false });
        };
        self.take(&second?)?;
        let second = self.session.descend(&self.groups, &mut self.params);
        let second = second.map_err(|error| self.params.error(error))?;
        Ok(StepReport { ascent, second, descended: second != Outcome::NonFinite })
    }

    /// The gradients at the perturbed point, where there is one; the parameters are restored.
    fn perturbed(
        &mut self,
        one_gradient: bool,
        gradients: &mut dyn FnMut() -> Result<GradStore>,
    ) -> Core<(Ascent<f32>, Option<Result<GradStore>>)> {
        let Self { session, groups, params, .. } = self;
        let ascended = if one_gradient {
            session.ascend_with_momentum(groups, params)?
        } else {
            session.ascend(groups, params)?
        };
        let ascent = ascended.ascent();
        // `ascended` is dropped here, which restores, bit for bit; after a panic too.
        Ok((ascent, (ascent.outcome != Outcome::NonFinite).then(gradients)))
    }

    /// The read-only planes of a variable, each of its shape: the mask of `ssam` and `masked-sam`, C or D of the
    /// preconditioners, C and D of `pre-sam`. Copied.
    ///
    /// # Errors
    /// A variable that is not in the list, a plane of another shape.
    pub fn set_inputs(&mut self, var: &Var, planes: &[Tensor]) -> Result<()> {
        let of = self.params.all.iter_mut().find(|param| param.var.id() == var.id());
        let Some(param) = of else {
            bail!("presam: expected a variable of the list, found another")
        };
        if let Some(plane) = planes.iter().find(|plane| plane.shape() != var.shape()) {
            bail!("presam: inputs: expected shape {:?}, found {:?}", var.shape(), plane.shape());
        }
        let flat = planes.iter().map(|plane| plane.flatten_all()?.to_vec1());
        param.inputs = flat.collect::<Result<_>>()?;
        Ok(())
    }

    /// The learning rate: a schedule's, else the base optimizer's own.
    pub fn learning_rate(&self) -> f64 {
        use presam::DynBase;
        f64::from(self.session.learning_rate.unwrap_or(self.session.base.learning_rate()))
    }

    /// Sets it for the steps to come.
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        self.session.learning_rate = Some(learning_rate as f32);
    }

    /// The gradients at hand, as blocks of memory; planes for those that have their first.
    fn take(&mut self, grads: &GradStore) -> Result<()> {
        let (memory, state) =
            (self.session.variant.planes().memory, self.session.base.about().state);
        for param in &mut self.params.all {
            param.grad = grads.get(&param.var).cloned();
            let Some(grad) = &mut param.grad else { continue };
            if grad.dtype() != DType::F32 || grad.shape() != param.var.shape() {
                let (expected, found) = (param.var.shape(), (grad.shape(), grad.dtype()));
                bail!("presam: gradient: expected f32 of {expected:?}, found {found:?}");
            }
            if !grad.is_contiguous() {
                *grad = grad.contiguous()?;
                self.copies += 1;
            }
            let len = grad.elem_count();
            param.spare.resize(len, 0.0);
            param.memory.resize_with(memory, || vec![0.0; len]);
            param.state.resize_with(state, || vec![0.0; len]);
        }
        Ok(())
    }
}

/// The variables of a map by their names, so in the same order in every run; `VarMap::all_vars` has them in the order
/// of a hash table.
pub fn in_order(varmap: &VarMap) -> Vec<Var> {
    let data = varmap.data().lock().unwrap_or_else(PoisonError::into_inner);
    let mut named: Vec<_> = data.iter().collect();
    named.sort_by_key(|(name, _)| name.as_str());
    named.into_iter().map(|(_, var)| var.clone()).collect()
}

/// A variable and the planes beside it, which are made with its first gradient.
struct Param {
    var: Var,
    group: usize,
    grad: Option<Tensor>,
    spare: Vec<f32>,
    memory: Vec<Vec<f32>>,
    inputs: Vec<Vec<f32>>,
    state: Vec<Vec<f32>>,
    mark: Mark,
}

impl Param {
    fn new((var, group): (Var, usize)) -> Self {
        let (spare, mark) = (Vec::new(), Mark::default());
        let (memory, inputs, state) = (Vec::new(), Vec::new(), Vec::new());
        Self { var, group, grad: None, spare, memory, inputs, state, mark }
    }
}

struct Params {
    all: Vec<Param>,
    /// What candle itself refused in a visit.
    refused: Option<Error>,
}

impl Params {
    /// Copies of the variables that have no gradient.
    fn without_gradient(&self) -> Result<Vec<(Var, Tensor)>> {
        let without = self.all.iter().filter(|param| param.grad.is_none());
        without.map(|param| Ok((param.var.clone(), param.var.copy()?))).collect()
    }

    /// The cause of a step's error: candle's where candle refused.
    fn error(&mut self, error: presam::Error) -> Error {
        self.refused.take().unwrap_or_else(|| Error::wrap(error))
    }
}

/// A model in its variables' own storage: those that have a gradient.
impl Segments<f32> for Params {
    fn visit(&mut self, visitor: &mut dyn FnMut(SegmentMut<'_, f32>) -> Core<()>) -> Core<()> {
        for (segment, param) in self.all.iter_mut().enumerate() {
            let Some(grad) = &param.grad else { continue };
            let Param { group, ref mut spare, ref mut memory, ref inputs, .. } = *param;
            let (state, mark) = (&mut param.state, &mut param.mark);
            let mut told = Ok(());
            let mut lent = |params: &mut [f32], grads: &[f32]| {
                told = visitor(SegmentMut {
                    group,
                    params,
                    grads,
                    perturbed_grads: grads,
                    spare,
                    memory: PlanesMut::of(memory),
                    inputs: Planes::of(inputs),
                    state: PlanesMut::of(state),
                    mark,
                });
            };
            if let Err(error) = param.var.inplace_op2(grad, &Lend(RefCell::new(&mut lent))) {
                self.refused = Some(error);
                return Err(presam::Error::Visit { segment });
            }
            told?;
        }
        Ok(())
    }
}

/// What is done with a variable's storage and its gradient's while candle lends them.
type Work<'a> = dyn FnMut(&mut [f32], &[f32]) + 'a;
struct Lend<'a>(RefCell<&'a mut Work<'a>>);

impl InplaceOp2 for Lend<'_> {
    fn name(&self) -> &'static str {
        "presam"
    }

    fn cpu_fwd(
        &self,
        params: &mut CpuStorage,
        params_at: &Layout,
        grads: &CpuStorage,
        grads_at: &Layout,
    ) -> Result<()> {
        let blocks = params_at.contiguous_offsets().zip(grads_at.contiguous_offsets());
        let (CpuStorage::F32(params), CpuStorage::F32(grads), Some((to, from))) =
            (params, grads, blocks)
        else {
            bail!("presam: expected blocks of f32")
        };
        (self.0.borrow_mut())(&mut params[to.0..to.1], &grads[from.0..from.1]);
        Ok(())
    }
}
