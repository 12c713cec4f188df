#!/usr/bin/env python3
"""Codes that are wrong in one narrow way, and right ones of unusual form: what `presam verify` is tested on.

    python3 examples/verify/wrong_codes.py --list            name, kind, and what must be said of it
    presam verify --exec 'python3 examples/verify/wrong_codes.py tail-of128'

Each is `Step` of numpy_sam.py with a method or two replaced. What must be said:
`told` (exit code 1), `thorough` (the same, with --thorough), `agrees` (exit code 0, at every seed).
"""

import json
import math
import sys

import numpy as np
from numpy_sam import Step, Terms, written

TABLE = {}


def code(kind, rules="sam", bases="sgd", scalars="f64", says="told", **hello):
    """Enters a class under its name in kebab-case."""

    def enter(step):
        name = "".join(f"-{c.lower()}" if c.isupper() else c for c in step.__name__).lstrip("-").replace("_", "-")
        lists = {"rules": rules.split(), "bases": bases.split(), "scalars": scalars.split()}
        TABLE[name] = (kind, says, step, {**lists, "operations": ["step"], **hello})
        return step

    return enter


class Plain(Step):
    """What most people write: one norm, no look at what is not finite."""

    guard = None
    calls = 0

    def __init__(self, request):
        super().__init__(request)
        type(self).calls += 1
        self.change()

    def change(self):
        """What is done to the request."""

    def is_finite(self, norm, statistic):
        return True

    def norm(self, arrays):
        with np.errstate(all="ignore"):
            return np.sqrt(self.real(sum((self.squares(a) for a in arrays), self.real(0))))

    def squares(self, a):
        return np.sum(np.square(a), dtype=self.real)

    def is_slope(self, norm, statistic):
        return True

    def normalised(self, direction, norm, rho):
        guard = self.length.norm_guard if self.guard is None else self.real(self.guard)
        return direction * (rho / (norm + guard))

    def descend(self):
        for s in self.segments:
            update = getattr(self, self.base.name.replace("-", "_"))
            s.new_params, s.state = update(s, self.start(s), self.gradient(s))
        return self.segments

    def each(self, key, f):
        """Every array of this name put through f."""
        for s in self.segments:
            setattr(s, key, f(getattr(s, key)))


def scaled(form, key, factor):
    """The request's setting of the base optimizer or rule, changed."""
    form[key] = type(form[key])(factor(form[key]))


# Long tensors.


@code("long", scalars="f32 f64")
class TailOf32(Plain):
    def squares(self, a):
        return super().squares(a[: a.size - a.size % 32] if a.size > 32 else a)


@code("long")
class TailOf128(Plain):
    def squares(self, a):
        return super().squares(a[: a.size - a.size % 128] if a.size > 128 else a)


@code("long")
class Lane64Twice(Plain):
    def squares(self, a):
        return super().squares(np.append(a, a[64:65]))


@code("long", scalars="f32")
class FirstChunkCounts(Plain):
    def squares(self, a):
        return super().squares(a[:2048])


@code("long", scalars="f32 f64")
class TotalBeyond4400(Plain):
    most = 4400

    def norm(self, arrays):
        left, kept = self.most, []
        for a in arrays:
            kept.append(a[:left])
            left = max(left - a.size, 0)
        return super().norm(kept)


@code("long", says="thorough")
class TotalBeyond8192(TotalBeyond4400):
    most = 8192


@code("long")
class ChunkBoundaryStays(Plain):
    def perturbed(self, params, perturbation):
        perturbation[2048::2048] = 0
        return params + perturbation


@code("long")
class BlockOf1024(Plain):
    def perturbed(self, params, perturbation):
        perturbation[1024:] = 0
        return params + perturbation


@code("long", bases="sgd-momentum")
class LastBlockOf256(Plain):
    def descend(self):
        super().descend()
        for s in self.segments:
            whole = s.params.size - s.params.size % 256
            if whole:
                s.new_params[whole:] = s.params[whole:]
        return self.segments


@code("long")
class NormOfEachThousand(Plain):
    def perturbation(self, direction, norm, rho):
        if direction.size <= 1000:
            return super().perturbation(direction, norm, rho)
        parts = [direction[i : i + 1000] for i in range(0, direction.size, 1000)]
        return np.concatenate([super(NormOfEachThousand, self).perturbation(p, self.norm([p]), rho) for p in parts])


@code("long")
class SingleBeyond512(Plain):
    def squares(self, a):
        return self.real(np.sum(np.square(a), dtype=np.float32)) if a.size > 512 else super().squares(a)


@code("long")
class Beyond4096(Plain):
    def squares(self, a):
        return super().squares(a[:4096])


@code("long", says="thorough")
class Beyond16384(Plain):
    def squares(self, a):
        return super().squares(a[:16384])


