"""`Kind`: what is known of a value without looking at its elements."""

from __future__ import annotations

__all__ = ["Kind", "Kinds"]


class Kind:
    """dtype, shape, whether it is a Python number (`weak`) and whether it needs a gradient.

    `lent`: it needs one only because the tensor does that it is a view of, so that nodes are made over it,
    but no gradient goes to it.

    Kinds are interned by `Kinds`, so that two of one engine are equal exactly when they are the same object.
    """

    __slots__ = ("dtype", "grad", "lent", "shape", "weak")

    def __init__(self, dtype: str, shape: tuple[int, ...], weak: bool, grad: bool, lent: bool) -> None:
        self.dtype = dtype
        self.shape = shape
        self.weak = weak
        self.grad = grad
        self.lent = lent

    @property
    def rank(self) -> str:
        """The word that dtype promotion goes by: "dim", "zero" or "weak"."""
        return "weak" if self.weak else "dim" if self.shape else "zero"

    def __repr__(self) -> str:
        marks = " weak" * self.weak + " grad" * self.grad + " lent" * self.lent
        return f"{self.dtype}{list(self.shape)}{marks}"


class Kinds(dict[tuple[str, tuple[int, ...], bool, bool, bool], Kind]):
    """The kinds of one engine."""

    def __missing__(self, key: tuple[str, tuple[int, ...], bool, bool, bool]) -> Kind:
        kind = self[key] = Kind(*key)
        return kind

    def of(self, dtype: str, shape: tuple[int, ...], *, weak: bool = False, grad: bool = False) -> Kind:
        return self[dtype, shape, weak, grad, False]

    def with_grad(self, kind: Kind, grad: bool, *, lent: bool = False) -> Kind:
        """The same kind with another answer to "needs a gradient"."""
        return self[kind.dtype, kind.shape, kind.weak, grad, lent]
