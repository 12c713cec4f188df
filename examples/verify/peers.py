#!/usr/bin/env python3
"""Other people's SAM, unchanged, as `presam verify` asks for it: which rule of theirs holds to its formula?

    python3 examples/verify/peers.py --list                  which are installed, with their versions
    presam verify --exec 'python3 examples/verify/peers.py --peer pytorch-optimizer'

Each keeps its memory and state itself, so the requests are sequences of steps. What it cannot be asked for (a setting
that it has no argument for) it does in its own way, and presam says as whose convention.
"""

import argparse
import importlib
import json
import math
import os
import sys


class TorchPeer:
    """An optimizer with first_step and second_step over torch parameters."""

    bases = ["sgd", "sgd-momentum", "adamw"]

    def __init__(self, request):
        import torch

        self.scalar = {"f32": torch.float32, "f64": torch.float64}[request["scalar"]]
        self.tensor = lambda values: torch.tensor([float(x) for x in values], dtype=self.scalar)
        self.params = [torch.nn.Parameter(self.tensor(s["params"])) for s in request["segments"]]
        base, options = self.base(torch.optim, request["base"])
        self.optimizer = self.make(request["rule"], request["rho"], request["settings"], base, options)

    def base(self, optim, base):
        """The class in torch.optim and its arguments."""
        options = {"lr": base["learning_rate"], "weight_decay": base["weight_decay"]}
        if base["name"] == "adamw":
            decays = (base["mean_decay"], base["square_decay"])
            return optim.AdamW, {**options, "betas": decays, "eps": base["denominator_guard"]}
        if base["name"] == "sgd-momentum":
            options.update({key: base[key] for key in ("momentum", "dampening", "nesterov")})
        return optim.SGD, options

    def set_grads(self, request, key):
        for p, segment in zip(self.params, request["segments"]):
            p.grad = self.tensor(segment[key])

    def now(self):
        return [p.tolist() for p in self.params]

    def step(self, request):
        """Perturbed and new parameters."""
        self.set_grads(request, "grads")
        self.optimizer.first_step()
        perturbed = self.now()
        self.set_grads(request, "perturbed_grads")
        self.optimizer.second_step()
        return perturbed, self.now()


class TorchLoop(TorchPeer):
    """Written here, with the conventions of davda54/sam: guard 1e-12, ASAM with |w| and no eta."""

    module, rules = "torch", ["sam", "asam"]

    def make(self, rule, rho, settings, base, options):
        self.adaptive, self.rho = rule == "asam", rho
        self.inner = base(self.params, **options)
        return self

    def first_step(self):
        import torch

        with torch.no_grad():
            operators = [p.abs() if self.adaptive else torch.ones_like(p) for p in self.params]
            norms = [torch.linalg.vector_norm(t * p.grad) for t, p in zip(operators, self.params)]
            scale = self.rho / (torch.linalg.vector_norm(torch.stack(norms)) + 1e-12)
            self.backups = [p.clone() for p in self.params]
            for t, p in zip(operators, self.params):
                p.add_(t * t * p.grad * scale)

    def second_step(self):
        for p, backup in zip(self.params, self.backups):
            p.data.copy_(backup)
        self.inner.step()


class PytorchOptimizer(TorchPeer):
    """kozistr/pytorch_optimizer: SAM, its `adaptive` for ASAM, FriendlySAM."""

    module, rules = "pytorch_optimizer", ["sam", "asam", "friendly-sam"]

    def make(self, rule, rho, settings, base, options):
        from pytorch_optimizer import SAM, FriendlySAM

        if rule == "friendly-sam":
            own = {"sigma": settings["sigma"], "lmbda": settings["decay"]}
            return FriendlySAM(self.params, base, rho=rho, **own, **options)
        return SAM(self.params, base, rho=rho, adaptive=rule == "asam", **options)


class Optax:
    """optax.contrib.sam in opaque mode, as its documentation has it. Its momentum has no dampening: not asked for."""

    module, rules, bases = "optax", ["sam"], ["sgd", "adamw"]

    def __init__(self, request):
        import jax
        import optax

        jax.config.update("jax_enable_x64", True)
        scalar = {"f32": jax.numpy.float32, "f64": jax.numpy.float64}[request["scalar"]]
        self.array = lambda values: jax.numpy.array([float(x) for x in values], dtype=scalar)
        self.params = self.arrays(request, "params")
        ascent = optax.chain(optax.contrib.normalize(), optax.sgd(request["rho"]))
        self.optimizer = optax.contrib.sam(self.base(optax, request["base"]), ascent, opaque_mode=True)
        self.state, self.apply = self.optimizer.init(self.params), optax.apply_updates

    def base(self, optax, base):
        rate, decay = base["learning_rate"], base["weight_decay"]
        if base["name"] == "adamw":
            decays = {"b1": base["mean_decay"], "b2": base["square_decay"], "eps": base["denominator_guard"]}
            return optax.adamw(rate, weight_decay=decay, **decays)
        return optax.chain(optax.add_decayed_weights(decay), optax.sgd(rate))

    def arrays(self, request, key):
        return [self.array(segment[key]) for segment in request["segments"]]

    def step(self, request):
        """Perturbed and new parameters."""
        seen = []

        def second(params, _):
            seen.append([p.tolist() for p in params])
            return self.arrays(request, "perturbed_grads")

        grads = self.arrays(request, "grads")
        updates, self.state = self.optimizer.update(grads, self.state, self.params, grad_fn=second)
        self.params = self.apply(self.params, updates)
        return seen[-1], [p.tolist() for p in self.params]


PEERS = {"torch-loop": TorchLoop, "pytorch-optimizer": PytorchOptimizer, "optax": Optax}


def version(peer):
    """Of the peer's package, or None where it is not installed."""
    try:
        importlib.import_module(peer.module)
        from importlib.metadata import version as of

        return of(peer.module)
    except ImportError:
        return None


def written(plane):
    """Numbers as they are; by name where not finite."""
    return [x if math.isfinite(x) else str(x) for x in plane]


def serve(name, peer, version):
    """Answers line after line. Whatever a package prints goes to standard error."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    hello = {"protocol": "presam-verify/1", "name": name, "version": f"{peer.module} {version}", "state": "kept"}
    offers = {"rules": peer.rules, "bases": peer.bases, "scalars": ["f64", "f32"], "operations": ["step"]}
    sys.stdin.readline()
    print(json.dumps({"hello": {**hello, **offers}}), file=out, flush=True)
    run = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["rule_steps"] == 0 and request["base_steps"] == 0:
                run = peer(request)
            pairs = zip(*run.step(request))
            fields = {"segments": [{"perturbed": written(p), "params": written(w)} for p, w in pairs]}
        except Exception as error:
            fields = {"error": f"{type(error).__name__}: {error}".replace("\n", " ")}
        print(json.dumps({"id": request["id"], **fields}), file=out, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", choices=PEERS, help="the one to ask")
    parser.add_argument("--list", action="store_true", help="print which are installed")
    arguments = parser.parse_args()
    if arguments.list:
        for name, peer in PEERS.items():
            found = version(peer)
            print(f"{name:18}  {peer.module} {found}" if found else f"{name:18}  not installed ({peer.module})")
    elif arguments.peer is None:
        parser.error("one of --peer and --list is needed")
    else:
        peer = PEERS[arguments.peer]
        found = version(peer)
        if found is None:
            sys.exit(f"{arguments.peer}: the Python package {peer.module} is not installed")
        serve(arguments.peer, peer, found)


if __name__ == "__main__":
    main()
