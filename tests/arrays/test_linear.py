"""matmul and einsum of the two libraries against each other; NumPy's einsum is the reference."""

from __future__ import annotations

import numpy as np
import pytest

from gradspec.dtypes import DTYPES, category
from tests.arrays.pair import agree, draw

SEED = 15


def ulps(dtype):
    return 0 if category(dtype) < 2 else 8


@pytest.mark.parametrize("dtype", DTYPES)
def test_matmul(dtype):
    rng = np.random.default_rng(SEED)
    for left, right in [
        ((3,), (3,)),
        ((2, 3), (3,)),
        ((3,), (3, 4)),
        ((2, 3), (3, 4)),
        ((5, 2, 3), (3, 4)),
        ((2, 3), (5, 3, 4)),
        ((5, 1, 2, 3), (6, 3, 1)),
        ((4, 2, 3), (4, 3)),
        ((3,), (5, 3, 2)),
        ((4, 2, 3), (3,)),
        ((0, 3), (3, 2)),
        ((2, 0), (0, 3)),
        ((0,), (0,)),
        ((0, 2, 3), (3, 2)),
        ((2, 3), (2, 3)),
        ((3,), (4,)),
        ((2, 2, 3), (3, 3, 1)),
        ((), (3,)),
        ((3,), ()),
    ]:
        a, b = draw(rng, left, dtype), draw(rng, right, dtype)
        agree(
            dtype, lambda xp, a, b: xp.matmul(a, b), a, b, ulp=ulps(dtype), floor=16.0, note=f"{left} {right}"
        )


EQUATIONS = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk->ki", (2, 3), (3, 4)),
    ("bij,bjk->bik", (2, 2, 3), (2, 3, 2)),
    ("ij->ji", (2, 3)),
    ("ij->", (2, 3)),
    ("ij->i", (2, 3)),
    ("ij->j", (0, 3)),
    ("ii->i", (3, 3)),
    ("ii->", (3, 3)),
    ("iij->ji", (2, 2, 3)),
    ("iii->i", (2, 2, 2)),
    ("i,j->ij", (2,), (3,)),
    ("i,i->", (3,), (3,)),
    ("i,i->i", (3,), (3,)),
    (",i->i", (), (3,)),
    (",->", (), ()),
    ("->", ()),
    ("ij,kj->", (2, 3), (4, 3)),
    ("ij,kl->il", (2, 3), (4, 5)),
    ("bqhd,bkhd->bhqk", (2, 3, 2, 2), (2, 4, 2, 2)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
    ("i,i,i->i", (3,), (3,), (3,)),
    ("ij,j,i->", (2, 3), (3,), (2,)),
    ("ii,ij->j", (3, 3), (3, 2)),
    ("ij,ji->", (2, 3), (3, 2)),
    ("ij,ij->ij", (1, 3), (2, 3)),
    ("ij,jk->ik", (2, 0), (0, 3)),
    ("ij,jk->ik", (2, 3), (4, 2)),
    ("ij->i", (2, 3, 4)),
    ("ij,jk->ik", (2, 3)),
    ("abc,cd->abd", (20, 20, 8), (8, 10)),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", EQUATIONS, ids=str)
def test_einsum(case, dtype):
    equation, *shapes = case
    rng = np.random.default_rng(SEED)
    arrays = [draw(rng, shape, dtype) for shape in shapes]
    if equation.startswith("abc") and dtype not in ("float32", "float64"):
        arrays = [draw(rng, shape[-2:], dtype) for shape in ((8, 8), (8, 3))]
        equation = "bc,cd->bd"
    agree(dtype, lambda xp, *a: xp.einsum(equation, *a), *arrays, ulp=ulps(dtype), floor=64.0, note=str(case))
