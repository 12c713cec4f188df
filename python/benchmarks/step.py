"""What a step costs beside its two gradients, in PyTorch: presam against what people use.

    python python/benchmarks/step.py                    every form, size and variant; a table
    python python/benchmarks/step.py --sizes 1e6 --threads 1 --variants sam --rounds 50
    python python/benchmarks/step.py --device cuda      on a GPU: sam and asam, without optax, each time with the GPU's end

Every form steps the same tensors from the same gradients, in strict turn in one process: one step of each (`--row N`: N
steps in a row), again and again in another order, so that what else the machine does meets all of them alike. Gradients
are given: no network runs. Each number is the median over the rounds of a step's microseconds, in brackets the least. One
step at a time finds the caches full of the other forms, as after a backward pass; in a row it finds its own code there.
The forms:

    presam        presam.torch.SAM, SGD with momentum fused in it
    loop          davda54/sam's loop, a tensor at a time, over torch.optim.SGD
    foreach       the same with torch._foreach_*, over SGD(foreach=True)
    fused         the same, over SGD(fused=True)
    peer          pytorch_optimizer.SAM, where it is installed (sam and asam)
    optax         optax.contrib.sam, each half under jit with its buffers donated, where it is installed (sam)

On a GPU `presam` and `foreach` are also replayed from a captured graph of both halves (`graph` is foreach's), `--row N`
steps in a row.

info-asam has no other form here: `loop` is then examples/python/presam_torch.py.
"""

import argparse
import functools
import importlib.util
import pathlib
import random
import statistics
import sys
import time

import numpy as np
import torch

from presam.torch import SAM

RHO, OPTIONS, ETA = 0.05, dict(lr=1e-4, momentum=0.9), 0.01
EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples/python"


def resnet18():
    """The shapes of ResNet-18 for CIFAR-10."""
    shapes, width = [(64, 3, 3, 3), (64,), (64,)], 64
    for out, blocks in ((64, 2), (128, 2), (256, 2), (512, 2)):
        for block in range(blocks):
            shapes += [(out, width if block == 0 else out, 3, 3), (out,), (out,), (out, out, 3, 3), (out,), (out,)]
            if block == 0 and out != width:
                shapes += [(out, width, 1, 1), (out,), (out,)]
        width = out
    return shapes + [(10, 512), (10,)]


def vit_b16():
    """The shapes of ViT-B/16 for pictures of 224x224."""
    norm = [(768,), (768,)]
    block = [*norm, (2304, 768), (2304,), (768, 768), (768,), *norm, (3072, 768), (3072,), (768, 3072), (768,)]
    return [(1, 1, 768), (1, 197, 768), (768, 3, 16, 16), (768,), *12 * block, *norm, (1000, 768), (1000,)]