@code("long", rules="vasso", scalars="f32")
class MemoryBeyond500(Plain):
    def kept(self, old, new):
        return [np.where(np.arange(n.size) < 500, n, o) for o, n in zip(old, new)]


@code("long", bases="adamw")
class SquaresBeyond1023(Plain):
    def adamw(self, s, w, g):
        params, (m, v) = super().adamw(s, w, g)
        v[1023:] = s.state[1][1023:]
        return params, [m, v]


# Many tensors, in other orders.


@code("tensors", scalars="f32 f64")
class TiedCountOnce(Plain):
    def norm(self, arrays):
        return super().norm({a.tobytes() if a.size > 1 else i: a for i, a in enumerate(arrays)}.values())


@code("tensors")
class EightTensors(Plain):
    def norm(self, arrays):
        return super().norm(arrays[:8])


@code("tensors")
class OrderOfText(Plain):
    def answer(self, request):
        answer = super().answer(request)
        order = sorted(range(len(self.segments)), key=str)
        moved = [answer["segments"][i] for i in order]
        same = all(len(a["params"]) == len(b["params"]) for a, b in zip(moved, answer["segments"]))
        return {**answer, "segments": moved} if same else answer


@code("tensors")
class OrderOfNames(Plain):
    def answer(self, request):
        answer = super().answer(request)
        names = [s.get("name", "") for s in request["segments"]]
        order = sorted(range(len(names)), key=lambda i: names[i])
        moved = [answer["segments"][i] for i in order]
        same = all(len(a["params"]) == len(b["params"]) for a, b in zip(moved, answer["segments"]))
        return {**answer, "segments": moved} if same else answer


@code("tensors")
class SeventeenthStays(Plain):
    def ascend(self):
        super().ascend()
        for s in self.segments[16:]:
            s.perturbed = s.params
        return self.segments


@code("tensors")
class SameLengthIsSame(Plain):
    def norm(self, arrays):
        return super().norm(list({a.size: a for a in arrays}.values()) if len(arrays) > 6 else arrays)


# Counters.


@code("counters")
class EveryTenthStep(Plain):
    def perturbed(self, params, perturbation):
        return params if self.rule_steps % 10 == 9 else params + perturbation


@code("counters", bases="adamw")
class CounterInByte(Plain):
    def bias(self, decay):
        return 1 - decay ** self.real((self.base_steps + 1) % 256)


@code("counters", bases="adamw", scalars="f32 f64")
class TableOf64(Plain):
    def bias(self, decay):
        return 1 - decay ** self.real(min(self.base_steps + 1, 64))


@code("counters", bases="adamw")
class NoBiasAfterThousand(Plain):
    def bias(self, decay):
        return super().bias(decay) if self.base_steps < 1000 else self.real(1)


@code("counters", rules="vasso")
class FreshEveryHundred(Plain):
    def change(self):
        if self.rule_steps % 100 == 0:
            self.rule_steps = 0


@code("counters", rules="info-sam")
class VarianceTableOf10(Plain):
    def change(self):
        self.rule_steps = min(self.rule_steps, 10)


@code("counters", bases="sgd-momentum")
class BufferLostAtFifty(Plain):
    def buffer(self, old, d):
        return d if self.base_steps % 50 == 0 else super().buffer(old, d)


@code("counters")
class AscentEndsAtHundred(Plain):
    def perturbed(self, params, perturbation):
        return params if self.rule_steps >= 100 else params + perturbation


@code("counters", rules="friendly-sam")
class EveryEighthForgets(Plain):
    def kept(self, old, new):
        return old if self.rule_steps % 8 == 7 else new


@code("counters", bases="adamw")
class CounterIn16Bits(Plain):
    def bias(self, decay):
        return 1 - decay ** self.real((self.base_steps + 1) % 65536 or 1)


# Settings.


@code("settings")
class RateAtMostOne(Plain):
    def change(self):
        scaled(self.base, "learning_rate", lambda x: min(x, 1))


@code("settings")
class SmallDecayIgnored(Plain):
    def change(self):
        scaled(self.base, "weight_decay", lambda x: x if x >= 1e-4 else 0)


@code("settings", bases="sgd-momentum")
class MomentumBelow2PercentIsNone(Plain):
    def change(self):
        scaled(self.base, "momentum", lambda momentum: 0.0 if momentum < 0.02 else momentum)


@code("settings", bases="sgd-momentum")
class MomentumInTwoDigits(Plain):
    def change(self):
        scaled(self.base, "momentum", lambda x: round(float(x), 2))


@code("settings", scalars="f32")
class RhoInHundredths(Plain):
    def perturbation(self, direction, norm, rho):
        return super().perturbation(direction, norm, self.real(round(float(rho), 2)))


@code("settings", rules="vasso")
class DecayInHundredths(Plain):
    def change(self):
        scaled(self.settings, "decay", lambda x: round(float(x), 2))


