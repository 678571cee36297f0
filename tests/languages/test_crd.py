"""CustomResourceDefinitions: the API server's own libraries accept them, and make of manifests what the strict reader makes of them.

They are libraries of Go: ``make test-go`` runs this, for no other language. docs/extend/crd.md shows the differences.
"""

from __future__ import annotations

import functools
import itertools
import json
import pathlib
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from google.protobuf import json_format

import crd
from planton import manifest
from planton.schema import kinds
from support import languages, mutations, vectors

if TYPE_CHECKING:
    from collections.abc import Iterator

ONLY = "go"
pytestmark = [pytest.mark.language, pytest.mark.skipif(shutil.which("go") is None, reason="go is not on this machine")]

DEFINITIONS = languages.ROOT / "schemas" / "crd"
VECTORS = vectors.FOLDER / "manifests.json"
DOCS = languages.ROOT / "docs" / "extend" / "crd.md"
_RELATIONS = "Kubernetes has no `metadata.relationships`"
_ENV = "Kubernetes has no `metadata.env`"
_NAMES = "Kubernetes checks names before any definition, and more strictly"
_TAGS = "Kubernetes has no `metadata.tags`"
_TARGETS = "which fields another kind has is not in the definition of a kind"
#: Vectors whose verdict differs, and why.
DIFFERENCES = {
    **{
        f"{kind}/invalid/{rule}@relation": _RELATIONS
        for kind, rule in itertools.product(crd.names(), ("enum.defined_only", "required"))
    },
    **{f"{kind}/invalid/reference.field_path_exists": _TARGETS for kind in crd.names() if not kind.endswith("Vpc")},
    **{f"{kind}/invalid/cloud_resource_metadata.env_fits_stack_name": _ENV for kind in crd.names()},
    **{
        f"{kind}/invalid/cloud_resource_metadata.name_fits_stack_name": _NAMES
        for kind in crd.names()
        if kind != "DigitalOceanVpc"
    },
    "yaml/invalid/manifest.stack_name_length": _ENV,
    "yaml/invalid/manifest.wrong_type@list": _TAGS,
}
#: Vectors whose labels or metadata Kubernetes itself refuses, and why.
METADATA = {
    **{f"{kind}/valid/metadata": "values of labels have no slash in Kubernetes" for kind in crd.names()},
    **{
        f"{kind}/{vector}": "names have no space and no slash in Kubernetes"
        for kind in crd.names()
        if kind != "DigitalOceanVpc"
        for vector in ("valid/named-by-labels", "invalid/cloud_resource_metadata.name_fits_stack_name")
    },
    "DigitalOceanVpc/invalid/digital_ocean_vpc.name_is_network_name": "names have no underscore in Kubernetes",
    "yaml/valid/dates-and-times-are-text": "values of labels have no colon in Kubernetes",
    "yaml/invalid/manifest.wrong_type@mapping": "metadata is a text",
}
#: Rules that no definition has, as their descriptions say.
UNCHECKED = {"reference.field_path_exists"}
#: What is told of null in a list or a map. Kubernetes drops such an entry of a map.
_NULL = "yaml.null_item"
#: Values that only Kubernetes refuses, and why.
NARROWER = {"fe80::1%eth0": "an address with a zone is no address for Kubernetes"}


@pytest.fixture(scope="module")
def program() -> tuple[str, ...]:
    """The program that asks the libraries, built."""
    for command in (("build", "-p", "2", "-o", "bin/", "."), ("vet", "-p", "2", ".")):
        done = languages.run(("go", "-C", "tests/crd", *command))
        assert done.returncode == 0, done.stderr
    return ("tests/crd/bin/crd",)


def ask(program: tuple[str, ...], path: pathlib.Path) -> dict[str, Any]:
    """Returns what the program says of the definitions, and of the vectors in a file."""
    done = languages.run(program, str(DEFINITIONS), str(path))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def said(program: tuple[str, ...]) -> dict[str, Any]:
    """What the program says of the vectors that all languages share."""
    return ask(program, VECTORS)


@functools.cache
def known() -> dict[str, dict[str, Any]]:
    return {vector["name"]: vector for vector in json.loads(VECTORS.read_text("utf-8"))}


@functools.cache
def ids() -> set[str]:
    """Returns the ids of the rules that the definitions have in CEL."""
    found = [yaml.safe_load(path.read_text("utf-8")) for path in sorted(DEFINITIONS.iterdir())]
    return {re.findall(r"\[([a-z0-9_.]+)\]$", rule["message"])[0] for rule in rules(found)}


