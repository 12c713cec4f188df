"""What changes between two steps is seen by the next: whatever is not as it was is looked at one by one."""

import pytest
import torch

from presam.torch import SAM
import presam.torch.tensors as tensors

FACTORS = torch.arange(1, 17, dtype=torch.float64).reshape(4, 4) / 40


def closure_of(params, touch=None):
    def closure():
        for p in params:
            p.grad = None
        sum((FACTORS * p**4).sum() for p in params).backward()
        if touch:
            touch(params[0])

    return closure


def usual(params, base, closure):
    """The step in torch's own arithmetic, element by element."""
    closure()
    there = [p for p in params if p.grad is not None]
    norm = torch.stack([p.grad.norm() for p in there]).norm()
    kept = [p.detach().clone() for p in params]
    with torch.no_grad():
        for p in there:
            p.add_(p.grad * (0.3 / norm))
    closure()
    with torch.no_grad():
        for p, before in zip(params, kept):
            p.copy_(before)
    base.step()


def storage_grows(p):
    p.untyped_storage().resize_(4 * p.nbytes)


def data(change):
    return lambda p: setattr(p, "data", change(p.data))


PARAMETERS = {
    "in other memory": data(torch.clone),
    "later in its memory": data(lambda w: torch.cat([w, w])[4:]),
    "transposed where it lies": data(torch.t),
    "in another order": data(lambda w: w.t().contiguous().t()),
    "with gaps": data(lambda w: torch.stack([w, w], 2)[..., 0]),
    "with a storage that grew": storage_grows,
    "set": torch.no_grad()(lambda p: p.set_(p.clone())),
    "frozen": lambda p: p.requires_grad_(False),
}
GRADIENTS = {
    "replaced": lambda p: setattr(p, "grad", p.grad.clone()),
    "in other memory": lambda p: setattr(p.grad, "data", p.grad.data.clone()),
    "transposed": lambda p: setattr(p, "grad", p.grad.t().contiguous().t()),
    "with gaps": lambda p: setattr(p, "grad", torch.stack([p.grad, p.grad], 2)[..., 0]),
    "none": lambda p: setattr(p, "grad", None),
}
CHANGES = [(f"a parameter {name}", change, None) for name, change in PARAMETERS.items()]
CHANGES += [(f"a gradient {name}", None, touch) for name, touch in GRADIENTS.items()]


@pytest.mark.parametrize("table", [tensors.TABLE, None], ids=["at once", "one by one"])
@pytest.mark.parametrize("change, touch", [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES])
def test_a_change_is_seen_by_the_next_step(change, touch, table, monkeypatch):
    monkeypatch.setattr(tensors, "TABLE", table)
    monkeypatch.setattr(tensors, "_warned", True)
    mine, other = ([torch.nn.Parameter(FACTORS + k) for k in range(3)] for _ in range(2))
    optimizer = SAM(mine, "sam", rho=0.3, lr=0.01, momentum=0.9)
    base = torch.optim.SGD(other, lr=0.01, momentum=0.9)

    def train(touch=None):
        for _ in range(3):
            closure = closure_of(mine, touch)
            closure()
            optimizer.first_step()
            closure()
            optimizer.second_step()
            usual(other, base, closure_of(other, touch))

    at_once = lambda: optimizer._tensors.engine.look(optimizer.param_groups)
    train()
    assert at_once() == (table is not None)
    if change:
        for params in (mine, other):
            change(params[0])
        assert not at_once() or not mine[0].requires_grad
    train(touch)
    for p, q in zip(mine, other):
        torch.testing.assert_close(p.detach(), q.detach(), rtol=1e-12, atol=1e-14)


def test_other_parameters_in_a_group_are_other_parameters():
    a, b, c = (torch.nn.Parameter(torch.full((2,), float(k))) for k in (1, 2, 3))
    optimizer = SAM([{"params": [a, b]}, {"params": [c], "lr": 0.0}], "sam", rho=0.1, lr=0.1)
    step = lambda: optimizer.step(lambda: sum((p**2).sum() for p in (a, b, c)).backward())
    step()
    assert (c == 3).all() and (b < 2).all()
    # The flat list of parameters is the same; b's rate is not.
    optimizer.param_groups[1]["params"].insert(0, optimizer.param_groups[0]["params"].pop())
    before = b.detach().clone()
    step()
    assert torch.equal(b, before)


def test_a_gradient_that_has_another_shape_by_now_is_one_clear_line():
    p = torch.nn.Parameter(torch.ones(2))
    optimizer = SAM([p], "sam", rho=0.1)
    p.grad = torch.ones(2)
    optimizer.first_step()
    p.grad.data = torch.ones(3)
    with pytest.raises(TypeError, match=r"expected the type and shape of the parameter.*\(2,\).*found.*\(3,\)"):
        optimizer.second_step()
    assert (p == 1).all()


RATE = torch.tensor(0.1)
SETTINGS = {
    "another number": ("sgd", "lr", 0.1, lambda group: group.update(lr=0.05)),
    "the same tensor, written": ("sgd", "lr", RATE, lambda group: group["lr"].mul_(0.5)),
    "the same list, written": ("adamw", "betas", [0.9, 0.9], lambda group: group["betas"].__setitem__(0, 0.5)),
    "another pair": ("adamw", "betas", (0.9, 0.9), lambda group: group.update(betas=(0.5, 0.9))),
}


@pytest.mark.parametrize("base, key, value, change", SETTINGS.values(), ids=list(SETTINGS))
def test_a_setting_that_changes_is_seen_by_either_half(base, key, value, change):
    """Steps of an optimizer that is told late are those of one that had the setting from the start."""
    fresh = lambda: value.clone() if torch.is_tensor(value) else type(value)(value)
    for between in (False, True):
        ends = []
        for early in (True, False):
            p, group = torch.nn.Parameter(FACTORS.clone()), {key: fresh()}
            optimizer = SAM([{"params": [p], **group}], "sam", rho=0.3, base=base, watch=0)
            if early:
                change(optimizer.param_groups[0])
            else:
                # Read once, with nothing written.
                p.grad = torch.full_like(p, float("nan"))
                optimizer.first_step()
                optimizer.second_step()
            for k in range(2):
                p.grad = FACTORS**k
                if not early and not between and k == 0:
                    change(optimizer.param_groups[0])
                optimizer.first_step()
                if not early and between and k == 0:
                    change(optimizer.param_groups[0])
                optimizer.second_step()
            ends.append(p.detach())
        assert torch.equal(*ends)


def test_a_setting_that_is_refused_is_refused_again():
    p = torch.nn.Parameter(torch.ones(2))
    optimizer = SAM([p], "sam", rho=0.1, lr=0.1)
    p.grad = torch.ones(2)
    optimizer.param_groups[0]["rho"] = -1.0
    for _ in range(2):
        with pytest.raises(ValueError, match="rho"):
            optimizer.first_step()
    assert (p == 1).all() and optimizer._half is None
