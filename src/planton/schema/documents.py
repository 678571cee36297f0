"""The generated documents about kinds: JSON Schemas and CustomResourceDefinitions. ``tools/reference.py`` writes them."""

from __future__ import annotations

import json
import pathlib
from typing import Any, Final

import yaml

from planton import errors
from planton.base import suggestions
from planton.schema import kinds

#: The kind of policies. It has a JSON Schema, and is not a kind of a cloud.
POLICY: Final = "Policy"
#: ``schemas/`` of the repository: a link in a work tree, a copy in the wheel.
FOLDER: Final = pathlib.Path(__file__).with_name("files")
_ANY_KIND: Final = "planton"


def names() -> list[str]:
    """Returns the names that have a JSON Schema: the kinds, and ``Policy``."""
    return [*(kind.name for kind in kinds.all_kinds()), POLICY]


def json_schema(name: str = "") -> Any:  # JSON data
    """Returns the JSON Schema of a kind's manifests or of policies, or without a name that of manifests of any kind.

    Args:
        name: A kind in singular or plural and any case, or ``Policy``.

    Raises:
        PlantonError: ``KIND_UNKNOWN``, with the nearest name as a hint.
    """
    file = _ANY_KIND
    if name:
        file = POLICY if name.lower() == POLICY.lower() else _kind(name).name
    return json.loads((FOLDER / f"{file}.schema.json").read_text("utf-8"))


def _kind(name: str) -> kinds.Kind:
    try:
        return kinds.parse(name)
    except errors.PlantonError as error:
        names_and_words = [*names(), *kinds.short_names()]
        if suggestions.nearest(name, names_and_words) == POLICY:
            error.hint = suggestions.suggest(name, [POLICY])
        raise


def definition(name: str) -> Any:  # YAML data
    """Returns the CustomResourceDefinition of a kind.

    Args:
        name: A kind in singular or plural and any case.

    Raises:
        PlantonError: ``KIND_UNKNOWN``, with the nearest name as a hint; ``USAGE``: policies have no definition.
    """
    if name.lower() == POLICY.lower():
        raise errors.usage(
            "policies have no CustomResourceDefinition: they are rules over manifests, which no cluster stores",
            hint="name a kind, or none for all of them",
        )
    # 2 ms instead of 20 ms, where PyYAML has libyaml.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load((FOLDER / "crd" / f"{kinds.parse(name).name}.yaml").read_text("utf-8"), loader)  # noqa: S506 - both are safe


def definitions() -> list[Any]:  # YAML data
    """Returns the CustomResourceDefinitions of all kinds, by name."""
    return [definition(kind.name) for kind in kinds.all_kinds()]
