"""``planton schema``: the JSON Schema of manifests, for editors and for other programs."""

from __future__ import annotations

import click

from planton.cli import render


def _complete(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    from planton import json_schema  # only while completing

    return [name for name in json_schema.names() if name.lower().startswith(incomplete.lower())]


@click.command()
@click.argument("kind", metavar="[KIND]", default="", shell_complete=_complete)
def schema(*, kind: str) -> None:
    r"""Print the JSON Schema of manifests (draft 2020-12).

    KIND may be singular or plural, in any case, or Policy; without it the
    schema is for manifests of every kind. Nothing is asked of any cloud.

    \b
    planton schema > planton.schema.json
    planton schema civokubernetescluster

    An editor with the YAML language server shows mistakes, meanings and names
    while you type, in files that begin with

    \b
    # yaml-language-server: $schema=planton.schema.json

    Exit codes: 0 shown, 1 unknown kind.
    """
    from planton import json_schema  # `--help` must not wait for it

    render.echo_json(json_schema.document(kind))
