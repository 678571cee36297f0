"""Tests that one worker of pytest runs, as they share what takes long to prepare: ``--dist loadgroup``.

The mark ``xdist_group`` of pytest-xdist 3.8 has no effect with pytest 9.2, which no longer reads the node ids that it changes.
"""

from __future__ import annotations

import re

from xdist.scheduler import LoadScopeScheduling

_PATTERNS = (
    # They apply environments that no other test starts from.
    r"(?P<group>tests/e2e/test_(?:changes|default_pool|digitalocean|folders|gcp|imports|ownership)\.py)::",
    r"(?P<group>tests/e2e/test_standalone\.py::test_an_imported_resource_\w+\[\w+)-",
    # They build programs.
    r"tests/languages/test_languages\.py::\w+\[(?P<group>\w+)",
    r"(?P<group>tests/languages/test_(?:crd|language_server)\.py)::",
)


def group(nodeid: str) -> str:
    """Returns the group of a test; its own id, if it shares nothing."""
    return next((match["group"] for match in (re.match(pattern, nodeid) for pattern in _PATTERNS) if match), nodeid)


class Scheduling(LoadScopeScheduling):
    """Gives a worker all tests of a group; the largest groups come first."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)
