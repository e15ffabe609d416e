"""Random calls of the tier-1 ops: shapes, broadcasting, arguments and dtypes as they come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["MAKERS", "Call"]

FLOATS = ("float32", "float64")


class Call:
    """An op and its arguments; NumPy arrays are tensors, and `grads` names those that want a gradient."""

    def __init__(self, op: str, args: dict[str, Any]) -> None:
        self.op = op
        self.args = args

    def __repr__(self) -> str:
        def show(value: Any) -> Any:
            if isinstance(value, np.ndarray):
                return f"{value.dtype}{value.tolist() if value.size < 13 else value.shape}"
            return [show(v) for v in value] if isinstance(value, list) else value

        return f"{self.op}({', '.join(f'{k}={show(v)}' for k, v in self.args.items())})"


class Dice:
    """Random parts of calls."""

    def __init__(self, rng: np.random.Generator, dtype: str) -> None:
        self.rng = rng
        self.dtype = dtype

    def shape(self, low: int = 0, high: int = 3, sizes: tuple[int, ...] = (1, 2, 3, 4)) -> tuple[int, ...]:
        ndim = int(self.rng.integers(low, high + 1))
        shape = [int(self.rng.choice(sizes)) for _ in range(ndim)]
        if ndim and self.rng.random() < 0.04:
            shape[int(self.rng.integers(ndim))] = 0
        return tuple(shape)

    def array(self, shape: tuple[int, ...], low: float = -3.0, high: float = 3.0, dtype: str = "") -> Any:
        dtype = dtype or self.dtype
        values = self.rng.uniform(low, high, shape)
        if dtype.startswith("complex"):
            values = values + 1j * self.rng.uniform(low, high, shape)
        if dtype == "bool":
            values = values > (low + high) / 2
        return np.asarray(values).astype(dtype)

    def coarse(self, shape: tuple[int, ...]) -> Any:
        """Values with ties and zeros."""
        return np.asarray(self.rng.integers(-2, 3, shape) / 2).astype(self.dtype)

    def distinct(self, shape: tuple[int, ...]) -> Any:
        """Values of which no two are equal."""
        count = int(np.prod(shape))
        return np.asarray(self.rng.permutation(count) / 4 - 2).reshape(shape).astype(self.dtype)

    def broadcasting(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """A shape that broadcasts to `shape`."""
        cut = shape[int(self.rng.integers(len(shape) + 1)) :]
        return tuple(1 if self.rng.random() < 0.3 else size for size in cut)

    def pair(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        shape = self.shape()
        other = self.broadcasting(shape)
        first = tuple(1 if self.rng.random() < 0.2 else size for size in shape) if other == shape else shape
        return (first, other) if self.rng.random() < 0.6 else (other, first)

    def chance(self, p: float = 0.5) -> bool:
        return bool(self.rng.random() < p)

    def dim(self, shape: tuple[int, ...]) -> int:
        ndim = len(shape) or 1
        return int(self.rng.integers(-ndim, ndim))

    def dims(self, shape: tuple[int, ...]) -> list[int]:
        ndim = len(shape)
        count = int(self.rng.integers(ndim + 1))
        return [int(d) - (ndim if self.chance(0.3) else 0) for d in self.rng.permutation(ndim)[:count]]

    def other_dtype(self) -> str:
        """A dtype to mix with the call's own."""
        return str(self.rng.choice(["int64", "float32", "float64", self.dtype, self.dtype]))

    @property
    def complex(self) -> bool:
        return self.dtype.startswith("complex")


MAKERS: dict[str, Callable[[Dice], Call]] = {}


def _maker(*ops: str) -> Any:
    def register(function: Callable[[Dice, str], dict[str, Any]]) -> Any:
        for op in ops:
            MAKERS[op] = lambda dice, op=op: Call(op, function(dice, op))
        return function

    return register


REAL_ONLY = {
    "sign", "maximum", "minimum", "amax", "amin", "clamp", "relu", "softmax", "log_softmax",
    "argmax", "argmin", "lt", "le", "gt", "ge", "remainder", "sort", "argsort", "topk", "kthvalue", "median",
    "nanmedian", "mode", "max", "min", "cummax", "cummin", "quantile", "nansum", "nanmean", "unique",
    "erf", "erfc", "erfinv", "lgamma", "digamma", "logit", "floor", "ceil", "trunc", "round", "frac", "fmod",
    "copysign", "heaviside", "nextafter", "atan2", "hypot", "fmax", "fmin", "nan_to_num",
    "complex", "polar", "embedding",
}  # fmt: skip


@_maker("abs", "neg", "exp", "sin", "cos", "tanh", "sigmoid", "square", "clone", "relu", "positive")
def _(dice: Dice, op: str) -> Any:
    return {"input": dice.array(dice.shape())}


REAL_ONLY |= {
    "elu", "relu6", "leaky_relu", "rrelu", "hardsigmoid", "softshrink", "softplus", "gelu", "layer_norm",
    "cdist", "cosine_similarity", "mse_loss", "smooth_l1_loss", "huber_loss", "nll_loss", "cross_entropy",
    "binary_cross_entropy_with_logits",
}  # fmt: skip


