"""The program of real networks, on a few pictures."""

import gzip
import json
import pathlib
import re
import sys

import numpy as np
import pytest
import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "python/benchmarks"))
import vision

FEW = ["nuclei", "--limit", "8", "--epochs", "2", "--seeds", "2", "--noise", "0.25", "--methods", "sgd", "sam"]


def run(out, arguments=FEW):
    vision.main([*arguments, "--out", str(out)])
    return json.loads((out / "results.json").read_text())


def paths(value, path=""):
    """Every key as docs/results.md writes it."""
    if isinstance(value, list):
        return set().union(*(paths(v, path + "[]") for v in value))
    if isinstance(value, dict) and path != "settings":
        return set().union(*(paths(v, f"{path}.{key}" if path else key) for key, v in value.items()))
    return {path}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    return out, run(out)


LEFT_OUT = {
    "sentences", "data.smallest_label", "data.mean", "data.deviation",
    "runs[].ending", "runs[].chance", "runs[].gradients", "runs[].gradient_change", "runs[].equal_gradients_share",
    "runs[].history[].gradient_change", "runs[].history[].equal_gradients",
    "summary[].perturbed_share", "summary[].gradient_change", "summary[].equal_gradients_share", "summary[].chance",
    "summary[].at_chance", "summary[].diverged", "summary[].never_moved", "data.largest_label",
}


def test_results_have_the_documented_keys(whole):
    documented = set(re.findall(r"^\| `([^`]+)` \|", (ROOT / "docs/results.md").read_text(), re.M))
    found = paths(whole[1])
    # Nothing was tuned; docs/vision.md says what else is left out.
    assert {key for key in documented - found if not key.startswith("tuning[]")} == LEFT_OUT
    assert found - documented == {"runs[].right", "runs[].history[].right"}
    assert whole[1]["data"]["measure"] == "mean IoU"
    rows = {row["method"]: row for row in whole[1]["summary"]}
    assert rows["sam"]["moved"] and rows["sam"]["difference_to_sam"] is None
    assert rows["sgd"]["difference_to_sam_low"] <= rows["sgd"]["difference_to_sam"] <= rows["sgd"]["difference_to_sam_high"]


def test_what_is_done_is_not_done_again(whole, monkeypatch):
    out, first = whole
    monkeypatch.setattr(vision, "run", None)
    assert run(out)["digest"] == first["digest"]


def test_a_run_that_was_stopped_goes_on_to_the_same_bits(whole, tmp_path, monkeypatch):
    epoch_of, left = vision.epoch_of, [3]

    def stops(*arguments):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return epoch_of(*arguments)

    monkeypatch.setattr(vision, "epoch_of", stops)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path)
    monkeypatch.undo()
    assert run(tmp_path)["digest"] == whole[1]["digest"]


def test_classification_with_a_tuning(tmp_path):
    random = np.random.default_rng(1)
    for name, count in (("data_batch_1.bin", 20), ("test_batch.bin", 10)):
        rows = random.integers(0, 256, (count, 3073), np.uint8)
        rows[:, 0] %= 10
        rows.tofile(tmp_path / name)
    found = run(tmp_path, [f"cifar10:{tmp_path}", "--net", "resnet8", "--epochs", "1", "--methods", "gsam", "sgd", "--tune"])
    assert [(t["method"], len(t["trials"])) for t in found["tuning"]] == [("sgd", 7), ("gsam", 7)]
    rates = {run["history"][0]["learning_rate"] for run in found["runs"]}
    assert rates == {tuned["learning_rate"] for tuned in found["tuning"]}, "the rate that sgd chose is everybody's"
    assert found["tuning"][0]["rho"] is None and found["tuning"][1]["rho"] in [t["rho"] for t in found["tuning"][1]["trials"]]
    assert found["data"]["measure"] == "accuracy"


def test_noise_and_masks_without_a_label(tmp_path):
    task = vision.Task("nuclei", 40)
    for kind in ("foreign", "rims"):
        wrong = (task.noisy(kind, 0.25, 1) != task.y).flatten(1).any(1)
        assert 0 < wrong.sum() <= 10
        assert torch.equal(task.noisy(kind, 0.25, 1), task.noisy(kind, 0.25, 1))
    masks = np.array([[[0, 11], [10, 3]]], np.uint8)
    for name, array in (("train-images-idx4", np.zeros((1, 2, 2, 3), np.uint8)), ("train-masks-idx3", masks)):
        head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        (tmp_path / f"{name}-ubyte.gz").write_bytes(gzip.compress(head + array.tobytes()))
    x, y = vision.segmentation(tmp_path, "train")
    assert x.shape == (1, 3, 2, 2) and y.tolist() == [[[0, -1], [10, 3]]]


def test_steps_that_were_skipped_are_counted(tmp_path, monkeypatch):
    step, calls = vision.SAM.first_step, []

    def spoilt(optimizer):
        calls.append(0)
        if len(calls) == 2:
            optimizer.param_groups[0]["params"][0].grad.fill_(float("nan"))
        return step(optimizer)

    monkeypatch.setattr(vision.SAM, "first_step", spoilt)
    few = ["nuclei", "--limit", "8", "--batch", "2", "--epochs", "1", "--seeds", "1", "--methods", "sam"]
    runs = run(tmp_path, few)["runs"]
    assert len(calls) == 4 and [r["skipped_share"] for r in runs] == [0.25]
