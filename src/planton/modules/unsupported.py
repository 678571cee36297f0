"""Spec fields that a provider cannot honour.

A field is refused if ignoring it changes the result; else it is a warning. No field is dropped silently. The annotation
``project-planton.org/allow-unsupported`` turns the refusal of a field into a warning; ``--allow-unsupported FIELD`` writes it.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING

from planton import errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from google.protobuf import message

#: Comma-separated field paths whose refusal the user has waived.
ALLOW_ANNOTATION = "project-planton.org/allow-unsupported"


class Level(enum.Enum):
    """The reaction to a manifest that sets the field."""

    REFUSE = "refuse"
    WARN = "warn"


@dataclasses.dataclass(frozen=True, slots=True)
class Unsupported:
    """A spec field that the provider cannot honour.

    Attributes:
        path: The path from the manifest's root in proto spelling, e.g. ``spec.highly_available``.
        level: Refuse or warn.
        reason: The reason, and the alternative for the user.
    """

    path: str
    level: Level
    reason: str

    def __str__(self) -> str:
        """Returns ``path: reason``, the path in the manifest's spelling."""
        return f"{json_path(self.path)}: {self.reason}"


def json_path(path: str) -> str:
    """Returns a path in the manifest's spelling: ``spec.highly_available`` becomes ``spec.highlyAvailable``."""
    return ".".join(part.split("_")[0] + "".join(word.title() for word in part.split("_")[1:]) for part in path.split("."))


def used(target: message.Message, table: Iterable[Unsupported]) -> Iterator[Unsupported]:
    """Yields those entries of the table whose field the manifest sets."""
    for entry in table:
        if _is_set(target, entry.path.split(".")):
            yield entry


def _is_set(value: message.Message, path: list[str]) -> bool:
    *parents, leaf = path
    for name in parents:
        value = getattr(value, name)
    return any(field.name == leaf for field, _ in value.ListFields())


def warnings(target: message.Message, table: tuple[Unsupported, ...]) -> list[str]:
    """Returns the warnings for a manifest.

    Raises:
        PlantonError: ``UNSUPPORTED_FIELD``: the manifest sets a field whose refusal has not been waived.
    """
    annotations = target.metadata.annotations  # type: ignore[attr-defined]  # every manifest has metadata
    waived = {name.strip() for name in annotations.get(ALLOW_ANNOTATION, "").split(",")}
    entries = list(used(target, table))
    refused = [entry for entry in entries if entry.level is Level.REFUSE and not _names(entry.path) & waived]
    if refused:
        name = target.metadata.name  # type: ignore[attr-defined]
        raise errors.unsupported_field(
            f"{target.DESCRIPTOR.name} {name!r} sets fields that the provider cannot honour:\n"
            + "\n".join(f"  {entry}" for entry in refused),
            hint="remove the field, or accept that it has no effect: --allow-unsupported " + json_path(refused[0].path),
            metadata={"fields": ",".join(json_path(entry.path) for entry in refused)},
        )
    return [f"{entry} (ignored)" for entry in entries]


def _names(path: str) -> set[str]:
    # A user may write the field with or without `spec.`, in either spelling.
    names = {path, json_path(path)}
    return names | {name.removeprefix("spec.") for name in names}
