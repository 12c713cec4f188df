"""Whether the second gradient is another one than the first."""

import math
from typing import List, Tuple

import torch


@torch.no_grad()
def apart(kept: List[Tuple[torch.Tensor, torch.Tensor]]) -> Tuple[float, bool]:
    """|| g~ - g || / || g || over parameters with a copy of their first gradient, nan for a zero g; and whether both are
    equal in every bit."""
    pairs = [(first, p.grad) for p, first in kept if p.grad is not None]
    between = sum((g - first).double().square().sum().item() for first, g in pairs)
    whole = sum(first.double().square().sum().item() for first, _ in pairs)
    equal = all(torch.equal(first, g) for first, g in pairs)
    return (math.sqrt(between / whole) if whole else math.nan), equal
