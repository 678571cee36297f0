"""``--set``: assigns one field, parsed by the type of the field."""

import pytest

from org.project_planton.provider.civo.civokubernetescluster.v1 import api_pb2
from planton import errors, manifest
from planton.manifest import assignment
from planton.schema import kinds


def assigned(*texts: str) -> api_pb2.CivoKubernetesCluster:
    cluster = api_pb2.CivoKubernetesCluster()
    for text in texts:
        assignment.assign(cluster, text)
    return cluster


@pytest.mark.parametrize(
    ("texts", "read", "value"),
    [
        (["spec.defaultNodePool.nodeCount=5"], lambda m: m.spec.default_node_pool.node_count, 5),
        (["spec.default_node_pool.node_count=5"], lambda m: m.spec.default_node_pool.node_count, 5),
        (["spec.kubernetesVersion=1.30"], lambda m: m.spec.kubernetes_version, "1.30"),
        (["spec.clusterName=a=b"], lambda m: m.spec.cluster_name, "a=b"),
        (["spec.clusterName="], lambda m: m.spec.cluster_name, ""),
        (["spec.autoUpgrade=yes"], lambda m: m.spec.auto_upgrade, True),
        (["spec.region=fra1"], lambda m: m.spec.region, 3),
        (["spec.tags=[a, b]"], lambda m: list(m.spec.tags), ["a", "b"]),
        (["spec.tags[0]=a", "spec.tags.1=1.30", "spec.tags[0]=c"], lambda m: list(m.spec.tags), ["c", "1.30"]),
        (["metadata.labels.team=x"], lambda m: dict(m.metadata.labels), {"team": "x"}),
        (['metadata.labels["a.b/c"]=no'], lambda m: dict(m.metadata.labels), {"a.b/c": "no"}),
        (["metadata.labels.a.b/c=x"], lambda m: dict(m.metadata.labels), {"a.b/c": "x"}),
        (["spec.network.value=dev"], lambda m: m.spec.network.value, "dev"),
        (["spec.network.value=dev", "spec.network.valueFrom.name=x"], lambda m: m.spec.network.WhichOneof("literal_or_ref"), "value_from"),
        (["spec.network={valueFrom: {name: dev}}"], lambda m: m.spec.network.value_from.name, "dev"),
        (["spec.additionalNodePools[0].name=a"], lambda m: m.spec.additional_node_pools[0].name, "a"),
        (["spec.additionalNodePools[0]={name: b, nodeCount: 2}"], lambda m: m.spec.additional_node_pools[0].node_count, 2),
        (["spec.additionalNodePools[0].labels.a=b"], lambda m: m.spec.additional_node_pools[0].labels["a"], "b"),
        (["spec.clusterType=talos"], lambda m: m.spec.cluster_type, "talos"),
        (["spec.tags=[a]", "spec.tags=null"], lambda m: list(m.spec.tags), []),
    ],
)  # fmt: skip
def test_a_value_is_parsed_by_the_type_of_its_field(texts: list[str], read: object, value: object) -> None:
    """Field paths accept both spellings, list indexes, and map keys with dots."""
    assert read(assigned(*texts)) == value  # type: ignore[operator]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("spec.clusterNam=x", "spec has no field 'clusterNam'", "did you mean 'clusterName'?"),
        ("spc=x", "CivoKubernetesCluster has no field 'spc'", "did you mean 'spec'?"),
        ("spec.clusterName.x=1", "spec.clusterName has no parts", ""),
        ("spec.defaultNodePool.nodeCount=x", "must be a whole number", ""),
        ("spec.region=mars", "unknown value 'mars'", ""),
        ("spec.network=dev", "write {value: dev}", ""),
        ("spec.tags[3]=a", "has 0 items", ""),
        ("spec.tags[0].x=a", "has no parts", ""),
        ("spec.additionalNodePools=[{nam: x}]", "unknown field 'nam'", ""),
        ("spec.tags=[", "is not YAML", ""),
        ("spec", "PATH=VALUE", ""),
        ("=x", "PATH=VALUE", ""),
    ],
)
def test_a_path_or_value_that_does_not_fit_is_a_usage_error(text: str, message: str, hint: str) -> None:
    """The message names the cause, and the hint the nearest field."""
    with pytest.raises(errors.PlantonError) as caught:
        assigned(text)
    assert caught.value.code == errors.Code.USAGE
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_an_assignment_must_fit_at_least_one_document() -> None:
    """It need not fit all documents."""
    overrides = manifest.overrides(["spec.clusterName=x", "spec.nothing=y"])
    assert overrides is not None
    overrides.apply(assigned())
    with pytest.raises(errors.PlantonError, match="nothing"):
        overrides.finish()
    assert manifest.overrides([]) is None


def test_the_hint_comes_from_the_kind_with_the_nearest_field() -> None:
    """Without a near field, the hint lists the fields of the first kind."""
    for path, hint in (
        ("spec.nodeCont", "did you mean 'nodeCount'?"),
        ("spec.qqqq", "CivoVpcSpec has civoCredentialId, networkName"),
    ):
        overrides = manifest.overrides([f"{path}=5"])
        assert overrides is not None
        for kind in ("CivoVpc", "CivoKubernetesNodePool", "CivoKubernetesCluster"):
            overrides.apply(kinds.get(kind).message())
        with pytest.raises(errors.PlantonError, match=f"cannot set {path}: spec has no field") as caught:
            overrides.finish()
        assert caught.value.hint.startswith(hint)
