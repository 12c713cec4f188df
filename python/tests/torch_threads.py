"""How many threads a step has, and whose they are."""

import copy
import ctypes
import os
import pickle
import subprocess
import sys

import pytest
import torch

from presam.torch import SAM


def three_steps(optimizer, p):
    for half in (optimizer.first_step, optimizer.second_step) * 3:
        p.grad = p.detach() ** 3
        half()


def test_threads_of_one_s_own_are_kept_and_change_no_bit():
    ends = []
    for threads in (None, 1, 2):
        p = torch.nn.Parameter(torch.linspace(-1, 1, 300_000))
        optimizer = SAM([p], "sam", rho=0.5, lr=0.1, descent="look-sam", every=2, threads=threads)
        three_steps(optimizer, p)
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
        three_steps(optimizer, p)
        ends.append(p.detach().clone())
    torch.set_num_threads(before)
    assert torch.equal(*ends)


STEP = """
import os, signal, numpy, torch
from presam.torch import SAM

torch.set_num_threads(2)

def begun():
    # Parameters, and a function that takes a step without an operation of torch's; the first is taken.
    w = numpy.linspace(-1, 1, 1_000_000, dtype=numpy.float32)
    p = torch.nn.Parameter(torch.from_numpy(w))
    optimizer = SAM([p], "sam", rho=0.5, lr=0.1, watch=0)
    def step():
        for half in (optimizer.first_step, optimizer.second_step):
            p.grad = torch.from_numpy(w * 0.5)
            half()
    step()
    return w, step

def busy():
    # The processor time of each thread, in ticks of the kernel.
    times = {}
    for task in os.listdir("/proc/self/task"):
        fields = open(f"/proc/self/task/{task}/stat").read().rsplit(") ")[1].split()
        times[task] = int(fields[11]) + int(fields[12])
    return times
"""


def run(code, **environment):
    command = [sys.executable, "-c", STEP + code]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, env={**os.environ, **environment})


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_a_step_runs_on_torch_s_threads():
    if not hasattr(ctypes.CDLL(None), "GOMP_parallel"):
        pytest.skip("this torch has no OpenMP runtime that others see")
    # Of torch's two threads: the one that torch had started before works, and no other one begins.
    done = run("""
torch.ones(1_000_000).mul_(2)
_, step = begun()
before = busy()
for _ in range(600):
    step()
after = busy()
print(set(before) == set(after), sum(after[task] - before[task] >= 5 for task in before))
""", OMP_NUM_THREADS="2", OMP_WAIT_POLICY="passive")
    assert (done.stdout, done.stderr) == ("True 2\n", "")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_a_fork_which_has_none_of_them_steps_on_threads_of_its_own():
    # Torch's runtime waits for ever in a fork for threads that only its parent has.
    done = run("""
(w, step), (twice, again) = begun(), begun()
again()
child = os.fork()
if child == 0:
    signal.alarm(60)
    step()
    os._exit(0 if (w == twice).all() else 1)
print(os.waitpid(child, 0)[1])
""", OMP_NUM_THREADS="2")
    assert (done.stdout, done.stderr) == ("0\n", "")
