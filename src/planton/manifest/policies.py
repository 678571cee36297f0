"""Policies: rules of the user's own, in CEL, over the messages of manifests.

A policy is a YAML file, typed by the package ``org.project_planton.policy.v1`` and read as strictly as manifests are. A policy
is checked completely when it is loaded. Each expression is compiled against the messages of its kinds, so that a misspelt field
is reported with its place in the policy. This module looks at
messages that are complete and valid, and at nothing else.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from google.protobuf import descriptor_pool

from org.project_planton.policy.v1 import policy_pb2
from planton import errors, manifest
from planton.base import confined
from planton.manifest import decode, documents, yaml_nodes, yaml_reader
from planton.schema import describe, kinds, validation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from google.protobuf import message

#: An error of the compiler: line from 1, column from 1, text.
_FAULT: Final = re.compile(r"ERROR: <input>:([0-9]+):([0-9]+): (.*)")
_NO_FIELD: Final = re.compile(r"undefined field '([^']*)' not found in struct '([^']*)'")
#: Expressions that build larger values. A few of them in a row can fill the memory within the budget of steps.
_GROWING: Final = re.compile(r"\+|\b(bind|map|transform\w*|replace|join|format|flatten|split|lists?|range)\b")
_TOO_MUCH_MEMORY: Final = f"it needs more than {confined.MOST_BYTES // 1024**2} MiB of memory"
_BLOCK_STYLES: Final = ("|", ">")


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a policy.

    Attributes:
        id: The id that violations show.
        path: The field at which violations are shown, in the manifest's spelling; empty for the whole manifest.
        message: What must hold.
        level: ``error`` or ``warning``.
        programs: Kind → the compiled expression.
        can_grow: Whether its values can be many times larger than the expression and the manifest.
    """

    id: str
    path: str
    message: str
    level: str
    programs: Mapping[str, Any]  # the library's own class
    can_grow: bool = False


class Finding(NamedTuple):
    """A rule that does not hold of a manifest.

    Attributes:
        rule: The rule.
        message: The violated condition, or the error of the evaluation.
        level: ``error`` or ``warning``.
    """

    rule: Rule
    message: str
    level: str


def load(paths: Sequence[str]) -> tuple[Rule, ...]:
    """Returns the rules of policy files, compiled.

    Raises:
        InvalidError: ``POLICY_INVALID``: everything that is wrong with any of them, with its place.
        PlantonError: ``MANIFEST_UNREADABLE``.
    """
    violations: list[errors.Violation] = []
    rules: dict[str, Rule] = {}
    for file, data in manifest.sources(paths):
        for policy in _read(file, data, violations):
            policy.add_rules(rules)
    if violations:
        raise errors.InvalidError(violations, reason=errors.Reason.POLICY_INVALID)
    return tuple(rules.values())


def findings(rules: Iterable[Rule], value: message.Message) -> list[Finding]:
    """Returns the rules that do not hold of a manifest, in their order."""
    results = []
    for rule in rules:
        program = rule.programs.get(value.DESCRIPTOR.name)
        finding = _finding(rule, program, value) if program is not None else None
        results += [finding] if finding is not None else []
    return results


def check(rules: Iterable[Rule], document: manifest.Document) -> list[errors.Violation]:
    """Returns what the rules say of a document, with places."""
    results = findings(rules, document.message)
    if not results:
        return []
    return [
        errors.Violation(
            document.file,
            place.line,
            place.column,
            finding.rule.path,
            finding.message,
            finding.rule.id,
            document.index,
            place.source,
            finding.level,
        )
        for finding, place in zip(results, document.places(finding.rule.path for finding in results), strict=True)
    ]


def _finding(rule: Rule, program: Any, value: message.Message) -> Finding | None:  # as in Rule
    try:
        verdict, fault = confined.run(lambda: _judged(program, value)) if rule.can_grow else _judged(program, value)
    except confined.ExhaustedError:
        verdict, fault = False, _TOO_MUCH_MEMORY
    if fault:
        return _unjudged(rule, fault)
    if verdict is True or verdict == "":
        return None
    return Finding(rule, str(verdict or rule.message), rule.level)


