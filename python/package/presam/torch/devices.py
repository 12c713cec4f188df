"""Where a step is computed: in the CPU's compiled module, or in that of a GPU, which is loaded when the first tensor of one
is met."""

import functools
from typing import List

import torch

from .. import _presam
from .._names import Method
from . import refusals

SCALARS = {torch.float32: "f32", torch.float64: "f64"}


class Cpu:
    """In place, by as many threads as torch has."""

    queued = False
    workers = staticmethod(torch.get_num_threads)

    def __init__(self, device: torch.device):
        pass

    def check(self, p: torch.Tensor) -> None:
        pass

    def check_base(self, base) -> None:
        pass

    def engine(self, method: Method, dtype: torch.dtype, base, names):
        return method.engine(SCALARS[dtype], base, names)


class Gpu:
    """In place on a GPU of NVIDIA's: queued on torch's current stream, nothing is read back."""

    queued = True

    def __init__(self, device: torch.device):
        self.name, self.index = str(device), device.index

    def workers(self) -> int:
        return torch.cuda.current_stream(self.index).cuda_stream

    def check(self, p: torch.Tensor) -> None:
        refusals.on_gpu(p)
        module()

    def check_base(self, base) -> None:
        refusals.base_on_gpu(base)

    def capturing(self) -> bool:
        with torch.cuda.device(self.index):
            return torch.cuda.is_current_stream_capturing()

    def engine(self, method: Method, dtype: torch.dtype, base, names):
        self.check_base(base)
        if self.capturing():
            raise RuntimeError(refusals.FIRST_IN_CAPTURE)
        return module().Engine(method.variant.name, method.keys, base, names, method.length, method.descent, self.name)


class Emulated(Gpu):
    """Everything of a GPU's step but the GPU, over tensors of the CPU: what the tests set for them in `KINDS`."""

    def __init__(self, device: torch.device):
        self.name = "emulated"

    def workers(self) -> int:
        return 0

    def capturing(self) -> bool:
        return False


KINDS = {"cpu": Cpu, "cuda": Gpu}


def place_of(params: List[torch.Tensor]):
    """The place of these parameters and their type, each of them looked at."""
    for p in params:
        if p.device.type not in KINDS:
            raise TypeError(refusals.device(p.device))
        refusals.parameter(p)
    dtype, device = refusals.one_place(params)
    place = KINDS[device.type](device)
    for p in params:
        place.check(p)
    return place, dtype


@functools.lru_cache(maxsize=None)
def module():
    """The compiled module for GPUs, a package of its own, since it cannot be loaded without NVIDIA's driver."""
    try:
        import _presam_cuda
    except ImportError as error:
        raise ImportError(refusals.no_module(error)) from None
    if _presam_cuda.VERSION != _presam.VERSION:
        raise ImportError(refusals.other_version(_presam.VERSION, _presam_cuda.VERSION))
    return _presam_cuda
