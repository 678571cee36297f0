"""Copies of a manifest with one difference."""

from __future__ import annotations

import copy
import functools
from typing import Any

#: Replacements for each value, item and mapping of each valid manifest. They contain no word that YAML 1.1 reads as a boolean:
#: data no longer shows whether it was quoted.
VALUES: list[Any] = [
    *(None, "", "x", "a b", "-x-", "a/b/c", "x" * 64, "x" * 101, True, False, "true"),
    *(0, 1, -1, 3.0, 2.5, 1500, 2**32 - 1, 2**32, "0", "000", "3", "007", "-1", str(2**32 - 1), str(2**32), "1_0", "1.0"),
    *("::/0", "::1", "fe80::1%eth0", "10.0.0.0/8", "10.0.0.0/33", "010.0.0.0/8", "1.2.3.4", "8000-9000", "default"),
    *("lon1", "LON1", "civo_region_unspecified", "monday=10:00", "any=24:00", "https://a.b", "https://a.b/"),
    *([], ["x"], [None], [3], {}, {"a": "b"}, {"value": "x"}, {"value": ""}, {"valueFrom": {"name": "x"}}),
    *({"value": "x", "valueFrom": {"name": "y"}}, {"value": None, "value_from": {"name": "y"}}, {"valueFrom": {"name": ""}}),
]


def places(data: Any, parents: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Returns the path of every value in a document, except for the document itself and its kind."""
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    own = [parents] if parents not in ((), ("kind",)) else []
    return own + [path for key, value in pairs for path in places(value, (*parents, key))]


def mutated(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Returns a document with another value at a path; the value ``...`` deletes it."""
    result = copy.deepcopy(data)
    *parents, last = path
    part = functools.reduce(lambda node, key: node[key], parents, result)
    if value is ...:
        del part[last]
    else:
        part[last] = value
    return result
