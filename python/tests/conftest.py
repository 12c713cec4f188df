"""What needs torch is left out where there is none: the package works without it."""

import importlib.util
import os

import pytest

collect_ignore_glob = [] if importlib.util.find_spec("torch") else ["torch_*"]
# Networks of a hundred parameters: a second thread of torch's would only wait for the first.
os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture
def emulated(monkeypatch):
    """The step of a GPU's emulated device over the tensors of the CPU."""
    from presam.torch import devices

    monkeypatch.setitem(devices.KINDS, "cpu", devices.Emulated)
