#!/usr/bin/env python3
"""Sharpness-aware minimisation in numpy, as `presam verify` asks for it. Needs numpy 2 or later.

    presam verify --exec 'python3 examples/verify/numpy_sam.py'                  right
    presam verify --exec 'python3 examples/verify/numpy_sam.py --slip NAME'      wrong in one way (--list-slips)

    perturbation = rho D^2 C s / || D C s ||        one norm over all tensors
    w <- base optimizer(w, gradient taken at w + perturbation)

`Step` is the right one, formula by formula, in the scalar type that is asked for: the twin of
examples/python/presam_torch.py, method by method, for machines without PyTorch. Slips stand in numpy_slips.py.
"""

import argparse
import json
import struct
import sys
from collections import namedtuple
from types import SimpleNamespace

import numpy as np

# What one tensor adds to the step: D C s for the norm, D^2 C s to be scaled, its new memory, its part in the statistic.
Terms = namedtuple("Terms", "norm_term direction memory statistic", defaults=([], None))


class Step:
    """One step, a pure function of the request."""

    rules = (
        "sam asam fisher-sam info-sam-draft info-sam info-asam vasso friendly-sam ssam masked-sam momentum-sam "
        "objective-preconditioner constraint-preconditioner pre-sam friendly-asam raw-asam"
    ).split()
    bases = ["sgd", "sgd-momentum", "adamw"]

    def __init__(self, request):
        self.real = {"f32": np.float32, "f64": np.float64}[request["scalar"]]
        self.tiny = np.finfo(self.real).tiny
        self.rule = request.get("rule")
        self.settings = self.namespace(request.get("settings", {}))
        self.length = self.namespace(request.get("length", {}))
        self.base = self.namespace(request.get("base", {}))
        self.rule_steps, self.base_steps = request.get("rule_steps"), request.get("base_steps")
        self.mean_of_variance = self.scalar(request.get("mean_of_variance", 0))
        self.segments = [self.segment(request, fields) for fields in request["segments"]]

    # The rules. Each answers Terms for one tensor s.

    def sam(self, s):
        return Terms(s.grads, s.grads)

    def asam(self, s):
        return Terms(*self.constrained(self.operator(s), s.grads))

    def fisher_sam(self, s):
        f = 1 + self.settings.eta * np.square(s.grads)
        return Terms(s.grads / np.sqrt(f), s.grads / f)

    def info_sam_draft(self, s):
        g = s.grads
        if self.rule_steps == 0:
            return Terms(g, g, [g])
        m = self.average(s.memory[0], g, self.settings.decay)
        slope = g / np.square(m - g)
        return Terms(slope, slope, [m])

    def info_sam(self, s):
        c, memory, variance = self.noise(s)
        return Terms(c * s.grads, c * s.grads, memory, variance)

    def info_asam(self, s):
        c, memory, variance = self.noise(s)
        return Terms(*self.constrained(self.operator(s), c * s.grads), memory, variance)

    def vasso(self, s):
        d_old, g = s.memory[0], s.grads
        if self.rule_steps == 0:
            return Terms(g, g, [g])
        d = self.average(d_old, g, self.settings.decay)
        slope = self.read(d_old, d)
        return Terms(slope, slope, [d])

    def friendly_sam(self, s):
        m_old, g = s.memory[0], s.grads
        if self.rule_steps == 0:
            return Terms(g, g, [g], g)
        slope = g - self.settings.sigma * m_old
        return Terms(slope, slope, [self.average(m_old, g, self.settings.decay)], g)

    def friendly_asam(self, s):
        _, slope, memory, g = self.friendly_sam(s)
        d = self.operator(s)
        return Terms(*self.constrained(d, slope), memory, d * g)

    def raw_asam(self, s):
        return Terms(s.grads, self.operator(s) * s.grads)

    def ssam(self, s):
        return Terms(s.grads, s.inputs[0] * s.grads)

    def masked_sam(self, s):
        return Terms(s.inputs[0] * s.grads, s.inputs[0] * s.grads)

    def momentum_sam(self, s):
        return Terms(s.grads, -s.grads)

    def objective_preconditioner(self, s):
        return self.masked_sam(s)

    def constraint_preconditioner(self, s):
        return Terms(*self.constrained(s.inputs[0], s.grads))

    def pre_sam(self, s):
        c, d = s.inputs
        return Terms(*self.constrained(d, c * s.grads))

    # What the rules share.

    def average(self, old, new, decay):
        """decay is the weight of the old value."""
        return decay * old + (1 - decay) * new

    def read(self, old, new):
        """Which memory the slope is made of: the one that has seen this gradient."""
        return new

    def operator(self, s):
        """ASAM's D = |w| + eta; 1 where it does not apply."""
        return np.abs(s.params) + self.settings.get("eta", 0) if s.operator_applies else np.ones_like(s.params)

    def constrained(self, d, slope):
        """D s for the norm and D^2 s for the direction."""
        return d * slope, d * d * slope

    def noise(self, s):
        """C = bias / (v + bias damping), the new m and v, and v / bias. The first two steps have C = 1."""
        g, steps, settings = s.grads, self.rule_steps, self.settings
        if steps == 0:
            return self.real(1), [g, np.zeros_like(g)], np.zeros_like(g)
        m_old, v_old = s.memory
        v = self.average(v_old, np.square(m_old - g), settings.variance_decay)
        m = self.average(m_old, g, settings.mean_decay)
        bias = 1 - settings.variance_decay**steps
        damping = settings.absolute_damping + settings.relative_damping * self.mean_of_variance
        is_plain = steps < 2 or damping == 0
        c = self.real(1) if is_plain else bias / (self.read(v_old, v) + bias * damping)
        return c, [m, v], v / bias

    # The ascent.

    def ascend(self):
        """Perturbed parameters and memory of each tensor, or None where the step must be skipped."""
        terms = [getattr(self, self.rule.replace("-", "_"))(s) for s in self.segments]
        counted = [t for s, t in zip(self.segments, terms) if s.counts_in_norm]
        norm, statistic = self.norm([t.norm_term for t in counted]), self.statistic(counted)
        if not self.is_finite(norm, statistic):
            return None
        for s, t, norm in zip(self.segments, terms, self.norms(norm, terms)):
            moves = s.is_perturbed and s.rho != 0 and self.is_slope(norm, statistic)
            s.perturbed = self.perturbed(s.params, self.perturbation(t.direction, norm, s.rho)) if moves else s.params
            s.memory = [self.stored(plane) for plane in self.kept(s.memory, t.memory)]
        if self.rule in ("info-sam", "info-asam"):
            self.mean_of_variance = statistic
        return self.segments

    def is_finite(self, norm, statistic):
        """Tensors that do not count are looked at too: their memory would keep what is not finite for ever."""
        all_finite = all(np.all(np.isfinite(s.grads)) for s in self.segments)
        return np.isfinite(norm) and np.isfinite(statistic) and all_finite

    def norms(self, norm, terms):
        """The norm that each tensor is divided by: one for all."""
        return [norm] * len(terms)

    def norm(self, arrays):
        """Square root of the sum of squares, first brought near 1 by a power of two so that no square overflows."""
        largest = max((np.max(np.abs(a), initial=0) for a in arrays), default=self.real(0))
        if largest == 0 or not np.isfinite(largest):
            return self.real(largest)
        exponent = int(np.frexp(largest)[1])
        squares = [np.sum(np.square(np.ldexp(a, -exponent)), dtype=self.real) for a in arrays]
        return np.ldexp(np.sqrt(sum(squares, self.real(0))), exponent)

    def statistic(self, counted):
        """friendly-sam, friendly-asam: norm of D g; info-sam and info-asam: mean of the corrected variance."""
        arrays = [t.statistic for t in counted if t.statistic is not None]
        if self.rule.startswith("friendly"):
            return self.norm(arrays)
        size = sum(a.size for a in arrays)
        return sum((np.sum(a, dtype=self.real) for a in arrays), self.real(0)) / self.real(max(size, 1))

    def is_slope(self, norm, statistic):
        """Whether there is anything to follow: friendly-sam's slope may be a rounding error of the gradient."""
        floor = {np.float32: 2.0**-20, np.float64: 2.0**-48}[self.real]
        return norm != 0 and not (self.rule.startswith("friendly") and norm < floor * statistic)

    def perturbation(self, direction, norm, rho):
        kind, plain = self.length.kind, rho * direction
        if kind == "unnormalised":
            return plain
        if kind == "normalised":
            return self.normalised(direction, norm, rho)
        share = self.length["lambda"]
        return (1 - share) * plain + share * self.normalised(direction, norm, rho)

    def normalised(self, direction, norm, rho):
        return rho * (direction / (norm + self.length.norm_guard))

    def perturbed(self, params, perturbation):
        return params + perturbation

    def kept(self, old, new):
        """The memory for the next step."""
        return new

    def stored(self, plane):
        """Below the smallest normal number an average never reaches zero, and slows every later step."""
        return np.where(np.abs(plane) < self.tiny, self.real(0), plane)

    # The descent: PyTorch's conventions.

    def descend(self):
        """The base optimizer's step from the unperturbed parameters, or None where a gradient is not finite."""
        if not all(np.all(np.isfinite(s.perturbed_grads)) for s in self.segments):
            return None
        for s in self.segments:
            update = getattr(self, self.base.name.replace("-", "_"))
            s.new_params, s.state = update(s, self.start(s), self.gradient(s))
        return self.segments

    def start(self, s):
        return s.params

    def gradient(self, s):
        return s.perturbed_grads

    def coupled(self, s, w, g):
        """The gradient with weight decay, and the parameters: sgd decays through the gradient."""
        return g + self.base.weight_decay * w, w

    def decoupled(self, s, w, g):
        """The same for adamw, which shrinks the parameters."""
        return g, w * (1 - self.base.learning_rate * self.base.weight_decay)

    def sgd(self, s, w, g):
        d, w = self.coupled(s, w, g)
        return w - self.base.learning_rate * d, []

    def sgd_momentum(self, s, w, g):
        base = self.base
        d, w = self.coupled(s, w, g)
        b = self.buffer(s.state[0], d)
        step = d + base.momentum * b if base.nesterov else b
        return w - base.learning_rate * step, [self.stored(b)]

    def buffer(self, old, d):
        """The first buffer is the first gradient."""
        return d if self.base_steps == 0 else self.base.momentum * old + (1 - self.base.dampening) * d

    def adamw(self, s, w, g):
        base = self.base
        g, w = self.decoupled(s, w, g)
        m = base.mean_decay * s.state[0] + (1 - base.mean_decay) * g
        v = base.square_decay * s.state[1] + (1 - base.square_decay) * np.square(g)
        bias1, bias2 = self.bias(base.mean_decay), self.bias(base.square_decay)
        denominator = np.sqrt(v) / np.sqrt(bias2) + base.denominator_guard
        return w - base.learning_rate / bias1 * (m / denominator), [self.stored(m), self.stored(v)]

    def bias(self, decay):
        return 1 - decay ** (self.base_steps + 1)

    # Reading and answering.

    def scalar(self, value):
        """A number: decimal, by name, or as bits."""
        if isinstance(value, str) and value.startswith("0x"):
            bits, form = {np.float32: (">I", ">f"), np.float64: (">Q", ">d")}[self.real]
            return self.real(struct.unpack(form, struct.pack(bits, int(value, 16)))[0])
        return self.real(float(value))

    def array(self, values):
        return np.array([self.scalar(value) for value in values], dtype=self.real)

    def namespace(self, fields):
        is_number = lambda value: not isinstance(value, bool) and (not isinstance(value, str) or value[:2] == "0x")
        return Settings({key: self.scalar(value) if is_number(value) else value for key, value in fields.items()})

    def segment(self, request, fields):
        arrays = {key: self.array(fields[key]) for key in ("params", "grads", "perturbed_grads") if key in fields}
        planes = {key: [self.array(p) for p in fields.get(key, [])] for key in ("memory", "inputs", "state")}
        flags = {key: fields.get(key, True) for key in ("counts_in_norm", "is_perturbed", "operator_applies")}
        rho = self.scalar(fields.get("rho", request.get("rho", 0)))
        return SimpleNamespace(**arrays, **planes, **flags, rho=rho, perturbed=arrays["params"])

    def answer(self, request):
        """The answer's fields for one of the operations step, ascend and descend."""
        operation = request["op"]
        unchanged = [dict(perturbed=s.params, memory=s.memory, params=s.params, state=s.state) for s in self.segments]
        ascended = operation == "descend" or self.ascend() is not None
        descended = operation != "ascend" and ascended and self.descend() is not None
        segments = []
        for s, fields in zip(self.segments, unchanged):
            if ascended:
                fields.update(perturbed=s.perturbed, memory=s.memory)
            if descended:
                fields.update(params=s.new_params, state=s.state)
            left_out = {"ascend": ("params", "state"), "descend": ("perturbed", "memory")}.get(operation, ())
            segments.append({key: written(value) for key, value in fields.items() if key not in left_out})
        if self.rule in ("info-sam", "info-asam"):
            return {"segments": segments, "mean_of_variance": written(self.mean_of_variance)}
        return {"segments": segments}


