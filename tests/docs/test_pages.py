"""Every spec and every command that the documentation shows is run."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from tools.pages import ROOT, Block, blocks, commands, outcome, pages, same, write_files

SPECS = [
    block
    for page in pages()
    for block in blocks(page)
    if block.language == "yaml" and re.search(r"^gradspec:", block.text, re.MULTILINE)
    and block.directives.get("file", "shown.gradspec.yaml").endswith(".gradspec.yaml")
    and page.name not in ("codes.md", "report.md")  # made, and run by other tests here
]  # fmt: skip
PAGES = [page for page in pages() if any(commands(page))]


def place(page: Path, line: int) -> str:
    return f"{page.relative_to(ROOT)}:{line}"


@pytest.mark.parametrize("block", SPECS, ids=lambda block: place(block.page, block.line))
def test_spec(block: Block, tmp_path: Path) -> None:
    """It holds, or fails, or has faults, as its page says."""
    wanted = 2 if "fault" in block.directives else int(block.directives.get("exit", 0))
    write_files(block.page, tmp_path)
    (tmp_path / "shown.gradspec.yaml").write_text(block.text)
    code, printed = outcome(["run", "shown.gradspec.yaml", "-b", "python"], tmp_path)
    assert code == wanted, printed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands(page: Path, tmp_path: Path) -> None:
    """Run in their order, each ends and prints as the page says. `make docs` writes the output anew."""
    write_files(page, tmp_path)
    for command in commands(page):
        if (needed := command.block.directives.get("needs")) and not installed(needed):
            continue
        where = f"{place(page, command.block.line)}: gradspec {' '.join(command.arguments)}"
        code, printed = outcome(command.arguments, tmp_path)
        assert code == int(command.block.directives.get("exit", 0)), f"{where}\n{printed}"
        assert same(command.shown, printed), f"{where}\nprints otherwise now; run `make docs`:\n{printed}"


def installed(module: str) -> bool:
    try:
        import_module(module)
    except ImportError:
        return False
    return True


def test_there_is_something_to_run() -> None:
    assert len(SPECS) >= 5
    assert sum(len(list(commands(page))) for page in PAGES) >= 8


def test_links_lead_somewhere() -> None:
    """Every relative link of every page, with its anchor."""
    broken = []
    for page in pages():
        for target in re.findall(
            r"\]\(([^)\s]+)\)", re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL)
        ):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            file = (page.parent / path).resolve() if path else page
            if not file.exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
            elif anchor and file.suffix == ".md" and anchor not in anchors(file):
                broken.append(f"{page.relative_to(ROOT)}: {target} (no such heading)")
    assert not broken, broken


def anchors(page: Path) -> set[str]:
    """The anchors of a page: those written, and GitHub's of its headings."""
    text = page.read_text()
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    made = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return made | set(re.findall(r'<a id="([^"]+)">', text))


def test_outputs_are_compared_line_by_line() -> None:
    assert same("a\n…\nd in 1.5 s\n", "a\nb\nc\nd in 20 ms\n".replace("20 ms", "0.2 s"))
    assert same("exp(x) … y = eˣ\n", "exp(x)      elementwise y = eˣ\n")
    assert not same("a\nb\n", "a\nc\n")
    assert not same("a\n", "a\nb\n")
    assert not same("a\n…\nb\n", "a\nc\n")
