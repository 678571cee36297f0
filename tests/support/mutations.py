"""Manifests that differ from another one in one place."""

from __future__ import annotations

import collections
import copy
from collections.abc import Iterable, Iterator
from typing import Any

#: What is put in the place of each value, item and mapping of each valid manifest; no word that YAML 1.1 takes for true or false,
#: for whether such a word is in quotes is gone when it has become data.
VALUES: list[Any] = [
    *(None, "", "x", "a b", "-x-", "a/b/c", "x" * 64, "x" * 101, True, False, "true"),
    *(0, 1, -1, 3.0, 2.5, 1500, 2**32 - 1, 2**32, "0", "000", "3", "007", "-1", str(2**32 - 1), str(2**32), "1_0", "1.0"),
    *("::/0", "::1", "fe80::1%eth0", "10.0.0.0/8", "10.0.0.0/33", "010.0.0.0/8", "1.2.3.4", "8000-9000", "default"),
    *("lon1", "LON1", "civo_region_unspecified", "monday=10:00", "any=24:00", "https://a.b", "https://a.b/"),
    *([], ["x"], [None], [3], {}, {"a": "b"}, {"value": "x"}, {"value": ""}, {"valueFrom": {"name": "x"}}),
    *({"value": "x", "valueFrom": {"name": "y"}}, {"value": None, "value_from": {"name": "y"}}, {"valueFrom": {"name": ""}}),
]


#: ``...`` removes the place.
_CHANGES = [..., *VALUES]
#: Every which of them a field gets where it is not new.
_STRIDE = 8


def changes(documents: Iterable[Any]) -> Iterator[tuple[Any, tuple[Any, ...], Any]]:
    """Yields documents with one change each, and the place and value of the change.

    A field gets every value in the first document that has it, and in each further document other values of the list.
    """
    seen: collections.Counter[tuple[Any, ...]] = collections.Counter()
    for document in documents:
        for place in places(document):
            field = tuple("*" if isinstance(key, int) else key for key in place)
            for value in _CHANGES[seen[field] % _STRIDE :: _STRIDE] if seen[field] else _CHANGES:
                yield mutated(document, place, value), place, value
            seen[field] += 1


def places(data: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Returns the path of everything in a document, but for the document itself and its kind."""
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    own = [above] if above not in ((), ("kind",)) else []
    return own + [path for key, value in pairs for path in places(value, (*above, key))]


def mutated(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Returns a document with another value in a place; without the place where the value is ``...``."""
    key, *below = path
    # What is beside the place is shared: copies of whole documents take longer than to check them.
    result = copy.copy(data)
    if below:
        result[key] = mutated(data[key], tuple(below), value)
    elif value is ...:
        del result[key]
    else:
        result[key] = value
    return result
