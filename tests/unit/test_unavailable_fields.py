"""Fields of other clouds: a reason, or the equivalent field here."""

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
    violations += [violation for document in documents for violation in manifest.check(document)]
    return [(violation.path, violation.rule_id, violation.message) for violation in violations]


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
def test_a_field_that_no_cloud_offers_has_a_reason(group: str, kind: str, field: str, reason: str) -> None:
    """It is an unknown field in both spellings and on both clouds."""
    text = POOL.format(group=group, kind=kind, size="size", field=field, value="true")
    [(path, rule, message)] = _violations(text)
    assert (path, rule) == (f"spec.{field}", "manifest.unknown_field")
    assert message.startswith(f"unknown field {field!r} in spec: ")
    assert reason in message


@pytest.mark.parametrize(("group", "kind"), KINDS)
def test_a_field_with_another_name_is_one_violation(group: str, kind: str) -> None:
    """The violation has the name to use, and the missing field is not reported as well."""
    text = POOL.format(group=group, kind=kind, size="machineType", field="labels", value="{}")
    assert _violations(text) == [
        ("spec.machineType", "manifest.unknown_field", "unknown field 'machineType' in spec: write size")
    ]


def test_the_reasons_apply_only_where_the_field_could_be() -> None:
    """A network has no size, and metadata has no node settings."""
    text = "apiVersion: civo.project-planton.org/v1\nkind: CivoVpc\nmetadata: {name: dev, spot: true}\n"
    text += "spec: {civoCredentialId: default, networkName: dev, region: lon1, vmSize: x}\n"
    assert [path for path, _, _ in _violations(text)] == ["metadata.spot", "spec.vmSize"]
    assert not any("spot nodes" in message or "write size" in message for _, _, message in _violations(text))


def test_no_existing_field_has_a_reason() -> None:
    """Every suggested name is an existing field."""
    for kind in kinds.all_kinds():
        pending, seen = [kind.message.DESCRIPTOR], set()
        while pending:
            message_type = pending.pop()
            for field in message_type.fields:
                assert unavailable_fields.reason(message_type, field.name) is None, field.full_name
                if field.message_type is not None and field.message_type.full_name not in seen:
                    seen.add(field.message_type.full_name)
                    pending.append(field.message_type)
