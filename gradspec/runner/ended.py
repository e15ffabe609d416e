"""Ending a run after so many specs that are not as expected."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from time import perf_counter

from gradspec.runner.events import Event, SpecFinished
from gradspec.runner.tally import Tally

__all__ = ["ended_after"]


def ended_after(events: Iterator[Event], most: int) -> Iterator[Event]:
    """The events up to the `most`-th spec that is not as expected, then the end of the run. What is left
    is not run and counts as left."""
    start = perf_counter()
    tally = Tally()
    for event in events:
        tally(event)
        yield event
        if isinstance(event, SpecFinished) and tally.bad >= most and tally.left:
            if isinstance(events, Generator):
                events.close()
            yield tally.finished(tally.exit_code, perf_counter() - start)
            return
