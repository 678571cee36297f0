"""The errors, as data that each transport renders in its own way.

There is one class. Its code is the exit code, its reason is for programs, its metadata holds facts, and its hint is the next step.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Code(enum.IntEnum):
    """The category of an error; the number is the exit code of the command (docs/reference/errors.md)."""

    INVALID = 1
    """A manifest, a reference or a stack input is not valid."""
    USAGE = 2
    """The command line is wrong, or a file cannot be read."""
    DRIFT = 3
    """The cloud differs from what was applied (``planton drift``)."""
    CHANGES = 4
    """There are changes to apply (``planton plan --detailed-exitcode``)."""
    REFUSED = 5
    """The operation needs consent, or the provider does not support it."""
    FAILED = 6
    """The cloud, a plugin or the engine failed; the state is saved."""
    LOCKED = 7
    """Another operation holds the stack."""
    MISSING = 8
    """A program, an extra or a credential is missing on this machine."""
    INTERRUPTED = 130
    """The user ended the command; the state is saved."""


class Reason(enum.StrEnum):
    """The reason of an error, for programs. Each is described in docs/reference/errors.md."""

    MANIFEST_INVALID = "MANIFEST_INVALID"
    MANIFEST_UNREADABLE = "MANIFEST_UNREADABLE"
    KIND_UNKNOWN = "KIND_UNKNOWN"
    KIND_UNSUPPORTED = "KIND_UNSUPPORTED"
    POLICY_INVALID = "POLICY_INVALID"
    REFERENCE_INVALID = "REFERENCE_INVALID"
    REFERENCE_UNRESOLVED = "REFERENCE_UNRESOLVED"
    STACK_INPUT_INVALID = "STACK_INPUT_INVALID"
    STACK_INPUT_MISSING = "STACK_INPUT_MISSING"
    USAGE = "USAGE"
    UNSUPPORTED_FIELD = "UNSUPPORTED_FIELD"
    NOT_OFFERED = "NOT_OFFERED"
    UPGRADE_REFUSED = "UPGRADE_REFUSED"
    NOT_FOUND = "NOT_FOUND"
    AMBIGUOUS = "AMBIGUOUS"
    RESOURCE_AMBIGUOUS = "RESOURCE_AMBIGUOUS"
    CONSENT_REQUIRED = "CONSENT_REQUIRED"
    REPLACE_REFUSED = "REPLACE_REFUSED"
    PROTECTED = "PROTECTED"
    TAKE_OVER_REFUSED = "TAKE_OVER_REFUSED"
    DRAIN_REFUSED = "DRAIN_REFUSED"
    PLAN_STALE = "PLAN_STALE"
    CREDENTIAL_MISSING = "CREDENTIAL_MISSING"
    CREDENTIAL_UNKNOWN = "CREDENTIAL_UNKNOWN"
    CREDENTIAL_INVALID = "CREDENTIAL_INVALID"
    ACCOUNT_REFUSED = "ACCOUNT_REFUSED"
    CONTEXT_UNKNOWN = "CONTEXT_UNKNOWN"
    EXTRA_MISSING = "EXTRA_MISSING"
    TOOLCHAIN_MISSING = "TOOLCHAIN_MISSING"
    SANDBOX_OUTDATED = "SANDBOX_OUTDATED"
    FOLDER_UNWRITABLE = "FOLDER_UNWRITABLE"
    STACK_LOCKED = "STACK_LOCKED"
    STACK_NOT_FOUND = "STACK_NOT_FOUND"
    STATE_UNFIT = "STATE_UNFIT"
    STATE_NOT_SAVED = "STATE_NOT_SAVED"
    OWNER_UNPROVEN = "OWNER_UNPROVEN"
    CLOUD_NAME_EXISTS = "CLOUD_NAME_EXISTS"
    CLOUD_NAME_TAKEN = "CLOUD_NAME_TAKEN"
    CLOUD_QUOTA = "CLOUD_QUOTA"
    CLOUD_QUOTA_REACHED = "CLOUD_QUOTA_REACHED"
    CLOUD_MISSING = "CLOUD_MISSING"
    CLOUD_AUTH = "CLOUD_AUTH"
    CLOUD_STUCK = "CLOUD_STUCK"
    CLOUD_UNREACHABLE = "CLOUD_UNREACHABLE"
    CLOUD_FAILED = "CLOUD_FAILED"
    CLOUD_IN_USE = "CLOUD_IN_USE"
    API_SERVER_CLOSED = "API_SERVER_CLOSED"
    REFRESH_NOT_BELIEVED = "REFRESH_NOT_BELIEVED"
    ENGINE_FAILED = "ENGINE_FAILED"
    ENGINE_KILLED = "ENGINE_KILLED"
    DEPENDENCY_FAILED = "DEPENDENCY_FAILED"
    API_CONFLICT = "API_CONFLICT"
    API_REFUSED = "API_REFUSED"
    API_FORBIDDEN = "API_FORBIDDEN"
    API_FAILED = "API_FAILED"
    API_UNREACHABLE = "API_UNREACHABLE"
    API_OUTDATED = "API_OUTDATED"
    DATABASE_UNREACHABLE = "DATABASE_UNREACHABLE"
    ADDRESS_UNAVAILABLE = "ADDRESS_UNAVAILABLE"
    OUTPUT_INVALID = "OUTPUT_INVALID"
    INTERRUPTED = "INTERRUPTED"

    @property
    def code(self) -> Code:
        """The category of every error of this reason."""
        return _CODES.get(self, Code.FAILED)


#: Category → its reasons. Every other reason is a failure.
_REASONS: Final[Mapping[Code, tuple[Reason, ...]]] = {
    Code.INVALID: (
        Reason.MANIFEST_INVALID,
        Reason.KIND_UNKNOWN,
        Reason.REFERENCE_INVALID,
        Reason.REFERENCE_UNRESOLVED,
        Reason.STACK_INPUT_INVALID,
        Reason.NOT_OFFERED,
        Reason.NOT_FOUND,
        Reason.AMBIGUOUS,
        Reason.STACK_NOT_FOUND,
        Reason.CLOUD_NAME_EXISTS,
        Reason.CLOUD_QUOTA,
        Reason.API_REFUSED,
    ),
    Code.USAGE: (
        Reason.USAGE,
        Reason.MANIFEST_UNREADABLE,
        Reason.POLICY_INVALID,
        Reason.STACK_INPUT_MISSING,
        Reason.RESOURCE_AMBIGUOUS,
        Reason.CONTEXT_UNKNOWN,
    ),
    Code.REFUSED: (
        Reason.KIND_UNSUPPORTED,
        Reason.UNSUPPORTED_FIELD,
        Reason.UPGRADE_REFUSED,
        Reason.CONSENT_REQUIRED,
        Reason.REPLACE_REFUSED,
        Reason.PROTECTED,
        Reason.TAKE_OVER_REFUSED,
        Reason.DRAIN_REFUSED,
        Reason.ACCOUNT_REFUSED,
        Reason.PLAN_STALE,
        Reason.STATE_UNFIT,
        Reason.OWNER_UNPROVEN,
        Reason.API_CONFLICT,
        Reason.API_FORBIDDEN,
        Reason.API_OUTDATED,
    ),
    Code.LOCKED: (Reason.STACK_LOCKED,),
    Code.MISSING: (
        Reason.CREDENTIAL_MISSING,
        Reason.CREDENTIAL_UNKNOWN,
        Reason.CREDENTIAL_INVALID,
        Reason.EXTRA_MISSING,
        Reason.TOOLCHAIN_MISSING,
        Reason.SANDBOX_OUTDATED,
        Reason.FOLDER_UNWRITABLE,
    ),
    Code.INTERRUPTED: (Reason.INTERRUPTED,),
}
_CODES: Final = {reason: code for code, reasons in _REASONS.items() for reason in reasons}


class PlantonError(Exception):
    """The error that this package raises on purpose.

    Attributes:
        message: One sentence, for people.
        reason: The reason, for programs.
        hint: What to do next, or empty.
        metadata: Facts about the error, as text, without secrets.
        subject: The resource that the message begins with; empty if it begins with another word.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: Reason,
        hint: str = "",
        metadata: Mapping[str, str] | None = None,
        subject: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.hint = hint
        self.metadata = dict(metadata or {})
        self.subject = subject

    @property
    def code(self) -> Code:
        """The category, which is the exit code: that of the reason."""
        return self.reason.code

    def with_hint(self, hint: str) -> Self:
        """Returns a copy with one more hint. The error itself stays, because several threads may have raised it."""
        error = type(self).__new__(type(self), *self.args)
        error.__dict__.update(self.__dict__)
        error.hint = "; ".join(filter(None, (self.hint, hint)))
        return error

    def as_dict(self) -> dict[str, object]:
        """Returns the error as JSON data: message, reason, hint, metadata."""
        return {
            "message": self.message,
            "reason": str(self.reason),
            "hint": self.hint,
            "metadata": dict(self.metadata),
        }


