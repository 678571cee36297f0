"""Manifests: text → messages, strictly, with the place of everything that is wrong; and back.

The parts are ``files`` (where the text comes from), ``yaml_reader`` (text → nodes, bounded), ``decode`` and ``scalars`` (nodes →
messages), ``documents`` (a text's documents, stack inputs, provider configs), ``assignment`` (``--set``), ``dumping`` (messages →
text). Callers use the names of this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planton.manifest import assignment, documents, files

if TYPE_CHECKING:
    from google.protobuf import message

Document = documents.Document
read = documents.read
check = documents.check
completed = documents.completed
read_stack_input = documents.read_stack_input
read_provider_config = documents.read_provider_config
sources = files.sources
kustomize = files.kustomize
assign = assignment.assign
Overrides = assignment.Overrides


def dump(value: message.Message) -> str:
    """Returns a message as YAML with the names of manifests; reading it gives the message again."""
    from planton.manifest import dumping  # noqa: PLC0415  # reading needs no writer

    return dumping.dump(value)
