"""gradspec ops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from gradspec.ops.registry import Op

__all__ = ["command", "signature"]


@click.command("ops")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(as_json: bool) -> int:
    """List the ops that statements can call."""
    import gradspec.ops

    registry = getattr(gradspec.ops, "registry")  # noqa: B009  # mypy takes the name for the submodule's
    ops = [registry[name] for name in sorted(registry) if not getattr(registry[name], "internal", False)]
    if as_json:
        import json

        print(json.dumps([_view(op) for op in ops], indent=1))
        return 0
    from gradspec.reports.table import columns

    rows = [[signature(op), op.kind, op.doc.partition("\n")[0]] for op in ops]
    for line in columns(rows):
        print(line)
    print(f"\n{len(ops)} ops")
    return 0


def signature(op: Op) -> str:
    """How the op is called: `sum(input, dim=None, keepdim=False)`."""
    parts = []
    star = False
    for param in op.params:
        if param.keyword_only and not star:
            parts.append("*")
            star = True
        parts.append(param.name if param.required else f"{param.name}={param.default!r}")
    return f"{op.name}({', '.join(parts)})"


def _view(op: Op) -> dict[str, Any]:
    return {
        "name": op.name,
        "signature": signature(op),
        "kind": op.kind,
        "differentiable": []
        if op.kind == "constant" or op.underivable
        else [param.name for param in op.tensors],
        "inplace": op.inplace,
        "view": op.view,
        "doc": op.doc,
    }
