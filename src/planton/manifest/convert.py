"""Converts manifests and stack inputs between YAML, JSON and the Protobuf wire form. References are not resolved."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from typing import TYPE_CHECKING, Any, Final, NoReturn

import yaml
from google.protobuf import json_format
from google.protobuf import message as protobuf_message

from planton import errors, manifest
from planton.manifest import documents, dumping, load, stack_input, yaml_reader
from planton.schema import defaults, kinds, validation

if TYPE_CHECKING:
    from collections.abc import Sequence

YAML: Final = "yaml"
JSON: Final = "json"
BINARY: Final = "binary"
#: The form that a file's name says.
_SUFFIXES: Final = {".yaml": YAML, ".yml": YAML, ".json": JSON, ".binpb": BINARY, ".bin": BINARY, ".pb": BINARY}


def form_of(path: str) -> str:
    """Returns the form that a file's name says; empty where it says none."""
    return _SUFFIXES.get(pathlib.PurePath(path).suffix.lower(), "")


is_stack_input = documents.is_stack_input


def read(text: load.Text, *, form: str, kind: kinds.Kind | None = None) -> list[protobuf_message.Message]:
    """Reads manifests or one stack input, strictly, and checks their rules.

    Args:
        text: The content and its name in errors.
        form: ``yaml``, ``json`` or ``binary``.
        kind: The kind, where binary data does not name its own; or None.

    Returns:
        Manifests as written, or a stack input with the defaults in its target.

    Raises:
        InvalidError: Everything that is wrong with it.
        PlantonError: ``STACK_INPUT_INVALID``: it is not what it should be, or does not name its kind.
    """
    if form == BINARY:
        values = [_from_binary(text, kind=kind)]
    elif _has_target(text.data):
        values = [manifest.read_stack_input(text.data.decode("utf-8", errors="replace"), file=text.file)]
    else:
        values = _manifests(text)
    for value in values:
        name = kind_of(value).name
        if kind is not None and name != kind.name:
            _refuse(f"{text.file} holds a {name}, not a {kind.name}")
    return values


def kind_of(value: protobuf_message.Message) -> kinds.Kind:
    """Returns the kind of a manifest, or of the manifest in a stack input."""
    return kinds.get(documents.manifest_of(value).DESCRIPTOR.name)


def _has_target(data: bytes) -> bool:
    try:
        root = next(yaml_reader.compose(yaml_reader.decode(data)), None)
    except yaml_reader.TrapError:
        return False  # the manifest reader reports the violation
    if not isinstance(root, yaml.MappingNode):
        return False
    finder = documents.Finder(root)
    return finder.entry(root, "target") is not None and finder.entry(root, "kind") is None


def _manifests(text: load.Text) -> list[protobuf_message.Message]:
    read_documents, violations = load.collect(text, complete=False)
    if violations:
        raise errors.InvalidError(violations)
    return [document.message for document in read_documents]


def _from_binary(text: load.Text, *, kind: kinds.Kind | None) -> protobuf_message.Message:
    file = text.file
    value = _parsed(text.data, kind)
    if value is None:
        hint = "" if kind else "name it with --kind KIND, or the form with --from"
        _refuse(f"{file} is no manifest or stack input in binary form" + ("" if kind else " that names its kind"), hint)
    recognized: Any = _without_unknown_fields(value)  # its class is found by name
    if recognized.ByteSize() != value.ByteSize():
        _refuse(f"{file} has fields that this version does not know; they would be lost", "update planton")
    if is_stack_input(recognized):
        recognized.target.CopyFrom(defaults.apply(recognized.target))
    _check(recognized, file)
    return recognized  # type: ignore[no-any-return]  # its class is found by name


def _parsed(data: bytes, kind: kinds.Kind | None) -> protobuf_message.Message | None:
    candidates = [kind] if kind else kinds.all_kinds()
    unnamed: list[Any] = []
    for candidate in candidates:
        for message in (candidate.stack_input, candidate.message):
            try:
                value = message.FromString(data)
            except protobuf_message.DecodeError:
                continue
            target = documents.manifest_of(value)
            if target.kind == candidate.name:
                return value
            if not (target.kind or target.api_version) and _without_unknown_fields(value).ByteSize() == len(data):
                unnamed.append(value)
    if kind is None or not unnamed:
        return None
    target = documents.manifest_of(unnamed[0])
    target.api_version, target.kind = kind.api_version, kind.name
    return unnamed[0]  # type: ignore[no-any-return]  # its class is found by name


