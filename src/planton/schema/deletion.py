"""Deletion protection of a manifest: the annotation that refuses to delete or replace its resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.protobuf import message

PROTECTION_ANNOTATION = "project-planton.org/deletion-protection"


def is_protected(manifest: message.Message) -> bool:
    """Returns whether a manifest protects its resource against deletion."""
    annotations = manifest.metadata.annotations  # type: ignore[attr-defined]  # every manifest has metadata
    return bool(annotations.get(PROTECTION_ANNOTATION, "").lower() == "true")
