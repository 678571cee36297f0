"""Stack inputs and provider configs: texts that hold secrets, so no error shows a value or a line of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from planton import errors
from planton.manifest import decode, documents, yaml_nodes, yaml_reader
from planton.schema import kinds, validation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf import message


def read_stack_input(text: str, *, file: str) -> message.Message:
    """Reads a stack input: a mapping with ``target`` and ``provider_config`` (or ``providerConfig``).

    Args:
        text: YAML or JSON.
        file: What to call it in errors.

    Returns:
        The kind's StackInput, with defaults applied to the target.

    Raises:
        InvalidError: ``STACK_INPUT_INVALID``; every violation with its place, none with a value of the provider config.
    """
    violations: list[errors.Violation] = []
    value: Any = None
    try:
        text = yaml_reader.decode(text.encode("utf-8", "surrogatepass"))
        roots = list(yaml_reader.compose(text))
        value = _stack_input(roots, text, file, violations)
    except yaml_reader.TrapError as trap:
        violations.append(documents.trapped(trap, file=file, text="", index=0))
    if violations:
        raise errors.InvalidError(violations, reason=errors.Reason.STACK_INPUT_INVALID)
    return value  # type: ignore[no-any-return]  # its class is found by name


def _stack_input(
    roots: Sequence[Any], text: str, file: str, violations: list[errors.Violation]
) -> Any:  # a stack input of any kind
    reading = yaml_nodes.reading_of(file, 0, "", secret=True, violations=violations)
    if len(roots) != 1 or not isinstance(roots[0], yaml.MappingNode):
        message = "a stack input must be one mapping with target and provider_config"
        violations.append(errors.Violation(file, 1, 1, "", message, "stack_input.shape"))
        return None
    root = roots[0]
    finder = documents.Finder(root)
    _check_keys(root, reading)
    pair = finder.entry(root, "target")
    if pair is None or yaml_nodes.is_null(pair[1]):
        reading.add(root, "target", "must be set: it is the manifest", "stack_input.target_missing")
        return None
    kind = documents.kind_of(pair[1], "target", yaml_nodes.reading_of(file, 0, "", violations=violations))
    if kind is None:
        return None
    stack_input: Any = kind.stack_input()
    target_reading = yaml_nodes.reading_of(file, 0, "", violations=violations)
    stack_input.target.SetInParent()
    decode.fill(stack_input.target, pair[1], "target", target_reading)
    span = (root.start_mark.index, root.end_mark.index, root.start_mark.column, root.start_mark.line)
    unread = tuple(path.removeprefix("target").removeprefix(".") for path in target_reading.unread)
    meant = tuple(path.removeprefix("target.") for path in target_reading.meant)
    document = documents.Document(kind, stack_input.target, file, 0, text, span, "target", unread, meant)
    stack_input.target.CopyFrom(documents.completed(document).message)
    violations += documents.check(document)
    config = finder.entry(root, "providerConfig")
    if config is not None and not yaml_nodes.is_null(config[1]):
        stack_input.provider_config.SetInParent()
        _fill_config(stack_input.provider_config, config[1], "provider_config", reading)
    return stack_input


def _check_keys(root: Any, reading: decode.Reading) -> None:  # a node of PyYAML has no type
    seen: set[str] = set()
    for key, _ in root.value:
        name = documents.camel(key.value) if isinstance(key, yaml.ScalarNode) else ""
        if name not in ("target", "providerConfig"):
            suggestion = decode.nearest(name, ["target", "provider_config", "providerConfig"])
            text = "a stack input has target and provider_config, and nothing else"
            reading.add(key, "", text, "manifest.unknown_field", suggestion=suggestion)
        elif name in seen:
            reading.add(key, "", f"{name} is there twice", "yaml.duplicate_key")
        seen.add(name)


def _fill_config(config: message.Message, node: Any, path: str, reading: decode.Reading) -> None:  # a node of PyYAML has no type
    before = len(reading.violations)
    decode.fill(config, node, path, reading)
    if len(reading.violations) > before:
        return
    for problem in validation.violations(config):
        # What a config leaves out may come from the environment.
        if problem.rule_id != "required":
            reading.add(
                documents.Finder(node).find(problem.path), decode.join(path, problem.path), problem.message, problem.rule_id
            )


def read_provider_config(data: bytes, *, file: str, kind: kinds.Kind) -> message.Message:
    """Reads the provider config of a kind's cloud (``-p FILE``): YAML or JSON, strictly.

    Raises:
        InvalidError: Every violation with its place, none with a value.
    """
    config: message.Message = kind.provider_config()
    violations: list[errors.Violation] = []
    try:
        roots = list(yaml_reader.compose(yaml_reader.decode(data)))
        if len(roots) == 1:
            _fill_config(config, roots[0], "", yaml_nodes.reading_of(file, 0, "", secret=True, violations=violations))
        else:
            violations.append(errors.Violation(file, 1, 1, "", "a provider config must be one mapping", "provider_config.shape"))
    except yaml_reader.TrapError as trap:
        violations.append(documents.trapped(trap, file=file, text="", index=0))
    if violations:
        raise errors.InvalidError(violations)
    return config