def _without_unknown_fields(value: protobuf_message.Message) -> protobuf_message.Message:
    recognized = type(value)()
    recognized.CopyFrom(value)
    recognized.DiscardUnknownFields()
    return recognized


def _check(value: Any, file: str) -> None:  # a manifest or a stack input
    [document], violations = load.collect(load.Text(file, message=value))
    prefix = "target" if is_stack_input(value) else ""
    violations = [dataclasses.replace(each, path=_below(prefix, each.path)) for each in violations]
    if document.config is not None:
        # The environment may provide fields that a provider config omits.
        violations += [
            errors.Violation(file, 0, 0, _below("provider_config", problem.place), problem.message, problem.rule_id)
            for problem in validation.violations(document.config)
            if problem.rule_id != "required"
        ]
    if violations:
        raise errors.InvalidError(violations)


def _below(prefix: str, path: str) -> str:
    return ".".join(part for part in (prefix, path) if part)


def as_stack_input(value: protobuf_message.Message, config: protobuf_message.Message | None = None) -> protobuf_message.Message:
    """Returns a manifest as a stack input, with its defaults; a stack input as it is.

    Args:
        value: A manifest or a stack input.
        config: The provider config to merge into it, or None.
    """
    if is_stack_input(value):
        result: Any = type(value)()
        result.CopyFrom(value)
    else:
        result = stack_input.build(defaults.apply(value), kind_of(value).provider_config())
    if config is not None:
        for name in stack_input.secret_fields(config.DESCRIPTOR):
            if getattr(result.provider_config, name) == stack_input.REDACTED:
                result.provider_config.ClearField(name)
        result.provider_config.MergeFrom(config)
    return result  # type: ignore[no-any-return]  # its class is found by name


def as_manifest(value: protobuf_message.Message) -> protobuf_message.Message:
    """Returns the manifest in a stack input; a manifest as it is."""
    target: protobuf_message.Message = documents.manifest_of(value)
    return target


def redacted(value: protobuf_message.Message) -> protobuf_message.Message:
    """Returns a message whose secrets are redacted; an equal one where it has none."""
    return json_format.ParseDict(stack_input.as_dict(value), type(value)())


def dump(values: Sequence[protobuf_message.Message], form: str, *, show_secrets: bool = False) -> bytes:
    """Returns messages in a form; the same messages give the same bytes.

    Args:
        values: Manifests or stack inputs; only YAML holds more than one.
        form: ``yaml``, ``json`` or ``binary``.
        show_secrets: Whether secrets are written; they are redacted otherwise.

    Raises:
        PlantonError: ``USAGE``: there are several, and the form holds one.
    """
    if form == YAML:
        return "---\n".join(dumping.text(_data(value, show_secrets=show_secrets)) for value in values).encode()
    if len(values) != 1:
        raise errors.usage(
            f"there are {len(values)} documents, but {form} can contain only one",
            hint="write YAML, or pass one document at a time",
        )
    if form == JSON:
        return (stack_input.dumps(_data(values[0], show_secrets=show_secrets)) + "\n").encode()
    value = values[0] if show_secrets else redacted(values[0])
    return value.SerializeToString(deterministic=True)


def _data(value: protobuf_message.Message, *, show_secrets: bool) -> dict[str, Any]:
    if is_stack_input(value):
        data = stack_input.file_dict(value, show_secrets=show_secrets)
        dumping.sort_maps(data["target"], documents.manifest_of(value).DESCRIPTOR)
    else:
        data = stack_input.as_dict(value, show_secrets=show_secrets)
        dumping.sort_maps(data, value.DESCRIPTOR)
    return json.loads(json.dumps(data))  # type: ignore[no-any-return]  # no value stands in two places


def _refuse(text: str, hint: str = "") -> NoReturn:
    raise errors.stack_input_invalid(text, hint=hint)
