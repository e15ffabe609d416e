"""What two backends saw of one program: the first place where they differ, or none.

Everything discrete must be equal: how steps ended, error and warning codes, None against zero, flags,
node names, versions, which names are one tensor and which share memory.  Of gradients that a backward
made, three things are an engine's own affair: the name of the node that recorded one, how often it was
written while it was being summed (later writes are judged), and which of them are one object (that each
stays the same one, and is none of the program's own, is judged).  Floating values may differ by
what rounding explains: 64 ulps of the largest number in the tensor at once, and where that is not
enough a bound from reruns in double precision (see `_Bound`).  Where the two had rounded differently
before, and a rerun with slightly moved numbers takes another branch as well, nothing can be said: such a
program is set aside. So is one in which a zero, or what is nearly one, had another sign (torch's kernels
sign zeros by their place in memory) and then a number comes out with another sign, or half a turn away.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gradspec.backends.base import Observations, Outcome
from gradspec.dense import Dense
from gradspec.dtypes import category
from gradspec.fuzz.rerun import EPS, Reruns
from gradspec.ops import registry
from gradspec.records import NamedTuple
from gradspec.spec.model import Apply, Block, GetAttr, Grad, Hook, Jvp, Watch

if TYPE_CHECKING:
    from gradspec.backends.base import Backend
    from gradspec.spec.model import Look, Program

__all__ = ["Difference", "Judgement", "judge"]

_OK = Outcome("ok")
_ULPS = 64
_TOKENS = ("same_as", "shares_memory_with")


class Difference(NamedTuple):
    """The first place where two backends differ.

    `field`: "outcome", "warnings", "hooks" or a field of a tensor; `name`: the tensor's, with ".grad"
    where its gradient is meant; `reference` and `got`: what each side saw.
    """

    at: int
    field: str
    name: str
    reference: Any
    got: Any

    @property
    def kind(self) -> str:
        """What remains of a difference when the program around it is cut down."""
        field = f"grad {self.field}" if self.name.endswith(".grad") else self.field
        if self.field in ("value", "grad", "hooks"):
            return f"{field}: {_sort(self.reference)} / {_sort(self.got)}"
        if self.field in ("version", "shape", *_TOKENS):
            return field
        return f"{field}: {self.reference} / {self.got}"


class Judgement(NamedTuple):
    """`verdict` is "same", "different" or "aside"; `unsupported`: the feature from which on nothing was
    judged."""

    verdict: str
    difference: Difference | None = None
    unsupported: str = ""


def _sort(value: Any) -> str:
    return "None" if value is None else value.dtype if isinstance(value, Dense) else "values"


def judge(
    program: Program, reference: Observations, got: Observations, backend: Backend, other: Backend
) -> Judgement:
    """Compare two runs of a program. For reruns: `backend` is the reference's own, `other` that of `got`."""
    return _Judge(program, reference, got, Reruns(backend, program, other)).all()


