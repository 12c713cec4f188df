"""The step of a GPU on its emulated device, over tensors of the CPU: the bits of the CPU's step, and what it refuses."""

import copy
import io
import math

import pytest
import torch

import presam
from presam.torch import SAM, devices
from presam.torch.devices import Emulated

VARIANTS = [name for name in presam.variants()]
BASES = {"sgd": {}, "momentum": {"momentum": 0.9, "dampening": 0.25}, "nesterov": {"momentum": 0.9, "nesterov": True}, "adamw": {}}


@pytest.fixture
def emulated(monkeypatch):
    monkeypatch.setitem(devices.KINDS, "cpu", Emulated)


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


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_rule_over_every_base_gives_the_bits_of_the_cpu(variant, base):
    if variant == "momentum-sam" and base == "sgd":
        pytest.skip("it follows a momentum")
    (mine, *rest), (gpu, *others) = both(run, variant, base)
    equal(mine, gpu)
    if variant == "momentum-sam":
        # The rule has no use for its count, and a device does not count the step before there is a momentum.
        del rest[1], others[1]
    assert rest == others and "perturbed" in rest[0][-1]


@pytest.mark.parametrize(
    "options", [dict(max_norm=3.0), dict(loss_scale=3.3, scale=3.3), dict(length="mixed", norm_guard=1e-3), dict(max_norm=1e-3, loss_scale=1024.0)]
)
def test_settings_of_a_step_do_too(options):
    (mine, *rest), (gpu, *others) = both(run, "info-asam", "momentum", **options)
    equal(mine, gpu)
    assert rest == others


DESCENTS = [dict(descent="gsam", alpha=0.4), dict(descent="saner", alpha=0.5), dict(descent="wsam", gamma=0.8, decoupled=False)]


@pytest.mark.parametrize("base", ["momentum", "adamw"])
@pytest.mark.parametrize("options", DESCENTS)
def test_mixes_of_both_gradients_do_too(options, base):
    (mine, *rest), (gpu, *others) = both(run, "asam", base, **options)
    equal([plane for plane in mine], gpu)
    assert rest == others


def mixed_by_hand(set_to_none):
    params = tensors()
    optimizer = made(params, "sam", "momentum", descent="gsam", momentum=0.9)
    for step in range(3):
        closure_of(params, optimizer, step)()
        optimizer.first_step()
        optimizer.zero_grad(set_to_none)
        closure_of(params, optimizer, step)()
        optimizer.second_step(zero_grad=True)
    return list(params)


def test_a_mix_needs_the_first_gradient_and_says_so():
    equal(*both(mixed_by_hand, True))
    with pytest.raises(ValueError, match="both gradients are looked at, and it is written over, found the first gradient's"):
        on(Emulated, mixed_by_hand, False)


def scheduled(change):
    params = tensors()
    optimizer = made(params, "info-sam", "momentum", momentum=0.9)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 6)
    found = []
    for step in range(6):
        change(optimizer, step)
        found += take(params, optimizer, 1, step)
        schedule.step()
    return planes(params, optimizer), found


def radii(optimizer, step):
    optimizer.param_groups[1]["rho"] = 0.1 + step / 10
    optimizer.max_norm = None if step % 2 else 2.0


def switches(optimizer, step):
    optimizer.param_groups[0].update(counted=step != 2, perturbed=step % 2 == 0, operator=step > 3)


@pytest.mark.parametrize("change", [radii, switches])
def test_what_changes_between_steps_is_followed(change):
    (mine, found), (gpu, others) = both(scheduled, change)
    equal(mine, gpu)
    assert found == others


def by_hand():
    params = tensors()
    optimizer = made(params, "vasso", "adamw")
    said = []

    def gradient(step):
        optimizer.zero_grad()
        closure_of(params, optimizer, step)()

    gradient(0)
    optimizer.base_step()
    said.append(optimizer.outcome)
    before = [p.detach().clone() for p in params]
    gradient(1)
    optimizer.first_step(zero_grad=True)
    said.append(optimizer.outcome)
    moved = [p.detach().clone() for p in params]
    optimizer.restore()
    assert all(torch.equal(a, b) for a, b in zip(before, params)) and not torch.equal(before[1], moved[1])
    gradient(2)
    optimizer.first_step()
    gradient(3)
    optimizer.second_step()
    said.append(optimizer.outcome)
    return planes(params, optimizer) + moved, said


def test_halves_by_hand_are_those_of_the_cpu():
    (mine, said), (gpu, others) = both(by_hand)
    equal(mine, gpu)
    assert said == others == ["base", "perturbed", "perturbed"]