@_maker(
    "elu", "leaky_relu", "rrelu", "softshrink", "softplus", "relu6", "hardsigmoid", "silu", "gelu", "dropout"
)
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape()
    # many on the kinks: 0, ±0.5, ±3, 6
    args: dict[str, Any] = {"input": dice.coarse(shape) if dice.chance() else dice.array(shape, -8, 8)}
    if op in ("relu6", "hardsigmoid"):
        args["input"] = np.asarray(dice.coarse(shape) * 6) if dice.chance() else dice.array(shape, -8, 8)
    choices = {
        "elu": {"alpha": [0.5, 2, -0.5]}, "leaky_relu": {"negative_slope": [0.25, 1, -0.5]},
        "softshrink": {"lambd": [1, 0.5, 0.0]}, "softplus": {"beta": [2.5, -1, 1], "threshold": [0, 4]},
        "gelu": {"approximate": ["none", "tanh"]},
        "rrelu": {"lower": [0.0, 0.25], "upper": [0.5, 0.75]},
    }  # fmt: skip
    for name, values in choices.get(op, {}).items():
        if dice.chance():
            args[name] = values[int(dice.rng.integers(len(values)))]
    if op == "dropout":
        args |= [{"p": 0}, {"p": 1.0}, {"training": False}][int(dice.rng.integers(3))]
    return args


@_maker("log", "sqrt", "reciprocal")
def _(dice: Dice, op: str) -> Any:
    return {"input": dice.array(dice.shape(), 0.2, 4.0)}


@_maker("sign", "zeros_like", "ones_like", "detach")
def _(dice: Dice, op: str) -> Any:
    return {"input": dice.coarse(dice.shape())}


@_maker("to")
def _(dice: Dice, op: str) -> Any:
    wanted = ["complex128"] if dice.complex else ["float32", "float64", "complex64", "int64", "bool"]
    return {"input": dice.array(dice.shape()), "dtype": str(dice.rng.choice(wanted))}


@_maker(
    "expm1", "exp2", "sinh", "cosh", "atan", "asinh", "sinc", "erf", "erfc", "frac", "floor", "ceil", "trunc"
)
def _(dice: Dice, op: str) -> Any:
    return {"input": dice.array(dice.shape())}


@_maker("rsqrt", "log1p", "log2", "log10", "lgamma", "digamma")
def _(dice: Dice, op: str) -> Any:
    return {"input": dice.array(dice.shape(), 0.2, 4.0)}


@_maker("tan", "asin", "acos", "atanh", "erfinv")
def _(dice: Dice, op: str) -> Any:
    size = 3.0 if dice.complex and op != "erfinv" else 0.9
    return {"input": dice.array(dice.shape(), -size, size)}


@_maker("acosh")
def _(dice: Dice, op: str) -> Any:
    return {"input": dice.array(dice.shape(), -3.0 if dice.complex else 1.2, 4.0)}


@_maker("logical_not")
def _(dice: Dice, op: str) -> Any:
    return {"input": dice.coarse(dice.shape())}


@_maker("logit")
def _(dice: Dice, op: str) -> Any:
    args = {"input": dice.array(dice.shape(), 0.1, 0.9)}
    return args | ({"eps": float(dice.rng.choice([0.25, 0.0, -1.0]))} if dice.chance() else {})


@_maker("round")
def _(dice: Dice, op: str) -> Any:
    args = {"input": dice.coarse(dice.shape()) if dice.chance(0.3) else dice.array(dice.shape(), -30, 30)}
    return args | ({"decimals": int(dice.rng.integers(-1, 3))} if dice.chance() else {})


@_maker("nan_to_num")
def _(dice: Dice, op: str) -> Any:
    array = dice.array(dice.shape())
    array[dice.rng.random(array.shape) < 0.3] = dice.rng.choice([np.nan, np.inf, -np.inf])
    numbers = {"nan": 0.5, "posinf": 9.0, "neginf": -7.0}
    return {"input": array} | {name: value for name, value in numbers.items() if dice.chance(0.3)}


@_maker("fmod")
def _(dice: Dice, op: str) -> Any:
    a, b = dice.pair()
    return {"input": dice.array(a, -9, 9), "other": dice.array(b, 0.7, 3) if dice.chance(0.7) else 2.5}


@_maker("copysign")
def _(dice: Dice, op: str) -> Any:
    a, b = dice.pair()
    number = float(dice.rng.choice([-2, 0, -0.0]))
    return {"input": dice.array(a), "other": dice.array(b) if dice.chance(0.7) else number}


@_maker("atan2", "hypot", "logaddexp")
def _(dice: Dice, op: str) -> Any:
    a, b = dice.pair()
    # torch fails in backward where one of the two is complex
    return {
        "input": dice.array(a),
        "other": dice.array(b, dtype=dice.dtype if dice.complex else dice.other_dtype()),
    }


@_maker("nextafter", "fmax", "fmin", "logical_and", "logical_or", "logical_xor")
def _(dice: Dice, op: str) -> Any:
    a, b = dice.pair()
    return {"input": dice.coarse(a), "other": dice.coarse(b)}


@_maker("heaviside")
def _(dice: Dice, op: str) -> Any:
    a, b = dice.pair()
    # of integers: the node of floating ones has no derivative
    return {"input": dice.coarse(a).astype("int64"), "values": dice.array(b, dtype="int64")}


