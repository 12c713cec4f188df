"""The compiled module. Every address is a promise: see `Engine`."""

from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

VERSION: str

_Key = Tuple[str, float, str, str]
_Row = Tuple[str, List[str], str, List[_Key], str, List[int], bool]
_RuleCounters = Tuple[int, float, float]
_BaseCounters = List[Tuple[int, float, float]]
_Decide = Optional[Callable[[bool], bool]]
_Groups = List[Dict[str, Any]]
_Grads = Optional[Sequence[int]]

def variants_list() -> List[_Row]: ...
def bases_list() -> List[_Row]: ...
def gsam_rho(rho: Tuple[float, float], rate: Tuple[float, float], learning_rate: float) -> float:
    """GSAM's radius, which follows the learning rate; both pairs are (least, greatest). Source: arXiv 2203.08065."""

class Engine:
    """One optimizer's step over tensors by address. Whoever calls it promises that every address stands for so many
    numbers of its scalar type, alive and used by no one else until the call returns. Outcomes are numbers: 0 perturbed
    (finite), 1 zero norm, 2 not finite. `names` are those of a group's rho, operator, counted, perturbed, maximize, learning
    rate, weight decay, then of the base optimizer's own in the order of its keys. Gradients are addresses, 0 for none, or
    None to look for them: the outcome is then None, and nothing done, where `look` says no. A `max_norm` of None is no
    limit. Errors: ValueError, before anything is written."""

    def __init__(
        self,
        scalar: str,
        variant: str,
        keys: Sequence[Tuple[str, float]],
        base: Optional[Tuple[str, Sequence[str]]],
        names: Sequence[str],
        length: Tuple[float, float],
        descent: Tuple[str, float],
    ) -> None: ...
    @property
    def planes(self) -> List[int]:
        """Planes of memory, inputs and state of each tensor."""
    def set_tensors(self, tensors: Sequence[Tuple[int, int, Sequence[int]]]) -> None:
        """Length, group, and addresses of params, backup, first gradient (or 0), sharp part (or 0), memory, inputs,
        state. Counters of base optimizers begin anew."""
    def set_seats(self, table: Any, plain: type, groups: _Groups, there: Sequence[bool]) -> None:
        """After `set_tensors`, torch's parameters (kept alive by the caller) and which of them are in that list."""
    def look(self, groups: _Groups) -> bool:
        """Whether parameters are the same, where they were and of the same layout, and every gradient lies as its
        parameter does (one without a seat has none)."""
    def ascend(
        self, grads: _Grads, groups: _Groups, unscale: float, momentum: bool, threads: int, decide: _Decide
    ) -> Optional[Tuple[int, float]]: ...
    def descend(
        self, grads: _Grads, groups: _Groups, unscale: float, max_norm: Optional[float], threads: int, decide: _Decide,
        alone: bool,
    ) -> Optional[int]:
        """`alone`, without a first half, the gradients are taken as they are."""
    def reuse(
        self, grads: _Grads, groups: _Groups, unscale: float, max_norm: Optional[float], threads: int, decide: _Decide
    ) -> Optional[int]: ...
    def restore(self) -> int: ...
    def counters(self) -> Tuple[_RuleCounters, _BaseCounters]: ...
    def set_counters(self, rule: _RuleCounters, base: Sequence[Tuple[int, float, float]]) -> None: ...
    def resume(self, groups: _Groups, rule_steps: int, mean: float, base_steps: int) -> None: ...
