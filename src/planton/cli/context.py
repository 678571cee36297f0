"""``planton context``: sets of backend, environment, accounts and secrets provider, by name."""

from __future__ import annotations

import os
import pathlib
from typing import TYPE_CHECKING

import click

from planton import errors
from planton.cli import complete, output, render
from planton.config import contexts
from planton.schema import providers

if TYPE_CHECKING:
    from collections.abc import Sequence


_HEADER = ("CURRENT", "NAME", "BACKEND", "ENV", "CREDENTIALS", "SECRETS")


@click.group()
def context() -> None:
    r"""Manage contexts: named sets of backend, accounts and settings.

    A context sets defaults for every command that reads states or clouds: the
    backend, the default environment of KIND/NAME, the entry of the
    credentials file for each cloud, and how secrets of new states are encrypted.
    Options and environment variables take precedence over it. A credential that
    it names takes precedence over a token in the environment. It changes no
    manifest.

    \b
    planton context create staging --backend s3://acme-state --env staging \
      --credential civo=acme-staging
    planton context use staging
    planton get --context production
    """


@context.command()
@click.argument("name")
@click.option("--backend", default="", metavar="URL", help="Pulumi backend.")
@click.option("--env", default="", metavar="ENV", help="Default environment of KIND/NAME.")
@click.option("--credential", "credentials", multiple=True, metavar="CLOUD=ENTRY", help="Entry of the credentials file.")
@click.option(
    "--secrets-provider",
    default="",
    metavar="URL",
    help="Key for new states: awskms://, gcpkms://, azurekeyvault://, hashivault://",
)
@click.option("--passphrase-file", default="", type=click.Path(), metavar="FILE", help="The passphrase of the states.")
@click.option("--overwrite", is_flag=True, help="Replace a context of this name.")
@click.option("--use", is_flag=True, help="Make it the current context.")
@output.output_option("text", "json")
def create(
    *,
    name: str,
    backend: str,
    env: str,
    credentials: tuple[str, ...],
    secrets_provider: str,
    passphrase_file: str,
    overwrite: bool,
    use: bool,
    form: str,
) -> None:
    """Add a context. Omitted options stay unset.

    Exit codes: 0 done, 2 usage.
    """
    context_ = contexts.checked(
        contexts.Context(name, backend, env, _pairs(credentials), secrets_provider, _absolute(passphrase_file))
    )
    saved = contexts.read(os.environ)
    if name in saved.named and not overwrite:
        raise _usage(f"there is a context {name!r}", "planton context show shows it; --overwrite replaces it")
    saved = saved.having(context_)
    contexts.write(saved.using(name) if use else saved, os.environ)
    _done(form, f"context {name} is in {contexts.file(os.environ)}", context_)


def _done(form: str, text: str, changed: contexts.Context) -> None:
    """Reports a change: a line of progress and, as JSON, the context."""
    render.progress(text)
    if form == "json":
        used = contexts.read(os.environ).current
        render.echo_json(_data(changed, used) | {"name": changed.name or contexts.NONE})


def _pairs(words: Sequence[str]) -> dict[str, str]:
    pairs = [word.partition("=") for word in words]
    wrong = next((word for word, (cloud, _, entry) in zip(words, pairs, strict=True) if not cloud or not entry), None)
    if wrong is not None:
        raise _usage(f"{wrong!r} is not CLOUD=ENTRY", f"write for example {providers.default().name}=acme-dev")
    return {cloud: entry for cloud, _, entry in pairs}


def _absolute(path: str) -> str:
    if path and not pathlib.Path(path).is_file():
        raise _usage(f"{path} is no file", "write the passphrase into a file of mode 0600 first")
    return str(pathlib.Path(path).resolve()) if path else ""


def _usage(text: str, hint: str) -> errors.PlantonError:
    return errors.usage(text, hint=hint)


@context.command()
@click.argument("name", shell_complete=complete.context)
@output.output_option("text", "json")
def use(*, name: str, form: str) -> None:
    """Make a context the current one; `default` means no context.

    Exit codes: 0 done, 2 there is no such context.
    """
    saved = contexts.read(os.environ).using(name)
    contexts.write(saved, os.environ)
    _done(form, f"the current context is {name}", saved.get(name))
    chosen = os.environ.get(contexts.CHOICE_VARIABLE)
    if chosen and chosen != name:
        output.warn(f"{contexts.CHOICE_VARIABLE}={chosen} goes before it in this shell; unset that, or give --context {name}")


@context.command("list")
@output.output_option("table", "json")
def list_(*, form: str) -> None:
    """List the contexts."""
    saved = contexts.read(os.environ)
    used = contexts.choose("", os.environ).name
    if form == "json":
        render.echo_json([_data(saved.named[name], used) for name in sorted(saved.named)])
        return
    rows = [_row(saved.named[name], used) for name in sorted(saved.named)]
    render.echo_lines(render.table([_HEADER, *rows]) if rows else ["there are no contexts"])


def _row(each: contexts.Context, used: str) -> tuple[str, ...]:
    accounts = ", ".join(f"{cloud}={entry}" for cloud, entry in each.credentials.items())
    cells = (each.backend, each.env, accounts, each.secrets_provider or each.passphrase_file)
    return ("*" if each.name == used else "", each.name, *(cell or "-" for cell in cells))


def _data(each: contexts.Context, used: str) -> dict[str, object]:
    return {"name": each.name, "current": each.name == used, **each.as_dict()}


@context.command()
@click.argument("name", default="", shell_complete=complete.context)
@output.output_option("text", "json")
def show(*, name: str, form: str) -> None:
    """Show a context, or the current one.

    Exit codes: 0 shown, 2 there is no such context.
    """
    used = contexts.choose("", os.environ)
    shown = contexts.read(os.environ).get(name) if name else used
    data = _data(shown, used.name) | {"name": shown.name or contexts.NONE}
    if form == "json":
        render.echo_json(data)
    else:
        render.echo_lines(f"{key}: {_text(value)}" for key, value in data.items())


def _text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={item}" for key, item in value.items())
    return {True: "yes", False: "no"}.get(value, "") if isinstance(value, bool) else str(value)


@context.command()
@output.output_option("text", "json")
def current(*, form: str) -> None:
    """Print the name of the context in use; `default` without one."""
    name = contexts.choose("", os.environ).name or contexts.NONE
    if form == "json":
        render.echo_json({"name": name})
    else:
        render.echo_lines([name])


@context.command()
@click.argument("name", shell_complete=complete.context)
@output.output_option("text", "json")
def delete(*, name: str, form: str) -> None:
    """Remove a context. States, credentials and keys stay where they are.

    Exit codes: 0 done, 2 there is no such context.
    """
    saved = contexts.read(os.environ)
    if name == contexts.NONE:
        raise _usage(f"{name!r} is no context that could be removed", "planton context use default: use none")
    contexts.write(saved.without(name), os.environ)
    _done(form, f"context {name} is removed" + ("; none is current now" if saved.current == name else ""), saved.named[name])
