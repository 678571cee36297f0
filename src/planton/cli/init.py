"""``planton init``: manifests to start from."""

from __future__ import annotations

import pathlib
import shlex

import click

from planton import errors
from planton.base import terminal
from planton.cli import output, render, writing
from planton.manifest import templates
from planton.schema import providers

_PARTS = ("cluster", "nodepool", "network", "environment")
_TEMPLATES = ("dev", "staging", "prod")
_STDOUT = "-"
#: The clouds that there are templates for → their usual region.
_REGIONS = {provider.name: provider.sample_region for provider in providers.all_providers().values() if provider.sample_region}


def _complete_region(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    chosen = [context.params["provider"]] if context.params.get("provider") else list(_REGIONS)
    regions = {region for provider in chosen for region in templates.regions(provider)}
    return sorted(region for region in regions if region.startswith(incomplete.lower()))


@click.command()
@click.argument("part", type=click.Choice(_PARTS))
@click.option("--provider", type=click.Choice(list(_REGIONS)), required=True, help="The cloud.")
@click.option("--template", type=click.Choice(_TEMPLATES), default="dev", show_default=True, help="Size of the setup.")
@click.option("--name", default="", metavar="NAME", help="The prefix of all names.  [default: the environment]")
@click.option("--env", default="", metavar="ENV", help="The environment.  [default: that of the template]")
@click.option(
    "--region",
    default="",
    metavar="REGION",
    help=f"The region.  [default: {' or '.join(_REGIONS.values())}]",
    shell_complete=_complete_region,
)
@click.option(
    "-o", "--out", default=".", metavar="DIR", help="The folder to write to, or - for standard output.  [default: this one]"
)
@click.option("--force", is_flag=True, help="Replace existing files.")
def init(*, part: str, provider: str, template: str, name: str, env: str, region: str, out: str, force: bool) -> None:
    r"""Write commented manifests as a start, one file for each resource.

    \b
    network      the network and, where the cloud has it, a firewall
    cluster      a cluster and its node pools; refers to the network
    nodepool     node pools; refer to the cluster
    environment  all of it

    The template dev is small, and staging has two pools. The template prod has several pools with taints, labels and bounds. It
    protects the cluster from deletion, restricts access to its API server, and is highly available if the cloud supports it.
    Look for REPLACE in the files.

    \b
    planton init environment --provider civo --template dev -o dev
    planton apply -f dev

    Exit codes: 0 written, 2 usage, 5 a file exists.
    """
    files = templates.make(part, provider, template, name=name, env=env, region=region)
    if out == _STDOUT:
        output.echo_document("---\n".join(files.values()))
        return
    _write(pathlib.Path(out), files, force=force)
    render.progress(f"next: planton plan -f {shlex.quote(out)}")


def _write(folder: pathlib.Path, texts: dict[str, str], *, force: bool) -> None:
    files = {folder / file: text for file, text in texts.items()}
    existing = [str(path) for path in files if path.exists() or path.is_symlink()]
    if existing and not force:
        raise errors.PlantonError(
            f"nothing was written: {', '.join(existing)} {'is' if len(existing) == 1 else 'are'} there already",
            reason=errors.Reason.CONSENT_REQUIRED,
            hint="write to another folder with -o DIR, or replace them with --force",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise errors.PlantonError(
            f"cannot create the folder {folder}: {error.strerror}",
            reason=errors.Reason.MANIFEST_UNREADABLE,
        ) from None
    for path, text in files.items():
        writing.write(path, text.encode())
        output.echo(terminal.one_line(str(path)))
