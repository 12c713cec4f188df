"""Memory that is strided, late, shared or flagged: each is taken right, or refused in one line before anything is written."""

import itertools

import pytest
import torch

from presam.torch import SAM

from nets import closure_of, flat, network

# Whatever is copied is told of, once a process.
pytestmark = pytest.mark.filterwarnings("ignore:presam. [0-9]+ parameters or gradients")
Parameter = torch.nn.Parameter
CLOSE = dict(rtol=1e-12, atol=1e-12)


def double(*values):
    return torch.tensor(values, dtype=torch.float64)


def late(first, second):
    """A closure in which `second` has a gradient in the second pass alone."""
    calls = itertools.count()

    def closure():
        loss = (first**2).sum()
        if next(calls) % 2:
            loss = loss + (second.double() ** 2).sum()
        loss.backward()
        return loss

    return closure


def test_a_copied_parameter_beside_one_whose_gradient_comes_late():
    ends = []
    for strided in (True, False):
        torch.manual_seed(0)
        part = torch.randn(4, 6, dtype=torch.float64)[:, :4]
        w, other = Parameter(part if strided else part.contiguous()), Parameter(torch.ones(3, dtype=torch.float64))
        optimizer = SAM([w, other], "info-asam", rho=0.1, lr=0.1, momentum=0.9)
        closure = late(w, other)
        for _ in range(3):
            optimizer.step(closure)
        ends.append(torch.cat([w.detach().reshape(-1), other.detach()]))
    assert torch.equal(*ends)


def refused_late(kind):
    """Two parameters, the second of which cannot be taken, and what is said of it."""
    a = Parameter(torch.ones(3))
    if kind == "inputs":
        b = Parameter(torch.ones(3))
        optimizer = SAM([a, b], "ssam", rho=0.1, lr=0.1)
        optimizer.set_inputs(a, torch.ones(3))
        return a, b, optimizer, "set_inputs"
    if kind == "shared":
        whole = torch.ones(6)
        a, b = Parameter(whole[:4]), Parameter(whole[2:])
        return a, b, SAM([a, b], "sam", rho=0.1, lr=0.1), "two that share it"
    b = Parameter(torch.ones(3))
    optimizer = SAM([a, b], "sam", rho=0.1, lr=0.1)
    b.data = b.data.half()
    return a, b, optimizer, "float32 or float64"


@pytest.mark.parametrize("kind", ["inputs", "shared", "half"])
def test_a_late_parameter_that_is_refused_leaves_an_optimizer_that_steps(kind):
    a, b, optimizer, words = refused_late(kind)
    before = a.detach().clone()
    for _ in range(2):
        with pytest.raises((TypeError, ValueError), match=words):
            optimizer.step(late(a, b))
        assert torch.equal(a, before) and optimizer._half is None
    optimizer.state_dict()
    b.grad = None

    def alone():
        loss = (a**2).sum()
        loss.backward()
        return loss

    optimizer.step(alone)
    assert not torch.equal(a, before)


@pytest.mark.parametrize("watch", [0, 1])
def test_a_gradient_with_the_negative_bit_has_its_sign(watch):
    ends = []
    for ours in (True, False):
        a, b = Parameter(double(1.0)), Parameter(double(2.0))
        settings = dict(rho=0.0, base="sgd", watch=watch) if ours else {}
        optimizer = (SAM if ours else torch.optim.SGD)([a, b], lr=0.01, **settings)
        flags = []

        def closure():
            optimizer.zero_grad()
            loss = (torch.complex(a, b).conj() - (3 + 4j)).abs().square().sum()
            loss.backward()
            flags.append(b.grad.is_neg())
            return loss

        for _ in range(4):
            optimizer.step(closure)
        assert all(flags), "what this test is about"
        ends.append(torch.cat([a, b]).detach())
    torch.testing.assert_close(*ends, **CLOSE)


def test_a_parameter_with_the_negative_bit_is_worked_on_as_a_copy():
    p = Parameter(torch.complex(double(1.0), double(3.0)).conj().imag)
    assert p.is_neg() and p.item() == -3.0
    optimizer = SAM([p], "sam", rho=0.0, lr=0.25)
    optimizer.step(lambda: (p**2).sum().backward())
    torch.testing.assert_close(p.detach(), double(-1.5), **CLOSE)


def test_strided_parameters_may_share_a_block_but_no_number():
    whole = torch.ones(4, 6, dtype=torch.float64)
    left, right = Parameter(whole[:, :3]), Parameter(whole[:, 3:])
    optimizer = SAM([left, right], "sam", rho=0.1, lr=0.25)
    optimizer.step(lambda: ((left**2).sum() + (right**2).sum()).backward())
    torch.testing.assert_close(left.detach(), right.detach(), rtol=0, atol=0)
    assert 0.4 < left[0, 0].item() < 0.5 and torch.equal(whole, whole[0, 0].expand(4, 6))
    for first, second in [(whole, whole[:, :3]), (whole[:, :4], whole[:, 3:]), (whole[:2], whole[1:])]:
        a, b = Parameter(first), Parameter(second)
        optimizer = SAM([a, b], "sam", rho=0.1, lr=0.25)
        before = whole.clone()
        with pytest.raises(ValueError, match="two that share it"):
            optimizer.step(lambda: ((a**2).sum() + (b**2).sum()).backward())
        assert torch.equal(whole, before)


MIXED = [("gsam", {}), ("wsam", {"decoupled": False}), ("saner", {})]


