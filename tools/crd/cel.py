"""Translates CEL rules of the protos to the CEL of Kubernetes, which evaluates a manifest as data and not as a message.

There ``this`` is ``self``, fields have the names of manifests, enums are text, and reading an unset field is an error. A message has a
zero value instead, so each optional field is read with that value as its default. A rule without an equivalent is refused with a
reason, never dropped. This module handles expressions only, not definitions.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from google.protobuf import descriptor_pool

import json_schema
from crd import syntax

if TYPE_CHECKING:
    from collections.abc import Iterator

_TERNARY, _OR, _AND, _RELATION, _UNARY, _MEMBER = 1, 2, 3, 4, 7, 8
#: Operator → its sign and its precedence.
_INFIX: Final = {
    "_&&_": ("&&", _AND),
    **{f"_{sign}_": (sign, _RELATION) for sign in ("==", "!=", "<", "<=", ">", ">=")},
    "@in": ("in", _RELATION),
    **{f"_{sign}_": (sign, 5) for sign in ("+", "-")},
    **{f"_{sign}_": (sign, 6) for sign in ("*", "/", "%")},
}
_THIS: Final = "this"
_RULE: Final = "rule"
_PREFIX: Final = {"!_": "!", "-_": "-"}
_EQUALITIES: Final = ("_==_", "_!=_", "@in")
#: Functions with the same meaning in both dialects: of values, of text, of text and lists.
_SHARED: Final = frozenset(
    [
        *("bool", "double", "int", "size", "string"),
        *(
            "charAt",
            "contains",
            "endsWith",
            "lowerAscii",
            "matches",
            "replace",
            "split",
            "startsWith",
            "substring",
            "trim",
            "upperAscii",
        ),
        *("indexOf", "join", "lastIndexOf"),
    ]
)
#: Function of protovalidate, with its argument if any → the equivalent over ``{}``, and its precedence.
_FUNCTIONS: Final[dict[tuple[Any, ...], tuple[str, int]]] = {
    ("isIp",): ("isIP({0})", _MEMBER),
    ("isIp", 4): ("isIP({0}) && ip({0}).family() == 4", _AND),
    ("isIp", 6): ("isIP({0}) && ip({0}).family() == 6", _AND),
    ("isIpPrefix",): ("isCIDR({0})", _MEMBER),
    ("isIpPrefix", 4): ("isCIDR({0}) && cidr({0}).ip().family() == 4", _AND),
    ("isIpPrefix", 4, True): ("isCIDR({0}) && cidr({0}).ip().family() == 4 && cidr({0}) == cidr({0}).masked()", _AND),
    ("isIpPrefix", 6): ("isCIDR({0}) && cidr({0}).ip().family() == 6", _AND),
}
#: Functions of protovalidate, declared so that expressions compile: of text, of text and a number, of a list.
_OF_TEXT: Final = ("isEmail", "isHostname", "isIp", "isIpPrefix", "isUri", "isUriRef")
_OF_TEXT_AND_NUMBER: Final = ("isIp", "isIpPrefix")
#: Reserved words of CEL: Kubernetes escapes fields with these names.
_RESERVED: Final = frozenset(
    [
        *(
            "as",
            "break",
            "const",
            "continue",
            "else",
            "false",
            "for",
            "function",
            "if",
            "import",
            "in",
            "let",
            "loop",
            "namespace",
        ),
        *("null", "package", "return", "true", "var", "void", "while"),
    ]
)


class UntranslatableError(Exception):
    """An expression has no equivalent in Kubernetes; the message has the reason."""


@dataclasses.dataclass(frozen=True, slots=True)
class Translation:
    """An expression for Kubernetes.

    Attributes:
        text: The expression, over ``self``.
        reads: The names that determine its cost by their size: full names of fields, and ``this``.
    """

    text: str
    reads: frozenset[str]


class _Text(NamedTuple):
    text: str
    level: int

    def within(self, level: int) -> str:
        """Returns the text as an operand at a precedence, in parentheses if necessary."""
        return self.text if self.level >= level else f"({self.text})"


def translate(expression: str, *, this: str, name: str = "self", rule: Any = None) -> Translation:
    """Returns the equivalent of an expression in Kubernetes.

    Args:
        expression: An expression of the protos.
        this: The type of ``this``: the full name of a message, or ``BOOL``, ``INT``, ``LIST``, ``MAP``, ``STRING``, ``UINT``.
        name: The name that replaces ``this``.
        rule: The value of ``rule`` in a predefined rule: a text, a number, true or false.

    Raises:
        UntranslatableError: There is no equivalent.
    """
    try:
        tree = syntax.read(_environment(this).compile(expression).serialize())
    except (RuntimeError, syntax.UnknownError) as error:
        raise UntranslatableError(str(error)) from error
    translator = _Translator(name, rule)
    text = translator.text(tree).text
    return Translation(text, frozenset(translator.reads))


@functools.cache
def _environment(this: str) -> Any:  # a class of the library
    from cel_expr_python import cel  # the extra `policy`, as for policies
    from cel_expr_python.ext import ext_strings  # the extra `policy` too

    def method(name: str, *parameters: Any) -> Any:  # types of the library, and one of its declarations
        kinds = "_".join(each.name().lower() for each in parameters)
        return cel.Overload(f"{name}_{kinds}", return_type=cel.Type.BOOL, parameters=parameters, is_member=True)

    overloads = {name: [method(name, cel.Type.STRING)] for name in _OF_TEXT}
    for name in _OF_TEXT_AND_NUMBER:
        overloads[name].append(method(name, cel.Type.STRING, cel.Type.INT))
    overloads["isIpPrefix"].append(method("isIpPrefix", cel.Type.STRING, cel.Type.INT, cel.Type.BOOL))
    overloads["unique"] = [method("unique", cel.Type.LIST)]
    return cel.NewEnv(
        descriptor_pool.Default(),
        variables={"this": getattr(cel.Type, this, None) or cel.Type(this), "rule": cel.Type.DYN},
        functions=[cel.FunctionDecl(name, function_overloads) for name, function_overloads in overloads.items()],
        extensions=[ext_strings.ExtStrings()],
    )


class _Translator:
    """The translation of one expression.

    Attributes:
        reads: See ``Translation``.
    """

    def __init__(self, this: str, rule: Any) -> None:  # text, a number, true or false
        """Starts with the name for ``this``, and the value of ``rule``."""
        self.reads: set[str] = set()
        self._rule = rule
        self._names = {_THIS: this}

    def text(self, tree: syntax.Tree) -> _Text:
        """Returns the translation of a subexpression."""
        match tree:
            case syntax.Constant(value):
                translation = _Text(_literal(value), _MEMBER)
            case syntax.Name(name):
                self.reads |= {name} & {_THIS}
                translation = _Text(_literal(self._rule) if name == _RULE else self._names[name], _MEMBER)
            case syntax.Items(items):
                translation = _Text("[" + ", ".join(self.text(item).text for item in items) + "]", _MEMBER)
            case syntax.Select(test=test):
                translation = self._has(tree) if test else self._select(tree)
            case syntax.Macro():
                translation = self._macro(tree)
            case syntax.Call(function, target, arguments):
                parts = (target, *arguments) if target is not None else arguments
                is_sign = function.startswith(("_", "@", "!", "-"))
                translation = self._operator(function, parts) if is_sign else self._function(function, target, arguments)
        return translation

    def _operator(self, function: str, parts: tuple[syntax.Tree, ...]) -> _Text:
        if function == "_||_":
            return self._or(parts)
        if function in _EQUALITIES:
            return self._equality(function, parts[0], parts[1])
        if function in _PREFIX:
            return _Text(_PREFIX[function] + self.text(parts[0]).within(_UNARY), _UNARY)
        texts = [self.text(part) for part in parts]
        if function == "_?_:_":
            condition, yes, no = (operand.within(_TERNARY + 1) for operand in texts)
            return _Text(f"{condition} ? {yes} : {no}", _TERNARY)
        if function == "_[_]":
            return _Text(f"{texts[0].within(_MEMBER)}[{texts[1].text}]", _MEMBER)
        sign, level = _INFIX[function]
        # An operator of the same precedence on the right would bind to the left; && is associative.
        return _Text(f"{texts[0].within(level)} {sign} {texts[1].within(level if level == _AND else level + 1)}", level)

    def _or(self, parts: tuple[syntax.Tree, ...]) -> _Text:
        if parts[0] == syntax.Call("!_", None, (syntax.Name(_RULE),)) and self._rule is True:
            return self.text(parts[1])
        # Operands with && are in parentheses for readability.
        texts = [self.text(part) for part in parts]
        return _Text(
            " || ".join(operand.within(_AND + 1) if operand.level == _AND else operand.within(_OR) for operand in texts), _OR
        )

    def _function(self, function: str, target: syntax.Tree | None, arguments: tuple[syntax.Tree, ...]) -> _Text:
        if function == "unique" and target is not None:
            return self._unique(target)
        values = [part.value if isinstance(part, syntax.Constant) else ... for part in arguments]
        pattern, level = _FUNCTIONS.get((function, *values), ("", 0))
        if target is not None and pattern:
            return _Text(pattern.format(self.text(target).text), level)
        if function not in _SHARED:
            raise UntranslatableError(f"Kubernetes has no {function}")
        of = f"{self.text(target).within(_MEMBER)}." if target is not None else ""
        return _Text(f"{of}{function}({', '.join(self.text(part).text for part in arguments)})", _MEMBER)

    def _equality(self, function: str, left: syntax.Tree, right: syntax.Tree) -> _Text:
        sign, level = _INFIX[function]
        enum = _enum(left) or _enum(right)
        # A comparison with a constant costs no more than the length of the constant.
        variables = [part for part in (left, right) if not _is_constant(part)]
        compared = len(variables) == 1 and isinstance(variables[0], syntax.Name | syntax.Select)
        before = set(self.reads)
        texts = [
            self._select(part, enum=bool(_enum(part)), compared=compared)
            if isinstance(part, syntax.Select) and not part.test
            else self.text(_named(part, enum))
            for part in (left, right)
        ]
        if compared:
            self.reads = before
        return _Text(f"{texts[0].within(level)} {sign} {texts[1].within(level + 1)}", level)

    def _macro(self, macro: syntax.Macro) -> _Text:
        tests, of = self._range(macro.of)
        name = self._fresh(macro.variable)
        text = f"{of}.{macro.name}({name}, {', '.join(self._body(macro, name))})"
        if tests and macro.name == "all":
            return _unless(tests, text)
        if tests and macro.name in ("exists", "exists_one"):
            return _Text(" && ".join([*tests, text]), _AND)
        return _Text(f"({' && '.join(tests)} ? {text} : [])" if tests else text, _MEMBER)

    def _range(self, tree: syntax.Tree) -> tuple[list[str], str]:
        """Returns the range of a macro without a default, for the API server's cost estimate, and the fields that must be set."""
        if not isinstance(tree, syntax.Select) or tree.test:
            return [], self.text(tree).within(_MEMBER)
        self._note(_field(tree))
        return self._path_to(tree)

    def _body(self, macro: syntax.Macro, name: str) -> list[str]:
        """Returns the arguments of a macro with this name for its variable."""
        outer = self._names
        self._names = outer | {macro.variable: name}
        arguments = [self.text(argument).text for argument in macro.arguments]
        self._names = outer
        return arguments

    def _fresh(self, name: str) -> str:
        """Returns a name for a variable that is not in use around it."""
        while name in self._names.values() or name in _RESERVED:
            name += "x"
        return name

    def _unique(self, of: syntax.Tree) -> _Text:
        """Returns the rule that items are unique, without evaluating a macro's list again for each item."""
        mapped = isinstance(of, syntax.Macro) and of.name == "map" and len(of.arguments) == 1
        macro = of if mapped and isinstance(of, syntax.Macro) else syntax.Macro("map", of, "x", (syntax.Name("x"),))
        tests, items = self._range(macro.of)
        item = self._fresh(macro.variable)
        other = self._fresh(f"{item}2")
        [first], [second] = self._body(macro, item), self._body(macro, other)
        text = f"{items}.all({item}, {items}.exists_one({other}, {second} == {first}))"
        return _unless(tests, text) if tests else _Text(text, _MEMBER)

    def _has(self, select: syntax.Select) -> _Text:
        field = _field(select)
        if not field.has_presence:
            value = self._select(dataclasses.replace(select, test=False), enum=True, compared=True)
            return _Text(
                f"size({value.text}) > 0" if field.is_repeated else f"{value.within(_RELATION + 1)} != {_zero(field)}", _RELATION
            )
        tests, path = self._path_to(select)
        if json_schema.is_needed(field):
            tests.append(f"has({path})")
        return _Text(" && ".join(tests), _AND if len(tests) > 1 else _MEMBER)

    def _select(self, select: syntax.Select, *, enum: bool = False, compared: bool = False) -> _Text:
        field = _field(select)
        if field.enum_type is not None and not enum:
            raise UntranslatableError(f"{field.name} is text in Kubernetes, not a number")
        tests, path = self._path_to(select)
        self._note(field)
        if not tests:
            return _Text(path, _MEMBER)
        if compared or not _is_sized(field):
            return _Text(f"{self._path_to(select, optional=True)[1]}.orValue({_zero(field)})", _MEMBER)
        # The API server's cost estimate of orValue() has no bound; both branches of this have one.
        return _Text(f"({' && '.join(tests)} ? {path} : {_zero(field)})", _MEMBER)

    def _note(self, field: Any) -> None:
        if _is_sized(field):
            self.reads.add(field.full_name)

    def _path_to(self, select: syntax.Select, *, optional: bool = False) -> tuple[list[str], str]:
        """Returns the tests for a field to be set, and the path of the field."""
        steps = list(_steps(select))
        root = steps[0].of
        path = self._names[root.name] if isinstance(root, syntax.Name) else self.text(root).within(_MEMBER)
        tests = []
        for step in steps:
            is_needed = json_schema.is_needed(_field(step))
            path += f".{'?' if optional and not is_needed else ''}{_escaped(_field(step).json_name)}"
            if not is_needed:
                tests.append(f"has({path})")
        return tests, path


