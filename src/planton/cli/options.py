"""Options and arguments that several commands share."""

from __future__ import annotations

import dataclasses
import functools
import logging
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

import planton
from planton import errors
from planton.base import interruption, terminal
from planton.cli import complete, output, progress, render
from planton.config import contexts, logs
from planton.config import settings as engine_settings
from planton.manifest import selection
from planton.schema import kinds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planton.manifest import load

F = TypeVar("F", bound=Callable[..., Any])
_MINUTE = 60.0


def sources(function: F) -> F:
    """Adds the options that select resources, as the argument ``selected``."""

    @click.option(
        "-f",
        "--file",
        "paths",
        multiple=True,
        type=click.Path(),
        metavar="PATH",
        help="A manifest, a folder of manifests, or - for standard input.",
    )
    @click.option("-i", "--stack-input", "inputs", multiple=True, type=click.Path(), metavar="FILE", help="A stack-input file.")
    @click.option(
        "-p", "--provider-config", default="", type=click.Path(), metavar="FILE", help="Provider-config file with the account."
    )
    @click.option("--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Change a field, e.g. spec.nodeCount=5.")
    @click.option(
        "--kustomize-dir", default="", type=click.Path(), metavar="DIR", help="Folder of a kustomize base with overlays."
    )
    @click.option("--overlay", default="", metavar="NAME", help="The overlay in --kustomize-dir.")
    @click.option("--env", default=None, metavar="ENV", help="Only resources of this environment.")
    @labels
    @functools.wraps(function)
    def wrapped(
        *args: object,
        paths: tuple[str, ...],
        inputs: tuple[str, ...],
        provider_config: str,
        overrides: tuple[str, ...],
        kustomize_dir: str,
        overlay: str,
        env: str | None,
        labels: tuple[tuple[str, str], ...],
        **arguments: object,
    ) -> object:
        selected = selection.Selection(paths, inputs, provider_config, overrides, kustomize_dir, overlay, env, labels)
        return function(*args, selected=selected, **arguments)

    return wrapped  # type: ignore[return-value]  # click decorates functions of any signature


