"""The six standard labels of every pool and cluster, which identify a resource in the cloud and in Kubernetes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.protobuf import message

_MAX_VALUE = 63
#: The labels of every pool and cluster: the mark itself, and what it is the resource of.
MARK, NAME, KIND = "planton-resource", "planton-resource-name", "planton-resource-kind"
ORGANIZATION, ENV, ID = "planton-organization", "planton-environment", "planton-resource-id"
#: The value of the mark.
MARKED = "true"


def standard(target: message.Message) -> dict[str, str]:
    """Returns the standard labels of a manifest; without those that have no value.

    Values are Kubernetes label values: characters that are not allowed become ``-``, and the length is at most 63.
    """
    metadata = target.metadata  # type: ignore[attr-defined]  # every manifest has metadata
    values = {
        MARK: MARKED,
        NAME: metadata.name,
        KIND: target.DESCRIPTOR.name,
        ORGANIZATION: metadata.org,
        ENV: metadata.env,
        ID: metadata.id,
    }
    return {key: label_value(value) for key, value in values.items() if label_value(value)}


def label_value(text: str) -> str:
    """Returns the text as a Kubernetes label value; may be empty."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)[:_MAX_VALUE].strip("-._")