class Settings(dict):
    """Settings by name: settings.eta, or settings["lambda"]."""

    __getattr__ = dict.__getitem__


def written(value):
    """As JSON has it: shortest decimals that read back exactly, names for what is not finite."""
    if isinstance(value, (list, np.ndarray)):
        return [written(x) for x in value]
    return float(value) if np.isfinite(value) else str(float(value))


def serve(step, name, numbers):
    """Answers line after line until the verifier closes its end."""
    hello = {"protocol": "presam-verify/1", "name": name, "version": f"numpy {np.__version__}", "numbers": numbers}
    offers = {"rules": step.rules, "bases": step.bases, "scalars": ["f64", "f32"], "groups": True, "lengths": True}
    offers["non_finite"] = "skipped"
    sys.stdin.readline()
    print(json.dumps({"hello": {**hello, **offers, "operations": ["step", "ascend", "descend"]}}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        with np.errstate(all="ignore"):
            answer = step(request).answer(request)
        print(json.dumps({"id": request["id"], **answer}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slip", metavar="NAME", help="be wrong in this way")
    parser.add_argument("--list-slips", action="store_true", help="print the names of the slips")
    parser.add_argument("--bits", action="store_true", help="be asked in bits, not in decimals")
    arguments = parser.parse_args()
    from numpy_slips import SLIPS

    slip = arguments.slip
    if arguments.list_slips:
        print("\n".join(SLIPS))
    elif slip is not None and slip not in SLIPS:
        parser.error(f"--slip: expected one of those of --list-slips, found {slip}")
    elif int(np.__version__.split(".")[0]) < 2:
        sys.exit(f"numpy 2 or later is needed (found {np.__version__}): before, f32 with a number was f64")
    else:
        name = f"numpy_sam {slip}" if slip else "numpy_sam"
        serve(SLIPS[slip] if slip else Step, name, "bits" if arguments.bits else "decimal")


if __name__ == "__main__":
    main()
