"""What every peer of `presam bench` needs: its shapes, clocks, rounds of measuring, and record.

Python alone; the clocks are handed the torch they are to use.
"""

import datetime
import json
import os
import platform
import shlex
import subprocess
import sys
import time

FORM = "presam-bench 1"
# Planes read and written by a step as presam counts them (norm 1, ascent 3, descent 5), whatever a program moves.
STEP_BYTES = 4 * (1 + 3 + 5)
FEWEST, MOST, SAMPLE_NS, MOST_RUNS = 11, 1000, 100_000, 1 << 20


# --- shapes: the lists of presam, in the order in which PyTorch lists them


def digits_mlp():
    return [64 * 128, 128, 128 * 10, 10]


def resnet_18():
    def convolution(inputs, outputs, side):
        return [outputs * inputs * side * side, outputs, outputs]

    tensors = convolution(3, 64, 7)
    for inputs, outputs in [(64, 64), (64, 128), (128, 256), (256, 512)]:
        tensors += convolution(inputs, outputs, 3) + convolution(outputs, outputs, 3)
        if inputs != outputs:
            tensors += convolution(inputs, outputs, 1)
        tensors += 2 * convolution(outputs, outputs, 3)
    return tensors + [512 * 1000, 1000]


def block(width):
    dense = lambda inputs, outputs: [inputs * outputs, outputs]
    attention = dense(width, 3 * width) + dense(width, width)
    layers = dense(width, 4 * width) + dense(4 * width, width)
    return [width, width] + attention + [width, width] + layers


def vit_b_16():
    return [768, 768 * 3 * 16 * 16, 768, 197 * 768] + 12 * block(768) + [768, 768, 768 * 1000, 1000]


def gpt2_small():
    return [50257 * 768, 1024 * 768] + 12 * block(768) + [768, 768]


NETWORKS = {
    "digits-mlp": digits_mlp,
    "resnet-18": resnet_18,
    "vit-b-16": vit_b_16,
    "gpt2-small": gpt2_small,
}


def shape(name):
    """The tensors of a network, or one flat tensor."""
    if name in NETWORKS:
        return NETWORKS[name]()
    try:
        length = float(name)
    except ValueError:
        length = float("nan")
    if not (1 <= length <= 1e9 and length == int(length)):
        wrong(f"--sizes: expected a whole number from 1 to 1e9, {', '.join(NETWORKS)}, found {name!r}")
    return [int(length)]


def wrong(message, code=2):
    print(f"error: {message}", file=sys.stderr)
    sys.exit(code)


# --- clocks


