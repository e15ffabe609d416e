"""Each liar lies where it should, and nowhere else: a liar that is honest would prove nothing."""

from __future__ import annotations

import pytest

from gradspec.backends.base import Backend, Observations
from gradspec.plugins import load_backend
from tests.backends.builder import Builder, T, dense
from tests.fakes.liars import LIARS, TORCH_LIARS, load


def twice() -> Builder:
    """Two backwards that accumulate."""
    b = Builder("float64")
    b.leaf("x", [1.0, 2.0])
    for _ in range(2):
        b.op("y", "mul", input=T("x"), other=3)
        b.backward("y", [1.0, 10.0])
        b.watch("x", "grad", "value")
    return b


def conjugate() -> Builder:
    b = Builder("float64")
    b.leaf("x", dense([1 + 2j], "complex128"))
    b.op("y", "mul", input=T("x"), other=T("x"))
    b.backward("y", dense([1 + 0j], "complex128"))
    b.watch("x", "grad")
    return b


def broadcast() -> Builder:
    b = Builder("float64")
    b.leaf("x", [[1.0, 2.0], [3.0, 4.0]])
    b.leaf("v", [1.0, 2.0])
    b.op("y", "mul", input=T("x"), other=T("v"))
    b.backward("y", [[1.0, 2.0], [3.0, 4.0]])
    b.watch("x v", "grad")
    return b


def cycle(cotangent: list[float]) -> Builder:
    """A permutation that is not its own inverse."""
    b = Builder("float64")
    b.leaf("x", [1.0, 2.0, 3.0])
    b.leaf("i", dense([1, 2, 0], "int64"), requires_grad=False)
    b.op("y", "gather", input=T("x"), dim=0, index=T("i"))
    b.backward("y", cotangent)
    b.watch("x", "grad")
    return b


def constant() -> Builder:
    """No gradient anywhere."""
    b = Builder("float64")
    b.leaf("x", [1.0, 2.0], requires_grad=False)
    b.op("y", "mul", input=T("x"), other=3)
    b.watch("x y", "grad", "value", "requires_grad")
    return b


SHOWN = {
    "always-zero": twice(), "off-by-a-factor": twice(), "overwrites": twice(),
    "reuses-a-stale-buffer": twice(), "misses-a-conjugate": conjugate(),
    "drops-the-broadcast-sum": broadcast(), "gathers": cycle([1.0, 10.0, 100.0]),
}  # fmt: skip


def seen(b: Builder, backend: Backend) -> Observations:
    result = b.run(backend)
    assert result.outcomes == {}
    return result


def honest(name: str) -> Backend:
    if name in TORCH_LIARS:
        pytest.importorskip("torch")
    return load_backend("torch" if name in TORCH_LIARS else "python")


@pytest.mark.parametrize("name", SHOWN)
def test_a_liar_lies(name: str) -> None:
    truth, backend = honest(name), load(name)
    assert seen(SHOWN[name], backend).seen != seen(SHOWN[name], truth).seen
    assert seen(constant(), backend) == seen(constant(), truth)


def test_under_a_plain_sum_a_gatherer_is_not_seen() -> None:
    truth = honest("gathers")
    b = cycle([1.0, 1.0, 1.0])
    assert seen(b, load("gathers")) == seen(b, truth)


def test_one_backward_does_not_show_who_overwrites() -> None:
    b = broadcast()
    assert seen(b, load("overwrites")) == seen(b, load_backend("python"))


def test_all_are_here() -> None:
    assert set(SHOWN) | {"crashes", "dies", "hangs"} == {*LIARS, *TORCH_LIARS}
    with pytest.raises(RuntimeError):
        load("crashes").run(constant().program())
    assert load("dies").isolate and load("hangs").isolate
