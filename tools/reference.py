"""Writes docs/reference/kinds/*.md, schemas/*.json and schemas/crd/*.yaml from the protos, docs/reference/cli.md from the command line.

The comments of the protos are the manual. This tool formats them, and writes them into the package for ``planton explain``. With
``--check`` it writes nothing and reports stale files.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import yaml
from google.protobuf import descriptor_pb2

import command_page
import crd
import json_schema
from org.project_planton.policy.v1 import policy_pb2
from org.project_planton.shared.foreignkey.v1 import foreign_key_pb2
from org.project_planton.shared.options import options_pb2
from planton import errors, modules
from planton.cli import group as command_line
from planton.modules import unsupported
from planton.schema import describe, kinds
from planton_server.service import routes

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUF = pathlib.Path(sys.executable).with_name("buf")
_MESSAGE, _FIELD, _ENUM, _ENUM_VALUE, _NESTED, _NESTED_ENUM, _SERVICE, _METHOD = 4, 2, 5, 2, 3, 4, 6, 2
#: Rules that the type of a field already shows.
_SHOWN = ("required", "enum.defined_only")
_INTRO = "<!-- Written by tools/reference.py from the protos. Change the comments there, then run `make gen`. -->\n"


def main(arguments: list[str]) -> int:
    """Writes or checks the files; returns 1 if ``--check`` finds a stale one."""
    pages = {f"docs/reference/kinds/{kind.name}.md": kind_page(kind, comments(), _example(kind)) for kind in kinds.all_kinds()}
    pages["docs/reference/cli.md"] = command_page.render(command_line.cli)
    pages[describe.COMMENTS.relative_to(ROOT).as_posix()] = comments_file()
    pages |= schema_files() | definition_files()
    stale = [name for name, text in pages.items() if _read(ROOT / name) != text]
    for name in stale:
        if "--check" in arguments:
            print(f"{name} is stale: run `make gen`")
        else:
            (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / name).write_text(pages[name], "utf-8")
    return 1 if stale and "--check" in arguments else 0


def _read(path: pathlib.Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


_COMMENTS: dict[str, str] = {}


def comments() -> dict[str, str]:
    """Returns the leading comments of all messages, fields, enums and values by full name."""
    if not _COMMENTS:
        command = [BUF, "build", "proto", "--as-file-descriptor-set", "-o", "-"]
        built = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
        _COMMENTS.update(comments_of(built))
    return _COMMENTS


def comments_of(descriptors: bytes) -> dict[str, str]:
    """Returns the leading comments of a serialized FileDescriptorSet with source information, by full name."""
    files = descriptor_pb2.FileDescriptorSet.FromString(descriptors).file
    return {name: text for file in files for name, text in _file_comments(file).items()}


def _file_comments(file: descriptor_pb2.FileDescriptorProto) -> dict[str, str]:
    comments_by_name = {}
    for location in file.source_code_info.location:
        name = _name(file, list(location.path))
        if name and location.leading_comments:
            comments_by_name[f"{file.package}.{name}"] = " ".join(location.leading_comments.split())
    return comments_by_name


def comments_file() -> str:
    """Returns the comments of everything that a manifest or the API can contain, as the JSON file of the package."""
    names: set[str] = set()
    for kind in kinds.all_kinds():
        _collect(kind.message.DESCRIPTOR, names)
    _collect(policy_pb2.Policy.DESCRIPTOR, names)
    for route in routes.routes():
        names |= {route.service, f"{route.service}.{route.method}"}
        _collect(route.request.DESCRIPTOR, names)
        _collect(route.response.DESCRIPTOR, names)
    texts = {name: text for name, text in comments().items() if name in names}
    return json.dumps(dict(sorted(texts.items())), indent=1, ensure_ascii=False) + "\n"


def schema_files() -> dict[str, str]:
    """Returns the JSON Schemas: one for each kind, one for policies, one for manifests of any kind."""
    texts = comments()
    named = {name: json_schema.document(name, comments=texts) for name in json_schema.names()}
    named["planton"] = json_schema.document(comments=texts)
    return {f"schemas/{name}.schema.json": json.dumps(each, indent=1, ensure_ascii=False) + "\n" for name, each in named.items()}


def definition_files() -> dict[str, str]:
    """Returns the CustomResourceDefinitions, one for each kind."""
    named = {name: crd.document(name, comments=comments()) for name in crd.names()}
    return {f"schemas/crd/{name}.yaml": yaml.safe_dump(each, sort_keys=False, allow_unicode=True) for name, each in named.items()}


def _collect(message: Any, names: set[str]) -> None:
    if message.full_name in names or message.full_name.startswith("google."):
        return
    names.add(message.full_name)
    for field in message.fields:
        names.add(field.full_name)
        if field.enum_type is not None:
            names |= {
                field.enum_type.full_name,
                *(f"{field.enum_type.full_name}.{value.name}" for value in field.enum_type.values),
            }
        if field.message_type is not None:
            _collect(field.message_type, names)


def _name(file: descriptor_pb2.FileDescriptorProto, path: list[int]) -> str:
    if len(path) < 2 or path[0] not in (_MESSAGE, _ENUM, _SERVICE):  # noqa: PLR2004  # kind and index
        return ""
    if path[0] == _SERVICE:
        return _method(file.service[path[1]], path[2:])
    if path[0] == _ENUM:
        enum = file.enum_type[path[1]]
        return enum.name if len(path) == 2 else _value(enum.name, enum, path[2:])  # noqa: PLR2004
    return _in_message(file.message_type[path[1]], path[2:])


def _in_message(message: Any, path: list[int]) -> str:
    names = [message.name]
    while len(path) >= 2 and path[0] == _NESTED:  # noqa: PLR2004
        message = message.nested_type[path[1]]
        names.append(message.name)
        path = path[2:]
    if not path:
        return ".".join(names)
    if path[0] == _FIELD and len(path) == 2:  # noqa: PLR2004
        return ".".join([*names, message.field[path[1]].name])
    if path[0] == _NESTED_ENUM:
        enum = message.enum_type[path[1]]
        name = ".".join([*names, enum.name])
        return name if len(path) == 2 else _value(name, enum, path[2:])  # noqa: PLR2004
    return ""


def _method(service: descriptor_pb2.ServiceDescriptorProto, path: list[int]) -> str:
    if not path:
        return service.name
    return f"{service.name}.{service.method[path[1]].name}" if path[0] == _METHOD and len(path) == 2 else ""  # noqa: PLR2004


def _value(prefix: str, enum: descriptor_pb2.EnumDescriptorProto, path: list[int]) -> str:
    return f"{prefix}.{enum.value[path[1]].name}" if path[0] == _ENUM_VALUE and len(path) == 2 else ""  # noqa: PLR2004


def kind_page(kind: kinds.Kind, texts: dict[str, str], example: str) -> str:
    """Returns the reference page of a kind.

    Args:
        kind: The kind.
        texts: The comments of its protos by full name.
        example: A manifest.
    """
    spec = kind.message.DESCRIPTOR.fields_by_name["spec"].message_type
    lines = [_INTRO, f"# {kind.name}", "", texts.get(spec.full_name, ""), ""]
    lines += ["```yaml", example.rstrip(), "```", ""]
    lines += ["[Manifests](../../use/manifests.md) describes `metadata`. A rule id without a text is described further up.", ""]
    documented: set[str] = set()
    for message in _messages(spec):
        lines += _message_section(message, texts, documented, title="spec" if message is spec else message.name)
    lines += ["## Outputs", "", "`planton outputs` prints them; references resolve to them.", ""]
    outputs = kind.stack_outputs.DESCRIPTOR
    lines += [f"- `{field.json_name}` ({_type(field)}): {texts.get(field.full_name, '')}" for field in outputs.fields]
    lines += ["", *_unsupported(kind)]
    return "\n".join(lines).rstrip() + "\n"


def _example(kind: kinds.Kind) -> str:
    # The corpus test validates this file, and the plan goldens of the Civo kinds come from similar manifests.
    return (ROOT / "tests" / "kinds" / kind.name / "valid" / "example.yaml").read_text("utf-8")


def _messages(root: Any) -> Iterator[Any]:
    seen, queue = [], [root]
    while queue:
        message = queue.pop(0)
        if message in seen or message.full_name.startswith("org.project_planton.shared.foreignkey"):
            continue
        seen.append(message)
        queue += [
            field.message_type
            for field in message.fields
            if field.message_type is not None and not field.message_type.GetOptions().map_entry
        ]
        yield message


def _message_section(message: Any, texts: dict[str, str], documented: set[str], *, title: str) -> list[str]:
    """Returns the section of a message. A rule of several fields is described at the first one, and added to ``documented``."""
    lines = [f"## {title}", ""]
    if title != "spec":
        lines += [texts.get(message.full_name, ""), ""]
    for field in message.fields:
        properties, rules = _rules(field)
        lines.append(f"- `{field.json_name}` ({', '.join([_type(field), *properties])}): {texts.get(field.full_name, '')}")
        lines += [f"  - `{rule.id}`: {rule.text}" for rule in rules if rule.id not in documented]
        if repeated := [f"`{rule.id}`" for rule in rules if rule.id in documented]:
            lines.append(f"  - {', '.join(repeated)}")
        documented |= {rule.id for rule in rules}
    if relations := describe.message_rules(message):
        lines += ["", "Rules between fields:", "", *(f"- `{rule.id}`: {rule.text}" for rule in relations)]
    return [*lines, ""]


def _type(field: Any) -> str:
    if field.message_type is not None:
        if field.message_type.GetOptions().map_entry:
            return "map of text to text"
        name = field.message_type.name
        type_name = "text or reference" if name == "StringValueOrRef" else f"[{name}](#{name.lower()})"
    elif field.enum_type is not None:
        type_name = "one of " + ", ".join(f"`{value.name}`" for value in field.enum_type.values if value.number)
    else:
        type_name = {field.TYPE_STRING: "text", field.TYPE_BOOL: "true or false"}.get(field.type, "whole number")
    return f"list of {type_name}" if field.is_repeated else type_name


def _rules(field: Any) -> tuple[list[str], list[describe.Rule]]:
    """Returns the properties of a field that follow its type, and its own rules."""
    rules = describe.field_rules(field)
    properties = ["required"] if any(rule.id == "required" for rule in rules) else []
    if default := field.GetOptions().Extensions[options_pb2.default]:
        properties.append(f"default `{default}`")
    if kind := field.GetOptions().Extensions[foreign_key_pb2.default_kind]:
        value = foreign_key_pb2.DESCRIPTOR.extensions_by_name["default_kind"].enum_type.values_by_number[kind].name
        properties.append(f"by default to {value}")
    # Every reference has the rules of references; the type of an enum lists its names.
    return properties, [rule for rule in rules if rule.id not in _SHOWN and not rule.id.startswith("reference.")]


def _unsupported(kind: kinds.Kind) -> list[str]:
    try:
        table = modules.load(kind).UNSUPPORTED
    except errors.PlantonError:
        return ["This version validates the kind and cannot apply it yet."]
    if not table:
        return []
    lines = ["## Unsupported fields", ""]
    levels = {unsupported.Level.REFUSE: "refused at plan", unsupported.Level.WARN: "warning"}
    lines += [f"- `{unsupported.json_path(each.path)}` ({levels[each.level]}): {each.reason}" for each in table]
    return [*lines, "", "`--allow-unsupported FIELD` turns a refusal into a warning."]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
