"""What the step of a GPU refuses, and what an error or a change of plan leaves behind, on the emulated device."""

import copy
import math

import pytest
import torch

from presam.torch import devices
from presam.torch.devices import Emulated

from places import DESCENTS, both, closure_of, equal, late, made, on, planes, take, tensors


def test_planes_follow_a_model_to_another_device(emulated):
    params = tensors()
    optimizer = made(params, momentum=0.9)
    take(params, optimizer, 1)
    optimizer.state[params[1]]["momentum_buffer"] = torch.empty(3000, device="meta")
    optimizer.zero_grad()
    optimizer._retire()
    # Of another device a plane is copied, which of this one cannot be.
    with pytest.raises(NotImplementedError, match="meta"):
        take(params, optimizer, 1, 1)


def test_what_is_queued_is_told_when_it_is_asked_for(emulated):
    params = tensors()
    optimizer = made(params)
    assert optimizer.report()[0] is None
    closure_of(params, optimizer, 0)()
    assert optimizer.first_step() == "queued" and optimizer.second_step() == "queued"
    report = optimizer.report()
    assert (report.outcome, report.steps) == ("perturbed", 1) and report.norm > 0 and math.isnan(report.perturbed)
    optimizer.param_groups[1]["lr"] = 0.0
    optimizer.push_settings()
    optimizer.param_groups[1]["counted"] = False
    with pytest.raises(ValueError, match="push_settings: expected operator, counted and perturbed of each group as in"):
        optimizer.push_settings()


def refused(error, words, *arguments, params=None, steps=1, **options):
    params = tensors() if params is None else params
    with pytest.raises(error, match=words) as told:
        optimizer = made(params, *arguments, **options)
        take(params, optimizer, steps)
    assert "\n" not in str(told.value)


def test_what_it_cannot_take_is_one_line(emulated):
    refused(TypeError, "expected float32 on a GPU, found torch.float64", params=[torch.nn.Parameter(p.double()) for p in tensors()])
    refused(ValueError, "maximize: expected False on a GPU, found True", maximize=True)
    refused(ValueError, "base: expected 'sgd' or 'adamw' on a GPU", base=torch.optim.RMSprop, steps=0)
    params = tensors()
    optimizer = made(params, "sam", "adamw")
    optimizer.param_groups[1]["betas"] = (0.5, 0.9)
    with pytest.raises(ValueError, match="decays of group 1"):
        take(params, optimizer, 1)


def test_a_gradient_that_is_missing_is_told_and_nothing_has_moved(emulated):
    params = tensors()
    optimizer = made(params)
    take(params, optimizer, 1)
    before = [p.detach().clone() for p in params]
    with pytest.raises(ValueError, match="expected one of each parameter that has had one, .*, found none of 1; zeros"):
        optimizer.step(closure_of(params[1:], optimizer, 1))
    equal(before, params)
    take(params, optimizer, 1, 1)


def test_processes_that_would_decide_together_are_refused(emulated, monkeypatch):
    import presam.torch.sam

    monkeypatch.setattr(presam.torch.sam, "decision", lambda group: lambda here: here)
    refused(ValueError, "process_group: expected None on a GPU")


def test_a_gpu_without_its_module_says_what_to_install(monkeypatch):
    import builtins

    def absent(name, *arguments):
        if name == "_presam_cuda":
            raise ImportError("libcuda.so.1: cannot open shared object file")
        return found(name, *arguments)

    found = builtins.__import__
    devices.module.cache_clear()
    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(ImportError, match=r"pip install 'presam\[cuda\]'.*libcuda.so.1"):
        devices.module()
    devices.module.cache_clear()


def test_saving_leaves_a_captured_step_its_memory(emulated):
    params = tensors()
    optimizer = made(params, "ssam", "adamw")
    take(params, optimizer, 2)
    engine = optimizer._tensors.engine
    optimizer.state_dict()
    copy.deepcopy(optimizer)
    optimizer.set_inputs(params[1], torch.ones(3000))
    take(params, optimizer, 1, 2)
    assert optimizer._tensors.engine is engine
    assert [row[0] for row in optimizer.state_dict()["presam"]["counters"]] == [3, 3, 3]


def refused_once():
    params = tensors()
    optimizer = made(params, "sam", "adamw")
    take(params, optimizer, 3)
    first = optimizer.param_groups[0]
    first.update(betas=(0.5, 0.9) if optimizer._tensors.queued else (2.0, 0.9), operator=True)
    with pytest.raises(ValueError):
        take(params, optimizer, 1, 3)
    first["betas"] = (0.9, 0.999)
    take(params, optimizer, 2, 3)
    return planes(params, optimizer), optimizer.state_dict()["presam"]["counters"]