@_maker("float_power")
def _(dice: Dice, op: str) -> Any:
    a, b = dice.pair()
    kind = int(dice.rng.integers(3))
    if kind == 0:
        return {"input": dice.array(a, 0.3, 3), "exponent": float(dice.rng.choice([2, 0.5, -1.5]))}
    if kind == 1:
        return {"input": 2 if dice.chance() else 0.5, "exponent": dice.array(a)}
    return {"input": dice.array(a, 0.3, 3), "exponent": dice.array(b)}


@_maker("add", "sub")
def _(dice: Dice, op: str) -> Any:
    a, b = dice.pair()
    args = {"input": dice.array(a), "other": dice.array(b, dtype=dice.other_dtype())}
    if dice.chance(0.3):
        args["other"] = [2, -0.5, 3.0, True][int(dice.rng.integers(3))]
    if op == "sub" and dice.chance(0.15):
        args = {"input": 2.5, "other": dice.array(a)}
    elif dice.chance(0.3):
        args["alpha"] = float(dice.rng.choice([2.0, -0.5]))
    return args


@_maker("mul")
def _(dice: Dice, op: str) -> Any:
    a, b = dice.pair()
    if dice.chance(0.25):
        args = [dice.array(a), 4 if dice.chance() else -0.25]
        return dict(zip(("input", "other") if dice.chance() else ("other", "input"), args, strict=True))
    return {"input": dice.array(a), "other": dice.array(b, dtype=dice.other_dtype())}


@_maker("div")
def _(dice: Dice, op: str) -> Any:
    a, b = dice.pair()
    args = {"input": dice.array(a), "other": dice.array(b, 0.4, 3.0)}
    if dice.chance(0.25):
        args["other"] = float(dice.rng.choice([2, -0.25]))
    elif dice.chance(0.2):
        args["input"] = 3
    if not dice.complex and dice.chance(0.3) and not isinstance(args["input"], int):
        args["rounding_mode"] = str(dice.rng.choice(["trunc", "floor"]))
    return args


@_maker("remainder")
def _(dice: Dice, op: str) -> Any:
    a, b = dice.pair()
    return {"input": dice.array(a, -9, 9), "other": dice.array(b, 0.7, 3) if dice.chance(0.7) else 2.5}


@_maker("pow")
def _(dice: Dice, op: str) -> Any:
    a, b = dice.pair()
    kind = int(dice.rng.integers(4))
    if kind == 0:
        return {"input": dice.array(a), "exponent": int(dice.rng.integers(-2, 5))}
    if kind == 1:
        return {"input": dice.array(a, 0.3, 3), "exponent": float(dice.rng.choice([0.5, 2.5, -1.5]))}
    if kind == 2:
        return {"input": 2 if dice.chance() else 0.5, "exponent": dice.array(a)}
    return {"input": dice.array(a, 0.3, 3), "exponent": dice.array(b)}


@_maker("maximum", "minimum")
def _(dice: Dice, op: str) -> Any:
    a, b = dice.pair()
    return {"input": dice.coarse(a), "other": dice.coarse(b)}


@_maker("eq", "ne", "lt", "le", "gt", "ge")
def _(dice: Dice, op: str) -> Any:
    a, b = dice.pair()
    return {"input": dice.coarse(a), "other": dice.coarse(b) if dice.chance(0.7) else 0.5}


@_maker("clamp")
def _(dice: Dice, op: str) -> Any:
    a, _ = dice.pair()
    tensors = dice.chance()
    bounds = [dice.coarse(dice.broadcasting(a) if tensors else ()) for _ in range(2)]
    values = bounds if tensors else [bound.item() for bound in bounds]
    args = {"input": dice.coarse(a), "min": values[0], "max": values[1]}
    if dice.chance(0.4):
        del args["min" if dice.chance() else "max"]
    return args


@_maker("where")
def _(dice: Dice, op: str) -> Any:
    a, b = dice.pair()
    # torch fails in backward where one of the two is complex
    other = (
        1.5 if dice.chance(0.2) else dice.array(b, dtype=dice.dtype if dice.complex else dice.other_dtype())
    )
    return {
        "condition": dice.array(dice.broadcasting(a), dtype="bool"),
        "input": dice.array(a),
        "other": other,
    }


@_maker("sum", "mean", "amax", "amin", "std", "var", "logsumexp")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape()
    args = {"input": dice.coarse(shape) if op in ("amax", "amin") else dice.array(shape)}
    if dice.chance(0.75) or op == "logsumexp":
        args["dim"] = dice.dim(shape) if dice.chance() else dice.dims(shape)
        if not args["dim"] and op in ("std", "var", "logsumexp") and not isinstance(args["dim"], int):
            args["dim"] = dice.dim(shape)  # torch's own gradients are wrong for an empty list
        if dice.chance():
            args["keepdim"] = True
    if op in ("std", "var") and dice.chance():
        args["correction"] = float(dice.rng.choice([0, 1, 0.5, 2]))
    if op in ("sum", "mean") and not dice.complex and dice.chance(0.2):
        args["dtype"] = "float64"
    return args


