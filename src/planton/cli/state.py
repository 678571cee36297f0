"""``planton state``: states as such. The cloud is neither asked nor changed."""

from __future__ import annotations

import functools
import json
import pathlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from planton import errors
from planton.base import terminal
from planton.cli import options, output, render, times, writing
from planton.deploy import identify

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planton.config import settings as engine_settings
    from planton.engine import stacks
    from planton.state import stores

F = TypeVar("F", bound=Callable[..., Any])
_HEADER = ("STACK", "KIND", "NAME", "ENV", "RESOURCES", "UPDATED", "LAST OPERATION", "LOCK")


@click.group()
def state() -> None:
    """Look at states, keep, move and mend them.

    A state is what the engine remembers of the cloud resources of a stack. None
    of these commands asks or changes the cloud.
    """


def _stack(function: F) -> F:
    """Adds the options that say which stack is meant, as ``found``: a function from the states to its name."""

    @click.argument("resource", default="", metavar="[KIND/NAME]", shell_complete=options.complete_resource)
    @click.option(
        "--stack", default="", metavar="PROJECT/STACK", help="The stack, in place of KIND/NAME or where that is ambiguous."
    )
    @click.option("--env", default=None, metavar="ENV", help="The environment, where KIND/NAME is ambiguous.")
    @options.engine
    @functools.wraps(function)
    def wrapped(
        *args: object, resource: str, stack: str, env: str | None, settings: engine_settings.Settings, **rest: object
    ) -> object:
        if not (resource or stack):
            raise _usage("give KIND/NAME, or --stack PROJECT/STACK", "planton state list lists both")
        find = functools.partial(_find, resource, stack, options.env_of(settings, env))
        return function(*args, known=_open(settings), find=find, **rest)

    return wrapped  # type: ignore[return-value]  # click decorates functions of any signature


def _open(settings: engine_settings.Settings) -> stores.Stores:
    from planton.state import stores  # `--help` must not wait for it

    return stores.Stores(settings, options.tools(settings))


def _find(
    resource: str, stack: str, env: str | None, known: stores.Stores, *, create: bool = False, locked: bool = False
) -> stacks.StackName:
    from planton.engine import stacks  # as above

    if not resource:
        return stacks.parse(stack)
    kind, name = identify.parse(resource)
    try:
        return known.inventory.get(kind, name, env, stack).stack
    except errors.PlantonError as error:
        if error.reason is not errors.Reason.STACK_NOT_FOUND:
            raise
        # A killed first operation can leave a lock without a state.
        held = _locked(kind.name, name, env, known) if locked else []
        if len(held) == 1:
            return held[0]
        if not create:
            raise
        return stacks.parse(stack) if stack else stacks.derived(kind.name, name, env or "")


def _locked(kind: str, name: str, env: str | None, known: stores.Stores) -> list[stacks.StackName]:
    from planton.engine import stacks  # as above

    held = [each for each in known.locked() if each.project == stacks.PROJECT]
    if env is None:
        return [each for each in held if each.stack.endswith(f".{kind}.{name}")]
    return [each for each in held if each == stacks.derived(kind, name, env)]


def _usage(text: str, hint: str) -> errors.PlantonError:
    return errors.PlantonError(text, code=errors.Code.USAGE, reason=errors.Reason.USAGE, hint=hint)


@state.command("list")
@options.engine
@output.output_option("table", "json")
def list_(*, settings: engine_settings.Settings, form: str) -> None:
    """List all stacks of the backend, those of other programs too.

    A stack in which nothing was ever made is left out, as one of a plan.
    LAST OPERATION says whether it came to its end, as far as the state and this
    machine know. LOCK is known of backends that are folders.
    """
    found = [each for each in _open(settings).all() if not each.empty]
    if form == "json":
        render.echo_json([_data(each) for each in found])
    else:
        render.echo_lines(render.table([_HEADER, *map(_row, found)]) if found else ["there are no stacks"])
    for each in found:
        if each.problem and form != "json":
            output.warn(f"{each.name}: {each.problem}")


def _row(each: stores.Stored) -> tuple[str, ...]:
    key = ("-", "-", "-") if each.key is None else (each.key.kind, each.key.name, each.key.env or "-")
    ended = "unreadable" if each.problem else "ended" if each.clean else "did not end"
    return (str(each.name), *key, str(each.resources), times.utc(each.updated), ended, ", ".join(each.holders) or "-")


def _data(each: stores.Stored) -> dict[str, Any]:
    key = each.key
    return {
        "stack": str(each.name),
        "kind": key.kind if key else None,
        "name": key.name if key else None,
        "env": key.env if key else None,
        "resources": each.resources,
        "updated": each.updated or None,
        "lastOperationEnded": each.clean,
        "lockedBy": list(each.holders),
        "problem": each.problem or None,
    }


