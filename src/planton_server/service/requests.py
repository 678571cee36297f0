"""Requests: their stored form, and the rules that they break."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from planton.schema import validation
from planton_server.service import errors, sizes

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from google.protobuf import message


#: The fields of requests that hold a body. Paths of violations are paths in the body.
_BODIES: Final = ("nodePool", "cluster", "report", "event", "value", "claim", "heartbeat", "finish")


def normalize(request: message.Message) -> None:
    """Converts ids, ``platform.type`` and machine sizes to lower case, the stored form."""
    for field, value in request.ListFields():
        if field.name in {"id", "cluster_id", "event_id"}:
            setattr(request, field.name, value.lower())
        elif field.name in {"node_pool", "cluster"}:
            normalize(value)
        elif field.name == "spec":
            value.platform.type = value.platform.type.lower() if value.HasField("platform") else ""
            for _, cloud in (pair for pair in value.platform.ListFields() if pair[0].message_type is not None):
                _lower_sizes(cloud)


def check(request: message.Message, noun: str, violations: Sequence[errors.Violation]) -> None:
    """Checks the rules of the schema.

    Args:
        request: The request of a method. Lists and maps that are too long are cut.
        noun: The noun of the resource, for the message.
        violations: The transport's violations of the request. They are reported too.

    Raises:
        ApiError: ``VALIDATION_ERROR``, with all violations.
    """
    broken = [*sizes.cut(request)]
    broken += [errors.violation(problem.place, problem.rule_id, problem.message) for problem in validation.violations(request)]
    if not (broken or violations):
        return
    # A value that could not be read is empty in the message, so rules of it say nothing.
    unread = {violation.path for violation in violations}
    in_body = [dataclasses.replace(violation, path=_path_in_body(violation.path)) for violation in broken]
    raise errors.invalid([*violations, *(each for each in in_body if not _is_within(each.path, unread))], noun=noun)


def _lower_sizes(cloud: message.Message) -> None:
    """Converts machine sizes to lower case, except those of Azure."""
    for field, value in cloud.ListFields():
        if field.name in {"machine_type", "instance_type", "size"}:
            setattr(cloud, field.name, value.lower())
        elif field.name == "default_pool":
            _lower_sizes(value)


def _path_in_body(path: str) -> str:
    """Returns a path without the field of the request that holds the body."""
    for body in _BODIES:
        if path == body or path.startswith(f"{body}."):
            return path.removeprefix(body).removeprefix(".")
    return path


def _is_within(field: str, others: Collection[str]) -> bool:
    """Returns whether a field is one of others, or a part of one."""
    return any(field == other or field.startswith((f"{other}.", f"{other}[")) for other in others)