def spoilt(half, base):
    params = tensors()
    optimizer = made(params, "info-sam", base, **BASES[base])
    take(params, optimizer, 2)
    before = [t.detach().clone() for t in planes(params, optimizer)]
    counters = copy.deepcopy(optimizer.state_dict()["presam"]["counters"])
    calls = []

    def closure():
        closure_of(params, optimizer, 2)()
        calls.append(0)
        if len(calls) == half:
            params[1].grad[7] = math.inf

    optimizer.step(closure)
    outcome, kept = optimizer.outcome, [t.detach().clone() for t in planes(params, optimizer)]
    assert optimizer.state_dict()["presam"]["counters"] == counters
    take(params, optimizer, 1, 3)
    return before, kept, planes(params, optimizer), outcome


@pytest.mark.parametrize("half", [1, 2])
@pytest.mark.parametrize("base", ["momentum", "adamw"])
def test_a_gradient_that_is_not_finite_skips_the_step(half, base):
    (_, _, mine, said), (before, kept, gpu, others) = both(spoilt, half, base)
    equal(mine, gpu)
    assert said == others == "non-finite"
    # Of the rule's memory the first gradient's, where it was finite, is kept.
    equal(*([t for t in part[:3]] for part in (before, kept)))
    assert half == 2 or all(torch.equal(a, b) for a, b in zip(before, kept))


def odd_places():
    """Parameters that are no block, gradients 4 bytes past 16, in the first half or the second alone."""
    torch.manual_seed(0)
    params = [torch.nn.Parameter(torch.randn(8, 6).t()), torch.nn.Parameter(torch.randn(40)), torch.nn.Parameter(torch.randn(12, 4)[:, :2])]
    optimizer = SAM(params, "asam", rho=0.1, base="sgd", lr=0.1, momentum=0.9)
    for step in range(5):
        calls = []

        def closure():
            closure_of(params, optimizer, step)()
            calls.append(0)
            if (step, len(calls)) in ((1, 1), (3, 2)):
                shifted = torch.empty(41)[1:]
                params[1].grad = shifted.copy_(params[1].grad)

        optimizer.step(closure)
    return planes(params, optimizer)


@pytest.mark.filterwarnings("ignore:presam")
def test_places_that_change_are_followed():
    equal(*both(odd_places))


@pytest.mark.parametrize("way", [(devices.Cpu, Emulated), (Emulated, devices.Cpu), (Emulated, Emulated)])
@pytest.mark.parametrize("variant, base", [("info-asam", "adamw"), ("vasso", "momentum")])
def test_a_run_that_was_saved_goes_on_anywhere_to_the_same_bits(way, variant, base):
    def begun():
        params = tensors()
        optimizer = made(params, variant, base, **BASES[base])
        take(params, optimizer, 3)
        kept = io.BytesIO()
        torch.save((optimizer.state_dict(), [p.detach() for p in params]), kept)
        return kept, copy.deepcopy(optimizer)

    def gone_on(kept):
        kept.seek(0)
        state, values = torch.load(kept)
        params = tensors()
        optimizer = made(params, variant, base, **BASES[base])
        with torch.no_grad():
            [p.copy_(value) for p, value in zip(params, values)]
        optimizer.load_state_dict(state)
        take(params, optimizer, 2, 3)
        return planes(params, optimizer)

    kept, copied = on(way[0], begun)
    resumed = on(way[1], gone_on, kept)
    equal(resumed, on(devices.Cpu, run, variant, base, steps=5)[0])
    own = [p for group in copied.param_groups for p in group["params"]]
    on(way[0], take, own, copied, 2, 3)
    equal(resumed, planes(own, copied))


def late(base, **options):
    params = tensors()
    optimizer = made(params[:2], "sam", base, **options)
    take(params[:2], optimizer, 2)
    optimizer.add_param_group({"params": params[2:]})
    take(params, optimizer, 2, 2)
    return planes(params, optimizer)


def test_a_parameter_that_comes_later_takes_part():
    equal(*both(late, "momentum", momentum=0.9))
    with pytest.raises(ValueError, match="as many steps, since AdamW and a dampened momentum on a GPU take one count for all, found 0 and 2"):
        on(Emulated, late, "adamw")


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
    for descent in ("look-sam", "wsam"):
        refused(ValueError, "descent: expected None, 'gsam', 'saner' or 'wsam' with decoupled=False on a GPU", descent=descent)
    refused(ValueError, "base: expected 'sgd' or 'adamw' on a GPU", base=torch.optim.RMSprop)
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


# What a reader found.


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


@pytest.mark.parametrize("options", DESCENTS)
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
