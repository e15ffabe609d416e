"""A command whose options have their defaults from `[tool.gradspec]` in pyproject.toml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from gradspec.config import Config

__all__ = ["ConfiguredCommand", "project"]

_DEFAULTS = {  # key → parameter of `gradspec run`
    "backends": "backends",
    "jobs": "jobs",
    "isolate": "isolate",
    "timeout": "timeout_s",
    "memory-limit": "memory_bytes",
    "executor": "executor",
}


class ConfiguredCommand(click.Command):
    """Looks at the project before it looks at its arguments. An option that takes a value only behind
    `=` is known by `flag_value`: `--changed specs` has the path specs."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not {"-h", "--help"} & set(args):
            config = project()
            ctx.default_map = _defaults(config, args) if config is not None else {}
        end = args.index("--") if "--" in args else len(args)
        flags = {
            name: f"{name}={one.flag_value}"
            for one in self.params
            if isinstance(one, click.Option) and not one.is_flag and isinstance(one.flag_value, str)
            for name in one.opts
        }
        return super().parse_args(ctx, [flags.get(word, word) for word in args[:end]] + args[end:])


def project() -> Config | None:
    """What the project says that this directory is in."""
    from gradspec.config import find

    return find()


def _defaults(config: Config, args: list[str]) -> dict[str, Any]:
    values = config.values
    found = {name: values[key] for key, name in _DEFAULTS.items() if key in values}
    if "executor" in found and any(word.startswith(("-j", "--jobs")) for word in args):
        del found["executor"]  # what is said here wins
    return found | {key: str(found[key]) for key in ("jobs", "timeout_s") if key in found}
