"""``planton version``: shows the installed versions."""

from __future__ import annotations

import json
import platform
from importlib import metadata

import click

import planton
from planton.cli import output
from planton.schema import providers

_PACKAGES = ("protobuf", "protovalidate", "PyYAML")


@click.command()
@output.output_option("text", "json")
def version(form: str) -> None:
    """Show the versions of planton and its dependencies."""
    of_clouds = [name for provider in providers.all_providers().values() for name in provider.distributions]
    versions = {"planton": planton.__version__, "python": platform.python_version()}
    versions |= {name: number for name in (*_PACKAGES, *of_clouds) if (number := _installed(name))}
    if form == "json":
        output.echo(json.dumps(versions, indent=2))
        return
    for name, number in versions.items():
        output.echo(f"{name:<20} {number}")


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
