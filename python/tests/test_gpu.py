"""The two compiled modules over the same arrays: that of a GPU, on its emulated device, and that of the CPU. Without torch;
tests/torch_gpu.py has the rest."""

import ctypes
import os
import subprocess
import sys

import numpy as np
import pytest

import _presam_cuda
import presam
from presam import _presam

NAMES = ["rho", "operator", "counted", "perturbed", "maximize", "lr", "weight_decay"]
BASES = {"sgd": [], "sgd-momentum": ["momentum", "dampening", "nesterov"], "adamw": ["mean_decay", "square_decay", "denominator_guard"]}
SETTINGS = {"momentum": 0.9, "dampening": 0.0, "nesterov": True, "mean_decay": 0.9, "square_decay": 0.99, "denominator_guard": 1e-8}
LENGTHS = (5, 3000, 64)


def group(rho, keys):
    numbers = dict(zip(NAMES, (rho, True, True, True, False, 0.1, 0.01)))
    return {**numbers, **{key: SETTINGS[key] for key in keys}}


class Side:
    """One engine over arrays of its own, all of them drawn alike."""

    def __init__(self, gpu, variant, base, device="emulated", descent=("plain", 0.0)):
        keys, length = BASES[base], (1.0, 0.0)
        names = NAMES + keys
        if gpu:
            self.engine = _presam_cuda.Engine(variant, [], (base, keys), names, length, descent, device)
        else:
            self.engine = _presam.Engine("f32", variant, [], (base, keys), names, length, descent)
        random = np.random.default_rng(3)
        draw = lambda n: random.standard_normal(n, np.float32)
        self.groups = [group(0.3, keys), group(0.1, keys)]
        memory, inputs, state = self.engine.planes
        zeros = lambda n, count: [np.zeros(n, np.float32) for _ in range(count)]
        self.params = [draw(n) for n in LENGTHS]
        self.planes = [[p, np.zeros_like(p), *zeros(p.size, memory), *(abs(draw(p.size)) for _ in range(inputs)), *zeros(p.size, state)]
                       for p in self.params]
        # The CPU keeps a copy of the first gradient where both are mixed; LookSAM's part is beside it.
        looks = descent[0] == "look-sam"
        self.firsts, self.sharp = [[np.zeros_like(p) for p in self.params] for _ in range(2)]
        place = lambda planes, there, k: planes[k].ctypes.data if there else 0
        rows = []
        for k, planes in enumerate(self.planes):
            params, backup, *rest = (plane.ctypes.data for plane in planes)
            first = place(self.firsts, looks or not gpu and descent[0] != "plain", k)
            rows.append((LENGTHS[k], min(k, 1), [params, backup, first, place(self.sharp, looks, k), *rest]))
        self.engine.set_tensors(rows)
        self.state = [planes[-state] if state else None for planes in self.planes]

    def gradients(self, step, half, spoilt=False):
        random = np.random.default_rng(100 * step + half)
        grads = [random.standard_normal(n, np.float32) * (1 + abs(p)) for n, p in zip(LENGTHS, self.params)]
        if spoilt:
            grads[1][7] = np.nan
        return grads

    def step(self, step, unscale=1.0, max_norm=None, spoilt=None, stream=1):
        along = self.along = self.state if self.momentum else self.gradients(step, 0, spoilt == 0)
        found = self.engine.ascend([g.ctypes.data for g in along], self.groups, unscale, self.momentum, stream, None)
        moved = [p.copy() for p in self.params]
        if found[0] != 2:
            second = self.gradients(step, 1, spoilt == 1)
            self.engine.descend([g.ctypes.data for g in second], self.groups, unscale, max_norm, stream, None, False)
        return moved

    def reuse(self, step, unscale=1.0, max_norm=None, stream=1, spoilt=False):
        grads = self.gradients(step, 0, spoilt)
        self.engine.reuse([g.ctypes.data for g in grads], self.groups, unscale, max_norm, stream, None)

    momentum = False