def _field(select: syntax.Select) -> Any:  # a field's descriptor, here and below
    if not select.owner:
        raise UntranslatableError(f"{select.field} is no field of a message")
    return descriptor_pool.Default().FindMessageTypeByName(select.owner).fields_by_name[select.field]


def _is_sized(field: Any) -> bool:
    return bool(field.is_repeated or field.type == field.TYPE_STRING)


def _unless(tests: list[str], text: str) -> _Text:
    """Returns a condition that holds if a field is unset, or else if the text holds."""
    missing = f"!{tests[0]}" if len(tests) == 1 else f"!({' && '.join(tests)})"
    return _Text(f"{missing} || {text}", _OR)


def _steps(select: syntax.Select) -> Iterator[syntax.Select]:
    """Yields the fields of a path, the outermost first."""
    if isinstance(select.of, syntax.Select):
        yield from _steps(select.of)
    yield select


def _zero(field: Any) -> str:
    """Returns the zero value of a field."""
    if field.is_repeated:
        is_map = json_schema.is_map(field)
        if field.enum_type is not None:
            raise UntranslatableError(f"{field.name} contains text in Kubernetes, not numbers")
        return "{}" if is_map else "[]"
    if field.message_type is not None:
        raise UntranslatableError(f"{field.name} may be unset, and messages have no zero value in Kubernetes")
    return _literal(field.enum_type.values_by_number[0].name if field.enum_type is not None else field.default_value)


