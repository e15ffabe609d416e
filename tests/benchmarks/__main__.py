"""`python -m tests.benchmarks [NAME …] [--rounds N] [--json FILE]`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from pathlib import Path

from tests.benchmarks.arrays import mlp, small
from tests.benchmarks.floats import floats
from tests.benchmarks.measure import Broken, Row, table, take_one_thread
from tests.benchmarks.million import million
from tests.benchmarks.scalar import chain, dag
from tests.benchmarks.startup import startup
from tests.benchmarks.thousand import thousand

BENCHMARKS = {run.__name__: run for run in (chain, dag, small, mlp, million, startup, thousand, floats)}
PAGE = Path(__file__).parents[2] / "docs" / "explanations" / "performance.md"
FIGURES = "<!-- Figures: `make bench BENCH=--page` writes them. -->"


def main() -> int:
    about = "\n".join(f"  {name:9} {run.__doc__}" for name, run in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description=f"Speed beside the peers: medians of interleaved rounds.\n\n{about}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which benchmarks (default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count, after one that does not")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument(
        "--page", action="store_true", help="write the table into docs/explanations/performance.md"
    )
    chosen = parser.parse_args()
    if unknown := [name for name in chosen.names if name not in BENCHMARKS]:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    take_one_thread()
    rows: list[Row] = []
    broken = []
    for name in chosen.names or BENCHMARKS:
        print(f"… {name}", file=sys.stderr, flush=True)
        try:
            rows += BENCHMARKS[name](chosen.rounds)
        except ImportError as error:
            print(f"  {name} left out: {error}", file=sys.stderr)
        except Broken as error:
            print(f"  {name} does not work: {error}", file=sys.stderr)
            broken.append(name)
    text = "\n".join([*table(rows), "", f"{_machine()}; medians of {chosen.rounds} or more rounds"])
    print(text)
    if chosen.page:
        page = PAGE.read_text()
        start = page.index(FIGURES) + len(FIGURES)
        PAGE.write_text(f"{page[:start]}\n\n```text\n{text}\n```\n")
    if chosen.json:
        view = {
            "format": 1,
            "machine": _machine(),
            "rounds": chosen.rounds,
            "rows": [row.json() for row in rows],
        }
        chosen.json.write_text(json.dumps(view, indent=1, ensure_ascii=False) + "\n")
    return 1 if broken else 0


def _machine() -> str:
    from importlib.metadata import PackageNotFoundError, version

    peers = []
    for name in ("numpy", "torch", "micrograd", "pytest", "PyYAML"):
        try:
            peers.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return ", ".join([python, f"{os.cpu_count()} CPUs", *peers])


if __name__ == "__main__":
    sys.exit(main())
