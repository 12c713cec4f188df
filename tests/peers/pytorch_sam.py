#!/usr/bin/env python3
"""The SAM step of presam's benchmark in PyTorch, in every form PyTorch offers, timed the same way.

A step is: norm of all gradients, ascent in place, restore, descent by SGD with momentum and weight decay.
Both gradients are given, since a benchmark of the optimizer trains nothing. Each form is checked
against a plain float64 computation before it is timed, and timed in strict alternation with a copy of as many
bytes. The record has the form of presam's bench.json: `presam bench --compare DIR/bench.json` reads it.

Exit codes: 0 good, 1 a form computed something else, 2 wrong use, 3 the device asked for is absent.
"""

import argparse
import sys

from bench_form import STEP_BYTES, Cpu, Cuda, measure, measurement, record, self_test, shape, write, wrong

RHO, LEARNING_RATE, MOMENTUM, WEIGHT_DECAY = 0.05, 0.1, 0.9, 5e-4
# Relative to max(|expected|, 1): a few last digits of float32 after three steps.
TOLERANCE = 2e-6


# --- forms: `ascend` leaves the parameters perturbed, `descend` restores them and takes the step


class Planes:
    """Parameters in [-1, 1), two gradients of opposite sign, a backup; the same numbers on every device."""

    def __init__(self, torch, tensors, device):
        generator = torch.Generator().manual_seed(1)
        uniform = lambda n: torch.rand(n, generator=generator)
        self.torch = torch
        self.params, self.grads, self.perturbed_grads = [], [], []
        for length in tensors:
            sign = torch.where(uniform(length) < 0.5, -1.0, 1.0)
            self.params.append(torch.nn.Parameter((2 * uniform(length) - 1).to(device)))
            self.grads.append((sign * (0.25 + 0.5 * uniform(length))).to(device))
            self.perturbed_grads.append((-sign * (0.25 + 0.5 * uniform(length))).to(device))
        self.backup = [torch.zeros_like(p) for p in self.params]
        self.momentum = [torch.zeros_like(p) for p in self.params]
        self.rho = RHO * sum(tensors) ** 0.5

    def use_optimizer(self, **how):
        """torch.optim.SGD on the second gradient."""
        for param, grad in zip(self.params, self.perturbed_grads):
            param.grad = grad
        settings = dict(lr=LEARNING_RATE, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
        self.optimizer = self.torch.optim.SGD(self.params, **settings, **how)

    def state(self):
        """The momentum, whoever keeps it."""
        if not hasattr(self, "optimizer"):
            return self.momentum
        return [self.optimizer.state[param]["momentum_buffer"] for param in self.params]


class Eager:
    """A loop over the tensors, as SAM is usually written."""

    program, graph = "torch-eager", False

    def __init__(self, planes):
        self.p = planes

    def ascend(self):
        p, torch = self.p, self.p.torch
        norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in p.grads]))
        scale = p.rho / norm
        for param, grad, backup in zip(p.params, p.grads, p.backup):
            backup.copy_(param)
            param.add_(grad * scale)

    def descend(self):
        p = self.p
        for param, grad, backup, momentum in zip(p.params, p.perturbed_grads, p.backup, p.momentum):
            param.copy_(backup)
            momentum.mul_(MOMENTUM).add_(grad.add(param, alpha=WEIGHT_DECAY))
            param.add_(momentum, alpha=-LEARNING_RATE)

    def step(self):
        self.ascend()
        self.descend()

    def perturbed(self):
        return self.p.params


class Foreach(Eager):
    """torch._foreach_* over all tensors at once."""

    program, how = "torch-foreach", {"foreach": True}

    def __init__(self, planes):
        super().__init__(planes)
        planes.use_optimizer(**self.how)

    def ascend(self):
        p, torch = self.p, self.p.torch
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(p.grads)))
        torch._foreach_copy_(p.backup, p.params)
        torch._foreach_add_(p.params, torch._foreach_mul(p.grads, p.rho / norm))

    def descend(self):
        self.p.torch._foreach_copy_(self.p.params, self.p.backup)
        self.p.optimizer.step()


class Fused(Foreach):
    """Foreach, and the descent by SGD's one fused kernel."""

    program, how = "torch-foreach-fused", {"fused": True}