@state.command()
@_stack
@output.output_option("text", "json")
def show(*, known: stores.Stores, find: Callable[..., stacks.StackName], form: str) -> None:
    """Show the resources of a state; secrets are redacted.

    Exit codes: 0 shown, 1 there is no such stack, 2 usage.
    """
    from planton.state import stores  # as above

    name = find(known)
    data = [
        {
            "name": each["urn"].rsplit("::", 1)[-1],
            "type": each["type"],
            "id": each.get("id", ""),
            "urn": each["urn"],
            "inputs": stores.redacted(each.get("inputs") or {}),
            "outputs": stores.redacted(each.get("outputs") or {}),
        }
        for each in stores.resources(known.open(name).export())
    ]
    if form == "json":
        render.echo_json({"stack": str(name), "resources": data})
    else:
        render.echo_lines(line for each in data for line in _lines(each))


def _lines(resource: dict[str, Any]) -> list[str]:
    lines = [terminal.style(terminal.one_line(resource["name"]), "bold") + f"  ({resource['type']})"]
    lines += [f"  {part}: {resource[part] or '-'}" for part in ("id", "urn")]
    for part in ("inputs", "outputs"):
        lines += [f"  {part}:", *(f"    {key}: {_text(value)}" for key, value in sorted(resource[part].items()))]
    return lines


