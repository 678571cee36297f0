"""CustomResourceDefinitions: the API server's libraries accept them, and agree with the strict decoder about manifests.

The libraries are in Go, so only ``make test-go`` runs these tests. docs/extend/crd.md shows the differences.
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
#: Vectors with another verdict → the reason.
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
#: Vectors whose labels or metadata Kubernetes refuses → the reason.
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
#: Rules that are in no definition. Their descriptions mention it.
UNCHECKED = {"reference.field_path_exists"}
#: The rule about null in a list or a map. Kubernetes drops such an entry of a map.
_NULL = "yaml.null_item"
#: Values that only Kubernetes refuses → the reason.
NARROWER = {"fe80::1%eth0": "an address with a zone is no address for Kubernetes"}


@pytest.fixture(scope="module")
def program() -> tuple[str, ...]:
    """Builds the program that calls the libraries."""
    for command in (("build", "-p", "2", "-o", "bin/", "."), ("vet", "-p", "2", ".")):
        completed = languages.run(("go", "-C", "tests/crd", *command))
        assert completed.returncode == 0, completed.stderr
    return ("tests/crd/bin/crd",)


def evaluate(program: tuple[str, ...], path: pathlib.Path) -> dict[str, Any]:
    """Returns the program's results for the definitions, and for the vectors in a file."""
    completed = languages.run(program, str(DEFINITIONS), str(path))
    assert completed.returncode == 0, completed.stderr
    return json.loads(completed.stdout)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def results(program: tuple[str, ...]) -> dict[str, Any]:
    """The program's results for the vectors that all languages share."""
    return evaluate(program, VECTORS)


@functools.cache
def vectors_by_name() -> dict[str, dict[str, Any]]:
    """Returns the vectors that all languages share."""
    return {vector["name"]: vector for vector in json.loads(VECTORS.read_text("utf-8"))}


@functools.cache
def ids() -> set[str]:
    """Returns the ids of the CEL rules in the definitions."""
    definitions = [yaml.safe_load(path.read_text("utf-8")) for path in sorted(DEFINITIONS.iterdir())]
    return {re.findall(r"\[([a-z0-9_.]+)\]$", rule["message"])[0] for rule in rules(definitions)}


def rules(data: Any) -> list[dict[str, str]]:
    """Returns all rules of a definition or a part of one."""
    parts = list(data.values()) if isinstance(data, dict) else data if isinstance(data, list) else []
    own = data.get("x-kubernetes-validations", []) if isinstance(data, dict) else []
    return [*own, *(rule for part in parts for rule in rules(part))]


def test_the_api_server_accepts_every_definition(results: dict[str, Any]) -> None:
    """Schemas are structural, rules compile, and their cost is limited."""
    assert results["definitions"] == {kind: [] for kind in crd.names()}


def test_every_verdict_equals_that_of_planton_validate(results: dict[str, Any]) -> None:
    """The listed differences are the only exceptions, and the documentation has their reasons."""
    assert [verdict["name"] for verdict in results["verdicts"]] == list(vectors_by_name())
    differing = set()
    for verdict in results["verdicts"]:
        vector = vectors_by_name()[verdict["name"]]
        is_invalid = bool(vector.get("unreadable") or vector.get("violations") or vector.get("planton"))
        if is_invalid != bool(verdict["refused"]):
            differing.add(verdict["name"])
    assert differing == set(DIFFERENCES)
    page = DOCS.read_text("utf-8")
    assert f"{len(vectors_by_name()) - len(DIFFERENCES)} of {len(vectors_by_name())}" in page
    assert [reason for reason in {*DIFFERENCES.values(), *NARROWER.values()} if reason not in page] == []


def test_each_violated_rule_is_reported_with_its_id(results: dict[str, Any]) -> None:
    """This holds for the rules that the definitions have in CEL."""
    reported = set()
    for verdict in results["verdicts"]:
        vector = vectors_by_name()[verdict["name"]]
        for rule in {*(violation["rule"] for violation in vector.get("violations", [])), *vector.get("planton", [])} & ids():
            # Values longer than the schema's limit, and those that no enum has, are refused before any rule runs.
            earlier = ("Too long", "Unsupported value")
            assert any(f"[{rule}]" in text or any(part in text for part in earlier) for text in verdict["refused"]), verdict
            reported.add(rule)
    assert ids() - reported == {"manifest.oneof"}, "a rule without a vector"
    [oneof] = [verdict for verdict in results["verdicts"] if verdict["name"] == "yaml/invalid/manifest.oneof"]
    assert any("[manifest.oneof]" in text for text in oneof["refused"])


def test_only_fields_and_labels_that_kubernetes_does_not_support_are_lost(results: dict[str, Any]) -> None:
    """Kubernetes has its own rules for labels, and not all fields of metadata."""
    assert {verdict["name"] for verdict in results["verdicts"] if verdict["metadata"]} == set(METADATA)
    lost = {field for verdict in results["verdicts"] for field in verdict["unknown"]}
    metadata = kinds.get("CivoVpc").message.DESCRIPTOR.fields_by_name["metadata"].message_type
    assert lost == {field.json_name for field in metadata.fields} - set(crd.SHARED_METADATA)


def changed(kind: str) -> Iterator[tuple[str, Any, set[str]]]:
    """Yields manifests with one change below ``spec``, as written and in canonical form, with the rules they violate."""
    for name, vector in vectors_by_name().items():
        if not name.startswith((f"{kind}/valid/", f"{kind}/plan/")):
            continue
        places = [place for place in mutations.places(vector["json"]) if place[0] == "spec"]
        for place, value in itertools.product(places, [..., *mutations.VALUES]):
            case = f"{name} {place} {value!r}"
            data = mutations.mutated(vector["json"], place, value)
            documents, violations = manifest.read(json.dumps(data).encode(), file="x")
            violated = {
                violation.rule_id
                for violation in [*violations, *(each for document in documents for each in manifest.check(document))]
            }
            if violated - UNCHECKED and _NULL not in violated:
                yield f"{case} as written", data, violated
            if not violations:
                yield f"{case} in canonical form", json_format.MessageToDict(documents[0].message), violated


@pytest.mark.parametrize("kind", crd.names())
def test_verdicts_agree_on_manifests_with_one_change(kind: str, program: tuple[str, ...], tmp_path: pathlib.Path) -> None:
    """One value is changed or removed. Rules that Kubernetes cannot check are not compared."""
    message = kinds.get(kind).message.DESCRIPTOR.full_name
    cases = list(changed(kind))
    manifests = [{"name": name, "message": message, "json": data} for name, data, _ in cases]
    (tmp_path / "manifests.json").write_text(json.dumps(manifests), "utf-8")
    verdicts = evaluate(program, tmp_path / "manifests.json")["verdicts"]
    differing = [
        (verdict, violated)
        for verdict, (name, _, violated) in zip(verdicts, cases, strict=True)
        if bool(verdict["refused"]) != bool(violated - UNCHECKED) and not any(value in name for value in NARROWER)
    ]
    assert differing == []
    assert len(cases) > 500
    assert 0.1 < sum(bool(verdict["refused"]) for verdict in verdicts) / len(verdicts) < 0.9
