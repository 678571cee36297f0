"""``planton completion``: the script that makes a shell complete planton's commands and options."""

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
    found = shell_completion.get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"no completion for {shell}")
    script = found(group.cli, {}, "planton", "_PLANTON_COMPLETE")
    # The script itself, not `source()`, which would first run the shell to learn its version.
    output.echo_document(script.source_template % script.source_vars() + "\n")
