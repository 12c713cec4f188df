"""Names, keys and messages."""

import subprocess
import sys

import numpy as np
import pytest

import presam
from presam.numpy import SAM


def one():
    return [np.array([3.0, 4.0])]


def test_every_variant_is_listed_with_its_keys():
    variants = presam.variants()
    assert {"sam", "info-asam", "friendly-asam", "raw-asam"} <= set(variants)
    assert [key.name for key in variants["asam"].keys] == ["eta"]
    assert variants["info-asam"].planes == [2, 0]
    assert set(presam.bases()) == {"sgd", "sgd-momentum", "adamw"}
    assert presam.gsam_rho((0.25, 0.75), (0.0, 0.5), 0.25) == 0.5


def test_a_missing_radius_is_answered_with_where_to_begin():
    with pytest.raises(TypeError, match=r"0\.05 to 0\.2 for sam.*0\.5 to 2 for asam"):
        SAM(one(), "sam")


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(variant="sma"), "variant: expected one of sam, asam"),
        (dict(rho=-1), "rho: expected a number from 0"),
        (dict(rho=float("nan")), "rho: expected a number from 0"),
        (dict(base="adam"), "base: expected 'sgd' or 'adamw'"),
        (dict(length="long"), "length: expected one of normalised"),
        (dict(descent="gasm"), "descent: expected one of gsam, wsam, saner, look-sam"),
        (dict(variant="asam", eta=-1.0), "eta: expected a finite number >= 0"),
        (dict(variant="asam", sigma=1.0), "sigma: expected a key of asam .*eta.*momentum"),
        (dict(variant="asam", norm_guard=-1.0), "norm_guard: expected a number >= 0"),
        (dict(variant="momentum-sam"), "momentum-sam: expected a momentum above 0"),
        (dict(descent="look-sam", every=0.5), "every: expected a whole number"),
        (dict(params=[[3.0]]), "params: expected numpy arrays of float32 or float64"),
        (dict(params=[np.zeros((4, 4))[:, ::2]]), "params: expected C-contiguous arrays"),
        (dict(params=[np.zeros(2), np.zeros(2, np.float32)]), "params: expected one type"),
    ],
)
def test_a_wrong_argument_is_told_with_what_is_right(arguments, words):
    arguments = {"params": one(), "variant": "sam", "rho": 0.5, **arguments}
    with pytest.raises((TypeError, ValueError), match=words) as told:
        SAM(**arguments)
    assert "\n" not in str(told.value)


def test_nothing_is_imported_that_nobody_asked_for():
    code = "import presam, presam.verify, sys; print('numpy' in sys.modules, 'torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "False"]
