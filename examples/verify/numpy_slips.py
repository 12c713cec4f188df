"""What people get wrong in sharpness-aware minimisation: each slip is `Step` with one method replaced.

    presam verify --exec 'python3 examples/verify/numpy_sam.py --slip norm-per-tensor'
"""

import numpy as np
from numpy_sam import Step


class NoRestore(Step):
    def start(self, s):
        return s.perturbed


class NormPerTensor(Step):
    def norms(self, norm, terms):
        return [self.norm([t.norm_term]) for t in terms]

    def is_finite(self, norm, statistic):
        """There is no norm of all tensors to be looked at."""
        return True


class GuardAfterDivision(Step):
    def normalised(self, direction, norm, rho):
        return (rho / norm + self.length.norm_guard) * direction

    def is_slope(self, norm, statistic):
        return norm == 0 or super().is_slope(norm, statistic)


class DecayOnPerturbed(Step):
    def coupled(self, s, w, g):
        return g + self.base.weight_decay * s.perturbed, w

    def decoupled(self, s, w, g):
        return g, w - self.base.learning_rate * self.base.weight_decay * s.perturbed


class FirstGradient(Step):
    def gradient(self, s):
        return s.grads


class Descends(Step):
    def perturbed(self, params, perturbation):
        return params - perturbation


class NormNotRooted(Step):
    def norm(self, arrays):
        return sum((np.sum(np.square(a), dtype=self.real) for a in arrays), self.real(0))


class NormL1(Step):
    def norm(self, arrays):
        return sum((np.sum(np.abs(a), dtype=self.real) for a in arrays), self.real(0))


class NormRms(Step):
    def norm(self, arrays):
        return super().norm(arrays) / np.sqrt(self.real(max(sum(a.size for a in arrays), 1)))


class RhoUnnormalised(Step):
    def perturbation(self, direction, norm, rho):
        return rho * direction


class NoPerturbation(Step):
    def perturbed(self, params, perturbation):
        return params


class OperatorOnce(Step):
    def constrained(self, d, slope):
        return d * slope, d * slope


class OperatorNotInNorm(Step):
    def constrained(self, d, slope):
        return slope, d * d * slope


class OperatorSigned(Step):
    def operator(self, s):
        return s.params + self.settings.get("eta", 0) if s.operator_applies else np.ones_like(s.params)


class DecaySwapped(Step):
    def average(self, old, new, decay):
        return (1 - decay) * old + decay * new


class MemoryLate(Step):
    def read(self, old, new):
        return old


class MemoryNotKept(Step):
    def kept(self, old, new):
        return old


class WeightDecayMissing(Step):
    def coupled(self, s, w, g):
        return g, w

    decoupled = coupled


class WeightDecayDecoupled(Step):
    coupled = Step.decoupled


class WeightDecayCoupled(Step):
    decoupled = Step.coupled


class DampeningFirstStep(Step):
    def buffer(self, old, d):
        first = self.base_steps == 0
        return (1 - self.base.dampening) * d if first else super().buffer(old, d)


class BiasCorrectionMissing(Step):
    def bias(self, decay):
        return self.real(1)


def name_of(slip):
    """NormPerTensor is norm-per-tensor."""
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in slip.__name__).lstrip("-")


SLIPS = {name_of(slip): slip for slip in Step.__subclasses__()}