@_maker("linalg.vector_norm", "norm", "normalize")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape(1 if op == "normalize" else 0)
    args: dict[str, Any] = {"x" if op == "linalg.vector_norm" else "input": dice.array(shape)}
    if dice.chance(0.75) or op == "normalize":
        args["dim"] = dice.dim(shape) if dice.chance() else dice.dims(shape)
    if dice.chance(0.75):
        powers = [1, 2, 2.0, 3, 1.5, 0.5, -1, np.inf, -np.inf, *([0] if op != "normalize" else [])]
        if op == "norm":
            powers += ["fro", None]
        args["ord" if op == "linalg.vector_norm" else "p"] = powers[int(dice.rng.integers(len(powers)))]
    if op == "normalize":
        return args | ({"eps": 0.5} if dice.chance(0.3) else {})
    if args.get("p") == "fro" and isinstance(args.get("dim"), list):
        args["dim"] = args["dim"][:2]
    if "dim" in args and dice.chance():
        args["keepdim"] = True
    if not dice.complex and dice.chance(0.2):
        args["dtype"] = "float64"
    return args


@_maker("dist", "cosine_similarity")
def _(dice: Dice, op: str) -> Any:
    a, b = dice.pair()
    if op == "dist":
        args = {
            "input": dice.array(a),
            "other": dice.array(b, dtype="" if dice.complex else dice.other_dtype()),
        }
        powers = [1, 2, 3, 1.5, 0.5, -1, np.inf, -np.inf]
        return args | ({"p": powers[int(dice.rng.integers(len(powers)))]} if dice.chance(0.7) else {})
    return {"x1": dice.array(a), "x2": dice.array(b), "dim": dice.dim(np.broadcast_shapes(a, b))}


@_maker("cdist")
def _(dice: Dice, op: str) -> Any:
    batch = dice.shape(0, 2)
    n, m, d = (int(v) for v in dice.rng.integers(0 if dice.chance(0.1) else 1, 4, 3))
    n = 26 if dice.chance(0.05) else n
    args: dict[str, Any] = {
        "x1": dice.array((*batch, n, d)),
        "x2": dice.array((*dice.broadcasting(batch), m, d)),
    }
    if dice.chance():
        args["p"] = [0, 1, 2, 3.0, 1.5, 0.5, np.inf][int(dice.rng.integers(7))]
    return args | ({"compute_mode": "donot_use_mm_for_euclid_dist"} if dice.chance(0.3) else {})


@_maker("layer_norm")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape(1, 3)
    end = shape[int(dice.rng.integers(len(shape))) :]
    args: dict[str, Any] = {"input": dice.array(shape), "normalized_shape": list(end)}
    if dice.chance(0.7):
        args["weight"] = dice.array(end)
        if dice.chance(0.7):
            args["bias"] = dice.array(end)
    # of one element torch gives what rounding leaves of 0, divided by eps
    return args | ({"eps": 0.25} if dice.chance(0.3) or np.prod(end) == 1 else {})


REDUCTIONS = ("mean", "sum", "none")


@_maker("l1_loss", "mse_loss", "smooth_l1_loss", "huber_loss")
def _(dice: Dice, op: str) -> Any:
    a, b = dice.pair()
    array = dice.coarse if dice.chance() and not dice.complex else dice.array
    args: dict[str, Any] = {"input": array(a), "target": array(b)}
    if dice.chance(0.7):
        args["reduction"] = REDUCTIONS[int(dice.rng.integers(3))]
    if op == "smooth_l1_loss" and dice.chance():
        args["beta"] = [0, 0.5, 2][int(dice.rng.integers(3))]
    if op == "huber_loss" and dice.chance():
        args["delta"] = [0.5, 2][int(dice.rng.integers(2))]
    if op != "smooth_l1_loss" and a == np.broadcast_shapes(a, b) and dice.chance(0.3):
        args["weight"] = dice.array(a, 0.5, 2)
        args["target"] = array(a)
    return args


@_maker("binary_cross_entropy_with_logits")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape()
    args: dict[str, Any] = {"input": dice.array(shape), "target": dice.array(shape, 0, 1)}
    for name in ("weight", "pos_weight"):
        if dice.chance(0.4):
            whole = dice.chance(0.7)
            args[name] = dice.array(dice.broadcasting(shape), 1, 4, "int64" if whole else "")
    return args | ({"reduction": REDUCTIONS[int(dice.rng.integers(3))]} if dice.chance(0.7) else {})


@_maker("nll_loss", "cross_entropy")
def _(dice: Dice, op: str) -> Any:
    n, c = (int(v) for v in dice.rng.integers(1, 4, 2))
    rest = dice.shape(0, 3, (1, 2))
    shape = (c,) if dice.chance(0.2) else (n, c, *(size or 1 for size in rest))
    batch = shape[:1] + shape[2:] if len(shape) > 1 else ()
    args: dict[str, Any] = {"input": dice.array(shape)}
    args["target"] = np.asarray(dice.rng.integers(0, c, batch)).astype("int64")
    if dice.chance():
        args["reduction"] = REDUCTIONS[int(dice.rng.integers(3))]
    if dice.chance(0.2):
        args["ignore_index"] = int(dice.rng.integers(c))
    elif dice.chance(0.3) and op == "cross_entropy":
        args["target"] = dice.array(shape, 0, 1)
    if dice.chance(0.3) and op == "cross_entropy":
        args["label_smoothing"] = 0.25
    return args | ({"weight": dice.array((c,), 0.5, 2)} if dice.chance(0.15) else {})