@code("settings", bases="adamw")
class BetasSorted(Plain):
    def change(self):
        a, b = sorted([self.base.mean_decay, self.base.square_decay])
        self.base.update(mean_decay=a, square_decay=b)


@code("settings", bases="adamw")
class GuardAtLeast(Plain):
    def change(self):
        scaled(self.base, "denominator_guard", lambda x: max(x, 9e-9))


@code("settings", bases="sgd-momentum")
class NesterovUpTo90(Plain):
    def change(self):
        self.base["nesterov"] = self.base.nesterov and self.base.momentum <= 0.91


@code("settings", bases="sgd-momentum")
class DampeningOfThree(Plain):
    def change(self):
        scaled(self.base, "dampening", lambda x: x if x in (0, 0.5, 1) else 0)


@code("settings", rules="asam")
class EtaAtMostOne(Plain):
    def change(self):
        scaled(self.settings, "eta", lambda x: min(x, 1))


@code("settings", rules="friendly-sam")
class SigmaInTenths(Plain):
    def change(self):
        scaled(self.settings, "sigma", lambda x: round(float(x), 1))


@code("settings", rules="info-sam")
class DampingAtMostTwo(Plain):
    def change(self):
        scaled(self.settings, "relative_damping", lambda x: min(x, 2))


@code("settings", rules="fisher-sam")
class EtaFloor(Plain):
    def change(self):
        scaled(self.settings, "eta", lambda x: max(x, 1e-3) if x else x)


@code("settings")
class StaysAtRateZero(Plain):
    def descend(self):
        super().descend()
        if self.base.learning_rate == 0:
            for s in self.segments:
                s.new_params = s.perturbed
        return self.segments


@code("settings", bases="sgd-momentum")
class StateStaysAtRateZero(Plain):
    def descend(self):
        old = [s.state for s in self.segments]
        super().descend()
        for s, state in zip(self.segments, old):
            s.state = state if self.base.learning_rate == 0 else s.state
        return self.segments


class AtRhoZero(Plain):
    def descend(self):
        super().descend()
        if self.segments and all(s.rho == 0 for s in self.segments):
            for s in self.segments:
                s.new_params = self.instead(s)
        return self.segments


@code("settings")
class RhoZeroNoStep(AtRhoZero):
    def instead(self, s):
        return s.params


@code("settings", bases="adamw")
class RhoZeroTwice(AtRhoZero):
    def instead(self, s):
        return s.new_params + (s.new_params - s.params)


@code("settings")
class RhoZeroShifts(AtRhoZero):
    def instead(self, s):
        return s.new_params + self.real(0.01)


@code("settings", rules="vasso")
class RhoZeroForgets(Plain):
    def kept(self, old, new):
        return old if all(s.rho == 0 for s in self.segments) else new


@code("settings", bases="sgd-momentum", state="kept", schedules=True)
class RateOfFirstStep(Plain):
    def change(self):
        if self.base_steps == 0:
            type(self).rate = self.base.learning_rate
        self.base["learning_rate"] = self.rate


# Scales.


@code("scales", scalars="f32")
class ClampedAtTen(Plain):
    def change(self):
        self.each("grads", lambda g: np.clip(g, -10, 10))


@code("scales")
class SecondClampedAtFifty(Plain):
    def change(self):
        self.each("perturbed_grads", lambda g: np.clip(g, -50, 50))


@code("scales", bases="sgd-momentum")
class SecondClippedByNorm(Plain):
    def change(self):
        norm = self.norm([s.perturbed_grads for s in self.segments])
        if norm > 100:
            self.each("perturbed_grads", lambda g: g * (100 / norm))


@code("scales")
class SpikeSkipped(Plain):
    def descend(self):
        super().descend()
        if any(np.any(np.abs(s.perturbed_grads) > 1000) for s in self.segments):
            for s in self.segments:
                s.new_params = s.params
        return self.segments


@code("scales", rules="asam")
class OperatorFloor(Plain):
    def operator(self, s):
        return np.maximum(super().operator(s), self.real(1e-3))


@code("scales", rules="constraint-preconditioner", scalars="f32")
class ConstraintFloor(Plain):
    def change(self):
        self.each("inputs", lambda planes: [np.maximum(p, self.real(0.05)) for p in planes])


@code("scales")
class SmallGradientsFlushed(Plain):
    def change(self):
        self.each("grads", lambda g: np.where(np.abs(g) < 5e-4, self.real(0), g))


@code("scales")
class QuietTensorsStay(Plain):
    def ascend(self):
        super().ascend()
        norms = [self.norm([s.grads]) for s in self.segments]
        for s, norm in zip(self.segments, norms):
            if norm < max(norms) / 1000:
                s.perturbed = s.params
        return self.segments


