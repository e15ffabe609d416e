"""Values and gradients of both array libraries agree with torch on random calls."""

from __future__ import annotations

import warnings
import zlib
from typing import Any

import numpy as np
import pytest

from gradspec.dtypes import default_tolerance
from gradspec.errors import ProgramError
from gradspec.ops import registry
from tests.ops.random_calls import MAKERS, REAL_ONLY, Call, Dice
from tests.ops.session import LIBRARIES, arrays_in, run, second_order

torch = pytest.importorskip("torch")

SEED = 20240607
DTYPES = ("float32", "float64", "complex128")
ROUNDS = {"python": 12, "numpy": 16}


def _map(value: Any, change: Any) -> Any:
    """`value` with its arrays changed, also within lists and tuples."""
    if isinstance(value, np.ndarray):
        return change(value)
    if isinstance(value, list | tuple):
        return type(value)(_map(part, change) for part in value)
    return value


def _wanting(call: Call, rng: np.random.Generator) -> Any:
    """Which arrays of a call require grad: at least one where one can."""
    able = [k for k, array in enumerate(arrays_in(call.args)) if array.dtype.kind in "fc"]
    wanted = {k for k in able if rng.random() < 0.8} or set(able)
    return lambda k: k in wanted


def _in_torch(call: Call, wants: Any, cts: list[Any]) -> tuple[list[Any], list[Any], list[Any]]:
    from tests.ops import in_torch

    leaves: list[Any] = []

    def leaf(array: Any) -> Any:
        leaves.append(in_torch.tensor(array, wants(len(leaves))))
        return leaves[-1]

    result = in_torch.call(call.op, {k: _map(v, leaf) for k, v in call.args.items()})
    outs = list(result) if isinstance(result, tuple) else [result]
    names = [None if out.grad_fn is None else out.grad_fn.name().rpartition("::")[2] for out in outs]
    outs = [out.resolve_conj() for out in outs]
    roots = [(out, ct) for out, ct in zip(outs, cts or [None] * len(outs), strict=False) if out.requires_grad]
    if cts and roots:
        torch.autograd.backward([r for r, _ in roots], [in_torch.tensor(c, False) for _, c in roots])
    return outs, leaves, names


def _agree(got: Any, expected: Any, what: str) -> None:
    assert got.dtype == expected.dtype and got.shape == expected.shape, (
        f"{what}: {got.dtype}{got.shape} {expected.dtype}{expected.shape}"
    )
    rtol, atol = default_tolerance(got.dtype.name)
    rtol *= 4 if got.dtype.name in ("float32", "complex64") else 1
    np.testing.assert_allclose(got, expected, rtol=rtol, atol=atol, err_msg=what)


def compare(library: str, call: Call, rng: np.random.Generator) -> None:
    """One call here and in torch: values, dtypes, requires_grad, grad_fn and gradients."""
    wants = _wanting(call, rng)
    try:
        outs, _, _ = _in_torch(call, wants, [])
    except (RuntimeError, IndexError, ValueError) as error:
        with pytest.raises(ProgramError):
            print(f"torch says {error} of {call}")
            run(library, call.op, call.args, wants)
        return
    cts = [Dice(rng, str(out.dtype).removeprefix("torch.")).array(tuple(out.shape)) for out in outs]
    if registry[call.op].underivable:
        cts = []
    outs, leaves, names = _in_torch(call, wants, cts)
    here = run(library, call.op, call.args, wants, cts or None)
    for value, out in zip(here.values, outs, strict=True):
        _agree(value, out.detach().numpy(), f"value of {call}")
    assert here.requires_grad == [out.requires_grad for out in outs], f"requires_grad of {call}"
    for k, (grad, theirs) in enumerate(zip(here.grads, leaves, strict=True)):
        assert (grad is None) == (theirs.grad is None), f"grad {k} of {call}: {grad} {theirs.grad}"
        if grad is not None:
            _agree(grad, theirs.grad.resolve_conj().numpy(force=True), f"grad {k} of {call}, ct {cts}")
    assert here.grad_fn == names, f"grad_fn of {call}"


@pytest.mark.torch
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", MAKERS)
@pytest.mark.parametrize("library", LIBRARIES)
def test_random_calls(library: str, op: str, dtype: str) -> None:
    if dtype == "complex128" and op in REAL_ONLY:
        pytest.skip("of real numbers only")
    seed = zlib.crc32(f"{SEED} {op} {dtype}".encode())
    rng = np.random.default_rng(seed)
    print(f"seed {seed}")
    dice = Dice(rng, dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(ROUNDS[library]):
            compare(library, MAKERS[op](dice), rng)


def _second_in_torch(call: Call, wants: Any, ct: Any, weights: list[Any]) -> list[Any]:
    from tests.ops import in_torch

    leaves: list[Any] = []

    def leaf(array: Any) -> Any:
        leaves.append(in_torch.tensor(array, wants(len(leaves))))
        return leaves[-1]

    result = in_torch.call(call.op, {k: _map(v, leaf) for k, v in call.args.items()})
    out = result[0] if isinstance(result, tuple) else result
    seed = in_torch.tensor(ct, True)
    wanted = [one for one in leaves if one.requires_grad]
    firsts = torch.autograd.grad(out, wanted, seed, create_graph=True, materialize_grads=True)
    roots = [(f, in_torch.tensor(w, False)) for f, w in zip(firsts, weights, strict=True) if f.requires_grad]
    if roots:
        torch.autograd.backward([f for f, _ in roots], [w for _, w in roots])
    return [
        None if one.grad is None else one.grad.resolve_conj().numpy(force=True) for one in (*leaves, seed)
    ]


def compare_second(library: str, call: Call, rng: np.random.Generator) -> None:
    """The gradients of a random combination of a call's gradients, here and in torch."""
    wants = _wanting(call, rng)
    try:
        outs, leaves, _ = _in_torch(call, wants, [])
    except (RuntimeError, IndexError, ValueError):
        return
    flow = [out.requires_grad for out in outs]
    if flow != [True] + [False] * (len(outs) - 1) or registry[call.op].underivable:
        return
    ct = Dice(rng, str(outs[0].dtype).removeprefix("torch.")).array(tuple(outs[0].shape))
    weights = [
        Dice(rng, str(one.dtype).removeprefix("torch.")).array(tuple(one.shape))
        for one in leaves
        if one.requires_grad
    ]
    try:
        theirs = _second_in_torch(call, wants, ct, weights)
    except RuntimeError as error:
        assert "not implemented" in str(error)  # torch has the first derivative only
        return
    ours = second_order(library, call.op, call.args, wants, ct, weights)
    for k, (grad, expected) in enumerate(zip(ours, theirs, strict=True)):
        # where torch knows that a derivative is constant it leaves no path, and so no zeros
        if grad is None or expected is None:
            present = expected if grad is None else grad
            assert present is None or not np.any(present), f"second gradient {k} of {call}: {grad} {expected}"
        else:
            _agree(grad, expected, f"second gradient {k} of {call}")


@pytest.mark.torch
@pytest.mark.parametrize("dtype", ("float64", "complex128"))
@pytest.mark.parametrize("op", MAKERS)
def test_second_order(op: str, dtype: str) -> None:
    if dtype == "complex128" and op in REAL_ONLY:
        pytest.skip("of real numbers only")
    seed = zlib.crc32(f"{SEED} second {op} {dtype}".encode())
    rng = np.random.default_rng(seed)
    print(f"seed {seed}")
    dice = Dice(rng, dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(10):
            compare_second("numpy", MAKERS[op](dice), rng)