def both(variant, base, descent=("plain", 0.0)):
    sides = [Side(gpu, variant, base, descent=descent) for gpu in (False, True)]
    for side in sides:
        side.momentum = variant == "momentum-sam"
    return sides


def alike(one, other):
    for a, b in zip(one, other):
        np.testing.assert_array_equal(a.view(np.uint32), b.view(np.uint32))


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("variant", presam.variants())
def test_the_bits_of_both_modules_are_the_same(variant, base):
    if variant == "momentum-sam" and base == "sgd":
        pytest.skip("it follows a momentum")
    cpu, gpu = both(variant, base)
    for step, options in enumerate([{}, {"unscale": 1 / 3}, {"max_norm": 1.0}, {"spoilt": 0}, {"spoilt": 1}, {}]):
        for side in (cpu, gpu):
            side.groups[1]["lr"] = 0.1 / (1 + step)
        for moved in zip(cpu.step(step, **options), gpu.step(step, **options)):
            alike(*([part] for part in moved))
        for a, b in zip(cpu.planes, gpu.planes):
            # The backup of a step that was not taken is of no meaning.
            alike([a[0], *a[2:]], [b[0], *b[2:]])
    assert cpu.engine.counters()[1] == gpu.engine.counters(0)[1]
    assert gpu.engine.outcome(0)[0] == 0


@pytest.mark.parametrize("descent", [("gsam", 0.4), ("wsam", 0.8), ("wsam-decoupled", 0.8), ("saner", 0.5)])
def test_mixes_of_both_gradients_are_the_same_too(descent):
    cpu, gpu = both("asam", "sgd-momentum", descent)
    plain = Side(False, "asam", "sgd-momentum")
    for step in range(4):
        for side in (cpu, gpu, plain):
            side.step(step, max_norm=2.0)
        for a, b in zip(cpu.planes, gpu.planes):
            alike(a, b)
    assert not np.array_equal(cpu.params[1], plain.params[1])


def test_look_sam_keeps_and_reuses_the_same_part():
    cpu, gpu = both("asam", "adamw", ("look-sam", 0.7))
    for step in range(6):
        for side in (cpu, gpu):
            side.groups[0]["lr"] = 0.1 / (1 + step)
            side.step(step, unscale=1 / 3) if step % 3 == 0 else side.reuse(step, unscale=1 / 3, max_norm=2.0)
        alike(cpu.sharp, gpu.sharp)
        for a, b in zip(cpu.planes, gpu.planes):
            # Of a step without an ascent the backup is of no meaning.
            alike([a[0], *a[2:]], [b[0], *b[2:]])
    assert cpu.engine.counters()[1] == gpu.engine.counters(0)[1] and gpu.engine.outcome(0)[0] == 5


def spoilt_in(counted, spoilt, descent):
    """Both sides, a step with a gradient that is not finite, one without; what must not have moved has not."""
    sides = [Side(gpu, "asam", "sgd-momentum", descent=descent) for gpu in (False, True)]
    for side in sides:
        side.groups[1].update(counted=counted, perturbed=counted)
        side.step(0)
        kept = [a.copy() for a in (*side.params, *side.sharp, *side.state)]
        side.step(1, spoilt=spoilt)
        if spoilt == 0:
            assert side.engine.restore(*(() if side is sides[0] else (1,))) in (0, len(LENGTHS))
        alike(kept, [*side.params, *side.sharp, *side.state])
        side.step(2, max_norm=1.0)
        if descent[0] == "look-sam":
            side.reuse(3, spoilt=True)
            kept = [a.copy() for a in (*side.params, *side.sharp, *side.state)]
            side.reuse(4)
            assert not np.array_equal(kept[1], side.params[1])
    return sides


