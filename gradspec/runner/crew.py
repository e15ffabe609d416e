"""Running specs in worker processes: several at once, and none that takes the run with it.

Each case is announced before it is run, so that a process that dies or does not answer is the outcome
of that case alone; another process goes on with the rest of its job.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from gradspec.errors import NoWorkers
from gradspec.runner import wire
from gradspec.runner.cases import NO_LIMITS, Case, Limits, Loaded, Lost, batches, verdict_on_lost
from gradspec.runner.events import BackendUnavailable
from gradspec.runner.hand import Answer, Hand
from gradspec.runner.jobs import Job, job_of

if TYPE_CHECKING:
    from gradspec.runner.verdict import Verdict

__all__ = ["Crew"]

_GRACE_S = 0.25  # after a timeout, for the process to write where it hangs
_LOAD_S = 120.0  # for a backend to be loaded, where specs have a timeout
_LOOK_S = 0.25  # between looks at processes that may have died without a word
_ATTEMPTS = 3  # to start a process that says anything


class Crew:
    """A workplace of `size` processes. `loader` is as in `job_of`."""

    def __init__(self, loader: str, size: int = 1, limits: Limits = NO_LIMITS) -> None:
        self.loader = loader
        self.size = size
        self.limits = limits
        self.notes: list[str] = []
        self._hands: list[Hand] = []
        self._answers: SimpleQueue[Answer] = SimpleQueue()
        self._silent = 0  # processes in a row that died before they said anything

    def ready(self, names: Sequence[str]) -> Iterator[Loaded | BackendUnavailable]:
        for _ in range(self.size):  # all start at once
            self._hire()
        for name in names:
            hand = self._hands[0] if self._hands else self._hire()
            hand.ask("load", self.loader, name)
            line = self._answer(hand)
            if line:
                yield _told(line)
            else:
                why = _ended(hand.end(_LOOK_S))
                output = hand.output()
                yield BackendUnavailable(
                    name, f'backend "{name}" cannot be loaded: {why}' + (f"\n{output}" if output else "")
                )
                self._hands.remove(hand)

    def results(self, cases: Sequence[Case]) -> Iterator[tuple[Case, Verdict]]:
        jobs = ((job_of(batch, self.loader, self.limits), batch) for batch in batches(cases, self.size))
        for case, result in self.do(jobs):
            verdict = verdict_on_lost(case, result) if isinstance(result, Lost) else wire.loads(result)
            yield case, verdict

    def do(self, jobs: Iterable[tuple[Job, list[Any]]]) -> Iterator[tuple[Any, str | Lost]]:
        """Do jobs given with a tag for each of their cases; yields a tag and what came of that case, a
        verdict's line or why there is none, as they come."""
        source = iter(jobs)
        left: deque[tuple[Job, list[Any]]] = deque()  # what a process that died has not done
        while True:
            self._staff(source, left)
            if not any(hand.tags for hand in self._hands):
                return
            try:
                answer = self._answers.get(timeout=_LOOK_S)
            except Empty:
                pass
            else:
                yield from self._heard(answer, left)
            for hand in self._hands[:]:
                yield from self._checked(hand, left)

    def close(self) -> None:
        """End all processes at once, whatever they are at."""
        while self._hands:
            self._hands.pop().end()

    def _staff(self, source: Iterator[tuple[Job, list[Any]]], left: deque[tuple[Job, list[Any]]]) -> None:
        """Give work to everyone who has none, starting processes as long as there is work for them."""
        while True:
            hand = next((hand for hand in self._hands if not hand.tags), None)
            if hand is None and len(self._hands) >= self.size:
                return
            work = left.popleft() if left else next(source, None)
            if work is None:
                return
            (hand or self._hire()).give(*work)

    def _hire(self) -> Hand:
        hand = Hand(self._answers)
        self._hands.append(hand)
        return hand

    def _heard(self, answer: Answer, left: deque[tuple[Job, list[Any]]]) -> Iterator[tuple[Any, str | Lost]]:
        hand = answer.hand
        if hand not in self._hands:
            return
        word, _, rest = answer.line.partition(" ")
        self._silent = 0 if word else self._silent
        match word.strip():
            case "load" | "start":
                hand.enter("load" if word == "load" else "run", int(rest))
            case "done":
                index, _, line = rest.partition(" ")
                hand.enter("idle", int(index) + 1)
                yield hand.tags[int(index)], line
            case "idle":
                hand.tags = []
            case _:
                yield from self._gone(hand, left)

    def _checked(self, hand: Hand, left: deque[tuple[Job, list[Any]]]) -> Iterator[tuple[Any, str | Lost]]:
        """Notice a process that takes too long, or that has died and left its pipes to another."""
        timeout_s = hand.job.get("timeout_s", 0)
        if hand.phase == "run" and timeout_s and hand.spent_s > timeout_s + _GRACE_S:
            yield from self._gone(hand, left, Lost("timeout", f"no answer within {timeout_s:g} s", timeout_s))
        elif hand.phase == "load" and timeout_s and hand.spent_s > max(_LOAD_S, timeout_s):
            message = f"the backend was not loaded within {max(_LOAD_S, timeout_s):g} s"
            yield from self._gone(hand, left, Lost("timeout", message, hand.spent_s))
        elif hand.process.poll() is not None and hand.spent_s > _LOOK_S and self._answers.empty():
            yield from self._gone(hand, left)

    def _gone(
        self, hand: Hand, left: deque[tuple[Job, list[Any]]], lost: Lost | None = None
    ) -> Iterator[tuple[Any, str | Lost]]:
        """Let go of a process: the case it was at is lost, the rest of its job is for another."""
        spent_s = hand.spent_s
        self._hands.remove(hand)
        why = _ended(hand.end(0.0 if lost else _LOOK_S))
        if not hand.tags:
            return
        at = hand.at
        if hand.phase != "idle":
            when = "while the backend was loaded, " if hand.phase == "load" else ""
            lost = lost or Lost("crash", when + why, spent_s)
            yield hand.tags[at], lost._replace(output=hand.output())
            at += 1
        elif at == 0:
            self._silent += 1
            if self._silent >= _ATTEMPTS:
                raise NoWorkers(f"worker processes cannot be started: {why}\n{hand.output()}".rstrip())
        else:
            self.notes.append(f"between two specs, {why}; another went on")
        if rest := hand.tags[at:]:
            left.appendleft(({**hand.job, "cases": hand.job["cases"][at:]}, rest))

    def _answer(self, hand: Hand) -> str:
        """The next thing this one says; "" when it has gone."""
        while True:
            try:
                answer = self._answers.get(timeout=_LOOK_S)
            except Empty:
                if hand.process.poll() is not None and self._answers.empty():
                    return ""
            else:
                if answer.hand is hand:
                    return answer.line


def _told(line: str) -> Loaded | BackendUnavailable:
    import json

    word, *rest = json.loads(line.partition(" ")[2])
    return Loaded(*rest) if word == "ready" else BackendUnavailable(*rest)


def _ended(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"its process ended with exit code {code}"
    import signal

    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"its process was killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
