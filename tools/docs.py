"""Write what the documentation takes from the code: the pages on ops, codes and the command line, and
the output of every command that a page shows.

    python tools/docs.py            write them
    python tools/docs.py --check    write nothing, exit 1 and name the stale ones
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tools.pages import outcome, refreshed  # noqa: E402
from tools.pages import pages as all_pages  # noqa: E402

REFERENCE = ROOT / "docs" / "reference"
MADE = "<!-- Made by `make docs`. Change the code it is made from, not this page. -->"
KINDS = {
    "composite": "made of other ops; all derivatives follow from them",
    "linear": "linear; its transpose is written, everything else follows",
    "elementwise": "elementwise; its slope is written, everything else follows",
    "general": "its vector-Jacobian product is written",
    "constant": "has no derivative; its result never requires grad",
}


def made_pages() -> dict[Path, str]:
    """Path → text of every page that is made."""
    made = {
        "ops.md": ops_page(),
        "codes.md": codes_page(),
        "cli.md": cli_page(),
        "report.md": report_page(),
        "plugins.md": plugins_page(),
    }
    return {
        REFERENCE / name: MADE + "\n\n" + "\n".join(lines).rstrip() + "\n" for name, lines in made.items()
    }


# Ops


def ops_page() -> Iterator[str]:
    """Every op of the registry, by family."""
    from gradspec.ops import registry

    families: dict[str, list[Any]] = {}
    for op in registry.values():
        if not op.internal:
            families.setdefault(op.forward.__module__.rsplit(".", 1)[-1], []).append(op)
    yield "# Ops\n"
    count = sum(map(len, families.values()))
    yield f"{count} ops. Names and arguments are torch's. `gradspec ops` prints the same list for the"
    yield "terminal, `gradspec ops --json` for programs.\n"
    yield "**Kinks** are points where mathematics leaves a choice; the values torch takes stand beside the"
    yield "named alternatives, and a spec may accept several with `one_of`.\n"
    for family, ops in sorted(families.items()):
        names = sorted(ops, key=lambda op: op.name)
        yield f"## {family.replace('_', ' ')}\n"
        yield " · ".join(f"[`{op.name}`](#{anchor(op.name)})" for op in names) + "\n"
        for op in names:
            yield from _op(op)


def _op(op: Any) -> Iterator[str]:
    from gradspec.cli.ops import signature

    yield f'<a id="{anchor(op.name)}"></a>\n'
    yield f"### `{signature(op)}`\n"
    yield _prose(op.doc) + "\n"
    derived = op.kind in ("composite", "constant") or op.rules
    facts = [
        f"- {op.kind}: {KINDS[op.kind]}" if derived else "- no derivative: backward raises `no-derivative`"
    ]
    if op.rules:
        facts.append("- differentiable in " + ", ".join(f"`{name}`" for name in op.rules))
    if isinstance(op.outputs, dict):
        facts.append("- gives " + ", ".join(f"`{name}`" for name in op.outputs))
    if isinstance(op.node, str) and op.node:
        facts.append(f"- `grad_fn`: `{op.node}`")
    if op.inplace:
        without = "" if op.derived_in_place else ", without a derivative"
        facts.append(f"- in place: `{op.name}_`{without}")
    if op.view:
        facts.append("- the result shares memory with its argument")
    facts.append("- dtypes: " + ", ".join(op.accepts))
    facts += [f"- kink at {point}: {_alternatives(values)}" for point, values in op.kinks.items()]
    facts += [f"- see {ref}" for ref in op.refs]
    yield "\n".join(facts) + "\n"


def _prose(doc: str) -> str:
    """A docstring as Markdown: its indentation removed, powers and products left alone."""
    import inspect

    return (
        inspect.cleandoc(doc).replace("*", "\\*").replace("_", "\\_").replace("<", "&lt;").replace("|", "\\|")
    )


def _alternatives(values: Any) -> str:
    if not isinstance(values, dict):
        return f"`{values}`"
    return ", ".join(f"{name} `{value}`" for name, value in values.items())


def anchor(name: str) -> str:
    return "op-" + re.sub(r"[^a-z0-9]+", "-", name.lower())


# Codes


def codes_page() -> Iterator[str]:
    """Every code with cause, example and way out."""
    import yaml

    from gradspec.errors import ERROR_CODES, WARNING_CODES
    from gradspec.spec.faults import FAULT_CODES

    shown = yaml.safe_load((REFERENCE / "codes.yaml").read_text())
    sections = {
        "Errors of the running program": (
            ERROR_CODES,
            "What `raises:` expects. A backend maps its framework's exceptions to these, whatever they say.",
        ),
        "Warnings": (WARNING_CODES, "What `warns:` expects."),
        "Faults of a spec file": (
            FAULT_CODES,
            "Found before anything runs, all of a file at once, each with its line and column. Exit code 2.",
        ),
    }
    yield "# Codes\n"
    yield "Codes never change once published; wording may. Each example is run by the tests.\n"
    for heading, (codes, _) in sections.items():
        yield f"**{heading}:** " + " · ".join(f"[{code}](#{code})" for code in codes) + "\n"
    for heading, (codes, note) in sections.items():
        yield f"## {heading}\n\n{note}\n"
        for code, cause in codes.items():
            entry = shown[code]
            yield f'<a id="{code}"></a>\n\n### {code}\n'
            yield f"**Cause:** {cause}.\n"
            if example := entry.get("spec") or entry.get("file"):
                yield f"```yaml\n{example.rstrip()}\n```\n"
            else:
                yield f"**For example:** {entry['text']}\n"
            yield f"**Way out:** {entry['way_out']}\n"


# Command line


def cli_page() -> Iterator[str]:
    """What `--help` says, of the program and of each command."""
    top = _help()
    yield "# Command line\n"
    yield "See also the [exit codes](exit-codes.md).\n"
    yield f"```text\n{top}\n```\n"
    for command in commands(top):
        text = _help(command)
        yield f"## gradspec {command}\n"
        yield f"```text\n{text}\n```\n"
        for inner in commands(text) if "\nCommands:\n" in text else ():
            yield f"```text\n{_help(command, inner)}\n```\n"


def commands(help_text: str) -> list[str]:
    """The commands named in the help of the program."""
    listed = re.split(r"^Commands:\n", help_text, flags=re.MULTILINE)[-1]
    return re.findall(r"^  ([a-z][a-z-]*)\b", listed, re.MULTILINE)


def _help(*arguments: str) -> str:
    code, text = outcome([*arguments, "--help"], ROOT)
    if code:
        raise SystemExit(f"gradspec {' '.join(arguments)} --help failed:\n{text}")
    return text.rstrip()


# The report

REPORTED = """\
gradspec: 1
id: report.example
tensors: {x: {data: [1.0, 4.0], requires_grad: true}}
steps:
  - op: z = sum(sqrt(x))
  - backward: z
  - expect: {x: {grad: [0.5, 0.5]}}
