"""Schema rules and loading: paths in the spelling of manifests, and all violations in one error."""

import io
import os
import pathlib

import pytest
from buf.validate import validate_pb2

from org.project_planton.nodepool.v1 import nodepool_pb2, platform_pb2, service_pb2
from org.project_planton.provider.civo.civokubernetescluster.v1 import api_pb2
from org.project_planton.shared.options import options_pb2
from planton import errors
from planton.manifest import load
from planton.schema import validation
from support import rule_ids

CORPUS = pathlib.Path(__file__).parents[1] / "kinds"


def test_paths_have_the_spelling_of_manifests() -> None:
    """They are in camelCase, with list indexes and quoted map keys."""
    cluster = api_pb2.CivoKubernetesCluster()
    cluster.spec.additional_node_pools.add(name="a", size="s", node_count=1).labels['-"x'] = "a b"
    violations = {(violation.path, violation.rule_id) for violation in validation.violations(cluster)}
    path = 'spec.additionalNodePools[0].labels["-\\"x"]'
    assert {(path, "string.label_key"), (path, "string.label_value"), ("spec.clusterName", "required")} <= violations


def test_a_violation_of_a_map_key_says_so() -> None:
    """Its path is also that of the value."""
    cluster = api_pb2.CivoKubernetesCluster()
    cluster.spec.additional_node_pools.add(name="a", size="s", node_count=1).labels["-x"] = "y"
    (violation,) = [violation for violation in validation.violations(cluster) if violation.rule_id == "string.label_key"]
    assert violation.message.startswith("the key must")


@pytest.mark.parametrize(
    ("changes", "place", "text"),
    [
        ("autoScale: true, minNodes: 5, maxNodes: 2", "maxNodes", "maxNodes (2) must be at least 1, and at least minNodes (5)"),
        (
            "autoScale: true, minNodes: 4, maxNodes: 5",
            "nodeCount",
            "nodeCount (3) must lie between minNodes (4) and maxNodes (5)",
        ),
        (
            "taints: [{key: a, value: b, effect: NoExecute}, {key: a, value: c, effect: NoExecute}]",
            "taints",
            "taints must differ in key or effect; a:NoExecute is there twice",
        ),
    ],
)
def test_a_relation_is_reported_at_its_field_with_the_values(changes: str, place: str, text: str) -> None:
    """The place is that of the field."""
    lines = [changes] if "taints" in changes else changes.split(", ")
    spec = "".join(f"  {line}\n" for line in ["nodePoolName: w", "cluster: {value: c}", "size: s", "nodeCount: 3", *lines])
    manifest_text = (
        f"apiVersion: civo.project-planton.org/v1\nkind: CivoKubernetesNodePool\nmetadata: {{name: dev}}\nspec:\n{spec}"
    )
    [violation] = load.collect(load.Text("x", manifest_text.encode()))[1]
    assert violation.path == f"spec.{place}"
    assert manifest_text.splitlines()[violation.line - 1].strip().startswith(place)
    assert violation.message.startswith(text)


@pytest.mark.parametrize(
    ("kind", "rule", "text"),
    [
        (
            "CivoKubernetesCluster",
            "civo_kubernetes_cluster_spec.additional_node_pool_names_are_unique",
            "additionalNodePools must have different names; extra is there twice",
        ),
        (
            "DigitalOceanKubernetesCluster",
            "digital_ocean_kubernetes_cluster_spec.additional_node_pool_names_are_unique",
            "additionalNodePools must have different names; extra is there twice",
        ),
        (
            "GcpGkeCluster",
            "gcp_gke_cluster_spec.node_zones_in_location",
            "nodeZones must lie in the region of europe-west1: us-central1-a",
        ),
        (
            "GcpGkeNodePool",
            "gcp_gke_node_pool_autoscaling.bounds_per_zone_or_in_total",
            "minNodes (1) and maxNodes (2) per zone exclude totalMinNodes (3) and totalMaxNodes (6) of all zones",
        ),
        (
            "CivoVpc",
            "cloud_resource_metadata.name_fits_stack_name",
            "name (dev/one) must be letters, digits, '-', '_' and '.', for the stack is named after it",
        ),
        (
            "CivoVpc",
            "cloud_resource_metadata.env_fits_stack_name",
            "env (dev one) must be letters, digits, '-', '_' and '.', for the stack is named after it",
        ),
    ],
)
def test_a_relation_names_the_wrong_values(kind: str, rule: str, text: str) -> None:
    """Nobody has to look for them."""
    path = CORPUS / kind / "invalid" / f"{rule}.yaml"
    violations = load.collect(load.Text("x", path.read_bytes()))[1]
    assert [violation.message for violation in violations if violation.rule_id == rule] == [text]


def test_a_missing_field_is_reported_at_its_own_path() -> None:
    """Its message starts like a field name and must not be parsed as one."""
    text = "apiVersion: civo.project-planton.org/v1\nkind: CivoFirewall\nmetadata: {name: dev}\nspec: {name: fw}\n"
    [violation] = load.collect(load.Text("x", text.encode()))[1]
    assert (violation.path, violation.rule_id) == ("spec.networkId", "required")


