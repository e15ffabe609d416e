"""Generators: defined numbers, the same with NumPy and without, and files that are safe to read."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import pytest

from gradspec.dense import Dense
from gradspec.spec.generate import BadGenerator, generate
from gradspec.spec.npy import BadFile, content_hash, read_npy
from gradspec.spec.philox import raw


def made(
    view: dict[str, Any], dtype: str | None = None, floating: str = "float32", numpy: bool | None = None
) -> Dense:
    kind = next(iter(view))
    return generate(kind, view, dtype, floating, numpy)


def random(dist: str, shape: list[int], seed: int = 7, **more: Any) -> dict[str, Any]:
    return {"random": {"dist": dist, "seed": seed, "shape": shape, **more}}


@pytest.mark.parametrize(
    ("view", "dtype", "shape", "data"),
    [
        ({"zeros": [2, 2]}, "float32", (2, 2), [0.0] * 4),
        ({"ones": []}, "float32", (), [1.0]),
        ({"ones": [0, 3]}, "float32", (0, 3), []),
        ({"full": 7, "shape": [2]}, "int64", (2,), [7, 7]),
        ({"full": 0.1, "shape": [1]}, "float32", (1,), [0.10000000149011612]),
        ({"full": True, "shape": [1]}, "bool", (1,), [True]),
        ({"full": 1j, "shape": [1]}, "complex64", (1,), [1j]),
        ({"eye": 2}, "float32", (2, 2), [1.0, 0.0, 0.0, 1.0]),
        ({"arange": [0, 5, 2]}, "int64", (3,), [0, 2, 4]),
        ({"arange": [5, 0, -2]}, "int64", (3,), [5, 3, 1]),
        ({"arange": [3]}, "int64", (3,), [0, 1, 2]),
        ({"arange": [0, 1, 0.25]}, "float32", (4,), [0.0, 0.25, 0.5, 0.75]),
        ({"arange": [1, 1, 1]}, "int64", (0,), []),
        ({"linspace": [0, 1, 5]}, "float32", (5,), [0.0, 0.25, 0.5, 0.75, 1.0]),
        ({"linspace": [2, 3, 1]}, "float32", (1,), [2.0]),
        ({"linspace": [2, 3, 0]}, "float32", (0,), []),
    ],
)
def test_definition(view: dict[str, Any], dtype: str, shape: tuple[int, ...], data: list[Any]) -> None:
    assert made(view) == Dense(dtype, shape, data)


def test_ends_of_linspace_are_exact() -> None:
    values = made({"linspace": [-0.1, 0.3, 7]}, "float64").flat()
    assert (values[0], values[-1]) == (-0.1, 0.3)


@pytest.mark.parametrize("seed", [0, 1, 12345, 2**64 - 1])
def test_philox_is_numpys(seed: int) -> None:
    np = pytest.importorskip("numpy")
    assert raw(seed, 1003) == np.random.Philox(key=seed).random_raw(1003).tolist()


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128", "float16", None])
@pytest.mark.parametrize(
    "view",
    [
        random("uniform", [3, 50], complex=False),
        random("uniform", [150], low=-1e-3, high=7.0),
        random("signs", [150]),
        random("grid", [150]),
        random("grid", [150], low=-1.1, high=0.3),
        random("normalish", [150]),
        {"linspace": [-0.1, 0.7, 151]},
        {"linspace": [0.0, 0.7, 150]},
        {"arange": [0.1, 20.0, 0.13]},
        {"zeros": [10, 15]},
        {"full": 0.1, "shape": [150]},
    ],
)
def test_numpy_and_python_agree_bit_for_bit(view: dict[str, Any], dtype: str | None) -> None:
    pytest.importorskip("numpy")
    if "random" in view:
        paired = dtype is not None and dtype.startswith("complex")
        view = {"random": {**view["random"], "complex": paired}}
    assert made(view, dtype, numpy=True) == made(view, dtype, numpy=False)


@pytest.mark.parametrize("dtype", [None, "int32", "float32"])
def test_integers_agree_bit_for_bit(dtype: str | None) -> None:
    pytest.importorskip("numpy")
    view = random("integers", [200], low=-3, high=4)
    plain = made(view, dtype, numpy=False)
    assert made(view, dtype, numpy=True) == plain
    assert set(plain.flat()) == set(range(-3, 4))


def test_distributions_are_what_they_say() -> None:
    uniform = made(random("uniform", [4000], low=-1, high=3), "float64").flat()
    assert all(-1 <= u <= 3 for u in uniform) and abs(sum(uniform) / 4000 - 1) < 0.1
    normal = made(random("normalish", [4000]), "float64").flat()
    assert abs(sum(normal) / 4000) < 0.1 and abs(sum(v * v for v in normal) / 4000 - 1) < 0.1
    assert max(map(abs, normal)) <= 2 * math.sqrt(3)
    grid = set(made(random("grid", [2000], low=-1, high=1), "float64").flat())
    assert grid == {k / 8 for k in range(-8, 9)}
    assert set(made(random("signs", [100])).flat()) == {-1.0, 1.0}
    assert made(random("uniform", [5], seed=1)) != made(random("uniform", [5], seed=2))


def test_a_large_array_may_be_numpys() -> None:
    np = pytest.importorskip("numpy")
    large = made(random("uniform", [100, 100]))
    assert isinstance(large.data, np.ndarray) and large.data.dtype == np.float32


@pytest.mark.parametrize(
    ("view", "key"),
    [
        ({"zeros": [-1]}, "zeros"),
        ({"zeros": [1.5]}, "zeros"),
        ({"zeros": [10**7, 10]}, "zeros"),
        ({"zeros": [2] * 65}, "zeros"),
        ({"full": 1}, "full"),
        ({"full": "a", "shape": []}, "full"),
        ({"arange": [0, 1, 0]}, "arange"),
        ({"arange": [0, 5, -1]}, "arange"),
        ({"arange": [0, 1e9, 1e-9]}, "arange"),
        ({"arange": [0, math.inf, 1]}, "arange"),
        ({"arange": []}, "arange"),
        ({"linspace": [0, 1]}, "linspace"),
        ({"linspace": [0, math.nan, 3]}, "linspace"),
        ({"linspace": [0, 1, 10**8]}, "linspace"),
        (random("cauchy", [1]), "random"),
        (random("uniform", [1], seed=-1), "random"),
        (random("uniform", [1], seed=1 << 64), "random"),
        (random("uniform", [1], low=2), "random"),
        (random("integers", [1], low=0), "random"),
        (random("integers", [1], low=3, high=3), "random"),
        (random("grid", [1], low=0.01, high=0.02), "random"),
        (random("signs", [1], low=0), "random"),
        ({"random": {"dist": "signs", "seed": 1}}, "random"),
        ({"random": 3}, "random"),
    ],
)
def test_no_array(view: dict[str, Any], key: str) -> None:
    with pytest.raises(BadGenerator) as caught:
        made(view)
    assert caught.value.key == key


def test_a_dtype_that_cannot_hold_it() -> None:
    with pytest.raises(BadGenerator, match="int64"):
        made({"full": 1.5, "shape": [1]}, "int64")
    assert made({"full": 2.0, "shape": [1]}, "int64") == Dense("int64", (1,), [2])


# Files


def npy(descr: str, shape: str, body: bytes, fortran: bool = False, version: int = 1) -> bytes:
    header = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}"
    width = 2 if version == 1 else 4
    header += " " * (-(len(header) + 8 + width + 1) % 64) + "\n"
    return b"\x93NUMPY" + bytes([version, 0]) + len(header).to_bytes(width, "little") + header.encode() + body


@pytest.mark.parametrize(
    "dtype",
    [
        "bool",
        "uint8",
        "int8",
        "int16",
        "int32",
        "int64",
        "float16",
        "float32",
        "float64",
        "complex64",
        "complex128",
    ],
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_reads_what_numpy_saves(dtype: str, order: str, tmp_path: Path) -> None:
    np = pytest.importorskip("numpy")
    array = np.array(np.arange(24).reshape(2, 3, 4) % 2, dtype=dtype, order=order)
    array[1, 2, 3] = 1
    np.save(tmp_path / "x.npy", array)
    found = read_npy("x.npy", str(tmp_path))
    assert (found.dtype, found.shape, found.flat()) == (dtype, (2, 3, 4), array.ravel().tolist())


def test_reads_without_numpy(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "x.npy").write_bytes(npy(">f4", "(2,)", b"\x3f\x80\0\0\xc0\0\0\0", version=2))
    found = read_npy("sub/x.npy", str(tmp_path))
    assert found == Dense("float32", (2,), [1.0, -2.0])
    expected = hashlib.sha256(b"float32 2\n" + b"\0\0\x80\x3f\0\0\0\xc0").hexdigest()
    assert content_hash(found) == expected
    assert content_hash(Dense("float32", (), [0.0])) == hashlib.sha256(b"float32 \n" + bytes(4)).hexdigest()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not numpy at all",
        npy("|O", "(1,)", bytes(8)),
        npy("<U3", "(1,)", bytes(12)),
        npy("<u2", "(1,)", bytes(2)),
        npy("<f4", "(2,)", bytes(4)),
        npy("<f4", "(1,)", bytes(8)),
        npy("<f4", "(100000000,)", b""),
        npy("<f4", "(__import__('os'),)", bytes(4)),
        npy("<f4", "(1,)", bytes(4), version=9),
        npy("<f4", "(1,)", bytes(4))[:20],
    ],
)
def test_no_npy_file(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.npy").write_bytes(data)
    with pytest.raises(BadFile):
        read_npy("x.npy", str(tmp_path))


def test_stays_in_its_directory(tmp_path: Path) -> None:
    good = npy("<f4", "(1,)", bytes(4))
    (tmp_path / "secret.npy").write_bytes(good)
    home = tmp_path / "home"
    (home / "real").mkdir(parents=True)
    (home / "real" / "x.npy").write_bytes(good)
    (home / "link.npy").symlink_to(tmp_path / "secret.npy")
    (home / "folder").symlink_to(home / "real")
    assert read_npy("real/x.npy", str(home)).shape == (1,)
    for name in (
        "../secret.npy",
        str(tmp_path / "secret.npy"),
        "link.npy",
        "folder/x.npy",
        "real/../real/x.npy",
        "real",
        "missing.npy",
        "",
        ".",
        "real//x.npy",
        "a\\b.npy",
        "c:x.npy",
        "x\0.npy",
        "n" * 5000,
    ):
        with pytest.raises(BadFile):
            read_npy(name, str(home))
