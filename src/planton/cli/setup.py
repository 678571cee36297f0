"""``planton setup``: installs Pulumi and its plugins."""

from __future__ import annotations

import click

import planton
from planton.cli import render
from planton.schema import providers


@click.command()
def setup() -> None:
    """Find or install the Pulumi CLI and the plugins.

    Uses a `pulumi` on PATH if its version fits, else downloads it, else builds it
    with Go. Installs into the user's cache folder. You can run it again at any time.

    Exit codes: 0 complete, 8 Pulumi cannot be installed here.
    """
    machine = planton.setup(render.progress)
    render.echo_lines([f"pulumi {machine.required}: {machine.pulumi}"])
    for name, version in providers.plugins().items():
        state = "installed" if name in machine.plugins else "not available here; the sandbox has a stand-in for it"
        render.echo_lines([f"{name} plugin {version}: {state}"])