def test_a_refusal_loses_no_counter():
    (mine, counters), (gpu, others) = both(refused_once)
    equal(mine, gpu)
    assert counters == others and counters[0][0] == 5


def infinite_in_an_uncounted_group():
    params = tensors()
    optimizer = made(params)
    first = optimizer.param_groups[0]
    first["counted"] = False
    take(params, optimizer, 1)
    closure_of(params, optimizer, 1)()
    params[0].grad[0] = math.inf
    optimizer.first_step()
    assert optimizer.outcome == "non-finite"
    optimizer.restore()
    first["counted"] = True
    optimizer.zero_grad()
    said = take(params, optimizer, 2, 2)
    return list(params), said


def test_a_sum_that_nobody_writes_anew_is_not_kept():
    (mine, said), (gpu, others) = both(infinite_in_an_uncounted_group)
    equal(mine, gpu)
    assert said == others and "perturbed" in said[0]


def momentum_beside_a_shifted_gradient():
    params = tensors()
    optimizer = made(params, "momentum-sam", "momentum", momentum=0.9)
    for step in range(4):

        def closure():
            closure_of(params, optimizer, step)()
            for p in params:
                p.grad = torch.empty(p.numel() + 1)[1:].copy_(p.grad)

        optimizer.step(closure)
    return planes(params, optimizer)


def test_a_momentum_goes_with_any_gradient():
    equal(*both(momentum_beside_a_shifted_gradient))


@pytest.mark.parametrize("perturbed", [True, False])
def test_a_switch_between_the_halves_waits_for_the_next_step(perturbed):
    def switched():
        params = tensors()
        optimizer = made(params, "sam")
        optimizer.param_groups[1]["perturbed"] = not perturbed
        take(params, optimizer, 2)
        for group in optimizer.param_groups:
            group["lr"] = 0.0
        before = [p.detach().clone() for p in params]
        closure_of(params, optimizer, 2)()
        optimizer.first_step()
        optimizer.param_groups[1].update(perturbed=perturbed, rho=0.4)
        optimizer.zero_grad()
        closure_of(params, optimizer, 2)()
        # Of another layout, so that the step is made anew between its halves.
        params[1].grad = torch.empty(3001)[1:].copy_(params[1].grad)
        optimizer.second_step(zero_grad=True)
        equal(before, params)
        for group in optimizer.param_groups:
            group["lr"] = 0.1
        take(params, optimizer, 2, 3)
        return list(params)

    equal(*both(switched))


def test_a_dampened_momentum_takes_no_parameter_later():
    with pytest.raises(ValueError, match="a dampened momentum on a GPU take one count for all, found 0 and 2"):
        on(Emulated, late, "momentum", momentum=0.9, dampening=0.5)


def test_a_gradient_of_the_second_pass_alone_is_told_and_nothing_has_moved(emulated):
    params = tensors()
    optimizer = made(params)
    before = [p.detach().clone() for p in params]
    closure_of(params[1:], optimizer, 0)()
    optimizer.first_step(zero_grad=True)
    closure_of(params, optimizer, 0)()
    with pytest.raises(ValueError, match="expected those of the first half in the second one"):
        optimizer.second_step()
    equal(before, params)
    optimizer.zero_grad()
    take(params, optimizer, 1)


def test_a_first_step_within_a_capture_makes_nothing(emulated, monkeypatch):
    params = tensors()
    optimizer = made(params, momentum=0.9)
    with monkeypatch.context() as patch:
        patch.setattr(Emulated, "capturing", lambda self: True)
        with pytest.raises(RuntimeError, match="expected a first one before the capture"):
            take(params, optimizer, 1)
    assert not any(optimizer.state[p] for p in params)
    optimizer.zero_grad()
    take(params, optimizer, 1)


def test_a_step_that_was_given_up_is_told_by_its_first_half(emulated):
    params = tensors()
    optimizer = made(params)
    calls = []

    def closure():
        closure_of(params, optimizer, 0)()
        calls.append(0)
        if len(calls) == 2:
            params[1].grad[0] = math.nan

    optimizer.step(closure)
    assert optimizer.outcome == "non-finite"
    optimizer.zero_grad()
    closure_of(params, optimizer, 1)()
    optimizer.first_step()
    optimizer.restore()
    assert optimizer.outcome == "perturbed"


