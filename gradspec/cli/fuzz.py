"""gradspec fuzz."""

from __future__ import annotations

import sys

import click

from gradspec.cli.options import load_backend
from gradspec.errors import UsageError
from gradspec.runner.exits import AS_EXPECTED, MISMATCH

__all__ = ["command"]


@click.command("fuzz")
@click.option(
    "-b", "--backend", "names", multiple=True, required=True, metavar="NAME",
    help="A backend; the last one given is the reference that the others are compared with.",
)  # fmt: skip
@click.option("--count", default=1000, show_default=True, type=click.IntRange(1), help="How many programs.")
@click.option(
    "--seed", default=1, show_default=True, help="Which programs: the same seed gives the same ones."
)
@click.option(
    "--start", default=0, show_default=True, type=click.IntRange(0), help="The number of the first program."
)
@click.option("--shrink/--no-shrink", default=True, help="Cut the program of each kind of difference down.")
def command(names: tuple[str, ...], count: int, seed: int, start: int, shrink: bool) -> int:
    """Run random programs on two or more backends and print the shortest that differ.

    A program has 5 to 40 steps over the whole language. Everything that can be seen is compared: values
    within what rounding explains, the rest exactly. Programs that take different branches because of
    rounding are set aside and counted.
    """
    from gradspec.fuzz.run import Campaign, campaign, report

    if len(set(names)) < 2:
        raise UsageError("fuzz compares backends: give two of them, such as -b numpy -b torch")
    *others, reference = [load_backend(name) for name in dict.fromkeys(names)]

    def progress(came: Campaign) -> None:
        if came.programs % 50 == 0 and sys.stderr.isatty():
            print(f"\r{came.programs}/{count}, {came.differences} different", end="", file=sys.stderr)

    came = campaign(seed, count, others, reference, start=start, shrinking=shrink, progress=progress)
    if sys.stderr.isatty():
        print("\r" + " " * 60 + "\r", end="", file=sys.stderr)
    for line in report(came):
        print(line)
    return MISMATCH if came.findings else AS_EXPECTED
