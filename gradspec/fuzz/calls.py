"""Random calls of ops as text: `mul(x, other=y)`. Arguments follow from the signature and the samples of
an op; the few ops whose arguments must fit their tensors' shapes have makers here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import TYPE_CHECKING, Any

from gradspec.dtypes import category
from gradspec.fuzz.indexed import INDEXED
from gradspec.fuzz.literals import number_text
from gradspec.ops import registry

if TYPE_CHECKING:
    from random import Random

    from gradspec.fuzz.scout import Known
    from gradspec.ops.registry import Op, Param

__all__ = [
    "CHANGES", "OPS", "VIEWS", "broadcastable", "call", "dims_text", "index_text", "may_give_several",
    "op_names", "pick",
]  # fmt: skip

Live = Mapping[str, "Known"]
Shape = tuple[int, ...]
_DOMAIN = ("bool", "int", "float", "complex")
_ATTRIBUTES = ("T", "mT", "H", "real", "imag")
VIEWS = (
    "transpose", "permute", "expand", "reshape", "view", "flatten", "squeeze", "unsqueeze", "__getitem__",
    "split", "unbind", "chunk", "narrow", "diagonal", "T", "mT", "detach", "real",
)  # fmt: skip


_LEFT_OUT = (
    # which of equal elements these take is open, and random programs are full of equal elements
    "kthvalue", "median", "mode", "nanmedian", "topk",
    # how their results lie in memory follows the library that computes them
    "fft.fft", "fft.ifft", "rrelu", "unique",
    # whether their cotangent of one element can be differentiated is torch's own affair
    "cumprod", "logcumsumexp", "nanmean",
    # torch's derivatives, forward and backward, disagree with a negative modulus; of complex numbers in place
    # it does not conjugate; it has no second one, nor one in forward mode
    "polar", "silu", "hardsigmoid", "cdist",
    # torch's backward fails on no elements, by how their cotangent lies
    "view_as_real",
    # it raises in backward before leaves that are complete are served; of nextafter there is no tangent, and
    # none of the second argument of copysign
    "heaviside", "nextafter", "copysign",
    # the signs of its zeros follow their place in memory
    "softshrink",
    # they make a rounding error another answer
    "logical_and", "logical_not", "logical_or", "logical_xor",
)  # fmt: skip


def op_names() -> tuple[str, ...]:
    """The ops that statements can call and whose results follow from their arguments."""
    return tuple(sorted(name for name, op in registry.items() if not op.internal and name not in _LEFT_OUT))


OPS = op_names()
CHANGES = tuple(name for name in OPS if registry[name].inplace)
_COMMON = (
    "add",
    "sub",
    "mul",
    "mul",
    "div",
    "sum",
    "mean",
    "matmul",
    "exp",
    "sin",
    "tanh",
    "sigmoid",
    "square",
    "neg",
)


def may_give_several(expression: str) -> bool:
    """Whether a call may give more than one tensor."""
    op = registry.get(expression.partition("(")[0])
    return op is not None and (op.chooses or op.outputs != "one")


def pick(rng: Random, live: Live, fits: Callable[[Known], bool] | None = None) -> str | None:
    """A live name that fits, recent ones more often; None where there is none."""
    names = [name for name, known in live.items() if fits is None or fits(known)]
    if not names:
        return None
    return names[max(rng.randrange(len(names)), rng.randrange(len(names)))]


def broadcastable(shape: Shape, other: Shape) -> bool:
    """Whether two shapes broadcast."""
    return all(a == b or 1 in (a, b) for a, b in zip(reversed(shape), reversed(other), strict=False))


def call(rng: Random, live: Live, name: str = "", changing: str = "") -> str | None:
    """The text of a call of the op `name`, or of any op; None where the live tensors do not serve.

    `changing` is the tensor that the call is to change in place: it comes first, and the name gets its
    underscore.
    """
    name = name or rng.choice(_COMMON if rng.random() < 0.35 else OPS)
    op = registry[name]
    first = changing or pick(rng, live, lambda known: _DOMAIN[category(known.dtype)] in op.accepts)
    if first is None:
        return None
    maker = _MAKERS.get(name)
    arguments = maker(rng, live, first) if maker else _by_signature(rng, live, op, first)
    if arguments is None:
        return None
    if name == "__getitem__":
        return f"{first}[{arguments}]"
    if name in _ATTRIBUTES:
        return f"{first}.{name}"
    return f"{name}{'_' if changing else ''}({arguments})"


def _by_signature(rng: Random, live: Live, op: Op, first: str) -> str | None:
    sample = rng.choice(op.samples).args if op.samples else {}
    parts: list[str] = []
    shape = live[first].shape
    keyword = False  # what follows a keyword is one too
    for param in op.params:
        text = _argument(rng, live, param, sample, parts, first, shape)
        if text is None:
            if param.required:
                return None
            continue
        left_out = len(parts) < op.params.index(param)
        keyword = keyword or param.keyword_only or left_out or bool(parts and not param.is_tensor)
        parts.append(f"{param.name}={text}" if keyword else text)
    swap = len(parts) == 2 and not parts[1].startswith("dim") and "=" not in parts[1] and not op.inplace
    if swap and op.params[0].kind == "Operand" and rng.random() < 0.3:
        parts.reverse()
    return ", ".join(parts)


def _argument(
    rng: Random, live: Live, param: Param, sample: dict[str, Any], parts: list[str], first: str, shape: Shape
) -> str | None:
    """The text of one argument; None where it is left out, or where there is nothing for it."""
    if param.is_tensor:
        if param.kind == "Tensors":
            same = [name for name, known in live.items() if known.shape == shape]
            return f"[{', '.join([first, *rng.choices(same, k=rng.randrange(3))])}]"
        if not parts:
            return first
        if param.optional and rng.random() < 0.4:
            return None
        if param.kind == "Operand" and rng.random() < 0.35:
            return number_text(rng, live[first].dtype)
        return pick(rng, live, lambda known: broadcastable(known.shape, shape))
    if param.kind in ("int", "Dims") and param.name.startswith("dim"):
        if not param.required and rng.random() < 0.3:
            return None
        return dims_text(
            rng, len(shape), several=param.kind == "Dims" and (param.name == "dims" or rng.random() < 0.5)
        )
    if param.kind == "DType":
        if category(live[first].dtype) == 3 and not param.required:
            return None  # torch warns of the cast once for each pass over the numbers
        return repr(rng.choice(["float64", "float32"])) if param.required or rng.random() < 0.15 else None
    if param.name == "keepdim":  # goes with dim only
        return "True" if rng.random() < 0.4 and any(part.startswith("dim") for part in parts) else None
    if param.name in sample and (param.required or rng.random() < 0.7):
        value = sample[param.name]
        return repr(list(value)) if isinstance(value, tuple) else repr(value)
    return None


def dims_text(rng: Random, ndim: int, several: bool = False) -> str:
    """A dim of a tensor, or a list of different ones."""
    count = ndim or 1
    if not several:
        return str(rng.randrange(-count, count))
    dims = rng.sample(range(ndim), rng.randrange(ndim + 1))
    return str([dim - ndim if rng.random() < 0.3 else dim for dim in dims])


# Ops whose arguments must fit shapes: (rng, live, the first tensor) → the text between the brackets.


def _view(rng: Random, live: Live, x: str) -> str:
    shape = list(live[x].shape)
    size = prod(shape)
    rng.shuffle(shape)
    if len(shape) > 1 and rng.random() < 0.5:
        shape[:2] = [shape[0] * shape[1]]
    elif rng.random() < 0.3:
        shape.insert(rng.randrange(len(shape) + 1), 1)
    if size and shape and rng.random() < 0.3:
        shape[rng.randrange(len(shape))] = -1
    return f"{x}, {shape}"


def _expand(rng: Random, live: Live, x: str) -> str:
    shape = [rng.choice((2, 3)) if size == 1 and rng.random() < 0.7 else size for size in live[x].shape]
    if len(shape) < 3 and rng.random() < 0.5:
        shape.insert(0, rng.choice((1, 2, 3)))
    return f"{x}, {shape}"


def _permute(rng: Random, live: Live, x: str) -> str:
    dims = list(range(len(live[x].shape)))
    rng.shuffle(dims)
    return f"{x}, {dims}"


def _flatten(rng: Random, live: Live, x: str) -> str:
    ndim = len(live[x].shape) or 1
    start = rng.randrange(ndim)
    return f"{x}, start_dim={start}, end_dim={rng.randrange(start, ndim)}"


def _unsqueeze(rng: Random, live: Live, x: str) -> str:
    ndim = len(live[x].shape)
    return f"{x}, {rng.randrange(-ndim - 1, ndim + 1)}"


def _split(rng: Random, live: Live, x: str) -> str | None:
    shape = live[x].shape
    if not shape:
        return None
    dim = rng.randrange(len(shape))
    cut = rng.randrange(shape[dim] + 1)
    sections: Any = [cut, shape[dim] - cut] if rng.random() < 0.5 else rng.randrange(1, 4)
    return f"{x}, {sections}, dim={dim}"


def _pad(rng: Random, live: Live, x: str) -> str | None:
    shape = live[x].shape
    if not shape or 0 in shape:
        return None
    pads = [rng.randrange(3) for _ in range(2 * rng.randrange(1, len(shape) + 1))]
    return f"{x}, {pads}" + (f", value={rng.choice(('1.5', '0.0'))}" if rng.random() < 0.4 else "")


def _gather(rng: Random, live: Live, x: str) -> str | None:
    shape = live[x].shape
    if len(shape) not in (1, 2) or 0 in shape:
        return None
    dim = rng.randrange(len(shape))
    wanted = [rng.randrange(1, size + 1) for size in shape]

    def rows(sizes: list[int]) -> Any:
        if not sizes:
            return rng.randrange(shape[dim])
        return [rows(sizes[1:]) for _ in range(sizes[0])]

    return f"{x}, {dim}, tensor({rows(wanted)})"


def _where(rng: Random, live: Live, x: str) -> str | None:
    shape, dtype = live[x].shape, live[x].dtype
    other = pick(
        rng,
        live,
        lambda known: broadcastable(known.shape, shape) and category(known.dtype) == category(dtype),
    )
    second = other if other and rng.random() < 0.7 else number_text(rng, dtype)
    mask = pick(rng, live, lambda known: known.dtype == "bool" and broadcastable(known.shape, shape))
    if mask is None:
        test = x if category(dtype) < 3 else f"{x}.real"
        mask = f"gt({test}, {rng.choice(('0.25', '-0.5', '0'))})"
    return f"{mask}, {x}, {second}"


def _matmul(rng: Random, live: Live, x: str) -> str | None:
    shape, dtype = live[x].shape, live[x].dtype
    if not shape:
        return None

    def fits(known: Known) -> bool:
        other = known.shape
        if not other or known.dtype != dtype:
            return False
        return shape[-1] == (other[0] if len(other) == 1 else other[-2])

    other = pick(rng, live, fits)
    if other is None:
        return f"{x}, {x}.mT" if len(shape) > 1 else f"{x}, {x}"
    return f"{x}, {other}"


def _dot(rng: Random, live: Live, x: str) -> str | None:
    shape, dtype = live[x].shape, live[x].dtype
    other = pick(rng, live, lambda known: known.shape == shape and known.dtype == dtype)
    return f"{x}, {other}" if len(shape) == 1 else None


def _linear(rng: Random, live: Live, x: str) -> str | None:
    shape, dtype = live[x].shape, live[x].dtype
    if not shape:
        return None
    weight = pick(
        rng,
        live,
        lambda known: len(known.shape) == 2 and known.shape[1] == shape[-1] and known.dtype == dtype,
    )
    return f"{x}, {weight}" if weight else None


_EQUATIONS = {
    0: (",->", "->"), 1: ("i->", "i,i->", "i,i->i", "i,j->ij"),
    2: ("ij->ji", "ij->i", "ij,ij->", "ij,ij->j", "ij,kj->ik"),
    3: ("ijk->kji", "ijk->j", "ijk,ijk->ik", "...j->..."),
}  # fmt: skip


def _einsum(rng: Random, live: Live, x: str) -> str | None:
    shape, dtype = live[x].shape, live[x].dtype
    equation = rng.choice(_EQUATIONS.get(len(shape), ("...i->...",)))
    count = equation.partition("->")[0].count(",") + 1
    same = [name for name, known in live.items() if known.shape == shape and known.dtype == dtype]
    return ", ".join([repr(equation), x, *rng.choices(same, k=count - 1)])


def _cat(rng: Random, live: Live, x: str) -> str | None:
    shape = live[x].shape
    if not shape:
        return None
    dim = rng.randrange(len(shape))
    rest = (*shape[:dim], *shape[dim + 1 :])
    same = [
        name
        for name, known in live.items()
        if len(known.shape) == len(shape) and (*known.shape[:dim], *known.shape[dim + 1 :]) == rest
    ]
    return f"[{', '.join([x, *rng.choices(same, k=rng.randrange(3))])}], dim={dim}"


def _to(rng: Random, live: Live, x: str) -> str:
    wanted = (
        ["complex128"]
        if category(live[x].dtype) == 3
        else ["float32", "float64", "float64", "int64", "complex128"]
    )
    return f"{x}, {rng.choice(wanted)!r}"


def _prod(rng: Random, live: Live, x: str) -> str:
    """keepdim goes with dim only."""
    if rng.random() < 0.4:
        return x
    keep = ", keepdim=True" if rng.random() < 0.4 else ""
    return f"{x}, dim={dims_text(rng, len(live[x].shape))}{keep}"


def _pair(rng: Random, live: Live, x: str) -> str | None:
    """A loss: torch warns where its two tensors differ in shape."""
    shape, dtype = live[x].shape, live[x].dtype
    other = pick(rng, live, lambda known: known.shape == shape and known.dtype == dtype)
    reduction = rng.choice(("", ", reduction='sum'", ", reduction='none'"))
    return None if other is None else f"{x}, {other}{reduction}"


def _classes(rng: Random, live: Live, x: str) -> str | None:
    shape = live[x].shape
    if len(shape) not in (1, 2) or 0 in shape:
        return None
    count = shape[-1]
    classes: Any = (
        rng.randrange(count) if len(shape) == 1 else [rng.randrange(count) for _ in range(shape[0])]
    )
    return f"{x}, tensor({classes}){rng.choice(('', f', ignore_index={rng.randrange(count)}'))}"


def _layer_norm(rng: Random, live: Live, x: str) -> str | None:
    shape, dtype = live[x].shape, live[x].dtype
    if not shape:
        return None
    end = shape[rng.randrange(len(shape)) :]
    weight = pick(rng, live, lambda known: known.shape == end and known.dtype == dtype)
    given = f", {weight}" if weight and rng.random() < 0.6 else ""
    return f"{x}, {list(end)}{given}, eps=0.25"


def _dist(rng: Random, live: Live, x: str) -> str | None:
    """torch's gradient of a real tensor beside a complex one is refused by its own engine; at a distance of 0
    its derivatives of fractional orders, forward and backward, disagree."""
    shape, kind = live[x].shape, category(live[x].dtype)
    other = pick(rng, live, lambda known: broadcastable(known.shape, shape) and category(known.dtype) == kind)
    order = rng.choice(("", ", p=1", ", p=inf", ", p=1.5"))
    if other is None or (order == ", p=1.5" and live[other].value.flat() == live[x].value.flat()):
        return None
    return f"{x}, {other}{order}"


def _dropout(rng: Random, live: Live, x: str) -> str:
    return f"{x}, {rng.choice(('0', '1.0', 'training=False'))}"


def _at_least_2d(rng: Random, live: Live, x: str) -> str | None:
    return f"{x}, diagonal={rng.randrange(-2, 3)}" if len(live[x].shape) >= 2 else None


def _regular(rng: Random, live: Live, x: str) -> str | None:
    """Matrices that have an inverse: of others torch's derivatives depend on whether they are recorded."""
    from numpy import array
    from numpy.linalg import det

    matrices = array(live[x].value.nested())
    if matrices.ndim < 2 or matrices.shape[-1] != matrices.shape[-2]:
        return x  # an error
    return x if (abs(det(matrices)) > 1e-2).all() else None


