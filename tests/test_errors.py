"""Errors are data: no code reads a fact out of a message or a hint."""

from __future__ import annotations

import ast
import collections
import pathlib

import pytest

from planton import errors

ROOT = pathlib.Path(__file__).resolve().parents[1]
FILES = sorted(
    path for path in (ROOT / "src").rglob("*.py") if path.relative_to(ROOT / "src").parts[0] in {"planton", "planton_server"}
)
#: The texts of an error, which are for people.
TEXTS = {"message", "hint"}
#: The methods of texts that read something out of them.
READERS = {
    "startswith",
    "endswith",
    "removeprefix",
    "removesuffix",
    "split",
    "rsplit",
    "partition",
    "rpartition",
    "find",
    "index",
}


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in TEXTS


def parsed(text: str) -> list[str]:
    """Returns the places where a file reads something out of the texts of errors."""
    listed: list[str] = []
    if not any(f".{each}" in text for each in TEXTS):
        return listed
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            reads = node.func.attr in READERS and _is_text(node.func.value)
            is_expression = ast.unparse(node.func.value) == "re" and any(map(_is_text, node.args))
            listed += [f"{node.lineno}: {ast.unparse(node)}"] if reads or is_expression else []
        elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
            listed += [f"{node.lineno}: {ast.unparse(node)}" for each in node.comparators if _is_text(each)]
    return listed


def test_no_text_of_an_error_is_parsed() -> None:
    """What code needs of an error is its reason, its metadata or another field."""
    assert [f"{path.relative_to(ROOT)}:{place}" for path in FILES for place in parsed(path.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    "text",
    ["error.message.startswith(key)", "'x' in error.hint", "key not in step.error.message", "re.match('a', error.message)"],
)
def test_each_way_to_parse_a_text_is_noticed(text: str) -> None:
    """The check notices methods, searches and regular expressions."""
    assert len(parsed(text)) == 1


def test_one_more_hint_leaves_the_shared_error_as_it_is() -> None:
    """Several threads may have raised it, each with its own next step."""
    shared = errors.InvalidError([errors.Violation("a.yaml", 1, 1, "spec", "must be set", "required")], hint="set it")
    first, second = shared.with_hint("or leave it out"), shared.with_hint("or leave it out")
    assert (shared.hint, first.hint, second.hint) == ("set it", "set it; or leave it out", "set it; or leave it out")
    assert (first.violations, first.reason, first.code, str(first)) == (
        shared.violations,
        shared.reason,
        shared.code,
        str(shared),
    )


def constructed(text: str) -> list[str]:
    """Returns the reasons that a file passes to `PlantonError`, or to the constructors in `planton.errors`."""
    reasons: list[str] = []
    if "Reason" not in text:
        return reasons
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in {"PlantonError", "Constructor"}:
            values = [*node.args, *(each.value for each in node.keywords if each.arg == "reason")]
            reasons += [
                each.attr for each in values if isinstance(each, ast.Attribute) and ast.unparse(each.value).endswith("Reason")
            ]
    return reasons


def test_each_reason_has_one_constructor() -> None:
    """What several places raise is a constructor in `planton.errors`, so that its code and its fields agree."""
    counts = collections.Counter(reason for path in FILES for reason in constructed(path.read_text("utf-8")))
    assert counts["NOT_FOUND"] == 1
    assert {reason: count for reason, count in counts.items() if count > 1} == {}


def test_each_way_to_pass_a_reason_is_counted() -> None:
    """Inside and outside of `planton.errors`."""
    texts = [
        "errors.PlantonError('a', reason=errors.Reason.USAGE)",
        "PlantonError('a', reason=Reason.USAGE)",
        "Constructor(Reason.USAGE)",
    ]
    assert [constructed(text) for text in texts] == [["USAGE"]] * 3


@pytest.mark.parametrize("constructor", [each for each in vars(errors).values() if isinstance(each, errors.Constructor)])
def test_a_constructor_passes_everything_on(constructor: errors.Constructor) -> None:
    """The code is that of its reason."""
    error = constructor("a", hint="b", metadata={"c": "d"}, subject="e")
    assert (error.reason, error.code) == (constructor.reason, constructor.reason.code)
    assert (error.message, error.hint, error.metadata, error.subject) == ("a", "b", {"c": "d"}, "e")


def test_a_reason_has_one_exit_code() -> None:
    """No class of errors says otherwise, and no caller can."""
    assert [place for path in FILES for place in codes(path.read_text("utf-8"))] == []
    for reason in errors.Reason:
        error = errors.PlantonError("a", reason=reason)
        assert error.code is reason.code
        with pytest.raises(AttributeError):
            setattr(error, "code", errors.Code.DRIFT)  # noqa: B010  # a type checker refuses it, too


def codes(text: str) -> list[str]:
    """Returns the exceptions of a file that have an exit code of their own, by name."""
    if "Error" not in text or "code" not in text:
        return []
    classes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef)]
    return [each.name for each in classes if _is_exception(each) and any(map(_sets_code, ast.walk(each)))]


def _is_exception(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base).endswith("Error") for base in node.bases)


def _sets_code(node: ast.AST) -> bool:
    if isinstance(node, ast.FunctionDef):
        return node.name == "code" and "Code" in ast.unparse(node)
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return any(ast.unparse(target) in {"code", "self.code"} for target in targets)


@pytest.mark.parametrize(
    "body",
    ["code = 1", "code: int = 1", "def f(self):\n        self.code = 1", "def code(self) -> Code:\n        return Code.USAGE"],
)
def test_each_way_to_set_a_code_is_noticed(body: str) -> None:
    """As an attribute of the class or of the object, or as a property."""
    assert codes(f"class OneError(errors.PlantonError):\n    {body}\n") == ["OneError"]
    assert codes(f"class One(errors.PlantonError, Base):\n    {body}\n") == ["One"]
    assert codes(f"class One:\n    {body}\n") == []
