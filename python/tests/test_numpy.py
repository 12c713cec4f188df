"""The step over arrays, by hand and against itself."""

import numpy as np
import pytest

import presam
from presam.numpy import SAM

PLAIN = [name for name, rule in presam.variants().items() if rule.planes[1] == 0 and name != "momentum-sam"]


def run(steps, dtype=np.float64, sizes=(5, 3000), **arguments):
    """Some steps on a quartic; the arrays and the optimizer."""
    random = np.random.default_rng(1)
    params = [random.standard_normal(n).astype(dtype) for n in sizes]
    optimizer = SAM(params, **{"rho": 0.1, "base": "sgd", "lr": 0.01, "momentum": 0.9, **arguments})
    for _ in range(steps):
        optimizer.step(lambda: [w**3 - w for w in params])
    return params, optimizer


def test_sam_by_hand():
    # |w|^2: w + eps = (3.3, 4.4), gradient there (6.6, 8.8)
    w = np.array([3.0, 4.0])
    optimizer = SAM([w], "sam", rho=0.5, base="sgd", lr=0.1)
    loss = optimizer.step(lambda: (float(w @ w), [2 * w]))
    assert loss == 25.0 and optimizer.report().norm == 10.0
    np.testing.assert_allclose(w, [2.34, 3.12], rtol=1e-15)


@pytest.mark.parametrize("variant", PLAIN)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_variant_descends_and_resumes_to_the_same_bits(variant, dtype):
    whole, _ = run(6, dtype, variant=variant)
    assert all(np.isfinite(w).all() for w in whole)
    half, first = run(3, dtype, variant=variant)
    second = SAM(half, variant, rho=0.1, base="sgd", lr=0.01, momentum=0.9)
    second.load_state_dict(first.state_dict())
    for _ in range(3):
        second.step(lambda: [w**3 - w for w in half])
    assert all((a == b).all() for a, b in zip(whole, half))


def test_threads_change_no_bit():
    one, _ = run(2, np.float32, (300_000, 7), variant="info-asam", threads=1)
    two, _ = run(2, np.float32, (300_000, 7), variant="info-asam", threads=2)
    assert all((a == b).all() for a, b in zip(one, two))


def test_maximising_minus_f_is_minimising_f():
    ends = []
    for sign in (1.0, -1.0):
        w = np.array([1.0])
        optimizer = SAM([w], "info-asam", rho=0.1, base="adamw", lr=0.1, maximize=sign < 0)
        for _ in range(4):
            optimizer.step(lambda: [sign * (4 * w**3 + 2 * w)])
        ends.append(w[0])
    assert ends[0] == ends[1] != 1.0


def test_a_step_that_is_not_finite_changes_nothing():
    for group in ({}, {"counted": False}):
        a, b = np.ones(3), np.ones(2)
        optimizer = SAM([{"params": [a]}, {"params": [b], **group}], "info-asam", rho=0.1, lr=0.1, momentum=0.9)
        optimizer.step(lambda: [a * 2, b * 2])
        before, saved = (a.copy(), b.copy()), optimizer.state_dict()
        bad = np.array([1.0, np.nan])
        assert optimizer.first_step([a * 2, bad]) == "non-finite"
        assert optimizer.second_step([a * 2, bad]) == "non-finite"
        assert (a == before[0]).all() and (b == before[1]).all()
        now = optimizer.state_dict()
        assert now["counters"] == saved["counters"]
        assert all((x == y).all() for p, q in zip(now["planes"], saved["planes"]) for x, y in zip(p, q))
        assert optimizer.step(lambda: [a * 2, b * 2]) is None and optimizer.outcome == "perturbed"


def test_second_gradients_that_are_not_finite_restore_and_skip():
    w = np.array([3.0, 4.0])
    optimizer = SAM([w], "sam", rho=0.5, lr=0.1)
    optimizer.first_step([2 * w])
    assert (w != [3.0, 4.0]).all()
    assert optimizer.second_step([np.array([np.inf, 1.0])]) == "non-finite"
    assert (w == [3.0, 4.0]).all()


