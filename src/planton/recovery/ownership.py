"""Proof that one of our operations, whose result is unknown, created a cloud resource.

A name is no proof: a colleague may have a resource with that name. If a cloud has tags, a creation sends a unique tag, recorded
before the request. Otherwise the resource must be absent from the list taken before the request, must not be older than the
operation, and must have every property of the request.
"""

from __future__ import annotations

import dataclasses
import datetime
import secrets
from typing import TYPE_CHECKING, Any

from planton.modules import own
from planton.recovery import observed
from planton.schema import kinds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planton.state import journal

#: Seconds that the clock of a cloud may be behind ours.
_SKEW = 300.0
#: Seconds after its start in which an operation counts as the creator, if the cloud reports no creation time.
_WINDOW = 3600.0


def new_marker() -> str:
    """Returns a unique tag."""
    return own.CREATION_TAG + secrets.token_hex(8)


def is_tagged(type_: str) -> bool:
    """Returns whether resources of a Pulumi type carry the tag of their creation."""
    kind = kinds.of_type(type_)
    return kind is not None and kind.declared.is_tagged


@dataclasses.dataclass(frozen=True, slots=True)
class Candidate:
    """A resource in the cloud that may be the result of a creation.

    Attributes:
        urn: The creation's URN.
        id: The cloud's id.
        name: The cloud's name.
        created: RFC 3339; empty if the cloud does not report it.
        reasons: The reasons against ownership; empty with proof.
        is_older: Whether it certainly existed before the request, so that the creation may be retried.
    """

    urn: str
    id: str
    name: str
    created: str
    reasons: tuple[str, ...]
    is_older: bool

    @property
    def is_ours(self) -> bool:
        """Whether there is proof that the operation created it."""
        return not self.reasons

    def describe(self, now: datetime.datetime) -> str:
        """Returns its description for reports: name, id, age and the reasons against ownership."""
        age = f", created {_age(now, self.created)}" if self.created else ""
        return f"{self.name!r} has the id {self.id}{age}; {'; '.join(self.reasons)}"


def _age(now: datetime.datetime, created: str) -> str:
    try:
        seconds = max(0.0, (now - datetime.datetime.fromisoformat(created)).total_seconds())
    except (ValueError, TypeError):
        return created
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            number = int(seconds // length)
            return f"{number} {unit}{'s' if number > 1 else ''} ago"
    return "less than a minute ago"


@dataclasses.dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the request of a creation whose result is unknown.

    Attributes:
        creation: The creation.
        marker: The tag that was recorded before the request; empty for none.
        before: The ids that the cloud listed before the request; None if unknown.
        started: When the operation began, in seconds since the epoch.
        now: The time, likewise.
    """

    creation: journal.Creation
    marker: str
    before: Sequence[str] | None
    started: float
    now: float

    def existed(self, entry: Mapping[str, Any]) -> bool:
        """Returns whether the cloud listed a resource before the request."""
        return self.before is not None and str(entry["id"]) in self.before


def candidates(urn: str, type_: str, entries: Sequence[Mapping[str, Any]], evidence: Evidence) -> list[Candidate]:
    """Returns the resources with the name of a creation, each with the reasons against ownership.

    Args:
        urn: The creation's URN.
        type_: Its Pulumi type.
        entries: The cloud's current list of that type; for pools, of their cluster.
        evidence: What is known of the request.
    """
    judge = _by_tag if is_tagged(type_) else _by_attributes
    return [
        Candidate(
            urn,
            str(entry["id"]),
            observed.name_of(type_, entry),
            str(entry.get("created_at") or ""),
            tuple(judge(type_, entry, evidence)),
            is_tagged(type_) or evidence.existed(entry) or _is_older(entry, evidence.started),
        )
        for entry in entries
        if observed.name_of(type_, entry) == evidence.creation.name
    ]


def _by_tag(_type: str, entry: Mapping[str, Any], evidence: Evidence) -> list[str]:
    if evidence.existed(entry):
        return ["it existed before the request"]
    # What replaces a resource is sent with the tag of that one, which was there before the request.
    sent = [evidence.marker, *(tag for tag in _tags(evidence.creation) if tag.startswith(own.CREATION_TAG))]
    tags = [tag for tag in sent if tag]
    if not tags:
        return ["no tag was recorded that would prove it"]
    has = entry.get("tags") or ()
    return [] if any(tag in has for tag in tags) else [f"it does not have the tag {tags[-1]} that was sent"]


def _tags(creation: journal.Creation) -> list[str]:
    tags = creation.inputs.get("tags") or []
    return tags.split() if isinstance(tags, str) else [str(tag) for tag in tags]


def _by_attributes(type_: str, entry: Mapping[str, Any], evidence: Evidence) -> list[str]:
    reasons = []
    if evidence.before is None or not evidence.creation.inputs:
        reasons.append("the resources before the request, or the request itself, are unknown")
    elif evidence.existed(entry):
        reasons.append("it existed before the request")
    if _is_older(entry, evidence.started):
        reasons.append("it is older than the operation")
    if not entry.get("created_at") and evidence.now - evidence.started > _WINDOW:
        reasons.append("the cloud does not report when it was created, and the operation began more than an hour ago")
    different = observed.differences(type_, evidence.creation.inputs, entry)
    return [*reasons, *(f"{each.path} is {each.new!r}, and {each.old!r} was sent" for each in different)]


def _is_older(entry: Mapping[str, Any], started: float) -> bool:
    try:
        created = datetime.datetime.fromisoformat(str(entry.get("created_at")))
    except ValueError:
        return False
    return created.tzinfo is not None and created.timestamp() < started - _SKEW
