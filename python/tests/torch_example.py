"""examples/python/presam_torch.py: what people reported of it, and what it costs."""

import copy
import pathlib
import pickle
import sys
import warnings
import weakref

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from nets import INPUTS, TARGETS, closure_of, flat, loss_of, network, same, train

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "examples/python"))
from presam_torch import PreSAM, RULES

SGD = torch.optim.SGD


def made(model, rule="info-asam", **options):
    return PreSAM(model.parameters(), SGD, rule=rule, **{"rho": 0.3, "lr": 0.1, "momentum": 0.9, **options})


@pytest.mark.parametrize("clears, before", [(True, False), (False, False), (False, True)])
def test_each_form_of_the_closure_gives_the_step_by_hand(clears, before):
    p = torch.nn.Parameter(torch.tensor([3.0, 4.0], dtype=torch.float64))
    optimizer = PreSAM([p], SGD, rule="sam", rho=0.5, lr=0.1)

    def closure():
        if clears:
            optimizer.zero_grad()
        (p * p).sum().backward()

    if before:
        closure()
        # What an earlier batch left shows where it points elsewhere.
        p.grad.add_(torch.tensor([40.0, -7.0]))
    optimizer.step(closure)
    torch.testing.assert_close(p.detach(), torch.tensor([2.34, 3.12], dtype=torch.float64), rtol=1e-15, atol=0)


@pytest.mark.parametrize("base", [SGD, torch.optim.AdamW, torch.optim.RMSprop])
@pytest.mark.parametrize("rule", RULES)
def test_maximising_minus_f_is_minimising_f(base, rule):
    ends = []
    for sign in (1.0, -1.0):
        p = torch.nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
        optimizer = PreSAM([p], base, rule=rule, rho=0.1, lr=0.1, maximize=sign < 0)
        for _ in range(4):
            optimizer.step(lambda: (sign * (p**4 + p**2)).sum().backward())
        ends.append(p.item())
    assert ends[0] == ends[1]


@pytest.mark.parametrize("rule", RULES)
def test_copies_step_on(rule):
    for copied in (copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))):
        model = network()
        optimizer = made(model, rule)
        train(model, optimizer)
        other, twin = copied((model, optimizer))
        train(model, optimizer)
        train(other, twin)
        assert same(model, other)


@pytest.mark.parametrize("rule", RULES)
def test_a_nan_in_a_group_that_is_not_counted_spares_the_memory(rule):
    a, b = (torch.nn.Parameter(torch.ones(4)) for _ in range(2))
    optimizer = PreSAM([{"params": [a]}, {"params": [b], "counts_in_norm": False}], SGD, rule=rule, rho=0.1, lr=0.05)
    outcomes = []
    for k in range(8):

        def closure():
            ((a * a).sum() + (b * b).sum()).backward()
            if k == 4:
                b.grad[1] = float("nan")

        optimizer.step(closure)
        outcomes.append(optimizer.outcome)
    assert outcomes == ["perturbed"] * 4 + ["non-finite"] + ["perturbed"] * 3
    assert optimizer.steps == 7


def test_a_failure_inside_the_ascent_restores(monkeypatch):
    model, calls, real = network(), [], torch.Tensor.clone
    optimizer, before = made(model), flat(model).clone()

    def clone(self, *arguments, **options):
        calls.append(1)
        if len(calls) == 2:
            raise torch.OutOfMemoryError("out of memory (simulated)")
        return real(self, *arguments, **options)

    monkeypatch.setattr(torch.Tensor, "clone", clone)
    with pytest.raises(torch.OutOfMemoryError):
        optimizer.step(closure_of(model))
    assert torch.equal(flat(model), before)
    optimizer.step(closure_of(model))


def test_a_scheduler_by_hand_does_not_warn():
    model = network()
    optimizer = made(model)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        closure_of(model)()
        optimizer.first_step(zero_grad=True)
        closure_of(model)()
        assert optimizer.second_step(zero_grad=True) == "perturbed"
        scheduler.step()


def test_a_norm_that_is_no_number_of_its_type():
    p = torch.nn.Parameter(torch.zeros(2))
    optimizer = PreSAM([p], SGD, rule="sam", rho=1.0, lr=0.1)
    for size in (3e38, 1e-42):
        p.grad = torch.full((2,), size)
        optimizer.first_step()
        torch.testing.assert_close(p.detach(), torch.full((2,), 0.5**0.5), rtol=1e-3, atol=0)
        optimizer.restore()


def test_refusals_are_one_line():
    p = torch.nn.Parameter(torch.ones(2))
    with pytest.raises(TypeError, match="rho: expected a radius.*0.05 to 0.2"):
        PreSAM([p], SGD, lr=0.1)
    with pytest.raises(TypeError, match="LBFGS cannot be the base"):
        PreSAM([p], torch.optim.LBFGS, rho=0.1)
    optimizer = PreSAM([p], SGD, rho=0.1)
    with pytest.raises(TypeError, match="first_step and second_step"):
        optimizer.step()
    p.data, p.grad = p.data.bfloat16(), None
    p.grad = torch.ones(2, dtype=torch.bfloat16)
    with pytest.raises(ValueError, match="f32 or f64"):
        optimizer.first_step()


