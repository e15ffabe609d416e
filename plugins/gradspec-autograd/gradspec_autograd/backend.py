"""The HIPS autograd backend."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, ClassVar

import autograd.numpy as anp
import numpy as np
from autograd.builtins import tuple as traced_tuple
from autograd.core import VJPNode, add_outgrads, vspace
from autograd.tracer import getval, isbox, new_box, toposort, trace_stack

from gradspec.backends.base import Warned
from gradspec.backends.functional import FunctionalBackend
from gradspec.dense import Dense
from gradspec.errors import UnsupportedFeature
from gradspec_autograd.errors import code_of
from gradspec_autograd.operations import OPERATIONS, UNSUPPORTED_OPS, cast

if TYPE_CHECKING:
    from gradspec.spec.model import Program

__all__ = ["AutogradBackend"]

_WARNINGS = {"Degrees of freedom": "degrees-of-freedom", "Casting complex values to real": "complex-to-real"}


class AutogradBackend(FunctionalBackend):
    """HIPS autograd over NumPy.

    autograd's cotangents of complex numbers are the conjugates of torch's, so they are conjugated
    on the way in and on the way out; that is all that is done to a derivative.
    """

    name = "autograd"
    operations = OPERATIONS
    unsupported: ClassVar[dict[str, str]] = {
        **{f"op:{op}": reason for op, reason in UNSUPPORTED_OPS.items()},
        "dtype:bfloat16": "NumPy has no bfloat16",
        "forward-mode": "autograd's jvp lacks many of the ops that its vjp has",
    }

    def __init__(self) -> None:
        super().__init__()
        self.version = version("autograd")

    @contextmanager
    def session(self, program: Program) -> Iterator[None]:
        """Floating-point events are silent; NumPy's warnings are recorded."""
        with super().session(program), warnings.catch_warnings(record=True) as log, np.errstate(all="ignore"):
            warnings.simplefilter("always")
            self.pending = log if log is not None else []
            try:
                yield
            finally:
                self.pending = []

    def array(self, data: Dense) -> Any:
        """A NumPy array."""
        if data.dtype == "bfloat16":
            raise UnsupportedFeature("dtype:bfloat16", self.unsupported["dtype:bfloat16"])
        return np.array(data.data, dtype=data.dtype).reshape(data.shape)

    def dense(self, array: Any) -> Dense:
        """The values of an array."""
        values = np.asarray(array)
        return Dense(values.dtype.name, values.shape, values.ravel().tolist())

    def dtype_of(self, array: Any) -> str:
        """NumPy's name of a dtype, which is torch's."""
        return str(np.dtype(getval_all(array).dtype).name)

    def shape_of(self, array: Any) -> tuple[int, ...]:
        """The shape."""
        return tuple(np.shape(getval_all(array)))

    def cast(self, array: Any, dtype: str) -> Any:
        """A cast that autograd differentiates."""
        return cast(array, dtype)

    def add(self, a: Any, b: Any) -> Any:
        """a + b."""
        return anp.add(a, b)

    def vjp(
        self, function: Callable[[list[Any]], list[Any]], primals: list[Any]
    ) -> tuple[list[Any], Callable[[list[Any]], list[Any]]]:
        """autograd's make_vjp for several arguments and results at once: packing the arguments into a
        tuple, as make_vjp would have it, adds their cotangents to zeros and loses the sign of -0.0."""

        with _quiet(), trace_stack.new_trace() as trace:
            roots = [VJPNode.new_root() for _ in primals]
            boxes = [new_box(one, trace, root) for one, root in zip(primals, roots, strict=True)]
            end = traced_tuple(function(boxes))
            end_node = end._node if isbox(end) and end._trace == trace else None
            outputs = end._value if end_node is not None else end

        def pullback(cotangents: list[Any]) -> list[Any]:
            if end_node is None:
                return [vspace(one).zeros() for one in primals]
            with _quiet():
                found = _backward(end_node, traced_tuple([_conjugate(one) for one in cotangents]))
                return [
                    _conjugate(found[root][0]) if root in found else vspace(one).zeros()
                    for root, one in zip(roots, primals, strict=True)
                ]

        return [outputs[k] for k in range(len(outputs))], pullback

    def warning(self, item: Any) -> Warned | None:
        """A warning of NumPy's that torch gives too; others are NumPy's own affair."""
        if isinstance(item, Warned):
            return item
        text = str(item.message)
        return next((Warned(code, text) for start, code in _WARNINGS.items() if text.startswith(start)), None)

    def classify(self, error: BaseException) -> str:
        """The code of an exception of NumPy's."""
        return code_of(error)


def _backward(end_node: Any, cotangent: Any) -> dict[Any, Any]:
    """autograd's backward_pass, keeping what arrives at every node."""
    arrived = {end_node: (cotangent, False)}
    for node in toposort(end_node):
        for parent, one in zip(node.parents, node.vjp(arrived[node][0]), strict=True):
            arrived[parent] = add_outgrads(arrived.get(parent), one)
    return arrived


@contextmanager
def _quiet() -> Iterator[None]:
    """A replay warns of nothing: the first run has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def getval_all(array: Any) -> Any:
    """The array inside however many traces."""
    while (inner := getval(array)) is not array:
        array = inner
    return array


def _conjugate(array: Any) -> Any:
    return anp.conj(array) if np.iscomplexobj(getval_all(array)) else array
