"""How many threads a step has, and whose they are."""

import copy
import ctypes
import pickle
import subprocess
import sys

import pytest
import torch

from presam.torch import SAM


def test_threads_of_one_s_own_are_kept_and_change_no_bit():
    ends = []
    for threads in (None, 1, 2):
        p = torch.nn.Parameter(torch.linspace(-1, 1, 300_000))
        optimizer = SAM([p], "sam", rho=0.5, lr=0.1, descent="look-sam", every=2, threads=threads)
        for _ in range(3):
            p.grad = p.detach() ** 3
            optimizer.first_step()
            p.grad = p.detach() ** 3
            optimizer.second_step()
        ends.append(p.detach().clone())
        for one in (optimizer, copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
            q = one.param_groups[0]["params"][0]
            q.grad = torch.ones_like(q)
            one.first_step()
            assert one._tensors.workers() == (threads or torch.get_num_threads())
    assert torch.equal(ends[0], ends[1]) and torch.equal(ends[0], ends[2])
    with pytest.raises(ValueError, match="threads: expected a whole number from 1 up, found 0"):
        SAM([p], "sam", rho=0.5, threads=0)


@pytest.mark.parametrize("threads", [1, 2])
def test_torch_decides_about_threads_and_they_change_no_bit(threads):
    before = torch.get_num_threads()
    ends = []
    for count in (1, threads):
        torch.set_num_threads(count)
        p = torch.nn.Parameter(torch.linspace(-1, 1, 300_000))
        optimizer = SAM([p], "info-asam", rho=0.5, lr=0.1, momentum=0.9)
        for _ in range(3):
            p.grad = p.detach() ** 3
            optimizer.first_step()
            p.grad = p.detach() ** 3
            optimizer.second_step()
        ends.append(p.detach().clone())
    torch.set_num_threads(before)
    assert torch.equal(*ends)


STEP = """
import os, signal, sys, torch
from presam.torch import SAM

def stepped():
    p = torch.nn.Parameter(torch.linspace(-1, 1, 300_000))
    optimizer = SAM([p], "sam", rho=0.5, lr=0.1, threads=2)
    for half in (optimizer.first_step, optimizer.second_step):
        p.grad = p.detach() ** 3
        half()
    return p.detach()

def own():
    names = [open(f"/proc/self/task/{task}/comm").read() for task in os.listdir("/proc/self/task")]
    return sum(name.startswith("presam") for name in names)
"""


def run(code):
    return subprocess.run([sys.executable, "-c", STEP + code], capture_output=True, text=True, timeout=240)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_a_step_runs_on_torch_s_threads():
    if not hasattr(ctypes.CDLL(None), "GOMP_parallel"):
        pytest.skip("this torch has no OpenMP runtime that others see")
    done = run("stepped(); print(own())")
    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_a_fork_which_has_none_of_them_steps_on_threads_of_its_own():
    # Torch's runtime waits for ever in a fork for threads that only its parent has.
    done = run("""
first = stepped()
child = os.fork()
if child == 0:
    signal.alarm(60)
    same = torch.equal(stepped(), first)
    os._exit(0 if same and own() == 2 else 1)
print(os.waitpid(child, 0)[1])
""")
    assert (done.stdout, done.stderr) == ("0\n", "")
