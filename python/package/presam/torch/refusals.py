"""What a step cannot take, each in one line that says what to do."""

import inspect
from typing import Tuple

import torch

from .._names import GROUP

ONE_FILE = (
    "examples/python/presam_torch.py of the repository is sam, asam, info-sam and info-asam for every device of torch"
)

BY_HAND = (
    "step: expected a closure that takes the gradient and returns the loss, found none. By hand a step is: backward, "
    "first_step(zero_grad=True), backward at the perturbed parameters, second_step(zero_grad=True)"
)
GRADIENT_IS_A_PARAMETER = "a gradient shares memory with a parameter: expected memory of its own, as a copy has"
LATE_ON_GPU = (
    "gradients: expected those of the first half in the second one, found one of a parameter that had none; on a GPU a step "
    "cannot be made larger between its halves"
)
FIRST_IN_CAPTURE = (
    "step: expected a first one before the capture, which makes its planes and compiles its kernels (torch's recipe takes "
    "three, on a side stream), found the first one within it"
)
NO_MOMENTUM = (
    "momentum-sam: expected base='sgd' with a momentum above 0, or base='adamw', whose momentum it follows"
)


def parameter(p: torch.Tensor) -> None:
    """Raises for a parameter that the step cannot take."""
    if hasattr(p, "device_mesh"):
        raise TypeError(
            "parameters: expected whole tensors, found a DTensor (FSDP2, tensor parallel): the norm would be that of "
            "one shard. Use DistributedDataParallel, or shard nothing that this optimizer holds"
        )
    if type(p.data) is not torch.Tensor:
        raise TypeError(f"parameters: expected plain tensors, found {type(p.data).__name__}")
    if p.is_complex():
        raise TypeError(f"parameters: expected real numbers, found {p.dtype}; keep torch.view_as_real(p) as the parameter")
    if p.dtype not in (torch.float32, torch.float64):
        raise TypeError(
            f"parameters: expected float32 or float64, found {p.dtype}: in 16 bits most perturbations are rounded away. "
            "Keep the parameters in float32 and compute under torch.autocast"
        )
    if p.layout != torch.strided:
        raise TypeError(f"parameters: expected dense tensors, found {p.layout}")
    if any(stride == 0 and n > 1 for n, stride in zip(p.shape, p.stride())):
        raise ValueError("parameters: expected a place for each number, found an expanded tensor; .clone() gives one")


def device(found: torch.device) -> str:
    """Of one that has no compiled module."""
    return f"parameters: expected tensors on the CPU or on a GPU of NVIDIA's, found {found}; {ONE_FILE}"


def no_module(error: ImportError) -> str:
    return (
        f"parameters: on a GPU the step needs the package presam-cuda: pip install 'presam[cuda]', or pip install "
        f"./python/cuda from a clone ({error}); {ONE_FILE}"
    )


def other_version(own: str, found: str) -> str:
    return f"presam-cuda: expected version {own}, as presam's, found {found}; install both of one version"


def on_gpu(p: torch.Tensor) -> None:
    """Raises for a parameter that the step cannot take on a GPU."""
    if torch.version.hip is not None:
        raise TypeError(device(f"{p.device} of a torch for AMD's"))
    if p.dtype != torch.float32:
        raise TypeError(f"parameters: expected float32 on a GPU, found {p.dtype}; float64 is the CPU's")


def base_on_gpu(base) -> None:
    """Raises for a base optimizer that has no fused form."""
    if base is None:
        raise ValueError("base: expected 'sgd' or 'adamw' on a GPU, whose step says nothing to the host, found a class of torch")


def gradient(p: torch.Tensor, g: torch.Tensor) -> None:
    """Raises for a gradient that the step cannot take."""
    if g.layout != torch.strided:
        raise TypeError(f"gradients: expected dense tensors, found {g.layout}; make the Embedding with sparse=False")
    if g.dtype != p.dtype or g.shape != p.shape or g.device != p.device:
        expected, found = f"{p.dtype} {tuple(p.shape)} {p.device}", f"{g.dtype} {tuple(g.shape)} {g.device}"
        raise TypeError(f"gradients: expected the type and shape of the parameter, {expected}, found {found}")
    if type(g) is not torch.Tensor:
        raise TypeError(f"gradients: expected plain tensors, found {type(g).__name__}")


def one_place(tensors) -> Tuple[torch.dtype, torch.device]:
    """The type and the device of all of them."""
    types, places = {p.dtype for p in tensors}, {p.device for p in tensors}
    if len(places) > 1:
        found = " and ".join(sorted(map(str, places)))
        raise TypeError(f"parameters: expected one device in one optimizer, since they share one norm, found {found}")
    if len(types) > 1:
        found = " and ".join(sorted(map(str, types)))
        raise TypeError(f"parameters: expected one type in one optimizer, since they share one norm, found {found}")
    return (types.pop(), places.pop()) if types else (torch.float32, torch.device("cpu"))


def base_class(base) -> None:
    """Raises for a base optimizer that cannot take a step by itself."""
    if not (isinstance(base, type) and issubclass(base, torch.optim.Optimizer)):
        raise TypeError(f"base: expected 'sgd', 'adamw' or a torch.optim.Optimizer class, found {base!r}")
    if issubclass(base, torch.optim.LBFGS):
        raise TypeError("base: expected an optimizer that steps without a closure, found LBFGS")
    if issubclass(base, torch.optim.SparseAdam):
        raise TypeError("base: expected an optimizer of dense gradients, found SparseAdam")
    both = [name for name in ("rho", *GROUP) if name != "maximize" and name in inspect.signature(base).parameters]
    if both:
        raise TypeError(f"base: expected a class without an argument {both[0]}, which a group has for SAM, found {base.__name__}")


def descent(name: str, base) -> None:
    """Raises for a method that needs a base optimizer of the library."""
    if name in ("wsam-decoupled", "look-sam"):
        raise ValueError(f"descent: expected None, 'gsam', 'saner' or 'wsam' with decoupled=False over {base.__name__}; "
                         "base='sgd' and base='adamw' take every one")
