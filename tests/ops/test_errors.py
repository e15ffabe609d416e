"""Wrong arguments give the right code, whatever the array library."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradspec.errors import ProgramError
from tests.ops.session import LIBRARIES, run


def f(*shape: int, dtype: str = "float32") -> Any:
    return np.ones(shape, dtype)


def n(*numbers: Any) -> Any:
    return np.array(numbers)


CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("shape-mismatch", "add", {"input": f(2), "other": f(3)}),
    ("shape-mismatch", "mul", {"input": f(2, 3), "other": f(2)}),
    ("shape-mismatch", "where", {"condition": f(2, dtype="bool"), "input": f(3), "other": 0.0}),
    ("shape-mismatch", "clamp", {"input": f(2), "min": f(3)}),
    ("shape-mismatch", "matmul", {"input": f(2, 3), "other": f(2, 3)}),
    ("shape-mismatch", "matmul", {"input": f(), "other": f(2)}),
    ("shape-mismatch", "matmul", {"input": f(2, 2, 3), "other": f(3, 3, 2)}),
    ("shape-mismatch", "dot", {"input": f(2), "tensor": f(3)}),
    ("shape-mismatch", "dot", {"input": f(2, 2), "tensor": f(2)}),
    ("shape-mismatch", "linear", {"input": f(2, 3), "weight": f(4, 2)}),
    ("shape-mismatch", "linear", {"input": f(2, 3), "weight": f(4, 3), "bias": f(3)}),
    ("shape-mismatch", "cat", {"tensors": [f(2, 3), f(2, 2)]}),
    ("shape-mismatch", "cat", {"tensors": [f(2), f(2, 2)]}),
    ("shape-mismatch", "stack", {"tensors": [f(2), f(3)]}),
    ("shape-mismatch", "reshape", {"input": f(2, 3), "shape": [4]}),
    ("shape-mismatch", "reshape", {"input": f(2, 3), "shape": [-1, 4]}),
    ("shape-mismatch", "expand", {"input": f(2), "size": [3]}),
    ("shape-mismatch", "expand", {"input": f(2, 2), "size": [2]}),
    ("shape-mismatch", "split", {"tensor": f(5), "split_size_or_sections": [2, 2]}),
    ("shape-mismatch", "tril", {"input": f(3)}),
    ("shape-mismatch", "pad", {"input": f(1, 3), "pad": [3, 0], "mode": "reflect"}),
    ("shape-mismatch", "pad", {"input": f(2), "pad": [-2, -1]}),
    ("shape-mismatch", "einsum", {"equation": "ij,jk->ik", "operands": [f(2, 3), f(2, 3)]}),
    ("shape-mismatch", "gather", {"input": f(2, 3), "dim": 1, "index": f(3, 1, dtype="int64")}),
    ("shape-mismatch", "__getitem__", {"input": f(3), "index": (f(2, dtype="bool"),)}),
    ("shape-mismatch", "trace", {"input": f(2)}),
    ("shape-mismatch", "trace", {"input": f(2, 2, 2)}),
    ("shape-mismatch", "max", {"input": f(2), "other": f(3)}),
    ("dtype-mismatch", "quantile", {"input": f(2), "q": f(dtype="float64")}),
    ("shape-mismatch", "index_select", {"input": f(2), "dim": 0, "index": n([1])}),
    ("shape-mismatch", "index_select", {"input": f(), "dim": 0, "index": n(0, 0)}),
    ("shape-mismatch", "embedding", {"input": n(1, 1), "weight": f(3)}),
    ("shape-mismatch", "index_put", {"input": f(3), "indices": [n(1, 1)], "values": f(3)}),
    ("shape-mismatch", "index_put", {"input": f(3), "indices": [n(1, 1)], "values": f(1, 2)}),
    ("shape-mismatch", "index_put", {"input": f(3), "indices": [f(2, dtype="bool")], "values": f(2)}),
    ("shape-mismatch", "index_add", {"input": f(3), "dim": 0, "index": n(1, 1), "source": f(3)}),
    ("shape-mismatch", "index_add", {"input": f(3), "dim": 0, "index": n([1]), "source": f(1)}),
    ("shape-mismatch", "index_add", {"input": f(2, 3), "dim": 1, "index": n(1, 1), "source": f(1, 2)}),
    ("shape-mismatch", "index_copy", {"input": f(3), "dim": 0, "index": n(1, 1), "source": f(1)}),
    ("shape-mismatch", "index_copy", {"input": f(3), "dim": 0, "index": n(1, 1), "source": f()}),
    ("shape-mismatch", "index_copy", {"input": f(2, 3), "dim": 0, "index": n(1), "source": f(3)}),
    ("shape-mismatch", "scatter", {"input": f(2, 3), "dim": 1, "index": n(1, 1), "src": f(2)}),
    ("shape-mismatch", "scatter", {"input": f(3), "dim": 0, "index": n(1, 1), "src": f(1)}),
    ("shape-mismatch", "scatter", {"input": f(2, 3), "dim": 1, "index": n([1], [1], [1]), "value": 1.0}),
    ("shape-mismatch", "scatter_add", {"input": f(2, 3), "dim": 0, "index": n([1, 1, 1, 1]), "src": f(1, 4)}),
    ("shape-mismatch", "masked_fill", {"input": f(3), "mask": f(2, dtype="bool"), "value": 0.0}),
    ("shape-mismatch", "masked_fill", {"input": f(3), "mask": f(3, dtype="bool"), "value": f(1)}),
    ("shape-mismatch", "repeat", {"input": f(2, 3), "repeats": [2]}),
    ("shape-mismatch", "roll", {"input": f(2, 3), "shifts": [1, 2]}),
    ("shape-mismatch", "roll", {"input": f(2, 3), "shifts": 1, "dims": [0, 1]}),
    ("shape-mismatch", "narrow", {"input": f(3), "dim": 0, "start": 1, "length": -1}),
    ("shape-mismatch", "complex", {"real": f(3), "imag": f(2)}),
    ("shape-mismatch", "vdot", {"input": f(3), "other": f(2)}),
    ("shape-mismatch", "vdot", {"input": f(2, 3), "other": f(2, 3)}),
    ("shape-mismatch", "det", {"input": f(2, 3)}),
    ("shape-mismatch", "linalg.det", {"A": f(2)}),
    ("shape-mismatch", "logdet", {"input": f(2, 3)}),
    ("dtype-mismatch", "index_put", {"input": f(3), "indices": [n(1)], "values": n(1)}),
    ("dtype-mismatch", "index_add", {"input": f(3), "dim": 0, "index": n(1), "source": n(1)}),
    ("dtype-mismatch", "index_copy", {"input": f(3), "dim": 0, "index": n(1), "source": n(1)}),
    ("dtype-mismatch", "scatter", {"input": f(3), "dim": 0, "index": n(1), "src": n(1)}),
    ("dtype-mismatch", "scatter_add", {"input": f(3), "dim": 0, "index": n(1), "src": n(1)}),
    ("dtype-mismatch", "complex", {"real": f(3), "imag": f(3, dtype="float64")}),
    ("dtype-mismatch", "polar", {"abs": f(3), "angle": f(3, dtype="float64")}),
    ("dtype-mismatch", "vdot", {"input": f(3), "other": f(3, dtype="complex64")}),
    ("dtype-cast", "masked_fill", {"input": f(3), "mask": f(3, dtype="bool"), "value": 1j}),
    ("dtype-cast", "masked_fill", {"input": f(3), "mask": f(3, dtype="bool"), "value": 1e300}),
    ("dtype-cast", "masked_fill", {"input": n(1), "mask": f(1, dtype="bool"), "value": float("nan")}),
    ("dtype-cast", "scatter", {"input": f(3, dtype="uint8"), "dim": 0, "index": n(1), "value": 300}),
    ("dtype-mismatch", "matmul", {"input": f(2, 2), "other": f(2, 2, dtype="float64")}),
    ("dtype-mismatch", "dot", {"input": f(2), "tensor": f(2, dtype="int64")}),
    ("dtype-mismatch", "linear", {"input": f(2, 2), "weight": f(2, 2, dtype="float64"), "bias": f(2)}),
    ("dtype-mismatch", "einsum", {"equation": "i,i->", "operands": [f(2), f(2, dtype="float64")]}),
    ("dtype-unsupported", "mean", {"input": f(2, dtype="int64")}),
    ("dtype-unsupported", "std", {"input": f(2, dtype="int64")}),
    ("dtype-unsupported", "softmax", {"input": f(2, dtype="int64"), "dim": 0}),
    ("dtype-unsupported", "relu", {"input": f(2, dtype="complex64")}),
    ("dtype-unsupported", "lt", {"input": f(2, dtype="complex64"), "other": 1}),
    ("dtype-unsupported", "amax", {"input": f(2, dtype="complex64")}),
    ("dtype-unsupported", "clamp", {"input": f(2, dtype="complex64"), "min": 0}),
    ("dtype-unsupported", "maximum", {"input": f(2, dtype="complex64"), "other": f(2)}),
    ("dtype-unsupported", "sign", {"input": f(2, dtype="complex64")}),
    ("dtype-unsupported", "neg", {"input": f(2, dtype="bool")}),
    ("dtype-unsupported", "sub", {"input": f(2, dtype="bool"), "other": f(2)}),
    ("dtype-unsupported", "where", {"condition": f(2), "input": f(2), "other": f(2)}),
    ("dtype-unsupported", "gather", {"input": f(2), "dim": 0, "index": f(2)}),
    ("dtype-unsupported", "__getitem__", {"input": f(2), "index": (f(2),)}),
    ("dtype-unsupported", "imag", {"input": f(2)}),
    *(("dtype-unsupported", op, {"input": f(2, dtype="complex64")}) for op in
      ("sort", "argsort", "mode", "max", "min", "median", "nanmedian", "nansum", "nanmean", "unique")),
    *(("dtype-unsupported", op, {"input": f(2, dtype="complex64"), "dim": 0}) for op in
      ("max", "min", "median", "nanmedian", "cummax", "cummin")),
    *(("dtype-unsupported", op, {"input": f(2, dtype="bool"), "k": 1}) for op in ("topk", "kthvalue")),
    ("dtype-unsupported", "median", {"input": f(2, dtype="bool")}),
    ("dtype-unsupported", "nanmedian", {"input": f(2, dtype="bool"), "dim": 0}),
    ("dtype-unsupported", "logcumsumexp", {"input": f(2, dtype="int64"), "dim": 0}),
    ("dtype-unsupported", "quantile", {"input": f(2, dtype="float16"), "q": 0.5}),
    ("dtype-unsupported", "nanmean", {"input": f(2, dtype="int64")}),
    ("dtype-unsupported", "nanmean", {"input": f(2), "dtype": "int64"}),
    ("dtype-unsupported", "nansum", {"input": f(2, dtype="complex64"), "dtype": "float32"}),
    ("dtype-unsupported", "nansum", {"input": f(2), "dtype": "complex64"}),
    ("dtype-unsupported", "trace", {"input": f(2, 2, dtype="bool")}),
    ("dtype-unsupported", "index_select", {"input": f(2), "dim": 0, "index": f(2)}),
    ("dtype-unsupported", "take", {"input": f(2), "index": f(2, dtype="int32")}),
    ("dtype-unsupported", "embedding", {"input": f(2), "weight": f(2, 2)}),
    ("dtype-unsupported", "index_put", {"input": f(2), "indices": [f(2)], "values": f(2)}),
    ("dtype-unsupported", "index_add", {"input": f(2), "dim": 0, "index": f(2), "source": f(2)}),
    ("dtype-unsupported", "index_copy", {"input": f(2), "dim": 0, "index": f(2), "source": f(2)}),
    ("dtype-unsupported", "scatter", {"input": f(2), "dim": 0, "index": f(2), "value": 1.0}),
    ("dtype-unsupported", "scatter_add", {"input": f(2), "dim": 0, "index": f(2), "src": f(2)}),
    ("dtype-unsupported", "masked_fill", {"input": f(2), "mask": f(2), "value": 1.0}),
    ("dtype-unsupported", "complex", {"real": n(1, 1), "imag": n(1, 1)}),
    ("dtype-unsupported", "polar", {"abs": f(2, dtype="float16"), "angle": f(2, dtype="float16")}),
    ("dtype-unsupported", "vdot", {"input": f(2, dtype="bool"), "other": f(2, dtype="bool")}),
    ("dtype-unsupported", "fft.fft", {"input": f(2, dtype="float16")}),
    ("dtype-unsupported", "fft.ifft", {"input": f(2, dtype="float16")}),
    ("dtype-unsupported", "det", {"input": f(2, 2, dtype="int64")}),
    ("dtype-unsupported", "logdet", {"input": f(2, 2, dtype="float16")}),
    ("dim-out-of-range", "sum", {"input": f(2), "dim": 1}),
    ("dim-out-of-range", "softmax", {"input": f(2), "dim": -2}),
    ("dim-out-of-range", "cumsum", {"input": f(), "dim": 1}),
    ("dim-out-of-range", "unsqueeze", {"input": f(2), "dim": 2}),
    ("dim-out-of-range", "squeeze", {"input": f(2), "dim": 1}),
    ("dim-out-of-range", "transpose", {"input": f(2), "dim0": 0, "dim1": 1}),
    ("dim-out-of-range", "cat", {"tensors": [f(2)], "dim": 1}),
    ("dim-out-of-range", "stack", {"tensors": [f(2)], "dim": 2}),
    ("dim-out-of-range", "flip", {"input": f(2), "dims": [1]}),
    ("dim-out-of-range", "gather", {"input": f(2), "dim": 1, "index": f(2, dtype="int64")}),
    *(("dim-out-of-range", op, {"input": f(2), "dim": 1}) for op in
      ("sort", "argsort", "mode", "max", "min", "median", "nanmedian", "cummax", "cummin", "cumprod",
       "logcumsumexp", "nansum", "nanmean", "any", "all", "unique")),
    ("dim-out-of-range", "topk", {"input": f(2), "k": 1, "dim": 1}),
    ("dim-out-of-range", "kthvalue", {"input": f(2), "k": 1, "dim": -2}),
    ("dim-out-of-range", "quantile", {"input": f(2), "q": 0.5, "dim": 1}),
    ("dim-out-of-range", "unique", {"input": f(), "dim": 0}),
    ("dim-repeated", "any", {"input": f(2, 2), "dim": [0, -2]}),
    ("dim-repeated", "nansum", {"input": f(2, 2), "dim": [0, 0]}),
    ("dim-out-of-range", "index_select", {"input": f(2), "dim": 1, "index": n(1)}),
    ("dim-out-of-range", "index_add", {"input": f(2, 2), "dim": 1, "index": n(1, 1), "source": f(2)}),
    ("dim-out-of-range", "index_copy", {"input": f(2), "dim": 1, "index": n(1), "source": f(1)}),
    ("dim-out-of-range", "scatter", {"input": f(2), "dim": 1, "index": n(1), "src": f(1)}),
    ("dim-out-of-range", "roll", {"input": f(2), "shifts": 1, "dims": 1}),
    ("dim-out-of-range", "roll", {"input": f(), "shifts": 1, "dims": 0}),
    ("dim-out-of-range", "narrow", {"input": f(2), "dim": 1, "start": 0, "length": 1}),
    ("dim-out-of-range", "diagonal", {"input": f(2)}),
    ("dim-out-of-range", "fft.fft", {"input": f(2), "dim": 1}),
    ("dim-out-of-range", "fft.ifft", {"input": f()}),
    ("dim-repeated", "diagonal", {"input": f(2, 2), "dim1": 0, "dim2": -2}),
    ("dim-repeated", "sum", {"input": f(2, 2), "dim": [0, -2]}),
    ("dim-repeated", "permute", {"input": f(2, 2), "dims": [0, 0]}),
    ("dim-repeated", "flip", {"input": f(2), "dims": [0, -1]}),
    ("dim-repeated", "squeeze", {"input": f(1, 2), "dim": [0, 0]}),
    ("empty-reduction", "amax", {"input": f(0)}),
    ("empty-reduction", "amin", {"input": f(2, 0), "dim": 1}),
    ("empty-reduction", "argmax", {"input": f(0)}),
    ("empty-reduction", "max", {"input": f(0)}),
    ("empty-reduction", "min", {"input": f(2, 0)}),
    *(("empty-reduction", op, {"input": f(2, 0), "dim": 1}) for op in
      ("max", "min", "median", "nanmedian", "mode")),
    ("empty-reduction", "kthvalue", {"input": f(2, 0), "k": 1}),
    ("negative-integer-power", "pow", {"input": f(2, dtype="int64"), "exponent": -1}),
    ("invalid-argument", "div", {"input": f(2), "other": f(2), "rounding_mode": "up"}),
    ("invalid-argument", "embedding", {"input": n(1), "weight": f(2, 2), "padding_idx": 2}),
    ("invalid-argument", "index_put", {"input": f(2), "indices": [], "values": f()}),
    ("invalid-argument", "scatter", {"input": f(2), "dim": 0, "index": n(1)}),
    ("invalid-argument", "repeat", {"input": f(2), "repeats": [-1]}),
    ("invalid-argument", "tile", {"input": f(2), "dims": [-1]}),
    ("invalid-argument", "roll", {"input": f(2), "shifts": []}),
    ("invalid-argument", "narrow", {"input": f(), "dim": 0, "start": 0, "length": 1}),
    ("invalid-argument", "new_zeros", {"input": f(), "size": [-1]}),
    ("invalid-argument", "fft.fft", {"input": f(2), "n": 0}),
    ("invalid-argument", "fft.fft", {"input": f(0)}),
    ("invalid-argument", "fft.ifft", {"input": f(2), "norm": "half"}),
    ("invalid-argument", "pad", {"input": f(2), "pad": [1, 1], "mode": "mirror"}),
    ("invalid-argument", "pad", {"input": f(2), "pad": [1]}),
    ("invalid-argument", "clamp", {"input": f(2)}),
    ("invalid-argument", "where", {"condition": f(2, dtype="bool"), "input": f(2)}),
    ("invalid-argument", "add", {"input": f(2, dtype="int64"), "other": f(2, dtype="int64"), "alpha": 0.5}),
    ("invalid-argument", "cat", {"tensors": []}),
    ("invalid-argument", "reshape", {"input": f(4), "shape": [-1, -1]}),
    ("invalid-argument", "expand", {"input": f(1), "size": [-1, 1]}),
    ("invalid-argument", "permute", {"input": f(2, 2), "dims": [0]}),
    ("invalid-argument", "flatten", {"input": f(2, 2), "start_dim": 1, "end_dim": 0}),
    ("invalid-argument", "mT", {"input": f(2)}),
    ("invalid-argument", "einsum", {"equation": "ij->ijj", "operands": [f(2, 2)]}),
    ("invalid-argument", "einsum", {"equation": "ij,j", "operands": [f(2, 2)]}),
    ("invalid-argument", "einsum", {"equation": "i1->", "operands": [f(2, 2)]}),
    ("invalid-argument", "__getitem__", {"input": f(2), "index": (slice(None, None, 0),)}),
    ("invalid-argument", "max", {"input": f(2), "dim": 0, "other": f(2)}),
    ("invalid-argument", "min", {"input": f(2), "keepdim": True}),
    ("invalid-argument", "median", {"input": f(2), "keepdim": True}),
    ("invalid-argument", "quantile", {"input": f(2), "q": 1.5}),
    ("invalid-argument", "quantile", {"input": f(2), "q": 2 * f(1)}),
    ("invalid-argument", "quantile", {"input": f(2), "q": f(1, 1)}),
    ("invalid-argument", "quantile", {"input": f(0), "q": 0.5}),
    ("invalid-argument", "quantile", {"input": f(2), "q": 0.5, "interpolation": "up"}),
    ("invalid-argument", "unique", {"input": f(2, 0), "dim": 0}),
    ("negative-step", "__getitem__", {"input": f(2), "index": (slice(None, None, -1),)}),
    ("too-many-indices", "__getitem__", {"input": f(2), "index": (0, 0)}),
    ("too-many-indices", "__getitem__", {"input": f(), "index": (0,)}),
    ("index-out-of-range", "__getitem__", {"input": f(2), "index": (2,)}),
    ("index-out-of-range", "__getitem__", {"input": f(2), "index": (-3,)}),
    ("index-out-of-range", "__getitem__", {"input": f(2), "index": ([0, 2],)}),
    ("index-out-of-range", "__getitem__", {"input": f(2), "index": (3 * f(1, dtype="int64"),)}),
    ("too-many-indices", "index_put", {"input": f(2), "indices": [n(0), n(0)], "values": f()}),
    ("index-out-of-range", "index_select", {"input": f(2), "dim": 0, "index": n(-1)}),
    ("index-out-of-range", "index_select", {"input": f(2), "dim": 0, "index": n(2)}),
    ("index-out-of-range", "take", {"input": f(2, 2), "index": n(4)}),
    ("index-out-of-range", "take", {"input": f(2, 2), "index": n(-5)}),
    ("index-out-of-range", "take", {"input": f(0), "index": n(0)}),
    ("index-out-of-range", "embedding", {"input": n(-1), "weight": f(2, 2)}),
    ("index-out-of-range", "index_put", {"input": f(2), "indices": [n(2)], "values": f()}),
    ("index-out-of-range", "index_add", {"input": f(2), "dim": 0, "index": n(-1), "source": f(1)}),
    ("index-out-of-range", "index_copy", {"input": f(2), "dim": 0, "index": n(2), "source": f(1)}),
    ("index-out-of-range", "scatter", {"input": f(2), "dim": 0, "index": n(-1), "src": f(1)}),
    ("index-out-of-range", "scatter_add", {"input": f(2), "dim": 0, "index": n(2), "src": f(1)}),
    ("index-out-of-range", "narrow", {"input": f(3), "dim": 0, "start": 4, "length": 0}),
    ("index-out-of-range", "narrow", {"input": f(3), "dim": 0, "start": 1, "length": 3}),
    ("index-out-of-range", "gather", {"input": f(2), "dim": 0, "index": -f(1, dtype="int64")}),
    ("index-out-of-range", "topk", {"input": f(2), "k": 3}),
    ("index-out-of-range", "topk", {"input": f(2), "k": -1}),
    ("index-out-of-range", "topk", {"input": f(), "k": 2}),
    ("index-out-of-range", "kthvalue", {"input": f(2), "k": 0}),
    ("index-out-of-range", "kthvalue", {"input": f(2), "k": 3}),
]  # fmt: skip


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    ("code", "op", "args"), CASES, ids=[f"{code}-{op}-{k}" for k, (code, op, _) in enumerate(CASES)]
)
def test_wrong_arguments(library: str, code: str, op: str, args: dict[str, Any]) -> None:
    with pytest.raises(ProgramError) as caught:
        run(library, op, args, lambda _: False)
    assert caught.value.code == code, caught.value


@pytest.mark.parametrize(
    ("code", "op", "args"), CASES, ids=[f"{code}-{op}-{k}" for k, (code, op, _) in enumerate(CASES)]
)
def test_torch_refuses_them_too(code: str, op: str, args: dict[str, Any]) -> None:
    pytest.importorskip("torch")
    from gradspec.backends.torch_errors import error_code
    from tests.ops import in_torch
    from tests.ops.test_against_torch import _map

    refusals = (RuntimeError, IndexError, TypeError, ValueError, NotImplementedError, AssertionError)
    with pytest.raises(refusals) as caught:
        in_torch.call(op, {k: _map(v, lambda a: in_torch.tensor(a, False)) for k, v in args.items()})
    print(caught.value)
    if not isinstance(caught.value, TypeError):
        assert error_code(caught.value) == code
