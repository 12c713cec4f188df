"""The recipes of the package's README, run as they stand."""

import pathlib

import pytest
import torch

from presam.torch import SAM, batch_norm_once, groups

from nets import INPUTS, TARGETS, closure_of, flat, loss_of, network, same, train


@pytest.mark.parametrize("overflow_at", [None, 2])
def test_grad_scaler_by_hand(overflow_at):
    # Scales are powers of two: every bit is that of a run without a scaler.
    model, plain = network(torch.float32), network(torch.float32)
    optimizer, twin = (SAM(m.parameters(), "info-asam", rho=0.3, lr=0.1, momentum=0.9) for m in (model, plain))
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=8)
    scales = []
    for k in range(8):
        scaler.scale(loss_of(model(INPUTS), TARGETS) * (float("inf") if k == overflow_at else 1)).backward()
        scaler.unscale_(optimizer)
        optimizer.first_step(zero_grad=True)
        scaler.update()  # else torch refuses the second unscale_
        scaler.scale(loss_of(model(INPUTS), TARGETS)).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1e9)
        outcome = optimizer.second_step(zero_grad=True)
        scaler.update()
        scales.append(scaler.get_scale())
        assert outcome == ("non-finite" if k == overflow_at else "perturbed")
        if k != overflow_at:
            twin.step(closure_of(plain))
    assert same(model, plain)
    # Two updates a step: it grows once in growth_interval / 2 steps.
    assert scales[3] == (2048.0 if overflow_at is None else 512.0)


def test_grad_scaler_asks_for_the_two_halves():
    model = network(torch.float32)
    optimizer = SAM(model.parameters(), "sam", rho=0.3)
    scaler = torch.amp.GradScaler("cpu")
    scaler.scale(loss_of(model(INPUTS), TARGETS)).backward()
    with pytest.raises(TypeError, match="first_step"):
        scaler.step(optimizer)


def test_autocast_with_clipping():
    model = network(torch.float32)
    optimizer = SAM(groups(model), "asam", rho=0.3, lr=0.1, momentum=0.9, max_norm=1.0)

    def closure():
        with torch.autocast("cpu", torch.bfloat16):
            loss = loss_of(model(INPUTS), TARGETS)
        loss.backward()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(20)]
    assert losses[-1] < losses[0] / 2 and optimizer.report().perturbed == 1.0


def test_accumulation_one_perturbation_a_step():
    # The closure runs over the parts of a batch: the step is that of the whole batch.
    whole, parts = network(), network()
    train(whole, SAM(whole.parameters(), "info-asam", rho=0.3, lr=0.1))
    optimizer = SAM(parts.parameters(), "info-asam", rho=0.3, lr=0.1)

    def closure():
        total = 0.0
        for x, y in zip(INPUTS.double().split(8), TARGETS.split(8)):
            loss = loss_of(parts(x), y) / 4
            loss.backward()
            total += loss.item()
        return total

    for _ in range(3):
        optimizer.step(closure)
    torch.testing.assert_close(flat(whole), flat(parts), rtol=1e-12, atol=1e-14)


def test_accumulation_one_perturbation_a_part():
    # Each part has a perturbation of its own (m-SAM); their second gradients are averaged.
    model = network()
    optimizer = SAM(model.parameters(), "sam", rho=0.3, lr=0.1)
    before, sums = flat(model).clone(), [torch.zeros_like(p) for p in model.parameters()]
    for x, y in zip(INPUTS.double().split(8), TARGETS.split(8)):
        loss_of(model(x), y).backward()
        optimizer.first_step(zero_grad=True)
        loss_of(model(x), y).backward()
        for total, p in zip(sums, model.parameters()):
            total += p.grad / 4
        optimizer.restore()
        optimizer.zero_grad()
    assert torch.equal(flat(model), before)
    expected = before - 0.1 * torch.cat([t.reshape(-1) for t in sums])
    for total, p in zip(sums, model.parameters()):
        p.grad = total
    optimizer.base_step()
    torch.testing.assert_close(flat(model), expected, rtol=1e-15, atol=0)


def test_batch_statistics_are_counted_once():
    once, twice, plain = (network(norm=True) for _ in range(3))
    freezer = batch_norm_once(once, SAM(once.parameters(), "sam", rho=0.5, lr=0.1))
    train(once, freezer._optimizer, 4)
    train(twice, SAM(twice.parameters(), "sam", rho=0.5, lr=0.1), 4)
    assert once[1].num_batches_tracked == 4 and twice[1].num_batches_tracked == 8
    assert not torch.equal(once[1].running_mean, twice[1].running_mean)
    # By hand: the first pass alone.
    optimizer = SAM(plain.parameters(), "sam", rho=0.5, lr=0.1)
    for _ in range(4):
        closure_of(plain)()
        optimizer.first_step(zero_grad=True)
        with batch_norm_once(plain):
            closure_of(plain)()
        optimizer.second_step(zero_grad=True)
    assert same(once, plain)
    for name, kept in plain.state_dict().items():
        assert torch.equal(kept, once.state_dict()[name])
    freezer.remove()
    train(once, optimizer=SAM(once.parameters(), "sam", rho=0.5), steps=1)
    assert once[1].num_batches_tracked == 6


def test_statistics_that_are_frozen_stay_in_use():
    model = network(norm=True)
    model[1].eval()
    optimizer = SAM(model.parameters(), "sam", rho=0.5)
    batch_norm_once(model, optimizer)
    closure_of(model)()
    optimizer.first_step(zero_grad=True)
    perturbed = model(INPUTS.double())
    model[1].track_running_stats = True
    assert torch.equal(perturbed, model(INPUTS.double()))
    optimizer.restore()
    assert model[1].track_running_stats and model[1].num_batches_tracked == 0


def test_the_lines_that_people_copy():
    page = pathlib.Path(__file__).resolve().parents[1] / "README.md"
    block = page.read_text().split("```python\n")[1].split("```")[0]
    model, names = network(torch.float32), {"inputs": INPUTS, "targets": TARGETS, "loss_of": loss_of}
    exec(block, {"model": model, **names})
    assert not same(model, network(torch.float32))


def test_a_compiled_model():
    one, two = network(torch.float32), network(torch.float32)
    train(one, SAM(one.parameters(), "info-asam", rho=0.3, lr=0.1))
    compiled = torch.compile(two, backend="eager")
    optimizer = SAM(compiled.parameters(), "info-asam", rho=0.3, lr=0.1)
    train(compiled, optimizer)
    assert same(one, two)