def _judged(program: Any, value: message.Message) -> tuple[bool | str, str]:  # as in Rule
    """Returns the result of an expression, and the reason if it has none."""
    from cel_expr_python import cel  # noqa: PLC0415  # the extra `policy`

    try:
        result = program.eval(data={"this": value})
    except MemoryError:
        return False, _TOO_MUCH_MEMORY
    except RuntimeError as error:
        # The library raises an exception if its budget is exceeded, and returns all other errors.
        return False, _fault(str(error))
    verdict = result.value()
    if result.type() == cel.Type.ERROR:
        return False, _fault(str(verdict).partition(": ")[2] or str(verdict))
    return verdict, ""


def _fault(text: str) -> str:
    # The library's core reports a failed allocation by the name of its exception.
    return _TOO_MUCH_MEMORY if "bad_alloc" in text else text


def _unjudged(rule: Rule, reason: str) -> Finding:
    # A rule that cannot be evaluated is an error, whatever its level.
    return Finding(rule, f"cannot be judged: {reason}; the rule is: {rule.message}", "error")


def _read(file: str, data: bytes, violations: list[errors.Violation]) -> Iterator[_Policy]:
    text, index = "", 0
    try:
        text = yaml_reader.decode(data)
        for root in yaml_reader.compose(text):
            if not yaml_nodes.is_null(root):
                yield _Policy(root, yaml_nodes.reading_of(file, index, text, violations=violations))
                index += 1
    except yaml_reader.TrapError as trap:
        violations.append(documents.trapped(trap, file=file, text=text, index=index))
        return
    if not index:
        violations.append(errors.Violation(file, 1, 1, "", "has no policy: the file is empty", "policy.empty"))


class _Policy:
    """One policy being read."""

    def __init__(self, root: Any, reading: decode.Reading) -> None:  # PyYAML's nodes have no types of use, here and below
        """Creates the reader of one policy."""
        self._root = root
        self._reading = reading
        self._finder = documents.Finder(root)

    def add_rules(self, rules: dict[str, Rule]) -> None:
        """Adds the rules by id, or reports violations."""
        policy = policy_pb2.Policy()
        before = len(self._reading.violations)
        decode.fill(policy, self._root, "", self._reading)
        if len(self._reading.violations) == before:
            for problem in validation.violations(policy):
                self._note(problem.path, problem.message, problem.rule_id)
        if len(self._reading.violations) > before:
            return
        for index, source in enumerate(policy.rules):
            path = f"rules[{index}]"
            if source.id in rules:
                self._note(f"{path}.id", f"there is another rule {source.id!r}", "policy.duplicate_id")
                continue
            meant = self._kinds(source, path)
            field = self._field(source, meant, path)
            programs = self._programs(source, meant, path)
            rules[source.id] = Rule(
                source.id, field, source.message, source.level or "error", programs, bool(_GROWING.search(source.expression))
            )

    def _note(self, path: str, text: str, rule_id: str, suggestion: str = "") -> None:
        self._reading.add(self._finder.find(path), path, text, rule_id, suggestion=suggestion)

    def _kinds(self, source: policy_pb2.PolicyRule, path: str) -> list[kinds.Kind]:
        catalogue = kinds.all_kinds()
        names = [kind.name for kind in catalogue]
        for index, name in enumerate(source.kinds):
            if name not in names:
                suggestion = decode.nearest(name, names)
                self._note(
                    f"{path}.kinds[{index}]", f"unknown kind {yaml_nodes.preview(name)}", "policy.unknown_kind", suggestion
                )
        return [kind for kind in catalogue if kind.name in source.kinds or not source.kinds]

    def _field(self, source: policy_pb2.PolicyRule, meant: list[kinds.Kind], path: str) -> str:
        field = ""
        for kind in meant if source.path else ():
            try:
                field = describe.find(f"{kind.name}.{source.path}").path
            except errors.PlantonError as error:
                self._note(f"{path}.path", f"{error.message}; {error.hint}", "policy.unknown_field")
                break
        return field

    def _programs(self, source: policy_pb2.PolicyRule, meant: list[kinds.Kind], path: str) -> dict[str, Any]:  # as in Rule
        programs: dict[str, Any] = {}
        for kind in meant:
            try:
                programs[kind.name] = _environment(kind).compile(source.expression)
            except RuntimeError as error:
                self._note_faults(str(error), source.expression, f"{path}.expression", kind)
                break
            result = programs[kind.name].return_type().name()
            if result not in ("BOOL", "STRING"):
                text = f"must be true or false, or a text, not {result.rpartition('.')[2]}"
                self._note(f"{path}.expression", text, "policy.result_type")
                break
        return programs

    def _note_faults(self, messages: str, expression: str, path: str, kind: kinds.Kind) -> None:
        node = self._finder.find(path)
        lines = expression.split("\n")
        for row, column, message in _FAULT.findall(messages) or [("1", "1", messages)]:
            offset = sum(len(line) + 1 for line in lines[: int(row) - 1]) + int(column) - 1
            text, suggestion = _explained(message)
            index = _index_in_text(node, self._reading.text, expression[:offset])
            start = self._reading.text.rfind("\n", 0, index) + 1
            self._reading.violations.append(
                errors.Violation(
                    self._reading.file,
                    self._reading.text.count("\n", 0, index) + 1,
                    index - start + 1,
                    path,
                    f"for {kind.name}: {text}",
                    "policy.expression",
                    self._reading.index,
                    yaml_nodes.line_at(self._reading.text, start),
                    suggestion=suggestion,
                )
            )


