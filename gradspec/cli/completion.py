"""gradspec completion."""

from __future__ import annotations

import click

__all__ = ["command"]


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print what makes a shell complete commands, options, backends, ids, tags and ops.

    \b
    bash: eval "$(gradspec completion bash)" in ~/.bashrc
    zsh:  eval "$(gradspec completion zsh)" in ~/.zshrc, after compinit
    fish: gradspec completion fish > ~/.config/fish/completions/gradspec.fish
    """
    from click.shell_completion import get_completion_class

    from gradspec.cli.app import app

    kind = get_completion_class(shell)
    assert kind is not None
    # Not kind.source(): click runs bash to learn its version there, and says so on stdout.
    made = kind(app, {}, "gradspec", "_GRADSPEC_COMPLETE")
    print(made.source_template % made.source_vars())
    return 0
