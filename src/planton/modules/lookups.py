"""Literals that identify a resource in a cloud. An id is used as it is; a name is looked up through the engine."""

from __future__ import annotations

import dataclasses
import re
import time
from typing import TYPE_CHECKING

from planton import errors
from planton.base import ids, retries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from org.project_planton.shared.foreignkey.v1 import foreign_key_pb2
    from org.project_planton.shared.metadata_pb2 import CloudResourceMetadata


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """A field of a manifest that holds a literal or a reference.

    Attributes:
        ref: The content.
        path: The path of the field, in the manifest's spelling, e.g. ``spec.network``.
        metadata: The metadata of the manifest.
    """

    ref: foreign_key_pb2.StringValueOrRef
    path: str
    metadata: CloudResourceMetadata

    def literal(self) -> str:
        """Returns the literal.

        Raises:
            PlantonError: ``REFERENCE_UNRESOLVED``: it is a ``valueFrom``, which a module cannot look up.
        """
        if self.ref.HasField("value_from"):
            owner, target = self.metadata.name, self.ref.value_from.name
            raise errors.reference_unresolved(
                f"{self.path} of {owner!r} refers to {target!r}, but a module takes values, not references",
                hint="write a stack input with the reference resolved: "
                "planton stack-input -f MANIFEST --show-secrets > stack-input.yaml",
                metadata={"from": owner, "to": target, "field": self.path},
            )
        return self.ref.value


@dataclasses.dataclass(frozen=True, slots=True)
class Lookups:
    """The look-ups of names in one account.

    Attributes:
        where: The searched part of the account, for errors, e.g. ``in region LON1``; may be empty.
        region: For the errors' metadata; may be empty.
        no_match: Parts of the plugin's error when nothing has the name.
        several: Part of the plugin's error when several resources have the name; empty if it has no such error.
        parts: Part of the plugin's error when the name is a part of several names; empty if it compares whole names.
        limits: Noun → the limit of the plugin's search, for errors.
        wait: Sleeps so many seconds before a retry after a transient error of the cloud.
    """

    where: str
    region: str
    no_match: tuple[str, ...]
    several: str = ""
    parts: str = ""
    limits: Mapping[str, str] = dataclasses.field(default_factory=dict, compare=False)
    wait: Callable[[float], None] = dataclasses.field(default=time.sleep, repr=False, compare=False)

    def id_of(self, noun: str, field: Field, call: Callable[[str], object], *, name: str = "name") -> str:
        """Returns the id of the resource that a field names by id or by name.

        Args:
            noun: The noun of the resource, e.g. ``network``.
            field: The field.
            call: Looks up a name. Its result has ``id`` and the name.
            name: The attribute of the result that holds the name.

        Raises:
            PlantonError: ``NOT_FOUND``; ``AMBIGUOUS``; ``REFERENCE_UNRESOLVED``; ``CLOUD_AUTH``; ``CLOUD_UNREACHABLE``.
        """
        text = field.literal()
        if ids.is_id(text):
            return text
        result = self.find(noun, text, call)
        # A plugin may also match a part of a name, so the name of the result is compared.
        if isinstance(result, str) or text not in (getattr(result, name), getattr(result, "id")):  # noqa: B009  # typed as object
            raise self._no_match(noun, text, result)
        return str(getattr(result, "id"))  # noqa: B009

    def _no_match(self, noun: str, text: str, result: object) -> errors.PlantonError:
        metadata = {"what": noun, "name": text, "region": self.region}
        cause = result if isinstance(result, str) else ""
        if self.several and self.several in cause:
            return errors.ambiguous(
                f"several {noun}s have the name {text!r} {self.where}".rstrip(),
                hint=f"write the id of the {noun} that you mean",
                metadata=metadata,
            )
        limit = "its name is a part of several names" if self.parts and self.parts in cause else self.limits.get(noun, "")
        return errors.not_found(
            f"no {noun} has the name or id {text!r} {self.where}".rstrip() + (f"; {limit}" if limit else ""),
            hint=f"write the id of a {noun}, or the exact name of one in this region and account",
            metadata=metadata,
        )

    def find(self, noun: str, text: str, call: Callable[[str], object]) -> object | str:
        """Returns the result of a look-up, or the plugin's error if no resource or several resources have the name.

        Raises:
            PlantonError: ``CLOUD_AUTH``; ``CLOUD_FAILED``; ``CLOUD_UNREACHABLE``.
        """
        for pause in retries.CLOUD.attempts():
            try:
                return call(text)
            except Exception as error:  # noqa: BLE001  # pulumi raises a bare Exception for a failed function call
                # The plugin's own text stands on the last of several lines.
                cause = " ".join(str(error).split())
            if pause is None or not re.search(retries.TROUBLE, cause):
                break
            self.wait(pause)
        if any(part in cause for part in (*self.no_match, self.several, self.parts) if part):
            return cause
        reason, hint = _explained(cause)
        raise errors.PlantonError(
            f"failed to look up the {noun} {text!r} {self.where}".rstrip() + f": {cause}",
            reason=reason,
            hint=hint,
            metadata={"name": text, "region": self.region},
        )


def _explained(cause: str) -> tuple[errors.Reason, str]:
    hint = "check the token, the region and the network, then run the same command again"
    if any(word in cause.lower() for word in ("authentication", "authenticate", " 401", " 403")):
        return errors.Reason.CLOUD_AUTH, hint
    if re.search(retries.TROUBLE, cause):
        return errors.Reason.CLOUD_FAILED, retries.HINT
    return errors.Reason.CLOUD_UNREACHABLE, hint