def _labels(_context: click.Context, _parameter: click.Parameter, words: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    pairs = []
    for text in (text for word in words for text in word.split(",")):
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{text!r} is not KEY=VALUE", param_hint="--selector")
        pairs.append((key, value))
    return tuple(pairs)


#: Adds the option that selects resources by labels, as the argument ``labels``.
labels = click.option(
    "-l",
    "--selector",
    "labels",
    multiple=True,
    callback=_labels,
    metavar="KEY=VALUE",
    help="Only resources with this label in their metadata.",
)


def engine(function: F) -> F:
    """Adds the options of the engine, as the argument ``settings``."""

    @click.option("--backend", default="", metavar="URL", help="Pulumi backend.  [default: a folder of this user]")
    @click.option(
        "--context",
        "context_name",
        default="",
        metavar="NAME",
        shell_complete=complete.context,
        help="Context with backend and accounts.  [default: the current context]",
    )
    @click.option(
        "--timeout",
        type=click.FloatRange(min=0.01),
        default=20.0,
        show_default=True,
        metavar="MINUTES",
        help="Maximum time to wait for the cloud.",
    )
    @click.option(
        "--lock-timeout",
        type=float,
        default=0.0,
        show_default=True,
        metavar="SECONDS",
        help="Maximum time to wait for a lock.",
    )
    @click.option(
        "--parallel",
        type=click.IntRange(min=1),
        show_default="by memory",
        metavar="N",
        help="Maximum number of parallel operations.",
    )
    @functools.wraps(function)
    def wrapped(
        *args: object,
        backend: str,
        context_name: str,
        timeout: float,
        lock_timeout: float,
        parallel: int | None,
        **arguments: object,
    ) -> object:
        environ = dict(os.environ)
        logs.begin("-".join(click.get_current_context().command_path.split()[1:]), sys.argv[1:], environ)
        settings = engine_settings.Settings(
            backend=backend,
            timeout=timeout * _MINUTE,
            lock_timeout=lock_timeout,
            parallel=parallel or engine_settings.default_parallel(),
            environ=environ,
            progress=_progress,
            interruption=interruption.Interruption(_interrupted),
            context=contexts.choose(context_name, environ),
        )
        return function(*args, settings=settings, **arguments)

    return wrapped  # type: ignore[return-value]


def _progress(line: str) -> None:
    logging.getLogger(__name__).info("%s", line)
    render.progress(line)


def _interrupted(number: int) -> None:
    _progress(progress.interruption_text(number, [], 0.0))


def env_of(settings: engine_settings.Settings, env: str | None) -> str | None:
    """Returns the environment that ``KIND/NAME`` is looked for in: that of ``--env``, else of the context; None for any."""
    return env if env is not None else settings.context.env or None


#: Adds the option that says whether the cloud is read before a plan.
refresh = click.option(
    "--refresh",
    type=bool,
    is_flag=False,
    flag_value="true",
    default="true",
    metavar="[true|false]",
    help="Read the cloud first.  [default: true]",
)


#: Adds the option that shows all properties of a plan.
show_all = click.option("--show-all", is_flag=True, help="Show all properties of new resources.")


#: Adds the option that selects one of several stacks of ``KIND/NAME``.
stack = click.option("--stack", default="", metavar="PROJECT/STACK", help="The stack, where KIND/NAME is ambiguous.")


@dataclasses.dataclass(frozen=True, slots=True)
class Named:
    """An applied resource that a command names.

    Attributes:
        resource: ``KIND/NAME``.
        env: The environment; None for that of the context, or any.
        stack: ``PROJECT/STACK``; empty for any.
        settings: The settings of the run.
    """

    resource: str
    env: str | None
    stack: str
    settings: engine_settings.Settings

    def find(self) -> planton.Applied:
        """Returns the resource.

        Raises:
            PlantonError: ``STACK_NOT_FOUND``; ``AMBIGUOUS``; ``USAGE``.
        """
        return planton.find(self.resource, env=env_of(self.settings, self.env), stack=self.stack, settings=self.settings)


def named(function: F) -> F:
    """Adds ``KIND/NAME`` with the options that identify it and those of ``engine``, as the argument ``named``."""

    @click.argument("resource", metavar="KIND/NAME", shell_complete=complete.resource)
    @engine
    @which
    @functools.wraps(function)
    def wrapped(
        *args: object, resource: str, settings: engine_settings.Settings, env: str | None, stack: str, **arguments: object
    ) -> object:
        return function(*args, named=Named(resource, env, stack, settings), **arguments)

    return wrapped  # type: ignore[return-value]  # click decorates functions of any signature


def cluster_name(text: str) -> str:
    """Returns the ``KIND/NAME`` of a cluster that a user names with or without its kind."""
    return text if "/" in text else f"{kinds.Role.CLUSTER.short_name}/{text}"


def which(function: F) -> F:
    """Adds the options that identify an ambiguous ``KIND/NAME``, as the arguments ``env`` and ``stack``."""
    env = click.option("--env", default=None, metavar="ENV", help="The environment, where KIND/NAME is ambiguous.")
    return env(stack(function))


def applied_resources(function: F) -> F:
    """Adds ``KIND/NAME`` arguments and the options of ``sources`` and ``engine``: what a command on applied resources takes."""

    @click.argument("resources", nargs=-1, metavar="[KIND/NAME]...", shell_complete=complete.resource)
    @stack
    @functools.wraps(function)
    def wrapped(*args: object, selected: selection.Selection, stack: str, **arguments: object) -> object:
        return function(*args, selected=dataclasses.replace(selected, stack=stack), **arguments)

    return sources(engine(wrapped))  # type: ignore[return-value]  # click decorates functions of any signature


def confirm(question: str, *, yes: bool, is_grave: bool = False) -> None:
    """Asks on a terminal; elsewhere demands ``--yes``. Ends the command if the user declines.

    Args:
        question: The question.
        yes: Whether the user consented by an option.
        is_grave: Whether something is lost, so that the question looks like a warning.

    Raises:
        PlantonError: ``CONSENT_REQUIRED``: there is no terminal.
    """
    if yes:
        return
    if sys.stdin.isatty() and sys.stderr.isatty():
        style = ("red", "bold") if is_grave else ("bold",)
        output.echo(terminal.style(terminal.one_line(question), *style), nl=False, err=True)
        if click.confirm("", err=True):
            return
        output.echo("Cancelled; nothing was changed.", err=True)
        # The log would not help.
        logs.end()
        raise SystemExit(int(errors.Code.REFUSED))
    raise errors.consent_required(
        "this needs consent, and there is no terminal for the question",
        hint="add --yes",
    )


def applied(
    names: Sequence[str], selected: selection.Selection, settings: engine_settings.Settings, *, or_all: bool = False
) -> list[load.Resource]:
    """Returns the resources that a command names by manifests and by ``KIND/NAME``; ``or_all`` those applied if it names none.

    Raises:
        PlantonError: ``USAGE``; ``STACK_NOT_FOUND``; ``AMBIGUOUS``; ``MANIFEST_INVALID``.
    """
    return planton.select(names, selected, env=env_of(settings, selected.env), or_all=or_all, settings=settings)