def _never(rng: Random, live: Live, x: str) -> None:
    """Where the two are equal, torch's derivatives, forward and backward, disagree."""


def _two_dims(rng: Random, live: Live, x: str) -> str | None:
    return x if len(live[x].shape) == 2 else None


def _of_one_kind(rng: Random, live: Live, x: str) -> str | None:
    """torch fails in backward where one of the two is complex."""
    shape, kind = live[x].shape, category(live[x].dtype)
    other = pick(rng, live, lambda known: broadcastable(known.shape, shape) and category(known.dtype) == kind)
    return f"{x}, {other}" if other else None


def _complex_only(rng: Random, live: Live, x: str) -> str | None:
    return x if category(live[x].dtype) == 3 else None


def _clamp(rng: Random, live: Live, x: str) -> str:
    """Bounds of one sort. Two tensors have x's shape: torch trips over others in backward."""
    dtype, shape = live[x].dtype, live[x].shape
    if rng.random() < 0.5:
        low, high = (number_text(rng, dtype) if rng.random() < 0.7 else None for _ in range(2))
    else:
        both = rng.random() < 0.5
        fits = (
            (lambda known: known.shape == shape) if both else lambda known: broadcastable(known.shape, shape)
        )
        low, high = pick(rng, live, fits), pick(rng, live, fits)
        if low == high:  # torch's derivatives, forward and backward, disagree
            high = None
        if not both:
            low, high = rng.choice(((low, None), (None, high)))
    bounds = [f"{name}={text}" for name, text in (("min", low), ("max", high)) if text is not None]
    return ", ".join([x, *bounds])


