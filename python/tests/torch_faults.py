"""What people reported of other codes, and what cannot be: each right, or one clear line."""

import copy
import pickle
import warnings

import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

import presam.torch.sam
from presam.torch import SAM, batch_norm_once

from nets import closure_of, flat, network, same, train

BASES = ["sgd", "adamw", torch.optim.SGD, torch.optim.Adam, torch.optim.RMSprop]


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("variant", ["sam", "asam", "info-asam"])
def test_maximising_minus_f_is_minimising_f(base, variant):
    ends = []
    for maximize in (False, True):
        p = torch.nn.Parameter(torch.tensor([1.0, -0.5], dtype=torch.float64))
        optimizer = SAM([p], variant, rho=0.1, base=base, lr=0.1, maximize=maximize)

        def closure():
            loss = (-1.0 if maximize else 1.0) * (p**4 + p**2).sum()
            loss.backward()
            return loss

        for _ in range(4):
            optimizer.step(closure)
        ends.append(p.detach().clone())
    assert torch.equal(*ends)


def test_a_failure_inside_the_ascent_restores(monkeypatch):
    model = network()
    optimizer = SAM(model.parameters(), "sam", rho=0.5, lr=0.1)
    before = flat(model).clone()

    def fails(*_):
        raise torch.OutOfMemoryError("out of memory (simulated)")

    # After everything was perturbed, and before anything was.
    for place in ("increment_version", None):
        if place:
            monkeypatch.setattr(presam.torch.sam, place, fails)
        else:
            monkeypatch.undo()
            monkeypatch.setattr(torch.Tensor, "clone", fails)
        with pytest.raises(torch.OutOfMemoryError):
            optimizer.step(closure_of(model))
        monkeypatch.undo()
        assert torch.equal(flat(model), before)
        assert optimizer._half is None
    optimizer.step(closure_of(model))
    assert not torch.equal(flat(model), before)


def test_an_error_of_the_second_closure_restores():
    model, calls = network(), []
    optimizer = SAM(model.parameters(), "info-asam", rho=0.5, lr=0.1)
    before, closure = flat(model).clone(), closure_of(model)

    def fails_at_second():
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return closure()

    with pytest.raises(KeyboardInterrupt):
        optimizer.step(fails_at_second)
    assert torch.equal(flat(model), before)
    optimizer.step(closure)


@pytest.mark.parametrize("variant", ["sam", "asam", "info-sam", "info-asam", "vasso"])
def test_a_nan_in_a_group_that_is_not_counted_skips_the_step_and_spares_the_memory(variant):
    torch.manual_seed(0)
    a, b = (torch.nn.Parameter(torch.randn(4)) for _ in range(2))
    optimizer = SAM([{"params": [a]}, {"params": [b], "counted": False}], variant, rho=0.1, lr=0.05)
    outcomes = []
    for k in range(12):

        def closure():
            loss = (a * a).sum() + (b * b).sum()
            loss.backward()
            if k == 5:
                b.grad[1] = float("nan")
            return loss

        if k == 5:
            before = [p.detach().clone() for p in (a, b)]
        optimizer.step(closure)
        outcomes.append(optimizer.outcome)
        if k == 5:
            assert all(torch.equal(p, q) for p, q in zip((a, b), before))
    assert outcomes == ["perturbed"] * 5 + ["non-finite"] + ["perturbed"] * 6
    assert all(t.isfinite().all() for p in (a, b) for t in optimizer.state[p].values())


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_scheduler_moves_the_rate_and_does_not_warn(by_hand):
    model = network()
    optimizer = SAM(model.parameters(), "sam", rho=0.1, lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    moved = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            before = flat(model).clone()
            if by_hand:
                closure_of(model)()
                optimizer.first_step(zero_grad=True)
                closure_of(model)()
                optimizer.second_step(zero_grad=True)
            else:
                optimizer.step(closure_of(model))
            moved.append((flat(model) - before).norm().item())
            scheduler.step()
    assert optimizer.param_groups[0]["lr"] == 0.0125
    assert 1.5 < moved[0] / moved[1] < 2.5


def test_one_cycle_moves_momentum_too():
    for options in (dict(momentum=0.9), dict(base="adamw")):
        model = network()
        optimizer = SAM(model.parameters(), "sam", rho=0.1, lr=0.1, **options)
        scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.2, total_steps=6)
        for _ in range(5):
            optimizer.step(closure_of(model))
            scheduler.step()
        cycled = optimizer.param_groups[0]
        assert cycled.get("momentum", 0.85) != 0.9 and cycled["lr"] != 0.1