@_maker("prod", "argmax", "argmin")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape()
    args: dict[str, Any] = {"input": dice.coarse(shape) if dice.chance() else dice.array(shape)}
    if dice.chance(0.7):
        args["dim"] = dice.dim(shape)
        if dice.chance():
            args["keepdim"] = True
    return args


@_maker("softmax", "log_softmax", "cumsum")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape()
    scale = 60 if dice.chance(0.2) else 3
    args: dict[str, Any] = {"input": dice.array(shape, -scale, scale), "dim": dice.dim(shape)}
    if not dice.complex and dice.chance(0.2):
        args["dtype"] = "float64"
    return args


@_maker("sort", "argsort")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape()
    args: dict[str, Any] = {"input": dice.distinct(shape)}
    if dice.chance():  # torch keeps the order of equal elements where it is asked to
        args = {"input": dice.coarse(shape), "stable": True}
    return args | _some(dice, dim=dice.dim(shape), descending=True)


@_maker("topk")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape()
    dim = dice.dim(shape)
    size = shape[dim] if shape else 1
    args = {
        "input": dice.distinct(shape),
        "k": int(dice.rng.integers(0 if shape else 1, size + 1)),
        "dim": dim,
    }
    return args | _some(dice, largest=False)


@_maker("kthvalue")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape()
    dim = dice.dim(shape)
    size = shape[dim] if shape else 1
    args = {"input": dice.distinct(shape), "k": int(dice.rng.integers(1, max(size, 1) + 1)), "dim": dim}
    return args | _some(dice, keepdim=True)


@_maker("median", "nanmedian", "max", "min")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape()
    kind = int(dice.rng.integers(3))
    if kind == 0:
        return {"input": dice.coarse(shape)}
    if kind == 1 and op in ("max", "min"):
        a, b = dice.pair()
        return {"input": dice.coarse(a), "other": dice.coarse(b)}
    exact = op in ("max", "min")  # along a dim it is open which of equal elements is the median
    args = {"input": dice.coarse(shape) if exact else dice.distinct(shape), "dim": dice.dim(shape)}
    return args | _some(dice, keepdim=True)


@_maker("mode", "cummax", "cummin")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape()
    args = {"input": dice.coarse(shape), "dim": dice.dim(shape)}
    return args | (_some(dice, keepdim=True) if op == "mode" else {})


@_maker("cumprod")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape()
    coarse = dice.chance(0.4)
    args = {"input": dice.coarse(shape) if coarse else dice.array(shape), "dim": dice.dim(shape)}
    return args | ({} if dice.complex else _some(dice, 0.2, dtype="float64"))


@_maker("logcumsumexp")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape()
    scale = 60 if dice.chance(0.2) else 3
    return {"input": dice.array(shape, -scale, scale), "dim": dice.dim(shape)}


@_maker("quantile")
def _(dice: Dice, op: str) -> Any:
    shape = tuple(n or 1 for n in dice.shape())
    q: Any = round(float(dice.rng.uniform(0, 1)), 3)
    if dice.chance():
        q = dice.array((3,) if dice.chance() else (), 0.0, 1.0)
    args = {"input": dice.distinct(shape), "q": q}
    ways = ["linear", "linear", "lower", "higher", "midpoint", "nearest"]
    return args | _some(dice, dim=dice.dim(shape), keepdim=True, interpolation=str(dice.rng.choice(ways)))


@_maker("nansum", "nanmean")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape()
    array = dice.array(shape)
    if dice.dtype.startswith("float"):
        array = np.where(dice.rng.random(shape) < 0.3, np.nan, array).astype(array.dtype)
    args: dict[str, Any] = {"input": array}
    if dice.chance(0.7):
        args["dim"] = dice.dim(shape) if dice.chance() else dice.dims(shape)
        args |= _some(dice, keepdim=True)
    return args | _some(dice, 0.2, dtype="float64")


@_maker("any", "all")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape()
    args: dict[str, Any] = {"input": dice.coarse(shape)}
    if dice.chance(0.7):
        args["dim"] = dice.dim(shape) if dice.chance() else dice.dims(shape)
        args |= _some(dice, keepdim=True)
    return args


@_maker("trace")
def _(dice: Dice, op: str) -> Any:
    return {"input": dice.array(dice.shape(2, 2))}


@_maker("unique")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape()
    args = {"input": dice.coarse(shape)} | _some(dice, return_inverse=True, return_counts=True)
    return args | (_some(dice, dim=dice.dim(shape)) if shape and 0 not in shape else {})


def _some(dice: Dice, p: float = 0.5, **args: Any) -> dict[str, Any]:
    """Each of some arguments, or not."""
    return {name: value for name, value in args.items() if dice.chance(p)}


@_maker("cat")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape(1, 3)
    dim = dice.dim(shape)
    arrays = []
    for _ in range(int(dice.rng.integers(1, 4))):
        one = list(shape)
        one[dim] = int(dice.rng.integers(0, 4))
        arrays.append(dice.array(tuple(one), dtype=dice.other_dtype()))
    if dice.chance(0.1):
        arrays.insert(0, dice.array((0,)))
    if all(a.shape == (0,) for a in arrays):
        dim = 0
    return {"tensors": arrays, "dim": dim}


