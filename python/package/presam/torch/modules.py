"""What a model needs around a step: groups of its parameters, batch statistics that are counted once."""

from typing import Any, Dict, List, Optional, Tuple

import torch
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.instancenorm import _InstanceNorm

NORMS = tuple(
    getattr(torch.nn, name)
    for name in ("LayerNorm", "GroupNorm", "RMSNorm", "LocalResponseNorm", "CrossMapLRN2d")
    if hasattr(torch.nn, name)
) + (_NormBase,)


def groups(model: torch.nn.Module, **options: Any) -> List[Dict[str, Any]]:
    """The parameters of a model in two groups, each parameter once: weights; and biases and norm layers, without
    ASAM's operator and without weight decay. `options` go to both.

        SAM(groups(model), "asam", rho=1.0, lr=0.1, weight_decay=5e-4)

    Source: the authors' ASAM leaves biases out of its operator (Kwon et al. 2021, section 4).
    """
    weights: List[torch.nn.Parameter] = []
    others: List[torch.nn.Parameter] = []
    seen = set()
    for module in model.modules():
        for name, p in module.named_parameters(recurse=False):
            if id(p) in seen:
                continue
            seen.add(id(p))
            plain = isinstance(module, NORMS) or p.ndim < 2 or name.startswith("bias")
            (others if plain else weights).append(p)
    plain_options = {"operator": False, "weight_decay": 0.0, **options}
    made = [{"params": weights, **options}, {"params": others, **plain_options}]
    return [group for group in made if group["params"]]


def still(module: torch.nn.Module) -> List[Tuple[torch.Tensor, torch.Tensor]]:
    """Makes a layer leave its statistics alone, or returns those that it will write, with what they are now."""
    if not isinstance(module, _InstanceNorm):
        module.track_running_stats = False
        return []
    # Without the switch it would take those of the batch in evaluation mode too.
    return [(b, b.clone()) for b in (module.running_mean, module.running_var)]


class BatchNormOnce:
    """Batch normalisation that does not count while the parameters are perturbed: see `batch_norm_once`."""

    def __init__(self, model: torch.nn.Module, optimizer=None):
        self.layers = [m for m in model.modules() if isinstance(m, _NormBase) and m.track_running_stats]
        self._frozen: Optional[List[Tuple[torch.nn.Module, List[Tuple[torch.Tensor, torch.Tensor]]]]] = None
        self._optimizer = optimizer
        if optimizer is not None:
            if optimizer._method.one_gradient:
                raise ValueError("batch_norm_once: momentum-sam has one pass, which counts; leave it out")
            optimizer._listeners.append(self)

    def perturbed(self) -> None:
        """Statistics stand still from here; layers in evaluation mode go on using theirs."""
        if self._frozen is None:
            self._frozen = [(m, still(m)) for m in self.layers if m.track_running_stats]

    def rested(self) -> None:
        """Statistics are counted again."""
        for module, statistics in self._frozen or ():
            module.track_running_stats = True
            for now, before in statistics:
                now.copy_(before)
        self._frozen = None

    def remove(self) -> None:
        """The optimizer no longer tells it."""
        self.rested()
        if self._optimizer is not None:
            self._optimizer._listeners.remove(self)
            self._optimizer = None

    def __enter__(self) -> "BatchNormOnce":
        self.perturbed()
        return self

    def __exit__(self, *_: Any) -> None:
        self.rested()


def batch_norm_once(model: torch.nn.Module, optimizer=None) -> BatchNormOnce:
    """Each batch enters the running statistics of batch normalisation once: from the first pass of a step.

        batch_norm_once(model, optimizer)       # for good: the optimizer tells when its parameters are perturbed
        with batch_norm_once(model):            # or by hand, around the second pass
            loss_of(model(inputs), targets).backward()

    The second pass normalises with its own batch, as ever; running means, variances and num_batches_tracked stay.
    Covers BatchNorm, SyncBatchNorm and InstanceNorm with statistics. A copied or unpickled optimizer is told anew. Source: davda54/sam, "disable_running_stats".
    """
    return BatchNormOnce(model, optimizer)