def _enum(tree: syntax.Tree) -> Any:  # an enum's descriptor or None
    if not isinstance(tree, syntax.Select) or tree.test:
        return None
    field = _field(tree)
    return field.enum_type if not field.is_repeated else None


def _named(tree: syntax.Tree, enum: Any) -> syntax.Tree:  # an enum's descriptor or None
    """Replaces numbers of an enum with the names of its values."""
    if enum is None or not _is_constant(tree):
        return tree
    if isinstance(tree, syntax.Items):
        return syntax.Items(tuple(_named(item, enum) for item in tree.items))
    value = enum.values_by_number.get(tree.value) if isinstance(tree, syntax.Constant) else None
    if value is None:
        raise UntranslatableError(f"{tree} is not a value of {enum.name}")
    return syntax.Constant(value.name)


def _is_constant(tree: syntax.Tree) -> bool:
    if isinstance(tree, syntax.Items):
        return all(_is_constant(item) for item in tree.items)
    return isinstance(tree, syntax.Constant)


def _literal(value: Any) -> str:  # text, a number, true or false
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if not isinstance(value, str) or not value.isprintable():
        raise UntranslatableError(f"{value!r} is not supported here")
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _escaped(name: str) -> str:
    return f"__{name}__" if name in _RESERVED else name
