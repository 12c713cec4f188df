"""What can be asked for by name, and what a front hands to the compiled module."""

import math
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from . import _presam

RHO = (
    "rho: expected a radius, found none. It has no default, since it depends on the network. Published starting "
    "points: 0.05 to 0.2 for sam and for info-sam (Foret et al. 2021, arXiv 2010.01412: 0.05 on CIFAR and ImageNet), "
    "0.5 to 2 for asam and for info-asam (Kwon et al. 2021, arXiv 2102.11600)"
)


class Key(NamedTuple):
    """A setting of a rule."""

    name: str
    default: float
    limits: str
    meaning: str


class Rule(NamedTuple):
    """A variant (planes: memory, inputs) or a base optimizer (planes: state); planes are floats a parameter. A step takes
    one gradient, or two."""

    name: str
    aliases: List[str]
    formula: str
    keys: List[Key]
    source: str
    planes: List[int]
    one_gradient: bool


def rules(rows) -> Dict[str, Rule]:
    made = (Rule(name, aliases, formula, [Key(*k) for k in keys], *rest)
            for name, aliases, formula, keys, *rest in rows)
    return {rule.name: rule for rule in made}


def variants() -> Dict[str, Rule]:
    """Every variant by name: its formula, its keys with defaults and limits, its source."""
    return rules(_presam.variants_list())


def bases() -> Dict[str, Rule]:
    """Every base optimizer of the library by name, with the library's names of its keys."""
    return rules(_presam.bases_list())


# A front's names of a base optimizer's settings with their defaults: those of torch.optim.
BASE_SETTINGS: Dict[str, Dict[str, Any]] = {
    "sgd": {"lr": 1e-3, "weight_decay": 0.0, "momentum": 0.0, "dampening": 0.0, "nesterov": False},
    "adamw": {"lr": 1e-3, "weight_decay": 1e-2, "betas": (0.9, 0.999), "eps": 1e-8},
}
# What a method does with both gradients: its settings and defaults.
DESCENTS: Dict[str, Dict[str, Any]] = {
    "gsam": {"alpha": 0.4},
    "wsam": {"gamma": 0.9, "decoupled": True},
    "saner": {"alpha": 0.5},
    "look-sam": {"alpha": 0.7, "every": 5},
}
GROUP = {"operator": True, "counted": True, "perturbed": True, "maximize": False}


def variant_named(name: str) -> Rule:
    """By name or alias."""
    found = next((v for v in variants().values() if name == v.name or name in v.aliases), None)
    if found is None:
        raise ValueError(f"variant: expected one of {', '.join(variants())}, found {name!r}")
    return found


def checked_rho(rho: Any) -> float:
    """A radius; without one the message says where to begin."""
    if rho is None:
        raise TypeError(RHO)
    return within("rho", rho, "a number from 0 to below 2^31", lambda x: 0 <= x < 2**31)


def within(name: str, value: Any, expected: str, holds) -> float:
    value = float(value)
    if not holds(value):
        raise ValueError(f"{name}: expected {expected}, found {value}")
    return value


class Method:
    """A variant, a length rule and a descent, with their settings checked."""

    def __init__(self, variant: str, keys: Dict[str, float], length: str, length_lambda: float, norm_guard: float,
                 descent: Optional[str], descent_keys: Dict[str, Any]):
        self.variant = variant_named(variant)
        self.keys = [(name, float(value)) for name, value in keys.items()]
        lambdas = {"normalised": 1.0, "unnormalised": 0.0, "mixed": length_lambda}
        if length not in lambdas:
            raise ValueError(f"length: expected one of {', '.join(lambdas)}, found {length!r}")
        self.length = (float(lambdas[length]), float(norm_guard))
        self.memory, self.inputs = self.variant.planes
        self.one_gradient = self.variant.one_gradient
        if self.one_gradient and descent is not None:
            raise ValueError(f"descent: expected none with momentum-sam, which takes one gradient, found {descent!r}")
        self.every = 1
        self.descent = ("plain", 0.0)
        if descent is not None:
            self.descent = self._descent(descent, descent_keys)
        self.mixes = self.descent[0] != "plain"
        # Refused now rather than in the first step.
        self.engine("f64", None, [])

    def _descent(self, name: str, given: Dict[str, Any]) -> Tuple[str, float]:
        keys = {**DESCENTS[name], **given}
        if name == "look-sam":
            self.every = int(within("every", keys["every"], "a whole number from 1 up", lambda x: x >= 1 and x % 1 == 0))
        if name == "wsam":
            return ("wsam-decoupled" if keys["decoupled"] else "wsam", float(keys["gamma"]))
        return (name, float(keys["alpha"]))

    def engine(self, scalar: str, base: Optional[Tuple[str, List[str]]], names: Sequence[str]):
        """A compiled engine of this method over a base optimizer with its keys; `names` are those of a group's numbers."""
        return _presam.Engine(scalar, self.variant.name, self.keys, base, names, self.length, self.descent)


