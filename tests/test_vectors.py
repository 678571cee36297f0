"""The vectors that all languages share are what this one says now, and cover every rule of the corpus.

``UPDATE_GOLDENS=1 pytest tests/test_vectors.py`` writes them anew; read the difference before it is committed.
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
def test_vectors_are_what_would_be_written_now(name: str) -> None:
    """A rule, a manifest or a body that changes shows up as a difference of a file."""
    path = vectors.FOLDER / f"{name}.json"
    found = vectors.text(vectors.GENERATORS[name]())
    if os.environ.get("UPDATE_GOLDENS"):
        path.write_text(found, "utf-8")
    assert path.is_file(), f"record it: UPDATE_GOLDENS=1 pytest {pathlib.Path(__file__).name}"
    assert json.loads(found) == committed(name)


@pytest.mark.parametrize("name", vectors.GENERATORS)
def test_json_and_bytes_are_one_message(name: str) -> None:
    """Both forms are read into the same message, and each vector has a name of its own."""
    known = committed(name)
    assert len({vector["name"] for vector in known}) == len(known)
    for vector in known:
        if "unreadable" not in vector:
            kind = vectors.message_class(vector["message"])
            from_json = json_format.ParseDict(vector["json"], kind())
            assert from_json == kind.FromString(base64.b64decode(vector["binary"])), vector["name"]


def test_each_rule_of_the_corpus_is_in_a_vector() -> None:
    """What no vector breaks is only what is wrong with a text."""
    broken = {rule for vector in committed("manifests") for rule in vector.get("planton", [])}
    broken |= {one["rule"] for vector in committed("manifests") for one in vector.get("violations", [])}
    expected = {path.stem.partition("@")[0] for path in corpus.KINDS.glob("*/invalid/*")}
    assert {rule for rule in expected - broken if not rule.startswith(("yaml.", "manifest."))} == set()
    assert any(vector.get("unreadable") for vector in committed("manifests"))


def test_each_expression_of_the_protos_is_in_a_vector() -> None:
    """Every language has shown that its CEL refuses what the rule is about; there are no exceptions."""
    broken = {one["rule"] for name in vectors.GENERATORS for vector in committed(name) for one in vector.get("violations", [])}
    assert len(rule_ids.of_expressions()) > 50
    assert rule_ids.of_expressions() - broken == set()


def test_what_is_broken_breaks_what_its_name_says() -> None:
    """A stack input or a request breaks one rule, in one field."""
    of_requests = [f"{message}/broken/{field or 'body'}/{rule}" for message, _, (field, rule) in api_bodies.REQUESTS]
    found = {vector["name"]: vector["violations"] for name in ("stack_inputs", "api_bodies") for vector in committed(name)}
    named = [*of_requests, *(vector["name"] for vector in committed("stack_inputs") if "/broken/" in vector["name"])]
    assert len(named) == 13
    for name in named:
        _, _, field, rule = name.split("/")
        assert found[name] == [{"field": field if field != "body" else "", "rule": rule}], name
