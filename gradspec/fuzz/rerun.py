"""A program again in double precision, and with its numbers moved a little: what rounding may do to it."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from gradspec.dense import Dense
from gradspec.dtypes import category
from gradspec.spec.model import Apply, Backward, Block, Grad, Hook, Jvp, Make, SetAttr

if TYPE_CHECKING:
    from gradspec.backends.base import Backend, Observations
    from gradspec.spec.model import Program

__all__ = ["EPS", "Reruns", "moved", "precision", "wide"]

EPS = {
    "bfloat16": 2.0**-7, "float16": 2.0**-10, "float32": 2.0**-23, "complex64": 2.0**-23, "float64": 2.0**-52,
    "complex128": 2.0**-52,
}  # fmt: skip
_WIDE = {"float16": "float64", "bfloat16": "float64", "float32": "float64", "complex64": "complex128"}
_MOVES = 4  # reruns with moved numbers


def wide(program: Program) -> Program:
    """The program with every floating dtype the widest of its kind."""
    return _Rewriter(
        lambda dense: Dense(_WIDE.get(dense.dtype, dense.dtype), dense.shape, dense.flat())
    ).program(program)


def moved(program: Program, by: float, seed: int) -> Program:
    """The program with each floating number in it multiplied by 1 ± `by`: all up for seed 0, all down for
    seed 1, at random for the others."""
    rng = Random(seed)
    ways = {0: (by,), 1: (-by,)}.get(seed, (by, -by))

    def move(dense: Dense) -> Dense:
        if category(dense.dtype) < 2:
            return dense
        return Dense(dense.dtype, dense.shape, [x * (1 + rng.choice(ways)) for x in dense.flat()])

    numbers = {
        binding: x * (1 + rng.choice(ways)) if isinstance(x, float) else x
        for binding, x in program.constants.items()
    }
    return _Rewriter(move).program(program)._replace(constants=numbers)


def precision(program: Program) -> float:
    """The eps of the least precise floating dtype that data or calls of a program name."""
    found = {EPS["float64"], EPS.get(program.dtype, 0.0) if _makes_floats(program) else 0.0}

    def note(dense: Dense) -> Dense:
        found.add(EPS.get(dense.dtype, 0.0))
        return dense

    _Rewriter(note).program(program)
    found |= {EPS.get(str(value), 0.0) for call in program.calls for _, value in call.args}
    return max(found)


def _makes_floats(program: Program) -> bool:
    """Whether integers may become floats of the default dtype."""
    return any(
        category(leaf.data.dtype) < 2 for leaf in program.leaves if isinstance(leaf.data, Dense)
    ) or any(
        call.op in ("eq", "ne", "lt", "le", "gt", "ge", "argmax", "argmin", "to") for call in program.calls
    )


class _Rewriter:
    """A program with `change` done to each array of data in it."""

    def __init__(self, change: Any) -> None:
        self.change = change

    def program(self, program: Program) -> Program:
        wider = self.change(Dense("float32", (), [1.0])).dtype == "float64"
        calls = program.calls
        if wider:
            calls = tuple(
                call._replace(
                    args=tuple((name, _WIDE.get(v, v) if isinstance(v, str) else v) for name, v in call.args)
                )
                for call in calls
            )
        return program._replace(
            dtype=_WIDE.get(program.dtype, program.dtype) if wider else program.dtype,
            calls=calls,
            leaves=tuple(leaf._replace(data=self.array(leaf.data)) for leaf in program.leaves),
            steps=self.steps(program.steps),
        )

    def array(self, value: Any) -> Any:
        return self.change(value) if isinstance(value, Dense) else value

    def steps(self, steps: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple([self.step(step) for step in steps])

    def step(self, step: Any) -> Any:
        if isinstance(step, Apply):
            return step
        if isinstance(step, Make):
            return step._replace(data=self.array(step.data))
        if isinstance(step, (Backward, Grad)):
            return step._replace(gradient=tuple(self.array(entry) for entry in step.gradient))
        if isinstance(step, Jvp):
            return step._replace(tangents=tuple((b, self.array(value)) for b, value in step.tangents))
        if isinstance(step, (Block, Hook)):
            return step._replace(steps=self.steps(step.steps))
        return step._replace(value=self.array(step.value)) if isinstance(step, SetAttr) else step


def _as_float(dense: Dense) -> Dense:
    if category(dense.dtype) != 1:
        return dense
    return Dense("float64", dense.shape, [float(x) for x in dense.flat()])


class Reruns:
    """The reruns of one program on the reference backend, made when first asked for. `other`: the backend
    that is compared with it."""

    def __init__(self, backend: Backend, program: Program, other: Backend) -> None:
        self.backend = backend
        self.other = other
        self.program = program
        self.eps = precision(program)
        self._base: Observations | None = None
        self._moved: list[Observations] = []
        self._loosened: list[Observations] = []

    def base(self) -> Observations:
        """In double precision."""
        if self._base is None:
            self._base = self.backend.run(wide(self.program))
        return self._base

    def other_base(self) -> Observations:
        """As `base`, on the backend that is compared."""
        return self.other.run(wide(self.program))

    def loosened(self) -> list[Observations]:
        """As `moved`, and of programs in which integers are floats, which move as well. Where they may not be
        floats, steps fail there."""
        if not self._loosened:
            floats = _Rewriter(_as_float).program(wide(self.program))
            runs = [self.backend.run(moved(floats, 8 * self.eps, seed)) for seed in range(2)]
            self._loosened = [*self.moved(), *runs]
        return self._loosened

    def jolted(self) -> tuple[list[Observations], list[Observations]]:
        """As `moved`, in the program's own precision, on either backend: what rounding takes another way."""
        programs = [moved(self.program, 8 * self.eps, seed) for seed in range(_MOVES, 3 * _MOVES)]
        return [self.backend.run(one) for one in programs], [self.other.run(one) for one in programs]

    def moved(self) -> list[Observations]:
        """In double precision, numbers moved by what rounding to the program's own precision does."""
        if not self._moved:
            widened = wide(self.program)
            self._moved = [self.backend.run(moved(widened, 8 * self.eps, seed)) for seed in range(_MOVES)]
        return self._moved
