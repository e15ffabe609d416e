"""gradspec new."""

from __future__ import annotations

import os
import re

import click

from gradspec.errors import UsageError

__all__ = ["command"]

SUFFIX = ".gradspec.yaml"
SCHEMA = "gradspec.schema.json"
TEMPLATE = """\
# yaml-language-server: $schema={schema}
gradspec: 1
id: {id}
title: What this shows, in one line
tags: [{tag}]
tensors:
  x: {{data: [1.0, 2.0, 3.0], requires_grad: true}}
steps:
  - op: y = sum(x * x)
  - backward: y
  - expect:
      x: {{grad: [2.0, 4.0, 6.0]}}
      y: {{value: 14.0}}
"""


@click.command("new")
@click.argument("file")
def command(file: str) -> int:
    """Write a first spec to FILE, which ends in .gradspec.yaml.

    Its first line tells editors where the schema is, so that they complete and check what is written:
    gradspec.schema.json in the project's root, which is written too where it is not there.
    An expectation may be left open (grad: ...): gradspec accept fills it in.
    """
    from gradspec.runner.files import put_text
    from gradspec.spec.schema import schema_text

    if not file.endswith((SUFFIX, ".gradspec.yml")):
        raise UsageError(f"new: {file} must end in {SUFFIX}, which is how specs are found")
    if os.path.lexists(file):
        raise UsageError(f"new: {file} is already there")
    subject = os.path.basename(os.path.dirname(os.path.abspath(file)))
    name = os.path.basename(file).partition(".gradspec.")[0]
    words = [_word(subject) or "spec", _word(name) or "first"]
    schema = _schema(os.path.dirname(os.path.abspath(file)))
    made = [] if os.path.exists(schema) else [schema]
    if made:
        put_text(schema, schema_text())
    lead = os.path.relpath(schema, os.path.dirname(os.path.abspath(file))).replace(os.sep, "/")
    put_text(file, TEMPLATE.format(schema=lead, id=".".join(words), tag=words[0]))
    also = f", and {os.path.relpath(schema)} for editors" if made else ""
    print(f"wrote {file}{also}; next: gradspec run {file}")
    return 0


def _word(text: str) -> str:
    """A part of an id, made of any text."""
    return re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-")


def _schema(folder: str) -> str:
    """Where the schema of the project is that `folder` is in, so that the line which tells editors is right
    on every machine: its root is where it has a pyproject.toml or is a repository, else this directory."""
    import gradspec

    root = here = folder
    while not any(os.path.exists(os.path.join(root, sign)) for sign in ("pyproject.toml", ".git")):
        above = os.path.dirname(root)
        if above == root:
            root = os.path.abspath(".") if (here + os.sep).startswith(os.path.abspath(".") + os.sep) else here
            break
        root = above
    own = os.path.join(os.path.dirname(os.path.abspath(gradspec.__file__)), "spec", "schema.json")
    return (
        own if os.path.dirname(os.path.dirname(os.path.dirname(own))) == root else os.path.join(root, SCHEMA)
    )