@code("scales", bases="adamw")
class SquaresFloor(Plain):
    def adamw(self, s, w, g):
        params, (m, v) = super().adamw(s, w, g)
        return params, [m, np.where(v > 0, np.maximum(v, 1e-9), v)]


@code("scales", rules="fisher-sam")
class FisherSaturates(Plain):
    def fisher_sam(self, s):
        f = 1 + self.settings.eta * np.minimum(np.square(s.grads), 100)
        return Terms(s.grads / np.sqrt(f), s.grads / f)


# Zeros.


@code("zeros", rules="vasso")
class NoGradientNoAscent(Plain):
    def ascend(self):
        super().ascend()
        if all(np.all(s.grads == 0) for s in self.segments):
            for s in self.segments:
                s.perturbed = s.params
        return self.segments


@code("zeros", rules="vasso")
class NoGradientNoMemory(Plain):
    def kept(self, old, new):
        return old if all(np.all(s.grads == 0) for s in self.segments) else new


@code("zeros")
class DeadTensorRevived(Plain):
    def descend(self):
        super().descend()
        for s in self.segments:
            if not np.any(s.params) and not np.any(s.grads):
                s.new_params = s.new_params + self.real(1e-8)
        return self.segments


@code("zeros", scalars="f32", bases="sgd-momentum")
class DeadTensorNotNumber(Plain):
    def ascend(self):
        super().ascend()
        for s in self.segments:
            if s.params.size and not np.any(s.params) and not np.any(s.grads) and not np.any(s.perturbed_grads):
                s.perturbed = s.perturbed / self.real(0)
        return self.segments


@code("zeros", bases="adamw")
class NoSecondGradientNoStep(Plain):
    def descend(self):
        super().descend()
        for s in self.segments:
            if not np.any(s.perturbed_grads):
                s.new_params = s.params
        return self.segments


@code("zeros")
class NoGradientNoBaseStep(Plain):
    def descend(self):
        super().descend()
        if all(np.all(s.grads == 0) for s in self.segments):
            for s in self.segments:
                s.new_params = s.params
        return self.segments


@code("zeros")
class RaisesWithoutGradient(Plain):
    def change(self):
        if all(np.all(s.grads == 0) for s in self.segments):
            raise ZeroDivisionError("float division by zero")


# Not finite.


@code("non-finite")
class NotANumberIsZero(Plain):
    def change(self):
        self.each("grads", np.nan_to_num)


@code("non-finite", scalars="f32")
class InfinityIsLargest(Plain):
    def change(self):
        self.each("perturbed_grads", lambda g: np.clip(g, np.finfo(g.dtype).min, np.finfo(g.dtype).max))


@code("non-finite")
class OneTensorSkips(Plain):
    def descend(self):
        super().descend()
        for s in self.segments:
            if not np.all(np.isfinite(s.grads)):
                s.new_params = s.params
        return self.segments


@code("non-finite", rules="vasso", non_finite="skipped")
class MemoryPoisoned(Step):
    def ascend(self):
        ascended = super().ascend()
        if ascended is None:
            for s in self.segments:
                s.memory = [self.average(s.memory[0], s.grads, self.settings.decay)]
                s.perturbed = s.params
            self.descend()
        return self.segments


@code("non-finite", bases="sgd-momentum", non_finite="skipped")
class SecondNotLookedAt(Step):
    descend = Plain.descend


@code("non-finite", rules="info-sam", groups=True, non_finite="skipped")
class UncountedPoisons(Step):
    """Finiteness is taken from the norm alone; memory is written for all."""

    def is_finite(self, norm, statistic):
        return bool(np.isfinite(norm))


# Answers that depend on what was asked before.


@code("process")
class WornAfterFourThousand(Plain):
    def squares(self, a):
        return super().squares(a) * (1 + 1e-6 * (self.calls > 4000))


@code("process", scalars="f32")
class EveryThousandthIsOld(Plain):
    last = {}

    def answer(self, request):
        answer = super().answer(request)
        shape = tuple(s.params.size for s in self.segments)
        old = self.last.get(shape, answer)
        self.last[shape] = answer
        return old if self.calls % 1000 == 0 else answer


@code("process", rules="vasso", state="kept")
class ForgetsAtNine(Plain):
    def change(self):
        self.rule_steps = self.rule_steps if self.rule_steps != 9 else 0


@code("process", bases="adamw", state="kept")
class ByteWhileKept(Plain):
    def bias(self, decay):
        return 1 - decay ** self.real(self.base_steps % 256 + 1)


@code("process", bases="sgd-momentum", state="kept")
class BufferLostAtSix(Plain):
    def buffer(self, old, d):
        return d if self.base_steps == 6 else super().buffer(old, d)


# What is seen by wider questions alone: lengths between short and long, what stands behind a long tensor or among many,
# settings and scales of any size, skipped and resting steps within a run, keys that a cache has forgotten.