"""


def report_page() -> Iterator[str]:
    """The fields of the JSON report, from its schema, and one as it is."""
    import json

    from gradspec.reports.json import schema_text

    schema = json.loads(schema_text())
    yield "# The JSON report\n"
    yield (
        schema["description"]
        + " `gradspec schema --report` prints its JSON Schema. Additions keep the number in"
    )
    yield "`format`; readers should ignore keys they do not know.\n"
    yield from _fields(schema)
    for name, part in schema["$defs"].items():
        yield f"## {name}\n"
        if "description" in part:
            yield part["description"] + "\n"
        yield from _fields(part)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "example.gradspec.yaml").write_text(REPORTED)
        outcome(
            ["run", "example.gradspec.yaml", "-b", "python", "--report", "json=report.json"], Path(folder)
        )
        report = json.loads((Path(folder) / "report.json").read_text())
    result = report["results"][0]
    result["duration_s"] = 0.0004
    yield "## JSON lines\n"
    yield "`--report jsonl=FILE` writes the same in lines: one of the `kind` start, one of the kind"
    yield "backend for each, one of the kind result for each entry of `results` as it comes, and one of"
    yield "the kind end. `gradspec schema --lines` prints the JSON Schema of a line. A run that was killed"
    yield "leaves whole lines and perhaps the beginning of one.\n"
    yield "## An entry of `results`\n"
    yield f"```yaml\n{REPORTED}```\n"
    yield f"```json\n{json.dumps(result, indent=1, ensure_ascii=False)}\n```\n"


# What plugins meet


def plugins_page() -> Iterator[str]:
    """The feature words a backend is asked about, and the hooks a plugin may implement."""
    import inspect

    from gradspec import hookspecs
    from gradspec.spec.features import FEATURES

    yield "# Features and hooks\n"
    yield "A plugin is a package with entry points. Backends stand in the group `gradspec.backends`, listed"
    yield "by name and imported when selected; modules with hooks in the group `gradspec`. The environment"
    yield "variable `GRADSPEC_PLUGINS` restricts which are seen: names and commas; empty for none.\n"
    yield "## Features\n"
    yield "`Backend.supports(feature)` answers `native`, `emulated` or `unsupported` for each of these.\n"
    yield "| feature | asked for by |\n| --- | --- |"
    yield "| `op:NAME` | a call of this op; in place it needs `in-place` too |"
    yield "| `dtype:NAME` | data or an argument of this dtype |"
    yield from (f"| `{word}` | {meaning} |" for word, meaning in FEATURES.items())
    yield "\n## Hooks\n"
    yield "Functions of a plugin module, marked with `gradspec.hookspecs.hookimpl`.\n"
    for name in hookspecs.__all__:
        hook = getattr(hookspecs, name)
        if name.startswith("gradspec_"):
            yield f"### `{name}{inspect.signature(hook)}`\n\n{inspect.getdoc(hook)}\n"


def _fields(schema: dict[str, Any]) -> Iterator[str]:
    if "properties" not in schema:
        return
    yield "| key | | meaning |\n| --- | --- | --- |"
    required = schema.get("required", ())
    for name, part in schema["properties"].items():
        needed = "" if name in required else "where it applies"
        yield f"| `{name}` | {needed} | {part.get('description') or _meaning(part)} |"
    yield ""


def _meaning(part: dict[str, Any]) -> str:
    """What a part without a description can hold."""
    if "$ref" in part:
        return "a " + part["$ref"].rsplit("/", 1)[-1]
    if "enum" in part:
        return "one of " + ", ".join(f"`{value}`" for value in part["enum"])
    kind = part.get("type", "")
    return {"boolean": "true or false"}.get(kind, kind) if isinstance(kind, str) else " or ".join(kind)


def main() -> int:
    check = "--check" in sys.argv[1:]
    made = made_pages()
    for page in all_pages():
        if page not in made:
            with tempfile.TemporaryDirectory() as folder:
                made[page] = refreshed(page, Path(folder))
    stale = [path for path, text in made.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        print(("stale: " if check else "wrote ") + str(path.relative_to(ROOT)))
        if not check:
            path.write_text(made[path])
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