@_maker("stack")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape()
    count = int(dice.rng.integers(1, 4))
    return {
        "tensors": [dice.array(shape) for _ in range(count)],
        "dim": int(dice.rng.integers(-len(shape) - 1, len(shape) + 1)),
    }


@_maker("expand")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape()
    have = dice.broadcasting(shape)
    lead = len(shape) - len(have)
    size = [-1 if k >= lead and have[k - lead] == n and dice.chance(0.3) else n for k, n in enumerate(shape)]
    return {"input": dice.array(have), "size": size}


@_maker("flatten")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape()
    ndim = len(shape) or 1
    start = int(dice.rng.integers(ndim))
    end = int(dice.rng.integers(start, ndim))
    return {
        "input": dice.array(shape),
        "start_dim": start - (ndim if dice.chance(0.3) else 0),
        "end_dim": end,
    }


@_maker("flip")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape()
    return {"input": dice.array(shape), "dims": dice.dims(shape)}


@_maker("permute")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape(0, 4)
    return {"input": dice.array(shape), "dims": [int(d) for d in dice.rng.permutation(len(shape))]}


@_maker("transpose")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape()
    return {"input": dice.array(shape), "dim0": dice.dim(shape), "dim1": dice.dim(shape)}


@_maker("reshape")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape(sizes=(1, 2, 4))
    array = dice.array(shape)
    wanted = [int(n) for n in dice.rng.permutation(shape)] if shape else [1]
    if len(wanted) > 1 and dice.chance():
        wanted = [wanted[0] * wanted[1], *wanted[2:]]
    if array.size and wanted and dice.chance(0.4):
        wanted[int(dice.rng.integers(len(wanted)))] = -1
    return {"input": array, "shape": wanted}


@_maker("squeeze")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape(sizes=(1, 1, 3))
    args: dict[str, Any] = {"input": dice.array(shape)}
    if dice.chance(0.6):
        args["dim"] = dice.dim(shape) if dice.chance() else dice.dims(shape)
    return args


@_maker("unsqueeze")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape()
    return {"input": dice.array(shape), "dim": int(dice.rng.integers(-len(shape) - 1, len(shape) + 1))}


@_maker("tril", "triu")
def _(dice: Dice, op: str) -> Any:
    return {"input": dice.array(dice.shape(2, 3)), "diagonal": int(dice.rng.integers(-3, 4))}


@_maker("T", "mT", "H", "real")
def _(dice: Dice, op: str) -> Any:
    return {"input": dice.array(dice.shape(2, 2))}


@_maker("split")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape(1, 3)
    dim = dice.dim(shape)
    size = shape[dim]
    sections: Any = int(dice.rng.integers(1, 4))
    if dice.chance():
        cut = int(dice.rng.integers(size + 1))
        sections = [cut, size - cut]
    return {"tensor": dice.array(shape), "split_size_or_sections": sections, "dim": dim}


@_maker("pad")
def _(dice: Dice, op: str) -> Any:
    mode = str(dice.rng.choice(["constant", "constant", "reflect", "replicate", "circular"]))
    if mode == "constant":
        shape = dice.shape(1, 3)
        count = int(dice.rng.integers(len(shape) + 1))
        pads = [int(n) for n in dice.rng.integers(-1 if 0 not in shape else 0, 3, 2 * count)]
        for axis in range(count):  # never crop an axis away more than whole
            if shape[-1 - axis] + pads[2 * axis] + pads[2 * axis + 1] < 0:
                pads[2 * axis : 2 * axis + 2] = [0, 0]
        args = {"input": dice.array(shape), "pad": pads}
        return args | ({"value": 1.5} if dice.chance() else {})
    axes = int(dice.rng.integers(1, 3))
    shape = tuple(int(n) for n in dice.rng.integers(3, 5, axes + 1 + int(dice.chance())))
    if axes == 1 and len(shape) == 4:
        shape = shape[1:]
    return {
        "input": dice.array(shape),
        "pad": [int(n) for n in dice.rng.integers(0, 3, 2 * axes)],
        "mode": mode,
    }


@_maker("gather")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape(1, 3)
    dim = dice.dim(shape)
    if 0 in shape:
        shape = tuple(n or 1 for n in shape)
    wanted = [int(dice.rng.integers(1, n + 1)) for n in shape]
    wanted[dim] = int(dice.rng.integers(0, 6))
    index = dice.rng.integers(0, shape[dim], wanted)
    return {"input": dice.array(shape), "dim": dim, "index": np.asarray(index).astype("int64")}


@_maker("__getitem__")
def _(dice: Dice, op: str) -> Any:
    shape = tuple(n or 1 for n in dice.shape(0, 4))
    index: list[Any] = []
    lists = int(dice.rng.integers(1, 4))
    for size in shape[: int(dice.rng.integers(len(shape) + 1))]:
        kind = int(dice.rng.integers(7))
        if dice.chance(0.15):
            index.append(None)
        if kind == 0:
            index.append(int(dice.rng.integers(-size, size)))
        elif kind in (1, 2):
            parts = [None, *range(-size - 1, size + 2)]
            index.append(
                slice(
                    parts[int(dice.rng.integers(len(parts)))],
                    parts[int(dice.rng.integers(len(parts)))],
                    int(dice.rng.integers(1, 3)),
                )
            )
        elif kind == 3:
            index.append([int(n) for n in dice.rng.integers(-size, size, lists)])
        elif kind == 4:
            index.append(np.asarray(dice.rng.integers(0, size, (2, lists))).astype("int64"))
        elif kind == 5 and not any(isinstance(entry, list | np.ndarray) for entry in index):
            index.append(dice.array((size,), dtype="bool"))
            break
        else:
            index.append(slice(None))
    if dice.chance(0.25):
        index.append(Ellipsis)
    return {"input": dice.array(shape), "index": tuple(index) or (Ellipsis,)}


