"""``planton schema``: the schema of manifests, for editors and other programs, and for Kubernetes' API server."""

from __future__ import annotations

import click

from planton.cli import render
from planton.schema import documents


def _complete(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in documents.names() if name.lower().startswith(incomplete.lower())]


@click.command()
@click.argument("kind", metavar="[KIND]", default="", shell_complete=_complete)
@click.option("--crd", is_flag=True, help="Print CustomResourceDefinitions instead, with the rules in CEL.")
@click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(("json", "yaml")),
    default=None,
    help="Output format.  [default: json; yaml with --crd]",
)
def schema(*, kind: str, crd: bool, form: str | None) -> None:
    r"""Print the JSON Schema of manifests (draft 2020-12).

    KIND may be singular or plural, in any case, or Policy; without it the
    schema is for manifests of every kind. No cloud is called.

    \b
    planton schema > planton.schema.json
    planton schema civokubernetescluster

    Editors with the YAML language server check files that begin with this line:

    \b
    # yaml-language-server: $schema=planton.schema.json

    With --crd, prints CustomResourceDefinitions: a Kubernetes API server then
    checks and stores manifests in the form of `planton fmt`.

    \b
    planton schema --crd | kubectl apply -f -

    Exit codes: 0 shown, 1 unknown kind, 2 usage.
    """
    data = _definitions(kind) if crd else [documents.json_schema(kind)]
    if (form or ("yaml" if crd else "json")) == "yaml":
        render.echo_yaml(data)
    elif len(data) == 1:
        render.echo_json(data[0])
    else:
        render.echo_json({"apiVersion": "v1", "kind": "List", "items": data})


def _definitions(kind: str) -> list[object]:
    return [documents.definition(kind)] if kind else documents.definitions()
