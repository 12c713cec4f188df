"""What the tests of a GPU's step share: both kinds of place, tensors, an optimizer over them, a loop."""

import pytest
import torch

from presam.torch import SAM, devices
from presam.torch.devices import Emulated

BASES = {"sgd": {}, "momentum": {"momentum": 0.9, "dampening": 0.25}, "nesterov": {"momentum": 0.9, "nesterov": True}, "adamw": {}}


def on(kind, work, *arguments, **options):
    """What `work` makes on the CPU or the emulated device."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(devices.KINDS, "cpu", kind)
        return work(*arguments, **options)


def both(work, *arguments, **options):
    return [on(kind, work, *arguments, **options) for kind in (devices.Cpu, Emulated)]


def tensors(lengths=(5, 3000, 64)):
    torch.manual_seed(0)
    return [torch.nn.Parameter(torch.randn(n)) for n in lengths]


def made(params, variant="asam", base="sgd", **options):
    base = "sgd" if base in ("momentum", "nesterov") else base
    first = {"params": params[:1], "operator": False, "lr": 0.05, "rho": 0.3}
    optimizer = SAM([first, {"params": params[1:], "weight_decay": 0.01}], variant, rho=0.1, base=base, lr=0.1, **options)
    generator = torch.Generator().manual_seed(7)
    if optimizer._method.inputs:
        for p in params:
            optimizer.set_inputs(p, *(torch.rand(p.shape, generator=generator) for _ in range(optimizer._method.inputs)))
    return optimizer


def closure_of(params, optimizer, step, scale=1.0):
    def closure():
        loss = sum(((p - step / 4) ** 3 / 7 + p.sin()).sum() for p in params)
        (loss * scale).backward()
        return loss

    return closure


def take(params, optimizer, steps, first=0, scale=1.0):
    found = []
    for step in range(first, first + steps):
        optimizer.step(closure_of(params, optimizer, step, scale))
        found.append(str(optimizer.report()[:2]))
    return found


def planes(params, optimizer):
    """Parameters and everything that is saved of them."""
    return [*params, *(plane for p in params for _, plane in sorted(optimizer.state[p].items()))]


def equal(one, other):
    assert len(one) == len(other) > 0
    for a, b in zip(one, other):
        assert torch.equal(a, b)


def run(variant, base, steps=4, scale=1.0, **options):
    params = tensors()
    optimizer = made(params, variant, base, **{**BASES[base], **options})
    found = take(params, optimizer, steps, scale=scale)
    return planes(params, optimizer), found, optimizer.state_dict()["presam"]["rule"], optimizer.state_dict()["presam"]["counters"]


def late(base, **options):
    params = tensors()
    optimizer = made(params[:2], "sam", base, **options)
    take(params[:2], optimizer, 2)
    optimizer.add_param_group({"params": params[2:]})
    take(params, optimizer, 2, 2)
    return planes(params, optimizer)


DESCENTS = [dict(descent="gsam", alpha=0.4), dict(descent="saner", alpha=0.5), dict(descent="wsam", gamma=0.8, decoupled=False),
            dict(descent="wsam", gamma=0.8), dict(descent="look-sam", alpha=0.7, every=3)]