class Cpu:
    """perf_counter around the runs."""

    def __init__(self, torch):
        self.torch, self.cache = torch, last_cache_bytes()
        self.other = torch.zeros(2 * self.cache // 4)

    def time(self, work, runs):
        start = time.perf_counter_ns()
        for _ in range(runs):
            work()
        return float(time.perf_counter_ns() - start)

    def evict(self):
        self.other.sum()

    def describe(self):
        return {"device": f"cpu {processor()}", "driver": None}


class Cuda:
    """Events on the stream around the runs, as presam takes them."""

    def __init__(self, torch):
        self.torch = torch
        self.cache = torch.cuda.get_device_properties(0).L2_cache_size
        self.other = torch.zeros(2 * self.cache // 4, device="cuda")
        self.start, self.end = (torch.cuda.Event(enable_timing=True) for _ in range(2))

    def time(self, work, runs):
        self.start.record()
        for _ in range(runs):
            work()
        self.end.record()
        self.end.synchronize()
        return self.start.elapsed_time(self.end) * 1e6

    def evict(self):
        # Read and not written, as presam does: what is written is written back while a job is timed.
        self.other.sum()

    def describe(self):
        name = self.torch.cuda.get_device_name(0)
        # One driver serves all GPUs of a machine.
        told = output(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"])
        return {"device": f"cuda:0 {name}", "driver": told.splitlines()[0].strip() if told else None}


# --- measuring: presam's rounds


def measure(clock, job, copy, cache, min_time):
    """Samples in nanoseconds a run: job and copy in turn until the time is over."""
    cold = cache == "cold"

    def sample(work, runs):
        if cold:
            clock.evict()
        else:
            clock.time(work, 1)
        return round(clock.time(work, runs) / runs, 2)

    def warm_up(work):
        runs = 1
        while clock.time(work, runs) < max(SAMPLE_NS, min_time * 1e9 / MOST) and runs < MOST_RUNS:
            runs *= 2
        return runs

    runs, copy_runs = (1, 1) if cold else (warm_up(job), warm_up(copy))
    sample(job, runs), sample(copy, copy_runs)
    jobs, copies, start = [], [], time.monotonic()
    while len(jobs) < FEWEST or (len(jobs) < MOST and time.monotonic() - start < min_time):
        jobs.append(sample(job, runs))
        copies.append(sample(copy, copy_runs))
    return jobs, copies, runs


def quantile(samples, share):
    ordered = sorted(samples)
    position = share * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def measurement(program, graph, name, tensors, cache, jobs, copies, runs, copy_bytes):
    """A row of the record."""
    count = STEP_BYTES * sum(tensors)
    p50, copy_p50 = quantile(jobs, 0.5), quantile(copies, 0.5)
    return {
        "program": program,
        "phase": "step",
        "rule": "sam",
        "shape": name,
        "params": sum(tensors),
        "tensors": len(tensors),
        "cache": cache,
        "graph": graph,
        "bytes": count,
        "copy_bytes": copy_bytes,
        "runs": runs,
        "p05_ns": quantile(jobs, 0.05),
        "p50_ns": p50,
        "p95_ns": quantile(jobs, 0.95),
        "copy_p50_ns": copy_p50,
        "fraction_of_copy": (count / p50) / (copy_bytes / copy_p50),
        "samples_ns": jobs,
        "copy_samples_ns": copies,
    }


# --- the record


def output(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
        return names[0] if names else platform.machine()
    except OSError:
        return platform.machine()


def last_cache_bytes():
    folder, sizes = "/sys/devices/system/cpu/cpu0/cache", [0]
    for entry in os.listdir(folder) if os.path.isdir(folder) else []:
        try:
            with open(os.path.join(folder, entry, "size"), encoding="utf-8") as file:
                sizes.append(1024 * int(file.read().strip().rstrip("K")))
        except (OSError, ValueError):
            pass
    return max(sizes) or 32 << 20


def record(device, version, threads, level, cache, measurements):
    host = {
        "os": platform.system().lower(),
        "arch": platform.machine(),
        "cpu": processor(),
        "cpu_level": level,
        "threads": threads,
    }
    header = {
        "version": version,
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "command": shlex.join(["python3", *sys.argv]),
        "device": device["device"],
        "driver": device["driver"],
        "last_cache_bytes": cache,
        "host": host,
        "rustc": None,
        "launch_overhead_ns": None,
    }
    return {"form": FORM, "header": header, "measurements": measurements}


def write(folder, content):
    """Complete or not at all."""
    try:
        os.makedirs(folder, exist_ok=True)
        file = os.path.join(folder, "bench.json")
        with open(file + ".part", "w", encoding="utf-8") as part:
            json.dump(content, part, allow_nan=False)
        os.replace(file + ".part", file)
    except OSError as error:
        wrong(f"--out {folder}: expected a writable folder, found: {error}")


# --- this file, tested


class Scripted:
    """A clock without torch, for the self-test: the first program takes 2 ms a run, the second 1 ms."""

    def time(self, work, runs):
        return work() * runs

    def evict(self):
        pass


def self_test(folder):
    """Quantiles, rounds, shapes and the record; a folder gets the record, for a reader to try."""
    assert [quantile([3, 1, 2], share) for share in (0, 0.25, 0.5, 1)] == [1, 1.5, 2, 3]
    counts = {name: (len(shape(name)), sum(shape(name))) for name in NETWORKS}
    assert counts == {
        "digits-mlp": (4, 9_610),
        "resnet-18": (62, 11_689_512),
        "vit-b-16": (152, 86_567_656),
        "gpt2-small": (148, 124_439_808),
    }, counts
    rows = []
    for cache in ["warm", "cold"]:
        jobs, copies, runs = measure(Scripted(), lambda: 2e6, lambda: 1e6, cache, 1e-6)
        assert set(jobs) == {2e6} and set(copies) == {1e6} and len(jobs) == len(copies) == FEWEST
        rows.append(measurement("torch-eager", False, "1e4", [10_000], cache, jobs, copies, runs, 360_000))
        assert rows[-1]["fraction_of_copy"] == 0.5
    device = {"device": "self-test", "driver": None}
    content = record(device, "none", 1, "none", 1, rows)
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    if folder:
        write(folder, content)
