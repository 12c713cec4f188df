"""[`SAM`]: every variant over torch's parameters, in place."""

import contextlib
import functools
import inspect
import math
import warnings
from typing import Any, Callable, Dict, Iterable, List, Optional, Type, Union

import torch
from torch.optim import optimizer

from .._names import BASE_SETTINGS, EQUAL_GRADIENTS, GROUP, OUTCOMES, Base, Method, Report, Watch, checked_rho, parted, within
from . import devices, refusals
from .caller import outside
from .health import apart
from .saving import Saved
from .tensors import Tensors, warn_of_copies, write_back
from .together import decision

is_grad_enabled = torch.is_grad_enabled
increment_version = torch._C._increment_version  # torch.autograd.graph's, for a list alone

# As torch.optim's own, which older ones keep elsewhere: tensors, named tensors or groups.
ParamsT = Iterable[Any]

# Hooks of every optimizer of a process. A torch that keeps them elsewhere counts as one that has some.
HOOKS_OF_ALL = [getattr(optimizer, f"_global_optimizer_{when}_hooks", {"elsewhere": None}) for when in ("pre", "post")]


class SAM(Saved, torch.optim.Optimizer):
    """Sharpness-aware minimisation around a base optimizer, fused and in place.

        perturbation = rho D^2 C g / || D C g ||      one norm over all counted parameters
        w <- base optimizer(w, gradient taken at w + perturbation)

    params         tensors, named tensors or groups, float32 or float64 on the CPU, float32 on an NVIDIA GPU. A group may set
                   rho, lr, weight_decay and what else the base optimizer has, maximize, and three switches: operator (False:
                   ASAM's |w| + eta is 1, usual for biases and norm layers), counted (in the norm), perturbed
    variant        a name of presam.variants(); its keys are arguments: eta=0.01, decay=0.9, ...
    rho            the radius, at least 0, in the parameter's unit for sam. No default: see the error
    base           "sgd", "adamw" (fused), or a class of torch.optim; its settings are arguments: lr, momentum, ...
    length         "normalised": rho / (N + norm_guard); "unnormalised": rho;
                   "mixed": rho ((1 - length_lambda) + length_lambda / (N + norm_guard))
    descent        None, "gsam" (alpha), "wsam" (gamma, decoupled), "saner" (alpha) or "look-sam" (alpha, every)
    max_norm       the second gradient is brought down to this global norm
    loss_scale     every gradient is divided by it; set the attribute where it changes, between two steps
    watch          the distance of both gradients is looked at in the first three steps and every so many (such a step
                   keeps a copy of the first gradient); 0: never
    process_group  whose processes skip a step together where numbers are not finite: "default" is torch's default group
                   where there is one; None: each process decides for itself
    threads        of a CPU's step, for tensors of 131072 numbers and more; None: as many as torch has. Where they are as
                   many they are torch's own (on Linux, of its OpenMP runtime), else a pool's; the bits are the same
    base_options   arguments of the base class that are keys of the variant too

    Memory beside the parameters, in floats for each: 1 (backup), the variant's memory, the base optimizer's state; gsam,
    wsam and saner 1 more, look-sam 2. After a step `outcome` and `report()` say what became of it. A step in which a gradient
    is not finite changes no parameter and no state; where it was the first gradient, no memory and no counter either.

    Errors: TypeError and ValueError, one line each, before anything is written.
    Source: Foret et al. 2021 (arXiv 2010.01412); preSAM (arXiv 2501.06603) for C and D; each variant's own in
    presam.variants()[name].source.
    """

    def __init__(self, params: ParamsT, variant: str = "info-asam", *, rho: Optional[float] = None,
                 base: Union[str, Type[torch.optim.Optimizer]] = "sgd", length: str = "normalised", length_lambda: float = 0.5,
                 norm_guard: float = 0.0, descent: Optional[str] = None, max_norm: Optional[float] = None,
                 loss_scale: float = 1.0, watch: int = 100, process_group: Any = "default", threads: Optional[int] = None,
                 base_options: Optional[Dict[str, Any]] = None, **keys: Any):
        rho, named = checked_rho(rho), isinstance(base, str)
        group = {**GROUP, "rho": rho, **{key: keys.pop(key) for key in GROUP if key in keys and (named or key != "maximize")}}
        if named:
            Base(base, True)  # a name that is none is told before a key of it
            known, spare = BASE_SETTINGS[base], False
        else:
            refusals.base_class(base)
            known = inspect.signature(base).parameters
            spare = any(p.kind is p.VAR_KEYWORD for p in known.values())
            group.pop("maximize")
        own, of_descent, of_base = parted(variant, descent, known, keys, spare)
        of_base.update(base_options or {})
        self._method = Method(variant, own, length, length_lambda, norm_guard, descent, of_descent)
        self._watch, self._process_group = Watch(watch), process_group
        whole = lambda x: x >= 1 and x % 1 == 0
        self._threads = None if threads is None else int(within("threads", threads, "a whole number from 1 up", whole))
        self.max_norm, self.loss_scale = max_norm, loss_scale
        self._tensors: Optional[Tensors] = None
        self._counters = ((0, 1.0, 0.0), {})
        self._scratch: Dict[torch.Tensor, Dict[str, torch.Tensor]] = {}
        self._half: Optional[str] = None
        self._kept: Optional[List[Any]] = None
        # First gradients that a GPU looks at once more: alive until it has.
        self._firsts: Optional[List[Any]] = None
        self._warned_of_equal = False
        self._listeners: List[Any] = []
        self.base_optimizer: Optional[torch.optim.Optimizer] = None
        self._base: Optional[Base] = None
        super().__init__(params, {**(dict(known, **of_base) if named else {}), **group})
        if named:
            self._base = Base(base, any(g.get("momentum", 0) != 0 for g in self.param_groups))
        else:
            self._wrap(base, of_base)
        if self._method.one_gradient and not (self._base and self._base.state):
            raise ValueError(refusals.NO_MOMENTUM)
        # Looked at again where a step is made: a model may be moved in between.
        devices.place_of([p for g in self.param_groups for p in g["params"]])[0].check_base(self._base)

    def _wrap(self, base, options) -> None:
        """One list of groups for both, so that a scheduler or a later group reaches both."""
        refusals.descent(self._method.descent[0], base)
        self.base_optimizer = base(self.param_groups, **options)
        self.defaults.update(self.base_optimizer.defaults)
        self.param_groups = self.base_optimizer.param_groups

    def add_param_group(self, param_group) -> None:
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        try:
            checked_rho(group["rho"])
            devices.place_of([p for g in self.param_groups for p in g["params"]])
        except (TypeError, ValueError):
            self.param_groups.pop()
            raise

    # The step.

    def step(self, closure: Optional[Callable[[], Any]] = None):
        """A whole step. `closure` takes the gradients and returns the loss; it is called at the parameters and again at
        the perturbed ones, each time with gradients cleared (whether it clears them itself or not). Returns the loss at
        the parameters (momentum-sam: at the perturbed ones, the only ones it sees)."""
        if closure is None:
            raise TypeError(refusals.BY_HAND)
        self._at_rest("step")
        one = self._method.one_gradient
        loss = self._clear() if one else self._taken(closure)
        outcome = self._first()
        try:
            if outcome != "non-finite" and outcome != "reused":
                second = self._taken(closure)
                loss = second if one else loss
        except BaseException:
            self._give_up()
            raise
        self._second()
        return loss

    def _taken(self, closure):
        self._clear()
        if is_grad_enabled():
            return closure()
        with torch.enable_grad():
            return closure()

    def first_step(self, zero_grad: bool = False) -> str:
        """Perturbs the parameters along the gradients at hand. Returns the outcome. Clear the gradients before the
        second backward, here or yourself: they would be added up."""
        outcome = self._first()
        if zero_grad:
            self.zero_grad()
        return outcome

    def second_step(self, zero_grad: bool = False) -> str:
        """Restores the parameters, bit for bit, and lets the base optimizer step along the gradients at hand. Returns
        the outcome. Hooks and schedulers see it as a step."""
        self._call(HOOKS_OF_ALL[0], self._optimizer_step_pre_hooks)
        outcome = self._second()
        # What a scheduler of torch looks at, to warn where it was called before the first step.
        self._opt_called = True
        self._call(self._optimizer_step_post_hooks, HOOKS_OF_ALL[1])
        if zero_grad:
            self.zero_grad()
        return outcome

    def _call(self, *lists) -> None:
        for hooks in lists:
            for hook in hooks.values() if hooks else ():
                if hook is not None:
                    hook(self, (), {})

    def base_step(self, zero_grad: bool = False) -> str:
        """The base optimizer alone along the gradients at hand: plain training before SAM begins, or the end of a step
        whose second gradients were gathered by hand (gsam and the like mix nothing here). Scaled, clipped and judged as in
        a whole step. Returns the outcome, "base" or "non-finite" (on a GPU "queued")."""
        self._at_rest("base_step")
        self._current().fetch()
        self._unscale, self._decide = self._inverse_scale(), decision(self._process_group)
        self._kept, self._half = None, "base"
        try:
            return self.second_step(zero_grad)
        finally:
            self._rest()

    def restore(self) -> None:
        """Takes the perturbation back, exactly: the parameters are copied from before it. The step is given up."""
        if self._half is None:
            return
        # None where a list that was to be made anew was refused: the old one was restored before.
        restored = self._tensors.engine.restore(*self._tensors.on()) if self._tensors is not None else 0
        try:
            if restored:
                self._moved()
        finally:
            self._rest()

    def _give_up(self) -> None:
        """The same after an error, which is the one to be told; what could not be restored waits for `restore`."""
        with contextlib.suppress(RuntimeError, ValueError):
            self.restore()

    @property
    def outcome(self) -> Optional[str]:
        """Of the last step: see `report`."""
        return self.report().outcome

    def report(self) -> Report:
        """What the last step did, and the run so far: outcome, norm, share of perturbed steps, distance of g~ from g. On a
        GPU it waits for the step, and tells outcome and norm of the last replay too."""
        report, found = self._watch.report(), None
        if self._tensors is not None and self._tensors.queued:
            found = self._tensors.engine.outcome(*self._tensors.on())
        return report if found is None else report._replace(outcome=OUTCOMES[found[0]], norm=found[1])

    def push_settings(self) -> None:
        """Tells a GPU what the groups, `loss_scale` and `max_norm` hold now: between replays of a captured step, which
        calls no Python that would. Elsewhere each step looks by itself."""
        if self._tensors is not None and self._tensors.queued:
            self._tensors.engine.push(self.param_groups, self._inverse_scale(), self.max_norm, *self._tensors.on())

    def set_inputs(self, parameter: torch.Tensor, *inputs: torch.Tensor) -> None:
        """The read-only planes of a parameter, each of its shape: the mask of ssam and masked-sam, C or D of the
        preconditioners, C and D of pre-sam. Copied; they are saved with the state."""
        if len(inputs) != self._method.inputs:
            raise ValueError(f"inputs: expected {self._method.inputs} of {self._method.variant.name}, found {len(inputs)}")
        self._at_rest("set_inputs")
        for k, plane in enumerate(inputs):
            if plane.shape != parameter.shape:
                raise ValueError(f"inputs: expected {tuple(parameter.shape)}, found {tuple(plane.shape)}")
        state, captured = self.state[parameter], self._tensors is not None and self._tensors.queued
        with torch.no_grad():
            fresh = [torch.empty_like(parameter, requires_grad=False).copy_(plane) for plane in inputs]
            for k, plane in enumerate(fresh):
                kept = state.get(f"input_{k}")
                alike = kept is not None and (kept.shape, kept.dtype, kept.device) == (plane.shape, plane.dtype, plane.device)
                if captured and alike:
                    # In its place, where a captured step finds it too.
                    kept.copy_(plane)
                else:
                    state[f"input_{k}"] = plane
                    self._retire()

    @staticmethod
    def profile_hook_step(func):
        """What torch puts around `step`: a range for a profiler and the hooks, which together cost more than both halves
        over a small network. Entered where there is a profiler or a hook."""
        whole = torch.optim.Optimizer.profile_hook_step(func)

        @functools.wraps(func)
        def step(self, *args, **kwargs):
            hooks = self._optimizer_step_pre_hooks or self._optimizer_step_post_hooks or any(HOOKS_OF_ALL)
            entered = whole if hooks or torch.autograd._profiler_enabled() else func
            return entered(self, *args, **kwargs)

        return step

    # Both halves.

    def _first(self) -> str:
        if self._half is not None:
            self._at_rest("first_step")
        # Names are looked up once and arguments written out: with a small network that is what a step costs.
        tensors, watch, one, groups = self._tensors, self._watch, self._method.one_gradient, self.param_groups
        self._unscale = unscale = 1.0 if self.loss_scale == 1.0 else self._inverse_scale()
        self._decide = decide = decision(self._process_group)
        if watch.steps % self._method.every:
            return self._reuse()
        due = watch.due() and not one
        # A step that is watched is looked at closely, and so is what the short way does not take.
        found = None
        try:
            if not (due or one or tensors is None):
                if tensors.keeps:
                    self._firsts = [p.grad for p in tensors.params]
                found = tensors.engine.ascend(None, groups, unscale, False, tensors.workers(), decide)
            number, norm = found or self._ascend_closely(one, due)
        except BaseException:
            self._kept = self._firsts = None
            raise
        self._half = outcome = OUTCOMES[number]
        watch.began(outcome, norm)
        if outcome != "non-finite":
            try:
                self._moved()
                for listener in self._listeners:
                    listener.perturbed()
            except BaseException:
                self._give_up()
                raise
        return outcome

    def _ascend_closely(self, one: bool, due: bool):
        # Copies are kept in a name until the ascent has read them.
        tensors, grads, _copies = self._closely(one)
        looks = due and not tensors.queued
        self._firsts = [[p.grad for p in tensors.params], _copies] if tensors.keeps else None
        self._kept = [(p, p.grad.clone()) for p in tensors.params if p.grad is not None] if looks else None
        return tensors.engine.ascend(grads, self.param_groups, self._unscale, one, tensors.workers(), self._decide)

    def _closely(self, one: bool):
        """The tensors, addresses of what the ascent follows, copies among them: one by one, whatever has changed."""
        tensors = self._current()
        grads, copies = (tensors.momenta(), []) if one else tensors.gradients()
        warn_of_copies(tensors.copied + len(copies))
        tensors.fetch()
        return tensors, grads, copies

    def _reuse(self) -> str:
        """LookSAM between two perturbed steps: the base optimizer steps now, the second half has nothing to do."""
        def taken(tensors, grads):
            workers = tensors.workers()
            return tensors.engine.reuse(grads, self.param_groups, self._unscale, self.max_norm, workers, self._decide)

        found = self._tensors and taken(self._tensors, None)
        if found is None:
            tensors, grads, _copies = self._closely(False)
            found = taken(tensors, grads)
        self._half = outcome = "non-finite" if OUTCOMES[found] == "non-finite" else "reused"
        self._watch.began(outcome, math.nan)
        self._moved()
        return outcome

    def _second(self) -> str:
        outcome = self._half
        if outcome is None:
            raise RuntimeError("second_step: the parameters are not perturbed: first_step comes first")
        if outcome in ("non-finite", "reused"):
            self._rest()
            return outcome
        try:
            self._watch.outcome = outcome = self._descend(outcome)
        except BaseException:
            self._give_up()
            raise
        return outcome

    def _descend(self, outcome: str) -> str:
        tensors, groups, alone, found = self._tensors, self.param_groups, outcome == "base", None
        if not self._kept:
            found = tensors.engine.descend(None, groups, self._unscale, self.max_norm, tensors.workers(), self._decide, alone)
        if found is None:
            found = self._descend_closely(alone)
        self._moved()
        self._rest()
        if OUTCOMES[found] in ("non-finite", "queued"):
            return OUTCOMES[found]
        if self.base_optimizer is not None:
            self.base_optimizer.step()
        return outcome

    def _descend_closely(self, alone: bool) -> int:
        tensors, grads, copies = self._closely_again()
        if self._kept:
            self._look()
        call = (self.param_groups, self._unscale, self.max_norm, tensors.workers(), self._decide, alone)
        found = tensors.engine.descend(grads, *call)
        if self._method.mixes or self.base_optimizer is not None:
            write_back(copies)
        return found

    def _closely_again(self):
        """As `_closely`, at the perturbed parameters, which must be where they were."""
        tensors = self._tensors
        if not tensors.in_place():
            raise RuntimeError("parameters: expected to find them where first_step perturbed them, found other memory; "
                               "move or convert a model between steps (what was left behind is perturbed)")
        if tensors.more():
            if tensors.queued and self._half != "base":
                raise ValueError(refusals.LATE_ON_GPU)
            # Gradients that only the second pass has: their planes are made now, at the restored parameters.
            tensors.engine.restore(*tensors.on())
            self._moved()
            tensors = self._current()
        return (tensors, *tensors.gradients())

    def _look(self) -> None:
        """The distance of the gradients in a step that is watched."""
        distance, equal = apart(self._kept)
        self._kept = None
        self._watch.saw(distance)
        moved = self._half == "perturbed" and any(g["perturbed"] and g["rho"] > 0 for g in self.param_groups)
        if moved and equal and not self._warned_of_equal:
            self._warned_of_equal = True
            warnings.warn(EQUAL_GRADIENTS, stacklevel=outside())

    # What both halves share.

    def _inverse_scale(self) -> float:
        return 1.0 / within("loss_scale", self.loss_scale, "a finite number above 0", lambda x: 0 < x < math.inf)

    def _current(self) -> Tensors:
        """The tensors as they are now."""
        if self._tensors is None or not self._tensors.holds(self.param_groups):
            self._retire()
            self._tensors = Tensors(self.param_groups, self.state, self._scratch, self._method, self._base, self._counters)
            if self._threads is not None and not self._tensors.queued:
                self._tensors.workers = lambda: self._threads
        return self._tensors

    def _retire(self) -> None:
        """The tensors are no longer those of the list: its counters are kept."""
        self._counted()
        self._tensors = None

    def _counted(self):
        """The counters, and what became of the last step, as they are now."""
        if self._tensors is not None:
            self._watch.outcome, self._watch.norm = self.report()[:2]
            rule, base = self._tensors.counters()
            self._counters = (rule, {**self._counters[1], **base})
        return self._counters

    def _moved(self) -> None:
        """The parameters were written: graphs that saved them must know."""
        tensors = self._tensors
        if tensors.work:
            tensors.store()
        increment_version(tensors.params)

    def _rest(self) -> None:
        self._half = self._kept = self._firsts = None
        for listener in self._listeners:
            listener.rested()

    def _at_rest(self, what: str) -> None:
        if self._half is not None:
            raise RuntimeError(f"{what}: the parameters are perturbed: second_step or restore comes first")

    def _clear(self) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = None
