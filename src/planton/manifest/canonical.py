"""Manifests in their canonical form: fields in the schema's order and spelling, two spaces a level, comments kept.

The meaning never changes: what was formatted is read again and compared before it is handed out.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from planton import errors
from planton.manifest import blocks, documents, layout, yaml_nodes, yaml_reader

if TYPE_CHECKING:
    from collections.abc import Sequence

    #: A text, and the comments in it.
    Written = tuple[str, list[str]]


def format_text(data: bytes, *, file: str) -> str:
    """Returns the manifests of a YAML or JSON text in their canonical form; formatting that again changes nothing.

    Args:
        data: The text. JSON stays JSON.
        file: What to call it in errors; ``.json`` says that it is JSON.

    Raises:
        InvalidError: It cannot be read as manifests, with every reason.
        PlantonError: ``MANIFEST_INVALID``: it has something that would be lost, which is named.
    """
    parsed, violations = documents.read(data, file=file)
    if violations:
        raise errors.InvalidError(violations)
    text = yaml_reader.decode(data).replace("\r\n", "\n")
    types = [document.message.DESCRIPTOR for document in parsed]
    as_json = _parsed_json(text, file)
    try:
        written = (_json(as_json, types[0]), []) if as_json is not None else _yaml(text, types)
        again = written if as_json is not None else _yaml(written[0], types)
    except (layout.UnkeptError, yaml_reader.TrapError) as error:
        _refuse(file, str(error))
    check(parsed, written, again, file=file)
    return written[0]


def check(parsed: Sequence[documents.Document], written: Written, again: Written, *, file: str) -> None:
    """Checks that a formatted text means the same as the original, and that formatting it again changes nothing.

    Args:
        parsed: The documents of the original.
        written: The formatted text, and its comments.
        again: The formatted text, formatted again, and its comments.
        file: What to call it in errors.

    Raises:
        PlantonError: ``MANIFEST_INVALID``: a message differs, or a comment or the layout would not be kept.
    """
    formatted, comments = written
    reread, wrong = documents.read(formatted.encode(), file=file)
    if wrong or [document.message for document in reread] != [document.message for document in parsed]:
        _refuse(file, "the result would mean something else")
    if again[0] != formatted or sorted(again[1]) != sorted(comments):
        _refuse(file, "its comments or its layout would not be kept")


def _refuse(file: str, why: str) -> NoReturn:
    raise errors.PlantonError(
        f"cannot format {file}: {why}; it was not changed",
        reason=errors.Reason.MANIFEST_INVALID,
        metadata={"file": file},
    )


def _parsed_json(text: str, file: str) -> Any:  # JSON data, or None
    if not file.endswith(".json") and not (file == "-" and text.lstrip().startswith("{")):
        return None
    try:
        return json.loads(text)
    except ValueError:
        if file == "-":
            return None
        _refuse(file, "it is YAML in a file called .json")


def _json(data: Any, described: Any) -> str:  # JSON data, a type's descriptor
    return json.dumps(_ordered(data, described), indent=2, ensure_ascii=False) + "\n"


def _ordered(data: Any, below: Any) -> Any:  # JSON data, a descriptor
    if isinstance(data, list):
        return [_ordered(item, below) for item in data]
    if not isinstance(data, dict):
        return data
    named = [(schema(below, key), key, value) for key, value in data.items()]
    named.sort(key=lambda entry: entry[0].rank)
    return {entry.name or key: _ordered(value, entry.below) for entry, key, value in named}


def _yaml(text: str, types: Sequence[Any]) -> Written:
    reader = layout.Reader(text, schema)
    lines: list[str] = []
    block: blocks.Block | None = None
    roots = (root for root in yaml_reader.compose(text) if not yaml_nodes.is_null(root))
    for root, described in zip(roots, types, strict=True):
        before, after, marked = reader.notes_until(root.start_mark.index)
        if block is None:
            lines += blocks.padded([note.text for note in before], 0, first=True)
            lines += ["---"] if marked else []
        else:
            lines += [*_finished(reader, block, before), "---"]
        lines += blocks.padded([note.text for note in after], 0, first=True)
        block = reader.root(root, described)
    assert block is not None  # a text without a manifest is not valid
    before, after, _ = reader.notes_until(len(text))
    lines += _finished(reader, block, [*before, *after])
    return "\n".join(lines) + "\n", reader.comments


def _finished(reader: layout.Reader, block: blocks.Block, notes: Sequence[blocks.Note]) -> list[str]:
    block.tail += reader.settle(block, notes)
    return blocks.render(block)


def schema(below: Any, key: str) -> layout.Named:
    """Returns how an entry is written; ``below`` is the type of the mapping, None where no schema says anything.

    Fields are ordered by number; the entries of maps keep their order and spelling.
    """
    if below is None:
        return layout.Named(None, 0, None)
    if below.GetOptions().map_entry:
        return layout.Named(None, 0, _message(below.fields_by_name["value"]))
    for field in below.fields:
        if key in (field.json_name, field.name):
            return layout.Named(field.json_name, field.number, _message(field))
    # Nothing but a merge key is left, and that goes first.
    return layout.Named(None, -1, below)


def _message(field: Any) -> Any:  # descriptors
    part = field.message_type
    return None if part is None or part.full_name.startswith("google.protobuf.") else part