def test_an_error_of_the_gradient_restores():
    w = np.array([3.0, 4.0])
    optimizer = SAM([w], "sam", rho=0.5, lr=0.1)
    calls = []

    def gradient():
        calls.append(1)
        if len(calls) == 2:
            raise MemoryError
        return [2 * w]

    with pytest.raises(MemoryError):
        optimizer.step(gradient)
    assert (w == [3.0, 4.0]).all()
    with pytest.raises(ValueError, match="gradients: expected 1"):
        optimizer.step(lambda: [])
    assert (w == [3.0, 4.0]).all()


def test_clipping_and_loss_scale():
    def once(**arguments):
        w, scale = np.array([3.0, 4.0]), arguments.get("loss_scale", 1.0)
        SAM([w], "sam", rho=0.5, lr=0.1, **arguments).step(lambda: [2 * scale * w])
        return w

    assert (once(loss_scale=1024.0) == once()).all()
    # g~ = (6.6, 8.8), brought down to length 1: (0.6, 0.8)
    np.testing.assert_allclose(once(max_norm=1.0), [3 - 0.06, 4 - 0.08], rtol=1e-15)


def test_groups_decide_about_their_arrays():
    a, b, c = np.ones(1), np.ones(1), np.ones(1)
    optimizer = SAM([{"params": [a]}, {"params": [b], "perturbed": False, "counted": False}, {"params": [c], "lr": 0.0}],
                    "sam", rho=0.1, lr=0.5)
    optimizer.first_step([np.ones(1), np.full(1, 1e9), np.zeros(1)])
    assert (a[0], b[0], c[0]) == (1.1, 1.0, 1.0)
    optimizer.second_step([np.ones(1), np.ones(1), np.ones(1)])
    assert (a[0], b[0], c[0]) == (0.5, 0.5, 1.0)


def test_an_array_without_gradient_stays_and_an_empty_one_does_no_harm():
    a, b, c = np.ones(2), np.ones(2), np.ones(0)
    optimizer = SAM([a, b, c], "info-sam", rho=0.1, base="adamw", lr=0.1)
    for _ in range(3):
        optimizer.step(lambda: [2 * a, None, c])
    assert (b == 1.0).all() and (a != 1.0).all()


# SANER takes half of some components off, and needs more steps for as much.
@pytest.mark.parametrize("descent, steps", [("gsam", 40), ("wsam", 40), ("saner", 60)])
def test_methods_with_both_gradients_train(descent, steps):
    params, optimizer = run(steps, variant="sam", descent=descent, lr=0.02)
    assert all(np.mean((np.abs(w) - 1) ** 2) < 0.05 for w in params)
    assert optimizer.report().perturbed == 1.0


def test_saner_shrinks_the_components_that_the_perturbation_made_smaller():
    w, grads = np.zeros(4), [np.array([4.0, -4.0, 4.0, 0.0])]
    optimizer = SAM([w], "info-asam", rho=0.1, base="sgd", lr=1.0, descent="saner", alpha=0.25)
    optimizer.first_step(grads)
    optimizer.second_step([np.array([2.0, -6.0, -2.0, 2.0])])
    np.testing.assert_array_equal(-w, [1.5, -6.0, -2.0, 2.0])


def test_look_sam_is_its_formula():
    random = np.random.default_rng(3)
    w, gradient = random.standard_normal(50), lambda w: w**3 - w
    mine = w.copy()
    optimizer = SAM([mine], "sam", rho=0.1, base="sgd", lr=0.02, descent="look-sam", alpha=0.7, every=3)
    for k in range(10):
        optimizer.step(lambda: [gradient(mine)])
        g = gradient(w)
        if k % 3 == 0:
            along = gradient(w + 0.1 * g / np.linalg.norm(g))
            sharp = along - (g @ along) / (g @ g) * g
        else:
            along = g + 0.7 * np.linalg.norm(g) / np.linalg.norm(sharp) * sharp
        w -= 0.02 * along
        np.testing.assert_allclose(mine, w, rtol=1e-9, atol=1e-12)
    assert optimizer.report().perturbed == 0.4


