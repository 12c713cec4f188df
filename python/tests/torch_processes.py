"""More than one process: replicas stay equal whatever one of them meets; sharding is refused in one line."""

import importlib.util
import pathlib
import subprocess
import sys
import tempfile

import pytest
import torch

from presam.torch import SAM

from nets import flat, network, train

SCRIPT = pathlib.Path(__file__).with_name("processes.py")


def told(what):
    """What the first of two processes prints. They meet at a file: a port found free may be taken by the time it is used."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(SCRIPT), str(pathlib.Path(folder, "meet")), what]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_replicas_stay_equal():
    lines = [line.split() for line in told("parallel")]
    cases = [line for line in lines if len(line) == 5 and line[0] != "end"]
    assert len(cases) == 8
    for _, _, overflow_at, equal, outcomes in cases:
        assert equal == "True"
        skipped = [k for k, outcome in enumerate(outcomes.split(",")) if outcome == "non-finite"]
        assert skipped == ([] if overflow_at == "None" else [1])
    # Each for itself, one of them steps where the other does not: what the reduced decision is for.
    assert ["alone", "False"] in lines
    for _, variant, *end in (line for line in lines if line[0] == "end"):
        model = network()
        train(model, SAM(model.parameters(), variant, rho=0.3, lr=0.1, momentum=0.9), 4)
        torch.testing.assert_close(flat(model), torch.tensor([float(x) for x in end], dtype=torch.float64))


@pytest.mark.skipif(importlib.util.find_spec("torch.distributed.fsdp") is None, reason="this torch has no FSDP")
def test_sharded_parameters_are_refused_in_one_line():
    (line,) = told("sharded")
    assert line.startswith("parameters: expected whole tensors, found a DTensor (FSDP2")
