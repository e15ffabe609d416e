"""Arrays on the numpy backend beside the same work written by hand in NumPy."""

from __future__ import annotations

from typing import Any

from gradspec.dense import Dense
from gradspec.spec.model import Program
from tests.benchmarks.measure import Broken, Row, interleaved, medians
from tests.benchmarks.programs import Writer

__all__ = ["mlp", "small"]


def small(rounds: int) -> list[Row]:
    """A chain of 1,000 ops on (4, 4) float64 arrays: y ← tanh(y), y·w, y + b, …"""
    import numpy as np

    from gradspec.backends.numpy import NumpyBackend

    n, backend = 1_000, NumpyBackend()
    draw = np.random.default_rng(4)
    y0, w, b, seed = (draw.uniform(0.5, 1.0, (4, 4)) for _ in range(4))
    writer = Writer("float64")
    leaves = [writer.leaf(_dense(array)) for array in (y0, w, b)]
    out = leaves[0]
    for i in range(n):
        if i % 3 == 0:
            out = writer.op("tanh", out)
        else:
            out = writer.op("mul", out, leaves[1]) if i % 3 == 1 else writer.op("add", out, leaves[2])
    writer.backward(out, _dense(seed))
    writer.watch(*leaves)
    program = writer.program()

    def ours() -> list[Any]:
        return _grads(backend.run(program._replace(id="again")))

    def by_hand() -> list[Any]:
        y, saved = y0, []
        for i in range(n):
            if i % 3 == 0:
                y = np.tanh(y)
                saved.append(y)
            elif i % 3 == 1:
                saved.append(y)
                y = y * w
            else:
                y = y + b
        ct, gw, gb = seed, np.zeros((4, 4)), np.zeros((4, 4))
        for i in reversed(range(n)):
            if i % 3 == 0:
                t = saved.pop()
                ct = ct * (1.0 - t * t)
            elif i % 3 == 1:
                gw += ct * saved.pop()
                ct = ct * w
            else:
                gb += ct
        return [ct, gw, gb]

    _same(ours(), by_hand(), 1e-9)
    spent = medians(interleaved({"ours": ours, "by hand": by_hand}, max(rounds, 15)))
    us = {who: 1e6 * value / n for who, value in spent.items()}
    return [
        Row("small", "(4, 4) × 1,000 ops", "numpy", us["ours"], "by hand", us["by hand"], "µs/op", "≤ 2.5")
    ]


def mlp(rounds: int) -> list[Row]:
    """A training step's loss and gradients: 256 × 784 – 512 – 10, relu, cross-entropy."""
    return [_mlp(dtype, rounds) for dtype in ("float64", "float32")]


def _mlp(dtype: str, rounds: int) -> Row:
    import numpy as np

    from gradspec.backends.numpy import NumpyBackend

    backend, draw = NumpyBackend(), np.random.default_rng(5)
    x = draw.standard_normal((256, 784)).astype(dtype)
    target = np.eye(10, dtype=dtype)[draw.integers(0, 10, 256)]
    w1 = (draw.standard_normal((784, 512)) / 28).astype(dtype)
    w2 = (draw.standard_normal((512, 10)) / 22).astype(dtype)
    b1, b2 = np.zeros(512, dtype), np.zeros(10, dtype)
    program = _mlp_program(dtype, x, target, (w1, b1, w2, b2))

    def ours() -> list[Any]:
        return _grads(backend.run(program._replace(id="again")))

    def by_hand() -> list[Any]:
        h = x @ w1
        h += b1
        np.maximum(h, 0, out=h)
        logits = h @ w2
        logits += b2
        logits -= logits.max(axis=1, keepdims=True)
        p = np.exp(logits)
        p /= p.sum(axis=1, keepdims=True)
        p -= target
        p *= np.dtype(dtype).type(1 / 256)
        gh = p @ w2.T
        gh *= h > 0
        return [x.T @ gh, gh.sum(axis=0), h.T @ p, p.sum(axis=0)]

    _same(ours(), by_hand(), 1e-3 if dtype == "float32" else 1e-9)
    ms = {k: 1e3 * v for k, v in medians(interleaved({"o": ours, "h": by_hand}, max(rounds, 15))).items()}
    return Row("mlp", f"256×784–512–10 {dtype}", "numpy", ms["o"], "by hand", ms["h"], "ms", "≤ 1.15")


def _mlp_program(dtype: str, x: Any, target: Any, weights: tuple[Any, ...]) -> Program:
    writer = Writer(dtype)
    inputs, wanted = (writer.leaf(_dense(array), requires_grad=False) for array in (x, target))
    scale = writer.leaf(Dense(dtype, (), [-1 / 256]), requires_grad=False)
    w1, b1, w2, b2 = leaves = [writer.leaf(_dense(array)) for array in weights]
    h = writer.op("relu", writer.op("add", writer.op("matmul", inputs, w1), b1))
    logits = writer.op("add", writer.op("matmul", h, w2), b2)
    likelihood = writer.op("mul", writer.op("log_softmax", logits, dim=1), wanted)
    writer.backward(writer.op("mul", writer.op("sum", likelihood), scale))
    writer.watch(*leaves)
    return writer.program()


def _dense(array: Any) -> Dense:
    return Dense(array.dtype.name, array.shape, array)


def _grads(observations: Any) -> list[Any]:
    if observations.outcomes:
        raise Broken(f"the program does not run: {observations.outcomes}")
    (looks,) = observations.seen.values()
    return [look["grad"] for look in looks]


def _same(ours: list[Any], by_hand: list[Any], loose: float) -> None:
    """Both compute the same gradients, or the figures mean nothing."""
    import numpy as np

    for dense, expected in zip(ours, by_hand, strict=True):
        got = np.array(dense.flat()).reshape(dense.shape)
        if not np.allclose(got, expected, rtol=loose, atol=loose):
            raise Broken(f"gradients differ: {got} and {expected}")
