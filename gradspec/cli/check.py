"""gradspec check."""

from __future__ import annotations

import sys

import click

from gradspec.cli.options import default_paths
from gradspec.runner import exits

__all__ = ["command"]


@click.command("check")
@click.argument("paths", nargs=-1)
def command(paths: tuple[str, ...]) -> int:
    """Check spec files without running them.

    All faults of all files are shown, each with its place. No backend is loaded.
    """
    from gradspec.spec.load import load_paths

    wanted = list(paths) or default_paths()
    specs, faults = load_paths(wanted)
    for fault in faults:
        print(f"{fault}\n")
    files = len({spec.file for spec in specs} | {fault.place.file for fault in faults})
    broken = len({fault.place.file for fault in faults})
    where = f"{files} {'file' if files == 1 else 'files'}"
    if faults:
        print(f"{len(faults)} {'fault' if len(faults) == 1 else 'faults'} in {broken} of {where}")
        return exits.USAGE
    if not specs:
        print("no spec found: a directory is searched for files ending in .gradspec.yaml", file=sys.stderr)
        return exits.NOTHING_SELECTED
    print(f"{len(specs)} {'spec' if len(specs) == 1 else 'specs'} in {where}: no fault")
    return exits.AS_EXPECTED