MIXES = [("gsam", {}), ("wsam", {"decoupled": False}), ("saner", {})]


@pytest.mark.parametrize("descent, keys", MIXES)
def test_gradients_are_read_alone(descent, keys):
    w = np.array([1.0, 2.0])
    optimizer = SAM([w], "sam", rho=0.1, base="sgd", lr=0.1, descent=descent, **keys)
    second = np.array([0.5, 3.0])
    second.flags.writeable = False
    optimizer.first_step([np.array([1.0, 1.0])])
    optimizer.second_step([second])
    assert second.tolist() == [0.5, 3.0] and not np.array_equal(w, [1.0, 2.0])


def test_arrays_that_share_memory_are_refused():
    w, v = np.ones(6), np.ones(3)
    for params in ([w, w], [w, w[:2]], [w[:4], v, w[3:]]):
        with pytest.raises(ValueError, match="two parameters share memory"):
            SAM(params, "sam", rho=0.1, base="sgd", lr=0.1)
    SAM([w[:3], v, w[3:]], "sam", rho=0.1, base="sgd", lr=0.1)


def test_a_gradient_that_is_a_parameter_is_refused():
    a, b = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    optimizer = SAM([a, b], "sam", rho=0.1, base="sgd", lr=0.1)
    with pytest.raises(ValueError, match="a gradient shares memory with a parameter"):
        optimizer.step(lambda: [b, a])
    assert a.tolist() == [1.0, 2.0] and b.tolist() == [3.0, 4.0]


@pytest.mark.parametrize("descent", ["wsam", "look-sam"])
def test_a_first_gradient_that_is_kept_is_judged_in_every_group(descent):
    a, b = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    plain = {"params": [b], "counted": False, "perturbed": False}
    optimizer = SAM([{"params": [a]}, plain], "sam", rho=0.1, base="sgd", lr=0.1, descent=descent)
    assert optimizer.first_step([2 * a, np.array([1.0, np.nan])]) == "non-finite"
    optimizer.second_step([2 * a, 2 * b])
    assert a.tolist() == [1.0, 2.0] and b.tolist() == [3.0, 4.0]


def test_an_array_without_dimensions_takes_the_scalar_that_numpy_makes_of_it():
    w = np.array(2.0)
    optimizer = SAM([w], "sam", rho=0.0, base="sgd", lr=0.25)
    optimizer.step(lambda: [w * 2])
    assert w == 1.0
    with pytest.raises(TypeError, match="found a float"):
        optimizer.step(lambda: [4.0])


def test_loading_what_does_not_fit_changes_nothing():
    params, optimizer = run(3, sizes=(6, 3), variant="info-asam")
    saved = optimizer.state_dict()
    kept = [[p.copy() for p in planes] for planes in saved["planes"]]
    other = lambda **change: {**saved, **change}
    short, turned = saved["planes"][:1], saved["planes"][::-1]
    wrong = [other(planes=short), other(planes=turned), other(groups=[]), other(descent="gsam"), other(base="adamw")]
    for state in wrong:
        with pytest.raises(ValueError, match="load_state_dict: expected"):
            optimizer.load_state_dict(state)
        now = optimizer.state_dict()
        assert all(np.array_equal(a, b) for x, y in zip(now["planes"], kept) for a, b in zip(x, y))
        assert now["counters"] == saved["counters"] and now["watch"] == saved["watch"]
    optimizer.first_step([w.copy() for w in params])
    with pytest.raises(RuntimeError, match="perturbed"):
        optimizer.load_state_dict(saved)
    optimizer.restore()
    optimizer.load_state_dict(saved)
    assert optimizer.report().perturbed == 1.0
