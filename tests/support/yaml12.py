"""Parses YAML like editors and other languages: the core schema of YAML 1.2, with merge keys."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import yaml

_TAG = "tag:yaml.org,2002:"
_SCALARS = {
    "null": "^(~|null|Null|NULL|)$",
    "bool": "^(true|True|TRUE|false|False|FALSE)$",
    "int": "^([-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$",
    "float": r"^([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$",
    "merge": "^<<$",
}


class _Core(yaml.CSafeLoader):
    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}


for _name, _pattern in _SCALARS.items():
    _Core.add_implicit_resolver(_TAG + _name, re.compile(_pattern), None)
_Core.add_constructor(_TAG + "int", lambda _, node: int(node.value, 0 if node.value[:2] in ("0o", "0x") else 10))


def documents(data: bytes) -> list[Any]:
    """Returns the documents of a text that are not empty.

    Raises:
        yaml.YAMLError: It is not YAML.
    """
    return [document for document in yaml.load_all(data.decode("utf-8-sig"), _Core) if document is not None]
