"""``planton stack-input``: prints the stack inputs of manifests, for standalone projects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

import planton
from planton.cli import options, output, render
from planton.manifest import stack_input as stack_inputs

if TYPE_CHECKING:
    from planton.config import settings as engine_settings
    from planton.manifest import selection


@click.command("stack-input")
@options.sources
@options.engine
@click.option("--show-secrets", is_flag=True, help="Write the token too, so that the file can be used.")
@output.output_option("yaml", "json")
def stack_input(*, selected: selection.Selection, settings: engine_settings.Settings, show_secrets: bool, form: str) -> None:
    """Print the stack input of a manifest: defaults applied, references resolved.

    Secrets are redacted unless --show-secrets is given.

    Exit codes: 0 printed, 1 invalid, 2 usage, 8 credentials missing.
    """
    inputs = planton.stack_inputs(selected.read(), settings=settings)
    data = [stack_inputs.file_dict(each, show_secrets=show_secrets) for each in inputs]
    if form == "json":
        render.echo_json(data[0] if len(data) == 1 else data)
    else:
        render.echo_yaml(json.loads(json.dumps(data)))