def test_grad_scaler_as_the_file_has_it():
    model, plain = network(torch.float32), network(torch.float32)
    optimizer, twin = made(model), made(plain)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=8)
    for _ in range(4):
        for half in (optimizer.first_step, optimizer.second_step):
            scaler.scale(loss_of(model(INPUTS), TARGETS)).backward()
            scaler.unscale_(optimizer)
            half(zero_grad=True)
            scaler.update()
        twin.step(closure_of(plain))
    assert same(model, plain)


@pytest.mark.parametrize("rule", RULES)
def test_a_step_waits_for_the_device_once(rule, monkeypatch):
    model = network()
    optimizer, reads = made(model, rule), []
    for name in ("item", "tolist", "__bool__", "__float__", "__int__"):
        real = getattr(torch.Tensor, name)
        monkeypatch.setattr(torch.Tensor, name, lambda self, real=real: reads.append(1) or real(self))
    for _ in range(3):
        for half in (optimizer.first_step, optimizer.second_step):
            for p in model.parameters():
                p.grad = torch.ones_like(p)
            half()
    assert len(reads) == 3


class Peak(TorchDispatchMode):
    """The most numbers that tensors made inside have held at once."""

    def __init__(self, known):
        super().__init__()
        self.now = self.peak = 0
        self.seen = {tensor.untyped_storage().data_ptr() for tensor in known}

    def gone(self, key, count):
        self.seen.discard(key)
        self.now -= count

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        made = function(*arguments, **(options or {}))
        for tensor in made if isinstance(made, (tuple, list)) else [made]:
            if isinstance(tensor, torch.Tensor):
                storage = tensor.untyped_storage()
                if storage.data_ptr() not in self.seen and storage.nbytes() > 64:
                    self.seen.add(storage.data_ptr())
                    self.now += storage.nbytes() // 4
                    weakref.finalize(tensor, self.gone, storage.data_ptr(), storage.nbytes() // 4)
        self.peak = max(self.peak, self.now)
        return made


@pytest.mark.parametrize("rule, planes", [("sam", 1), ("asam", 1), ("info-sam", 3), ("info-asam", 3)])
def test_planes_that_can_be_recomputed_are_not_kept(rule, planes):
    params = [torch.nn.Parameter(torch.randn(1000)) for _ in range(64)]
    optimizer = PreSAM(params, SGD, rule=rule, rho=0.1, lr=0.01)
    for p in params:
        p.grad = torch.ones(1000)
    with Peak([*params, *(p.grad for p in params)]) as memory:
        for _ in range(3):
            optimizer.first_step()
            optimizer.second_step()
    # The planes, and what one tensor at a time takes on the way.
    assert planes <= memory.peak / 64_000 < planes + 0.3


def test_views_of_the_same_numbers_come_back():
    whole = torch.ones(4, 3)
    tied = [torch.nn.Parameter(whole[:3]), torch.nn.Parameter(whole[1:]), torch.nn.Parameter(whole[:, :2])]
    optimizer = PreSAM(tied, SGD, rule="sam", rho=0.5, lr=0.0)
    for _ in range(2):
        optimizer.step(lambda: sum((p**2).sum() for p in tied).backward())
        assert torch.equal(whole, torch.ones(4, 3))


def test_a_sparse_second_gradient_is_refused_in_a_line():
    table, p = torch.nn.Embedding(4, 2, sparse=True), torch.nn.Parameter(torch.ones(2))
    optimizer = PreSAM([p, table.weight], SGD, rule="sam", rho=0.5, lr=0.1)
    calls = []

    def closure():
        calls.append(1)
        loss = (p**2).sum() + (table(torch.tensor([1])).sum() if len(calls) == 2 else 0)
        loss.backward()

    with pytest.raises(RuntimeError, match="^sparse gradients are not supported$"):
        optimizer.step(closure)
    assert torch.equal(p, torch.ones(2))


def test_what_it_cannot_take_at_the_beginning_and_in_between():
    p = torch.nn.Parameter(torch.ones(2))
    with pytest.raises(TypeError, match="its rho would be the radius"):
        PreSAM([p], torch.optim.Adadelta, rule="sam", rho=0.5)
    optimizer = PreSAM([p], SGD, rule="sam", rho=0.5, lr=0.1)
    saved = optimizer.state_dict()
    p.grad = torch.ones(2)
    optimizer.first_step()
    with pytest.raises(RuntimeError, match="the parameters are perturbed"):
        optimizer.load_state_dict(saved)
    optimizer.restore()
    assert torch.equal(p, torch.ones(2))
