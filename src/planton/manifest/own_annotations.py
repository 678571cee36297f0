"""The annotations of planton. A misspelt one is a violation, not ignored.

The schema's rules say nothing of them, for an annotation may be anything; what was applied with a wrong one can still be deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from planton.manifest import decode, yaml_nodes
from planton.schema import references, validation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf import message

PREFIX: Final = "project-planton.org/"
_PROTECTION: Final = "deletion-protection"
_CREDENTIAL: Final = "credential"
#: The names after the prefix (docs/reference/settings.md).
NAMES: Final = ("allow-unsupported", _CREDENTIAL, _PROTECTION, "max-nodes-warning")


def problems(manifest: message.Message) -> Iterator[validation.Problem]:
    """Yields a problem for each unknown annotation below the prefix, and for each invalid value."""
    for name, value in manifest.metadata.annotations.items():  # type: ignore[attr-defined]  # every manifest has metadata
        if not name.startswith(PREFIX):
            continue
        path = f'metadata.annotations["{name}"]'
        own = name.removeprefix(PREFIX)
        if own not in NAMES:
            text = f"unknown annotation {yaml_nodes.preview(name)}"
            suggestion = decode.nearest(own, list(NAMES))
            yield validation.Problem(path, text, "manifest.unknown_annotation", suggestion=suggestion)
        elif own == _PROTECTION and value.lower() not in ("true", "false"):
            text = f'must be "true" or "false", not {yaml_nodes.preview(value)}'
            yield validation.Problem(path, text, "manifest.annotation_value")
        elif own == _CREDENTIAL and references.own_credential(manifest) != value:
            field = yaml_nodes.preview(references.own_credential(manifest))
            text = f"names the credential {yaml_nodes.preview(value)}, and the spec names {field}; write one of them"
            yield validation.Problem(path, text, "manifest.annotation_value")
