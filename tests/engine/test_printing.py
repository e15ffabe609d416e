"""The text of a tensor: fixed examples, and torch itself where it is installed."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from gradspec.dense import Dense, round_to
from gradspec.dtypes import COMPLEX, DTYPES, FLOATING, INTEGRAL
from gradspec.engine.printing import tensor_text

INF, NAN = math.inf, math.nan


def f32(*values: float, shape: tuple[int, ...] | None = None) -> Dense:
    return Dense(
        "float32", (len(values),) if shape is None else shape, [round_to(v, "float32") for v in values]
    )


WRAPPED = """\
tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12., 13.,
        14., 15., 16., 17., 18., 19., 20., 21., 22., 23., 24., 25., 26., 27.,
        28., 29.])"""
WRAPPED_DEEP = """\
tensor([[[10.5000, 10.5000, 10.5000, 10.5000, 10.5000, 10.5000, 10.5000,
          10.5000]]])"""
WRAPPED_COMPLEX = """\
tensor([1.5000+2.5000j, 1.5000+2.5000j, 1.5000+2.5000j, 1.5000+2.5000j,
        1.5000+2.5000j])"""
TALL = """\
tensor([[   0,    1,    2],
        [   3,    4,    5],
        [   6,    7,    8],
        ...,
        [1491, 1492, 1493],
        [1494, 1495, 1496],
        [1497, 1498, 1499]])"""
WIDE = """\
tensor([[   0,    1,    2,  ...,  497,  498,  499],
        [ 500,  501,  502,  ...,  997,  998,  999],
        [1000, 1001, 1002,  ..., 1497, 1498, 1499]])"""
FIXED = [
    # Whole floats end in a point; one fraction gives all of them four decimals.
    (f32(7.0, shape=()), "tensor(7.)"),
    (f32(-0.0, shape=()), "tensor(-0.)"),
    (f32(0.12345678, shape=()), "tensor(0.1235)"),
    (f32(0.99996, shape=()), "tensor(1.0000)"),
    (f32(0.99999999, shape=()), "tensor(1.)"),
    (f32(1, -2), "tensor([ 1., -2.])"),
    (f32(10, 2.25, -3), "tensor([10.0000,  2.2500, -3.0000])"),
    (f32(0, 0), "tensor([0., 0.])"),
    # NaN and infinities do not choose the format, and do not widen it.
    (f32(NAN, shape=()), "tensor(nan)"),
    (f32(1, NAN, -INF), "tensor([1., nan, -inf])"),
    (f32(1.5, INF), "tensor([1.5000,    inf])"),
    (f32(0, NAN), "tensor([0., nan])"),
    # Scientific: a ratio above 1000, a magnitude above 1e8 or below 1e-4, as stored.
    (f32(1, 1000), "tensor([   1., 1000.])"),
    (f32(1, 1001), "tensor([1.0000e+00, 1.0010e+03])"),
    (f32(0.001, 1.0), "tensor([0.0010, 1.0000])"),
    (f32(0.001, 1.5), "tensor([1.0000e-03, 1.5000e+00])"),
    (f32(1e8, shape=()), "tensor(100000000.)"),
    (f32(1.00000008e8, shape=()), "tensor(1.0000e+08)"),
    (f32(1e-4), "tensor([1.0000e-04])"),
    (Dense("float64", (1,), [1e-4]), "tensor([0.0001], dtype=torch.float64)"),
    (f32(1e-5, 0, NAN, -INF), "tensor([1.0000e-05, 0.0000e+00,        nan,       -inf])"),
    # The dtype is shown unless the text tells it.
    (Dense("float64", (), [7.0]), "tensor(7., dtype=torch.float64)"),
    (Dense("bfloat16", (), [round_to(0.1, "bfloat16")]), "tensor(0.1001, dtype=torch.bfloat16)"),
    (Dense("float16", (), [65504.0]), "tensor(65504., dtype=torch.float16)"),
    (Dense("float16", (), [round_to(1e-7, "float16")]), "tensor(1.1921e-07, dtype=torch.float16)"),
    (Dense("int64", (3,), [1, 20, 300]), "tensor([  1,  20, 300])"),
    (Dense("int32", (2,), [-7, 7]), "tensor([-7,  7], dtype=torch.int32)"),
    (Dense("uint8", (), [7]), "tensor(7, dtype=torch.uint8)"),
    (Dense("bool", (2,), [True, False]), "tensor([ True, False])"),
    (Dense("bool", (2,), [True, True]), "tensor([True, True])"),
    # Complex: each part has its own format, and only the real part is padded.
    (Dense("complex64", (), [1 + 2j]), "tensor(1.+2.j)"),
    (Dense("complex128", (), [1 + 2j]), "tensor(1.+2.j, dtype=torch.complex128)"),
    (Dense("complex64", (2,), [1 + 2j, -1.5 - 0.25j]), "tensor([ 1.0000+2.0000j, -1.5000-0.2500j])"),
    (Dense("complex64", (2,), [1 + 200j, 2 - 3j]), "tensor([1.+200.j, 2.-3.j])"),
    (Dense("complex64", (1,), [complex(NAN, 1)]), "tensor([nan+1.j])"),
    (Dense("complex64", (2,), [complex(-0.0, -0.0), complex(INF, NAN)]), "tensor([-0.-0.j, inf+nanj])"),
    # No element.
    (Dense("float32", (0,), []), "tensor([])"),
    (Dense("float32", (2, 0), []), "tensor([], size=(2, 0))"),
    (Dense("float64", (0, 3), []), "tensor([], size=(0, 3), dtype=torch.float64)"),
    (Dense("int64", (0,), []), "tensor([], dtype=torch.int64)"),
    (Dense("complex64", (0,), []), "tensor([], dtype=torch.complex64)"),
    (Dense("bool", (0, 2000), []), "tensor([], size=(0, 2000), dtype=torch.bool)"),
    # More dimensions.
    (f32(1, shape=(1, 1)), "tensor([[1.]])"),
    (f32(1, -2.5, 30, 4, shape=(2, 2)), "tensor([[ 1.0000, -2.5000],\n        [30.0000,  4.0000]])"),
    (
        f32(*range(1, 9), shape=(2, 2, 2)),
        "tensor([[[1., 2.],\n         [3., 4.]],\n\n        [[5., 6.],\n         [7., 8.]]])",
    ),
    # Lines of 80 columns.
    (f32(*range(30)), WRAPPED),
    (f32(*[10.5] * 8, shape=(1, 1, 8)), WRAPPED_DEEP),
    (Dense("complex64", (5,), [1.5 + 2.5j] * 5), WRAPPED_COMPLEX),
    # A summary above 1000 elements; what it leaves out has no say in the format.
    (f32(*range(1001)), "tensor([   0.,    1.,    2.,  ...,  998.,  999., 1000.])"),
    (f32(1, 2, 3, *[0.5] * 2000, 4, 5, 6), "tensor([1., 2., 3.,  ..., 4., 5., 6.])"),
    (Dense("int64", (500, 3), list(range(1500))), TALL),
    (Dense("int64", (3, 500), list(range(1500))), WIDE),
]


@pytest.mark.parametrize(("data", "text"), FIXED, ids=[text[:60] for _, text in FIXED])
def test_plain(data: Dense, text: str) -> None:
    assert tensor_text(data) == text


EIGHT = [i / 7 for i in range(8)]
EIGHT_TEXT = "tensor([0.0000, 0.1429, 0.2857, 0.4286, 0.5714, 0.7143, 0.8571, 1.0000]"


@pytest.mark.parametrize(
    ("data", "told", "text"),
    [
        (f32(7, shape=()), {"requires_grad": True}, "tensor(7., requires_grad=True)"),
        (f32(28, shape=()), {"grad_fn": "MulBackward0"}, "tensor(28., grad_fn=<MulBackward0>)"),
        (
            f32(28, shape=()),
            {"grad_fn": "MulBackward0", "requires_grad": True},
            "tensor(28., grad_fn=<MulBackward0>)",
        ),
        (f32(5), {"grad_fn": "torch::autograd::CopySlices"}, "tensor([5.], grad_fn=<CopySlices>)"),
        (Dense("float32", (0,), []), {"requires_grad": True}, "tensor([], requires_grad=True)"),
        (
            Dense("float64", (), [14.0]),
            {"grad_fn": "MulBackward0"},
            "tensor(14., dtype=torch.float64, grad_fn=<MulBackward0>)",
        ),
        (f32(*EIGHT), {"requires_grad": True}, EIGHT_TEXT + ",\n       requires_grad=True)"),
        (
            Dense("float64", (8,), EIGHT),
            {"grad_fn": "MulBackward0"},
            EIGHT_TEXT + ",\n       dtype=torch.float64, grad_fn=<MulBackward0>)",
        ),
    ],
)
def test_suffixes(data: Dense, told: dict[str, Any], text: str) -> None:
    assert tensor_text(data, **told) == text


class Watched(list[float]):
    """A list that counts the elements taken from it and cannot be walked through."""

    taken = 0

    def __getitem__(self, index: Any) -> Any:
        self.taken += 1
        return super().__getitem__(index)

    def __iter__(self) -> Any:
        raise AssertionError("all elements were looked at")


def test_a_summary_looks_at_the_edges_alone() -> None:
    elements = Watched([1.0] * 1_000_000)
    assert tensor_text(Dense("float32", (1000, 1000), elements)).count("1.") == 36
    assert elements.taken == 36


def test_a_numpy_array_prints_as_its_list_does() -> None:
    numpy = pytest.importorskip("numpy")
    for shape in ((), (4,), (2, 3), (50, 40)):
        array = numpy.arange(math.prod(shape), dtype="float32").reshape(shape) / 8
        listed = Dense("float32", shape, array.ravel().tolist())
        assert tensor_text(Dense("float32", shape, array)) == tensor_text(listed)
    turned = numpy.arange(2000, dtype="int64").reshape(50, 40).T
    listed = Dense("int64", (40, 50), turned.ravel().tolist())
    assert tensor_text(Dense("int64", (40, 50), turned)) == tensor_text(listed)


# Against torch.

SPECIAL = (0.0, -0.0, 1.0, NAN, INF, -INF, 1e-4, 1e8, 1000.0, 1001.0, 0.5, 5e-324, 1.7e308, 65504.0)
LARGE = (
    (1000,), (1001,), (2, 501), (501, 2), (7, 8, 20), (3, 6, 7, 9), (6, 167), (1, 1, 1200), (40, 1, 30),
)  # fmt: skip  # about as many elements as are shown whole


def random_shape(rng: random.Random) -> tuple[int, ...]:
    kind = rng.random()
    if kind < 0.15:
        return ()
    if kind < 0.4:
        return (rng.choice((1, 2, 3, 6, 7, 12, 20, 70)),)
    if kind < 0.5:
        return rng.choice(LARGE)
    outer = [rng.choice((0, 1, 2, 3, 5, 8, 9)) for _ in range(rng.randint(1, 2))]
    return (*outer, *[rng.randint(1, 4)] * rng.randint(0, 3))


def random_float(rng: random.Random, scale: float, whole: bool, special: float) -> float:
    if rng.random() < special:
        return rng.choice(SPECIAL)
    value = rng.gauss(0.0, 1.0) * 10.0**scale
    return float(round(value)) if whole else value


def random_dense(rng: random.Random) -> Dense:
    """A tensor of any dtype whose values share a magnitude, or spread over a few, or have none."""
    dtype, shape = rng.choice(DTYPES), random_shape(rng)
    count = math.prod(shape)
    whole, special = rng.random() < 0.4, rng.choice((0.0, 0.0, 0.1, 1.0))
    centre, spread = rng.choice((0, 0, 1, 3, -3, -5, 7, 9, 30, -30)), rng.choice((0.0, 0.5, 2.0))

    def one() -> float:
        return random_float(rng, centre + spread * rng.random(), whole, special)

    if dtype == "bool":
        raw: list[Any] = [rng.random() < 0.5 for _ in range(count)]
    elif dtype in INTEGRAL:
        limit = 10 ** rng.randint(0, 20)
        raw = [rng.randint(-limit, limit) for _ in range(count)]
    elif dtype in COMPLEX:
        raw = [complex(one(), one()) for _ in range(count)]
    else:
        assert dtype in FLOATING
        raw = [one() for _ in range(count)]
    return Dense(dtype, shape, [round_to(value, dtype) for value in raw])


class Identity:
    """The methods of a torch.autograd.Function; its subclasses are there for their names."""

    @staticmethod
    def forward(_: Any, x: Any) -> Any:
        return x.clone()

    @staticmethod
    def backward(_: Any, ct: Any) -> Any:
        return ct


def torch_of(data: Dense) -> Any:
    torch = pytest.importorskip("torch")
    return torch.tensor(data.flat(), dtype=getattr(torch, data.dtype)).reshape(data.shape)


@pytest.mark.torch
@pytest.mark.parametrize("seed", range(4))
def test_torch_prints_the_same(seed: int) -> None:
    rng = random.Random(seed)
    for turn in range(120):
        data = random_dense(rng)
        tensor = torch_of(data)
        tracked = (data.dtype in FLOATING or data.dtype in COMPLEX) and rng.random() < 0.5
        node = None
        if tracked:
            tensor.requires_grad_()
            if rng.random() < 0.5:
                tensor = tensor.clone() if rng.random() < 0.5 else tensor.view_as(tensor)
                node = tensor.grad_fn.name()
        told = f"seed {seed}, turn {turn}: {data.dtype} {data.shape}"
        assert tensor_text(data, grad_fn=node, requires_grad=tracked) == repr(tensor), told


@pytest.mark.torch
@pytest.mark.parametrize("shape", [(), (1,), (4,), (2, 3), (20,)])
def test_torch_breaks_lines_before_suffixes_at_the_same_column(shape: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    for dtype in ("float32", "float64"):
        data = Dense(dtype, shape, [i + 0.5 for i in range(math.prod(shape))])
        for length in range(1, 80):
            identity = type("N" * length, (Identity, torch.autograd.Function), {})
            tensor = identity.apply(torch_of(data).requires_grad_())
            assert tensor_text(data, grad_fn=tensor.grad_fn.name(), requires_grad=True) == repr(tensor)