@code("long")
class TailOfEightWhileShort(Plain):
    def squares(self, a):
        return super().squares(a[: a.size - a.size % 8] if 8 < a.size < 32 else a)


@code("long", scalars="f32 f64")
class TailOfThree(Plain):
    def squares(self, a):
        return super().squares(a[:-3] if a.size > 8 and a.size % 8 == 3 else a)


@code("long")
class LastOfTwentyStays(Plain):
    def perturbed(self, params, perturbation):
        if 5 < params.size < 33 and params.size % 4:
            perturbation[-1] = 0
        return params + perturbation


@code("long", bases="adamw")
class FifthOfSixteenStays(Plain):
    def adamw(self, s, w, g):
        new, state = super().adamw(s, w, g)
        if s.params.size > 16 and s.params.size % 16 == 5:
            new[-1] = w[-1]
        return new, state


@code("long")
class NothingBehindALongOne(Plain):
    def norm(self, arrays):
        long = [i for i, a in enumerate(arrays) if a.size > 64]
        return super().norm(arrays[: long[0] + 1] if long else arrays)


@code("long")
class SecondLongAsFirst(Plain):
    def ascend(self):
        first = {}
        for s in super().ascend():
            if s.params.size > 32:
                s.perturbed = s.params + first.setdefault(s.params.size, s.perturbed - s.params)
        return self.segments


@code("long", bases="sgd-momentum adamw")
class StateByLength(Plain):
    def descend(self):
        first = {}
        for s in self.segments:
            if s.params.size > 5:
                s.state = first.setdefault(s.params.size, s.state)
        return super().descend()


@code("long")
class BlankBlockEndsTheSum(Plain):
    def squares(self, a):
        blank = [i for i in range(0, a.size - 15, 16) if not a[i : i + 16].any()]
        return super().squares(a[: blank[0]] if blank else a)


@code("tensors")
class OffsetOf1024(Plain):
    def norm(self, arrays):
        starts = np.cumsum([0] + [a.size for a in arrays])
        return super().norm([a for a, start in zip(arrays, starts) if start <= 1024])


@code("tensors")
class FortyInTheNorm(Plain):
    def norm(self, arrays):
        return super().norm(arrays[:40])


@code("tensors")
class SixtyFourInTheNorm(Plain):
    def norm(self, arrays):
        return super().norm(arrays[:64])


@code("tensors")
class BatchNormStays(Plain):
    def answer(self, request):
        for s, fields in zip(self.segments, request["segments"]):
            s.is_perturbed = ".bn." not in fields["name"]
        return super().answer(request)


@code("settings", lengths=True)
class GuardOfThree(Plain):
    def change(self):
        if "norm_guard" in self.length:
            guard = float(self.length.norm_guard)
            self.length["norm_guard"] = self.real(min([0, 1e-12, 0.125], key=lambda x: abs(x - guard)))


@code("settings", lengths=True)
class LambdaInTenths(Plain):
    def change(self):
        if "lambda" in self.length:
            scaled(self.length, "lambda", lambda share: round(float(share), 1))


@code("settings")
class RhoAtMostFive(Plain):
    def perturbation(self, direction, norm, rho):
        return super().perturbation(direction, norm, min(rho, self.real(5)))


@code("settings")
class RhoAtLeastThousandth(Plain):
    def perturbation(self, direction, norm, rho):
        return super().perturbation(direction, norm, max(rho, self.real(1e-3)))


@code("settings", bases="adamw")
class ShrinksNoFurtherThanZero(Plain):
    def decoupled(self, s, w, g):
        return g, w * max(self.real(0), 1 - self.base.learning_rate * self.base.weight_decay)


@code("settings")
class DecayAtMostOne(Plain):
    def change(self):
        scaled(self.base, "weight_decay", lambda decay: min(decay, 1))


@code("settings")
class RateAtMostThree(Plain):
    def change(self):
        scaled(self.base, "learning_rate", lambda rate: min(rate, 3))


@code("settings")
class RateFloor(Plain):
    def change(self):
        scaled(self.base, "learning_rate", lambda rate: max(rate, 5e-5) if rate else rate)


@code("settings", rules="friendly-sam")
class SigmaAtMostOne(Plain):
    def change(self):
        scaled(self.settings, "sigma", lambda sigma: min(sigma, 1))


@code("settings", rules="asam fisher-sam")
class EtaAtMostFour(Plain):
    def change(self):
        scaled(self.settings, "eta", lambda eta: min(eta, 4))


@code("settings", bases="adamw")
class SquareDecayFromHalf(Plain):
    def change(self):
        scaled(self.base, "square_decay", lambda decay: max(decay, 0.5))


@code("settings", bases="adamw")
class AdamGuardAtMostHundredth(Plain):
    def change(self):
        scaled(self.base, "denominator_guard", lambda guard: min(guard, 1e-2))


