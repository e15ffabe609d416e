"""Every code has a page entry, and the example there shows just that code."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gradspec.errors import ERROR_CODES, WARNING_CODES
from gradspec.spec.faults import FAULT_CODES
from tools.pages import ROOT, outcome

SHOWN: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docs/reference/codes.yaml").read_text())
RUN = [code for code, entry in SHOWN.items() if "spec" in entry]
FAULTS = [code for code, entry in SHOWN.items() if "file" in entry]


def test_every_code_is_explained() -> None:
    assert set(SHOWN) == {*ERROR_CODES, *WARNING_CODES, *FAULT_CODES}
    assert all(entry.get("way_out") and ("text" in entry) + ("spec" in entry) + ("file" in entry) == 1
               for entry in SHOWN.values())  # fmt: skip


@pytest.mark.parametrize("code", RUN)
@pytest.mark.parametrize("backend", ["python", "torch"])
def test_example_runs(code: str, backend: str, tmp_path: Path) -> None:
    if backend == "torch":
        pytest.importorskip("torch")
    assert re.search(rf"(raises|warns): {code}\b", SHOWN[code]["spec"]), "the example expects another code"
    (tmp_path / "code.gradspec.yaml").write_text(f'gradspec: "1.1"\nid: code\n{SHOWN[code]["spec"]}')
    status, printed = outcome(
        ["run", "code.gradspec.yaml", "-b", backend, "--report", "json=r.json"], tmp_path
    )
    assert status == 0, printed
    (result,) = json.loads((tmp_path / "r.json").read_text())["results"]
    assert result["outcome"] in (("passed",) if backend == "torch" else ("passed", "unsupported")), printed


@pytest.mark.parametrize("code", FAULTS)
def test_example_has_the_fault(code: str, tmp_path: Path) -> None:
    (tmp_path / "code.gradspec.yaml").write_text(SHOWN[code]["file"])
    status, printed = outcome(["check", "code.gradspec.yaml"], tmp_path)
    found = re.findall(r"^\S+:\d+:\d+: error\[([a-z-]+)\]", printed, re.MULTILINE)
    assert status == 2, printed
    assert set(found) == {code}, printed
