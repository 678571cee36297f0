"""The stack that a ``planton state`` command works on."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

import planton
from planton import errors
from planton.cli import complete, options, render

if TYPE_CHECKING:
    from planton.config import settings as engine_settings
    from planton.engine import stacks

F = TypeVar("F", bound=Callable[..., Any])
#: Returns the name of the chosen stack of a backend. See ``planton.Stores.find``.
Find = Callable[..., "stacks.StackName"]


def stack(function: F) -> F:
    """Adds the options that choose a stack. The command receives ``states``, and ``find_stack`` of type ``Find``."""

    @click.argument("resource", default="", metavar="[KIND/NAME]", shell_complete=complete.resource)
    @click.option("--stack", default="", metavar="PROJECT/STACK", help="The stack, if KIND/NAME is missing or ambiguous.")
    @click.option("--env", default=None, metavar="ENV", help="The environment, if KIND/NAME is ambiguous.")
    @options.engine
    @functools.wraps(function)
    def wrapped(
        *args: object, resource: str, stack: str, env: str | None, settings: engine_settings.Settings, **arguments: object
    ) -> object:
        if not (resource or stack):
            raise errors.usage(
                "name KIND/NAME, or --stack PROJECT/STACK",
                hint="planton state list lists both",
            )
        with planton.states(settings) as states:
            find_stack = functools.partial(states.find, resource, stack=stack, env=options.env_of(settings, env))
            return function(*args, states=states, find_stack=find_stack, **arguments)

    return wrapped  # type: ignore[return-value]  # click decorates functions of any signature


def report(form: str, message: str, **data: object) -> None:
    """Reports a finished change: a line of progress, and with ``-o json`` a document."""
    render.progress(message)
    if form == "json":
        render.echo_json(data)
