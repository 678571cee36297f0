r"""kubectl's JSONPath templates: ``{.items[*].metadata.name}``, ``{range .items[*]}{.kind}{"\n"}{end}``, plain text between them.

Paths have names, ``*``, ``..``, indexes, slices, lists of names and filters such as ``[?(@.observed.status=="Ready")]``. What a path
does not find is empty.
"""

from __future__ import annotations

import dataclasses
import json
import operator
import re
from typing import TYPE_CHECKING, Any, Final

from planton import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    #: Returns the values that a step of a path leads to from a value; the second argument is the whole document.
    Step = Callable[[Any, Any], Iterator[Any]]

_PARTS: Final = re.compile(r"""\{((?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^{}"'])*)\}|([^{}]+)|(.)""", re.DOTALL)
_STEPS: Final = re.compile(
    r"""\.\.(?P<below>(?:\\.|[^.\[\]\s])+) | \.?(?P<all>\*) | \.(?P<name>(?:\\.|[^.\[\]\s*])+)
    | \[(?P<inner>(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^\]"'])*)\]""",
    re.VERBOSE,
)
_NUMBER: Final = re.compile(r"-?\d+")
_SLICE: Final = re.compile(r"(-?\d*):(-?\d*)(?::(-?[1-9]\d*)?)?")
_FILTER: Final = re.compile(
    r"""\?\(\s*(?P<left>"[^"]*"|'[^']*'|.+?)\s*(?:(?P<op>==|!=|<=|>=|<|>)\s*(?P<right>"[^"]*"|'[^']*'|.+?))?\s*\)"""
)
_OPERATORS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def render(template: str, data: Any) -> str:  # JSON data
    """Returns the text of a template.

    Args:
        template: The template. Without braces it is a path.
        data: JSON data.

    Raises:
        PlantonError: ``USAGE``: the template cannot be understood.
    """
    text = template if "{" in template else f"{{{template}}}"
    parts = []
    for match in _PARTS.finditer(text):
        if match[3]:
            raise _wrong(template, f"the brace at character {match.start() + 1} has no counterpart")
        parts.append(("text", match[2]) if match[1] is None else ("expression", match[1].strip()))
    nodes, rest = _nodes(parts, template, is_nested=False)
    if rest:
        raise _wrong(template, "{end} has no {range}")
    return "".join(_rendered(nodes, data, data))


def values(path: str, data: Any) -> list[Any]:  # JSON data
    """Returns the values that a path finds.

    Args:
        path: For example ``.metadata.name``, with or without braces.
        data: JSON data.

    Raises:
        PlantonError: ``USAGE``: the path cannot be understood.
    """
    bare = path.strip().removeprefix("{").removesuffix("}").strip()
    return list(_follow(_steps(bare, path), [data], data))


@dataclasses.dataclass(frozen=True, slots=True)
class _Node:
    """A part of a template: a text, a path, or the body of a ``range`` over a path."""

    text: str = ""
    path: tuple[Step, ...] = ()
    body: tuple[_Node, ...] | None = None


def _nodes(parts: list[tuple[str, str]], template: str, *, is_nested: bool) -> tuple[tuple[_Node, ...], list[tuple[str, str]]]:
    nodes: list[_Node] = []
    while parts:
        (sort, content), *parts = parts
        if sort == "text":
            nodes.append(_Node(text=content))
        elif content == "end":
            if not is_nested:
                return tuple(nodes), [(sort, content), *parts]
            return tuple(nodes), parts
        elif content.startswith("range "):
            body, parts = _nodes(parts, template, is_nested=True)
            nodes.append(_Node(path=_steps(content[6:].strip(), template), body=body))
        elif content[:1] in ("'", '"'):
            nodes.append(_Node(text=_literal(content, template)))
        else:
            nodes.append(_Node(path=_steps(content, template)))
    if is_nested:
        raise _wrong(template, "{range} has no {end}")
    return tuple(nodes), []


