"""What a statement would give: run alone on known values, so that a program can be written step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradspec.dtypes import category
from gradspec.spec.assemble import Assembler
from gradspec.spec.instruction import Alias, Do, Number, Temp, Use
from gradspec.spec.model import Apply, Leaf, Look, Watch
from gradspec.spec.statement import parse_statement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradspec.backends.base import Backend
    from gradspec.dense import Dense

__all__ = ["Known", "Scout", "largest"]


class Known:
    """What the writer of a program believes of a name.

    `value` is right in shape and dtype, and roughly in its numbers; `tracked`: requires grad; `spent`: its
    history has been freed by a backward; `view`: it shares memory with another name; `fixed`: it is a view
    that must not be changed in place (of a leaf, made under no_grad, one of several).
    """

    __slots__ = ("fixed", "leaf", "spent", "tracked", "value", "view")

    def __init__(
        self, value: Dense, tracked: bool = False, leaf: bool = True, spent: bool = False, view: bool = False
    ) -> None:
        self.value = value
        self.tracked = tracked
        self.leaf = leaf
        self.spent = spent
        self.view = view
        self.fixed = False

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    @property
    def dtype(self) -> str:
        return self.value.dtype

    @property
    def differentiable(self) -> bool:
        return category(self.dtype) >= 2


class Scout:
    """Runs single statements on a backend, without gradients."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def results(self, statement: str, live: Mapping[str, Known]) -> dict[str, Dense] | None:
        """The values of the names that a statement binds, or changes; None where it fails."""
        parsed = parse_statement(statement)
        if parsed.problems:
            return None
        program = Assembler("scout", "float32")
        bound: dict[str, int] = {}
        temps: dict[int, int] = {}
        steps: list[Any] = []

        def operand(part: Any) -> int:
            if isinstance(part, Number):
                return program.constant(part.value)
            if isinstance(part, Temp):
                return temps[part.k]
            assert isinstance(part, Use)
            if part.name not in bound:
                bound[part.name] = program.binding(part.name)
                program.leaves.append(Leaf(bound[part.name], live[part.name].value, False))
            return bound[part.name]

        def target(part: Any) -> int:
            made = program.binding()
            if isinstance(part, Temp):
                temps[part.k] = made
            else:
                bound[part] = made
            return made

        for instruction in parsed.instructions:
            if isinstance(instruction, Alias):
                bound[instruction.name] = operand(instruction.of)
            elif isinstance(instruction, Do):
                inputs = tuple(operand(part) for part in instruction.inputs)
                out = tuple(target(part) for part in instruction.out)
                steps.append(Apply(program.call(instruction.call, instruction.key), inputs, out, 0))
            else:
                return None
        names = parsed.targets or _changed(parsed.instructions)
        steps.append(Watch(tuple(Look(bound[name], "", ("value",)) for name in names), 1))
        seen = self.backend.run(program.program(tuple(steps), 2))
        if any(outcome.status != "ok" for outcome in seen.outcomes.values()):
            return None
        return {name: look["value"] for name, look in zip(names, seen.seen[1], strict=True)}


def _changed(instructions: Any) -> tuple[str, ...]:
    """The name that an in-place statement without a target changes."""
    last = instructions[-1]
    return (last.inputs[0].name,) if isinstance(last, Do) and isinstance(last.inputs[0], Use) else ()


def largest(value: Dense) -> float:
    """The largest magnitude; inf where anything is not finite, 0 for an empty array."""
    found = 0.0
    for x in value.flat():
        size = abs(x)
        if not size < float("inf"):
            return float("inf")
        found = max(found, size)
    return found