@pytest.mark.parametrize("options", [dict(descent=name, **keys) for name, keys in MIXED] + [dict(base=torch.optim.SGD, max_norm=0.1)])
def test_gradients_that_share_memory_are_not_scaled_twice(options):
    a, b = Parameter(double(1.0, 2.0)), Parameter(double(3.0, 4.0))
    optimizer = SAM([a, b], "sam", rho=0.1, lr=0.1, **options)
    start = torch.cat([a, b]).detach().clone()

    def closure():
        a.grad, b.grad = torch.autograd.grad(((a + b) ** 2).sum(), [a, b])

    closure()
    assert a.grad.data_ptr() == b.grad.data_ptr(), "what this test is about"
    with pytest.raises(ValueError, match="two gradients share memory"):
        optimizer.step(closure)
    assert torch.equal(torch.cat([a, b]), start) and optimizer._half is None


def test_gradients_that_share_memory_are_read_where_none_is_written():
    ends = []
    for clone in (False, True):
        a, b = Parameter(double(1.0, 2.0)), Parameter(double(3.0, 4.0))
        optimizer = SAM([a, b], "sam", rho=0.1, lr=0.1, max_norm=0.1)

        def closure():
            found = torch.autograd.grad(((a + b) ** 2).sum(), [a, b])
            a.grad, b.grad = (g.clone() if clone else g for g in found)

        optimizer.step(closure)
        ends.append(torch.cat([a, b]).detach())
    assert torch.equal(*ends)


def test_a_gradient_that_is_a_parameter_is_refused():
    a, b = Parameter(double(1.0, 2.0)), Parameter(double(3.0, 4.0))
    optimizer = SAM([a, b], "sam", rho=0.1, lr=0.1)

    def closure():
        a.grad, b.grad = b.detach(), a.detach()

    with pytest.raises(ValueError, match="a gradient shares memory with a parameter"):
        optimizer.step(closure)
    assert torch.equal(a, double(1.0, 2.0)) and torch.equal(b, double(3.0, 4.0))


def test_a_gradient_that_is_a_strided_parameter_is_refused():
    whole = torch.ones(3, 4, dtype=torch.float64)
    a, b = Parameter(whole[:, :3]), Parameter(torch.ones(3, 3, dtype=torch.float64))
    optimizer = SAM([a, b], "sam", rho=0.1, lr=0.1)

    def closure():
        a.grad, b.grad = torch.ones_like(b), a.detach()

    with pytest.raises(ValueError, match="a gradient shares memory with a parameter"):
        optimizer.step(closure)
    assert torch.equal(whole, torch.ones_like(whole)) and torch.equal(b, torch.ones_like(b))


def test_an_expanded_parameter_is_refused():
    with pytest.raises(ValueError, match="found an expanded tensor"):
        SAM([Parameter(torch.ones(1).expand(3))], "sam", rho=0.1, lr=0.1)


@pytest.mark.parametrize("options", [{}, dict(descent="gsam"), dict(base=torch.optim.SGD, max_norm=0.5)])
def test_an_expanded_gradient_is_one_of_full_size(options):
    ends = []
    for expanded in (True, False):
        p = Parameter(double(1.0, 2.0, 3.0))
        optimizer = SAM([p], "sam", rho=0.1, lr=0.1, watch=0, **options)

        def closure():
            g = torch.autograd.grad(2 * p.sum(), p)[0].sum().div(3).expand(3)
            p.grad = g if expanded else g.clone()

        for _ in range(2):
            optimizer.step(closure)
        ends.append(p.detach())
    assert torch.equal(*ends)


@pytest.mark.parametrize("descent", ["wsam", "look-sam"])
def test_a_first_gradient_that_is_kept_is_judged_in_every_group(descent):
    a, b = Parameter(double(1.0, 2.0)), Parameter(double(3.0, 4.0))
    plain = {"params": [b], "counted": False, "perturbed": False}
    optimizer = SAM([{"params": [a]}, plain], "sam", rho=0.1, lr=0.1, descent=descent)
    calls, before = itertools.count(), torch.cat([a, b]).detach().clone()

    def closure():
        loss = (a**2).sum() + (b**2).sum()
        loss.backward()
        if next(calls) == 0:
            b.grad[1] = torch.nan

    optimizer.step(closure)
    assert optimizer.outcome == "non-finite" and torch.equal(torch.cat([a, b]), before)
    optimizer.step(closure)
    assert optimizer.outcome in ("perturbed", "reused") and torch.cat([a, b]).isfinite().all()


def test_a_step_that_is_refused_clears_nothing():
    model = network()
    optimizer = SAM(model.parameters(), "sam", rho=0.1, lr=0.1)
    closure_of(model)()
    optimizer.first_step()
    kept = [p.grad.clone() for p in model.parameters()]
    with pytest.raises(RuntimeError, match="the parameters are perturbed"):
        optimizer.step(closure_of(model))
    assert all(torch.equal(p.grad, g) for p, g in zip(model.parameters(), kept))
    optimizer.restore()


def test_a_hook_that_fails_before_a_base_step_leaves_nothing_perturbed():
    model = network()
    optimizer = SAM(model.parameters(), "sam", rho=0.1, lr=0.1)
    before = flat(model).clone()

    def fails(*_):
        raise KeyboardInterrupt

    handle = optimizer.register_step_pre_hook(fails)
    closure_of(model)()
    with pytest.raises(KeyboardInterrupt):
        optimizer.base_step()
    handle.remove()
    assert torch.equal(flat(model), before)
    optimizer.step(closure_of(model))
    assert not torch.equal(flat(model), before)