@dataclasses.dataclass(frozen=True, slots=True)
class Constructor:
    """Creates the errors of one reason that several places raise.

    Attributes:
        reason: The reason.
    """

    reason: Reason

    def __call__(
        self,
        message: str,
        *,
        hint: str = "",
        metadata: Mapping[str, str] | None = None,
        subject: str = "",
    ) -> PlantonError:
        """Returns the error. The arguments are those of `PlantonError`."""
        return PlantonError(message, reason=self.reason, hint=hint, metadata=metadata, subject=subject)


#: A call or an option makes no sense; the hint says how to write it.
usage: Final = Constructor(Reason.USAGE)
#: A port or an address to listen on is taken.
address_unavailable: Final = Constructor(Reason.ADDRESS_UNAVAILABLE)
#: Several resources of a cloud or of the NodePool API match a name.
ambiguous: Final = Constructor(Reason.AMBIGUOUS)
#: The API server of a cluster does not answer from here.
api_server_closed: Final = Constructor(Reason.API_SERVER_CLOSED)
#: The NodePool API does not answer.
api_unreachable: Final = Constructor(Reason.API_UNREACHABLE)
#: The cloud does not have a resource that was applied, or does not have it yet.
cloud_missing: Final = Constructor(Reason.CLOUD_MISSING)
#: A resource of the cloud did not get ready, or did not go, in time.
cloud_stuck: Final = Constructor(Reason.CLOUD_STUCK)
#: A cloud does not answer.
cloud_unreachable: Final = Constructor(Reason.CLOUD_UNREACHABLE)
#: The user has not agreed to a change.
consent_required: Final = Constructor(Reason.CONSENT_REQUIRED)
#: A context does not exist, or the contexts cannot be read.
context_unknown: Final = Constructor(Reason.CONTEXT_UNKNOWN)
#: A credential cannot be used.
credential_invalid: Final = Constructor(Reason.CREDENTIAL_INVALID)
#: No credential is set.
credential_missing: Final = Constructor(Reason.CREDENTIAL_MISSING)
#: A credential's name does not exist, or the credentials cannot be read.
credential_unknown: Final = Constructor(Reason.CREDENTIAL_UNKNOWN)
#: The database of the NodePool API does not answer.
database_unreachable: Final = Constructor(Reason.DATABASE_UNREACHABLE)
#: Pulumi failed, or its state cannot be used.
engine_failed: Final = Constructor(Reason.ENGINE_FAILED)
#: An extra of the package is not installed.
extra_missing: Final = Constructor(Reason.EXTRA_MISSING)
#: A folder or a file of planton on this machine cannot be written.
folder_unwritable: Final = Constructor(Reason.FOLDER_UNWRITABLE)
#: The user ended the command.
interrupted: Final = Constructor(Reason.INTERRUPTED)
#: A kind does not exist.
kind_unknown: Final = Constructor(Reason.KIND_UNKNOWN)
#: Manifests of a kind can be validated, and not applied.
kind_unsupported: Final = Constructor(Reason.KIND_UNSUPPORTED)
#: A resource does not exist.
not_found: Final = Constructor(Reason.NOT_FOUND)
#: The cloud does not offer a region, a size or a version.
not_offered: Final = Constructor(Reason.NOT_OFFERED)
#: The cloud or the state is not as it was when the plan was made.
plan_stale: Final = Constructor(Reason.PLAN_STALE)
#: A reference has no value.
reference_unresolved: Final = Constructor(Reason.REFERENCE_UNRESOLVED)
#: Several applied resources match an argument.
resource_ambiguous: Final = Constructor(Reason.RESOURCE_AMBIGUOUS)
#: A stack input is not valid.
stack_input_invalid: Final = Constructor(Reason.STACK_INPUT_INVALID)
#: There is no stack input, or its file cannot be read.
stack_input_missing: Final = Constructor(Reason.STACK_INPUT_MISSING)
#: Another operation holds a stack.
stack_locked: Final = Constructor(Reason.STACK_LOCKED)
#: A resource was not applied, or has no outputs yet.
stack_not_found: Final = Constructor(Reason.STACK_NOT_FOUND)
#: The state is that of another resource or account.
state_unfit: Final = Constructor(Reason.STATE_UNFIT)
#: A resource belongs to another folder or to the NodePool API.
take_over_refused: Final = Constructor(Reason.TAKE_OVER_REFUSED)
#: A program is missing on this machine.
toolchain_missing: Final = Constructor(Reason.TOOLCHAIN_MISSING)
#: The cloud cannot do what a field asks for.
unsupported_field: Final = Constructor(Reason.UNSUPPORTED_FIELD)