def test_the_number_of_violations_is_limited() -> None:
    """The caller sets the limit."""
    assert len(validation.violations(api_pb2.CivoKubernetesCluster(), limit=2)) == 2


def test_messages_other_than_manifests_are_validated() -> None:
    """An empty status is valid."""
    assert validation.violations(api_pb2.CivoKubernetesClusterStatus()) == []


def test_load_returns_complete_documents() -> None:
    """It combines files, standard input, assignments, and defaults."""
    folder = str(CORPUS / "CivoKubernetesCluster" / "valid" / "minimal.yaml")
    text = (CORPUS / "CivoKubernetesNodePool" / "valid" / "minimal.yaml").read_bytes()
    documents = load.load([folder, "-"], stdin=io.BytesIO(text), overrides=["spec.nodeCount=7"])
    cluster, pool = (document.message for document in documents)
    assert cluster.spec.cluster_type == "k3s"  # type: ignore[attr-defined]
    assert pool.spec.node_count == 7  # type: ignore[attr-defined]


def test_load_raises_all_violations_in_one_error() -> None:
    """They cover all documents of all files."""
    paths = [str(CORPUS / "CivoVpc" / "invalid" / f"{name}.yaml") for name in ("string.const", "string.max_len")]
    paths.append(str(CORPUS / "yaml" / "invalid" / "yaml.tab.yaml"))
    with pytest.raises(errors.InvalidError) as caught:
        load.load(paths)
    assert [violation.rule_id for violation in caught.value.violations] == ["string.const", "string.max_len", "yaml.tab"]
    assert caught.value.code == errors.Code.INVALID


def test_a_kustomization_is_loaded_under_the_name_of_its_folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its overlay is part of the name."""
    (tmp_path / "deploy" / "dev").mkdir(parents=True)
    program = tmp_path / "kustomize"
    program.write_text(f"#!/bin/sh\nexec cat {CORPUS / 'CivoVpc' / 'valid' / 'minimal.yaml'}\n", "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.chdir(tmp_path)
    (document,) = load.load([], kustomize_dir="deploy", overlay="dev")
    assert document.file == "deploy (overlay dev)"


def test_an_assignment_without_a_field_is_a_usage_error() -> None:
    """No document has the field."""
    with pytest.raises(errors.PlantonError, match="nothing"):
        load.load([str(CORPUS / "CivoVpc" / "valid" / "minimal.yaml")], overrides=["spec.nothing=1"])


def _field_of(value: object, rule_id: str) -> str:
    [problem] = [problem for problem in validation.violations(value) if problem.rule_id == rule_id]
    return problem.field


@pytest.mark.parametrize(
    ("nodes", "most", "field"), [(451, 0, "nodeCount"), (3, 451, "autoscaling.maxNodes"), (451, 451, "nodeCount")]
)
def test_of_several_fields_the_first_that_breaks_the_rule_is_named(nodes: int, most: int, field: str) -> None:
    """The message is not read for it."""
    spec = nodepool_pb2.NodePoolSpec(node_count=nodes)
    spec.autoscaling.enabled, spec.autoscaling.max_nodes = bool(most), most
    spec.platform.type = "aws"
    spec.platform.aws.instance_type = "m5.large"
    assert _field_of(spec, "node_pool_spec.aws_nodes") == field


def test_an_object_of_another_platform_is_named() -> None:
    """The objects of the other platforms are not."""
    platform = platform_pb2.NodePoolPlatform(type="aws")
    for each in (platform.aws, platform.civo):
        each.SetInParent()
    assert _field_of(platform, "node_pool_platform.only_the_object_of_type") == "civo"
    assert _field_of(platform_pb2.NodePoolPlatform(type="aws"), "node_pool_platform.has_the_object_of_type") == "aws"


def test_a_field_below_the_message_is_named() -> None:
    """Of a request, for example."""
    request = service_pb2.CreateNodePoolRequest()
    assert _field_of(request, "create_node_pool_request.has_cluster") == "nodePool.cluster_id"


#: The rule about a whole value: no field of it is wrong.
WHOLE = "string_value_or_ref.value_is_set"


@pytest.mark.parametrize("described", list(rule_ids.messages()), ids=lambda described: described.full_name)
def test_every_rule_between_fields_declares_the_field_that_it_is_about(described: object) -> None:
    """A violation then has a line and a column, and the API's violation a field."""
    options = described.GetOptions()
    declared = {each.rule: each for each in options.Extensions[options_pb2.rule_field]}
    assert {rule.id for rule in options.Extensions[validate_pb2.message].cel} - {WHOLE} == set(declared)
    for each in declared.values():
        for path in [*each.field, *([each.named_by] if each.named_by else [])]:
            below = described
            for name in path.split("."):
                below = below.fields_by_name[name].message_type
        assert bool(each.field) != bool(each.named_by)