def _text(value: Any) -> str:  # JSON data
    return terminal.one_line(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@state.command()
@_stack
@click.option("--out", default="", metavar="FILE", help="Write it there, with mode 0600.  [default: standard output]")
def export(*, known: stores.Stores, find: Callable[..., stacks.StackName], out: str) -> None:
    """Print a state as Pulumi's JSON; its secrets stay encrypted.

    Exit codes: 0 done, 1 there is no such stack, 2 usage.
    """
    from planton.state import stores  # as above

    text = stores.text(known.open(find(known)).export())
    if out:
        writing.write(pathlib.Path(out), text.encode(), mode=0o600)
        render.progress(f"written to {out}")
    else:
        output.echo_document(text)


@state.command("import")
@_stack
@click.option("-f", "--file", "path", required=True, metavar="FILE", help="An exported state, or - .")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@output.output_option("text", "json")
def import_(*, known: stores.Stores, find: Callable[..., stacks.StackName], path: str, yes: bool, form: str) -> None:
    """Put an exported state in place of that of its stack.

    The stack is made if need be. What was its state is kept in the folder
    backups of the data folder. To make the state what the cloud says, run
    planton refresh afterwards.

    Exit codes: 0 done, 2 usage, 5 refused or not a state of this stack, 7 locked.
    """
    from planton.state import stores  # as above

    deployment = stores.parse(_read(path))
    name = find(known, create=True)
    stores.check(name, deployment)
    before = known.look(name)
    given = len(stores.resources(deployment))
    render.progress(f"{name}: {before.resources} resources now, {given} in {path}")
    options.confirm("Replace the state?", yes=yes)
    kept = known.replace(name, deployment)
    said = f"{name} has the state of {path}" + (f"; the one before is in {kept}" if kept else "")
    _done(form, said, stack=str(name), resources=given, backup=str(kept) if kept else None)


def _done(form: str, said: str, **data: object) -> None:
    """Tells what was done: a line of progress, and as JSON a document."""
    render.progress(said)
    if form == "json":
        render.echo_json(data)


def _read(path: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else pathlib.Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise errors.PlantonError(
            f"cannot read {path}: {why}", code=errors.Code.USAGE, reason=errors.Reason.MANIFEST_UNREADABLE
        ) from None


@state.command()
@_stack
@click.option("--only", default="", metavar="RESOURCE", help="Only this resource of the stack, and what depends on it.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@output.output_option("text", "json")
def forget(*, known: stores.Stores, find: Callable[..., stacks.StackName], only: str, yes: bool, form: str) -> None:
    """Remove a stack, or one resource of it, from the state only.

    The cloud keeps what is forgotten, and goes on charging for it; nobody looks
    after it until planton import takes it back. RESOURCE is a name as planton
    state show lists it, or a URN. Protection against deletion does not matter
    here, because nothing is deleted.

    Exit codes: 0 done, 1 there is no such stack, 2 usage, 5 refused, 7 locked.
    """
    name = find(known)
    left, gone = known.forgotten(name, only) if only else ({}, _all(known, name))
    applied = known.inventory.read(name)
    render.progress(f"the cloud keeps, and {name} forgets: {', '.join(gone) or 'nothing'}")
    if applied is not None and applied.protected:
        render.progress("! it is protected against deletion; what is forgotten is not deleted, and no longer protected")
    options.confirm("Forget?", yes=yes)
    kept = known.replace(name, left) if only else known.forget(name)
    _done(form, f"forgotten; the state before is in {kept}", stack=str(name), forgotten=gone, backup=str(kept))


def _all(known: stores.Stores, name: stacks.StackName) -> list[str]:
    from planton.state import stores  # as above

    return [each["urn"].rsplit("::", 1)[-1] for each in stores.resources(known.open(name).export())]


@state.command()
@click.argument("resource", metavar="KIND/NAME", shell_complete=options.complete_resource)
@click.argument("newname", metavar="NEWNAME")
@click.option("--to-env", default=None, metavar="ENV", help="Move it to this environment, too.")
@options.which
@options.engine
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
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
    """Give an applied resource another name, in the state only.

    Do the same in its manifest (metadata.name, metadata.env): the next apply then
    goes on with the resource that is there, instead of making another one.

    Exit codes: 0 done, 1 not applied, 2 usage, 5 refused, 7 locked.
    """
    known = _open(settings)
    kind, name = identify.parse(resource)
    applied = known.inventory.get(kind, name, options.env_of(settings, env), stack)
    new_env = applied.key.env if to_env is None else to_env
    render.progress(f"{applied.key} becomes {newname}" + (f" (env {new_env})" if new_env else ""))
    render.progress("manifests that refer to it by name must name the new one")
    options.confirm("Rename?", yes=yes)
    moved = known.move(applied, newname, new_env)
    _done(form, f"renamed; its stack is {moved}", stack=str(moved), kind=kind.name, name=newname, env=new_env)


@state.command()
@_stack
@click.option("--force", is_flag=True, help="Even though the holder runs on this machine.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@output.output_option("text", "json")
def unlock(*, known: stores.Stores, find: Callable[..., stacks.StackName], force: bool, yes: bool, form: str) -> None:
    """Remove the lock that an operation has left behind when it was killed.

    A lock whose holder still runs on this machine stays, unless --force is given.
    Whether one on another machine still runs, you must know: two operations at
    once damage a state.

    Exit codes: 0 done, 1 there is no such stack, 2 usage, 5 refused, 7 the holder runs.
    """
    name = find(known, locked=True)
    holders = known.look(name).holders
    if not holders and known.settings.backend_folder is not None:
        _done(form, f"{name} is not locked", stack=str(name), unlocked=False, lockedBy=[])
        return
    known.require_gone(name, force=force)
    render.progress(f"{name} is locked by {', '.join(holders) or 'somebody'}")
    options.confirm("Remove the lock?", yes=yes)
    known.unlock(name, force=force)
    said = "unlocked; the next apply, refresh or destroy looks at the cloud first"
    _done(form, said, stack=str(name), unlocked=True, lockedBy=list(holders))


@state.command()
@click.argument("resources", nargs=-1, metavar="[KIND/NAME]...", shell_complete=options.complete_resource)
@click.option("--to", default="", metavar="BACKEND", help="URL of the backend to move to.  [default: stay]")
@click.option("--secrets-provider", default="", metavar="URL", help="Encrypt with this key: awskms://, gcpkms://, …")
@click.option("--passphrase-file", default="", metavar="FILE", help="Encrypt with the passphrase in this file.")
@options.which
@options.engine
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
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
    """Copy states to another backend, encrypt them anew, or both.

    All stacks are meant, or those that are given. Nothing of the source
    is deleted; without --to, the states before are kept in the folder backups of
    the data folder. After a fault, the same command goes on. The history of the
    stacks stays in the source.

    Exit codes: 0 done, 1 not applied, 2 usage, 5 refused, 6 the backend failed,
    7 locked, 8 a passphrase does not fit.
    """
    from planton.state import migration  # as above

    known = _open(settings)
    file = str(pathlib.Path(passphrase_file).resolve()) if passphrase_file else ""
    target = migration.target(settings, backend=to, secrets_provider=secrets_provider, passphrase_file=file)
    meant = resources or ([""] if stack else [])
    names = [_find(each, stack, options.env_of(settings, env), known) for each in meant] or _filled(known)
    render.progress(f"{len(names)} stacks from {settings.backend_url} to {target.backend_url}")
    options.confirm("Migrate?", yes=yes)
    going = migration.Migration(settings, target, options.tools(settings))
    moved = {}
    for name in names:
        moved[str(name)] = going.move(name)
        render.progress(f"{name}: " + ("migrated" if moved[str(name)] else "is there already"))
    stacks_moved = [{"stack": name, "migrated": done} for name, done in moved.items()]
    said = _use(to, secrets_provider, file)
    _done(form, said, **{"from": settings.backend_url, "to": target.backend_url, "stacks": stacks_moved})


def _filled(known: stores.Stores) -> Sequence[stacks.StackName]:
    return [each.name for each in known.all() if each.resources or each.problem]


def _use(backend: str, secrets_provider: str, passphrase_file: str) -> str:
    given = [("--backend", backend), ("--secrets-provider", secrets_provider), ("--passphrase-file", passphrase_file)]
    options_ = " ".join(f"{option} {value}" for option, value in given if value)
    return f"from now on use them with a context: planton context create NAME {options_} --use"
