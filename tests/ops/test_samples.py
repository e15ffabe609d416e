"""Every sample of every op: both array libraries agree, and derivatives are those of the function."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest

from gradspec.dense import Dense
from gradspec.ops import registry
from gradspec.ops.registry import Op, Sample
from tests.ops.session import LIBRARIES, arrays_in, run, second_order

CASES = [
    pytest.param(op, sample, id=f"{op.name}-{k}")
    for op in registry.values()
    for k, sample in enumerate(op.samples)
]
# finite differences cannot judge a kink, and some nodes have no derivative
SMOOTH = [case for case in CASES if case.values[1].note != "ties" and not case.values[0].underivable]
STEP = 1e-6


def materialize(op: Op, sample: Sample, rng: np.random.Generator) -> dict[str, Any]:
    """A sample's arguments with NumPy arrays for tensors."""

    def tensor(value: Any) -> Any:
        if isinstance(value, Dense):
            return np.array(value.flat(), dtype=value.dtype).reshape(value.shape)
        if isinstance(value, tuple) and len(value) == 3 and isinstance(value[0], tuple):
            shape, low, high = value
            return np.asarray(rng.uniform(low, high, shape))
        return [tensor(part) for part in value] if isinstance(value, list) else value

    return {
        name: tensor(value) if op.by_name[name].is_tensor else value for name, value in sample.args.items()
    }


def _wants(op: Op, args: dict[str, Any]) -> Any:
    """Whether the k-th array among the arguments can be differentiated by."""
    able = [
        array.dtype.kind == "f" and name not in op.fixed
        for name, value in args.items()
        for array in arrays_in({name: value})
    ]
    return able.__getitem__


def _moved(args: dict[str, Any], which: int, by: Any) -> dict[str, Any]:
    """The arguments with the which-th array moved."""
    seen = iter(range(99))

    def visit(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return np.asarray(value + by) if next(seen) == which else value
        return [visit(part) for part in value] if isinstance(value, list) else value

    return {name: visit(value) for name, value in args.items()}


def _seeded(*parts: Any) -> np.random.Generator:
    seed = zlib.crc32(repr(parts).encode())
    print(f"seed {seed}")
    return np.random.default_rng(seed)


@pytest.mark.parametrize(("op", "sample"), CASES)
def test_libraries_agree(op: Op, sample: Sample) -> None:
    args = materialize(op, sample, _seeded(op.name, sample))
    derived = not op.underivable
    able = _wants(op, args)

    def wants(k: int) -> bool:
        return derived and bool(able(k))

    rng = np.random.default_rng(0)
    results = []
    cts = None
    for library in LIBRARIES:
        if cts is None:
            cts = [
                rng.uniform(-2, 2, v.shape).astype(v.dtype) for v in run(library, op.name, args, wants).values
            ]
        results.append(run(library, op.name, args, wants, cts))
    first, second = results
    assert first.grad_fn == second.grad_fn and first.requires_grad == second.requires_grad
    for a, b in zip([*first.values, *first.grads], [*second.values, *second.grads], strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("op", "sample"), SMOOTH)
def test_first_derivative(op: Op, sample: Sample) -> None:
    rng = _seeded(op.name, sample, 1)
    args = materialize(op, sample, rng)
    arrays = arrays_in(args)
    wants = _wants(op, args)
    plain = run("numpy", op.name, args, wants)
    flow = [k for k, tracked in enumerate(plain.requires_grad) if tracked]
    if not flow:
        return
    cts = [np.asarray(rng.uniform(0.5, 2, v.shape)).astype(v.dtype) for v in plain.values]
    here = run("numpy", op.name, args, wants, cts)
    nothing = run("numpy", op.name, args, wants, [np.zeros_like(ct) for ct in cts])
    for k, array in enumerate(arrays):
        if not wants(k) or (op.name == "to" and k == 1):  # `other` gives its dtype alone
            assert here.grads[k] is None
            continue
        assert here.grads[k].dtype == array.dtype and here.grads[k].shape == array.shape
        assert not np.any(nothing.grads[k]), "a cotangent of zero gives something"
        if not array.size:
            continue
        direction = np.asarray(rng.uniform(-1, 1, array.shape))
        ahead = run("numpy", op.name, _moved(args, k, STEP * direction), wants).values
        behind = run("numpy", op.name, _moved(args, k, -STEP * direction), wants).values
        numeric = sum(np.vdot(cts[j], (ahead[j].astype(complex) - behind[j]) / (2 * STEP)).real for j in flow)
        precise = min(plain.values[j].dtype.itemsize for j in flow) >= 8
        tolerance = 1e-6 if precise else 0.5
        np.testing.assert_allclose(
            np.vdot(here.grads[k], direction).real, numeric, rtol=tolerance, atol=tolerance
        )


@pytest.mark.parametrize(("op", "sample"), SMOOTH)
def test_second_derivative(op: Op, sample: Sample) -> None:
    rng = _seeded(op.name, sample, 2)
    args = materialize(op, sample, rng)
    arrays = arrays_in(args)
    wants = _wants(op, args)
    plain = run("numpy", op.name, args, wants)
    if (
        plain.requires_grad != [True] + [False] * (len(plain.values) - 1)
        or plain.values[0].dtype != "float64"
        or op.name == "to"
    ):
        return
    ct = np.asarray(rng.uniform(0.5, 2, plain.values[0].shape))
    weights = [np.asarray(rng.uniform(-1, 1, a.shape)) for k, a in enumerate(arrays) if wants(k)]

    def weighted(changed: dict[str, Any], seed: Any) -> float:
        grads = run("numpy", op.name, changed, wants, [seed, *plain.values[1:]]).grads
        return float(
            sum(np.vdot(w, g) for w, g in zip(weights, (g for g in grads if g is not None), strict=True))
        )

    seconds = second_order("numpy", op.name, args, wants, ct, weights)
    for k, array in enumerate((*arrays, ct)):
        if k < len(arrays) and not wants(k):
            continue
        direction = np.asarray(rng.uniform(-1, 1, array.shape))
        by = STEP * direction
        if k == len(arrays):
            ahead, behind = weighted(args, ct + by), weighted(args, ct - by)
        else:
            ahead, behind = weighted(_moved(args, k, by), ct), weighted(_moved(args, k, -by), ct)
        got = 0.0 if seconds[k] is None else float(np.vdot(seconds[k], direction))
        np.testing.assert_allclose(got, (ahead - behind) / (2 * STEP), rtol=1e-6, atol=1e-6)
