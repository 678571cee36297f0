"""Copies of a manifest with one difference."""

from __future__ import annotations

import collections
import copy
from collections.abc import Iterable, Iterator
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


#: The value ``...`` deletes the field.
_CHANGES = [..., *VALUES]
#: A field that an earlier document has gets one in so many values.
_STRIDE = 8


def changes(documents: Iterable[Any]) -> Iterator[tuple[Any, tuple[Any, ...], Any]]:
    """Yields documents with one change each, and the path and value of the change.

    A field gets every value in the first document that has it, and in each further document other values of the list.
    """
    counts: collections.Counter[tuple[Any, ...]] = collections.Counter()
    for document in documents:
        for path in places(document):
            field = tuple("*" if isinstance(key, int) else key for key in path)
            for value in _CHANGES[counts[field] % _STRIDE :: _STRIDE] if counts[field] else _CHANGES:
                yield mutated(document, path, value), path, value
            counts[field] += 1


def places(data: Any, parents: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Returns the path of every value in a document, except for the document itself and its kind."""
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    own = [parents] if parents not in ((), ("kind",)) else []
    return own + [path for key, value in pairs for path in places(value, (*parents, key))]


def mutated(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Returns a document with another value at a path; the value ``...`` deletes it."""
    key, *remaining = path
    # The other values are shared with the original: copying whole documents takes longer than checking them.
    result = copy.copy(data)
    if remaining:
        result[key] = mutated(data[key], tuple(remaining), value)
    elif value is ...:
        del result[key]
    else:
        result[key] = value
    return result
