"""[`Tensors`]: the parameters of an optimizer as the compiled module sees them, and their planes.

What holds for as long as the memory does is checked when a list is made; what may change from one step to the next
(addresses, layout and size of the gradients) in every step: at once by the compiled module where all is plain, else one
by one here. Parameters, and the storages of parameters and planes, are kept by the list, so that no address of it can come to
stand for another object or other memory.
"""

import itertools
import operator
import warnings
from typing import Any, Dict, List, Optional, Tuple

import torch

from .._names import ALONE, Base, Method
from . import devices, refusals
from .caller import outside

data_ptr = torch.Tensor.data_ptr
# DLPack's table of C functions, in torch 2.10 and newer; older ones are looked at one by one.
TABLE = getattr(torch.Tensor, "__dlpack_c_exchange_api__", None)
NO_COUNTERS = (0, 1.0, 1.0)


def is_dense(p: torch.Tensor) -> bool:
    """Whether its numbers fill one block of memory, in whatever order (channels_last does), each with its own sign."""
    return not p.is_neg() and (p.is_contiguous() or torch.empty_like(p).stride() == p.stride())


def lies(p: torch.Tensor):
    """Where it lies and how."""
    return data_ptr(p), p.dtype, p.shape, p.stride()


class Tensors:
    """The parameters that have had a gradient. A step that meets another list is handed a new one."""

    def __init__(self, groups: List[Dict[str, Any]], state, scratch, method: Method, base: Optional[Base], counters):
        every = [(p, k) for k, group in enumerate(groups) for p in group["params"]]
        self.all, self.sizes = [p for p, _ in every], [len(group["params"]) for group in groups]
        seats = [(p, k) for p, k in every if p.grad is not None or p in scratch or method.one_gradient]
        self.params = [p for p, _ in seats]
        seated = set(map(id, self.params))
        self.rest = [p for p in self.all if id(p) not in seated]
        place, dtype = devices.place_of(self.params)
        self.queued, self.workers = place.queued, place.workers
        # Whether the first gradients must stay where they are until the second half.
        self.keeps = method.mixes and place.queued
        self.places = list(map(lies, self.params))
        # What is no block of memory is worked on as a copy.
        self.work = [(p, p.detach().clone(memory_format=torch.contiguous_format)) for p in self.params if not is_dense(p)]
        self.copied, self.strided = len(self.work), {p.untyped_storage().data_ptr() for p, _ in self.work}
        copies = {id(p): copy for p, copy in self.work}
        self.images = [copies.get(id(p), p.detach()) for p in self.params]
        refuse_shared(self.params)
        alone = [name for name in ALONE if all(name in group for group in groups)]
        core, names = ((base.core, base.keys), base.names) if base else (None, alone)
        self.engine = place.engine(method, dtype, core, names)
        rows, self._planes = [], []
        # Of another shape it is another parameter, which has no memory yet and has taken no step.
        names = saved_names(method, base)
        resized = {p for p in self.params if any(state[p][name].shape != p.shape for name in names if name in state[p])}
        counters = (counters[0], {p: own for p, own in counters[1].items() if p not in resized})
        for (p, k), image in zip(seats, self.images):
            own = scratch.get(p, {})
            planes = planes_of(p, image, state[p], own, method, base, self.queued)
            scratch[p] = own
            self._planes.append(planes)
            rows.append((p.numel(), k, [image.data_ptr(), *(0 if t is None else t.data_ptr() for t in planes)]))
        self.storages = [t.untyped_storage() for t in [*self.params, *self.images]]
        self.storages += [t.untyped_storage() for planes in self._planes for t in planes if t is not None]
        # An empty tensor has no address and no part in any sum.
        filled = [row for row in rows if row[0] > 0]
        self.filled = [k for k, row in enumerate(rows) if row[0] > 0]
        self.engine.set_tensors(filled)
        if TABLE is not None and not self.work:
            there = {id(self.params[k]) for k in self.filled}
            self.engine.set_seats(TABLE, torch.Tensor, groups, [id(p) in there for p in self.all])
        self.set_counters(counters)

    def on(self) -> Tuple[int, ...]:
        """Where a call is queued that waits for a GPU or brings parameters back: its current stream; nowhere on the CPU."""
        return (self.workers(),) if self.queued else ()

    # Counters.

    def set_counters(self, counters) -> None:
        rule, of = counters
        self.engine.set_counters(rule, [of.get(self.params[k], NO_COUNTERS) for k in self.filled])

    def counters(self):
        """The rule's, and each parameter's of the base optimizer."""
        rule, base = self.engine.counters(*self.on())
        return rule, {self.params[k]: tuple(counters) for k, counters in zip(self.filled, base)}

    # What a step meets.

    def holds(self, groups: List[Dict[str, Any]]) -> bool:
        """Whether these are the groups of this list, in the same memory, no parameter of them new to gradients."""
        lists = [group["params"] for group in groups]
        return (
            list(map(len, lists)) == self.sizes
            and all(map(operator.is_, itertools.chain(*lists), self.all))
            and self.in_place()
            and not self.more()
        )

    def in_place(self) -> bool:
        return list(map(lies, self.params)) == self.places

    def more(self) -> bool:
        """Whether one of the rest has a gradient by now."""
        return any(p.grad is not None for p in self.rest)

    def gradients(self) -> Tuple[List[int], List[Tuple[torch.Tensor, torch.Tensor, torch.Tensor]]]:
        """The addresses of the gradients, 0 for none; and copies that were made, with the parameter and what they are
        copies of."""
        found, copies = [], []
        for p, image in zip(self.params, self.images):
            g = p.grad
            if g is None:
                found.append(0)
                continue
            refusals.gradient(p, g)
            # The compiled module knows of a strided parameter its copy alone.
            if g.untyped_storage().data_ptr() in self.strided and not all(apart_from(q, g) for q, _ in self.work):
                raise ValueError(refusals.GRADIENT_IS_A_PARAMETER)
            lies_alike = g.stride() == image.stride() or (g.is_contiguous() and image.is_contiguous())
            if g.is_neg() or not lies_alike:
                copy = torch.empty_like(image).copy_(g)
                copies.append((p, g, copy))
                g = copy
            found.append(data_ptr(g))
        return [found[k] for k in self.filled], copies

    def momenta(self) -> List[int]:
        """The addresses of the base optimizer's first plane of state: what momentum-sam follows."""
        first = self.engine.planes[2]
        return [self._planes[k][-first].data_ptr() for k in self.filled]

    # Copies of what is no block of memory.

    @torch.no_grad()
    def fetch(self) -> None:
        for p, copy in self.work:
            copy.copy_(p)

    @torch.no_grad()
    def store(self) -> None:
        for p, copy in self.work:
            p.copy_(copy)


