"""The step against torch's own arithmetic, by hand and against the step over arrays."""

import copy
import itertools

import numpy as np
import pytest
import torch
from torch.testing import assert_close

import presam
import presam.numpy
from presam.torch import SAM, groups

from nets import INPUTS, TARGETS, closure_of, flat, loss_of, network, same, train

SHORT = {"sam": {}, "asam": {"eta": 0.01}}
VARIANTS = [name for name, rule in presam.variants().items() if rule.planes[1] == 0]


@pytest.mark.parametrize("clears, before", [(True, False), (False, False), (False, True)])
def test_each_form_of_the_closure_gives_the_step_by_hand(clears, before):
    # |w|^2, rho 0.5, lr 0.1: w + eps = (3.3, 4.4), gradient there (6.6, 8.8)
    p = torch.nn.Parameter(torch.tensor([3.0, 4.0], dtype=torch.float64))
    optimizer = SAM([p], "sam", rho=0.5, lr=0.1)

    def closure():
        if clears:
            optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    if before:
        closure()
        # What an earlier batch left shows where it points elsewhere.
        p.grad.add_(torch.tensor([40.0, -7.0]))
    assert optimizer.step(closure).item() == 25.0
    assert_close(p.detach(), torch.tensor([2.34, 3.12], dtype=torch.float64), rtol=1e-15, atol=0)


def by_the_usual_loop(model, base, rho, variant, steps):
    """davda54/sam's loop over torch's own optimizer."""
    for _ in range(steps):
        base.zero_grad()
        loss_of(model(INPUTS.double()), TARGETS).backward()
        params = [p for p in model.parameters()]
        scales = [p.detach().abs() + 0.01 if variant == "asam" else torch.ones_like(p) for p in params]
        norm = torch.stack([(t * p.grad).norm() for t, p in zip(scales, params)]).norm()
        backups = [p.detach().clone() for p in params]
        with torch.no_grad():
            for t, p in zip(scales, params):
                p.add_(t * t * p.grad * (rho / norm))
        base.zero_grad()
        loss_of(model(INPUTS.double()), TARGETS).backward()
        with torch.no_grad():
            for p, backup in zip(params, backups):
                p.copy_(backup)
        base.step()


