"""PyYAML imported by gradspec works as it does otherwise."""

from __future__ import annotations

from tests.architecture.tree import python

USE = """
import re
before = re.compile
from gradspec.spec.libyaml import load_yaml
yaml = load_yaml()
assert re.compile is before and load_yaml() is yaml
text = "{a: [1, 2.5, 2001-12-14, yes, ~, 0x1F, 1_0, 2001-12-14 21:59:43.10 -5, .inf, '\\u00e9']}"
for loader in (yaml.SafeLoader, yaml.CSafeLoader, yaml.FullLoader):
    print(yaml.load(text, loader))
print(yaml.safe_dump({"on": "2001-12-14", "1": 1.5, "x": ["yes", "0x1F"]}))
try:
    yaml.load("a: \\x01", yaml.SafeLoader)
except yaml.reader.ReaderError as error:
    print(error)
"""
PLAIN = """
import sys, types, yaml
sys.modules["gradspec.spec.libyaml"] = types.SimpleNamespace(load_yaml=lambda: yaml)
"""


def test_loaders_and_dumper_work_as_ever() -> None:
    ours, plain = python(USE), python(PLAIN + USE)
    assert ours.returncode == plain.returncode == 0, ours.stderr + plain.stderr
    assert ours.stdout == plain.stdout
    assert "2001" in ours.stdout
    assert "special characters are not allowed" in ours.stdout
