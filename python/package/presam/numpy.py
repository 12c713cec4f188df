"""The step over numpy arrays, in place, for trainers of your own.

    optimizer = presam.numpy.SAM([w1, b1, w2, b2], "asam", rho=1.0, base="sgd", lr=0.1, momentum=0.9)
    optimizer.step(lambda: gradients(w1, b1, w2, b2))
"""

import math
from typing import Any, Callable, Dict, List, Optional, Sequence, Union

import numpy as np

from ._names import (
    BASE_SETTINGS, GROUP, OUTCOMES, WATCHED, Base, Method, Report, Watch, checked_rho, parted, within,
)

SCALARS = {np.dtype(np.float32): "f32", np.dtype(np.float64): "f64"}


def checked(what: str, array: Any) -> np.ndarray:
    """An array that the step can take."""
    if not isinstance(array, np.ndarray) or array.dtype not in SCALARS:
        found = f"an array of {array.dtype}" if isinstance(array, np.ndarray) else f"a {type(array).__name__}"
        raise TypeError(f"{what}: expected numpy arrays of float32 or float64, found {found}")
    if not (array.flags.c_contiguous and array.flags.aligned):
        raise ValueError(f"{what}: expected C-contiguous arrays, found strides {array.strides}; np.ascontiguousarray makes one")
    return array


def arrays(grads: Optional[Sequence[Any]]) -> Optional[List[Any]]:
    """Arithmetic on arrays without dimensions leaves numpy's scalars, which are no arrays."""
    return None if grads is None else [np.asarray(g) if isinstance(g, np.generic) else g for g in grads]


