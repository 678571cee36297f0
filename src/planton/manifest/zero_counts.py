"""The message for ``nodeCount: 0``. The schema cannot distinguish it from a missing value; the manifest's text can."""

from __future__ import annotations

from typing import Final

from planton.manifest import scalars
from planton.schema import kinds

_REQUIRED: Final = "required"
_FIELD: Final = "nodeCount"
_DEFAULT_POOL: Final = "defaultNodePool"
_OF_DEFAULT_POOLS: Final = "a cluster's default pool always has nodes"


def message(kind: str, path: str, rule_id: str, written: str) -> str:
    """Returns the message for a number of nodes that is set to zero; empty for anything else.

    Args:
        kind: The manifest's kind.
        path: The field's path.
        rule_id: The violated rule.
        written: The text at the field's place in the manifest.
    """
    if rule_id != _REQUIRED or path.rpartition(".")[2] != _FIELD or scalars.to_integer(written, quoted=False) is None:
        return ""
    advice = _OF_DEFAULT_POOLS if _DEFAULT_POOL in path else kinds.get(kind).cloud.empty_pool_advice
    return f"must be at least 1, not 0: {advice}"
