"""Annotations of planton's own: misspelt ones and values that mean nothing."""

from __future__ import annotations

import pathlib
import re

import pytest

from planton import manifest
from planton.manifest import own_annotations
from planton.modules import bounds, unsupported
from planton.schema import references
from planton.state import inventory

NETWORK = """apiVersion: civo.project-planton.org/v1
kind: CivoVpc
metadata:
  name: net
  annotations:
    {name}: "{value}"
spec: {{civoCredentialId: default, networkName: net, region: lon1}}
"""
SETTINGS = pathlib.Path(__file__).parents[2] / "docs" / "reference" / "settings.md"


def _found(name: str, value: str) -> list[tuple[str, str, str]]:
    [document], violations = manifest.read(NETWORK.format(name=name, value=value).encode(), file="net.yaml")
    assert violations == []
    return [(each.place, each.rule_id, each.message) for each in manifest.check(document)]


@pytest.mark.parametrize("value", ["yes", "on", "1", "", "true "])
def test_protection_is_on_or_off(value: str) -> None:
    """What looks like on and is off would be found out too late."""
    [(place, rule, said)] = _found("project-planton.org/deletion-protection", value)
    assert (place, rule) == ("net.yaml:6:5" if not value else "net.yaml:6:46", "manifest.annotation_value")
    assert said.startswith('must be "true" or "false", not')


@pytest.mark.parametrize("value", ["true", "false", "True"])
def test_protection_is_read_in_any_case(value: str) -> None:
    """As it always was."""
    assert _found("project-planton.org/deletion-protection", value) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("deletion-protecton", "; did you mean 'deletion-protection'?"),
        ("Credential", "; did you mean 'credential'?"),
        ("zzz", "annotation 'project-planton.org/zzz'"),
    ],
)
def test_an_annotation_that_there_is_not_is_named_with_a_near_one(name: str, said: str) -> None:
    """Nothing of a manifest is ignored in silence; annotations of others are theirs."""
    [(_, rule, text)] = _found(f"project-planton.org/{name}", "true")
    assert rule == "manifest.unknown_annotation"
    assert text.endswith(said)
    assert _found(f"example.com/{name}", "true") == []


def test_all_annotations_are_known_and_described() -> None:
    """Those that something reads, and those of docs/reference/settings.md."""
    read = {
        references.CREDENTIAL_ANNOTATION,
        inventory.PROTECTION_ANNOTATION,
        bounds.BOUND_ANNOTATION,
        unsupported.ALLOW_ANNOTATION,
    }
    known = {own_annotations.PREFIX + name for name in own_annotations.KNOWN}
    assert read == known
    section = SETTINGS.read_text("utf-8").split("\n## Annotations\n")[1].split("\n## ")[0]
    assert set(re.findall(rf"^\| `({own_annotations.PREFIX}[^`]+)`", section, re.MULTILINE)) == known