class OutOfPlace(Fused):
    """The perturbed parameters in memory of their own, as presam does: nothing to back up or to restore."""

    program = "torch-out-of-place"

    def ascend(self):
        p, torch = self.p, self.p.torch
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(p.grads)))
        self.moved = torch._foreach_mul(p.grads, p.rho / norm)
        torch._foreach_add_(self.moved, p.params)

    def descend(self):
        self.p.optimizer.step()

    def perturbed(self):
        return self.moved


class Compiled(Eager):
    """torch.compile of the foreach form. Two functions: a trainer's second gradient stands between them,
    and without it the compiler would find the perturbed parameters unused and leave them out."""

    program = "torch-compiled"

    def __init__(self, planes):
        super().__init__(planes)
        torch = planes.torch
        # Anew for each shape: what was compiled before would make this one compile for any length.
        torch.compiler.reset()
        halves = self.halves(torch, planes.rho)
        self.ascend_compiled, self.descend_compiled = (torch.compile(half, dynamic=False) for half in halves)
        self.data = [param.detach() for param in planes.params]

    @staticmethod
    def halves(torch, rho):
        def ascend(params, grads, backup):
            norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(grads)))
            torch._foreach_copy_(backup, params)
            torch._foreach_add_(params, torch._foreach_mul(grads, rho / norm))

        def descend(params, grads, backup, momentum):
            torch._foreach_copy_(params, backup)
            decayed = torch._foreach_add(grads, params, alpha=WEIGHT_DECAY)
            torch._foreach_mul_(momentum, MOMENTUM)
            torch._foreach_add_(momentum, decayed)
            torch._foreach_add_(params, momentum, alpha=-LEARNING_RATE)

        return ascend, descend

    def ascend(self):
        self.ascend_compiled(self.data, self.p.grads, self.p.backup)

    def descend(self):
        p = self.p
        self.descend_compiled(self.data, p.perturbed_grads, p.backup, p.momentum)


class CompiledOutOfPlace(Compiled):
    """torch.compile of the form out of place: each half reads and writes what it must and nothing twice."""

    program = "torch-compiled-out-of-place"

    @staticmethod
    def halves(torch, rho):
        def ascend(params, grads):
            norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(grads)))
            return torch._foreach_add(params, torch._foreach_mul(grads, rho / norm))

        def descend(params, grads, momentum):
            decayed = torch._foreach_add(grads, params, alpha=WEIGHT_DECAY)
            torch._foreach_mul_(momentum, MOMENTUM)
            torch._foreach_add_(momentum, decayed)
            torch._foreach_add_(params, momentum, alpha=-LEARNING_RATE)

        return ascend, descend

    def ascend(self):
        self.moved = self.ascend_compiled(self.data, self.p.grads)

    def descend(self):
        self.descend_compiled(self.data, self.p.perturbed_grads, self.p.momentum)

    def perturbed(self):
        return self.moved


class Graphs:
    """A form's halves in CUDA graphs: two graphs while checked, one for a whole timed step."""

    graph = True

    def __init__(self, planes):
        super().__init__(planes)
        torch, form = planes.torch, super()
        # The first step makes the optimizer's state, which a graph must find in place, and compiles what is compiled.
        kept = [param.detach().clone() for param in planes.params]
        form.ascend(), form.descend()
        for param, old, momentum in zip(planes.params, kept, planes.state()):
            param.copy_(old)
            momentum.zero_()
        torch.cuda.synchronize()
        self.graphs, self.seen = {}, {}
        for name, works in [("ascend", "ascend"), ("descend", "descend"), ("step", "ascend descend")]:
            self.graphs[name] = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graphs[name]):
                for work in works.split():
                    getattr(form, work)()
            # Where this graph leaves its perturbed parameters.
            self.seen[name] = form.perturbed()

    def ascend(self):
        self.graphs["ascend"].replay()

    def descend(self):
        self.graphs["descend"].replay()

    def step(self):
        self.graphs["step"].replay()

    def perturbed(self):
        return self.seen["ascend"]


class Captured(Graphs, Fused):
    """Foreach with fused SGD, without waiting for the host."""


class CapturedOutOfPlace(Graphs, OutOfPlace):
    """The same of the form out of place: the fewest bytes that PyTorch moves without a compiler."""


class CapturedCompiled(Graphs, CompiledOutOfPlace):
    """PyTorch's best: by count as few planes as presam moves, without waiting for the host."""


