"""What an op saves for backward is what torch saves: seen by a second backward and by changes in place."""

from __future__ import annotations

import warnings
import zlib
from typing import Any

import numpy as np
import pytest

from gradspec.errors import ProgramError
from tests.ops.random_calls import MAKERS, Call, Dice
from tests.ops.session import arrays_in, backwards, outputs

torch = pytest.importorskip("torch")

from tests.ops.test_against_torch import SEED, _map  # noqa: E402  # it needs torch

WITHOUT_NODE = {
    "eq", "ne", "lt", "le", "gt", "ge", "argmax", "argmin", "zeros_like", "ones_like", "detach", "positive",
    "argsort", "any", "all", "unique",
    "new_zeros", "contiguous",
}  # fmt: skip


def _torch_fails(call: Call, wants: Any, cts: list[Any], times: int, change: int | None) -> bool:
    from tests.ops import in_torch

    copies: list[Any] = []

    def leaf(array: Any) -> Any:
        copies.append(in_torch.tensor(array, wants(len(copies))).clone())
        return copies[-1]

    out = in_torch.call(call.op, {k: _map(v, leaf) for k, v in call.args.items()})
    outs = list(out) if isinstance(out, tuple) else [out]
    try:
        if change is not None:
            (outs[change] if change < 0 else copies[change]).add_(1)
        for _ in range(times):
            torch.autograd.backward(outs[: len(cts)], [in_torch.tensor(ct, False) for ct in cts])
    except RuntimeError:
        return True
    return False


def _fails(call: Call, wants: Any, cts: list[Any], times: int, change: int | None) -> str:
    try:
        backwards("python", call.op, call.args, wants, cts, times, change)
    except ProgramError as error:
        return error.code
    return ""


def _shapes(call: Call, wants: Any) -> list[Any] | None:
    """The outputs in torch, or None where the call is an error or gives nothing to differentiate."""
    from tests.ops import in_torch

    count = iter(range(99))
    try:
        out = in_torch.call(
            call.op,
            {k: _map(v, lambda a: in_torch.tensor(a, wants(next(count)))) for k, v in call.args.items()},
        )
    except (RuntimeError, IndexError, ValueError):
        return None
    outs = list(out) if isinstance(out, tuple) else [out]
    flow = [one.requires_grad for one in outs]
    # indices beside values come after them, and have no gradient
    return outs[: sum(flow)] if flow[0] and flow == sorted(flow, reverse=True) else None


@pytest.mark.torch
@pytest.mark.parametrize("op", [op for op in MAKERS if op not in WITHOUT_NODE])
def test_second_backward_and_changes_in_place(op: str) -> None:
    seed = zlib.crc32(f"{SEED} saved {op}".encode())
    rng = np.random.default_rng(seed)
    print(f"seed {seed}")
    dice = Dice(rng, "float32")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(6):
            call = MAKERS[op](dice)
            arrays = arrays_in(call.args)
            able = [k for k, array in enumerate(arrays) if array.dtype.kind == "f"]
            chosen = {k for k in able if rng.random() < 0.7} or set(able)
            outs = _shapes(call, chosen.__contains__)
            if outs is None:
                continue
            cts = [Dice(rng, str(out.dtype).removeprefix("torch.")).array(tuple(out.shape)) for out in outs]
            # twice: the second time through the copies too, which save nothing
            failed = _fails(call, chosen.__contains__, cts, 2, None)
            assert bool(failed) == _torch_fails(call, chosen.__contains__, cts, 2, None), f"{call}: {failed}"
            assert failed in ("", "graph-freed")
            if call.args.get("mode") == "circular":
                continue  # torch writes it slice by slice into a new tensor and saves nothing
            count = outputs(call.op, call.args)
            for change in (*range(-count, 0), *able):
                failed = _fails(call, chosen.__contains__, cts, 1, change)
                expected = _torch_fails(call, chosen.__contains__, cts, 1, change)
                assert bool(failed) == expected, (
                    f"{call}, {chosen} want gradients, {change} changed: {failed!r}"
                )
