"""``planton state import | forget | move | unlock``: the commands that change one state."""

from __future__ import annotations

import pathlib
import sys
from typing import TYPE_CHECKING

import click

import planton
from planton import errors
from planton.cli import complete, options, output, render, state_options

if TYPE_CHECKING:
    from planton.config import settings as engine_settings


@click.command("import")
@state_options.stack
@click.option(
    "-f", "--file", "path", required=True, type=click.Path(), metavar="FILE", help="An exported state, or - for standard input."
)
@click.option("--yes", "-y", is_flag=True, help="Skip the confirmation.")
@output.output_option("text", "json")
def import_(*, states: planton.Stores, find_stack: state_options.Find, path: str, yes: bool, form: str) -> None:
    """Replace the state of a stack by an exported state.

    A missing stack is created. The previous state is saved in the folder backups
    of the data folder. Run planton refresh afterwards to update the state from the
    cloud.

    Exit codes: 0 imported, 2 usage, 5 refused or not a state of this stack, 7 locked.
    """
    name = find_stack(create=True)
    deployment = states.parse(name, _read(path))
    before = states.look(name)
    count = states.count(deployment)
    render.progress(f"{name}: {before.resources} resources now, {count} in {path}")
    options.confirm("Replace the state?", yes=yes, is_grave=True)
    backup = states.replace(name, deployment)
    message = f"{name} has the state of {path}" + (f"; the previous state is in {backup}" if backup else "")
    state_options.report(form, message, stack=str(name), resources=count, backup=str(backup) if backup else None)


def _read(path: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else pathlib.Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise errors.manifest_unreadable(f"cannot read {path}: {reason}", path) from None


@click.command()
@state_options.stack
@click.option("--only", default="", metavar="RESOURCE", help="Only this resource of the stack, and what depends on it.")
@click.option("--yes", "-y", is_flag=True, help="Skip the confirmation.")
@output.output_option("text", "json")
def forget(*, states: planton.Stores, find_stack: state_options.Find, only: str, yes: bool, form: str) -> None:
    """Remove a stack, or one of its resources, from the state only.

    The resource keeps running in the cloud, and keeps costing money. planton import
    brings it back under management. RESOURCE is a name as planton state show lists
    it, or a URN. Deletion protection does not apply, because nothing is deleted.

    Exit codes: 0 removed, 1 no such stack, 2 usage, 5 refused, 7 locked.
    """
    name = find_stack()
    remaining, removed = states.forgotten(name, only) if only else ({}, [each.name for each in states.resources(name)])
    applied = states.inventory.read(name)
    render.progress(
        f"remove from the state of {name}: {', '.join(removed) or 'nothing'}; it keeps running, and costing money, in the cloud"
    )
    if applied is not None and applied.protected:
        render.progress("! it is protected against deletion; the protection ends with its state")
    options.confirm("Remove it from the state?", yes=yes, is_grave=True)
    backup = states.replace(name, remaining) if only else states.forget(name)
    state_options.report(
        form, f"removed from the state; the previous state is in {backup}", stack=str(name), forgotten=removed, backup=str(backup)
    )


@click.command()
@click.argument("resource", metavar="KIND/NAME", shell_complete=complete.resource)
@click.argument("newname", metavar="NEWNAME")
@click.option("--to-env", default=None, metavar="ENV", help="Move it to this environment, too.")
@options.which
@options.engine
@click.option("--yes", "-y", is_flag=True, help="Skip the confirmation.")
@output.output_option("text", "json")
def move(
    *,
    resource: str,
    newname: str,
    to_env: str | None,
    env: str | None,
    stack: str,
    settings: engine_settings.Settings,
    yes: bool,
    form: str,
) -> None:
    """Rename an applied resource, in the state only.

    Change its manifest too (metadata.name, metadata.env): the next apply then
    continues with the existing resource instead of creating another one.

    Exit codes: 0 renamed, 1 not applied, 2 usage, 5 refused, 7 locked.
    """
    applied = planton.find(resource, env=options.env_of(settings, env), stack=stack, settings=settings)
    new_env = applied.key.env if to_env is None else to_env
    render.progress(f"{applied.key} becomes {newname}" + (f" (env {new_env})" if new_env else ""))
    render.progress("update the manifests that refer to it by name")
    options.confirm("Rename?", yes=yes)
    with planton.states(settings) as states:
        moved = states.move(applied, newname, new_env)
    state_options.report(
        form, f"renamed; its stack is {moved}", stack=str(moved), kind=applied.key.kind, name=newname, env=new_env
    )


@click.command()
@state_options.stack
@click.option("--force", is_flag=True, help="Remove it even if its holder runs on this machine.")
@click.option("--yes", "-y", is_flag=True, help="Skip the confirmation.")
@output.output_option("text", "json")
def unlock(*, states: planton.Stores, find_stack: state_options.Find, force: bool, yes: bool, form: str) -> None:
    """Remove the lock of an operation that was killed.

    The lock of a process that runs on this machine is removed only with --force.
    Check other machines yourself: two operations at once damage a state.

    Exit codes: 0 removed, 1 no such stack, 2 usage, 5 refused, 7 the holder runs.
    """
    name = find_stack(locked=True)
    holders = states.look(name).holders
    if not holders and states.settings.backend_folder is not None:
        state_options.report(form, f"{name} is not locked", stack=str(name), unlocked=False, lockedBy=[])
        return
    states.require_unheld(name, force=force)
    render.progress(f"{name} is locked by {', '.join(holders) or 'an unknown process'}")
    options.confirm("Remove the lock?", yes=yes)
    states.unlock(name, force=force)
    message = "unlocked; the next apply, refresh or destroy reads the cloud first"
    state_options.report(form, message, stack=str(name), unlocked=True, lockedBy=list(holders))