class Apex(Eager):
    """NVIDIA apex: multi_tensor_l2norm, multi_tensor_axpby, FusedSGD."""

    program = "apex"

    def __init__(self, planes):
        super().__init__(planes)
        import amp_C
        from apex.multi_tensor_apply import multi_tensor_applier
        from apex.optimizers import FusedSGD

        self.apply, self.kernels = multi_tensor_applier, amp_C
        self.overflow = planes.torch.zeros(1, dtype=planes.torch.int, device=planes.grads[0].device)
        planes.use_optimizer()
        settings = dict(lr=LEARNING_RATE, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
        planes.optimizer = FusedSGD(planes.params, **settings)

    def ascend(self):
        p = self.p
        norm, _ = self.apply(self.kernels.multi_tensor_l2norm, self.overflow, [p.grads], False)
        p.torch._foreach_copy_(p.backup, p.params)
        # axpby takes its factors from the host: apex has no form without this wait.
        factor = p.rho / norm.item()
        lists = [p.backup, p.grads, p.params]
        self.apply(self.kernels.multi_tensor_axpby, self.overflow, lists, 1.0, factor, -1)

    def descend(self):
        self.p.torch._foreach_copy_(self.p.params, self.p.backup)
        self.p.optimizer.step()


FORMS = {
    "eager": Eager,
    "foreach": Foreach,
    "foreach-fused": Fused,
    "compiled": Compiled,
    "foreach-graph": Captured,
    "out-of-place": OutOfPlace,
    "out-of-place-graph": CapturedOutOfPlace,
    "compiled-out-of-place": CompiledOutOfPlace,
    "compiled-out-of-place-graph": CapturedCompiled,
    "apex": Apex,
}
NO_GRAPHS = "CUDA graphs need a GPU"
CUDA_ONLY = {name: NO_GRAPHS for name, form in FORMS.items() if form.graph} | {"apex": "apex needs a GPU"}


# --- answers, by plain float64 formulas


class WrongAnswer(Exception):
    """A form computed something else than the formula."""


def check(form, steps=3):
    """Perturbed point, parameters and momentum of a few steps, by float64 on the form's own device."""
    planes = form.p
    params = [param.detach().double() for param in planes.params]
    grads = [grad.double() for grad in planes.grads]
    second = [grad.double() for grad in planes.perturbed_grads]
    momentum = [0 * param for param in params]
    norm = sum(float((grad * grad).sum()) for grad in grads) ** 0.5
    for step in range(1, steps + 1):
        form.ascend()
        perturbed = [w + planes.rho / norm * g for w, g in zip(params, grads)]
        same(f"step {step}: perturbed", form.perturbed(), perturbed)
        form.descend()
        momentum = [MOMENTUM * v + (g + WEIGHT_DECAY * w) for v, g, w in zip(momentum, second, params)]
        params = [w - LEARNING_RATE * v for w, v in zip(params, momentum)]
        same(f"step {step}: params", planes.params, params)
        same(f"step {step}: momentum", planes.state(), momentum)


def same(what, found, expected):
    for index, (a, b) in enumerate(zip(found, expected)):
        difference = (a.detach().double() - b).abs() / b.abs().clamp(min=1.0)
        # Not `>`: a NaN differs.
        if not bool((difference <= TOLERANCE).all()):
            raise WrongAnswer(f"{what}: tensor {index} differs by {float(difference.max()):.3g}")


# --- measuring


def measure_form(torch, clock, kind, name, device, min_time):
    """The rows of one form on one shape; raises what the form raises."""
    tensors = shape(name)
    form = kind(Planes(torch, tensors, device))
    check(form)
    half = STEP_BYTES * sum(tensors) // 2
    source = torch.ones(-(-half // 4), device=device)
    target = torch.zeros_like(source)
    rows = []
    for cache in ["warm", "cold"] if 2 * half <= clock.cache else ["cold"]:
        samples = measure(clock, form.step, lambda: target.copy_(source), cache, min_time)
        rows.append(measurement(form.program, form.graph, name, tensors, cache, *samples, 8 * source.numel()))
        show(rows[-1])
    if not bool((target == 1).all()):
        raise WrongAnswer("the copy left elements out")
    return rows


def show(row):
    graph = " in a graph" if row["graph"] else ""
    times = ", ".join(f"{row[key] / 1e3:.1f}" for key in ["p50_ns", "p05_ns", "p95_ns"])
    share = 100 * row["fraction_of_copy"]
    name = f"{row['program']}{graph}"
    print(f"{name:32} {row['shape']:11} {row['cache']:5} us (p50, p05, p95): {times}; {share:.0f} % of copy")


# --- the program


def test_all(folder):
    """The form, and where there is torch the check of the answers."""
    self_test(folder)
    try:
        import torch
    except ImportError:
        print("self-test: good; PyTorch is not here, so no form was checked")
        return
    plant(torch)
    print("self-test: good")


def plant(torch):
    """The check finds a form that forgets the weight decay, and one whose perturbation is a little short."""

    class NoDecay(Eager):
        def descend(self):
            p = self.p
            for param, grad, backup, momentum in zip(p.params, p.perturbed_grads, p.backup, p.momentum):
                param.copy_(backup)
                momentum.mul_(MOMENTUM).add_(grad)
                param.add_(momentum, alpha=-LEARNING_RATE)

    class Short(Eager):
        def ascend(self):
            super().ascend()
            for param, backup in zip(self.p.params, self.p.backup):
                param.lerp_(backup, 0.001)

    with torch.no_grad():
        for kind in (Eager, Foreach, OutOfPlace):
            check(kind(Planes(torch, [1000, 3], "cpu")))
        for kind in (NoDecay, Short):
            try:
                check(kind(Planes(torch, [1000, 3], "cpu")))
            except WrongAnswer:
                continue
            raise AssertionError(f"{kind.__name__} passed the check")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--device", choices=["cpu", "cuda"], help="default: cuda where there is one")
    parser.add_argument("--sizes", default="1e4,1e6,resnet-18", help="numbers of parameters and networks")
    parser.add_argument("--forms", default=",".join(FORMS), help="default: all")
    parser.add_argument("--min-time", type=float, default=0.3, help="seconds a row")
    parser.add_argument("--threads", type=int, help="threads of the CPU; default: PyTorch's own")
    parser.add_argument("--out", metavar="DIR", help="folder for bench.json")
    parser.add_argument("--self-test", action="store_true", help="check this script; measures nothing")
    chosen = parser.parse_args()
    unknown = [name for name in chosen.forms.split(",") if name not in FORMS]
    if unknown:
        wrong(f"--forms: expected some of {', '.join(FORMS)}, found {unknown[0]!r}")
    if not 0 < chosen.min_time <= 3600:
        wrong(f"--min-time: expected seconds, above 0 and at most 3600, found {chosen.min_time}")
    if chosen.threads is not None and chosen.threads < 1:
        wrong(f"--threads: expected a whole number from 1, found {chosen.threads}")
    return chosen


def measure_all(torch, clock, device, chosen, keep):
    """Every form on every shape, kept after each form; a form that this installation lacks is named and left out."""
    rows, failed = [], False
    for name in chosen.sizes.split(","):
        for form in chosen.forms.split(","):
            if device == "cpu" and form in CUDA_ONLY:
                print(f"{form} {name}: left out, {CUDA_ONLY[form]}", file=sys.stderr)
                continue
            try:
                with torch.no_grad():
                    rows += measure_form(torch, clock, FORMS[form], name, device, chosen.min_time)
            except WrongAnswer as error:
                failed = True
                print(f"error: {form} {name}: {error}", file=sys.stderr)
            except (ImportError, AttributeError, TypeError, RuntimeError) as error:
                reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
                print(f"{form} {name}: left out, {reason}", file=sys.stderr)
            # At once: whoever stops this one's next form loses that form alone.
            keep(rows)
    return failed


def main():
    chosen = arguments()
    if chosen.self_test:
        return test_all(chosen.out)
    for name in chosen.sizes.split(","):
        shape(name)
    try:
        import torch
    except ImportError as error:
        wrong(f"PyTorch: expected an installed one, found: {error}")
    device = chosen.device or ("cuda" if torch.cuda.is_available() else "cpu")
    if device == "cuda" and not torch.cuda.is_available():
        wrong("--device cuda: expected a GPU that PyTorch can use, found none", 3)
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    clock = Cuda(torch) if device == "cuda" else Cpu(torch)
    described = clock.describe()
    level, threads = torch.backends.cpu.get_cpu_capability(), torch.get_num_threads()

    def keep(rows):
        version = f"torch {torch.__version__}"
        if chosen.out:
            write(chosen.out, record(described, version, threads, level, clock.cache, rows))

    return 1 if measure_all(torch, clock, device, chosen, keep) else 0


if __name__ == "__main__":
    sys.exit(main())
