"""StackInput: the one artefact that crosses from a manifest to a module. Written, read, and redacted."""

from __future__ import annotations

import functools
import json
import os
import pathlib
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format

from org.project_planton.shared.foreignkey.v1 import foreign_key_pb2  # noqa: F401  # keeps the option extensions registered
from planton import errors
from planton.manifest import inputs
from planton.schema import kinds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf import descriptor, message

#: Where a module program finds its stack input, first to last (docs/extend/standalone.md).
CONFIG_KEY = "planton-cloud:stack-input"
TEXT_VARIABLE = "STACK_INPUT_YAML"
FILE_VARIABLE = "STACK_INPUT_YAML_FILE"
FILE_NAMES = ("stack-input.json", "stack-input.yaml")
REDACTED = "[redacted]"


def build(manifest: message.Message, config: message.Message) -> message.Message:
    """Returns the stack input of a manifest with a provider config."""
    stack_input: Any = kinds.get(manifest.DESCRIPTOR.name).stack_input()
    stack_input.target.CopyFrom(manifest)
    stack_input.provider_config.CopyFrom(config)
    return stack_input  # type: ignore[no-any-return]  # its class is found by name


def as_dict(value: message.Message, *, show_secrets: bool = False) -> dict[str, Any]:
    """Returns a message as JSON data with the names of manifests; secrets are redacted by default.

    The schema marks secrets with ``debug_redact``.
    """
    data: dict[str, Any] = json_format.MessageToDict(value)
    if not show_secrets:
        _redact(data, value.DESCRIPTOR)
    return data


def _redact(data: dict[str, Any], described: Any) -> None:
    for field in described.fields:
        content = data.get(field.json_name)
        if content is None:
            continue
        if field.GetOptions().debug_redact:
            data[field.json_name] = REDACTED
        elif field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for item in content if isinstance(content, list) else [content]:
                if isinstance(item, dict):
                    _redact(item, field.message_type)


def file_dict(stack_input: message.Message, *, show_secrets: bool = False) -> dict[str, Any]:
    """Returns the content of a stack-input file: ``target`` and ``provider_config``."""
    data = as_dict(stack_input, show_secrets=show_secrets)
    return {"target": data.get("target", {}), "provider_config": data.get("providerConfig", {})}


@functools.cache
def secret_fields(described: descriptor.Descriptor) -> tuple[str, ...]:
    """Returns the names of a message's secret fields."""
    return tuple(field.name for field in described.fields if field.GetOptions().debug_redact)


def parse(text: str, *, source: str) -> message.Message:
    """Reads a stack input from YAML or JSON text, strictly.

    Args:
        text: A mapping with ``target`` and ``provider_config`` (or ``providerConfig``).
        source: What to call the text in errors; never its content.

    Raises:
        InvalidError: The target is not a valid manifest; every violation with line and column.
        PlantonError: ``STACK_INPUT_INVALID``; ``KIND_UNKNOWN``.
    """
    return inputs.read_stack_input(text, file=source)


def locate(
    config: str | None, *, environ: Mapping[str, str] | None = None, folder: pathlib.Path | None = None
) -> tuple[str, str]:
    """Returns the text of a module program's stack input and what to call it, from the first place that has one.

    Args:
        config: The value of the Pulumi config key ``planton-cloud:stack-input``, if set.
        environ: The environment; that of the process if None.
        folder: The folder of ``Pulumi.yaml``; the working folder if None.

    Raises:
        PlantonError: ``STACK_INPUT_MISSING``: it is missing, or its file cannot be read.
    """
    environ = os.environ if environ is None else environ
    folder = folder or pathlib.Path.cwd()
    if config:
        return config, f"config {CONFIG_KEY}"
    if environ.get(TEXT_VARIABLE):
        return environ[TEXT_VARIABLE], f"${TEXT_VARIABLE}"
    candidates = [pathlib.Path(environ[FILE_VARIABLE])] if environ.get(FILE_VARIABLE) else [folder / name for name in FILE_NAMES]
    for path in candidates:
        if path.exists():
            return _read(path), str(path)
    raise errors.stack_input_missing(
        f"no stack input: {' and '.join(str(path) for path in candidates)} do not exist",
        hint=f"write one: planton stack-input -f MANIFEST --show-secrets > {FILE_NAMES[1]}; or set {CONFIG_KEY}, "
        f"${TEXT_VARIABLE} or ${FILE_VARIABLE}",
    )


def _read(path: pathlib.Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise errors.stack_input_missing(f"cannot read the stack input {path}: {why}") from None


def dumps(data: object) -> str:
    """Returns JSON data as indented JSON text."""
    return json.dumps(data, indent=2, ensure_ascii=False)
