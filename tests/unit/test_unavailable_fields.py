"""Fields of other clouds: a reason, or the field that has the meaning here."""

from __future__ import annotations

import pytest

from planton import manifest
from planton.manifest import unavailable_fields
from planton.schema import kinds

POOL = """apiVersion: {group}/v1
kind: {kind}
metadata: {{name: dev}}
spec:
  nodePoolName: workers
  cluster: {{value: dev}}
  {size}: x
  nodeCount: 1
  {field}: {value}
"""
KINDS = [
    ("civo.project-planton.org", "CivoKubernetesNodePool"),
    ("digital-ocean.project-planton.org", "DigitalOceanKubernetesNodePool"),
]


def _violations(text: str) -> list[tuple[str, str, str]]:
    documents, violations = manifest.read(text.encode(), file="x")
    violations += [one for document in documents for one in manifest.check(document)]
    return [(one.path, one.rule_id, one.message) for one in violations]


@pytest.mark.parametrize(("group", "kind"), KINDS)
@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ("spot", "has no spot nodes"),
        ("preemptible", "has no spot nodes"),
        ("capacity_type", "has no spot nodes"),
        ("privateCluster", "always has a public address"),
        ("availabilityZones", "have no zones"),
        ("diskSize", "comes with the machine size"),
        ("deletionProtection", "project-planton.org/deletion-protection"),
    ],
)
def test_what_the_clouds_do_not_offer_comes_with_a_reason(group: str, kind: str, field: str, reason: str) -> None:
    """In either spelling, on both clouds, as the unknown field that it is."""
    text = POOL.format(group=group, kind=kind, size="size", field=field, value="true")
    [(path, rule, message)] = _violations(text)
    assert (path, rule) == (f"spec.{field}", "manifest.unknown_field")
    assert message.startswith(f"unknown field {field!r} in spec: ")
    assert reason in message


@pytest.mark.parametrize(("group", "kind"), KINDS)
def test_what_has_another_name_here_is_not_reported_as_missing_too(group: str, kind: str) -> None:
    """One mistake is one violation, with the name to write."""
    text = POOL.format(group=group, kind=kind, size="machineType", field="labels", value="{}")
    assert _violations(text) == [
        ("spec.machineType", "manifest.unknown_field", "unknown field 'machineType' in spec: write size")
    ]


def test_a_name_means_nothing_where_its_field_is_not_offered() -> None:
    """A network has no size, and no other reader of mappings knows the table."""
    text = "apiVersion: civo.project-planton.org/v1\nkind: CivoVpc\nmetadata: {name: dev, spot: true}\n"
    text += "spec: {civoCredentialId: default, networkName: dev, region: lon1, vmSize: x}\n"
    assert [path for path, _, _ in _violations(text)] == ["metadata.spot", "spec.vmSize"]
    assert not any("spot nodes" in message or "write size" in message for _, _, message in _violations(text))


def test_no_field_of_a_kind_has_a_reason() -> None:
    """What is offered is not explained away, and every name that is proposed is a field."""
    for kind in kinds.all_kinds():
        waiting, seen = [kind.message.DESCRIPTOR], set()
        while waiting:
            described = waiting.pop()
            for field in described.fields:
                assert unavailable_fields.reason(described, field.name) is None, field.full_name
                if field.message_type is not None and field.message_type.full_name not in seen:
                    seen.add(field.message_type.full_name)
                    waiting.append(field.message_type)
