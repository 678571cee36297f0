"""The options of a request: from its query, its headers, and the bodies of deletions."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from planton_sandbox.kubernetes import errors

FIELD_VALIDATION = ("Ignore", "Warn", "Strict")
PROPAGATION = ("Background", "Foreground", "Orphan")
_TRUE = ("1", "true")


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """The options of a write.

    Attributes:
        is_dry: Whether nothing is stored.
        manager: The name of the field manager.
        validation: ``Ignore``, ``Warn`` or ``Strict``, for unknown fields.
        force: Whether server-side apply takes fields from other managers.
        now: The simulated time in seconds since the epoch.
    """

    is_dry: bool
    manager: str
    validation: str
    force: bool
    now: float


@dataclasses.dataclass(frozen=True, slots=True)
class Deletion:
    """The options of a deletion; ``grace`` is ``None`` for the object's own, in seconds."""

    grace: int | None
    propagation: str
    preconditions: Mapping[str, Any]
    is_dry: bool


def of(query: Mapping[str, str], agent: str, *, now: float) -> Options:
    """Returns the options of a request.

    Raises:
        errors.ApiError: when one is invalid.
    """
    validation = query.get("fieldValidation") or "Warn"
    if validation not in FIELD_VALIDATION:
        raise errors.bad_request(f"invalid fieldValidation parameter: {validation}")
    manager = query.get("fieldManager") or agent.partition("/")[0] or "unknown"
    return Options(
        is_dry=_is_dry(query.get("dryRun")),
        manager=manager[:128],
        validation=validation,
        force=query.get("force") in _TRUE,
        now=now,
    )


def deletion(query: Mapping[str, str], body: Any) -> Deletion:
    """Returns the options of a deletion; those of the body win.

    Raises:
        errors.ApiError: when one is invalid.
    """
    body = body if isinstance(body, dict) else {}
    grace = body.get("gracePeriodSeconds", query.get("gracePeriodSeconds"))
    if grace is not None and not str(grace).lstrip("-").isdecimal():
        raise errors.bad_request(f"invalid gracePeriodSeconds: {grace!r}")
    propagation = body.get("propagationPolicy") or query.get("propagationPolicy") or "Background"
    if body.get("orphanDependents"):
        propagation = "Orphan"
    if propagation not in PROPAGATION:
        raise errors.bad_request(f'invalid propagationPolicy: "{propagation}"')
    dry = body.get("dryRun") or query.get("dryRun")
    preconditions = body.get("preconditions")
    return Deletion(
        grace=None if grace is None else max(int(grace), 0),
        propagation=propagation,
        preconditions=preconditions if isinstance(preconditions, dict) else {},
        is_dry=_is_dry(dry[0] if isinstance(dry, list) and dry else dry),
    )


def _is_dry(value: Any) -> bool:
    if value not in (None, "", [], "All"):
        raise errors.bad_request(f'invalid dryRun: Unsupported value: "{value}": supported values: "All"')
    return bool(value)
