"""Expressions of CEL as trees: what the compiler makes of a rule's text, with its macros put back together.

The compiler hands out what it has checked as a message of CEL's own protos, in Protobuf's binary form. Only the parts of these that are
read here are declared. This module knows CEL, and neither rules nor Kubernetes.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any, Final

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Message → its fields as ``name:number:type``, with ``*`` where there may be several (cel-spec, proto/cel/expr).
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
    """There is something in an expression that this module does not know; the text says what."""


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
    """A field of something.

    Attributes:
        of: What has the field.
        field: The field's name.
        owner: The full name of the message type that has it; empty where it is none.
        test: Whether it is only asked if the field is set: ``has(of.field)``.
    """

    of: Tree
    field: str
    owner: str
    test: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """A function or an operator, by CEL's name for it (``_&&_``), of something or of nothing."""

    function: str
    target: Tree | None
    arguments: tuple[Tree, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Items:
    """A list that is written out."""

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
    """Returns the tree of an expression that the compiler has serialised.

    Raises:
        UnknownError: It has something that no tree here stands for.
    """
    wrapped = any_pb2.Any.FromString(compiled)
    checked = _checked().FromString(wrapped.value)
    types = {entry.key: entry.value.message for entry in checked.types}
    constants = {entry.key: entry.value.value for entry in checked.references if entry.value.HasField("value")}
    return _Reading(types, constants).tree(checked.expr)


class _Reading:
    """One expression being read."""

    def __init__(self, types: Mapping[int, str], constants: Mapping[int, Any]) -> None:  # the messages above, here and below
        """Takes what the compiler says of parts by their number: names of message types, and values of enums."""
        self._types = types
        self._constants = constants

    def tree(self, expr: Any) -> Tree:
        """Returns the tree of a part."""
        if expr.id in self._constants:
            return Constant(_constant(self._constants[expr.id]))
        found: Tree
        match expr.WhichOneof("kind"):
            case "const":
                found = Constant(_constant(expr.const))
            case "ident":
                found = Name(expr.ident.name)
            case "select":
                part = expr.select
                found = Select(self.tree(part.operand), part.field, self._types.get(part.operand.id, ""), part.test_only)
            case "call":
                target = self.tree(expr.call.target) if expr.call.HasField("target") else None
                found = Call(expr.call.function, target, tuple(self.tree(part) for part in expr.call.args))
            case "list":
                found = Items(tuple(self.tree(part) for part in expr.list.elements))
            case "comprehension":
                found = self._macro(expr.comprehension)
            case _:
                raise UnknownError("a message or a map that is written out")
        return found

    def _macro(self, part: Any) -> Macro:
        name, arguments = _written(self.tree(part.loop_step), part.iter_var)
        return Macro(name, self.tree(part.iter_range), part.iter_var, arguments)


def _constant(given: Any) -> Any:  # text, bytes, a number, true or false; None for null
    return next((value for _, value in given.ListFields()), None)


def _written(step: Tree, variable: str) -> tuple[str, tuple[Tree, ...]]:
    """Returns the macro that a loop was made from, and its arguments, by what each turn of it does."""
    found: tuple[str, tuple[Tree, ...]]
    match step:
        case Call("_&&_", _, (Name("@result"), body)):
            found = "all", (body,)
        case Call("_||_", _, (Name("@result"), body)):
            found = "exists", (body,)
        case Call("_?_:_", _, (condition, Call("_+_", _, (Name("@result"), Constant(1))), Name("@result"))):
            found = "exists_one", (condition,)
        case Call("_+_", _, (Name("@result"), Items((body,)))):
            found = "map", (body,)
        case Call("_?_:_", _, (condition, Call("_+_", _, (Name("@result"), Items((body,)))), Name("@result"))):
            found = ("filter", (condition,)) if body == Name(variable) else ("map", (condition, body))
        case _:
            raise UnknownError("a loop that no macro stands for")
    return found


@functools.cache
def _checked() -> Any:  # a class of messages
    """Returns the class of what the compiler serialises."""
    file = descriptor_pb2.FileDescriptorProto(name="planton/crd/syntax.proto", package="planton.crd", syntax="proto2")
    for name, fields in _SYNTAX.items():
        message: Any = file.message_type.add(name=name)
        if name == "Expr":
            message.oneof_decl.add(name="kind")
        for declared in fields.split():
            field, number, kind = declared.split(":")
            bare = kind.removeprefix("*")
            added = message.field.add(name=field, number=int(number), label=1 if bare == kind else 3)
            if name == "Expr" and field != "id":
                added.oneof_index = 0
            added.type = _TYPES.get(bare, _MESSAGE)
            if bare not in _TYPES:
                added.type_name = f".planton.crd.{bare}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("planton.crd.Checked"))