@_maker("dot")
def _(dice: Dice, op: str) -> Any:
    size = int(dice.rng.integers(0, 5))
    return {"input": dice.array((size,)), "tensor": dice.array((size,))}


@_maker("matmul")
def _(dice: Dice, op: str) -> Any:
    n, k, m = (int(v) for v in dice.rng.integers(1, 4, 3))
    k = 0 if dice.chance(0.04) else k
    batch = dice.shape(0, 2)
    a = (*batch, n, k) if dice.chance(0.8) else (k,)
    b = (*dice.broadcasting(batch), k, m) if dice.chance(0.8) else (k,)
    if dice.chance(0.3) and len(a) > 1 and len(b) > 1:
        a, b = (*dice.broadcasting(batch), n, k), (*batch, k, m)
    return {"input": dice.array(a), "other": dice.array(b)}


@_maker("linear")
def _(dice: Dice, op: str) -> Any:
    k, m = (int(v) for v in dice.rng.integers(1, 4, 2))
    args = {"input": dice.array((*dice.shape(0, 2), k)), "weight": dice.array((m, k))}
    return args | ({"bias": dice.array((m,))} if dice.chance(0.6) else {})


@_maker("einsum")
def _(dice: Dice, op: str) -> Any:
    equations = (
        "ij,jk->ik", "i,i->", "i,j->ij", "ij->ji", "ii->", "ii->i", "ij->j", "ij->", "...ij,...jk",
        "bij,bjk->bik", "i,ij,j->", "ij,ik->k", "ii,i->i", "ij,ij->ij", "ij,ij", "ijk,k->ji", "...i->...",
        "i...,i...->...", "ii,ij->j", "ba,ca->bc", "i->i", "ij, jk, kl -> il", "iij->j", "a,b,c->cab",
    )  # fmt: skip
    equation = str(dice.rng.choice(equations))
    sizes = {letter: int(dice.rng.integers(1, 4)) for letter in "abcijkl"}
    batch = dice.shape(0, 1)
    operands = []
    for part in equation.partition("->")[0].replace(" ", "").split(","):
        shape: tuple[int, ...] = ()
        for letter in part.replace("...", "."):
            shape += batch if letter == "." else (sizes[letter],)
        operands.append(dice.array(shape))
    return {"equation": equation, "operands": operands}


def _numbers(dice: Dice, size: int, shape: tuple[int, ...], low: int = 0) -> Any:
    return np.asarray(dice.rng.integers(low, max(size, 1), shape)).astype("int64")


@_maker("index_select")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape()
    dim = dice.dim(shape)
    size = (shape or (1,))[dim]
    count = int(dice.rng.integers(0, 5)) if size and shape else 1
    wanted = () if count == 1 and dice.chance(0.3) else (count if size else 0,)
    return {"input": dice.array(shape), "dim": dim, "index": _numbers(dice, size, wanted)}


@_maker("take")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape()
    count = int(np.prod(shape))
    wanted = dice.shape(0, 2) if count else (0,)
    return {"input": dice.array(shape), "index": _numbers(dice, count, wanted, -count)}


@_maker("embedding")
def _(dice: Dice, op: str) -> Any:
    rows, width = (int(v) for v in dice.rng.integers(1, 5, 2))
    args = {"input": _numbers(dice, rows, dice.shape(0, 2)), "weight": dice.array((rows, width))}
    if dice.chance(0.4):
        args["padding_idx"] = int(dice.rng.integers(-rows, rows))
    return args


@_maker("index_put")
def _(dice: Dice, op: str) -> Any:
    shape = tuple(n or 1 for n in dice.shape(1, 3))
    accumulate = dice.chance()
    if dice.chance(0.3):
        mask = dice.array(shape[: int(dice.rng.integers(1, len(shape) + 1))], dtype="bool")
        selected = (int(mask.sum()), *shape[mask.ndim :])
        indices = [mask]
    else:
        axes = int(dice.rng.integers(1, len(shape) + 1))
        wanted = dice.shape(0, 2)
        if not accumulate:  # repeats would leave open which value is written
            wanted = (1,) * len(wanted)
        indices = [_numbers(dice, size, wanted, -size) for size in shape[:axes]]
        selected = (*wanted, *shape[axes:])
    values = dice.array(dice.broadcasting(selected))
    return {
        "input": dice.array(shape), "indices": indices, "values": values, "accumulate": accumulate,
    }  # fmt: skip


@_maker("index_add", "index_copy")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape()
    dim = dice.dim(shape)
    size = (shape or (1,))[dim]
    if op == "index_add":
        index = _numbers(dice, size, (int(dice.rng.integers(0, 5)) if size else 0,))
    else:
        index = np.asarray(dice.rng.permutation(size)[: int(dice.rng.integers(0, size + 1))]).astype("int64")
    if not shape:
        index = np.zeros((1,), "int64")
    source = list(shape)
    if shape:
        source[dim] = len(index)
    args = {"input": dice.array(shape), "dim": dim, "index": index, "source": dice.array(tuple(source))}
    return args | (
        {"alpha": float(dice.rng.choice([2.0, -0.5]))} if op == "index_add" and dice.chance() else {}
    )


