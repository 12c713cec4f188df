"""The step of a GPU on its emulated device, over tensors of the CPU: the bits of the CPU's step."""

import copy
import io
import math

import pytest
import torch

import presam
from presam.torch import SAM, devices
from presam.torch.devices import Emulated

from places import BASES, DESCENTS, both, closure_of, equal, late, made, on, planes, run, take, tensors

VARIANTS = list(presam.variants())


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


@pytest.mark.parametrize("base", ["momentum", "adamw"])
@pytest.mark.parametrize("options", DESCENTS)
def test_mixes_of_both_gradients_do_too(options, base):
    (mine, *rest), (gpu, *others) = both(run, "asam", base, **options)
    equal([plane for plane in mine], gpu)
    assert rest == others
    # One loss scale after another, and a norm that clips.
    (mine, *rest), (gpu, *others) = both(run, "asam", base, steps=5, max_norm=0.5, loss_scale=3.3, scale=3.3, **options)
    equal(mine, gpu)
    assert rest == others


def warmed_up(descent):
    """Plain training before the method begins, and once between its steps."""
    params = tensors()
    optimizer = made(params, "sam", "momentum", momentum=0.9, max_norm=2.0, **descent)
    for step in range(2):
        closure_of(params, optimizer, step)()
        optimizer.base_step(zero_grad=True)
    plain = [p.detach().clone() for p in params]
    take(params, optimizer, 2, 2)
    optimizer.zero_grad()
    closure_of(params, optimizer, 4)()
    optimizer.base_step()
    said = optimizer.outcome
    take(params, optimizer, 2, 5)
    return [*planes(params, optimizer), *plain], said


@pytest.mark.parametrize("descent", DESCENTS)
def test_a_base_step_mixes_nothing(descent):
    (mine, said), (gpu, others) = both(warmed_up, descent)
    equal(mine, gpu)
    assert said == others == "base"
    equal(mine[-3:], on(devices.Cpu, warmed_up, {})[0][-3:])


def spoilt_mix(half, counted, descent):
    params = tensors()
    optimizer = made(params, "asam", "momentum", momentum=0.9, **descent)
    optimizer.param_groups[1].update(counted=counted, perturbed=counted)
    take(params, optimizer, 3)
    before = [t.detach().clone() for t in planes(params, optimizer)]
    calls, said = [], []

    def closure():
        closure_of(params, optimizer, 3)()
        calls.append(0)
        if len(calls) == half:
            params[1].grad[7] = math.inf

    optimizer.step(closure)
    equal(before, planes(params, optimizer))
    said.append(str(optimizer.report()[:2]))
    return planes(params, optimizer), said + take(params, optimizer, 4, 4)


@pytest.mark.parametrize("descent", DESCENTS[-2:])
@pytest.mark.parametrize("half, counted", [(1, True), (2, True), (1, False), (2, False)])
def test_a_descent_along_the_first_gradient_is_skipped_too(half, counted, descent):
    (mine, said), (gpu, others) = both(spoilt_mix, half, counted, descent)
    equal(mine, gpu)
    assert said == others and "non-finite" in said[0]


def spoilt_between(descent):
    params = tensors()
    optimizer = made(params, "sam", "adamw", **descent)
    said = []
    for step in range(7):

        def closure():
            closure_of(params, optimizer, step)()
            if step == 2:
                params[2].grad[0] = math.nan

        optimizer.step(closure)
        said.append(str(optimizer.report()[:2]))
    return planes(params, optimizer), said, optimizer.state_dict()["presam"]["counters"]


def test_a_step_of_look_sam_without_a_second_gradient_is_judged():
    (mine, *rest), (gpu, *others) = both(spoilt_between, DESCENTS[-1])
    equal(mine, gpu)
    assert rest == others and [line.split("'")[1] for line in rest[0][:4]] == ["perturbed", "reused", "non-finite", "perturbed"]


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
    with pytest.raises(ValueError, match="whoever clears gradients in place has one for both, found the first gradient's"):
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


def odd_places(**descent):
    """Parameters that are no block, gradients 4 bytes past 16, in the first half or the second alone."""
    torch.manual_seed(0)
    params = [torch.nn.Parameter(torch.randn(8, 6).t()), torch.nn.Parameter(torch.randn(40)), torch.nn.Parameter(torch.randn(12, 4)[:, :2])]
    optimizer = SAM(params, "asam", rho=0.1, base="sgd", lr=0.1, momentum=0.9, **descent)
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
@pytest.mark.parametrize("descent", [{}, *DESCENTS])
def test_places_that_change_are_followed(descent):
    equal(*both(odd_places, **descent))


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


def test_a_parameter_that_comes_later_takes_part():
    equal(*both(late, "momentum", momentum=0.9))
    with pytest.raises(ValueError, match="as many steps, since AdamW and a dampened momentum on a GPU take one count for all, found 0 and 2"):
        on(Emulated, late, "adamw")
