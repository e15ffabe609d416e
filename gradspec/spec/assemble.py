"""A Program while it is being built: bindings, constants and calls, each stored once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradspec.spec.model import Program

if TYPE_CHECKING:
    from gradspec.spec.model import Call

__all__ = ["Assembler"]


class Assembler:
    """Hands out bindings and call numbers.

    Every binding has exactly one definition: a leaf, one output of one step, a hook's `grad`, or a
    constant. `x *= 2` therefore gives x a new binding, which holds the very tensor the old one holds.
    """

    def __init__(self, id: str, dtype: str) -> None:
        self.id = id
        self.dtype = dtype
        self.names: list[str] = []
        self.constants: dict[int, Any] = {}
        self.calls: list[Call] = []
        self.leaves: list[Any] = []
        self._by_value: dict[str, int] = {}
        self._by_key: dict[str, int] = {}

    def binding(self, name: str = "") -> int:
        """A new binding, called `name` by the author."""
        self.names.append(name)
        return len(self.names) - 1

    def constant(self, value: Any) -> int:
        """The binding of a literal; 1, 1.0 and True are three of them, and so are 0.0 and -0.0."""
        key = repr(value)
        found = self._by_value.get(key)
        if found is None:
            found = self._by_value[key] = self.binding()
            self.constants[found] = value
        return found

    def call(self, call: Call, key: str = "") -> int:
        """The number of a call; equal calls (`key` is their repr) have one."""
        key = key or repr(call)
        found = self._by_key.get(key)
        if found is None:
            found = self._by_key[key] = len(self.calls)
            self.calls.append(call)
        return found

    def program(self, steps: tuple[Any, ...], count: int) -> Program:
        """The finished program."""
        return Program(
            self.id,
            self.dtype,
            tuple(self.names),
            self.constants,
            tuple(self.calls),
            tuple(self.leaves),
            steps,
            count,
        )
