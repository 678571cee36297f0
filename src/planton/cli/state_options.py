"""The stack that a ``planton state`` command works on."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from planton import errors
from planton.cli import options, render
from planton.deploy import identify

if TYPE_CHECKING:
    from planton.config import settings as engine_settings
    from planton.engine import stacks
    from planton.state import stores as state_stores

F = TypeVar("F", bound=Callable[..., Any])
#: Returns the name of the chosen stack of a backend. Raises ``STACK_NOT_FOUND``; see ``find``.
Find = Callable[..., "stacks.StackName"]


def stack(function: F) -> F:
    """Adds the options that choose a stack. The command receives ``stores``, and ``find_stack`` of type ``Find``."""

    @click.argument("resource", default="", metavar="[KIND/NAME]", shell_complete=options.complete_resource)
    @click.option("--stack", default="", metavar="PROJECT/STACK", help="The stack, if KIND/NAME is missing or ambiguous.")
    @click.option("--env", default=None, metavar="ENV", help="The environment, if KIND/NAME is ambiguous.")
    @options.engine
    @functools.wraps(function)
    def wrapped(
        *args: object, resource: str, stack: str, env: str | None, settings: engine_settings.Settings, **rest: object
    ) -> object:
        if not (resource or stack):
            raise errors.PlantonError(
                "give KIND/NAME, or --stack PROJECT/STACK",
                code=errors.Code.USAGE,
                reason=errors.Reason.USAGE,
                hint="planton state list lists both",
            )
        find_stack = functools.partial(find, resource, stack, options.env_of(settings, env))
        return function(*args, stores=open_stores(settings), find_stack=find_stack, **rest)

    return wrapped  # type: ignore[return-value]  # click decorates functions of any signature


def open_stores(settings: engine_settings.Settings) -> state_stores.Stores:
    """Returns the states of the chosen backend."""
    from planton.state import stores  # `--help` must not wait for it

    return stores.Stores(settings, options.tools(settings))


def find(
    resource: str, stack: str, env: str | None, stores: state_stores.Stores, *, create: bool = False, locked: bool = False
) -> stacks.StackName:
    """Returns the name of a stack.

    Args:
        resource: ``KIND/NAME``; empty for the stack alone.
        stack: ``PROJECT/STACK``; empty for the resource alone.
        env: The resource's environment; None for any.
        stores: The states of the backend.
        create: Whether a stack that does not exist is returned too.
        locked: Whether a stack that has a lock and no state is returned too: a killed first operation leaves one.

    Raises:
        PlantonError: ``STACK_NOT_FOUND``; ``AMBIGUOUS``; ``KIND_UNKNOWN``.
    """
    from planton.engine import stacks  # `--help` must not wait for it

    if not resource:
        return stacks.parse(stack)
    kind, name = identify.parse(resource)
    try:
        return stores.inventory.get(kind, name, env, stack).stack
    except errors.PlantonError as error:
        if error.reason is not errors.Reason.STACK_NOT_FOUND:
            raise
        names = _locked(kind.name, name, env, stores) if locked else []
        if len(names) == 1:
            return names[0]
        if not create:
            raise
        return stacks.parse(stack) if stack else stacks.derived(kind.name, name, env or "")


def _locked(kind: str, name: str, env: str | None, stores: state_stores.Stores) -> list[stacks.StackName]:
    from planton.engine import stacks  # `--help` must not wait for it

    names = [each for each in stores.locked() if each.project == stacks.PROJECT]
    if env is None:
        return [each for each in names if each.stack.endswith(f".{kind}.{name}")]
    return [each for each in names if each == stacks.derived(kind, name, env)]


def report(form: str, message: str, **data: object) -> None:
    """Reports a finished change: a line of progress, and with ``-o json`` a document."""
    render.progress(message)
    if form == "json":
        render.echo_json(data)