def test_hooks_see_a_step_by_hand():
    model, seen = network(), []
    optimizer = SAM(model.parameters(), "sam", rho=0.1)
    optimizer.register_step_pre_hook(lambda *_: seen.append("pre"))
    optimizer.register_step_post_hook(lambda *_: seen.append("post"))
    closure_of(model)()
    optimizer.first_step(zero_grad=True)
    closure_of(model)()
    optimizer.second_step(zero_grad=True)
    optimizer.step(closure_of(model))
    assert seen == ["pre", "post"] * 2


def test_hooks_of_every_optimizer_and_a_profiler_see_a_step():
    model, seen = network(), []
    optimizer = SAM(model.parameters(), "sam", rho=0.1)
    step = lambda: optimizer.step(closure_of(model))
    for register in (register_optimizer_step_pre_hook, register_optimizer_step_post_hook):
        handle = register(lambda *_: seen.append(register))
        step()
        handle.remove()
        step()
        assert seen == [register]
        seen.clear()
    with torch.autograd.profiler.profile() as profile:
        step()
    assert "Optimizer.step#SAM.step" in {event.name for event in profile.function_events}


def test_a_closure_has_gradients_whatever_is_on_around_it():
    model = network()
    optimizer = SAM(model.parameters(), "sam", rho=0.1)
    with torch.no_grad():
        assert optimizer.step(closure_of(model)).requires_grad and not torch.is_grad_enabled()


def test_a_copy_steps_on_alike():
    for base in ("sgd", torch.optim.SGD):
        for copied in (copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))):
            model = network()
            optimizer = SAM(model.parameters(), "info-asam", rho=0.1, base=base, lr=0.1, momentum=0.9)
            train(model, optimizer)
            other, twin = copied((model, optimizer))
            assert repr(twin).startswith("SAM")
            train(model, optimizer)
            train(other, twin)
            assert same(model, other)
            assert twin.report() == optimizer.report()


def test_equal_gradients_are_told_once():
    p = torch.nn.Parameter(torch.ones(3))
    optimizer = SAM([p], "sam", rho=0.1)
    for k in range(3):
        for half in (optimizer.first_step, optimizer.second_step):
            p.grad = torch.ones(3)
            if k == 0 and half == optimizer.second_step:
                with pytest.warns(UserWarning, match="equal in every bit") as told:
                    half()
                assert told[0].filename == __file__
            else:
                half()
    assert optimizer.report().distance == 0.0
    # With a radius of 0 they are equal by right.
    still = SAM([p], "sam", rho=0.0)
    p.grad = torch.ones(3)
    still.first_step()
    still.second_step()


def test_the_report():
    model = network()
    optimizer = SAM(model.parameters(), "sam", rho=0.1, watch=2)
    assert optimizer.report().outcome is None
    closure = closure_of(model)
    for _ in range(6):
        optimizer.step(closure)
    report = optimizer.report()
    assert report.outcome == "perturbed" and report.steps == 6 and report.perturbed == 1.0
    assert 0 < report.distance < 1 and report.distance_step == 5 and report.norm > 0


REFUSED = [
    (torch.bfloat16, "expected float32 or float64, found torch.bfloat16.*autocast"),
    (torch.float16, "expected float32 or float64, found torch.float16"),
    (torch.complex64, "expected real numbers.*view_as_real"),
]


@pytest.mark.parametrize("dtype, words", REFUSED)
def test_other_types_are_one_clear_line(dtype, words):
    with pytest.raises(TypeError, match=words) as told:
        SAM([torch.nn.Parameter(torch.ones(2, dtype=dtype))], "sam", rho=0.1)
    assert "\n" not in str(told.value)


def test_a_model_that_is_converted_later_is_refused_or_followed():
    model = network()
    optimizer = SAM(model.parameters(), "info-asam", rho=0.1, lr=0.1, momentum=0.9)
    train(model, optimizer)
    model.to(torch.float32)
    train(model, optimizer)
    assert optimizer.report().steps == 6
    model.to(torch.bfloat16)
    with pytest.raises(TypeError, match="bfloat16"):
        train(model, optimizer)


def test_devices_sparse_gradients_and_optimizers_that_cannot_serve():
    with pytest.raises(TypeError, match="on the CPU or on a GPU of NVIDIA's, found meta; examples/python/presam_torch.py"):
        SAM([torch.nn.Parameter(torch.ones(2, device="meta"))], "sam", rho=0.1)
    table = torch.nn.Embedding(4, 2, sparse=True)
    optimizer = SAM(table.parameters(), "sam", rho=0.1)
    table(torch.tensor([1])).sum().backward()
    with pytest.raises(TypeError, match="expected dense tensors.*sparse=False"):
        optimizer.first_step()
    for base, words in ((torch.optim.LBFGS, "without a closure"), (torch.optim.SparseAdam, "dense"), (int, "found <class")):
        with pytest.raises(TypeError, match=words):
            SAM([torch.nn.Parameter(torch.ones(2))], "sam", rho=0.1, base=base)
    with pytest.raises(TypeError, match="expected one type in one optimizer"):
        SAM([torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(2).double())], "sam", rho=0.1)
    shared = torch.ones(4)
    two = [torch.nn.Parameter(shared[:3]), torch.nn.Parameter(shared[1:])]
    optimizer = SAM(two, "sam", rho=0.1)
    for p in two:
        p.grad = torch.ones(3)
    with pytest.raises(ValueError, match="found two that share it"):
        optimizer.first_step()


