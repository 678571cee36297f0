"""Literals that name something in a cloud: ids are taken as they are, names are looked up through the engine."""

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
        ref: Its content.
        path: Where it is, in the manifest's spelling, e.g. ``spec.network``.
        metadata: Of the manifest.
    """

    ref: foreign_key_pb2.StringValueOrRef
    path: str
    metadata: CloudResourceMetadata

    def literal(self) -> str:
        """Returns the literal.

        Raises:
            PlantonError: ``REFERENCE_UNRESOLVED``: it is still a ``valueFrom``, which a module cannot look up.
        """
        if self.ref.HasField("value_from"):
            owner, target = self.metadata.name, self.ref.value_from.name
            raise errors.PlantonError(
                f"{self.path} of {owner!r} refers to {target!r}, and references are resolved before a module runs",
                code=errors.Code.INVALID,
                reason=errors.Reason.REFERENCE_UNRESOLVED,
                hint="write a stack input with the reference resolved: "
                "planton stack-input -f MANIFEST --show-secrets > stack-input.yaml",
                metadata={"from": owner, "to": target, "field": self.path},
            )
        return self.ref.value


@dataclasses.dataclass(frozen=True, slots=True)
class Lookups:
    """How names are looked up in one account.

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

    def id_of(self, what: str, field: Field, call: Callable[[str], object], *, name: str = "name") -> str:
        """Returns the id of the resource that a field names by id or by name.

        Args:
            what: The noun, e.g. ``network``.
            field: The field.
            call: Looks up a name. Its result has ``id`` and the name.
            name: The attribute of the result that holds the name.

        Raises:
            PlantonError: ``NOT_FOUND``; ``AMBIGUOUS``; ``REFERENCE_UNRESOLVED``; ``CLOUD_AUTH``; ``CLOUD_UNREACHABLE``.
        """
        text = field.literal()
        if ids.is_id(text):
            return text
        found = self.find(what, text, call)
        # A plugin may also take a part of a name for a match, so what it found is compared.
        if isinstance(found, str) or text not in (getattr(found, name), getattr(found, "id")):  # noqa: B009  # typed as object
            raise self._no_match(what, text, found)
        return str(getattr(found, "id"))  # noqa: B009

    def _no_match(self, what: str, text: str, result: object) -> errors.PlantonError:
        metadata = {"what": what, "name": text, "region": self.region}
        said = result if isinstance(result, str) else ""
        if self.several and self.several in said:
            return errors.PlantonError(
                f"several {what}s have the name {text!r} {self.where}".rstrip(),
                code=errors.Code.INVALID,
                reason=errors.Reason.AMBIGUOUS,
                hint=f"write the id of the {what} that you mean",
                metadata=metadata,
            )
        limit = "its name is a part of several names" if self.parts and self.parts in said else self.limits.get(what, "")
        return errors.PlantonError(
            f"no {what} has the name or id {text!r} {self.where}".rstrip() + (f"; {limit}" if limit else ""),
            code=errors.Code.INVALID,
            reason=errors.Reason.NOT_FOUND,
            hint=f"write the id of a {what}, or the exact name of one in this region and account",
            metadata=metadata,
        )

    def find(self, what: str, text: str, call: Callable[[str], object]) -> object | str:
        """Returns what a look-up answers, or what the plugin says where nothing, or more than one thing, has the name.

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
        if any(known in cause for known in (*self.no_match, self.several, self.parts) if known):
            return cause
        reason, hint = _explained(cause)
        raise errors.PlantonError(
            f"failed to look up the {what} {text!r} {self.where}".rstrip() + f": {cause}",
            code=errors.Code.FAILED,
            reason=reason,
            hint=hint,
            metadata={"name": text, "region": self.region},
        )


def _explained(cause: str) -> tuple[errors.Reason, str]:
    hint = "check the token, the region and the network, then run the same command again"
    if any(word in cause.lower() for word in ("authentication", "authenticate", " 401", " 403")):
        return errors.Reason.CLOUD_AUTH, hint
    if re.search(retries.TROUBLE, cause):
        return errors.Reason.CLOUD_FAILED, retries.PATIENCE
    return errors.Reason.CLOUD_UNREACHABLE, hint
