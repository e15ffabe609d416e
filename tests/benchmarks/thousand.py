"""1,000 small gradient checks in one cold process: specs beside hand-written torch tests under pytest."""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path

from tests.benchmarks.measure import Row, interleaved, medians
from tests.benchmarks.startup import GRADSPEC, PYTEST, cold

__all__ = ["thousand"]

FILES, EACH = 20, 50


def thousand(rounds: int) -> list[Row]:
    """1,000 specs in 20 files on python and on numpy; the same 1,000 checks as torch test functions."""
    with tempfile.TemporaryDirectory() as folder:
        specs, tests = Path(folder) / "specs", Path(folder) / "tests"
        specs.mkdir()
        tests.mkdir()
        for file in range(FILES):
            numbers = range(file * EACH, (file + 1) * EACH)
            text = "gradspec: 1\ndefaults: {dtype: float64}\nspecs:\n" + "".join(map(_spec, numbers))
            (specs / f"s{file}.gradspec.yaml").write_text(text)
            text = "import torch\nfrom torch.testing import assert_close\n\n\n" + "\n\n".join(
                map(_test, numbers)
            )
            (tests / f"test_{file}.py").write_text(text)
        contestants = {
            backend: cold(["-c", GRADSPEC, "run", "specs", "-b", backend], folder)
            for backend in ("python", "numpy")
        }
        if find_spec("torch"):
            contestants["torch"] = cold(["-c", PYTEST, "-q", "-p", "no:cacheprovider", "tests"], folder)
        spent = medians(interleaved(contestants, rounds))
    return [
        Row(
            "thousand",
            "1,000 checks, cold",
            backend,
            spent[backend],
            "torch + pytest",
            spent.get("torch"),
            "s",
            "≥ 5",
        )
        if "torch" in spent
        else Row("thousand", "1,000 checks, cold", backend, spent[backend], "", None, "s")
        for backend in ("python", "numpy")
    ]


def _numbers(n: int) -> tuple[float, float, float]:
    return 1 + n % 7 / 4, 2 + n % 11 / 8, -1 - n % 5 / 2


def _spec(n: int) -> str:
    a, b, c = _numbers(n)
    x = f"    tensors: {{x: {{data: [{a}, {b}, {c}], requires_grad: true}}}}\n"
    head = f"  - id: t{n}\n{x}    steps:\n"
    grads, total, body = _case(n)
    return (
        f"{head}      - op: {body}\n      - op: z = sum(y)\n      - backward: z\n"
        f"      - expect: {{z: {{value: {total!r}, is_leaf: false}}, x: {{grad: {grads}, is_leaf: true}}}}\n"
    )


def _test(n: int) -> str:
    a, b, c = _numbers(n)
    grads, total, body = _case(n)
    return (
        f"def test_t{n}():\n"
        f"    x = torch.tensor([{a}, {b}, {c}], dtype=torch.float64, requires_grad=True)\n"
        f"    {body}\n"
        f"    z = torch.sum(y)\n"
        f"    z.backward()\n"
        f"    assert_close(z, torch.tensor({total!r}, dtype=torch.float64), check_dtype=True)\n"
        f"    assert not z.is_leaf and x.is_leaf\n"
        f"    assert_close(x.grad, torch.tensor({grads}, dtype=torch.float64))\n"
    )


def _case(n: int) -> tuple[list[float], float, str]:
    """Gradients of x, the sum, and the statement that makes y."""
    x = _numbers(n)
    k = 1 + n % 9
    kind = n % 4
    if kind == 0:
        return [2 * k * v for v in x], sum(k * v * v for v in x), f"y = x * x * {k}"
    if kind == 1:
        return [1.0 + k] * 3, sum(v + k * v for v in x), f"y = x + {k} * x"
    if kind == 2:
        return [2 * (v - k) for v in x], sum((v - k) ** 2 for v in x), f"y = (x - {k}) ** 2"
    return [-k / v**2 for v in x], sum(k / v for v in x), f"y = {k} / x"
