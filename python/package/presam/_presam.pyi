"""The compiled module. Every address is a promise: see `Engine`."""

from typing import Callable, List, Optional, Sequence, Tuple

VERSION: str

_Key = Tuple[str, float, str, str]
_Row = Tuple[str, List[str], str, List[_Key], str, List[int]]
_RuleCounters = Tuple[int, float, float]
_BaseCounters = List[Tuple[int, float, float]]
_Decide = Optional[Callable[[bool], bool]]
_Groups = Sequence[Sequence[float]]

def variants_list() -> List[_Row]: ...
def bases_list() -> List[_Row]: ...
def gsam_rho(rho: Tuple[float, float], rate: Tuple[float, float], learning_rate: float) -> float:
    """GSAM's radius, which follows the learning rate; both pairs are (least, greatest). Source: arXiv 2203.08065."""

class Engine:
    """One optimizer's step over tensors by address. Whoever calls it promises that every address stands for so many
    numbers of its scalar type, alive and used by no one else until the call returns. Outcomes are numbers: 0 perturbed
    (finite), 1 zero norm, 2 not finite. A group is rho, operator, counted, perturbed, maximize, learning rate, weight
    decay, then the base optimizer's own in the order of `base_keys`. Errors: ValueError, before anything is written."""

    def __init__(
        self,
        scalar: str,
        variant: str,
        keys: Sequence[Tuple[str, float]],
        base: Optional[str],
        base_keys: Sequence[str],
        length: Tuple[float, float],
        descent: Tuple[str, float],
    ) -> None: ...
    @property
    def planes(self) -> List[int]:
        """Planes of memory, inputs and state of each tensor."""
    def set_tensors(self, tensors: Sequence[Tuple[int, int, Sequence[int]]]) -> None:
        """Length, group, and addresses of params, backup, first gradient (or 0), sharp part (or 0), memory, inputs,
        state. Counters of base optimizers begin anew."""
    def ascend(
        self, grads: Sequence[int], groups: _Groups, unscale: float, momentum: bool, threads: int, decide: _Decide
    ) -> Tuple[int, float]: ...
    def descend(
        self, grads: Sequence[int], groups: _Groups, unscale: float, max_norm: float, threads: int, decide: _Decide
    ) -> int: ...
    def reuse(
        self, grads: Sequence[int], groups: _Groups, unscale: float, max_norm: float, threads: int, decide: _Decide
    ) -> int: ...
    def keep_first(self, grads: Sequence[int]) -> None: ...
    def restore(self) -> int: ...
    def counters(self) -> Tuple[_RuleCounters, _BaseCounters]: ...
    def set_counters(self, rule: _RuleCounters, base: Sequence[Tuple[int, float, float]]) -> None: ...
    def resume(self, groups: _Groups, rule_steps: int, mean: float, base_steps: int) -> None: ...