def parted(variant: str, descent: Optional[str], base_settings: Dict[str, Any], keys: Dict[str, Any], spare: bool):
    """`keys` in three: the variant's, the descent's, the base optimizer's. What nobody knows is refused, unless
    `spare` says that the base optimizer may know it."""
    if descent is not None and descent not in DESCENTS:
        raise ValueError(f"descent: expected one of {', '.join(DESCENTS)}, found {descent!r}")
    owners = [{key.name for key in variant_named(variant).keys}, set(DESCENTS.get(descent, ())), set(base_settings)]
    parts: List[Dict[str, Any]] = [{}, {}, {}]
    for name, value in keys.items():
        owner = next((k for k, names in enumerate(owners) if name in names), 2 if spare else None)
        if owner is None:
            known = ", ".join(sorted(set().union(*owners)))
            raise TypeError(f"{name}: expected a key of {variant} or of its base optimizer ({known}), found {name!r}")
        if sum(name in names for names in owners) > 1:
            raise TypeError(f"{name}: a key of {variant} and an argument of the base optimizer; "
                            "give the latter in base_options")
        parts[owner][name] = value
    return parts


class Base:
    """A base optimizer of the library under torch's names, and the names of a group's numbers in the module's order."""

    def __init__(self, name: str, momentum: bool):
        if name not in BASE_SETTINGS:
            expected = " or ".join(repr(n) for n in BASE_SETTINGS)
            raise ValueError(f"base: expected {expected} (or a torch optimizer class, in presam.torch), found {name!r}")
        self.name = name
        if name == "adamw":
            self.core, self.keys = "adamw", ["mean_decay", "square_decay", "denominator_guard"]
            self.state, self.names = ["exp_avg", "exp_avg_sq"], (*COMMON, "betas", "eps")
        elif momentum:
            self.core, self.keys = "sgd-momentum", ["momentum", "dampening", "nesterov"]
            self.state, self.names = ["momentum_buffer"], (*COMMON, *self.keys)
        else:
            # The momentum is read too, to be refused where it is no longer 0.
            self.core, self.keys, self.state, self.names = "sgd", [], [], (*COMMON, "momentum")


# The numbers of a group in the module's order.
ALONE = ("rho", "operator", "counted", "perturbed", "maximize")
COMMON = (*ALONE, "lr", "weight_decay")


# By the compiled modules' numbers; the last three are a GPU's.
OUTCOMES = ("perturbed", "zero-norm", "non-finite", "queued", "base", "reused")


class Report(NamedTuple):
    """What the last step did, and the run so far."""

    outcome: Optional[str]
    """"perturbed"; "zero-norm": nothing to follow, the base optimizer stepped alone; "non-finite": nothing has
    changed; "reused": LookSAM's step without a second gradient; "base": `base_step`; None before the first step. On a GPU
    it is read when it is asked for, and what a call returns is "queued", or "reused" whatever becomes of the step."""
    norm: float
    """|| D C g ||, what rho is divided by; in the gradient's unit for sam."""
    steps: int
    """Steps begun."""
    perturbed: float
    """Share of them that were perturbed, 0 to 1; nan on a GPU, where nobody looked."""
    distance: float
    """|| g~ - g || / || g || when it was last looked at; nan before. 0 means that the second gradient is the first."""
    distance_step: int
    """The step in which it was looked at, counted from 1; 0 before."""


# What of a watch is saved.
WATCHED = ("steps", "perturbed", "distance", "distance_step")


class Watch:
    """Counts steps and says which of them are to be looked at closely."""

    def __init__(self, every: int):
        self.every = int(within("watch", every, "a whole number from 0 (never) up", lambda x: x >= 0 and x % 1 == 0))
        self.steps = self.perturbed = self.distance_step = 0
        self.outcome: Optional[str] = None
        self.norm = self.distance = math.nan

    def due(self) -> bool:
        """The first three steps and then every `every`-th."""
        return self.every > 0 and (self.steps < 3 or self.steps % self.every == 0)

    def began(self, outcome: str, norm: float) -> None:
        self.outcome, self.norm = outcome, norm
        self.steps += 1
        self.perturbed += math.nan if outcome == "queued" else outcome == "perturbed"

    def saw(self, distance: float) -> None:
        self.distance, self.distance_step = distance, self.steps

    def report(self) -> Report:
        share = self.perturbed / max(1, self.steps)
        return Report(self.outcome, self.norm, self.steps, share, self.distance, self.distance_step)


EQUAL_GRADIENTS = (
    "presam: both gradients of a step are equal in every bit although the parameters were perturbed: the second one "
    "was not taken at the perturbed parameters (is the closure run anew? is the loss computed inside it?), or the "
    "radius is too small to show"
)
