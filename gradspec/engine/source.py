"""Prepared functions: a rule, its operands' casts and what the engine adds around it, as one function.

A rule is written once against `xp` and called with arguments that a node fetches, casts and names.
Doing that for every node costs several calls more than the arithmetic of a small tensor.  So a rule
is run once on symbols; the contract calls it makes become the lines of a function that holds them
and nothing else.  A rule that does more than call the contract (asks for a length, loops) is simply
called.  Functions with the same lines share their code, so the price is paid once per pattern.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

__all__ = ["MAYBE_NONE", "Lines", "Symbol", "Untraceable"]

_codes: dict[str, CodeType] = {}
_GLOBALS = {"__builtins__": {"slice": slice}}


class Untraceable(Exception):
    """A rule did something with a symbol that only a value can do."""


class Symbol:
    """Stands for an array while a rule is written down. `text` is what the array is called in the lines."""

    __slots__ = ("shape", "text")

    def __init__(self, text: str, shape: tuple[int, ...] | None = None) -> None:
        self.text = text
        self.shape = shape

    def __bool__(self) -> bool:
        raise Untraceable

    def __iter__(self) -> Any:
        raise Untraceable

    def __eq__(self, other: object) -> bool:
        raise Untraceable

    __hash__ = object.__hash__


# The shape of what a rule that was not written down gives back: unknown, and it may be None.
MAYBE_NONE = (-1,)


class Lines:
    """A function being written: its lines, and the objects that they name."""

    def __init__(self, xp: Any, *, numbers: bool = False) -> None:
        """numbers: all arrays are bare numbers, so that functions may be written as operators."""
        self.xp = xp
        self.numbers = numbers
        self.lines: list[str] = []
        self.names: dict[str, Any] = {}

    def constant(self, value: Any) -> str:
        """A name for an object; small plain constants stand for themselves."""
        if value is None or value is True or value is False or type(value) is int:
            return repr(value)
        name = f"c{len(self.names)}"
        self.names[name] = value
        return name

    def function(self, name: str) -> str:
        """The name of a contract function."""
        self.names[name] = getattr(self.xp, name)
        return name

    def operate(self, name: str, parts: list[str], xp: Any = None) -> str:
        """Add the line for a contract function, as an operator where it is one; the name of its result."""
        xp = xp or self.xp
        form, rounded = getattr(xp, "operators", {}).get(name, ("", False)) if self.numbers else ("", False)
        if not form:
            called = self.function(name) if xp is self.xp else self.constant(getattr(xp, name))
            return self.let(f"{called}({', '.join(parts)})")
        if not rounded or xp.cell is None:
            return self.let(form.format(*parts))
        self.names["cell"] = xp.cell
        self.lines.append(f"cell[0] = {form.format(*parts)}")
        return self.let("cell[0]")

    def let(self, expression: str) -> str:
        """Add a line that names an expression; the name."""
        name = f"t{len(self.lines)}"
        self.lines.append(f"{name} = {expression}")
        return name

    def text_of(self, value: Any) -> str:
        """How an argument is written: a Symbol by its name, containers by their parts."""
        if isinstance(value, Symbol):
            return value.text
        if type(value) in (tuple, list) and _has_symbol(value):
            return "(" + "".join(f"{self.text_of(v)}, " for v in value) + ")"
        if type(value) is slice and _has_symbol((value.start, value.stop, value.step)):
            return (
                f"slice({self.text_of(value.start)}, {self.text_of(value.stop)}, {self.text_of(value.step)})"
            )
        return self.constant(value)

    def call(self, rule: Callable[..., Any], arguments: dict[str, Any]) -> Symbol:
        """Write down `rule(xp, **arguments)`; its result."""
        mark, known = len(self.lines), dict(self.names)
        try:
            result = rule(_Writer(self), **arguments)
            if not _all_symbols(result):
                raise Untraceable
            return result if isinstance(result, Symbol) else Symbol(self.text_of(result))
        except Exception:  # whatever a rule does to a symbol, calling it with values is always right
            del self.lines[mark:]
            self.names = known
        parts = ", ".join(f"{name}={self.text_of(value)}" for name, value in arguments.items())
        return Symbol(self.let(f"{self.constant(rule)}({self.constant(self.xp)}, {parts})"), MAYBE_NONE)

    def build(self, parameters: str) -> Callable[..., Any]:
        """The function of these lines. What they name are its further parameters, with the objects as
        defaults: local variables are the fastest names there are."""
        body = "".join(f"    {line}\n" for line in self.lines)
        source = f"def prepared({', '.join([parameters, *self.names])}):\n{body}"
        code = _codes.get(source)
        if code is None:
            module = compile(source, "<prepared>", "exec")
            code = next(c for c in module.co_consts if isinstance(c, CodeType))
            _codes[source] = code
        return FunctionType(code, _GLOBALS, "prepared", tuple(self.names.values()))


class _Writer:
    """The `xp` that writes each call down instead of making it."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self.dtype = lines.xp.dtype

    def shape(self, x: Any) -> tuple[int, ...]:
        if isinstance(x, Symbol) and x.shape is not None:
            return x.shape
        raise Untraceable

    def __getattr__(self, name: str) -> Callable[..., Symbol]:
        lines = self._lines

        def write(*args: Any, **kwargs: Any) -> Symbol:
            parts = [lines.text_of(a) for a in args]
            if not kwargs:
                return Symbol(lines.operate(name, parts))
            parts += [f"{key}={lines.text_of(value)}" for key, value in kwargs.items()]
            return Symbol(lines.let(f"{lines.function(name)}({', '.join(parts)})"))

        return write


def _has_symbol(parts: Any) -> bool:
    return any(
        isinstance(p, Symbol) or (type(p) in (tuple, list) and _has_symbol(p)) or (type(p) is slice)
        for p in parts
    )


def _all_symbols(result: Any) -> bool:
    return isinstance(result, Symbol) or (type(result) in (tuple, list) and all(map(_all_symbols, result)))