def test_keys_that_base_and_variant_share_are_asked_for():
    p = torch.nn.Parameter(torch.ones(2))
    with pytest.raises(TypeError, match="alpha: a key of sam and an argument of the base optimizer"):
        SAM([p], "sam", rho=0.1, base=torch.optim.RMSprop, descent="gsam", alpha=0.3)
    with pytest.raises(ValueError, match="decoupled=False over RMSprop"):
        SAM([p], "sam", rho=0.1, base=torch.optim.RMSprop, descent="wsam")
    with pytest.raises(ValueError, match="momentum-sam: expected base='sgd' with a momentum"):
        SAM([p], "momentum-sam", rho=0.1, base=torch.optim.RMSprop)
    optimizer = SAM([p], "sam", rho=0.1, base=torch.optim.RMSprop, base_options={"alpha": 0.5})
    assert optimizer.param_groups[0]["alpha"] == 0.5
    with pytest.raises(TypeError, match="sigma: expected a key of sam"):
        SAM([p], "sam", rho=0.1, sigma=1.0)


def test_a_wrong_order_is_one_clear_line():
    model = network()
    optimizer = SAM(model.parameters(), "sam", rho=0.1)
    with pytest.raises(TypeError, match="expected a closure.*first_step.*second_step"):
        optimizer.step()
    with pytest.raises(RuntimeError, match="first_step comes first"):
        optimizer.second_step()
    closure_of(model)()
    optimizer.first_step()
    for call in (optimizer.first_step, optimizer.state_dict, lambda: copy.deepcopy(optimizer)):
        with pytest.raises(RuntimeError, match="second_step or restore comes first"):
            call()
    optimizer.restore()
    optimizer.restore()
    optimizer.state_dict()


def test_a_graph_of_before_knows_that_the_parameters_moved():
    model = network()
    optimizer = SAM(model.parameters(), "sam", rho=0.1)
    loss = closure_of(model)
    kept = model(torch.ones(1, 4, dtype=torch.float64)).sum()
    loss()
    optimizer.first_step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        kept.backward()
    optimizer.restore()


def test_hooks_of_every_optimizer_see_a_step_by_hand():
    model, seen = network(), []
    optimizer = SAM(model.parameters(), "sam", rho=0.1)
    handles = [register_optimizer_step_pre_hook(lambda *_: seen.append("pre")),
               register_optimizer_step_post_hook(lambda *_: seen.append("post"))]
    closure_of(model)()
    optimizer.first_step(zero_grad=True)
    closure_of(model)()
    optimizer.second_step(zero_grad=True)
    for handle in handles:
        handle.remove()
    assert seen == ["pre", "post"]


def test_a_base_whose_argument_is_sam_s_is_refused():
    p = torch.nn.Parameter(torch.ones(2))
    for options in ({}, {"base_options": {"rho": 0.9}}):
        with pytest.raises(TypeError, match="an argument rho, which a group has for SAM, found Adadelta"):
            SAM([p], "sam", rho=0.05, base=torch.optim.Adadelta, **options)


@pytest.mark.parametrize("training", [True, False])
def test_instance_norm_counts_the_first_pass_alone(training):
    torch.manual_seed(0)
    layer = torch.nn.InstanceNorm1d(2, track_running_stats=True)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Unflatten(1, (2, 4)), layer, torch.nn.Flatten())
    inputs, losses = torch.randn(8, 4) * 5 + 3, []
    for _ in range(3):
        model(inputs)
    model.train(training)
    before = copy.deepcopy(layer.state_dict())
    once = copy.deepcopy(model)
    once(inputs)
    optimizer = SAM(model[0].parameters(), "sam", rho=1e-6, lr=0.0)
    batch_norm_once(model, optimizer)

    def closure():
        loss = model(inputs).square().mean() + model[0](inputs).square().mean()
        loss.backward()
        losses.append(loss.item())
        # A copy in the middle of a step is a whole one.
        copy.deepcopy(model).eval()(inputs)
        return loss

    optimizer.step(closure)
    after, first = layer.state_dict(), once[2].state_dict()
    assert all(torch.equal(after[key], first[key]) for key in first)
    assert torch.equal(after["running_mean"], before["running_mean"]) != training
    assert abs(losses[1] - losses[0]) < 1e-3 * losses[0]
    assert torch.equal(copy.deepcopy(model)(inputs), model(inputs)) or training
