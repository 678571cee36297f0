"""The bounds of lists and maps in requests, enforced before any rule reads their items.

Rules that compare items with each other take time in the square of their number, so protovalidate must never see a long list. Longer
ones are cut here, and reported with protovalidate's rule id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planton.manifest import decode, json_data
from planton_server.service import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf import message


def cut(value: message.Message, path: str = "") -> Iterator[errors.Violation]:
    """Cuts lists and maps to their bounds, and yields a violation for each that was too long.

    Args:
        value: The message. It is changed.
        path: The path of the message.
    """
    for field, content in value.ListFields():
        # Free data has no rules.
        if field.message_type is not None and field.message_type.file.package == "google.protobuf":
            continue
        where = decode.join(path, field.json_name)
        if not field.is_repeated:
            if field.message_type is not None:
                yield from cut(content, where)
            continue
        is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
        bound = json_data.max_items(field)
        if bound is not None and len(content) > bound:
            _shorten(content, bound, is_map=is_map)
            yield _violation(where, bound, is_map=is_map)
        if field.message_type is not None and not is_map:
            for index, item in enumerate(content):
                yield from cut(item, f"{where}[{index}]")


def _shorten(content: Any, bound: int, *, is_map: bool) -> None:  # a container of protobuf
    if is_map:
        for key in list(content)[bound:]:
            del content[key]
    else:
        del content[bound:]


def _violation(path: str, bound: int, *, is_map: bool) -> errors.Violation:
    """Returns the violation that protovalidate would report."""
    if is_map:
        return errors.violation(path, "map.max_pairs", f"map must be at most {bound} entries")
    return errors.violation(path, "repeated.max_items", f"must contain no more than {bound} item(s)")