def _some_dims(rng: Random, live: Live, x: str) -> str:
    """At least one dim: of none torch 2.13 gives another shape than it says."""
    keep = ", keepdim=True" if rng.random() < 0.4 else ""
    return f"{x}, dim={dims_text(rng, len(live[x].shape))}{keep}"


def index_text(rng: Random, live: Live, x: str) -> str | None:
    """An index that fits a tensor."""
    shape = live[x].shape
    if 0 in shape:
        return "..."
    parts: list[str] = []
    arrays = False
    for size in shape[: rng.randrange(len(shape) + 1)]:
        if rng.random() < 0.1:
            parts.append("None")
        kind = rng.randrange(9)
        if kind < 3:
            parts.append(str(rng.randrange(-size, size)))
        elif kind < 6:
            ends = [rng.choice(["", str(rng.randrange(-size, size + 1))]) for _ in range(2)]
            parts.append(":".join(ends) + (f":{rng.randrange(1, 3)}" if rng.random() < 0.4 else ""))
        elif kind == 6 and not arrays:
            arrays = True
            parts.append(str([rng.randrange(-size, size) for _ in range(rng.randrange(1, 4))]))
        elif kind == 7 and not arrays:
            arrays = True
            masks = [name for name, known in live.items() if known.dtype == "bool" and known.shape == (size,)]
            parts.append(rng.choice(masks) if masks else str([rng.randrange(size) for _ in range(2)]))
        else:
            parts.append(":")
    if rng.random() < 0.15 or not parts:
        parts.append("...")
    return ", ".join(parts)


