"""The fields of the served kinds, as far as the API depends on them.

The files in ``types/`` list them. A field is ``name`` (a string), ``name:int``, or has one of these types:

* ``Type`` or ``!Type``: an object; with ``!`` server-side apply replaces it as a whole;
* ``[Type]``: a list that is replaced as a whole; ``<string>``: a set of strings;
* ``[Type/key,key=default]``: a list of objects that these keys identify; strategic merge patches use the first key;
* ``{string}`` or ``!{string}``: a map.
"""

from __future__ import annotations

import dataclasses
import functools
import pathlib
import re

_FOLDER = pathlib.Path(__file__).parent / "types"
ANY = "any"


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """The type of a field.

    Attributes:
        type: A scalar, ``any``, or the name of an object type.
        shape: ``one``, ``list``, ``set`` or ``map``.
        keys: The keys of the list's items, each with its default or an empty string.
        atomic: Whether server-side apply replaces the value as a whole.
    """

    type: str
    shape: str = "one"
    keys: tuple[tuple[str, str], ...] = ()
    atomic: bool = False


Fields = dict[str, Field]
UNKNOWN = Field(ANY)


@functools.cache
def types() -> dict[str, Fields]:
    """Returns the fields of all object types by type name; top-level kinds are types, too."""
    parsed: dict[str, Fields] = {}
    for path in sorted(_FOLDER.glob("*.txt")):
        text = re.sub(r"\n[ \t]+", " ", path.read_text(encoding="utf-8"))
        for line in filter(str.strip, text.splitlines()):
            name, _, rest = line.partition(":")
            parsed[name] = dict(_field(token) for token in rest.split())
    return parsed


def of(kind: str) -> Fields:
    """Returns the fields of a kind, with those of every object."""
    common = {"apiVersion": Field("string"), "kind": Field("string"), "metadata": Field("ObjectMeta")}
    return common | types().get(kind, {})


def fields(field: Field) -> Fields | None:
    """Returns the fields of one object of a field's type, or ``None`` for scalars and ``any``."""
    return types().get(field.type)


def _field(token: str) -> tuple[str, Field]:
    name, _, text = token.partition(":")
    atomic = text.startswith("!")
    text = text.removeprefix("!")
    if text.startswith("{"):
        return name, Field(text[1:-1], shape="map", atomic=atomic)
    if text.startswith("<"):
        return name, Field(text[1:-1], shape="set")
    if text.startswith("["):
        kind, _, keys = text[1:-1].partition("/")
        pairs = tuple((key.partition("=")[0], key.partition("=")[2]) for key in keys.split(",") if key)
        return name, Field(kind, shape="list", keys=pairs, atomic=not pairs)
    return name, Field(text or "string", atomic=atomic)