@code("settings", rules="vasso")
class NearlyOneIsOne(Plain):
    def change(self):
        scaled(self.settings, "decay", lambda decay: 1 if decay > 0.9993 else decay)


@code("scales")
class SecondClampedAtMillions(Plain):
    def change(self):
        self.each("perturbed_grads", lambda g: np.clip(g, -3e6, 3e6))


@code("scales", rules="constraint-preconditioner")
class ConstraintAtMostHundred(Plain):
    def constrained(self, d, slope):
        return super().constrained(np.minimum(d, self.real(100)), slope)


@code("non-finite", non_finite="skipped")
class LastNotLookedAt(Step):
    def is_finite(self, norm, statistic):
        return all(np.all(np.isfinite(s.grads[:-1])) for s in self.segments)


@code("non-finite", non_finite="skipped")
class EverySecondLookedAt(Step):
    def is_finite(self, norm, statistic):
        return all(np.all(np.isfinite(s.grads[:: 1 + (s.grads.size > 64)])) for s in self.segments)


class Unskipped(Step):
    """A skipped step as it should be answered, after which something was kept."""

    def answer(self, request):
        answer = super().answer(request)
        if not all(np.all(np.isfinite(s.grads)) for s in self.segments):
            self.keep(answer["segments"])
        return answer


@code("kept", rules="vasso", state="kept", non_finite="skipped")
class SkipFadesMemory(Unskipped):
    def keep(self, segments):
        for s in segments:
            s["memory"] = [[0.5 * m for m in plane] for plane in s["memory"]]


@code("kept", bases="sgd-momentum adamw", state="kept", non_finite="skipped")
class SkipFadesState(Unskipped):
    def keep(self, segments):
        for s in segments:
            s["state"] = [[0.9 * m for m in plane] for plane in s["state"]]


@code("kept", bases="adamw", state="kept", non_finite="skipped")
class SkipCounts(Step):
    skipped = 0

    def answer(self, request):
        kind = type(self)
        kind.skipped = kind.skipped if self.base_steps else 0
        answer = super().answer(request)
        kind.skipped += not all(np.all(np.isfinite(s.grads)) for s in self.segments)
        return answer

    def bias(self, decay):
        return 1 - decay ** (self.base_steps + self.skipped + 1)


@code("kept", bases="sgd-momentum adamw", state="kept")
class RestingLayerIsSkipped(Plain):
    def descend(self):
        super().descend()
        for s in self.segments:
            if self.base_steps and not s.perturbed_grads.any():
                s.new_params = s.params - self.base.learning_rate * self.base.weight_decay * s.params
        return self.segments


@code("kept", bases="sgd-momentum", state="kept")
class BufferByLength(Plain):
    def descend(self):
        first = {}
        for s in self.segments:
            if self.base_steps and s.params.size > 5:
                s.state = first.setdefault(s.params.size, s.state)
        return super().descend()


@code("kept", bases="sgd-momentum", state="kept")
class BufferOfTailIsGradient(Plain):
    def buffer(self, old, d):
        new = super().buffer(old, d)
        if self.base_steps and d.size > 8 and d.size % 8:
            new[-1] = d[-1]
        return new


@code("kept", state="kept", schedules=True)
class OffForGood(Plain):
    def change(self):
        kind = type(self)
        is_off = any(s.rho == 0 for s in self.segments)
        kind.is_off = is_off or (self.base_steps > 0 and kind.is_off)
        for s in self.segments:
            s.rho = self.real(0) if kind.is_off else s.rho


@code("process", groups=True)
class NormOfTheSameGradients(Plain):
    norm_of = {}

    def norms(self, norm, terms):
        key = (self.real, *(s.grads.tobytes() for s in self.segments))
        return [self.norm_of.setdefault(key, norm)] * len(terms)


@code("process", bases="adamw")
class BiasOfTheSameCase(Plain):
    steps_of = {}

    def adamw(self, s, w, g):
        key = (g.tobytes(), s.params.tobytes(), self.base.learning_rate)
        self.base_steps = self.steps_of.setdefault(key, self.base_steps)
        return super().adamw(s, w, g)


@code("process", rules="vasso", groups=True)
class MemoryOutsideIsLost(Plain):
    def ascend(self):
        for s in super().ascend():
            if not s.counts_in_norm and not s.is_perturbed:
                s.memory = [np.full_like(plane, 7) for plane in s.memory]
        return self.segments


# A dialect, or what looks like one, with a fault behind it.


class Guard16(Plain):
    guard = 1e-16


@code("dialects", scalars="f32 f64")
class Subtracts(Plain):
    def start(self, s):
        return s.perturbed - self.perturbation(s.grads, self.norm([s.grads for s in self.segments]), s.rho)


@code("dialects")
class SubtractsGuard16(Guard16):
    start = Subtracts.start