@pytest.mark.parametrize("descent", [("wsam-decoupled", 0.8), ("look-sam", 0.7)])
@pytest.mark.parametrize("spoilt, counted", [(0, True), (0, False), (1, True), (1, False)])
def test_a_descent_along_the_first_gradient_is_skipped_too(descent, spoilt, counted):
    cpu, gpu = spoilt_in(counted, spoilt, descent)
    alike([*cpu.params, *cpu.sharp, *cpu.state], [*gpu.params, *gpu.sharp, *gpu.state])
    assert cpu.engine.counters()[1] == gpu.engine.counters(0)[1]


def test_bad_input_is_one_line_and_changes_nothing():
    gpu = Side(True, "sam", "adamw")
    before = [p.copy() for p in gpu.params]
    at = [g.ctypes.data for g in gpu.gradients(0, 0)]
    call = lambda grads: gpu.engine.ascend(grads, gpu.groups, 1.0, False, 0, None)
    for grads, words in (
        (at[:2], "gradients: expected 3 addresses, found 2"),
        ([0, *at[1:]], "found none of 1; zeros in .grad are a gradient"),
        ([gpu.params[0].ctypes.data, *at[1:]], "memory of its own"),
    ):
        with pytest.raises(ValueError, match=words):
            call(grads)
    call(at)
    with pytest.raises(ValueError, match="the parameters are perturbed"):
        call(at)
    assert gpu.engine.restore(0) == 3 and gpu.engine.restore(0) == 0
    alike(before, gpu.params)
    later = Side(True, "sam", "adamw")
    later.engine.set_counters((1, 1.0, 0.0), [(1, 0.9, 0.99), (2, 0.81, 0.98), (1, 0.9, 0.99)])
    with pytest.raises(ValueError, match="as many steps, since AdamW and .* take one count for all, found 1 and 2"):
        later.step(0)
    with pytest.raises(ValueError, match="tensors: expected 6 addresses, found 1"):
        gpu.engine.set_tensors([(5, 0, [gpu.params[0].ctypes.data])])


def test_a_device_that_is_not_there_is_told_and_other_names_are_refused():
    with pytest.raises(RuntimeError, match="device cuda:99: expected one, found "):
        Side(True, "sam", "sgd", "cuda:99").step(0)
    with pytest.raises(ValueError, match='device: expected cuda:N or emulated, found "tpu"'):
        Side(True, "sam", "sgd", "tpu")


def mark(what):
    with open(os.environ["PRESAM_STUB_LOG"], "a") as log:
        log.write(f"step {what}\n")


WAITS = ("cuMemAlloc_v2", "cuMemFree_v2", "cuStreamSynchronize", "cuMemcpyDtoHAsync_v2", "cuModuleLoadDataEx")


def launched(step):
    """The kernels of a step, which must not allocate or wait."""
    lines = step.splitlines()
    assert not set(WAITS) & set(lines)
    return [line.split()[0] for line in lines if line.startswith(" ")]


def calls_of(work, tmp_path):
    """What a process of this file calls, step by step."""
    log = tmp_path / "calls"
    stub = {**os.environ, "PRESAM_STUB_CUDA": "fake", "PRESAM_STUB_LOG": str(log)}
    subprocess.run([sys.executable, __file__, work], env=stub, check=True)
    calls = log.read_text().split("step ")
    if len(calls[-1].splitlines()) == 1:
        pytest.skip("there is a driver, and no stub of one")
    return calls


def mixed_on_the_stub(name):
    """Two steps with both gradients and, of LookSAM, two without a second one."""
    side = Side(True, "sam", "sgd", "cuda:0", (name, 0.7))
    for step in range(4):
        mark(step)
        if step < 2 or name != "look-sam":
            side.step(step, stream=0)
        else:
            side.reuse(step, stream=0)
    mark("over")


