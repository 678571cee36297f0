"""References: search, checks, order and resolution."""

from __future__ import annotations

from typing import Any

import pytest

from planton import errors
from planton.schema import references
from support import mocks

NETWORK = mocks.NETWORK_ID


def _vpc(name: str = "net", env: str = "dev", **outputs: str) -> Any:
    manifest = mocks.target(
        "CivoVpc", {"civoCredentialId": "default", "networkName": f"{name}-label", "region": "fra1"}, name=name, env=env
    )
    for field, value in outputs.items():
        setattr(manifest.status.outputs, field, value)
    return manifest


def _cluster(network: dict[str, Any], name: str = "dev", env: str = "dev", **spec: Any) -> Any:
    base = {
        "clusterName": name,
        "region": "lon1",
        "kubernetesVersion": "1.30.5-k3s1",
        "network": network,
        "defaultNodePool": {"size": "s", "nodeCount": 1},
    }
    return mocks.target("CivoKubernetesCluster", base | spec, name=name, env=env)


def _pool(cluster: dict[str, Any], name: str = "pool", env: str = "dev", **metadata: Any) -> Any:
    spec = {"nodePoolName": name, "cluster": cluster, "size": "s", "nodeCount": 1}
    return mocks.target("CivoKubernetesNodePool", spec, name=name, env=env, **metadata)


def _lookup(*manifests: Any) -> Any:
    by_key = {references.key(manifest): manifest for manifest in manifests}
    return by_key.get


def _ordered(*manifests: Any) -> list[str]:
    return [key.name for key in references.order({references.key(manifest): manifest for manifest in manifests})]


@pytest.mark.parametrize(
    ("reference", "target", "field_path"),
    [
        ({"name": "net"}, ("CivoVpc", "dev", "net"), "status.outputs.network_id"),
        ({"name": "net", "env": "prod"}, ("CivoVpc", "prod", "net"), "status.outputs.network_id"),
        ({"name": "net", "kind": "DigitalOceanVpc"}, ("DigitalOceanVpc", "dev", "net"), "status.outputs.network_id"),
        ({"name": "net", "fieldPath": "status.outputs.cidrBlock"}, ("CivoVpc", "dev", "net"), "status.outputs.cidr_block"),
        ({"name": "net", "fieldPath": "metadata.name"}, ("CivoVpc", "dev", "net"), "status.outputs.network_id"),
        ({"name": "net", "fieldPath": "spec.network_name"}, ("CivoVpc", "dev", "net"), "spec.network_name"),
    ],
)
def test_unset_fields_of_a_reference_come_from_the_schema_and_the_owner(
    reference: dict[str, Any], target: tuple[str, str, str], field_path: str
) -> None:
    """Kind and field have defaults, and the environment is the owner's. A reference to a name resolves to the id."""
    [resolved] = references.find(_cluster({"valueFrom": reference}))
    assert resolved.target == references.Key(*target)
    assert (resolved.path, resolved.field_path) == ("spec.network", field_path)
    assert str(resolved.owner) == "CivoKubernetesCluster/dev (env dev)"


def test_a_pool_references_the_id_of_its_cluster() -> None:
    """The default path is the name, but the cloud needs the id."""
    [reference] = references.find(_pool({"valueFrom": {"name": "dev"}}))
    assert reference.field_path == "status.outputs.cluster_id"


def test_literals_are_not_references() -> None:
    """A literal creates no dependency."""
    assert references.find(_cluster({"value": "net"})) == []
    assert references.depends_on(_cluster({"value": "net"})) == set()