def saved_names(method: Method, base: Optional[Base]) -> List[str]:
    """The planes of a parameter that are saved, by name; whatever else is in its state is others'."""
    kept = [f"memory_{k}" for k in range(method.memory)] + [f"input_{k}" for k in range(method.inputs)]
    return ["sharp", *kept, *(base.state if base else ())]


def planes_of(p, image, state, scratch, method: Method, base: Optional[Base], queued: bool) -> List[Optional[torch.Tensor]]:
    """Backup, first gradient, LookSAM's sharp part, memory, inputs, state; as the image lies in memory."""

    def plane(store: Dict[str, Any], name: str) -> torch.Tensor:
        kept = store.get(name)
        alike = kept is not None and (kept.device, kept.dtype) == (image.device, image.dtype)
        if not alike or kept.shape != image.shape or kept.stride() != image.stride():
            fresh = torch.zeros_like(image, requires_grad=False)
            store[name] = fresh.copy_(kept) if kept is not None and kept.shape == image.shape else fresh
        return store[name]

    def given(name: str) -> torch.Tensor:
        if name not in state:
            raise ValueError(f"{method.variant.name} takes {method.inputs} inputs a parameter (masks, preconditioners): "
                             "set_inputs(parameter, tensor, ...) comes before the first step")
        if state[name].shape != image.shape:
            raise ValueError(f"inputs: expected {tuple(image.shape)}, found {tuple(state[name].shape)}: set_inputs comes "
                             "again where a parameter has changed its shape")
        return plane(state, name)

    looks = method.descent[0] == "look-sam"
    return [
        plane(scratch, "backup"),
        # On a GPU only LookSAM's, between its second gradients: the first gradient is where torch has it.
        plane(scratch, "first") if method.mixes and (looks or not queued) else None,
        plane(state, "sharp") if looks else None,
        *(plane(state, f"memory_{k}") for k in range(method.memory)),
        *(given(f"input_{k}") for k in range(method.inputs)),
        *(plane(state, name) for name in (base.state if base else ())),
    ]


def span(p: torch.Tensor) -> Tuple[int, int]:
    """The first byte of its numbers, and the one after the last."""
    last = sum((n - 1) * stride for n, stride in zip(p.shape, p.stride()))
    return p.data_ptr(), p.data_ptr() + (last + 1) * p.element_size()


def meet(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two tensors whose spans overlap have a number in common: columns of one block may have none."""
    if is_dense(one) and is_dense(other):
        return True
    start = min(one.data_ptr(), other.data_ptr())
    length = (max(span(one)[1], span(other)[1]) - start) // one.element_size()
    seen = torch.zeros(length, dtype=torch.bool)
    at = lambda p: seen.as_strided(p.shape, p.stride(), (p.data_ptr() - start) // p.element_size())
    at(one).fill_(True)
    return bool(at(other).any())


def apart_from(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether they have no number in common."""
    (start, end), (first, last) = span(one), span(other)
    return not (start < last and first < end and meet(one, other))


def refuse_shared(params: List[torch.Tensor]) -> None:
    """Two parameters over the same numbers would be perturbed twice."""
    before: List[torch.Tensor] = []
    for p in sorted((p for p in params if p.numel()), key=data_ptr):
        before = [q for q in before if span(q)[1] > p.data_ptr()]
        if any(meet(q, p) for q in before):
            raise ValueError("parameters: expected memory of their own, found two that share it; tie weights by using one "
                             "Parameter in both modules")
        before.append(p)


@torch.no_grad()
def write_back(copies) -> None:
    """What became of copies of gradients. One whose numbers share a place (`expand`) gives way to its copy."""
    for p, g, copy in copies:
        if any(stride == 0 and n > 1 for n, stride in zip(g.shape, g.stride())):
            p.grad = copy
        else:
            g.copy_(copy)


_warned = False


def warn_of_copies(count: int) -> None:
    """Once a process."""
    global _warned
    if count and not _warned:
        _warned = True
        warnings.warn(f"presam: {count} parameters or gradients are no block of memory in the parameter's order and are "
                      "copied in every step; .contiguous() (or one memory format for all) avoids it", stacklevel=outside())
