"""Saving, loading, and the parameters that real models have."""

import io

import pytest
import torch

from presam.torch import SAM, groups
import presam.torch.tensors as tensors

from nets import closure_of, flat, network, same, train


@pytest.mark.parametrize("variant", ["sam", "info-asam", "vasso", "friendly-sam"])
@pytest.mark.parametrize("base", ["sgd", "adamw", torch.optim.AdamW])
def test_a_run_that_was_saved_goes_on_to_the_same_bits(variant, base):
    def made():
        model = network(torch.float32, norm=True)
        optimizer = SAM(groups(model), variant, rho=0.3, base=base, lr=0.01)
        return model, optimizer, torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)

    def run(model, optimizer, scheduler, steps):
        for _ in range(steps):
            optimizer.step(closure_of(model))
            scheduler.step()

    whole, half, fresh = made(), made(), made()
    run(*whole, 8)
    run(*half, 4)
    file = io.BytesIO()
    torch.save([x.state_dict() for x in half], file)
    file.seek(0)
    for thing, saved in zip(fresh, torch.load(file, weights_only=True)):
        thing.load_state_dict(saved)
    run(*fresh, 4)
    assert same(whole[0], fresh[0])
    assert fresh[1].report().steps == 8


def test_look_sam_resumes_between_two_perturbed_steps():
    def made():
        model = network()
        return model, SAM(model.parameters(), "sam", rho=0.3, lr=0.1, descent="look-sam", every=3)

    whole, half, fresh = made(), made(), made()
    train(*whole, 5)
    train(*half, 2)
    for thing, other in zip(fresh, half):
        thing.load_state_dict(other.state_dict())
    train(*fresh, 3)
    assert same(whole[0], fresh[0])


def test_what_another_optimizer_saved_is_refused():
    model = network()
    optimizer = SAM(model.parameters(), "sam", rho=0.3)
    with pytest.raises(ValueError, match="found no key 'presam'"):
        optimizer.load_state_dict(torch.optim.SGD(model.parameters(), lr=0.1).state_dict())
    other = SAM(model.parameters(), "asam", rho=0.3)
    with pytest.raises(ValueError, match="expected a variant of sam, found asam"):
        optimizer.load_state_dict(other.state_dict())


def test_groups_are_added_and_replaced():
    one, two = network(), network()
    whole = SAM(one.parameters(), "info-asam", rho=0.3, lr=0.1, momentum=0.9)
    parts = SAM(list(two.parameters())[:2], "info-asam", rho=0.3, lr=0.1, momentum=0.9)
    parts.add_param_group({"params": list(two.parameters())[2:]})
    train(one, whole)
    train(two, parts)
    assert same(one, two)
    parts.param_groups.clear()
    parts.add_param_group({"params": list(two.parameters())})
    train(one, whole)
    train(two, parts)
    assert same(one, two)
    with pytest.raises(TypeError, match="bfloat16"):
        parts.add_param_group({"params": [torch.nn.Parameter(torch.ones(1, dtype=torch.bfloat16))]})
    assert len(parts.param_groups) == 1


