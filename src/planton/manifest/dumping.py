"""Message → YAML text, canonical: camelCase, fields by number, map keys sorted, text in quotes wherever YAML might misread it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml
from google.protobuf import json_format

from planton.manifest import scalars

if TYPE_CHECKING:
    from google.protobuf import message

try:
    from yaml import CSafeDumper as _Base
except ImportError:  # a PyYAML without libyaml
    from yaml import SafeDumper as _Base  # type: ignore[assignment]


class _Dumper(_Base):
    """Quotes more than PyYAML: what either version of YAML reads as something else than text."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


def _represent_text(dumper: Any, value: str) -> Any:  # PyYAML's own types say nothing
    style = '"' if scalars.other_reading(value) or value in scalars.NULLS or value == "<<" else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _represent_text)


def dump(value: message.Message) -> str:
    """Returns a message as YAML; see ``planton.manifest.dump``."""
    data = json_format.MessageToDict(value)
    sort_maps(data, value.DESCRIPTOR)
    return text(data)


def text(data: object) -> str:
    """Returns JSON data as YAML, quoted so that every reader of YAML sees the same texts."""
    return str(yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**20))


def sort_maps(data: dict[str, Any], described: Any) -> None:  # a type's descriptor
    """Sorts the entries of a message's maps in its JSON data; Protobuf's order is undefined."""
    for field in described.fields:
        content = data.get(field.json_name)
        part = field.message_type
        if part is None or content is None or part.full_name.startswith("google.protobuf."):
            continue
        if part.GetOptions().map_entry:
            data[field.json_name] = dict(sorted(content.items()))
            part, content = part.fields_by_name["value"].message_type, list(content.values())
        for item in content if isinstance(content, list) else [content]:
            if part is not None and isinstance(item, dict):
                sort_maps(item, part)
