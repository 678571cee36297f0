"""``planton setup``: installs Pulumi and its plugins."""

from __future__ import annotations

import click

import planton
from planton.cli import render
from planton.schema import providers


@click.command()
def setup() -> None:
    """Find or install the Pulumi CLI and the plugins.

    Uses a `pulumi` on PATH if its version fits, else downloads it, else builds
    it with Go. Installs into the user's cache folder. You can run it again at
    any time. It prints the PATH with which `pulumi up` runs in your own projects.

    Exit codes: 0 complete, 8 Pulumi cannot be installed here.
    """
    machine = planton.setup(render.progress)
    render.echo_lines([f"pulumi {machine.required}: {machine.pulumi}"])
    for name, version in providers.plugins().items():
        state = "installed" if name in machine.plugins else "not available here; the sandbox has a stand-in for it"
        render.echo_lines([f"{name} plugin {version}: {state}"])
    render.echo_lines(up(machine))


def up(machine: planton.Machine) -> list[str]:
    """Returns how ``pulumi up`` runs on a machine, or what is missing."""
    if machine.language_host is None:
        return ["pulumi up: there is no language host; run: planton setup"]
    lines = [f"pulumi up: runs programs with {machine.language_host}"]
    if not machine.is_on_path:
        lines.append(f'  in your shell: export PATH="{":".join(machine.folders)}:$PATH"')
    if not machine.plugins:
        lines.append('  without an official plugin it reaches the sandbox only: eval "$(planton sandbox env)"')
    return lines