class _Judge:
    def __init__(self, program: Program, reference: Observations, got: Observations, reruns: Reruns) -> None:
        self.program = program
        self.reference = reference
        self.got = got
        self.reruns = reruns
        self.watches: dict[int, Watch] = {}
        self.tangents: set[int] = set()  # bindings of jvp results: their values alone are judged
        self.gradients: set[int] = set()  # bindings of gradients: what made them is the engine's own affair
        self.summed: set[int] = set()  # these and their views: how often they were written in the summing
        self.tensors: set[int] = set()  # the reference's tokens of gradients, whatever their names
        self.viewed: set[int] = set()  # the same, of their memory
        self._survey(program.steps)
        self.rounded = False  # whether the two differ by rounding somewhere so far
        self.before = False  # the same, before the array that was compared last
        self.where: Any = None  # finds, in a run, the array that differs
        self.turned = False  # whether a number near 0 has another sign somewhere so far
        self.mirrored = False  # whether, after that, the numbers that differ do so by signs or half turns
        self.scale = 1.0  # the largest finite number that the reference has seen so far
        self.same: dict[
            Any, tuple[dict[int, int], dict[int, int]]
        ] = {}  # by field: token → the other's token
        self.written: dict[Any, int] = {}  # gradient → how much its version differed when it was first seen

    def _survey(self, steps: tuple[Any, ...]) -> None:
        for step in steps:
            if isinstance(step, Watch):
                self.watches[step.at] = step
            elif isinstance(step, Grad):
                self.gradients.update(step.out)
            elif isinstance(step, Jvp):
                self.tangents.add(step.out)
            elif isinstance(step, GetAttr) and step.name == "grad":
                self.gradients.add(step.out)
            elif isinstance(step, (Block, Hook)):
                if isinstance(step, Hook):
                    self.gradients.add(step.grad)
                self._survey(step.steps)
            elif isinstance(step, Apply):
                op = registry.base_of(self.program.calls[step.call].op)
                views = op is not None and (op.view or op.name == "__getitem__")
                if step.inputs[:1] and step.inputs[0] in self.gradients | self.summed:
                    if views:
                        self.summed.update(step.out)
                    elif op is None or op.name != self.program.calls[step.call].op:  # in place
                        self.gradients.update(step.out)

    def all(self) -> Judgement:
        """Step by step in the order of the text."""
        sides = (self.reference, self.got)
        places = sorted({at for side in sides for part in side for at in part})  # outcomes, seen, hooks
        for at in places:
            outcomes = [side.outcomes.get(at, _OK) for side in sides]
            lacking = next((one for one in outcomes if one.status == "unsupported"), None)
            if lacking is not None:
                return Judgement("same", None, lacking.code)
            if any("INTERNAL ASSERT" in one.text for one in outcomes):
                return Judgement("aside")  # a framework's own fault, which it asks to be told about
            found = self.outcome(at, *outcomes) or self.hooks(at) or self.looks(at)
            if found is not None:
                of_numbers = found.field in ("value", "grad", "hooks")
                rounded = self.before if of_numbers else self.rounded
                aside = rounded and (self.flips(at) or (of_numbers and self.jumps()))
                aside = aside or (of_numbers and self.mirrored)
                return Judgement("aside" if aside else "different", found)
        return Judgement("same")

    def outcome(self, at: int, reference: Outcome, got: Outcome) -> Difference | None:
        ends = [f"{one.status} {one.code}".strip() for one in (reference, got)]
        if ends[0] != ends[1] or "unclassified" in ends[0]:
            return Difference(at, "outcome", "", *ends)
        codes = [[warned.code for warned in one.warnings] for one in (reference, got)]
        return None if codes[0] == codes[1] else Difference(at, "warnings", "", *codes)

    def hooks(self, at: int) -> Difference | None:
        reference, got = self.reference.hooks.get(at), self.got.hooks.get(at)
        if reference is None or got is None:
            return None
        names = [[name for name, _ in side] for side in (reference, got)]
        if names[0] != names[1]:
            return Difference(at, "hooks", "", *names)
        for k, ((name, a), (_, b)) in enumerate(zip(reference, got, strict=True)):
            if self.arrays_differ(a, b, lambda seen, k=k: seen.hooks[at][k][1]):
                return Difference(at, "hooks", name, a, b)
        return None

    def looks(self, at: int) -> Difference | None:
        reference, got = self.reference.seen.get(at), self.got.seen.get(at)
        if reference is None or got is None:
            return None
        for index, (look, a, b) in enumerate(zip(self.watches[at].looks, reference, got, strict=True)):
            found = self.look(at, index, look, a, b)
            if found is not None:
                return found
        return None

    def look(
        self, at: int, index: int, look: Look, a: dict[str, Any], b: dict[str, Any]
    ) -> Difference | None:
        name = self.program.names[look.binding] + (".grad" if look.path else "")
        made = bool(look.path) or look.binding in self.gradients or a.get("same_as") in self.tensors
        if made and "same_as" in a:
            self.tensors.add(a["same_as"])
        if made and "shares_memory_with" in a:
            self.viewed.add(a["shares_memory_with"])
        summed = look.binding in self.summed or a.get("shares_memory_with") in self.viewed
        for mark in ("missing", "none"):
            if a.get(mark) != b.get(mark):
                return Difference(at, mark, name, bool(a.get(mark)), bool(b.get(mark)))
        for field in look.fields:
            if field not in a or field not in b:
                continue  # one of the two cannot see it
            if look.binding in self.tangents and field not in ("value", "shape"):
                continue
            if field == "value" and look.binding in self.tangents and category(a[field].dtype) == 2:
                # torch promotes tangents with zeros of its own
                a = {**a, field: Dense(b[field].dtype, a[field].shape, a[field].flat())}
            if field in ("value", "grad"):
                where = lambda seen, f=field: seen.seen[at][index][f]  # noqa: E731  # short and used once
                differ = self.arrays_differ(a[field], b[field], where)
            elif field in _TOKENS:
                differ = self.tokens_differ(field, look, a[field], b[field])
            elif field == "grad_fn" and made:
                differ = (a[field] is None) != (b[field] is None)
            elif field == "version" and (made or summed):
                gradient = (look.binding, look.path, a.get("same_as"), b.get("same_as"))
                differ = self.written.setdefault(gradient, a[field] - b[field]) != a[field] - b[field]
            else:
                differ = a[field] != b[field]
            if differ:
                return Difference(at, field, name, a[field], b[field])
        return None

    def tokens_differ(self, field: str, look: Look, a: int, b: int) -> bool:
        """Whether the two sides tell other tensors apart."""
        there, back = self.same.setdefault(field, ({}, {}))
        if look.path and field == "same_as" and (a in there or b in back):
            return there.get(a) != b or back.get(b) != a
        if look.path or look.binding in self.gradients:
            there, back = self.same.setdefault((field, look.binding, look.path), ({}, {}))
        return there.setdefault(a, b) != b or back.setdefault(b, a) != a

    # Values.

    def arrays_differ(self, a: Dense | None, b: Dense | None, where: Any) -> bool:
        self.before = self.rounded
        if a is None or b is None:
            return a is not b
        if a.dtype != b.dtype or a.shape != b.shape:
            return True
        first, second = a.flat(), b.flat()
        if category(a.dtype) < 2:
            return first != second
        parts = _parts(first)
        largest = max((abs(x) for x in parts if math.isfinite(x)), default=0.0)
        self.scale = max(self.scale, largest)
        near = _ULPS * EPS[a.dtype] * largest
        turned = self.turned
        if not turned and (category(a.dtype) == 3 or 0.0 in parts):
            self.turned = any(
                abs(x - y) <= near and math.copysign(1.0, x) != math.copysign(1.0, y)
                for x, y in zip(parts, _parts(second), strict=True)
            )
        if first == second:
            return False
        pairs = [(x, y) for x, y in zip(parts, _parts(second), strict=True) if x != y and (x == x or y == y)]
        if not pairs:
            return False
        self.rounded = True
        if all(abs(x - y) <= near for x, y in pairs):
            return False
        about = math.sqrt(max(EPS[a.dtype], self.reruns.eps)) * largest
        self.where = where
        self.mirrored = turned and all(
            x == -y or abs(abs(x) - abs(y)) <= about or abs(abs(x - y) - math.pi) <= about for x, y in pairs
        )
        return _Bound(self, a, where).exceeded(b)

    def flips(self, at: int) -> bool:
        """Whether slightly moved numbers change something discrete at or before a step."""
        base = _discrete(self.reruns.base(), at)
        if any(_discrete(one, at) != base for one in (*self.reruns.moved(), self.reference)):
            return True
        return any(
            _discrete(one, at) != _discrete(run, at)
            for run, runs in zip((self.reference, self.got), self.reruns.jolted(), strict=True)
            for one in runs
        )

    def jumps(self) -> bool:
        """Whether the array that differs is in double precision what the reference says: then what was
        rounded has jumped (at a multiple, for remainder)."""
        exact = self.reruns.other_base()
        try:
            wide, mine = self.where(exact), self.where(self.reruns.base())
        except (KeyError, IndexError):
            return False
        if (
            not (isinstance(wide, Dense) and isinstance(mine, Dense))
            or wide.shape != mine.shape
            or wide.dtype != mine.dtype
        ):
            return False
        pairs = list(zip(_parts(wide.flat()), _parts(mine.flat()), strict=True))
        largest = max((abs(x) for x, _ in pairs if math.isfinite(x)), default=0.0)
        return all(x == y or abs(x - y) <= 1e-9 * largest for x, y in pairs)


