"""Parses CEL expressions into trees, with macros restored from the loops of the compiler.

The compiler returns a checked expression as a message of CEL's protos, in Protobuf's binary form. Only the parts of these protos that are
used here are declared. This module handles CEL only, not rules or Kubernetes.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any, Final

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Message → its fields as ``name:number:type``, with ``*`` for repeated fields (cel-spec, proto/cel/expr).
_SYNTAX: Final = {
    "Checked": "references:2:*Referred types:3:*Typed expr:4:Expr",
    "Referred": "key:1:int value:2:Reference",
    "Reference": "value:4:Constant",
    "Typed": "key:1:int value:2:Type",
    "Type": "message:9:text",
    "Constant": "bool:2:bool int:3:int uint:4:uint double:5:double string:6:text bytes:7:bytes",
    "Expr": "id:2:int const:3:Constant ident:4:Ident select:5:Selection call:6:Called list:7:Listed comprehension:9:Comprehension",
    "Ident": "name:1:text",
    "Selection": "operand:1:Expr field:2:text test_only:3:bool",
    "Called": "target:1:Expr function:2:text args:3:*Expr",
    "Listed": "elements:1:*Expr",
    "Comprehension": "iter_var:1:text iter_range:2:Expr loop_step:6:Expr",
}
_TYPES: Final = {"int": 3, "uint": 4, "bool": 8, "text": 9, "bytes": 12, "double": 1}
_MESSAGE: Final = 11


class UnknownError(Exception):
    """An expression contains a construct that this module does not support; the message names it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Constant:
    """A text, a number, true or false."""

    value: Any  # one of these


@dataclasses.dataclass(frozen=True, slots=True)
class Name:
    """A variable."""

    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Select:
    """A field of an expression.

    Attributes:
        of: The expression with the field.
        field: The field's name.
        owner: The full name of its message type; empty for other types.
        test: Whether it is a test for presence: ``has(of.field)``.
    """

    of: Tree
    field: str
    owner: str
    test: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """A function or an operator, by CEL's name for it (``_&&_``), with or without a target."""

    function: str
    target: Tree | None
    arguments: tuple[Tree, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Items:
    """A list literal."""

    items: tuple[Tree, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Macro:
    """A macro over a list or the keys of a map: ``of.name(variable, arguments)``."""

    name: str
    of: Tree
    variable: str
    arguments: tuple[Tree, ...]


Tree = Constant | Name | Select | Call | Items | Macro


def read(compiled: bytes) -> Tree:
    """Returns the tree of an expression that the compiler has serialized.

    Raises:
        UnknownError: It contains an unsupported construct.
    """
    wrapped = any_pb2.Any.FromString(compiled)
    checked = _checked().FromString(wrapped.value)
    types = {entry.key: entry.value.message for entry in checked.types}
    constants = {entry.key: entry.value.value for entry in checked.references if entry.value.HasField("value")}
    return _Parser(types, constants).tree(checked.expr)


class _Parser:
    """The parser of one expression."""

    def __init__(self, types: Mapping[int, str], constants: Mapping[int, Any]) -> None:  # parts of the message, here and below
        """Starts with the compiler's facts about subexpressions, by id: names of message types, and values of enums."""
        self._types = types
        self._constants = constants

    def tree(self, expr: Any) -> Tree:
        """Returns the tree of a subexpression."""
        if expr.id in self._constants:
            return Constant(_constant(self._constants[expr.id]))
        tree: Tree
        match expr.WhichOneof("kind"):
            case "const":
                tree = Constant(_constant(expr.const))
            case "ident":
                tree = Name(expr.ident.name)
            case "select":
                part = expr.select
                tree = Select(self.tree(part.operand), part.field, self._types.get(part.operand.id, ""), part.test_only)
            case "call":
                target = self.tree(expr.call.target) if expr.call.HasField("target") else None
                tree = Call(expr.call.function, target, tuple(self.tree(part) for part in expr.call.args))
            case "list":
                tree = Items(tuple(self.tree(part) for part in expr.list.elements))
            case "comprehension":
                tree = self._macro(expr.comprehension)
            case _:
                raise UnknownError("a message or map literal")
        return tree

    def _macro(self, part: Any) -> Macro:
        name, arguments = _macro_of(self.tree(part.loop_step), part.iter_var)
        return Macro(name, self.tree(part.iter_range), part.iter_var, arguments)


def _constant(constant: Any) -> Any:  # text, bytes, a number, true or false; None for null
    return next((value for _, value in constant.ListFields()), None)


def _macro_of(step: Tree, variable: str) -> tuple[str, tuple[Tree, ...]]:
    """Returns the macro of a loop and its arguments, from the step of the loop."""
    macro: tuple[str, tuple[Tree, ...]]
    match step:
        case Call("_&&_", _, (Name("@result"), body)):
            macro = "all", (body,)
        case Call("_||_", _, (Name("@result"), body)):
            macro = "exists", (body,)
        case Call("_?_:_", _, (condition, Call("_+_", _, (Name("@result"), Constant(1))), Name("@result"))):
            macro = "exists_one", (condition,)
        case Call("_+_", _, (Name("@result"), Items((body,)))):
            macro = "map", (body,)
        case Call("_?_:_", _, (condition, Call("_+_", _, (Name("@result"), Items((body,)))), Name("@result"))):
            macro = ("filter", (condition,)) if body == Name(variable) else ("map", (condition, body))
        case _:
            raise UnknownError("a loop without an equivalent macro")
    return macro


@functools.cache
def _checked() -> Any:  # a class of messages
    """Returns the class of the message that the compiler serializes."""
    file = descriptor_pb2.FileDescriptorProto(name="planton/crd/syntax.proto", package="planton.crd", syntax="proto2")
    for name, fields in _SYNTAX.items():
        message: Any = file.message_type.add(name=name)
        if name == "Expr":
            message.oneof_decl.add(name="kind")
        for declared in fields.split():
            field, number, kind = declared.split(":")
            singular_kind = kind.removeprefix("*")
            added = message.field.add(name=field, number=int(number), label=1 if singular_kind == kind else 3)
            if name == "Expr" and field != "id":
                added.oneof_index = 0
            added.type = _TYPES.get(singular_kind, _MESSAGE)
            if singular_kind not in _TYPES:
                added.type_name = f".planton.crd.{singular_kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("planton.crd.Checked"))