@pytest.mark.parametrize(
    ("reference", "problem"),
    [
        ({"name": "net"}, None),
        (
            {"name": "net", "fieldPath": "status.outputs.network"},
            (
                "spec.network.valueFrom.fieldPath",
                "refers to CivoVpc/net (env dev): no such output 'network'; did you mean 'network_id'?",
                "reference.field_path_exists",
            ),
        ),
        (
            {"name": "net", "fieldPath": "spec.regionn"},
            (
                "spec.network.valueFrom.fieldPath",
                "refers to CivoVpc/net (env dev): no such field in spec 'regionn'; did you mean 'region'?",
                "reference.field_path_exists",
            ),
        ),
        (
            {"name": "net", "kind": "CivoVpc", "fieldPath": "nothing"},
            (
                "spec.network.valueFrom.fieldPath",
                "refers to CivoVpc/net (env dev): no such field in CivoVpc 'nothing'",
                "reference.field_path_exists",
            ),
        ),
        *(
            (
                {"name": "net", "fieldPath": path},
                ("spec.network.valueFrom.fieldPath", f"refers to CivoVpc/net (env dev): {text}", "reference.field_path_exists"),
            )
            for path, text in [
                ("status.outputs", "'status.outputs' is not a single value; it has network_id, "),
                ("metadata", "'metadata' is not a single value; it has name, "),
                ("metadata.annotations", "'metadata.annotations' is not a single value"),
                ("metadata.annotations.value", "'metadata.annotations' is not a single value"),
                ("metadata.relationships", "'metadata.relationships' is not a single value"),
                ("metadata.name.env", "no such field in metadata.name 'env'"),
            ]
        ),
    ],
)
def test_a_reference_is_checked_against_the_schema(reference: dict[str, Any], problem: tuple[str, str, str] | None) -> None:
    """An unknown field is reported before any lookup, with the nearest name."""
    problems = references.problems(_cluster({"valueFrom": reference}))
    if problem is None:
        assert problems == []
    else:
        [violation] = [
            errors.Violation("", 0, 0, each.path, each.detail, each.rule_id, target=each.target, suggestion=each.suggestion)
            for each in problems
        ]
        assert (violation.path, violation.rule_id) == (problem[0], problem[2])
        assert violation.message.startswith(problem[1])
        assert violation.target == errors.Target("CivoVpc/net (env dev)")


def test_some_unset_fields_are_known_after_an_apply() -> None:
    """These are resolved references, inherited regions and outputs. Other unset fields stay unset."""
    pool = _pool({"valueFrom": {"name": "dev"}})
    cluster = _cluster({"valueFrom": {"name": "net"}})
    assert references.may_be_known(cluster, "spec.network.value")
    assert references.may_be_known(pool, "status.outputs.pool_id")
    firewalls = [
        mocks.target("CivoFirewall", {"networkId": network}) for network in ({"valueFrom": {"name": "net"}}, {"value": "net"})
    ]
    assert [references.may_be_known(each, "spec.region") for each in firewalls] == [True, False]
    assert not references.may_be_known(pool, "metadata.id")


def test_dependencies_come_before_their_dependants() -> None:
    """The order of the manifests does not matter."""
    vpc, cluster, pool = _vpc(), _cluster({"valueFrom": {"name": "net"}}), _pool({"valueFrom": {"name": "dev"}})
    for manifests in ([vpc, cluster, pool], [pool, cluster, vpc], [cluster, pool, vpc]):
        assert _ordered(*manifests) == ["net", "dev", "pool"]


def test_a_depends_on_relationship_is_a_dependency() -> None:
    """It needs no value reference."""
    relation = {"kind": "CivoVpc", "name": "net", "type": "depends_on"}
    first, second = _vpc("net"), _vpc("apart")
    pool = _pool({"value": "x"}, relationships=[relation])
    assert references.key(first) in references.depends_on(pool)
    assert references.key(second) not in references.depends_on(pool)
    assert _ordered(pool, first, second).index("net") < _ordered(pool, first, second).index("pool")


def test_a_cycle_is_an_error_that_names_its_members() -> None:
    """Two resources that wait for each other can never be created."""
    first = _pool({"value": "x"}, "one", relationships=[{"kind": "CivoKubernetesNodePool", "name": "two", "type": "depends_on"}])
    second = _pool({"value": "x"}, "two", relationships=[{"kind": "CivoKubernetesNodePool", "name": "one", "type": "depends_on"}])
    with pytest.raises(errors.PlantonError) as caught:
        _ordered(first, second)
    assert caught.value.reason is errors.Reason.REFERENCE_INVALID
    assert "CivoKubernetesNodePool/one (env dev)" in caught.value.message
    assert "CivoKubernetesNodePool/two (env dev)" in caught.value.message


