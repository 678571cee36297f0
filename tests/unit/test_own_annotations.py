"""The annotations of planton: unknown names and invalid values."""

from __future__ import annotations

import pathlib
import re

import pytest

from planton import manifest
from planton.manifest import own_annotations
from planton.modules import bounds, unsupported
from planton.schema import deletion, references

NETWORK = """apiVersion: civo.project-planton.org/v1
kind: CivoVpc
metadata:
  name: net
  annotations:
    {name}: "{value}"
spec: {{civoCredentialId: default, networkName: net, region: lon1}}
"""
SETTINGS = pathlib.Path(__file__).parents[2] / "docs" / "reference" / "settings.md"


def _violations(name: str, value: str) -> list[tuple[str, str, str]]:
    [document], violations = manifest.read(NETWORK.format(name=name, value=value).encode(), file="net.yaml")
    assert violations == []
    return [(each.place, each.rule_id, each.message) for each in manifest.check(document)]


@pytest.mark.parametrize("value", ["yes", "on", "1", "", "true "])
def test_deletion_protection_must_be_true_or_false(value: str) -> None:
    """A wrong value would be noticed only after a deletion."""
    [(place, rule, message)] = _violations("project-planton.org/deletion-protection", value)
    assert (place, rule) == ("net.yaml:6:5" if not value else "net.yaml:6:46", "manifest.annotation_value")
    assert message.startswith('must be "true" or "false", not')


def test_an_annotation_must_not_contradict_the_field_of_its_kind() -> None:
    """Both name the credential. The default in the required field names none."""
    assert _violations("project-planton.org/credential", "acme") == []
    text = NETWORK.format(name="project-planton.org/credential", value="acme").replace("default", "other")
    [document], _ = manifest.read(text.encode(), file="net.yaml")
    [violation] = manifest.check(document)
    assert (violation.rule_id, violation.message) == (
        "manifest.annotation_value",
        "names the credential 'acme', and the spec names 'other'; write one of them",
    )


@pytest.mark.parametrize("value", ["true", "false", "True"])
def test_deletion_protection_ignores_the_case_of_its_value(value: str) -> None:
    """``True`` is a value of Python and of older manifests."""
    assert _violations("project-planton.org/deletion-protection", value) == []


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("deletion-protecton", "; did you mean 'deletion-protection'?"),
        ("Credential", "; did you mean 'credential'?"),
        ("zzz", "annotation 'project-planton.org/zzz'"),
    ],
)
def test_an_unknown_annotation_gets_a_suggestion(name: str, ending: str) -> None:
    """Annotations with other prefixes are not checked."""
    [(_, rule, text)] = _violations(f"project-planton.org/{name}", "true")
    assert rule == "manifest.unknown_annotation"
    assert text.endswith(ending)
    assert _violations(f"example.com/{name}", "true") == []


def test_all_annotations_are_declared_and_documented() -> None:
    """The declared names are those that code reads, and those of docs/reference/settings.md."""
    read = {
        references.CREDENTIAL_ANNOTATION,
        deletion.PROTECTION_ANNOTATION,
        bounds.BOUND_ANNOTATION,
        unsupported.ALLOW_ANNOTATION,
    }
    declared = {own_annotations.PREFIX + name for name in own_annotations.NAMES}
    assert read == declared
    section = SETTINGS.read_text("utf-8").split("\n## Annotations\n")[1].split("\n## ")[0]
    assert set(re.findall(rf"^\| `({own_annotations.PREFIX}[^`]+)`", section, re.MULTILINE)) == declared
