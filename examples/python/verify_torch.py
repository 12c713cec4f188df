#!/usr/bin/env python3
"""Holds presam_torch.py to presam's oracle, wherever PyTorch is installed.

    presam verify --exec 'python3 examples/python/verify_torch.py'          each step from a loaded state_dict
    presam verify --exec 'python3 examples/python/verify_torch.py --kept'   each step from the one before
"""

import json
import math
import sys

import torch
from presam_torch import PreSAM

BASES = ["sgd", "sgd-momentum", "adamw"]
RULES = ["sam", "asam", "info-sam", "info-asam"]
SCALARS = {"f32": torch.float32, "f64": torch.float64}
GROUP = ("rho", "counts_in_norm", "is_perturbed", "operator_applies")
# Names of the planes of state in torch.optim.
STATE = {"sgd": [], "sgd-momentum": ["momentum_buffer"], "adamw": ["exp_avg", "exp_avg_sq"]}


class Run:
    """An optimizer over the parameters of a request, one group for each."""

    def __init__(self, request):
        self.scalar = SCALARS[request["scalar"]]
        self.rule, self.planes = request["rule"], STATE[request["base"]["name"]]
        self.params = [torch.nn.Parameter(self.tensor(s["params"])) for s in request["segments"]]
        groups = [
            {"params": [p], **{key: s[key] for key in GROUP if key in s}}
            for p, s in zip(self.params, request["segments"])
        ]
        base, options = torch_base(request["base"])
        guard = request["length"]["norm_guard"]
        own = {"rule": self.rule, "rho": request.get("rho", 0.0), "norm_guard": guard, **request["settings"]}
        self.optimizer = PreSAM(groups, base, **own, **options)

    def tensor(self, values):
        return torch.tensor([float(value) for value in values], dtype=self.scalar)

    def load(self, request):
        """Memory, state and counters of the request, through load_state_dict."""
        saved = self.optimizer.state_dict()
        saved["presam"].update(steps=request["rule_steps"], mean_of_variance=request["mean_of_variance"])
        for index, segment in enumerate(request["segments"]):
            saved["state"][index] = dict(zip(("m", "v"), map(self.tensor, segment.get("memory", []))))
            # Before its first step torch's SGD has no buffer, AdamW zeros.
            if request["base_steps"] > 0 or request["base"]["name"] == "adamw":
                state = dict(zip(self.planes, map(self.tensor, segment.get("state", []))))
                step = {"step": torch.tensor(float(request["base_steps"]))}
                saved["base_optimizer"]["state"][index] = {**state, **step}
        self.optimizer.load_state_dict(saved)

    def set_grads(self, request, key):
        for p, segment in zip(self.params, request["segments"]):
            p.grad = self.tensor(segment[key])

    def step(self, request):
        """The answer's fields."""
        self.set_grads(request, "grads")
        self.optimizer.first_step()
        perturbed = [written(p) for p in self.params]
        self.set_grads(request, "perturbed_grads")
        self.optimizer.second_step()
        segments = [
            {
                "perturbed": before,
                "params": written(p),
                "memory": [written(plane) for plane in self.optimizer.state[p].values()],
                "state": [written(self.optimizer.base_optimizer.state[p][name]) for name in self.planes],
            }
            for before, p in zip(perturbed, self.params)
        ]
        mean = {"mean_of_variance": self.optimizer.mean_of_variance} if self.rule.startswith("info") else {}
        return {"segments": segments, **mean}


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
    kept = sys.argv[1:] == ["--kept"]
    sys.stdin.readline()
    hello = {"protocol": "presam-verify/1", "name": "presam_torch", "version": f"torch {torch.__version__}"}
    offers = {"rules": RULES, "bases": BASES, "scalars": list(SCALARS), "operations": ["step"], "groups": True}
    print(json.dumps({"hello": {**hello, **offers, "state": "kept" if kept else "given"}}), flush=True)
    run = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            starts = request["rule_steps"] == 0 and request["base_steps"] == 0
            if starts or not kept:
                run = Run(request)
            if not kept:
                run.load(request)
            fields = run.step(request)
        except Exception as error:
            fields = {"error": f"{type(error).__name__}: {error}".replace("\n", " ")}
        print(json.dumps({"id": request["id"], **fields}), flush=True)


if __name__ == "__main__":
    main()
