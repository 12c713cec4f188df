"""Holds the compiled module to presam's oracle and to its core, over the pipe.

    presam verify --exec 'python -m presam.verify'           every rule, float32 and float64
    presam verify --bits --exec 'python -m presam.verify'    in every bit

The protocol is presam-verify/1. Buffers are those of the standard library's `array`: numpy is not needed.
"""

import json
import struct
import sys
from array import array

from . import __version__
from ._names import COMMON, Method, variants

CODES = {"f32": "f", "f64": "d"}
SIZES = {"f32": ("<I", "<f"), "f64": ("<Q", "<d")}
# The pipe's names of a base optimizer's settings, in the order of presam._presam's own keys.
SETTINGS = {"sgd": [], "sgd-momentum": ["momentum", "dampening", "nesterov"],
            "adamw": ["mean_decay", "square_decay", "denominator_guard"]}


def number(value, scalar):
    """Decimal, by name, or as bits."""
    if isinstance(value, str) and value.startswith("0x"):
        whole, real = SIZES[scalar]
        return struct.unpack(real, struct.pack(whole, int(value, 16)))[0]
    return float(value)


def written(plane, scalar):
    """As bits, since those of a NaN count too."""
    whole, real = SIZES[scalar]
    width = 2 * struct.calcsize(real)
    return [f"0x{struct.unpack(whole, struct.pack(real, x))[0]:0{width}x}" for x in plane]


class Step:
    """One request: buffers, an engine over them, both halves."""

    def __init__(self, request):
        self.request, self.scalar = request, request["scalar"]
        self.base = request.get("base")
        self.segments = request["segments"]
        number_of = lambda value: number(value, self.scalar)
        settings = {key: number_of(value) for key, value in request["settings"].items()}
        length = request["length"]
        method = Method(request["rule"], settings, length["kind"], number_of(length.get("lambda", 0.0)),
                        number_of(length.get("norm_guard", 0.0)), None, {})
        name = self.base["name"]
        names = [*COMMON, *SETTINGS[name]]
        self.engine = method.engine(self.scalar, (name, SETTINGS[name]), names)
        own = [float(number_of(self.base[key])) for key in ("learning_rate", "weight_decay", *SETTINGS[name])]
        self.groups = [dict(zip(names, [*self.options(segment), *own])) for segment in self.segments]

    def options(self, segment):
        """rho, operator, counted, perturbed, maximize."""
        rho = number(segment.get("rho", self.request.get("rho")), self.scalar)
        names = ("operator_applies", "counts_in_norm", "is_perturbed")
        return [rho, *(float(segment.get(name, True)) for name in names), 0.0]

    def plane(self, values):
        return array(CODES[self.scalar], [number(value, self.scalar) for value in values])

    def answer(self):
        """The fields of the answer."""
        params = [self.plane(s["params"]) for s in self.segments]
        firsts = [self.plane(s["grads"]) for s in self.segments]
        seconds = [self.plane(s["perturbed_grads"]) for s in self.segments]
        kept = {name: [[self.plane(p) for p in s.get(name, [])] for s in self.segments] for name in ("memory", "inputs", "state")}
        backups = [self.plane([0.0] * len(w)) for w in params]
        address = lambda plane: plane.buffer_info()[0]
        filled = [k for k, w in enumerate(params) if len(w)]
        rows = []
        for k in filled:
            planes = [*kept["memory"][k], *kept["inputs"][k], *kept["state"][k]]
            rows.append((len(params[k]), k, [address(params[k]), address(backups[k]), 0, 0, *map(address, planes)]))
        self.engine.set_tensors(rows)
        mean = number(self.request["mean_of_variance"], self.scalar)
        self.engine.resume(self.groups, self.request["rule_steps"], mean, self.request["base_steps"])

        grads = lambda planes: [address(planes[k]) for k in filled]
        # momentum-sam's momentum comes as the gradient.
        outcome, _ = self.engine.ascend(grads(firsts), self.groups, 1.0, False, 1, None)
        perturbed = [w[:] for w in params]
        if outcome == 2:
            self.engine.restore()
        else:
            self.engine.descend(grads(seconds), self.groups, 1.0, None, 1, None, False)
        segments = [
            {
                "perturbed": written(perturbed[k], self.scalar),
                "params": written(params[k], self.scalar),
                "memory": [written(p, self.scalar) for p in kept["memory"][k]],
                "state": [written(p, self.scalar) for p in kept["state"][k]],
            }
            for k in range(len(params))
        ]
        rule, _ = self.engine.counters()
        return {"segments": segments, "mean_of_variance": written([rule[2]], self.scalar)[0]}


def main() -> None:
    """Answers until the other side closes."""
    sys.stdin.readline()
    hello = {"protocol": "presam-verify/1", "name": "presam (python)", "version": __version__}
    offers = {"rules": list(variants()), "bases": list(SETTINGS), "scalars": list(CODES), "operations": ["step"]}
    forms = {"state": "given", "numbers": "bits", "groups": True, "lengths": True}
    print(json.dumps({"hello": {**hello, **offers, **forms}}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            fields = Step(request).answer()
        except Exception as error:
            fields = {"error": f"{type(error).__name__}: {error}".replace("\n", " ")}
        print(json.dumps({"id": request["id"], **fields}), flush=True)


if __name__ == "__main__":
    main()
