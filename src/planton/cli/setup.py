"""``planton setup``: installs what operations need."""

from __future__ import annotations

import click

from planton.cli import render


@click.command()
def setup() -> None:
    """Find or install the Pulumi command line and the plugins.

    Uses a fit `pulumi` from PATH, else downloads it, else builds it with Go.
    Everything goes into the user's cache folder; run again at any time.

    Exit codes: 0 all there, 8 something cannot be had here.
    """
    from planton.engine import toolchain  # `--help` must not wait for it
    from planton.schema import providers

    tools = toolchain.setup(render.progress)
    render.echo_lines([f"pulumi {toolchain.text(toolchain.VERSION)}: {tools.pulumi}"])
    for name, version in providers.plugins().items():
        state = "installed" if name in tools.plugins else "not available here; the sandbox has a stand-in"
        render.echo_lines([f"{name} plugin {version}: {state}"])
