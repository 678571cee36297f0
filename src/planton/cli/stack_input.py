"""``planton stack-input``: the stack input of manifests, for standalone projects and for a look."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from planton.cli import options, output, render
from planton.deploy.run import Run
from planton.manifest import stack_input as stack_inputs

if TYPE_CHECKING:
    from planton.config import settings as engine_settings


@click.command("stack-input")
@options.sources
@options.engine
@click.option("--show-secrets", is_flag=True, help="Write the token too, so that the file can be used.")
@output.output_option("yaml", "json")
def stack_input(*, given: options.Sources, settings: engine_settings.Settings, show_secrets: bool, form: str) -> None:
    """Print what the module is given: defaults applied, references resolved.

    Secrets are redacted unless --show-secrets is given.

    Exit codes: 0 printed, 1 invalid, 2 usage, 8 credentials missing.
    """
    run = Run(given.read(), settings, options.tools(settings))
    data = [stack_inputs.file_dict(run.stack_input(key), show_secrets=show_secrets) for key in run.order]
    if form == "json":
        render.echo_json(data[0] if len(data) == 1 else data)
    else:
        render.echo_yaml(json.loads(json.dumps(data)))
