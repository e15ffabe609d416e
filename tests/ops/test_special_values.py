"""Kinks, ties, zeros, infinities and NaNs: values and gradients are torch's there too."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from tests.ops.random_calls import Call
from tests.ops.session import LIBRARIES, run

torch = pytest.importorskip("torch")

from tests.ops.test_against_torch import _in_torch  # noqa: E402  # it needs torch

INF, NAN = np.inf, np.nan
POINTS = np.array([0.0, -0.0, 1.0, -1.0, 0.5, INF, -INF, NAN])
LEFT, RIGHT = (np.array(side) for side in zip(*((a, b) for a in POINTS for b in POINTS), strict=True))
ROWS = np.array(
    [[0, 1, INF], [0, 1, -INF], [-INF, -INF, -INF], [1, NAN, 2], [1, 1, 1], [0, 0, 3], [INF, INF, 0]],
    dtype="float64",
)
BOUNDS = ((-1.0, 0.5), (0.0, None), (None, 0.0), (1.0, -1.0))
OVER_A_DIM = (
    "sum", "mean", "prod", "amax", "amin", "std", "var", "logsumexp", "softmax", "log_softmax",
    "cumsum", "argmax", "argmin", "sort", "argsort", "max", "min", "median", "nanmedian", "cummax", "cummin",
    "logcumsumexp", "nansum", "nanmean", "any", "all",
)  # fmt: skip
CALLS = [
    *(Call(op, {"input": POINTS}) for op in
      ("abs", "neg", "exp", "log", "sin", "cos", "tanh", "sigmoid", "sqrt", "square", "reciprocal", "sign",
       "relu", "rsqrt", "expm1", "exp2", "log1p", "log2", "log10", "logit", "tan", "asin", "acos", "atan",
       "sinh", "cosh", "asinh", "acosh", "atanh", "sinc", "erf", "erfc", "erfinv", "lgamma", "floor", "ceil",
       "trunc", "round", "frac", "nan_to_num", "logical_not")),
    Call("digamma", {"input": POINTS[POINTS != -1]}),  # at its poles torch gives what a rounded sine leaves
    *(Call("logit", {"input": POINTS, "eps": eps}) for eps in (0.0, 0.25, 0.5, -1.0)),
    Call("nan_to_num", {"input": POINTS, "nan": 3.0, "posinf": 4.0, "neginf": -5.0}),
    Call("fmod", {"input": LEFT, "other": 1.0}),
    *(Call("copysign", {"input": POINTS, "other": k}) for k in (0.0, -0.0, -2.0)),
    *(Call(op, {"input": LEFT, "other": RIGHT}) for op in
      ("add", "sub", "mul", "div", "maximum", "minimum", "eq", "ne", "lt", "le", "gt", "ge", "fmod",
       "atan2", "hypot", "copysign", "nextafter", "fmax", "fmin", "logaddexp", "logical_and", "logical_or",
       "logical_xor")),
    *(Call("pow", {"input": LEFT, "exponent": RIGHT * k}) for k in (1.0, 2.0, 0.5)),
    # not 0.5: there torch takes the square root, which is no IEEE pow at -0.0 and -inf
    *(Call("pow", {"input": POINTS, "exponent": k}) for k in (0, 1, 2, -1, 2.5, 3.0)),
    *(Call("pow", {"input": k, "exponent": POINTS}) for k in (0.0, 1, 2.0, -1.0)),
    *(Call("clamp", {"input": LEFT, "min": a, "max": b}) for a, b in BOUNDS),
    Call("clamp", {"input": LEFT, "min": RIGHT}),
    Call("clamp", {"input": LEFT, "min": RIGHT, "max": np.array(0.0)}),
    Call("clamp", {"input": LEFT, "min": np.array(0.0), "max": RIGHT}),
    Call("where", {"condition": LEFT > 0, "input": LEFT, "other": RIGHT}),
    *(Call(op, {"input": ROWS, "dim": dim}) for dim in (0, 1) for op in OVER_A_DIM),
    *(Call(op, {"input": row}) for row in ROWS for op in
      ("sum", "mean", "amax", "amin", "std", "var", "max", "min", "median", "nanmedian", "nansum", "nanmean",
       "any", "all")),
    *(Call("quantile", {"input": row, "q": np.array([0.0, 0.3, 1.0])}) for row in ROWS),
    *(Call("prod", {"input": row}) for row in ROWS if np.isfinite(row).all()),
]  # fmt: skip
CALLS += [
    *(Call(op, {"input": POINTS}) for op in
      ("elu", "leaky_relu", "rrelu", "softplus", "silu", "softshrink")),
    *(Call("linalg.vector_norm", {"x": row, "ord": p}) for row in ROWS
      for p in (0, 1, 2, 3, 1.5, 0.5, -1, INF, -INF)),
    *(Call("normalize", {"input": ROWS, "p": p}) for p in (1, 2, 3, INF)),
    Call("cosine_similarity", {"x1": ROWS, "x2": ROWS[4] - ROWS[5]}),
    Call("layer_norm", {"input": ROWS, "normalized_shape": [3]}),
    *(Call("dist", {"input": row, "other": ROWS[4] - ROWS[5], "p": p}) for row in ROWS
      for p in (1, 2, 3, INF)),
    *(Call(op, {"input": LEFT, "target": RIGHT, "reduction": "none"}) for op in
      ("l1_loss", "mse_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy_with_logits")),
    *(Call("dropout", {"input": POINTS, "p": p}) for p in (0.0, 1.0)),
    *(Call(op, {"input": POINTS * 6}) for op in ("relu6", "hardsigmoid", "softplus")),
    *(Call("gelu", {"input": POINTS, "approximate": word}) for word in ("none", "tanh")),
    *(Call("softplus", {"input": POINTS, "beta": 2, "threshold": k}) for k in (1, 0)),
]  # fmt: skip


@pytest.mark.torch
@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.op)
def test_special_values(library: str, call: Call) -> None:
    def wants(_: int) -> bool:
        return True

    if call.op == "where":

        def wants(k: int) -> bool:
            return k > 0

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outs, _, _ = _in_torch(call, wants, [])
        cts = [np.arange(1.0, out.numel() + 1).reshape(out.shape) for out in outs]
        outs, leaves, _ = _in_torch(call, wants, cts)
        here = run(library, call.op, call.args, wants, cts)
    for value, out in zip(here.values, outs, strict=True):
        _same(value, out.detach().numpy(), "value", call)
    for k, (grad, leaf) in enumerate(zip(here.grads, leaves, strict=True)):
        if leaf.grad is not None:
            _same(grad, leaf.grad.numpy(), f"gradient {k}", call)


def _same(got: Any, expected: Any, what: str, call: Call) -> None:
    np.testing.assert_allclose(got, expected, rtol=1e-7, atol=1e-7, err_msg=f"{what} of {call}")
