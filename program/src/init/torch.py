# Run:   presam verify --init torch > adapter.py
#        presam verify --exec 'python3 adapter.py'

import json
import math
import sys

import torch

# What is offered. Whatever stands here is asked for; all of it goes through optimizer() below.
RULES = ["sam"]
BASES = ["sgd", "sgd-momentum", "adamw"]
SCALARS = ["f64", "f32"]
# How often step(closure) calls its closure: 2 where it takes both gradients itself, 1 where the first one must be
# there already. Without meaning for an optimizer with first_step and second_step.
CLOSURE_CALLS = 1


# ---------------------------------------------------------------------------------------------------------------------
# FILL IN: import your optimizer and make it, unchanged. It needs first_step() and second_step(), or step(closure).
#
# rule, settings   "sam"; settings["eta"] for asam, ...
# rho              the radius
# base, options    a class of torch.optim and its arguments
def optimizer(params, rule, rho, settings, base, options):
    return SAM(params, base(params, **options), rho)


# As printed: SAM, and right.
class SAM:
    def __init__(self, params, base, rho):
        self.params, self.base, self.rho = params, base, rho

    @torch.no_grad()
    def first_step(self):
        norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(p.grad) for p in self.params]))
        self.backups = [p.clone() for p in self.params]
        for p in self.params:
            p.add_(p.grad * (self.rho / (norm + 1e-12)))

    @torch.no_grad()
    def second_step(self):
        for p, backup in zip(self.params, self.backups):
            p.copy_(backup)
        self.base.step()


# ---------------------------------------------------------------------------------------------------------------------
# The other side of the pipe: nothing to change from here on. One JSON object a line (docs/pipe.md). The optimizer
# keeps its memory and state itself, so the requests are sequences of steps.


class Run:
    """One optimizer and its parameters, from the first step of a sequence on."""

    def __init__(self, request):
        scalar = {"f32": torch.float32, "f64": torch.float64}[request["scalar"]]
        tensor = lambda values: torch.tensor([float(value) for value in values], dtype=scalar)
        self.tensor = tensor
        self.params = [torch.nn.Parameter(tensor(s["params"])) for s in request["segments"]]
        base, options = torch_base(request["base"])
        self.optimizer = optimizer(self.params, request["rule"], request["rho"], request["settings"], base, options)

    def set_grads(self, request, key):
        for p, segment in zip(self.params, request["segments"]):
            p.grad = self.tensor(segment[key])

    def now(self):
        return [p.detach().clone() for p in self.params]

    def step(self, request):
        """Perturbed and new parameters."""
        self.set_grads(request, "grads")
        if hasattr(self.optimizer, "first_step"):
            self.optimizer.first_step()
            perturbed = self.now()
            self.set_grads(request, "perturbed_grads")
            self.optimizer.second_step()
            return perturbed, self.now()
        seen = []

        def closure():
            seen.append(self.now())
            self.set_grads(request, "perturbed_grads" if len(seen) == CLOSURE_CALLS else "grads")
            return torch.zeros(())

        self.optimizer.step(closure)
        if len(seen) != CLOSURE_CALLS:
            raise ValueError(f"step(closure) should call closure {CLOSURE_CALLS} times, called it {len(seen)} times")
        return seen[-1], self.now()


def torch_base(base):
    """The class in torch.optim and its arguments."""
    options = {"lr": base["learning_rate"], "weight_decay": base["weight_decay"]}
    if base["name"] == "adamw":
        decays = (base["mean_decay"], base["square_decay"])
        return torch.optim.AdamW, {**options, "betas": decays, "eps": base["denominator_guard"]}
    if base["name"] == "sgd-momentum":
        options.update({key: base[key] for key in ("momentum", "dampening", "nesterov")})
    return torch.optim.SGD, options


def written(tensor):
    """Numbers as they are; by name where not finite."""
    return [x if math.isfinite(x) else str(x) for x in tensor.tolist()]


def main():
    sys.stdin.readline()
    hello = {"protocol": "presam-verify/1", "name": "adapter.py", "version": torch.__version__}
    offers = {"rules": RULES, "bases": BASES, "scalars": SCALARS, "operations": ["step"], "state": "kept"}
    print(json.dumps({"hello": {**hello, **offers}}), flush=True)
    run = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["rule_steps"] == 0 and request["base_steps"] == 0:
                run = Run(request)
            perturbed, params = run.step(request)
            pairs = zip(map(written, perturbed), map(written, params))
            fields = {"segments": [{"perturbed": p, "params": w} for p, w in pairs]}
        except Exception as error:
            fields = {"error": f"{type(error).__name__}: {error}".replace("\n", " ")}
        print(json.dumps({"id": request["id"], **fields}), flush=True)


if __name__ == "__main__":
    main()