def captured_on_the_stub():
    """A capture of LookSAM that begins with a step without a second gradient, and one that begins with one."""
    driver, (context, stream, graph) = ctypes.CDLL("libcuda.so.1"), (ctypes.c_void_p() for _ in range(3))
    side = Side(True, "sam", "sgd", "cuda:0", ("look-sam", 0.7))
    side.step(0, stream=0)
    side.reuse(1, stream=0)
    driver.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0)
    driver.cuCtxSetCurrent(context)
    assert driver.cuStreamCreate(ctypes.byref(stream), 1) == 0
    for begins in ("reuse", "whole"):
        assert driver.cuStreamBeginCapture_v2(stream, 1) == 0
        if begins == "whole":
            side.step(2, stream=stream.value)
            side.reuse(3, stream=stream.value)
        else:
            try:
                side.reuse(2, stream=stream.value)
            except ValueError as error:
                print(error)
        assert driver.cuStreamEndCapture(stream, ctypes.byref(graph)) == 0
    side.step(4, stream=0)


def on_the_stub():
    """Steps on the stub's device, which computes nothing, with a mark in its log before each."""
    side = Side(True, "info-asam", "sgd-momentum", "cuda:0")
    for step in range(4):
        mark(step)
        side.groups[1]["lr"] = 0.1 / (1 + step)
        if step == 3:
            side.engine.push(side.groups, 1.0, 1.0 + step, 0)
            mark("pushed")
        side.step(step, max_norm=1.0 + step, stream=0)
    mark("asked")
    assert side.engine.outcome(0) is not None


def test_no_step_after_the_first_one_allocates_or_waits(tmp_path):
    calls = calls_of("plain", tmp_path)
    for step in (calls[2], calls[3]):
        assert launched(step) == ["accumulate_info_asam_f32", "finish_info_sam", "ascend_in_place_info_asam_f32", "restore",
                                  "accumulate_gradient", "second_sgd", "descend_sgd_momentum"]
    pushed, stepped, asked = (step.splitlines() for step in calls[4:7])
    # The base optimizers in one write, the norm as a word; the step after it has neither.
    assert (pushed.count("cuMemcpyHtoDAsync_v2"), pushed.count("cuMemsetD32Async")) == (1, 1)
    assert "cuMemsetD32Async" not in stepped and "cuStreamSynchronize" not in stepped
    assert "cuStreamSynchronize" in asked
    # Whose thread it is finds its context as it was.
    assert asked[:2] == ["asked", "cuCtxGetCurrent"]
    assert asked[asked.index("cuStreamSynchronize") + 1] == "cuCtxSetCurrent"


ASCENT = ["accumulate_sam_f32", "finish_sam", "ascend_in_place_sam_f32", "restore"]
DESCENT = ["accumulate_gradient", "second_sgd", "descend_sgd"]
SPLIT = ["accumulate_pair", "arm_look_sam_split", "mix_look_sam_split"]
REUSE = ["accumulate_gradient", "total"] * 2 + ["arm_look_sam_reuse", "mix_look_sam_reuse"]


def test_descents_along_the_first_gradient_neither_wait_nor_allocate(tmp_path):
    calls = calls_of("wsam-decoupled", tmp_path)
    assert [launched(step) for step in calls[2:5]] == [[*ASCENT, *DESCENT, "correct_wsam"]] * 3
    (tmp_path / "calls").unlink()
    calls = calls_of("look-sam", tmp_path)
    assert [launched(step) for step in calls[2:5]] == [[*ASCENT, *DESCENT, *SPLIT], *[[*REUSE, *DESCENT]] * 2]


def test_a_capture_of_look_sam_that_would_reuse_one_part_for_ever_is_refused():
    stub = {**os.environ, "PRESAM_STUB_CUDA": "fake"}
    told = subprocess.run([sys.executable, __file__, "captured"], env=stub, capture_output=True, text=True)
    if "found no CUDA device" in told.stderr:
        pytest.skip("there is a driver, and no stub of one")
    assert told.returncode == 0, told.stderr
    words = "capture: look-sam: expected a first step with a second gradient (each replay would reuse one part for ever), found"
    assert told.stdout.startswith(words) and told.stdout.count("\n") == 1


if __name__ == "__main__":
    others = {"plain": on_the_stub, "captured": captured_on_the_stub}
    others.get(sys.argv[1], lambda: mixed_on_the_stub(sys.argv[1]))()