def shapes_of(size):
    named = {"resnet18": resnet18, "vit-b16": vit_b16}
    if size in named:
        return named[size]()
    count = int(float(size))
    # A digits network at 640; one layer and its bias beyond.
    return [(64, 10)] if count == 640 else [(count - count // 100,), (count // 100,)]


def loop(params, variant, base):
    """Both halves, a tensor at a time."""
    backups = {}

    @torch.no_grad()
    def first():
        scales = [p.abs() + ETA if variant == "asam" else 1.0 for p in params]
        norm = torch.norm(torch.stack([(t * p.grad).norm() for t, p in zip(scales, params)]))
        scale = RHO / (norm + 1e-12)
        for t, p in zip(scales, params):
            backups[p] = p.clone()
            p.add_(t * t * p.grad * scale)

    @torch.no_grad()
    def second():
        for p in params:
            p.copy_(backups[p])
        base.step()

    return first, second


def foreach(params, variant, base):
    """Both halves with torch's calls over lists."""
    kept = []

    @torch.no_grad()
    def first():
        grads = [p.grad for p in params]
        kept[:] = [p.clone() for p in params]
        if variant == "asam":
            scales = torch._foreach_abs(params)
            torch._foreach_add_(scales, ETA)
            grads = torch._foreach_mul(grads, scales)
        norm = torch.stack(torch._foreach_norm(grads)).norm()
        moved = torch._foreach_mul(grads, RHO / (norm + 1e-12))
        if variant == "asam":
            torch._foreach_mul_(moved, scales)
        torch._foreach_add_(params, moved)

    @torch.no_grad()
    def second():
        torch._foreach_copy_(params, kept)
        base.step()

    return first, second


def under_jit(params):
    """Both halves in jax, and what copies the end back."""
    import jax
    import optax

    ascent = optax.chain(optax.contrib.normalize(), optax.sgd(RHO))
    rule = optax.contrib.sam(optax.sgd(**{"learning_rate": OPTIONS["lr"], "momentum": OPTIONS["momentum"]}), ascent)

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def half(weights, state, grads):
        moves, state = rule.update(grads, state, weights)
        return optax.apply_updates(weights, moves), state

    array = lambda t: jax.numpy.array(t.detach().numpy())
    weights = [array(p) for p in params]
    # The rule keeps the parameters beside its own: of a buffer of its own, else none could be donated.
    kept = [weights, jax.tree.map(jax.numpy.copy, rule.init(weights)), None]

    def either():
        kept[2] = kept[2] or [array(p.grad) for p in params]
        kept[:2] = jax.block_until_ready(half(*kept))

    @torch.no_grad()
    def back():
        for p, w in zip(params, kept[0]):
            p.copy_(torch.tensor(np.asarray(w)))

    return either, either, back


def halves(optimizer):
    return optimizer.first_step, optimizer.second_step


def replayed(first, second):
    """Both halves from a captured graph, and nothing to be done after it."""
    stream, graph = torch.cuda.Stream(), torch.cuda.CUDAGraph()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            first()
            second()
    torch.cuda.current_stream().wait_stream(stream)
    with torch.cuda.graph(graph):
        first()
        second()
    # The graph uses what the optimizer holds: both halves are kept with it.
    return lambda halves=(first, second): graph.replay(), lambda: None


def forms(variant, make, device):
    """Name and both halves, each over tensors of its own from `make`."""
    ours = make()
    yield "presam", ours, halves(SAM(ours, variant, rho=RHO, watch=0, **OPTIONS))
    if device == "cuda":
        ours, params = make(), make()
        yield "captured", ours, replayed(*halves(SAM(ours, variant, rho=RHO, watch=0, **OPTIONS)))
        capturable = torch.optim.SGD(params, foreach=True, **OPTIONS)
        yield "graph", params, replayed(*foreach(params, variant, capturable))
    if variant == "info-asam":
        sys.path.insert(0, str(EXAMPLE))
        from presam_torch import PreSAM

        params = make()
        yield "loop", params, halves(PreSAM(params, torch.optim.SGD, rule=variant, rho=RHO, **OPTIONS))
        return
    for name, form, how in (("loop", loop, {"foreach": False}), ("foreach", foreach, {"foreach": True}),
                            ("fused", foreach, {"fused": True})):
        params = make()
        yield name, params, form(params, variant, torch.optim.SGD(params, **how, **OPTIONS))
    try:
        import pytorch_optimizer
    except ImportError:
        pass
    else:
        params = make()
        peer = pytorch_optimizer.SAM(params, torch.optim.SGD, rho=RHO, adaptive=variant == "asam", **OPTIONS)
        yield "peer", params, halves(peer)
    if variant == "sam" and device == "cpu" and importlib.util.find_spec("optax"):
        params = make()
        yield "optax", params, under_jit(params)


def measured(variant, shapes, rounds, row, device):
    """Median and least microseconds of a step of each form."""
    ended = torch.cuda.synchronize if device == "cuda" else lambda: None
    seed = torch.Generator().manual_seed(1)
    starts = [torch.randn(shape, generator=seed).to(device) for shape in shapes]
    grads = [(torch.randn(shape, generator=seed) * 1e-3).to(device) for shape in shapes]

    def make():
        params = [torch.nn.Parameter(start.clone()) for start in starts]
        for p, g in zip(params, grads):
            p.grad = g.clone()
        return params

    table = list(forms(variant, make, device))
    times = {name: [] for name, _, _ in table}
    for turn in range(rounds + 3):
        # In another order each time: whoever follows a form whose threads still spin has the worse of it.
        for name, _, (first, second, *_) in random.Random(turn).sample(table, len(table)):
            ended()
            begun = time.perf_counter_ns()
            for _ in range(row):
                first()
                second()
            ended()
            if turn >= 3:
                times[name].append((time.perf_counter_ns() - begun) / (1000 * row))
    for _, _, (_, _, *backs) in table:
        for back in backs:
            back()
    ends = [torch.cat([p.detach().reshape(-1) for p in params]) for _, params, _ in table]
    for (name, _, _), end in zip(table, ends):
        if name in ("captured", "graph"):
            # They have taken the steps before their capture too.
            continue
        # Forms that did not take the same step are not worth a comparison.
        torch.testing.assert_close(end, ends[0], rtol=1e-3, atol=1e-4, msg=lambda m: f"{variant} {name}: {m}")
    return {name: (statistics.median(values), min(values)) for name, values in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", nargs="+", default=["640", "1e4", "1e6", "1e7", "resnet18", "vit-b16"])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--variants", nargs="+", default=["sam", "asam", "info-asam"])
    parser.add_argument("--rounds", type=int, default=0, help="0: as many as fit a few seconds")
    parser.add_argument("--row", type=int, default=1, help="steps of a form before the next one has its turn")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    flags = parser.parse_args()
    names = ["presam", "loop", "foreach", "fused", "peer", "optax"]
    if flags.device == "cuda":
        if not torch.cuda.is_available():
            print("error: device cuda: expected one, found none that torch can use", file=sys.stderr)
            return 3
        names, flags.threads = ["presam", "captured", "loop", "foreach", "fused", "graph", "peer"], [1]
        flags.variants = [name for name in flags.variants if name != "info-asam"]
    print("| variant | parameters | threads | " + " | ".join(names) + " | best other / presam |")
    print("| --- | --- | --- |" + " --- |" * (len(names) + 1))
    for threads in flags.threads:
        torch.set_num_threads(threads)
        for variant in flags.variants:
            for size in flags.sizes:
                shapes = shapes_of(size)
                count = sum(torch.Size(shape).numel() for shape in shapes)
                rounds = flags.rounds or max(7, min(2000, int(3e8 / (count + 2e5) / flags.row)))
                times = measured(variant, shapes, rounds, flags.row, flags.device)
                cells = [f"{times[name][0]:.1f} ({times[name][1]:.1f})" if name in times else "-" for name in names]
                # In a graph or not, each side by its best.
                ours = min(times.pop(name) for name in ("presam", "captured") if name in times)
                others = times.values()
                ratios = [min(other[k] for other in others) / ours[k] for k in range(2)]
                cells += [f"{ratios[0]:.1f} ({ratios[1]:.1f})"]
                print(f"| {variant} | {size} | {threads} | " + " | ".join(cells) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
