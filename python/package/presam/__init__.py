"""Sharpness-aware minimisation (SAM) as one fused step: every variant, f32 and f64, in place.

    presam.torch.SAM     a torch.optim.Optimizer
    presam.numpy.SAM     the same step over numpy arrays, for trainers of your own
    presam.verify        `presam verify --exec 'python -m presam.verify'`

`variants()` and `bases()` list what there is by name. Neither torch nor numpy is imported before the module
that needs it.
"""

from ._names import Key, Rule, bases, variants
from ._presam import VERSION as __version__
from ._presam import gsam_rho

__all__ = ["Key", "Rule", "__version__", "bases", "gsam_rho", "variants"]
