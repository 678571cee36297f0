"""Manifests: text → messages, strictly, with the place of everything that is wrong; and back.

The parts are ``files`` (where the text comes from), ``yaml_reader`` (text → nodes, bounded), ``decode`` and ``scalars`` (nodes →
messages), ``documents`` (a text's documents, stack inputs, provider configs), ``assignment`` (``--set``), ``dumping`` (messages →
text), ``layout`` and ``canonical`` (text → text, for ``planton fmt``). Callers use the names of this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planton.manifest import documents, files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf import message

    from planton.manifest import assignment
    from planton.schema import kinds

Document = documents.Document
read = documents.read
check = documents.check
completed = documents.completed
sources = files.sources
kustomize = files.kustomize


def read_stack_input(text: str, *, file: str) -> message.Message:
    """Reads a stack input, strictly; see ``planton.manifest.inputs``.

    Raises:
        InvalidError: ``STACK_INPUT_INVALID``; every violation with its place, none with a value of the provider config.
    """
    from planton.manifest import inputs  # validating manifests reads none

    return inputs.read_stack_input(text, file=file)


def read_provider_config(data: bytes, *, file: str, kind: kinds.Kind) -> message.Message:
    """Reads the provider config of a kind's cloud (``-p FILE``), strictly; see ``planton.manifest.inputs``.

    Raises:
        InvalidError: Every violation with its place, none with a value.
    """
    from planton.manifest import inputs  # cold start: validating manifests needs none

    return inputs.read_provider_config(data, file=file, kind=kind)


def assign(target: message.Message, text: str) -> None:
    """Sets a field of a message: ``spec.nodeCount=5``; see ``planton.manifest.assignment``.

    Raises:
        PlantonError: ``USAGE``: there is no such field (with the nearest name), or the value does not fit.
    """
    from planton.manifest import assignment  # few runs set anything

    assignment.assign(target, text)


def overrides(texts: Sequence[str]) -> assignment.Overrides | None:
    """Returns assignments for a set of documents, each of which must fit at least one; None where there are none."""
    if not texts:
        return None
    from planton.manifest import assignment  # cold start: validating manifests needs none

    return assignment.Overrides(texts)


def dump(value: message.Message) -> str:
    """Returns a message as YAML with the names of manifests; reading it gives the message again."""
    from planton.manifest import dumping  # cold start: validating manifests needs none

    return dumping.dump(value)