_MAKERS: dict[str, Callable[[Any, Any, str], str | None]] = {
    "view": _view, "reshape": _view, "expand": _expand, "permute": _permute, "flatten": _flatten,
    "unsqueeze": _unsqueeze, "split": _split, "pad": _pad, "gather": _gather, "where": _where, "matmul":
    _matmul, "dot": _dot, "linear": _linear, "einsum": _einsum, "cat": _cat, "to": _to, "prod": _prod,
    "tril": _at_least_2d, "triu": _at_least_2d, "T": _two_dims, "mT": _two_dims, "H": _two_dims,
    "__getitem__": index_text, "real": _complex_only, "imag": _complex_only, "sgn": _complex_only,
    "clamp": _clamp, "logsumexp": _some_dims, "std": _some_dims, "var": _some_dims, "logaddexp": _of_one_kind,
    **INDEXED,
}  # fmt: skip
_MAKERS |= {
    "l1_loss": _pair, "mse_loss": _pair, "smooth_l1_loss": _pair, "huber_loss": _pair,
    "binary_cross_entropy_with_logits": _pair, "nll_loss": _classes, "cross_entropy": _classes,
    "layer_norm": _layer_norm, "dist": _dist, "det": _regular, "linalg.det": _regular, "logdet": _regular,
    "fmax": _never, "fmin": _never,
    "dropout": _dropout,
}  # fmt: skip
