"""Manifests: text → messages, strictly, with the place of everything that is wrong; and back.

The parts are ``files`` (where the text comes from), ``yaml_reader`` (text → nodes, bounded), ``decode`` and ``scalars`` (nodes →
messages), ``documents`` (a text's documents, stack inputs, provider configs), ``assignment`` (``--set``), ``dumping`` (messages →
text), ``layout`` and ``canonical`` (text → text, for ``planton fmt``). Callers use the names of this module.
"""

from __future__ import annotations

from planton.manifest import assignment, documents, files, inputs

Document = documents.Document
check = documents.check
kustomize = files.kustomize
overrides = assignment.overrides
read = documents.read
read_provider_config = inputs.read_provider_config
read_stack_input = inputs.read_stack_input
sources = files.sources
