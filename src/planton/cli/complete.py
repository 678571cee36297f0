"""The values that the completion of a shell offers. Whatever cannot be read offers nothing."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

import planton
from planton import errors
from planton.config import contexts
from planton.config import settings as engine_settings
from planton.schema import kinds, providers

if TYPE_CHECKING:
    from collections.abc import Iterable

    import click


def context(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Returns the names of contexts."""
    with contextlib.suppress(errors.PlantonError):
        return _beginning([*contexts.read(os.environ).named, contexts.NONE], incomplete)
    return []


def resource(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Returns the kinds, also by their short names, as the beginning of ``KIND/NAME``; after the slash, the applied names."""
    kind, slash, name = incomplete.partition("/")
    if not slash:
        # Commands accept names in any case. The shell keeps the case that the user began with.
        full = [each.name if kind != kind.lower() else f"{each.name.lower()}s" for each in kinds.all_kinds()]
        return [f"{each}/" for each in _beginning([*kinds.short_names(), *full], kind)]
    with contextlib.suppress(errors.PlantonError):
        kind_names = {each.name for each in kinds.match(kind)}
        env = context.params.get("env") or _settings(context).context.env
        keys = [each.key for each in planton.applied(_settings(context))]
        names = [key.name for key in keys if key.kind in kind_names and env in (None, "", key.env)]
        return [f"{kind}/{each}" for each in _beginning(names, name)]
    return []


def region(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Returns the regions of the chosen cloud, else of all clouds."""
    return _beginning({name for provider in _clouds(context) for name in kinds.regions(provider)}, incomplete)


def size(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Returns the sizes that the chosen cloud offers, or those clouds that there is an account for."""
    return _offered(context, "sizes", "size", incomplete)


def version(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Returns the Kubernetes versions that the chosen cloud offers, or those clouds that there is an account for."""
    return _offered(context, "versions", "version", incomplete)


def _offered(context: click.Context, list_name: str, column: str, incomplete: str) -> list[str]:
    names: list[str] = []
    for provider in _clouds(context):
        with contextlib.suppress(errors.PlantonError):
            rows: list[dict[str, Any]] = getattr(planton.open_cloud(provider, settings=_settings(context)), list_name)()
            names += [str(row[column]) for row in rows]
    return _beginning(names, incomplete)


def _clouds(context: click.Context) -> list[str]:
    chosen = context.params.get("provider")
    return [chosen] if chosen else list(providers.names())


def _settings(context: click.Context) -> engine_settings.Settings:
    chosen = contexts.choose(context.params.get("context_name") or "", os.environ)
    return engine_settings.Settings(backend=context.params.get("backend") or "", context=chosen)


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted({name for name in names if name.lower().startswith(incomplete.lower())})