def test_an_error_of_the_closure_is_the_one_that_is_told(emulated, monkeypatch):
    params = tensors()
    optimizer = made(params)
    take(params, optimizer, 1)
    before = [p.detach().clone() for p in params]
    calls = []

    def closure():
        closure_of(params, optimizer, 1)()
        calls.append(0)
        if len(calls) == 2:
            raise KeyError("of the closure")

    engine = optimizer._tensors.engine

    class Refusing:
        def __getattr__(self, name):
            return getattr(engine, name)

        def restore(self, stream):
            raise RuntimeError("of the restore")

    optimizer._tensors.engine = Refusing()
    with pytest.raises(KeyError, match="of the closure"):
        optimizer.step(closure)
    optimizer._tensors.engine = engine
    # What could not be restored then can be now.
    with pytest.raises(RuntimeError, match="second_step or restore comes first"):
        optimizer.step(closure)
    optimizer.restore()
    equal(before, params)


def test_another_version_of_the_module_is_refused(monkeypatch):
    module = devices.module()
    devices.module.cache_clear()
    monkeypatch.setattr(module, "VERSION", "9.9.9")
    with pytest.raises(ImportError, match="presam-cuda: expected version .*, found 9.9.9"):
        devices.module()
    devices.module.cache_clear()


@pytest.mark.parametrize("options", [{}, *DESCENTS])
def test_a_step_that_is_made_anew_follows_the_radius(options):
    def scheduled_and_shifted():
        params = tensors()
        optimizer = made(params, "sam", "momentum", momentum=0.9, **options)
        for step in range(5):
            optimizer.param_groups[1]["rho"] = 0.1 + step / 10
            closure_of(params, optimizer, step)()
            optimizer.first_step()
            optimizer.zero_grad()
            closure_of(params, optimizer, step)()
            if step == 2:
                params[1].grad = torch.empty(3001)[1:].copy_(params[1].grad)
            optimizer.second_step(zero_grad=True)
        return planes(params, optimizer)

    equal(*both(scheduled_and_shifted))


@pytest.mark.parametrize("options", DESCENTS[:3])
def test_gradients_that_are_written_over_have_memory_of_their_own(options):
    def shared():
        params = tensors((64, 64))
        optimizer = made(params, "sam", **options)
        closure_of(params, optimizer, 0)()
        optimizer.first_step(zero_grad=True)
        params[0].grad = params[1].grad = torch.ones(64)
        with pytest.raises(ValueError, match="share"):
            optimizer.second_step()

    both(shared)


def test_counters_that_were_refused_stay_what_they_were(emulated):
    params = tensors()
    optimizer = made(params[:2], "sam", "adamw")
    take(params[:2], optimizer, 2)
    optimizer.add_param_group({"params": params[2:]})
    for _ in range(2):
        with pytest.raises(ValueError, match="found 0 and 2"):
            take(params, optimizer, 1, 2)
        assert [row[0] for row in optimizer.state_dict()["presam"]["counters"]] == [2, 2, 0]
        optimizer._retire()


@pytest.mark.parametrize("options", [{}, *DESCENTS])
def test_a_momentum_off_16_bytes_goes_with_any_gradient(options):
    def misaligned():
        params = tensors()
        optimizer = made(params, "sam", "momentum", momentum=0.9, **options)
        take(params, optimizer, 1)
        kept = optimizer.state[params[1]]["momentum_buffer"]
        optimizer.state[params[1]]["momentum_buffer"] = torch.empty(3001)[1:].copy_(kept)
        optimizer._retire()
        take(params, optimizer, 1, 1)
        for step in (2, 3):

            def closure():
                closure_of(params, optimizer, step)()
                params[1].grad = torch.empty(3001)[1:].copy_(params[1].grad)

            optimizer.step(closure)
        return planes(params, optimizer)

    equal(*both(misaligned))


def test_a_refused_first_half_lets_its_gradients_go(emulated):
    params = tensors()
    optimizer = made(params, "sam", descent="gsam")
    take(params, optimizer, 4)
    optimizer.param_groups[0]["lr"] = -1.0
    with pytest.raises(ValueError):
        take(params, optimizer, 1)
    assert optimizer._firsts is None


def test_inputs_are_copied_before_one_is_written(emulated):
    params = tensors()
    optimizer = made(params, "pre-sam")
    take(params, optimizer, 1)
    one, other = (optimizer.state[params[1]][f"input_{k}"].clone() for k in range(2))
    optimizer.set_inputs(params[1], optimizer.state[params[1]]["input_1"], optimizer.state[params[1]]["input_0"])
    assert torch.equal(optimizer.state[params[1]]["input_0"], other) and torch.equal(optimizer.state[params[1]]["input_1"], one)