class SAM:
    """Sharpness-aware minimisation over arrays that are updated in place.

    params     arrays of one type, float32 or float64, C-contiguous and writeable; or groups, dicts with "params" and
               what the group sets for itself: rho, lr, weight_decay, operator, counted, perturbed, maximize
    variant, rho, base ("sgd", "adamw"), length, descent, max_norm, loss_scale, keys: as in presam.torch.SAM
    threads    for arrays of 131072 elements and more; the bits are the same whatever their number

    Gradients are lists, one for each array in the order of the groups, None for an array without one; they are read
    alone (a descent that mixes both works on a copy of the second). Memory, state and backups are arrays of its own.
    Errors: TypeError and ValueError, one line each, before anything is written.
    """

    def __init__(self, params: Sequence[Union[np.ndarray, Dict[str, Any]]], variant: str = "info-asam", *, rho=None,
                 base: str = "sgd", length: str = "normalised", length_lambda: float = 0.5, norm_guard: float = 0.0,
                 descent: Optional[str] = None, max_norm: Optional[float] = None, loss_scale: float = 1.0,
                 watch: int = 100, threads: int = 1, **keys: Any):
        group = {**GROUP, "rho": checked_rho(rho), **{key: keys.pop(key) for key in GROUP if key in keys}}
        Base(base, True)
        own, of_descent, of_base = parted(variant, descent, BASE_SETTINGS[base], keys, False)
        defaults = {**BASE_SETTINGS[base], **of_base, **group}
        params = list(params)
        listed = params if params and isinstance(params[0], dict) else [{"params": params}]
        self.groups: List[Dict[str, Any]] = [{**defaults, **g, "params": list(g["params"])} for g in listed]
        self.max_norm, self.loss_scale, self.threads = max_norm, loss_scale, threads
        self._method = Method(variant, own, length, length_lambda, norm_guard, descent, of_descent)
        self._base = Base(base, any(g.get("momentum", 0) != 0 for g in self.groups))
        if self._method.one_gradient and not self._base.state:
            raise ValueError("momentum-sam: expected a momentum above 0 or base='adamw', whose momentum it follows")
        if self._method.inputs:
            raise ValueError(f"variant: expected one without inputs, found {self._method.variant.name}, whose masks or "
                             "preconditioners presam.torch takes")
        self._watch, self._half, self._kept = Watch(watch), None, None
        self._params = [checked("params", w) for g in self.groups for w in g["params"]]
        types = {w.dtype for w in self._params}
        if len(types) > 1:
            raise TypeError(f"params: expected one type, found {' and '.join(sorted(map(str, types)))}")
        self._scalar = types.pop() if types else np.dtype(np.float64)
        self._engine = self._method.engine(SCALARS[self._scalar], (self._base.core, self._base.keys), self._base.names)
        self._own_planes()

    def _own_planes(self) -> None:
        looks = self._method.descent[0] == "look-sam"
        memory, _, state = self._engine.planes
        self._planes: List[List[Optional[np.ndarray]]] = []
        rows, self._filled = [], []
        places = [k for k, g in enumerate(self.groups) for _ in g["params"]]
        for index, (w, place) in enumerate(zip(self._params, places)):
            if not w.flags.writeable:
                raise ValueError("params: expected arrays that can be written, found a read-only one")
            there = [True, self._method.mixes, looks] + [True] * (memory + state)
            planes = [np.zeros_like(w) if here else None for here in there]
            self._planes.append(planes)
            if w.size:
                self._filled.append(index)
                rows.append((w.size, place, [w.ctypes.data, *(0 if p is None else p.ctypes.data for p in planes)]))
        self._engine.set_tensors(rows)

    # The step.

    def step(self, gradient: Callable[[], Any]) -> Any:
        """A whole step. `gradient` returns the list of gradients at the arrays as they are, or (loss, list); it is called
        at the parameters and at the perturbed ones. Returns the first loss."""

        def taken():
            found = gradient()
            return found if isinstance(found, tuple) else (None, found)

        loss, grads = (None, None) if self._method.one_gradient else taken()
        outcome = self.first_step(grads)
        try:
            if outcome in ("perturbed", "zero-norm"):
                second, grads = taken()
                loss = second if self._method.one_gradient else loss
        except BaseException:
            self.restore()
            raise
        self.second_step(grads)
        return loss

    def first_step(self, grads: Optional[Sequence[Optional[np.ndarray]]] = None) -> str:
        """Perturbs the arrays along the gradients (momentum-sam: along its momentum). Returns the outcome."""
        if self._half is not None:
            raise RuntimeError("first_step: the arrays are perturbed: second_step or restore comes first")
        one, grads = self._method.one_gradient, arrays(grads)
        found = self._momenta() if one else self._addresses(grads)
        self._unscale = 1.0 / within("loss_scale", self.loss_scale, "a finite number above 0", lambda x: 0 < x < math.inf)
        call = (found, self.groups, self._unscale)
        if self._watch.steps % self._method.every:
            outcome = OUTCOMES[self._engine.reuse(*call, self.max_norm, self.threads, None)]
            self._half = outcome if outcome == "non-finite" else "reused"
            self._watch.began(self._half, math.nan)
            return self._half
        due = self._watch.due() and not one
        self._kept = [None if g is None else g.copy() for g in grads] if due else None
        outcome, norm = self._engine.ascend(*call, one, self.threads, None)
        self._half = OUTCOMES[outcome]
        self._watch.began(self._half, norm)
        return self._half

    def second_step(self, grads: Optional[Sequence[Optional[np.ndarray]]]) -> str:
        """Restores the arrays, bit for bit, and lets the base optimizer step along the gradients. Returns the outcome."""
        if self._half is None:
            raise RuntimeError("second_step: the arrays are not perturbed: first_step comes first")
        outcome = self._half
        if outcome in ("perturbed", "zero-norm"):
            try:
                grads = arrays(grads)
                found = self._addresses(grads)
                self._look(grads)
                if self._method.mixes:
                    grads = [None if g is None else g.copy() for g in grads]
                    found = self._addresses(grads)
                args = (found, self.groups, self._unscale, self.max_norm, self.threads)
                judged = OUTCOMES[self._engine.descend(*args, None, False)]
            finally:
                self.restore()
            outcome = judged if judged == "non-finite" else outcome
        self._half, self._watch.outcome = None, outcome
        return outcome

    def restore(self) -> None:
        """Takes the perturbation back, exactly."""
        self._engine.restore()
        self._half = None

    @property
    def outcome(self) -> Optional[str]:
        """Of the last step."""
        return self._watch.outcome

    def report(self) -> Report:
        """As presam.torch.SAM.report."""
        return self._watch.report()

    def _look(self, grads) -> None:
        if self._kept is not None:
            pairs = [(a, b) for a, b in zip(self._kept, grads) if a is not None and b is not None]
            apart = sum(float(np.square(b - a, dtype=np.float64).sum()) for a, b in pairs)
            whole = sum(float(np.square(a, dtype=np.float64).sum()) for a, _ in pairs)
            self._watch.saw(math.sqrt(apart / whole) if whole else math.nan)
        self._kept = None

    def _momenta(self) -> List[int]:
        return [self._planes[k][-self._engine.planes[2]].ctypes.data for k in self._filled]

    def _addresses(self, grads) -> List[int]:
        if grads is None or len(grads) != len(self._params):
            found = "none" if grads is None else len(grads)
            raise ValueError(f"gradients: expected {len(self._params)}, one for each array (or None), found {found}")
        found = []
        for k in self._filled:
            g, w = grads[k], self._params[k]
            if g is not None and (checked("gradients", g).dtype != w.dtype or g.shape != w.shape):
                raise ValueError(f"gradients: expected {w.dtype} {w.shape}, found {g.dtype} {g.shape}")
            found.append(0 if g is None else g.ctypes.data)
        return found

    # Saving.

    def state_dict(self) -> Dict[str, Any]:
        """Copies of memory and state, counters, settings of the groups; not the arrays themselves."""
        if self._half is not None:
            raise RuntimeError("state_dict: the arrays are perturbed: second_step or restore comes first")
        planes = [[p.copy() for p in planes] for planes in self._kept_planes()]
        groups = [{key: value for key, value in g.items() if key != "params"} for g in self.groups]
        watch = {key: getattr(self._watch, key) for key in WATCHED}
        return {**self._made(), "planes": planes, "groups": groups, "counters": self._engine.counters(), "watch": watch}

    def _made(self) -> Dict[str, Any]:
        return {"variant": self._method.variant.name, "descent": self._method.descent[0], "base": self._base.core}

    def _kept_planes(self) -> List[List[np.ndarray]]:
        """Memory and state of each array, LookSAM's sharp part first."""
        return [[p for p in planes[2:] if p is not None] for planes in self._planes]

    def load_state_dict(self, saved: Dict[str, Any]) -> None:
        """Goes on where `saved` was taken, to the same bits."""
        if self._half is not None:
            raise RuntimeError("load_state_dict: the arrays are perturbed: second_step or restore comes first")
        for key, expected in self._made().items():
            if saved[key] != expected:
                raise ValueError(f"load_state_dict: expected a {key} of {expected}, found {saved[key]}")
        own, kept = self._kept_planes(), saved["planes"]
        shapes = lambda lists: [[p.shape for p in planes] for planes in lists]
        if shapes(own) != shapes(kept) or len(self.groups) != len(saved["groups"]):
            raise ValueError(f"load_state_dict: expected memory and state of {len(own)} arrays in {len(self.groups)} groups, in "
                             f"their shapes {[w.shape for w in self._params]}, found others: {shapes(kept)} in "
                             f"{len(saved['groups'])}")
        for planes, copies in zip(own, kept):
            for plane, copy in zip(planes, copies):
                plane[...] = copy
        for group, settings in zip(self.groups, saved["groups"]):
            group.update(settings)
        rule, base = saved["counters"]
        self._engine.set_counters(tuple(rule), [tuple(c) for c in base])
        for key, value in saved["watch"].items():
            setattr(self._watch, key, value)
