"""dtypes of results, and which dtypes are refused, are torch's for every op and mixture."""

from __future__ import annotations

import warnings
import zlib
from typing import Any

import numpy as np
import pytest

from gradspec.errors import ProgramError
from tests.ops.random_calls import MAKERS, Call, Dice
from tests.ops.session import arrays_in, run

torch = pytest.importorskip("torch")

from tests.ops.test_against_torch import SEED, _map  # noqa: E402  # it needs torch

DTYPES = (
    "bool", "uint8", "int8", "int16", "int32", "int64",
    "float16", "float32", "float64", "complex64", "complex128",
)  # fmt: skip
OWN_DTYPE = {  # arguments that keep theirs
    "where": "condition", "gather": "index", "__getitem__": "index", "index_select": "index",
    "take": "index", "embedding": "input", "index_put": "indices", "index_add": "index",
    "index_copy": "index", "scatter": "index", "scatter_add": "index", "masked_fill": "mask",
    "nll_loss": "target", "cross_entropy": "target", "binary_cross_entropy_with_logits": "target",
}  # fmt: skip
ROUNDS = 3


def _cast(call: Call, dtype: str, rng: np.random.Generator) -> Call:
    """The call with its first array of `dtype` and each other one of that or of another."""
    count = iter(range(99))

    def cast(array: Any) -> Any:
        wanted = dtype if next(count) == 0 or rng.random() < 0.5 else str(rng.choice(DTYPES))
        return np.asarray(np.abs(array) + 1).astype(wanted)

    return Call(
        call.op, {k: v if OWN_DTYPE.get(call.op) == k else _map(v, cast) for k, v in call.args.items()}
    )


def _torch_dtype(call: Call) -> str:
    from tests.ops import in_torch

    try:
        args = {k: _map(v, lambda array: in_torch.tensor(array, False)) for k, v in call.args.items()}
        result = in_torch.call(call.op, args)
    except (RuntimeError, TypeError, IndexError, ValueError, NotImplementedError):
        return "error"
    return str((result[0] if isinstance(result, tuple) else result).dtype).removeprefix("torch.")


def _dtype(call: Call) -> str:
    try:
        return str(run("numpy", call.op, call.args, lambda _: False).values[0].dtype)
    except ProgramError as error:
        print(error)
        return "error"


@pytest.mark.torch
@pytest.mark.parametrize("op", MAKERS)
def test_result_dtypes(op: str) -> None:
    seed = zlib.crc32(f"{SEED} dtypes {op}".encode())
    rng = np.random.default_rng(seed)
    print(f"seed {seed}")
    dice = Dice(rng, "float64")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for dtype in DTYPES:
            for _ in range(ROUNDS):
                call = _cast(MAKERS[op](dice), dtype, rng)
                if any(array.size == 0 for array in arrays_in(call.args)):
                    continue
                if op in ("kthvalue", "mode", "cummax", "cummin") and not arrays_in(call.args)[0].ndim:
                    continue  # of one element alone torch takes every dtype there
                if op == "einsum" and any(1 in array.shape for array in arrays_in(call.args)):
                    continue  # over an axis of size 1 torch sums no products, and then promotes
                expected = _torch_dtype(call)
                assert expected == "complex32" or _dtype(call) == expected, call
