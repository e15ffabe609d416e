"""A program told step by step, with its tensors after each `expect` as a session at a prompt shows them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gradspec.runner.door import observe
from gradspec.runner.show import array
from gradspec.spec.model import Look, Program, Ref, Repeat, Spec, Watch, bodies, with_bodies

if TYPE_CHECKING:
    from gradspec.backends.base import Backend, Outcome

__all__ = ["trace_lines", "watching"]

_SHOWN = 2  # rounds of a repeat that are told from its beginning; the last is told too


def trace_lines(spec: Spec, backend: Backend) -> Iterator[str]:
    """The lines of a trace. Steps stand under their line number in the file; after each watch comes
    one line a tensor, `(repr, repr of its grad or None, is_leaf)`. Raises Crashed as `observe` does."""
    program = watching(spec.program)
    seen = observe(backend, program)
    yield f"{spec.id}  {backend.name}" + (f"  {spec.title}" if spec.title else "")
    for leaf in program.leaves:
        data = program.names[leaf.data.binding] if isinstance(leaf.data, Ref) else array(leaf.data)
        grad = ", requires_grad" if leaf.requires_grad else ""
        yield f"{'':5}  {program.names[leaf.binding]} = {data}{grad}"
    told: set[int] = set()
    rounds = _Rounds(spec)
    for step, depth in _deep(program.steps, 0):
        yield from rounds.come_to(step.at, depth)
        depth += len(rounds.inside)
        if rounds.left_out:
            if step.at not in told and _unexpected(spec, step.at, seen.outcomes.get(step.at)):
                told.add(step.at)
                yield f"{spec.places[step.at].line:5}  {'  ' * depth}{spec.texts[step.at]}"
                yield from _remarks(seen.outcomes[step.at])
        elif isinstance(step, Watch):
            for k, saw in enumerate(seen.seen.get(step.at, [])[::2]):
                yield from _triple(
                    saw, seen.seen[step.at][2 * k + 1], program.names[step.looks[2 * k].binding]
                )
        elif step.at not in told:
            told.add(step.at)
            yield f"{spec.places[step.at].line:5}  {'  ' * depth}{spec.texts[step.at]}"
            yield from _remarks(seen.outcomes.get(step.at))


def _unexpected(spec: Spec, at: int, outcome: Outcome | None) -> bool:
    """Whether a step went wrong that was not to."""
    judged = spec.judged.get(at)
    return outcome is not None and outcome.status != "ok" and (judged is None or judged.raises is None)


class _Rounds:
    """The repeats on the way through a program: `inside` are those that the last step stands in, and
    `left_out` says whether it is of a round that is only told where something went wrong in it."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.inside: list[tuple[Repeat, int]] = []  # with the depth of each
        self.left_out = False
        self._waiting = list(reversed(spec.repeats))
        self._said = -1

    def come_to(self, at: int, depth: int) -> Iterator[str]:
        """Go on to a step; the lines that stand before it."""
        while self.inside and not self.inside[-1][0].round_of(at):
            self.inside.pop()
        while self._waiting and self._waiting[-1].at < at:
            repeat = self._waiting.pop()
            if repeat.round_of(at):
                self._look(repeat.at)
                if not self.left_out:
                    margin = "  " * (depth + len(self.inside))
                    yield f"{self.spec.places[repeat.at].line:5}  {margin}{self.spec.texts[repeat.at]}"
                self.inside.append((repeat, depth))
        before = self.left_out
        hidden = self._look(at)
        if hidden is not None and not before and hidden.at != self._said:
            self._said = hidden.at
            margin = "  " * (depth + len(self.inside))
            yield f"{'':7}{margin}… rounds {_SHOWN + 1} to {hidden.times - 1}"

    def _look(self, at: int) -> Repeat | None:
        """The outermost repeat whose round is left out."""
        found = next(
            (r for r, _ in self.inside if r.times > _SHOWN + 2 and _SHOWN < r.round_of(at) < r.times), None
        )
        self.left_out = found is not None
        return found


def _deep(steps: tuple[Any, ...], depth: int) -> Iterator[tuple[Any, int]]:
    for step in steps:
        yield step, depth
        for inner in bodies(step):
            yield from _deep(inner, depth + 1)


def _remarks(outcome: Outcome | None) -> Iterator[str]:
    """What a step said beside doing its work."""
    if outcome is None:
        return
    for warned in outcome.warnings:
        yield f"{'':7}! warning[{warned.code}]: {warned.text}"
    if outcome.status != "ok":
        code = f"[{outcome.code}]" if outcome.code else ""
        yield f"{'':7}! {outcome.status}{code}: {outcome.text}"


def _triple(itself: dict[str, Any], grad: dict[str, Any], name: str) -> Iterator[str]:
    if "repr" not in itself:
        yield "None" if itself.get("none") else f"({name} has no value)"
        return
    text = f"({itself['repr']}, {grad.get('repr')}, {itself.get('is_leaf')})"
    yield from text.split("\n")


def watching(program: Program) -> Program:
    """The program with every watch asking, for each tensor it names, for its repr, its leafness and
    the repr of its grad: two looks a tensor."""
    return program._replace(steps=_watching(program.steps))


def _watching(steps: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(
        step._replace(looks=_looks(step)) if isinstance(step, Watch)
        else with_bodies(step, [_watching(inner) for inner in bodies(step)])
        for step in steps
    )  # fmt: skip


def _looks(watch: Watch) -> tuple[Look, ...]:
    named = dict.fromkeys(look.binding for look in watch.looks)
    return tuple(
        look for b in named for look in (Look(b, "", ("repr", "is_leaf")), Look(b, "grad", ("repr",)))
    )