def _rendered(nodes: tuple[_Node, ...], value: Any, root: Any) -> Iterator[str]:
    for node in nodes:
        if node.body is not None:
            for each in _follow(node.path, [value], root):
                yield from _rendered(node.body, each, root)
        elif node.path:
            yield " ".join(map(_shown, _follow(node.path, [value], root)))
        else:
            yield node.text


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _follow(path: tuple[Step, ...], start: list[Any], root: Any) -> list[Any]:
    current = start
    for step in path:
        current = [child for value in current for child in step(value, root)]
    return current


def _steps(text: str, template: str) -> tuple[Step, ...]:
    bare = text.removeprefix("@")
    steps: list[Step] = []
    if bare.startswith("$"):
        bare = bare[1:]
        steps.append(lambda _value, root: iter([root]))
    position = 0
    while position < len(bare):
        match = _STEPS.match(bare, position)
        if match is None:
            raise _wrong(template, f"{bare[position:]!r} is no part of a path")
        steps.append(_step(match, template))
        position = match.end()
    # A path without steps is the value itself.
    return tuple(steps) or (lambda value, _root: iter([value]),)


def _step(match: re.Match[str], template: str) -> Step:
    if match["all"]:
        return lambda value, _root: _children(value)
    if match["below"]:
        name = _unescaped(match["below"])
        return lambda value, _root: _below(value, name)
    if match["name"]:
        return _names([_unescaped(match["name"])])
    return _bracket(match["inner"].strip(), template)


def _bracket(inner: str, template: str) -> Step:
    if inner == "*":
        return lambda value, _root: _children(value)
    if _NUMBER.fullmatch(inner):
        return _slice(slice(int(inner), int(inner) + 1 or None))
    if sliced := _SLICE.fullmatch(inner):
        return _slice(slice(*(int(part) if part else None for part in sliced.groups())))
    if filtered := _FILTER.fullmatch(inner):
        return _filter(filtered, template)
    return _names([_literal(part.strip(), template) for part in inner.split(",")])


def _children(value: Any) -> Iterator[Any]:
    yield from value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _below(value: Any, name: str) -> Iterator[Any]:
    if isinstance(value, dict) and name in value:
        yield value[name]
    for child in _children(value):
        yield from _below(child, name)


def _names(names: list[str]) -> Step:
    return lambda value, _root: (value[name] for name in names if isinstance(value, dict) and name in value)


def _slice(part: slice) -> Step:
    return lambda value, _root: iter(value[part] if isinstance(value, list) else ())


def _filter(match: re.Match[str], template: str) -> Step:
    left, right = (_operand(match[side] or "", template) for side in ("left", "right"))
    compare = _OPERATORS.get(match["op"] or "")

    def step(value: Any, root: Any) -> Iterator[Any]:
        for child in _children(value):
            operand = left(child, root)
            if (bool(operand) and operand != [None]) if compare is None else _holds(compare, operand, right(child, root)):
                yield child

    return step


def _holds(compare: Callable[[Any, Any], bool], left: list[Any], right: list[Any]) -> bool:
    try:
        return bool(left) and bool(right) and compare(left[0], right[0])
    except TypeError:
        # Texts and numbers have no order.
        return False


def _operand(text: str, template: str) -> Callable[[Any, Any], list[Any]]:
    if text[:1] in ("@", "$"):
        path = _steps(text, template)
        return lambda value, root: _follow(path, [value], root)
    if not text:
        return lambda _value, _root: []
    try:
        literal = _literal(text, template) if text[0] in "'\"" else json.loads(text)
    except ValueError:
        raise _wrong(template, f"{text!r} is no value; write texts in quotes") from None
    return lambda _value, _root: [literal]


def _literal(text: str, template: str) -> str:
    if len(text) < 2 or text[0] not in "'\"" or text[-1] != text[0]:  # noqa: PLR2004  # two quotes
        raise _wrong(template, f"{text!r} is no index and no name in quotes")
    body = text[1:-1].replace("\\'", "'").replace('\\"', '"')
    return body.replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\")


def _unescaped(name: str) -> str:
    return re.sub(r"\\(.)", r"\1", name)


def _wrong(template: str, why: str) -> errors.PlantonError:
    return errors.usage(
        f"the JSONPath {template!r} cannot be understood: {why}", hint="write for example {.items[*].metadata.name}"
    )
