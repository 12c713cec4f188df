"""SAM and its variants as a torch.optim.Optimizer whose step is fused and in place.

    optimizer = presam.torch.SAM(model.parameters(), "asam", rho=1.0, base="sgd", lr=0.1, momentum=0.9)

    def closure():
        loss = loss_of(model(inputs), targets)
        loss.backward()
        return loss

    loss = optimizer.step(closure)
"""

from .modules import BatchNormOnce, batch_norm_once, groups
from .sam import SAM

__all__ = ["SAM", "BatchNormOnce", "batch_norm_once", "groups"]
