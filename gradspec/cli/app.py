"""The commands by name, each imported when it is used."""

from __future__ import annotations

from importlib import import_module

import click

from gradspec import __version__
from gradspec.errors import did_you_mean

__all__ = ["COMMANDS", "LazyGroup", "app"]

COMMANDS = {
    "run": "Run specs on backends and say exactly what differs.",
    "report": "Make one report of several, or another kind of one.",
    "summary": "Print reports as a Markdown table for a pull request.",
    "new": "Write a first spec.",
    "accept": "Write what a backend answers into the expectations of spec files.",
    "check": "Check spec files without running them.",
    "trace": "Run a program step by step and print its tensors.",
    "export": "Print the canonical program of a spec file as JSON.",
    "fuzz": "Run random programs on two backends and print the shortest that differ.",
    "schema": "Print the JSON Schema of spec files or reports.",
    "ops": "List the ops that statements can call.",
    "completion": "Print what makes a shell complete commands and their options.",
    "backends": "List the backends and whether they can be loaded.",
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command = import_module(f"gradspec.cli.{name}").command
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            hint = did_you_mean(name, list(COMMANDS)) or f"commands are {', '.join(COMMANDS)}"
            raise click.UsageError(f'no command "{name}"; {hint}', ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, message="gradspec %(version)s")
def app() -> None:
    """A conformance suite for automatic differentiation, with cases as data.

    Exit codes: 0 as expected, 1 mismatch, 2 usage error or invalid spec, 3 internal error or crashed
    backend, 4 requested backend not available, 5 nothing selected.
    """
