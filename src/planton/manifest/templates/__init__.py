"""Manifests to start from: a file for each resource, by cloud and by template, in the folders of this package.

The files have four placeholders: ``${name}``, ``${env}``, ``${region}`` and ``${version}``. A file belongs
to a part by its name: ``network`` and ``firewall``, ``cluster``, ``pool-…``.
"""

from __future__ import annotations

import pathlib
import re
import string
from typing import Any, Final

from planton import errors
from planton.base import suggestions
from planton.manifest import scalars
from planton.schema import kinds, providers

#: Part of an environment → the prefixes of the names of its files.
PARTS: Final = {
    "cluster": ("cluster", "pool-"),
    "nodepool": ("pool-",),
    "network": ("network", "firewall"),
    "environment": ("network", "firewall", "cluster", "pool-"),
}
TEMPLATES: Final = ("dev", "staging", "prod")
_FOLDER: Final = pathlib.Path(__file__).parent
#: The clouds allow 63 characters. The resources add a suffix.
_NAME: Final = re.compile(r"[a-z]([a-z0-9-]{0,46}[a-z0-9])?")


def make(part: str, provider: str, template: str, *, name: str = "", env: str = "", region: str = "") -> dict[str, str]:
    """Returns the files of a part: name → content, in the order of their references.

    Args:
        part: One of ``PARTS``.
        provider: The cloud.
        template: One of ``TEMPLATES``.
        name: The prefix of the names of all resources; the environment if empty.
        env: The environment; the template if empty.
        region: The region; the usual one if empty.

    Raises:
        PlantonError: ``USAGE``: an invalid name, or an unknown region.
    """
    env = _checked("environment", env or template)
    values = {
        "name": _checked("name", name or env),
        "env": f'"{env}"' if scalars.other_reading(env) or env in scalars.NULLS else env,
        "region": _region(provider, region),
        "version": providers.get(provider).sample_version,
    }
    folder = _FOLDER / provider / template
    return {
        path.name: string.Template(path.read_text("utf-8")).substitute(values)
        for start in PARTS[part]
        for path in sorted(folder.glob(f"{start}*.yaml"))
    }


def _checked(noun: str, text: str) -> str:
    if not _NAME.fullmatch(text):
        raise _usage(f"the {noun} {text[:60]!r} must be at most 48 lower-case letters, digits and '-', beginning with a letter")
    return text


def _region(provider: str, region: str) -> str:
    names = regions(provider)
    if not region:
        return providers.get(provider).sample_region
    if region.lower() not in names:
        hint = suggestions.suggest(region[:40], names) or f"the regions are {', '.join(names)}"
        raise _usage(f"{provider} has no region {region[:40]!r}", hint)
    return region.lower()


def regions(provider: str) -> list[str]:
    """Returns the regions of a cloud for clusters."""
    described: Any = kinds.of_role(kinds.Role.CLUSTER, provider)[0].message.DESCRIPTOR
    field = described.fields_by_name["spec"].message_type.fields_by_name["region"]
    return [value.name for value in field.enum_type.values if value.number]


def _usage(message: str, hint: str = "") -> errors.PlantonError:
    return errors.usage(message, hint=hint)
