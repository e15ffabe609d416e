"""The options of `gradspec run` that choose among the specs that were loaded."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from gradspec.cli import complete
from gradspec.cli.configured import project
from gradspec.runner import exits
from gradspec.spec.model import SCOPES

if TYPE_CHECKING:
    from gradspec.runner.changed import Changed
    from gradspec.runner.events import Event
    from gradspec.spec.model import Spec

__all__ = ["Choice", "choosing_options"]


def _shard(text: str) -> tuple[int, int]:
    number, slash, count = text.partition("/")
    if slash and number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count) <= 10_000:
        return int(number), int(count)
    raise click.BadParameter(f'"{text}" is no shard: write 2/4 for the second of four')


_OPTIONS = (
    click.option(
        "--only",
        multiple=True,
        metavar="GLOB",
        shell_complete=complete.ids,
        help="Only specs whose id fits, as 'ops.sqrt.*'; repeatable.",
    ),
    click.option(
        "--tag",
        "tags",
        multiple=True,
        metavar="TAG",
        shell_complete=complete.tags,
        help="Only specs with this tag; repeatable.",
    ),
    click.option(
        "--op",
        "ops",
        multiple=True,
        metavar="OP",
        shell_complete=complete.op_names,
        help="Only specs that call this op; repeatable.",
    ),
    click.option(
        "--scope",
        "scopes",
        multiple=True,
        type=click.Choice(SCOPES),
        help="Only specs of this scope; repeatable.",
    ),
    click.option(
        "--changed",
        metavar="[=COMMIT]",
        is_flag=False,
        flag_value="HEAD",
        help="Only specs whose files git says have changed since the commit, else since the last; all of"
        " them where code has.",
    ),
    click.option(
        "--shard",
        type=_shard,
        metavar="I/N",
        help="Of what is chosen, part I of N; the same on every machine.",
    ),
)


def choosing_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command these options; it takes them as keywords and makes a `Choice` of them."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


class Choice:
    """What the options say."""

    def __init__(
        self,
        only: Sequence[str],
        tags: Sequence[str],
        ops: Sequence[str],
        scopes: Sequence[str],
        changed: str | None,
        shard: tuple[int, int] | None,
    ) -> None:
        self.only, self.tags, self.ops, self.scopes = only, tags, ops, scopes
        self.changed, self.part = changed, shard
        self.unchanged = False  # whether there is nothing because nothing has changed

    def of(self, specs: Sequence[Spec]) -> list[Spec]:
        """Those that are wanted, before they are divided into shards. What --changed found goes to stderr."""
        from gradspec.runner.select import select

        chosen = select(specs, self.only, self.tags, self.ops, self.scopes)
        if self.changed is None or not chosen:
            return chosen
        from gradspec.runner.changed import changed_since

        return self._changed(changed_since(self.changed), chosen)

    def _changed(self, changed: Changed, chosen: list[Spec]) -> list[Spec]:
        config = project()
        code = changed.code(config.get("code") if config is not None else None)
        if code:
            print(f"{code} has changed since {changed.since}, so everything is run", file=sys.stderr)
            return chosen
        found = changed.select(chosen)
        self.unchanged = not found
        return found

    def shard(self, specs: list[Spec]) -> list[Spec]:
        """The shard of them, if there is one."""
        if self.part is None:
            return specs
        from gradspec.runner.shard import shard

        return shard(specs, *self.part)

    def shard_events(self, events: Iterator[Event]) -> Iterator[Event]:
        """The events of the shard's run: that it is empty is nobody's mistake."""
        from gradspec.runner.events import RunFinished

        for event in events:
            if isinstance(event, RunFinished) and event.exit_code == exits.NOTHING_SELECTED:
                event = event._replace(exit_code=exits.AS_EXPECTED)
            yield event

    def nothing(self, specs: Sequence[Spec]) -> str:
        """Why nothing is chosen of the specs that were loaded."""
        if not specs:
            return "no spec found: a directory is searched for files ending in .gradspec.yaml"
        if self.unchanged:
            return f"none of {len(specs)} specs has changed since {self.changed}"
        options = {"--only": self.only, "--tag": self.tags, "--op": self.ops, "--scope": self.scopes}
        wanted = [f"{option} {text}" for option, texts in options.items() for text in texts]
        return f"none of {len(specs)} specs fits {' '.join(wanted)}"
