"""The events of a run as they are with known failures taken into account, both ways."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gradspec.runner import exits
from gradspec.runner.events import Event, RunFinished, SpecFinished, Stale
from gradspec.runner.tally import Tally

if TYPE_CHECKING:
    from gradspec.runner.known_failures import KnownFailures
    from gradspec.runner.known_file import Entry
    from gradspec.runner.verdict import Verdict

__all__ = ["judged", "with_known_failures"]


def with_known_failures(
    events: Iterator[Event], known: KnownFailures, stale: Sequence[Stale] = ()
) -> Iterator[Event]:
    """The events, with verdicts that are known to fail as `known-failure`, and those that should fail and
    do not as `failed`. `stale` entries fail the run too, where it came to its end."""
    tally = Tally()
    for event in events:
        if isinstance(event, SpecFinished):
            event = SpecFinished(judged(event.verdict, known))
        tally(event)
        if isinstance(event, RunFinished):
            found = () if event.left else tuple(stale)
            code = exits.worst({tally.exit_code, exits.MISMATCH if found else exits.AS_EXPECTED})
            ended = event.exit_code in (exits.AS_EXPECTED, exits.MISMATCH, exits.INTERNAL, exits.UNAVAILABLE)
            event = event._replace(
                totals=tally.totals,
                scopes=tally.scopes,
                exit_code=code if ended else event.exit_code,
                stale=found,
            )
        yield event


def judged(verdict: Verdict, known: KnownFailures) -> Verdict:
    """The verdict as it is when one knows what is known to fail."""
    entry = known.entry(verdict.id, verdict.backend)
    if entry is None:
        return verdict
    if exits.of_outcome(verdict.outcome) != exits.AS_EXPECTED:
        return verdict._replace(outcome="known-failure", known=entry.reason)
    if verdict.outcome == "passed":
        message = f"passes, though {_place(entry)} has it as a known failure: {entry.reason}"
        return verdict._replace(outcome="failed", message=message, known=entry.reason)
    return verdict


def _place(entry: Entry) -> str:
    return f"{entry.file}:{entry.line}" if entry.line else entry.file
