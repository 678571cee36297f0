"""``planton state migrate``: copies states to another backend or another encryption."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

import click

import planton
from planton.cli import complete, options, output, render, state_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planton.config import settings as engine_settings
    from planton.engine import stacks


@click.command()
@click.argument("resources", nargs=-1, metavar="[KIND/NAME]...", shell_complete=complete.resource)
@click.option("--to", default="", metavar="BACKEND", help="URL of the target backend.  [default: the current backend]")
@click.option("--secrets-provider", default="", metavar="URL", help="Encrypt with this key: awskms://, gcpkms://, …")
@click.option(
    "--passphrase-file", default="", type=click.Path(), metavar="FILE", help="Encrypt with the passphrase in this file."
)
@options.which
@options.engine
@click.option("--yes", "-y", is_flag=True, help="Skip the confirmation.")
@output.output_option("text", "json")
def migrate(
    *,
    resources: tuple[str, ...],
    to: str,
    secrets_provider: str,
    passphrase_file: str,
    env: str | None,
    stack: str,
    settings: engine_settings.Settings,
    yes: bool,
    form: str,
) -> None:
    """Copy states to another backend or another encryption, or both.

    Migrates the named stacks, or all. The source stays complete; without --to, the
    previous states are saved in the folder backups of the data folder. After a
    fault, run the same command again to continue. The history of the stacks stays in
    the source.

    Exit codes: 0 migrated, 1 not applied, 2 usage, 5 refused, 6 the backend failed,
    7 locked, 8 wrong passphrase.
    """
    file = str(pathlib.Path(passphrase_file).resolve()) if passphrase_file else ""
    with planton.states(settings) as states:
        migration = planton.migration(states, backend=to, secrets_provider=secrets_provider, passphrase_file=file)
        target = migration.destination
        chosen = resources or ([""] if stack else [])
        names = [states.find(each, stack=stack, env=options.env_of(settings, env)) for each in chosen] or _filled(states)
        render.progress(f"{len(names)} stacks from {settings.backend_url} to {target.backend_url}")
        options.confirm("Migrate?", yes=yes)
        moved = {}
        for name in names:
            moved[str(name)] = migration.move(name)
            render.progress(f"{name}: " + ("migrated" if moved[str(name)] else "already migrated"))
    stacks_moved = [{"stack": name, "migrated": done} for name, done in moved.items()]
    state_options.report(
        form,
        _next_step(to, secrets_provider, file),
        **{"from": settings.backend_url, "to": target.backend_url, "stacks": stacks_moved},
    )


def _filled(states: planton.Stores) -> Sequence[stacks.StackName]:
    return [each.name for each in states.all() if each.resources or each.problem]


def _next_step(backend: str, secrets_provider: str, passphrase_file: str) -> str:
    choices = [("--backend", backend), ("--secrets-provider", secrets_provider), ("--passphrase-file", passphrase_file)]
    arguments = " ".join(f"{option} {value}" for option, value in choices if value)
    return f"use them with a context: planton context create NAME {arguments} --use"
