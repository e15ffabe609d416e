"""Determinants, inverses and the Fourier transform of the two libraries, beside NumPy's own."""

from __future__ import annotations

import numpy as np
import pytest

from gradspec.arrays.numpy import library as numpy_library
from gradspec.dtypes import complex_of, real_of
from tests.arrays.pair import agree, dense, draw

SEED = 77
MATRICES = ((0, 0), (1, 1), (2, 2), (5, 5), (3, 2, 2), (2, 0, 3, 3), (2, 0, 0))
DTYPES = ("float32", "float64", "complex64", "complex128")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", MATRICES)
def test_det_and_inv(dtype, shape):
    x = draw(np.random.default_rng(SEED), shape, dtype)
    plain = numpy_library.load(x)
    det = agree(dtype, lambda xp, x: xp.det(x), x, ulp=8, floor=1.0)
    np.testing.assert_allclose(np.reshape(det.flat(), det.shape), np.linalg.det(plain), rtol=1e-4)
    sign = agree(dtype, lambda xp, x: xp.det_sign(x), x, ulp=8, floor=1.0)
    size = agree(dtype, lambda xp, x: xp.log_abs_det(x), x, out=real_of(dtype), ulp=8, floor=1.0)
    whole = np.multiply(sign.flat(), np.exp(size.flat()))
    np.testing.assert_allclose(whole, det.flat(), rtol=1e-4)
    inv = agree(dtype, lambda xp, x: xp.inv(x), x, ulp=64, floor=16.0)
    if plain.size:
        np.testing.assert_allclose(np.reshape(inv.flat(), shape), np.linalg.inv(plain), rtol=1e-3, atol=1e-5)


def test_a_singular_matrix_and_one_with_nan():
    x = dense("float64", (3, 2, 2), [1.0, 2.0, 2.0, 4.0, 0.0, 0.0, 0.0, 0.0, float("nan"), 1.0, 1.0, 1.0])
    det = agree("float64", lambda xp, x: xp.det(x), x).flat()
    assert str(det[:2]) == "[-0.0, 0.0]" and np.isnan(det[2])
    assert agree("float64", lambda xp, x: xp.det_sign(x), x).flat()[:2] == [0.0, 0.0]
    assert agree("float64", lambda xp, x: xp.log_abs_det(x), x).flat()[:2] == [-np.inf, -np.inf]
    assert np.isnan(agree("float64", lambda xp, x: xp.inv(x), x).flat()).all()


@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize(("shape", "axis"), [((1,), 0), ((4,), 0), ((5,), -1), ((3, 4), 0), ((2, 3, 6), -2)])
def test_fft(dtype, shape, axis, inverse):
    x = draw(np.random.default_rng(SEED), shape, dtype)
    found = agree(dtype, lambda xp, x: xp.fft(x, axis, inverse), x, out=complex_of(dtype), ulp=8, floor=16.0)
    plain = numpy_library.load(x)
    count = shape[axis] if inverse else 1
    expected = (np.fft.ifft if inverse else np.fft.fft)(plain, axis=axis) * count
    np.testing.assert_allclose(np.reshape(found.flat(), shape), expected, rtol=1e-5, atol=1e-5)
