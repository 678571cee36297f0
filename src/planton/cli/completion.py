"""``planton completion``: prints the completion script of a shell."""

from __future__ import annotations

import click
from click import shell_completion

from planton.cli import group, output


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    r"""Print the completion script of a shell.

    \b
    bash:  echo 'eval "$(planton completion bash)"' >> ~/.bashrc
    zsh:   echo 'eval "$(planton completion zsh)"' >> ~/.zshrc
    fish:  planton completion fish > ~/.config/fish/completions/planton.fish
    """
    completion_class = shell_completion.get_completion_class(shell)
    if completion_class is None:
        raise click.UsageError(f"no completion for {shell}")
    script = completion_class(group.cli, {}, "planton", "_PLANTON_COMPLETE")
    # `source()` would first run the shell to read its version.
    output.echo_document(script.source_template % script.source_vars() + "\n")
