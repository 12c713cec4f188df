"""What the tests of torch share: a small network, its data, a loop."""

import torch

GENERATOR = torch.Generator().manual_seed(1)
INPUTS = torch.randn(32, 4, generator=GENERATOR)
TARGETS = (INPUTS.sum(1) > 0).long()
loss_of = torch.nn.functional.cross_entropy


def network(dtype=torch.float64, norm=False):
    """The same network each time."""
    torch.manual_seed(0)
    layers = [torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3)]
    if norm:
        layers.insert(1, torch.nn.BatchNorm1d(8))
    return torch.nn.Sequential(*layers).to(dtype)


def closure_of(model, loss_scale=1.0):
    """As users write it, without clearing."""
    dtype = next(model.parameters()).dtype

    def closure():
        loss = loss_of(model(INPUTS.to(dtype)), TARGETS)
        (loss * loss_scale).backward()
        return loss

    return closure


def train(model, optimizer, steps=3, **options):
    closure = closure_of(model, **options)
    for _ in range(steps):
        optimizer.step(closure)
    return model


def flat(model):
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()])


def same(one, other):
    """Every bit of every parameter."""
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters()))
