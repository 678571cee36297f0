"""``planton context``: sets of backend, environment, accounts and secrets provider, by name."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import urllib.parse
from typing import TYPE_CHECKING

import click

from planton import errors
from planton.cli import complete, output, render
from planton.config import contexts, folders
from planton.config import credentials as credentials_of_cloud
from planton.schema import providers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


_HEADER = ("CURRENT", "NAME", "BACKEND", "ENV", "CREDENTIALS", "SECRETS")


@click.group(invoke_without_command=True)
@click.pass_context
def context(command: click.Context) -> None:
    r"""Manage contexts: named sets of backend, accounts and settings.

    Without a command: show the context, the backend, the environment, the
    accounts and the pins in use.

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
    planton context pin prod civo=acme-production
    """
    if command.invoked_subcommand is None:
        _show(contexts.choose("", os.environ), "text")


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
        output.warn(f"{contexts.CHOICE_VARIABLE}={chosen} takes precedence in this shell; unset that, or pass --context {name}")


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
    _show(dataclasses.replace(contexts.read(os.environ).get(name), pins=used.pins) if name else used, form)


def _show(shown: contexts.Context, form: str) -> None:
    used = contexts.choose("", os.environ)
    data = _data(shown, used.name) | {"name": shown.name or contexts.NONE}
    data |= {"backend": _backend(shown), "env": shown.env, "accounts": dict(_accounts(shown))}
    data["pins"] = {env: dict(entries) for env, entries in sorted(shown.pins.items())}
    if form == "json":
        render.echo_json(data)
        return
    for key, value in data.items():
        render.echo_lines([f"{key}: {_text(value) or '-'}"])


def _backend(shown: contexts.Context) -> str:
    return _public(os.environ.get("PULUMI_BACKEND_URL") or shown.backend or (folders.data(os.environ) / "state").as_uri())


def _public(url: str) -> str:
    # An address may contain a password.
    parts = urllib.parse.urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _accounts(shown: contexts.Context) -> Iterator[tuple[str, str]]:
    for provider in providers.names():
        entry, variable = shown.credentials.get(provider), credentials_of_cloud.variables_in(provider, os.environ)
        if entry or variable:
            address = _public(os.environ.get(providers.get(provider).endpoint_variable) or "the public cloud")
            yield provider, f"credential {entry}" if entry else f"{variable}, {address}"


def _text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(
            f"{key}={_text(item)}" if not isinstance(item, dict) else f"{key}: {_text(item)}" for key, item in value.items()
        )
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


@context.command()
@click.argument("env")
@click.argument("entries", nargs=-1, required=True, metavar="CLOUD=ENTRY...")
@output.output_option("text", "json")
def pin(*, env: str, entries: tuple[str, ...], form: str) -> None:
    """Pin an environment to accounts: plans of it with another account are refused.

    ENTRY is an entry of the credentials file. The pin applies in every context. `default` pins resources without an environment.

    Exit codes: 0 done, 2 usage.
    """
    pairs = _pairs(entries)
    contexts.check_pin(env, pairs)
    _pin(env, pairs, form, f"environment {env} is pinned to {_text(pairs)}")


@context.command()
@click.argument("env")
@output.output_option("text", "json")
def unpin(*, env: str, form: str) -> None:
    """Remove the pin of an environment.

    Exit codes: 0 done, 2 it has none.
    """
    if env not in contexts.read(os.environ).pins:
        raise _usage(f"the environment {env!r} is not pinned", "planton context shows the pins")
    _pin(env, {}, form, f"environment {env} is not pinned any more")


def _pin(env: str, pairs: dict[str, str], form: str, text: str) -> None:
    contexts.write(contexts.read(os.environ).pinning(env, pairs), os.environ)
    render.progress(text)
    if form == "json":
        render.echo_json({"env": env, "accounts": pairs})