@_maker("scatter", "scatter_add")
def _(dice: Dice, op: str) -> Any:
    shape = tuple(n or 1 for n in dice.shape(0, 3))
    dim = dice.dim(shape)
    if not shape:
        wanted: tuple[int, ...] = () if dice.chance() else (1,)
        index = np.zeros(wanted, "int64")
    else:
        sizes = [int(dice.rng.integers(1, n + 1)) for n in shape]
        if op == "scatter_add":
            sizes[dim] = int(dice.rng.integers(0, 6))
        wanted = tuple(sizes)
        index = _numbers(dice, shape[dim], wanted)
        if op == "scatter":  # repeats would leave open which value is written
            index = np.argsort(dice.rng.random(shape), axis=dim)[tuple(slice(n) for n in wanted)]
    args = {"input": dice.array(shape), "dim": dim, "index": index, "src": dice.array(wanted)}
    if op == "scatter" and dice.chance(0.4):
        del args["src"]
        args["src" if dice.chance() else "value"] = float(dice.rng.choice([2, -0.25]))
    return args


@_maker("masked_fill")
def _(dice: Dice, op: str) -> Any:
    a, b = dice.pair()
    value = float(dice.rng.choice([2, -0.25])) if dice.chance() else dice.array(())
    return {"input": dice.array(a), "mask": dice.array(b, dtype="bool"), "value": value}


@_maker("repeat", "tile")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape()
    low = len(shape) if op == "repeat" else 0
    counts = [int(n) for n in dice.rng.integers(0 if dice.chance(0.1) else 1, 4, dice.rng.integers(low, 4))]
    if op == "repeat":
        counts = counts + [2] * (len(shape) - len(counts))
    return {"input": dice.array(shape), ("repeats" if op == "repeat" else "dims"): counts}


@_maker("roll")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape()
    dims = dice.dims(shape) if shape else []
    shifts = [int(n) for n in dice.rng.integers(-5, 6, len(dims) or 1)]
    args: dict[str, Any] = {"input": dice.array(shape), "shifts": shifts[0] if len(shifts) == 1 else shifts}
    return args | ({"dims": dims} if dims else {})


@_maker("unbind", "chunk")
def _(dice: Dice, op: str) -> Any:
    shape = tuple(n or 1 for n in dice.shape(1, 3))
    args = {"input": dice.array(shape), "dim": dice.dim(shape)}
    return args | ({"chunks": int(dice.rng.integers(1, 5))} if op == "chunk" else {})


@_maker("narrow")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape(1, 3)
    dim = dice.dim(shape)
    start = int(dice.rng.integers(0, shape[dim] + 1))
    length = int(dice.rng.integers(0, shape[dim] - start + 1))
    if start < shape[dim] and dice.chance(0.3):
        start -= shape[dim]
    return {"input": dice.array(shape), "dim": dim, "start": start, "length": length}


@_maker("diagonal")
def _(dice: Dice, op: str) -> Any:
    shape = dice.shape(2, 4)
    first, second = (int(d) for d in dice.rng.permutation(len(shape))[:2])
    return {
        "input": dice.array(shape),
        "offset": int(dice.rng.integers(-3, 4)),
        "dim1": first - (len(shape) if dice.chance(0.3) else 0),
        "dim2": second,
    }


@_maker("contiguous", "angle", "sgn")
def _(dice: Dice, op: str) -> Any:
    return {"input": dice.array(dice.shape())}


@_maker("new_zeros")
def _(dice: Dice, op: str) -> Any:
    args = {"input": dice.array(dice.shape()), "size": list(dice.shape())}
    return args | ({"dtype": "int64"} if dice.chance(0.3) else {})


@_maker("complex", "polar")
def _(dice: Dice, op: str) -> Any:
    a, b = dice.pair()
    first, second = ("real", "imag") if op == "complex" else ("abs", "angle")
    return {first: dice.array(a, -3 if op == "complex" else 0.1), second: dice.array(b)}


@_maker("vdot")
def _(dice: Dice, op: str) -> Any:
    size = int(dice.rng.integers(0, 5))
    return {"input": dice.array((size,)), "other": dice.array((size,))}


@_maker("fft.fft", "fft.ifft")
def _(dice: Dice, op: str) -> Any:
    shape = tuple(n or 1 for n in dice.shape(1, 3))
    args: dict[str, Any] = {"input": dice.array(shape), "dim": dice.dim(shape)}
    if dice.chance(0.4):
        args["n"] = int(dice.rng.integers(1, 7))
    if dice.chance():
        args["norm"] = str(dice.rng.choice(["forward", "backward", "ortho"]))
    return args


@_maker("det", "logdet", "linalg.det")
def _(dice: Dice, op: str) -> Any:
    size = int(dice.rng.choice([0, 2, 3]))  # of one number nothing is left to differentiate twice
    return {("A" if "." in op else "input"): dice.array((*dice.shape(0, 1), size, size))}
