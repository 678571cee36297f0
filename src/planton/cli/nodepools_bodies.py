"""The files of ``planton nodepools`` and ``planton clusters``: the bodies of requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click
import yaml

from planton import errors

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

#: The fields of an answer that a body must not have.
ANSWERED: Final = frozenset({"id", "generation", "status", "created_at", "updated_at", "created_by", "deleted_at"})
#: The same for a new resource, which has no version yet.
ANSWERED_OF_NEW: Final = ANSWERED | {"resource_version"}


def _body(file: Any) -> dict[str, Any]:  # a binary file
    try:
        documents = list(yaml.safe_load_all(file.read()))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file.name} is neither YAML nor JSON: {error}") from error
    if any(isinstance(data, dict) and {"apiVersion", "kind"} <= data.keys() for data in documents):
        raise click.UsageError(f"{file.name} is a manifest, not a body of the API; apply it with planton apply -f")
    if len(documents) != 1 or not isinstance(documents[0], dict):
        raise click.UsageError(f"{file.name} must hold one mapping: name and spec")
    return documents[0]


def _without(body: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


def new(file: Any) -> dict[str, Any]:  # a binary file
    """Returns the body that creates the resource of a file. The file may be the output of ``get`` for another resource."""
    return _without(_body(file), ANSWERED_OF_NEW)


def replacement(file: Any, identifier: str, *, noun: str) -> dict[str, Any]:  # a binary file
    """Returns the body that updates a resource to the content of a file. The file may be the output of ``get``.

    The body keeps the version, so the server refuses a stale file.

    Raises:
        PlantonError: The file describes another resource.
    """
    body = _body(file)
    if body.get("id") not in (None, identifier):
        raise errors.usage(
            f"{file.name} describes the {noun} {body['id']}, and {identifier} is to be updated",
            hint="to copy its spec anyway, remove id and resource_version from the file",
        )
    return _without(body, ANSWERED)