def rules(data: Any) -> list[dict[str, str]]:
    """Returns the rules anywhere in definitions."""
    below = list(data.values()) if isinstance(data, dict) else data if isinstance(data, list) else []
    own = data.get("x-kubernetes-validations", []) if isinstance(data, dict) else []
    return [*own, *(rule for part in below for rule in rules(part))]


def test_the_api_server_accepts_every_definition(said: dict[str, Any]) -> None:
    """Its schema is structural, its rules compile, and what they cost has a bound."""
    assert said["definitions"] == {kind: [] for kind in crd.names()}


def test_every_verdict_is_the_same(said: dict[str, Any]) -> None:
    """What the schema or a rule refuses is what ``planton validate`` refuses, but for the differences that are known."""
    assert [answer["name"] for answer in said["answers"]] == list(known())
    differing = set()
    for answer in said["answers"]:
        vector = known()[answer["name"]]
        wrong = bool(vector.get("unreadable") or vector.get("violations") or vector.get("planton"))
        if wrong != bool(answer["refused"]):
            differing.add(answer["name"])
    assert differing == set(DIFFERENCES)
    page = DOCS.read_text("utf-8")
    assert f"{len(known()) - len(DIFFERENCES)} of {len(known())}" in page
    assert [reason for reason in {*DIFFERENCES.values(), *NARROWER.values()} if reason not in page] == []


def test_each_rule_is_told_with_its_id(said: dict[str, Any]) -> None:
    """A vector that breaks a rule which the definitions have in CEL is refused with the id of that rule."""
    told = set()
    for answer in said["answers"]:
        vector = known()[answer["name"]]
        for rule in {*(one["rule"] for one in vector.get("violations", [])), *vector.get("planton", [])} & ids():
            # What is longer than the rule could allow is refused before any rule is asked.
            assert any(f"[{rule}]" in text or "Too long" in text for text in answer["refused"]), answer
            told.add(rule)
    assert ids() - told == {"manifest.oneof"}, "a rule without a vector"
    [oneof] = [answer for answer in said["answers"] if answer["name"] == "yaml/invalid/manifest.oneof"]
    assert any("[manifest.oneof]" in text for text in oneof["refused"])


def test_what_becomes_of_metadata(said: dict[str, Any]) -> None:
    """Kubernetes has rules of its own for labels, and not all fields; nothing else of metadata is lost."""
    assert {answer["name"] for answer in said["answers"] if answer["metadata"]} == set(METADATA)
    lost = {field for answer in said["answers"] for field in answer["unknown"]}
    described = kinds.get("CivoVpc").message.DESCRIPTOR.fields_by_name["metadata"].message_type
    assert lost == {field.json_name for field in described.fields} - set(crd.SHARED_METADATA)


def changed(kind: str) -> Iterator[tuple[str, Any, set[str]]]:
    """Yields manifests that differ from a valid one in one place below ``spec``, as they are written and in canonical form, with the
    rules that they break."""
    for name, vector in known().items():
        if not name.startswith((f"{kind}/valid/", f"{kind}/plan/")):
            continue
        below = [place for place in mutations.places(vector["json"]) if place[0] == "spec"]
        for place, value in itertools.product(below, [..., *mutations.VALUES]):
            case = f"{name} {place} {value!r}"
            data = mutations.mutated(vector["json"], place, value)
            documents, wrong = manifest.read(json.dumps(data).encode(), file="x")
            broken = {one.rule_id for one in [*wrong, *(one for document in documents for one in manifest.check(document))]}
            if broken - UNCHECKED and _NULL not in broken:
                yield f"{case} as it is", data, broken
            if not wrong:
                yield f"{case} in canonical form", json_format.MessageToDict(documents[0].message), broken


@pytest.mark.parametrize("kind", crd.names())
def test_verdicts_over_manifests_with_one_change(kind: str, program: tuple[str, ...], tmp_path: pathlib.Path) -> None:
    """Whatever is changed or taken away, both agree, unless only what Kubernetes cannot check is broken."""
    message = kinds.get(kind).message.DESCRIPTOR.full_name
    cases = list(changed(kind))
    made = [{"name": name, "message": message, "json": data} for name, data, _ in cases]
    (tmp_path / "manifests.json").write_text(json.dumps(made), "utf-8")
    answers = ask(program, tmp_path / "manifests.json")["answers"]
    differing = [
        (answer, broken)
        for answer, (name, _, broken) in zip(answers, cases, strict=True)
        if bool(answer["refused"]) != bool(broken - UNCHECKED) and not any(value in name for value in NARROWER)
    ]
    assert differing == []
    assert len(cases) > 500
    assert 0.1 < sum(bool(answer["refused"]) for answer in answers) / len(answers) < 0.9