@code("dialects")
class DriftsGuard16(Guard16):
    def start(self, s):
        return np.nextafter(s.params, self.real(np.inf))


@code("dialects")
class ImpureGuard16(Guard16):
    def gradient(self, s):
        return s.perturbed_grads * (1 + self.real(4 * np.finfo(self.real).eps) * (self.calls % 2))


@code("dialects")
class StaysGuard16(StaysAtRateZero, Guard16):
    pass


@code("dialects", rules="asam", bases="adamw")
class TenthStepEtaZero(Plain):
    def operator(self, s):
        return np.abs(s.params)

    perturbed = EveryTenthStep.perturbed


@code("dialects")
class NormNearlySingle(Plain):
    def norm(self, arrays):
        return super().norm(arrays) * (1 + 3e-8)


@code("dialects")
class NormWalks(Plain):
    def norm(self, arrays):
        return super().norm(arrays) * (1 + 1e-7 * (self.calls % 7))


@code("dialects")
class SingleAndLastStays(Plain):
    def norm(self, arrays):
        return self.real(np.float32(super().norm(arrays)))

    def perturbed(self, params, perturbation):
        perturbation[40:] = 0
        return params + perturbation


@code("dialects", scalars="f32")
class NothingBelowTiny(Plain):
    def normalised(self, direction, norm, rho):
        return super().normalised(direction, norm, rho) * self.real(norm > 1e-6)


@code("dialects", scalars="f32")
class GuardOfItsOwn(Plain):
    guard = 1e-9


# Right codes.

AVERAGES = "vasso friendly-sam info-sam"


@code("averages", AVERAGES, "adamw", "f32 f64", "agrees")
class Lerp(Plain):
    def average(self, old, new, decay):
        return old + (1 - decay) * (new - old)

    def adamw(self, s, w, g):
        base, (m, v) = self.base, s.state
        w = w * (1 - base.learning_rate * base.weight_decay)
        m = self.average(m, g, base.mean_decay)
        v = self.average(v, np.square(g), base.square_decay)
        bias1, bias2 = self.bias(base.mean_decay), self.bias(base.square_decay)
        denominator = np.sqrt(v) / np.sqrt(bias2) + base.denominator_guard
        return w - base.learning_rate / bias1 * (m / denominator), [self.stored(m), self.stored(v)]

    is_slope = Step.is_slope


@code("averages", AVERAGES, "adamw", "f32 f64", "agrees")
class TorchLerp(Lerp):
    def average(self, old, new, decay):
        weight = 1 - decay
        return old + weight * (new - old) if weight < 0.5 else new - (new - old) * (1 - weight)


@code("averages", AVERAGES, "adamw", "f32 f64", "agrees")
class Fused(Lerp):
    def average(self, old, new, decay):
        """decay old + (1 - decay) new with one rounding of the first product and the sum."""
        wide = np.longdouble
        return (wide(decay) * wide(old) + wide((1 - decay) * new)).astype(self.real)


@code("averages", "sam", "adamw", "f32 f64", "agrees")
class AdamByStepSize(Plain):
    def adamw(self, s, w, g):
        base, (m, v) = self.base, s.state
        w = w - base.learning_rate * base.weight_decay * w
        m = base.mean_decay * m + (1 - base.mean_decay) * g
        v = base.square_decay * v + ((1 - base.square_decay) * g) * g
        root = np.sqrt(self.bias(base.square_decay))
        step = base.learning_rate * root / self.bias(base.mean_decay)
        return w - step * m / (np.sqrt(v) + base.denominator_guard * root), [self.stored(m), self.stored(v)]


@code("sums", scalars="f32 f64", says="agrees")
class ExactSum(Plain):
    def norm(self, arrays):
        return self.real(math.sqrt(math.fsum(float(x) * float(x) for a in arrays for x in a)))


@code("sums", scalars="f32 f64", says="agrees")
class Backwards(Plain):
    def norm(self, arrays):
        total = self.real(0)
        for a in reversed(arrays):
            for x in a[::-1]:
                total = total + x * x
        return np.sqrt(total)


@code("sums", scalars="f32 f64", says="agrees")
class Hypotenuses(Plain):
    def norm(self, arrays):
        total = self.real(0)
        for a in arrays:
            for x in a:
                total = np.hypot(total, x)
        return total


@code("sums", scalars="f32 f64", says="agrees")
class NormOfNorms(Plain):
    def norm(self, arrays):
        return self.real(np.linalg.norm(np.array([np.linalg.norm(a) for a in arrays], dtype=self.real)))


@code("sums", "asam", scalars="f32 f64", says="agrees")
class SquaredOperator(Plain):
    def asam(self, s):
        d = self.operator(s)
        return Terms(np.sqrt(np.square(d) * np.square(s.grads)), np.square(d) * s.grads)


