"""The step of presam.torch on a GPU against the CPU's, in every bit: every rule over every base optimizer, each step called
by Python, and replayed from a captured graph.

    python python/benchmarks/gpu.py                     exit code 0: all equal, 1: a difference, 3: no GPU
    python python/benchmarks/gpu.py --device emulated   the GPU's step on the CPU: no graph, which torch has on GPUs alone

Gradients are given, and at the perturbed parameters hang on those: 0.5 w + g, in the same bits wherever torch computes it.
"""

import argparse
import sys

import torch

import presam
from presam.torch import SAM, devices

DESCENTS = {"": {}, "gsam": {"descent": "gsam"}, "saner": {"descent": "saner"}, "wsam": {"descent": "wsam", "gamma": 0.8},
            "wsam-coupled": {"descent": "wsam", "gamma": 0.8, "decoupled": False}, "look-sam": {"descent": "look-sam", "every": 3}}
BASES = {"sgd": {}, "sgd-momentum": {"momentum": 0.9}, "adamw": {"weight_decay": 0.01}}
SHAPES = [(5,), (64, 3, 3, 3), (300, 401), (1,), (2048,)]
STEPS, WARM = 6, 3


class Run:
    """An optimizer over tensors on a device, its gradients at fixed places."""

    def __init__(self, device, variant, base, descent):
        seed = torch.Generator().manual_seed(1)
        draw = lambda: [torch.randn(shape, generator=seed).to(device) for shape in SHAPES]
        self.params = [torch.nn.Parameter(p) for p in draw()]
        parts = [{"params": self.params[:2], "lr": 0.05, "rho": 0.2}, {"params": self.params[2:], "operator": False}]
        self.optimizer = SAM(parts, variant, rho=0.05, base=base.split("-")[0], lr=0.1, max_norm=3.0, watch=0, **BASES[base],
                             **DESCENTS[descent])
        for p in self.params:
            if self.optimizer._method.inputs:
                planes = [torch.rand(p.shape, generator=seed).to(device) for _ in range(self.optimizer._method.inputs)]
                self.optimizer.set_inputs(p, *planes)
        self.given = [draw(), draw()]
        self.half = 0
        # Steps that are captured as one.
        self.every = self.optimizer._method.every

    def closure(self):
        for p, g in zip(self.params, self.given[self.half]):
            p.grad = p.detach().mul(0.5).add(g)
        self.half = 1 - self.half
        return self.params[0].detach().sum()

    def prepare(self, step):
        """Gradients and a rate for the steps from this one on, where the last ones' were."""
        if step % self.every:
            return
        seed = torch.Generator().manual_seed(100 + step)
        for one in (g for half in self.given for g in half):
            one.copy_(torch.randn(one.shape, generator=seed))
        self.optimizer.param_groups[1]["lr"] = 0.1 / (1 + step)

    def step(self):
        # momentum-sam asks once.
        self.half = 1 if self.optimizer._method.one_gradient else 0
        self.optimizer.step(self.closure)

    def planes(self):
        """Parameters and what is saved of them, and in numbers how often they were stepped and what the last step was."""
        state = self.optimizer.state
        saved = [plane for p in self.params for _, plane in sorted(state[p].items())]
        counters = self.optimizer.state_dict()["presam"]["counters"]
        report = self.optimizer.report()
        numbers = [report.norm, report.outcome == "perturbed", *(n for row in counters for n in row)]
        told = torch.tensor(numbers, dtype=torch.float64)
        return [plane.detach().cpu() for plane in [*self.params, *saved, told]]


def eager(device, variant, base, descent):
    run = Run(device, variant, base, descent)
    for step in range(STEPS):
        run.prepare(step)
        run.step()
    return run.planes()


def captured(device, variant, base, descent):
    """The first steps one by one on a stream of their own, the others as replays of one."""
    run, graph, stream = Run(device, variant, base, descent), torch.cuda.CUDAGraph(), torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for step in range(WARM):
            run.prepare(step)
            run.step()
    torch.cuda.current_stream().wait_stream(stream)
    with torch.cuda.graph(graph):
        for _ in range(run.every):
            run.step()
    for step in range(WARM, STEPS, run.every):
        run.prepare(step)
        run.optimizer.push_settings()
        graph.replay()
    return run.planes()


def apart(expected, found):
    """The first plane that differs, in words; None where all are equal."""
    for k, (a, b) in enumerate(zip(expected, found)):
        bits = torch.int32 if a.dtype == torch.float32 else torch.int64
        differ = (a.view(bits) != b.view(bits)).sum().item()
        if differ:
            return f"plane {k} of {len(expected)}: {differ} of {a.numel()} numbers"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cuda", choices=["cuda", "emulated"])
    flags = parser.parse_args()
    on_gpu = flags.device == "cuda"
    if on_gpu and not torch.cuda.is_available():
        print("error: device cuda: expected one, found none that torch can use", file=sys.stderr)
        return 3
    forms, differences = [("called", eager)] + ([("replayed", captured)] if on_gpu else []), 0
    name = torch.cuda.get_device_name() if on_gpu else "emulated"
    print(f"torch {torch.__version__}, {name}: {STEPS} steps against the CPU's\n")
    rows = [(variant, base, "") for variant in presam.variants() for base in BASES if (variant, base) != ("momentum-sam", "sgd")]
    rows += [("asam", base, descent) for descent in DESCENTS if descent for base in BASES]
    for row in rows:
        expected = eager("cpu", *row)
        for form, steps in forms:
            kinds = dict(devices.KINDS)
            if not on_gpu:
                devices.KINDS["cpu"] = devices.Emulated
            try:
                found = apart(expected, steps("cuda" if on_gpu else "cpu", *row))
            except Exception as error:
                found = f"{type(error).__name__}: {error}".splitlines()[0]
            finally:
                devices.KINDS.update(kinds)
            differences += found is not None
            print(f"{row[0]:26} {row[1]:13} {row[2]:12} {form:9} {found or 'equal'}", flush=True)
    print(f"\n{differences} differences" if differences else "\nequal in every bit")
    return int(differences > 0)


if __name__ == "__main__":
    sys.exit(main())