def _index_in_text(node: Any, text: str, before: str) -> int:  # a node of PyYAML has no type
    """Returns the position in the file of a place in a scalar, from the text before it in the scalar's value.

    Both have the same characters in the same order, but for blanks, quotes and what escapes, which are passed over.
    """
    index = node.start_mark.index
    if node.style in _BLOCK_STYLES:
        index = text.index("\n", index) + 1
    elif node.style:
        index += 1
    end = node.end_mark.index
    for character in "".join(before.split()):
        index = text.find(character, index, end) + 1 or index
    while index < end - 1 and text[index].isspace():
        index += 1
    return int(index)


def _explained(text: str) -> tuple[str, str]:
    """Returns a message of the compiler in the words of manifests, and the field that is close to an unknown one."""
    text = text.removesuffix(" (in container '')")
    no_field = _NO_FIELD.fullmatch(text)
    if no_field:
        described = descriptor_pool.Default().FindMessageTypeByName(no_field[2])
        suggestion = decode.nearest(no_field[1], [field.name for field in described.fields])
        return f"{described.name} has no field {no_field[1]!r}", suggestion
    if "uint" in text and re.search(r"\bint\b", text):
        text += "; a number that is compared with an unsigned one is written with u: 3u"
    return text, ""


@functools.cache
def _environment(kind: kinds.Kind) -> Any:  # as in Rule
    """Returns what an expression over a kind may name: the manifest, its enums, and the functions of CEL's extensions."""
    from cel_expr_python import cel  # noqa: PLC0415  # the extra `policy`
    from cel_expr_python.ext import (  # noqa: PLC0415  # the extra `policy`
        ext_bindings,
        ext_math,
        ext_optional,
        ext_strings,
    )

    described = kind.message.DESCRIPTOR
    return cel.NewEnv(
        descriptor_pool.Default(),
        variables={"this": cel.Type(described.full_name)},
        extensions=[ext_bindings.ExtBindings(), ext_math.ExtMath(), ext_optional.ExtOptional(), ext_strings.ExtStrings()],
        container=cel.ExpressionContainer(abbreviations=sorted(_enums(described, set()))),
    )


def _enums(described: Any, seen: set[str]) -> set[str]:  # a message's descriptor; the stubs know less of it
    seen.add(described.full_name)
    names = {field.enum_type.full_name for field in described.fields if field.enum_type is not None}
    for field in described.fields:
        if field.message_type is not None and field.message_type.full_name not in seen:
            names |= _enums(field.message_type, seen)
    return names