def manifest_unreadable(message: str, path: object, *, hint: str = "") -> PlantonError:
    """Returns the error for a file of the user that cannot be read or written.

    Args:
        message: What cannot be done, and why.
        path: The file, for programs.
        hint: What to do next.
    """
    return PlantonError(message, reason=Reason.MANIFEST_UNREADABLE, hint=hint, metadata={"file": str(path)})


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """The other resource of a violation, for example the target of a reference.

    Attributes:
        key: ``KIND/NAME`` and the environment, as text.
        relation: The words before the key in the message; empty if the violation's detail already names the resource.
        place: ``file:line:column`` of the resource; empty if it is not in a file that was read.
    """

    key: str
    relation: str = "refers to"
    place: str = ""

    def __str__(self) -> str:
        """Returns the relation, the key and the place; empty without a relation."""
        if not self.relation:
            return ""
        return f"{self.relation} {self.key}" + (f" ({self.place})" if self.place else "")


@dataclasses.dataclass(frozen=True, slots=True)
class Violation:
    """One violation of a document.

    Attributes:
        file: The path as the user wrote it, or ``-``.
        line: From 1; 0 if the place is unknown.
        column: From 1; 0 if the place is unknown.
        path: The field path in the manifest's spelling, e.g. ``spec.nodeCount``; may be empty.
        detail: The condition that must hold, without target and suggestion.
        rule_id: The rule's id, which is API.
        document: The position of the document in its file, from 0.
        source: The source line, for the caret; may be empty.
        level: ``error``; or ``warning``, which does not fail the command.
        target: The other resource, if the violation is about two; or None.
        suggestion: An existing name that is close to the unknown one; empty if there is none.
    """

    file: str
    line: int
    column: int
    path: str
    detail: str
    rule_id: str
    document: int = 0
    source: str = ""
    level: str = "error"
    target: Target | None = None
    suggestion: str = ""

    @property
    def message(self) -> str:
        """Returns the whole sentence: target, detail and suggestion."""
        text = ": ".join(part for part in (str(self.target or ""), self.detail) if part)
        return f"{text}; did you mean {self.suggestion!r}?" if self.suggestion else text

    @property
    def place(self) -> str:
        """Returns ``file:line:column``, as far as it is known."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def with_place(self, place: str) -> Violation:
        """Returns the violation with the place of its target."""
        return dataclasses.replace(self, target=dataclasses.replace(self.target, place=place)) if self.target else self

    def as_dict(self) -> dict[str, object]:
        """Returns the violation as JSON data. ``target`` is null if there is none."""
        target = None if self.target is None else {"key": self.target.key, "place": self.target.place}
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "path": self.path,
            "message": self.message,
            "rule_id": self.rule_id,
            "document": self.document,
            "source": self.source,
            "level": self.level,
            "target": target,
            "suggestion": self.suggestion,
        }

    def __str__(self) -> str:
        """Returns ``file:line:column: path: message [rule-id]``, with ``warning:`` after the place of a warning."""
        level = "" if self.level == "error" else f"{self.level}: "
        path = f"{self.path}: " if self.path else ""
        return f"{self.place}: {level}{path}{self.message} [{self.rule_id}]"


class InvalidError(PlantonError):
    """Invalid documents, with all violations.

    Attributes:
        violations: At least one.
    """

    def __init__(
        self,
        violations: Sequence[Violation],
        *,
        reason: Reason = Reason.MANIFEST_INVALID,
        hint: str = "",
    ) -> None:
        super().__init__("\n".join(str(violation) for violation in violations), reason=reason, hint=hint)
        self.violations = tuple(violations)

    def as_dict(self) -> dict[str, object]:
        """Returns the error as JSON data, with its violations."""
        return super().as_dict() | {"violations": [violation.as_dict() for violation in self.violations]}