def test_tied_frozen_scalar_and_empty_parameters():
    class Odd(torch.nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.a, self.b = torch.nn.Linear(4, 4), torch.nn.Linear(4, 4)
            self.b.weight = self.a.weight
            self.scale = torch.nn.Parameter(torch.tensor(2.0))
            self.none = torch.nn.Parameter(torch.empty(0, 3))
            self.frozen = torch.nn.Parameter(torch.ones(3), requires_grad=False)
            self.unused = torch.nn.Parameter(torch.ones(3))

        def forward(self, x):
            return self.scale * self.b(torch.tanh(self.a(x))) + self.none.sum()

    model = Odd()
    optimizer = SAM(model.parameters(), "info-asam", rho=0.3, lr=0.1, momentum=0.9)
    x = torch.ones(2, 4)

    def closure():
        loss = model(x).square().mean()
        loss.backward()
        return loss

    first = optimizer.step(closure).item()
    for _ in range(5):
        last = optimizer.step(closure).item()
    assert last < first and model.scale.item() != 2.0
    assert (model.frozen == 1).all() and (model.unused == 1).all()
    assert model.a.weight is model.b.weight
    # What is thawed later takes part from then on.
    model.frozen.requires_grad_(True)
    for _ in range(2):
        optimizer.step(lambda: (model(x).square().mean() + model.frozen.square().sum()).backward())
    assert (model.frozen < 1).all()


def test_a_gradient_that_only_one_pass_has():
    for missing in (0, 1):
        a, b = (torch.nn.Parameter(torch.tensor([3.0], dtype=torch.float64)) for _ in range(2))
        optimizer = SAM([a, b], "sam", rho=0.3, lr=0.1)
        calls = []

        def closure():
            calls.append(1)
            loss = a.square().sum() + (b.square().sum() if (len(calls) - 1) % 2 != missing else 0)
            loss.backward()

        optimizer.step(closure)
        assert a.item() == pytest.approx(3 - 0.1 * 6.6 if missing == 0 else 3 - 0.2 * (3 + 0.3 / 2**0.5))
        assert b.item() == pytest.approx(3 - 0.1 * 6 if missing == 0 else 3, abs=0 if missing else 1e-12)


def test_layouts_are_followed_or_copied_and_told_once(monkeypatch):
    def run(weight):
        p = torch.nn.Parameter(weight)
        optimizer = SAM([p], "asam", rho=0.3, lr=0.1, momentum=0.9)
        for _ in range(3):
            optimizer.step(lambda: (p**4).sum().backward())
        return p.detach()

    start = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    plain = run(start.clone())
    channels = run(start.clone().to(memory_format=torch.channels_last))
    assert channels.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(channels, plain, rtol=1e-12, atol=1e-14)
    monkeypatch.setattr(tensors, "_warned", False)
    wide = torch.zeros(2, 3, 4, 10, dtype=torch.float64)
    wide[..., ::2] = start
    with pytest.warns(UserWarning, match="1 parameters or gradients.*copied") as told:
        strided = run(wide[..., ::2])
    assert told[0].filename == __file__
    torch.testing.assert_close(strided, plain, rtol=1e-12, atol=1e-14)
    assert (wide[..., 1::2] == 0).all()


def test_a_gradient_of_another_layout_is_copied(monkeypatch):
    monkeypatch.setattr(tensors, "_warned", True)
    for base in ("sgd", torch.optim.SGD):
        p = torch.nn.Parameter(torch.arange(6, dtype=torch.float64).reshape(2, 3))
        q = torch.nn.Parameter(p.detach().clone())
        one, two = (SAM([x], "sam", rho=0.3, base=base, lr=0.1, max_norm=1.0) for x in (p, q))
        for half in ("first_step", "second_step"):
            p.grad = (p.detach() + 1).t().contiguous().t()
            q.grad = q.detach() + 1
            getattr(one, half)()
            getattr(two, half)()
        assert torch.equal(p, q)


def test_parameters_in_other_memory_are_followed():
    one, two = network(), network()
    first, second = (SAM(m.parameters(), "info-asam", rho=0.3, lr=0.1, momentum=0.9) for m in (one, two))
    train(one, first)
    train(two, second)
    for p in two.parameters():
        p.data = p.data.clone()
    train(one, first)
    train(two, second)
    assert same(one, two)
    p = torch.nn.Parameter(torch.ones(4))
    short = SAM([p], "asam", rho=0.3, lr=0.1)
    for _ in range(2):
        short.step(lambda: p.square().sum().backward())
        p.data, p.grad = p.data[: len(p) // 2], None
    assert short.report().steps == 2 and len(p) == 1
    closure_of(two)()
    second.first_step()
    two[0].weight.data = two[0].weight.data.clone()
    closure_of(two)()
    with pytest.raises(RuntimeError, match="found other memory"):
        second.second_step()


def test_a_step_allocates_its_planes_once():
    model = network()
    optimizer = SAM(model.parameters(), "info-asam", rho=0.3, lr=0.1, momentum=0.9)
    train(model, optimizer)
    before = [t.data_ptr() for p in model.parameters() for t in optimizer.state[p].values()]
    train(model, optimizer)
    assert before == [t.data_ptr() for p in model.parameters() for t in optimizer.state[p].values()]
    assert len(before) == 4 * 3  # m, v and the momentum


def test_loading_planes_of_other_shapes_changes_nothing():
    shapes = [(2, 3), (6,)]
    made = lambda order: SAM([torch.nn.Parameter(torch.ones(s)) for s in order], "info-asam", rho=0.1, base="adamw", lr=0.1, watch=0)
    first = made(shapes)

    def step(optimizer):
        for p in optimizer.param_groups[0]["params"]:
            p.grad = torch.ones_like(p)
        optimizer.first_step()
        optimizer.second_step()

    step(first)
    other = made(shapes[::-1])
    with pytest.raises(ValueError, match=r"of parameter 0 as \(6,\), found \(2, 3\)"):
        other.load_state_dict(first.state_dict())
    assert not other.state and other.report().steps == 0
    step(other)


def test_a_parameter_of_another_shape_begins_anew():
    moved = []
    for resized in (True, False):
        p = torch.nn.Parameter(torch.ones(2 if resized else 3))
        optimizer = SAM([p], "sam", rho=0.0, base="adamw", lr=0.1, weight_decay=0.0)
        if resized:
            for _ in range(5):
                p.grad = torch.ones_like(p)
                optimizer.first_step()
                optimizer.second_step()
            p.data = torch.ones(3)
        p.grad = torch.ones_like(p)
        optimizer.first_step()
        optimizer.second_step()
        moved.append(p.detach())
    assert torch.equal(*moved)


def test_a_mask_of_another_shape_is_asked_for_again():
    p = torch.nn.Parameter(torch.ones(2))
    optimizer = SAM([p], "masked-sam", rho=0.1, lr=0.1, watch=0)
    optimizer.set_inputs(p, torch.ones(2))
    p.data, p.grad = torch.ones(3), None
    p.grad = torch.ones(3)
    with pytest.raises(ValueError, match="set_inputs comes again"):
        optimizer.first_step()
    optimizer.set_inputs(p, torch.ones(3))
    assert optimizer.first_step() == "perturbed"
    optimizer.second_step()


def test_what_others_keep_in_the_state_is_theirs():
    ends = []
    for foreign in (True, False):
        p = torch.nn.Parameter(torch.ones(3))
        optimizer = SAM([p], "sam", rho=0.0, base="adamw", lr=0.1, watch=0)
        for k in range(4):
            p.grad = torch.ones_like(p)
            optimizer.first_step()
            optimizer.second_step()
            if foreign:
                optimizer.state[p].update(ema=torch.tensor(0.5), note=1.5)
            optimizer.load_state_dict(optimizer.state_dict())
        ends.append(p.detach())
    assert torch.equal(*ends)