@pytest.mark.parametrize("variant", SHORT)
@pytest.mark.parametrize(
    "base, torch_base, options",
    [
        ("sgd", torch.optim.SGD, dict(lr=0.1)),
        ("sgd", torch.optim.SGD, dict(lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True)),
        ("sgd", torch.optim.SGD, dict(lr=0.1, momentum=0.9, dampening=0.5)),
        ("adamw", torch.optim.AdamW, dict(lr=0.01, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1)),
        ("adamw", torch.optim.AdamW, dict(lr=0.01, betas=[0.8, 0.95])),
    ],
)
def test_a_run_is_that_of_the_usual_loop(variant, base, torch_base, options):
    mine, usual, wrapped = network(), network(), network()
    train(mine, SAM(mine.parameters(), variant, rho=0.3, base=base, **SHORT[variant], **options), 8)
    train(wrapped, SAM(wrapped.parameters(), variant, rho=0.3, base=torch_base, **SHORT[variant], **options), 8)
    by_the_usual_loop(usual, torch_base(usual.parameters(), **options), 0.3, variant, 8)
    assert_close(flat(mine), flat(usual), rtol=1e-12, atol=1e-14)
    assert_close(flat(wrapped), flat(usual), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("variant, dtype", list(itertools.product(VARIANTS, (torch.float32, torch.float64))))
def test_every_variant_has_the_bits_of_the_step_over_arrays(variant, dtype):
    model = network(dtype)
    options = dict(rho=0.1, base="sgd", lr=0.1, momentum=0.9)
    arrays = [p.detach().numpy().copy() for p in model.parameters()]
    twin = presam.numpy.SAM(arrays, variant, **options)
    optimizer = SAM(model.parameters(), variant, **options)
    first = variant != "momentum-sam"
    for _ in range(4):
        closure_of(model)()
        grads = lambda: [p.grad.numpy().copy() for p in model.parameters()]
        twin.first_step(grads() if first else None)
        optimizer.first_step(zero_grad=True)
        assert all((p.detach().numpy() == w).all() for p, w in zip(model.parameters(), arrays))
        closure_of(model)()
        twin.second_step(grads())
        optimizer.second_step(zero_grad=True)
    assert all((p.detach().numpy() == w).all() for p, w in zip(model.parameters(), arrays))
    assert optimizer.report().perturbed >= 0.75


def test_by_hand_is_the_closure():
    one, two = network(), network()
    train(one, SAM(one.parameters(), "info-asam", rho=0.3, lr=0.1))
    optimizer = SAM(two.parameters(), "info-asam", rho=0.3, lr=0.1)
    for _ in range(3):
        closure_of(two)()
        assert optimizer.first_step(zero_grad=True) == "perturbed"
        closure_of(two)()
        optimizer.second_step(zero_grad=True)
    assert same(one, two)


def test_momentum_sam_takes_one_gradient():
    model, calls = network(), []
    optimizer = SAM(model.parameters(), "momentum-sam", rho=0.1, lr=0.1, momentum=0.9)
    closure = closure_of(model)
    for _ in range(3):
        assert optimizer.step(lambda: calls.append(1) or closure()) is not None
    assert len(calls) == 3 and optimizer.report().perturbed == pytest.approx(2 / 3)


def test_groups_part_weights_from_biases_and_norm_layers():
    model = network(norm=True)
    model.add_module("tied", torch.nn.Linear(4, 8))
    model.tied.weight = model[0].weight
    model.scale = torch.nn.Parameter(torch.ones(3))
    model.add_module("attention", torch.nn.MultiheadAttention(4, 1, add_bias_kv=True))
    weights, others = groups(model, lr=0.1)
    assert [tuple(p.shape) for p in weights["params"]] == [(8, 4), (3, 8), (12, 4), (4, 4)]
    # Two biases, scale and shift of the norm, the tied layer's bias, `scale`, four biases of the attention.
    assert len(others["params"]) == 10 and others["operator"] is False and others["weight_decay"] == 0.0
    del model.tied, model.attention, model.scale
    train(model, SAM(groups(model), "asam", rho=0.5, lr=0.1, weight_decay=5e-4))


def test_the_operator_of_a_group():
    a, b = (torch.nn.Parameter(torch.full((1,), 2.0, dtype=torch.float64)) for _ in range(2))
    optimizer = SAM([{"params": [a]}, {"params": [b], "operator": False}], "asam", rho=0.1, eta=0.0, lr=0.1)
    a.grad = b.grad = torch.ones(1, dtype=torch.float64)
    optimizer.first_step()
    # D = (2, 1): norm sqrt(5), perturbation 0.1 (4, 1) / sqrt(5)
    assert_close(a.item() - 2, 0.4 / 5**0.5, rtol=1e-12, atol=0)
    assert_close(b.item() - 2, 0.1 / 5**0.5, rtol=1e-12, atol=0)
    optimizer.restore()
    assert a.item() == b.item() == 2.0


def pair(p, optimizer, first, second):
    p.grad = first.clone()
    outcome = optimizer.first_step()
    p.grad = second.clone()
    optimizer.second_step()
    return outcome


def test_gsam_wsam_and_look_sam_by_hand():
    g, t = torch.tensor([2.0, 0.0], dtype=torch.float64), torch.tensor([2.0, 4.0], dtype=torch.float64)
    start = torch.tensor([1.0, 1.0], dtype=torch.float64)

    def stepped(*pairs, **options):
        p = torch.nn.Parameter(start.clone())
        optimizer = SAM([p], "sam", rho=0.1, lr=0.5, **options)
        outcomes = [pair(p, optimizer, *grads) for grads in pairs]
        return (start - p.detach()) / 0.5, outcomes

    # <g, t> / <t, t> = 4 / 20: g_perp = (2, 0) - (0.4, 0.8)
    assert_close(stepped((g, t), descent="gsam", alpha=0.5)[0], t - 0.5 * torch.tensor([1.6, -0.8], dtype=torch.float64))
    for decoupled in (True, False):
        assert_close(stepped((g, t), descent="wsam", gamma=0.75, decoupled=decoupled)[0], 3 * t - 2 * g)
    # g_v = t - g = (0, 4): the second step goes along g + 0.5 (2 / 4) g_v
    moved, outcomes = stepped((g, t), (g, t), descent="look-sam", alpha=0.5, every=2)
    assert outcomes == ["perturbed", "reused"]
    assert_close(moved, t + g + torch.tensor([0.0, 1.0], dtype=torch.float64))


def test_length_rules():
    for length, expected in (("normalised", 0.5 / 10), ("unnormalised", 0.5), ("mixed", 0.5 * (0.75 + 0.25 / 10))):
        p = torch.nn.Parameter(torch.tensor([3.0, 4.0], dtype=torch.float64))
        optimizer = SAM([p], "sam", rho=0.5, length=length, length_lambda=0.25)
        p.grad = 2 * p.detach()
        optimizer.first_step()
        assert_close(p.detach(), torch.tensor([3.0, 4.0], dtype=torch.float64) * (1 + 2 * expected))


def test_masks_are_inputs():
    p = torch.nn.Parameter(torch.tensor([1.0, 1.0], dtype=torch.float64))
    optimizer = SAM([p], "masked-sam", rho=0.5)
    p.grad = torch.tensor([3.0, 4.0], dtype=torch.float64)
    with pytest.raises(ValueError, match="set_inputs"):
        optimizer.first_step()
    optimizer.set_inputs(p, torch.tensor([0.0, 1.0]))
    optimizer.first_step()
    assert p.tolist() == [1.0, 1.5]


def test_a_clipped_second_gradient_and_a_loss_scale():
    one, two, three = network(), network(), network()
    train(one, SAM(one.parameters(), "asam", rho=0.3, lr=0.1))
    train(two, SAM(two.parameters(), "asam", rho=0.3, lr=0.1, loss_scale=1024.0), loss_scale=1024.0)
    assert same(one, two)
    train(three, SAM(three.parameters(), "asam", rho=0.3, lr=0.1, max_norm=1e-3), 1)
    assert_close((flat(three) - flat(network())).norm().item(), 1e-4, rtol=1e-9, atol=0)
    four = network()
    wrapped = SAM(four.parameters(), "asam", rho=0.3, base=torch.optim.SGD, lr=0.1, max_norm=1e-3)
    train(four, wrapped, 1)
    assert_close(flat(three), flat(four), rtol=1e-12, atol=1e-15)


def test_radius_zero_is_the_base_optimizer():
    one, two = network(), network()
    train(one, SAM(one.parameters(), "sam", rho=0.0, base=torch.optim.AdamW, lr=0.01))
    train(two, torch.optim.AdamW(two.parameters(), lr=0.01), 0)
    base = torch.optim.AdamW(two.parameters(), lr=0.01)
    for _ in range(3):
        base.zero_grad()
        base.step(closure_of(two))
    assert same(one, two)
