"""``planton convert``: manifests and stack inputs between YAML, JSON and binary."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

import click

from planton import errors, manifest
from planton.cli import output, writing
from planton.manifest import convert as conversion
from planton.manifest import load
from planton.schema import kinds, references

if TYPE_CHECKING:
    from google.protobuf import message

_FORMS = click.Choice(["yaml", "json", "binary"])
_STDIN = "-"
_SECRET_MODE = 0o600


def _complete_kind(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    return [kind.name for kind in kinds.all_kinds() if kind.name.lower().startswith(incomplete.lower())]


@click.command()
@click.option(
    "-f", "--file", "path", required=True, type=click.Path(), metavar="FILE", help="The file to convert, or - for standard input."
)
@click.option("--from", "source", type=_FORMS, default=None, help="Form of FILE.  [default: by its name, else YAML]")
@click.option("--to", "form", type=_FORMS, default=None, help="Output format.  [default: by the name of --out]")
@click.option(
    "--as",
    "result",
    type=click.Choice(["manifest", "stack-input"]),
    default=None,
    help="Type of the result.  [default: the type of FILE]",
)
@click.option(
    "--kind",
    "kind_name",
    default="",
    metavar="KIND",
    help="The kind of binary data that does not name its own.",
    shell_complete=_complete_kind,
)
@click.option(
    "-p", "--provider-config", default="", type=click.Path(), metavar="FILE", help="A file with the account, for a stack input."
)
@click.option(
    "-o",
    "--out",
    default="-",
    show_default=True,
    type=click.Path(),
    metavar="FILE",
    help="The output file; - for standard output.",
)
@click.option("--show-secrets", is_flag=True, help="Write secrets too; the file is then readable by you alone.")
def convert(
    *,
    path: str,
    source: str | None,
    form: str | None,
    result: str | None,
    kind_name: str,
    provider_config: str,
    out: str,
    show_secrets: bool,
) -> None:
    r"""Convert manifests and stack inputs between YAML, JSON and binary.

    Binary is the Protobuf wire form of the manifest or stack input; the same
    content gives the same bytes. The names .yaml, .yml, .json, .binpb, .bin
    and .pb select the form. Everything is checked. References are not resolved, and no
    cloud is called.

    Secrets are redacted unless --show-secrets is given.

    \b
    planton convert -f cluster.yaml --to json
    planton convert -f cluster.yaml --as stack-input -p account.yaml --show-secrets -o cluster.binpb
    planton convert -f cluster.binpb --as manifest --to yaml

    Exit codes: 0 converted, 1 invalid, 2 usage.
    """
    target = form or conversion.form_of(out)
    if not target:
        raise click.UsageError("pass --to yaml, json or binary")
    kind = kinds.parse(kind_name) if kind_name else None
    form_of_source = source or conversion.form_of(path) or conversion.YAML
    values = conversion.read(load.text(path), form=form_of_source, kind=kind)
    _emit([_converted(value, result, provider_config) for value in values], target, out, show_secrets=show_secrets)


def _converted(value: message.Message, result: str | None, provider_config: str) -> message.Message:
    is_input = conversion.is_stack_input(value)
    if result == "manifest" or (result is None and not is_input):
        if provider_config:
            raise click.UsageError("a manifest has no account: --provider-config needs --as stack-input")
        return conversion.as_manifest(value)
    config = None
    if provider_config:
        data = load.text(provider_config).data
        config = manifest.read_provider_config(data, file=provider_config, kind=conversion.kind_of(value))
    for reference in references.find(conversion.as_manifest(value)) if not is_input else ():
        output.warn(f"{reference.path} is a reference, which no module takes: `planton stack-input` resolves it")
    return conversion.as_stack_input(value, config)


def _emit(values: list[message.Message], form: str, out: str, *, show_secrets: bool) -> None:
    secret = any(conversion.redacted(value) != value for value in values)
    if secret and not show_secrets:
        output.warn("secrets are redacted; --show-secrets writes them")
    data = conversion.dump(values, form, show_secrets=show_secrets)
    if out != _STDIN:
        writing.write(pathlib.Path(out), data, mode=_SECRET_MODE if secret and show_secrets else None)
        return
    if form == conversion.BINARY and output.is_terminal():
        raise errors.usage(
            "binary data is not written to a terminal",
            hint="write it to a file with -o FILE, or into a pipe",
        )
    if form == conversion.BINARY:
        click.echo(data, nl=False)
    else:
        output.echo_document(data.decode())