class _Bound:
    """What rounding may make of one array: per element, the sum of

    4 · steps · the most that a rerun in double precision moves when its data are moved by 8 eps (how
        ill-conditioned the element is), 2 · how far the reference itself is from its rerun, and
    64 eps of the largest number seen so far (what cancelled).
    """

    def __init__(self, judge: _Judge, reference: Dense, where: Any) -> None:
        self.judge = judge
        self.reference = reference
        self.where = where

    def exceeded(self, got: Dense) -> bool:
        judge, mine = self.judge, _parts(self.reference.flat())
        base = self._of(judge.reruns.base())
        others = [self._of(seen) for seen in judge.reruns.loosened()]
        floor = _ULPS * max(EPS[self.reference.dtype], judge.reruns.eps) * judge.scale
        for k, (x, y) in enumerate(zip(mine, _parts(got.flat()), strict=True)):
            if x == y or (x != x and y != y):
                continue
            bound = floor
            if base is not None:
                if not math.isfinite(x - y):
                    if self._overflows(base[k]):
                        continue
                    return True
                moves = [abs(other[k] - base[k]) for other in others if other is not None]
                bound += 4 * judge.program.count * max(moves, default=0.0) + 2 * abs(x - base[k])
            if not abs(x - y) <= bound:
                return True
        return False

    def _of(self, seen: Observations) -> list[float] | None:
        """The same array in a rerun, None where it is not there."""
        try:
            found = self.where(seen)
        except (KeyError, IndexError):
            return None
        return (
            _parts(found.flat()) if isinstance(found, Dense) and found.shape == self.reference.shape else None
        )

    def _overflows(self, exact: float) -> bool:
        """Whether a number is near the end of what the dtype holds, or beyond."""
        limit = 2.0**126 if EPS[self.reference.dtype] == EPS["float32"] else 2.0**1022
        return not abs(exact) < limit


def _parts(numbers: list[Any]) -> list[float]:
    if numbers and isinstance(numbers[0], complex):
        return [part for z in numbers for part in (z.real, z.imag)]
    return numbers


def _discrete(seen: Observations, until: int) -> list[Any]:
    """Everything of a run up to a step that is no floating number: booleans, integers, how steps ended,
    and which numbers are zero or not finite."""
    found: list[Any] = []
    for at, looks in sorted(seen.seen.items()):
        if at > until:
            break
        for look in looks:
            for field in ("value", "grad"):
                value = look.get(field)
                if isinstance(value, Dense):
                    exact = category(value.dtype) < 2
                    found.append([x if exact else (x == 0, x - x == 0) for x in value.flat()])
    ends = [(at, one.status, one.code) for at, one in sorted(seen.outcomes.items()) if at <= until]
    return [*found, *ends]