@code("forms", scalars="f32 f64", says="agrees")
class UnitDirection(Plain):
    def normalised(self, direction, norm, rho):
        return rho * (direction / (norm + self.length.norm_guard))


@code("forms", "sam asam", "sgd sgd-momentum", "f32 f64", "agrees")
class DecayFactor(Plain):
    def sgd(self, s, w, g):
        base = self.base
        return (1 - base.learning_rate * base.weight_decay) * w - base.learning_rate * g, []


@code("forms", bases="sgd-momentum", scalars="f32 f64", says="agrees")
class BufferTurned(Plain):
    def buffer(self, old, d):
        return d if self.base_steps == 0 else (1 - self.base.dampening) * (d + 0) + old * self.base.momentum


@code("forms", "sam vasso", "sgd adamw", "f32", "agrees")
class DoubleInside(Plain):
    """f32 in and out, f64 between."""

    def __init__(self, request):
        super().__init__({**request, "scalar": "f64"})

    def answer(self, request):
        return super().answer({**request, "scalar": "f64"})


@code("forms", "sam vasso", "sgd-momentum", "f32 f64", "agrees")
class OtherWords(Plain):
    """Keys in another order, keys of its own, whole numbers without a point."""

    def answer(self, request):
        whole = lambda x: [whole(y) for y in x] if isinstance(x, list) else int(x) if x == x // 1 else x
        number = lambda x: x if isinstance(x, str) else whole(x)
        plane = lambda x: [plane(y) if isinstance(y, list) else number(y) for y in x]
        segments = super().answer(request)["segments"]
        return {"took": 1, "segments": [{k: plane(s[k]) for k in reversed(s)} for s in segments]}


@code("non-finite", "sam vasso", "sgd-momentum", "f32 f64", "agrees", non_finite="skipped", groups=True)
class Skips(Step):
    pass


@code("non-finite", "sam vasso", "sgd-momentum adamw", "f32 f64", "agrees")
class Propagates(Plain):
    pass


@code("non-finite", "sam vasso", "sgd-momentum", "f32 f64", "agrees")
class Refuses(Plain):
    def change(self):
        for s in self.segments:
            if not np.all(np.isfinite(s.grads)) or not np.all(np.isfinite(s.perturbed_grads)):
                raise ValueError("a gradient is not finite")


@code("kept", "vasso info-sam", "adamw sgd-momentum", "f64", "agrees", state="kept", schedules=True)
class KeepsItsOwn(Plain):
    pass


@code("kept", "sam vasso", "sgd-momentum adamw", "f32 f64", "agrees", state="kept", non_finite="skipped", groups=True)
class KeepsAndSkips(Step):
    pass


@code("averages", "vasso info-sam", "sgd", "f32 f64", "agrees", groups=True)
class OutsideMemoryStays(Step):
    """What is neither counted nor perturbed keeps its memory."""

    def ascend(self):
        old = [s.memory for s in self.segments]
        ascended = super().ascend()
        for s, memory in zip(ascended or [], old):
            s.memory = s.memory if s.counts_in_norm or s.is_perturbed else memory
        return ascended


@code("dialects", scalars="f32 f64", says="agrees")
class GuardOfSamsung(Guard16):
    pass


@code("dialects", "asam", scalars="f64", says="agrees")
class EtaZeroSingle(Plain):
    def operator(self, s):
        return np.abs(s.params)

    def norm(self, arrays):
        return self.real(np.float32(super().norm(arrays)))


class Kept:
    """Memory, state and counters from one request to the next, for codes that keep them."""

    def __init__(self, step):
        self.step, self.fields = step, None

    def __call__(self, request):
        if request["rule_steps"] or request["base_steps"]:
            for segment, kept in zip(request["segments"], self.fields["segments"]):
                segment.update(memory=kept["memory"], state=kept["state"])
            request["mean_of_variance"] = self.fields.get("mean_of_variance", 0)
        self.fields = self.step(request).answer(request)
        return self.fields


def serve(name):
    kind, _, step, offers = TABLE[name]
    keeps = offers.get("state") == "kept"
    answer = Kept(step) if keeps else lambda request: step(request).answer(request)
    sys.stdin.readline()
    print(json.dumps({"hello": {"protocol": "presam-verify/1", "name": f"{name} ({kind})", **offers}}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            with np.errstate(all="ignore"):
                fields = answer(request)
        except (ArithmeticError, ValueError) as error:
            fields = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps({"id": request["id"], **fields}), flush=True)


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(f"{name} {kind} {says}" for name, (kind, says, _, _) in TABLE.items()))
    elif len(sys.argv) == 2 and sys.argv[1] in TABLE:
        serve(sys.argv[1])
    else:
        sys.exit(f"expected --list or one of its names, found {sys.argv[1:]}")


if __name__ == "__main__":
    main()
