"""The vectors that all languages share: they are current, and cover every rule of the corpus.

``UPDATE_GOLDENS=1 pytest tests/test_vectors.py`` rewrites them. Review the difference before the commit.
"""

from __future__ import annotations

import base64
import json
import os
import pathlib
from typing import Any

import pytest
from google.protobuf import json_format

from support import api_bodies, corpus, rule_ids, vectors


def committed(name: str) -> list[dict[str, Any]]:
    return json.loads((vectors.FOLDER / f"{name}.json").read_text("utf-8"))  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", vectors.GENERATORS)
def test_the_committed_vectors_are_current(name: str) -> None:
    """Every change of a rule, a manifest or a body is a difference in a file."""
    path = vectors.FOLDER / f"{name}.json"
    current = vectors.text(vectors.GENERATORS[name]())
    if os.environ.get("UPDATE_GOLDENS"):
        path.write_text(current, "utf-8")
    assert path.is_file(), f"record it: UPDATE_GOLDENS=1 pytest {pathlib.Path(__file__).name}"
    assert json.loads(current) == committed(name)


@pytest.mark.parametrize("name", vectors.GENERATORS)
def test_json_and_bytes_of_a_vector_are_one_message(name: str) -> None:
    """Both forms decode to the same message. Names of vectors are unique."""
    all_vectors = committed(name)
    assert len({vector["name"] for vector in all_vectors}) == len(all_vectors)
    for vector in all_vectors:
        if "unreadable" not in vector:
            kind = vectors.message_class(vector["message"])
            from_json = json_format.ParseDict(vector["json"], kind())
            assert from_json == kind.FromString(base64.b64decode(vector["binary"])), vector["name"]


def test_each_rule_of_the_corpus_has_a_vector() -> None:
    """The exceptions are rules about the text."""
    violated = {rule for vector in committed("manifests") for rule in vector.get("planton", [])}
    violated |= {violation["rule"] for vector in committed("manifests") for violation in vector.get("violations", [])}
    expected = {path.stem.partition("@")[0] for path in corpus.KINDS.glob("*/invalid/*")}
    assert {rule for rule in expected - violated if not rule.startswith(("yaml.", "manifest."))} == set()
    assert any(vector.get("unreadable") for vector in committed("manifests"))


def test_each_cel_expression_of_the_protos_has_a_vector() -> None:
    """So the CEL library of every language is tested with it, without exceptions."""
    violated = {
        violation["rule"]
        for name in vectors.GENERATORS
        for vector in committed(name)
        for violation in vector.get("violations", [])
    }
    assert len(rule_ids.of_expressions()) > 50
    assert rule_ids.of_expressions() - violated == set()


def test_an_invalid_vector_violates_the_rule_of_its_name() -> None:
    """A stack input or a request violates one rule, in one field."""
    of_requests = [f"{message}/broken/{field or 'body'}/{rule}" for message, _, (field, rule) in api_bodies.REQUESTS]
    violations = {vector["name"]: vector["violations"] for name in ("stack_inputs", "api_bodies") for vector in committed(name)}
    names = [*of_requests, *(vector["name"] for vector in committed("stack_inputs") if "/broken/" in vector["name"])]
    assert len(names) == 20
    for name in names:
        _, _, field, rule = name.split("/")
        assert violations[name] == [{"field": field if field != "body" else "", "rule": rule}], name
