"""Chains of views: values and nodes are torch's, a copy where strides cannot say it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.ops.session import LIBRARIES, chain

torch = pytest.importorskip("torch")

TURN = ("transpose", {"dim0": 0, "dim1": 1})
CHAINS: list[tuple[tuple[int, ...], list[tuple[str, dict[str, Any]]]]] = [
    ((3, 3), [("diagonal", {}), ("reshape", {"shape": (3, 1)})]),
    ((3, 4), [("diagonal", {"offset": 1}), ("reshape", {"shape": (1, 3)})]),
    ((2, 3, 3), [("diagonal", {"dim1": 1, "dim2": 2}), ("reshape", {"shape": (6,)})]),
    ((4, 3), [("narrow", {"dim": 1, "start": 1, "length": 2}), ("reshape", {"shape": (8,)})]),
    ((2, 3), [TURN, ("contiguous", {}), ("reshape", {"shape": (6,)})]),
    ((2, 3), [("reshape", {"shape": (3, 2)})]),
    ((2, 3), [TURN, ("reshape", {"shape": (6,)})]),
    ((2, 3), [TURN, ("flatten", {})]),
    ((2, 3), [TURN, TURN, ("reshape", {"shape": (6,)})]),
    ((1, 3), [TURN, ("reshape", {"shape": (3,)})]),
    ((2, 3, 4), [TURN, ("reshape", {"shape": (3, 2, 2, 2)})]),
    ((2, 3, 4), [TURN, ("reshape", {"shape": (3, 8)})]),
    ((2, 3, 4), [("permute", {"dims": (0, 2, 1)}), ("reshape", {"shape": (2, 12)})]),
    ((2, 3, 4), [("permute", {"dims": (1, 2, 0)}), ("reshape", {"shape": (12, 2)})]),
    ((2, 3, 4), [("__getitem__", {"index": (slice(None), 1)}), ("reshape", {"shape": (8,)})]),
    ((4, 3), [("__getitem__", {"index": (slice(1, 3),)}), ("reshape", {"shape": (6,)})]),
    ((4, 3), [("__getitem__", {"index": (slice(None, None, 2),)}), ("reshape", {"shape": (6,)})]),
    ((4,), [("__getitem__", {"index": (slice(None, None, 2),)}), ("reshape", {"shape": (2, 1)})]),
    ((1, 3), [("expand", {"size": (2, 3)}), ("reshape", {"shape": (6,)})]),
    ((3, 1), [("expand", {"size": (3, 2)}), ("reshape", {"shape": (3, 2, 1)})]),
    ((2, 3), [("T", {}), ("unsqueeze", {"dim": 0}), ("squeeze", {}), ("reshape", {"shape": (2, 3)})]),
    ((2, 3), [("mT", {}), ("clone", {}), ("sum", {"dim": 0}), ("reshape", {"shape": (2, 1)})]),
]


@pytest.mark.torch
@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(("shape", "links"), CHAINS)
def test_chain(library: str, shape: tuple[int, ...], links: list[tuple[str, dict[str, Any]]]) -> None:
    from tests.ops import in_torch

    start = np.arange(np.prod(shape), dtype="float32").reshape(shape)
    x = in_torch.tensor(start, True).clone()
    for (op, statics), (value, name) in zip(links, chain(library, start, links), strict=True):
        x = in_torch.call(op, {("tensor" if op == "split" else "input"): x, **statics})
        np.testing.assert_array_equal(value, x.detach().numpy())
        assert name == x.grad_fn.name(), op
