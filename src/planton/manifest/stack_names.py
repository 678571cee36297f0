"""The name that a stack has where no label names it, and whether it fits.

The characters of ``metadata.name`` and ``metadata.env`` are rules of the protos; only the length depends on the kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from planton import validation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf import message

#: Below this, labels choose a stack.
PREFIX: Final = "pulumi.project-planton.org/"
#: How many characters the name of a stack may have.
LONGEST: Final = 100


def derived(kind: str, name: str, env: str) -> str:
    """Returns the name of the stack of a resource that no label names."""
    return f"{env or 'default'}.{kind}.{name}"


def problems(manifest: message.Message) -> Iterator[validation.Problem]:
    """Yields what is wrong with the length of a manifest's stack name."""
    metadata = manifest.metadata  # type: ignore[attr-defined]  # every manifest has metadata
    if any(label in metadata.labels for label in (f"{PREFIX}stack.fqdn", f"{PREFIX}stack.name")):
        return
    size = len(derived(manifest.DESCRIPTOR.name, metadata.name, metadata.env))
    if size > LONGEST:
        text = f"the name of the stack, ENV.KIND.NAME, would have {size} characters of at most {LONGEST}"
        text += f": shorten metadata.name or metadata.env by {size - LONGEST}"
        yield validation.Problem("metadata.name", text, "manifest.stack_name_length")