def test_resolving_replaces_references_by_values() -> None:
    """The copy has the target's output. The original is unchanged."""
    manifest = _cluster({"valueFrom": {"name": "net"}})
    resolved: Any = references.resolve(manifest, _lookup(_vpc(network_id=NETWORK)))
    assert resolved.spec.network.value == NETWORK
    assert manifest.spec.network.HasField("value_from")


def test_a_missing_target_is_an_error_that_names_both_ends() -> None:
    """The hint suggests applying the target first."""
    with pytest.raises(errors.PlantonError) as caught:
        references.resolve(_cluster({"valueFrom": {"name": "nowhere"}}), _lookup())
    assert caught.value.reason is errors.Reason.REFERENCE_UNRESOLVED
    assert caught.value.metadata == {
        "from": "CivoKubernetesCluster/dev (env dev)",
        "to": "CivoVpc/nowhere (env dev)",
        "field": "spec.network",
    }
    assert "apply it first" in caught.value.hint


def test_a_reference_to_an_empty_output_is_an_error() -> None:
    """A resource whose apply did not finish may have empty outputs."""
    with pytest.raises(errors.PlantonError, match=r"refers to status\.outputs\.network_id of CivoVpc/net .*, which is empty"):
        references.resolve(_cluster({"valueFrom": {"name": "net"}}), _lookup(_vpc()))


def test_unknown_outputs_are_unique_placeholders() -> None:
    """Before an apply, each text output is a placeholder, which is recognised later and never displayed."""
    unapplied: Any = references.unknown_outputs(_vpc())
    outputs = unapplied.status.outputs
    assert references.is_unknown(outputs.network_id)
    assert outputs.network_id != outputs.cidr_block
    assert references.unknown_outputs(_vpc()) == unapplied
    assert references.show_unknown(f"in {outputs.network_id}!") == "in (known after apply)!"
    assert not references.is_unknown(NETWORK)
    resolved: Any = references.resolve(_cluster({"valueFrom": {"name": "net"}}), _lookup(unapplied))
    assert references.is_unknown(resolved.spec.network.value)


def test_a_firewall_without_a_region_inherits_that_of_its_network() -> None:
    """A firewall with a region keeps it."""
    spec = {"name": "fw", "networkId": {"valueFrom": {"name": "net"}}}
    resolved: Any = references.resolve(mocks.target("CivoFirewall", spec, env="dev"), _lookup(_vpc(network_id=NETWORK)))
    assert resolved.spec.region == "fra1"
    own: Any = references.resolve(
        mocks.target("CivoFirewall", spec | {"region": "nyc1"}, env="dev"), _lookup(_vpc(network_id=NETWORK))
    )
    assert own.spec.region == "nyc1"


def test_a_pool_is_in_the_region_of_its_cluster() -> None:
    """The region is read through the reference. A literal has no region."""
    cluster = _cluster({"value": "x"})
    assert references.region(_pool({"valueFrom": {"name": "dev"}}), _lookup(cluster)) == "lon1"
    assert references.region(_pool({"value": "dev"}), _lookup(cluster)) == ""
    assert references.region(_pool({"valueFrom": {"name": "missing"}}), _lookup(cluster)) == ""


def test_referrers_are_the_dependants_of_a_resource() -> None:
    """They are listed by name."""
    cluster = _cluster({"value": "x"})
    first, second = _pool({"valueFrom": {"name": "dev"}}, "b"), _pool({"valueFrom": {"name": "dev"}}, "a")
    referrers = references.referrers(references.key(cluster), [cluster, first, second, _pool({"value": "dev"}, "c")])
    assert [key.name for key in referrers] == ["a", "b"]
