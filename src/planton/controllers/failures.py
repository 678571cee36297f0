"""Failures: what went wrong as a class, in the cloud's own words, and who has to act."""

from __future__ import annotations

import dataclasses
import datetime
import enum
from typing import TYPE_CHECKING, Final

from planton import errors

if TYPE_CHECKING:
    from collections.abc import Mapping


class Code(enum.StrEnum):
    """The class of a failure."""

    QUOTA = "QUOTA_EXCEEDED"
    AUTHENTICATION = "AUTHENTICATION_FAILED"
    PERMISSION = "PERMISSION_DENIED"
    NETWORK = "NETWORK_FAILED"
    CAPACITY = "CAPACITY_EXHAUSTED"
    INVALID = "INVALID_SPEC"
    TIMEOUT = "TIMEOUT"
    CONFLICT = "CONFLICT"
    RATE_LIMIT = "RATE_LIMITED"
    DEPENDENCY = "DEPENDENCY_NOT_READY"
    REPLACEMENT = "REPLACEMENT_REQUIRED"
    CLOUD = "CLOUD_FAILED"
    INTERNAL = "INTERNAL"


class Actor(enum.StrEnum):
    """Who has to act."""

    USER = "user"
    OPERATOR = "operator"
    NOBODY = "nobody"
    """It is retried."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Class:
    actor: Actor
    first: float
    longest: float


#: Class → who has to act, and the seconds before the first and the longest pause between two attempts.
_CLASSES: Final[Mapping[Code, _Class]] = {
    Code.QUOTA: _Class(Actor.USER, 15, 300),
    Code.AUTHENTICATION: _Class(Actor.OPERATOR, 10, 30),
    Code.PERMISSION: _Class(Actor.OPERATOR, 10, 30),
    Code.NETWORK: _Class(Actor.NOBODY, 2, 60),
    Code.CAPACITY: _Class(Actor.NOBODY, 15, 300),
    Code.INVALID: _Class(Actor.USER, 300, 300),
    Code.TIMEOUT: _Class(Actor.NOBODY, 5, 300),
    Code.CONFLICT: _Class(Actor.USER, 15, 300),
    Code.RATE_LIMIT: _Class(Actor.NOBODY, 15, 120),
    Code.DEPENDENCY: _Class(Actor.NOBODY, 5, 15),
    Code.REPLACEMENT: _Class(Actor.USER, 300, 300),
    Code.CLOUD: _Class(Actor.NOBODY, 2, 120),
    Code.INTERNAL: _Class(Actor.OPERATOR, 5, 300),
}
_REASONS: Final[Mapping[errors.Reason, Code]] = {
    errors.Reason.CLOUD_QUOTA: Code.QUOTA,
    errors.Reason.CLOUD_QUOTA_REACHED: Code.QUOTA,
    errors.Reason.CLOUD_AUTH: Code.AUTHENTICATION,
    errors.Reason.CREDENTIAL_MISSING: Code.AUTHENTICATION,
    errors.Reason.CREDENTIAL_UNKNOWN: Code.AUTHENTICATION,
    errors.Reason.CREDENTIAL_INVALID: Code.AUTHENTICATION,
    errors.Reason.ACCOUNT_REFUSED: Code.AUTHENTICATION,
    errors.Reason.CLOUD_UNREACHABLE: Code.NETWORK,
    errors.Reason.API_UNREACHABLE: Code.NETWORK,
    errors.Reason.API_SERVER_CLOSED: Code.NETWORK,
    errors.Reason.CLOUD_STUCK: Code.TIMEOUT,
    errors.Reason.CLOUD_FAILED: Code.CLOUD,
    errors.Reason.REFRESH_NOT_BELIEVED: Code.CLOUD,
    errors.Reason.CLOUD_NAME_EXISTS: Code.CONFLICT,
    errors.Reason.CLOUD_NAME_TAKEN: Code.CONFLICT,
    errors.Reason.OWNER_UNPROVEN: Code.CONFLICT,
    errors.Reason.CLOUD_IN_USE: Code.CONFLICT,
    errors.Reason.TAKE_OVER_REFUSED: Code.CONFLICT,
    errors.Reason.PLAN_STALE: Code.CONFLICT,
    errors.Reason.API_CONFLICT: Code.CONFLICT,
    errors.Reason.STACK_LOCKED: Code.CONFLICT,
    errors.Reason.DEPENDENCY_FAILED: Code.DEPENDENCY,
    errors.Reason.REFERENCE_UNRESOLVED: Code.DEPENDENCY,
    errors.Reason.REPLACE_REFUSED: Code.REPLACEMENT,
    errors.Reason.MANIFEST_INVALID: Code.INVALID,
    errors.Reason.NOT_OFFERED: Code.INVALID,
    errors.Reason.NOT_FOUND: Code.INVALID,
    errors.Reason.CLOUD_MISSING: Code.INVALID,
    errors.Reason.AMBIGUOUS: Code.INVALID,
    errors.Reason.RESOURCE_AMBIGUOUS: Code.INVALID,
    errors.Reason.UNSUPPORTED_FIELD: Code.INVALID,
    errors.Reason.UPGRADE_REFUSED: Code.INVALID,
    errors.Reason.PROTECTED: Code.INVALID,
    errors.Reason.KIND_UNKNOWN: Code.INVALID,
    errors.Reason.KIND_UNSUPPORTED: Code.INVALID,
}
#: The HTTP status of the cloud's answer → class. It is more precise than the reason.
_STATUSES: Final[Mapping[str, Code]] = {
    "401": Code.AUTHENTICATION,
    "403": Code.PERMISSION,
    "408": Code.TIMEOUT,
    "429": Code.RATE_LIMIT,
    "503": Code.CLOUD,
    "504": Code.TIMEOUT,
}
#: The reasons that a status can refine. A quota is often reported as 403 or 429.
_REFINED: Final = (
    errors.Reason.CLOUD_AUTH,
    errors.Reason.CLOUD_FAILED,
    errors.Reason.CLOUD_UNREACHABLE,
    errors.Reason.ENGINE_FAILED,
    errors.Reason.API_REFUSED,
    errors.Reason.API_FORBIDDEN,
    errors.Reason.API_FAILED,
)
#: What a cloud lacks (`schema.providers.Provider.lacking`) → class.
_SHORTAGES: Final[Mapping[str, Code]] = {"capacity": Code.CAPACITY, "quota": Code.QUOTA}
#: The longest pause that another side can demand, in seconds.
_LONGEST_SILENCE: Final = 3600
#: Failures that end by themselves, although others of their class do not.
_PASSING: Final = (errors.Reason.STACK_LOCKED, errors.Reason.PLAN_STALE, errors.Reason.CLOUD_IN_USE)


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """A failure.

    Attributes:
        code: The class.
        message: What happened, with the cloud's own text.
        actor: Who has to act.
        hint: What to do; may be empty.
        wait: Seconds for which the other side demands that no request follows.
    """

    code: Code
    message: str
    actor: Actor
    hint: str = ""
    wait: int = 0

    @property
    def is_permanent(self) -> bool:
        """Whether only another desired state can help."""
        return self.code is Code.INVALID

    @property
    def is_bug(self) -> bool:
        """Whether neither a user nor an operator nor time can help."""
        return self.code is Code.INTERNAL

    @property
    def silence(self) -> datetime.timedelta:
        """The pause that the other side demands, at most an hour."""
        return datetime.timedelta(seconds=min(self.wait, _LONGEST_SILENCE))

    def pause(self, attempt: int) -> datetime.timedelta:
        """Returns the pause before the next attempt: at least a second, and what the other side demands.

        Args:
            attempt: The number of failed attempts, from 1.
        """
        declared = _CLASSES[self.code]
        # Beyond 30 doublings each class has reached its longest pause.
        usual = datetime.timedelta(seconds=min(declared.longest, declared.first * 2 ** min(attempt - 1, 30)))
        return max(usual, self.silence)


def make(code: Code, message: str, *, hint: str = "") -> Failure:
    """Returns a failure of a class."""
    return Failure(code, message, _CLASSES[code].actor, hint)


def of_cloud(lacking: str, text: str) -> Failure:
    """Returns the failure of a condition that the cloud itself reports of a resource.

    Args:
        lacking: What is lacking, ``capacity`` or ``quota``; empty if it is something else.
        text: The cloud's own text.
    """
    return make(_SHORTAGES.get(lacking, Code.CLOUD), text)


def of(error: BaseException) -> Failure:
    """Returns the failure of an error of the pipeline, or of any other error."""
    if not isinstance(error, errors.PlantonError):
        return make(Code.INTERNAL, f"{type(error).__name__}: {error}", hint="this is a bug; the log has the traceback")
    code = _code(error)
    actor = Actor.NOBODY if error.reason in _PASSING else _CLASSES[code].actor
    return Failure(code, error.message, actor, error.hint, int(error.metadata.get("retry_after", 0)))


def _code(error: errors.PlantonError) -> Code:
    if error.metadata.get("lacks") in _SHORTAGES:
        return _SHORTAGES[error.metadata["lacks"]]
    if error.reason in _REFINED and error.metadata.get("status", "") in _STATUSES:
        return _STATUSES[error.metadata["status"]]
    return _REASONS.get(error.reason, Code.INTERNAL)
