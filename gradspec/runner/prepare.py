"""The program as it is handed to a backend: without what it cannot run or see, with what its judge needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradspec.spec.model import Look, Program, Watch, bodies, with_bodies

if TYPE_CHECKING:
    from gradspec.runner.support import Support

__all__ = ["prepare"]


def prepare(program: Program, support: Support) -> Program:
    """`program` with its watches asking for what the backend can see, and for dtype and shape beside grad."""
    steps = _steps(program.steps, support)
    return program if steps is program.steps else program._replace(steps=steps)


def _steps(steps: tuple[Any, ...], support: Support) -> tuple[Any, ...]:
    changed = tuple(_step(step, support) for step in steps)
    return steps if all(a is b for a, b in zip(changed, steps, strict=True)) else changed


def _step(step: Any, support: Support) -> Any:
    if isinstance(step, Watch):
        looks = tuple(_look(look, support) for look in step.looks)
        return (
            step
            if all(a is b for a, b in zip(looks, step.looks, strict=True))
            else step._replace(looks=looks)
        )
    inner = bodies(step)
    return with_bodies(step, [_steps(steps, support) for steps in inner]) if inner else step


def _look(look: Look, support: Support) -> Look:
    wanted = support.visible(look.fields)
    return look if wanted == look.fields else look._replace(fields=wanted)
