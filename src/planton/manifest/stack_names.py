"""The derived name of a stack, used without labels, and its maximum length.

The protos have the rules for the characters of ``metadata.name`` and ``metadata.env``; only the length depends on the kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from planton.schema import validation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf import message

#: The prefix of the labels that select a stack.
PREFIX: Final = "pulumi.project-planton.org/"
#: The name of the environment of a resource without one.
NO_ENV: Final = "default"
#: The maximum number of characters in the name of a stack.
LONGEST: Final = 100


def derived(kind: str, name: str, env: str) -> str:
    """Returns the derived name of the stack of a resource."""
    return f"{env or NO_ENV}.{kind}.{name}"


def problems(manifest: message.Message) -> Iterator[validation.Problem]:
    """Yields the violation if a manifest's derived stack name is too long."""
    metadata = manifest.metadata  # type: ignore[attr-defined]  # every manifest has metadata
    if any(label in metadata.labels for label in (f"{PREFIX}stack.fqdn", f"{PREFIX}stack.name")):
        return
    size = len(derived(manifest.DESCRIPTOR.name, metadata.name, metadata.env))
    if size > LONGEST:
        text = f"the name of the stack, ENV.KIND.NAME, would have {size} characters of at most {LONGEST}"
        text += f": shorten metadata.name or metadata.env by {size - LONGEST}"
        yield validation.Problem("metadata.name", text, "manifest.stack_name_length")
