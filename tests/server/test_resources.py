"""Clusters and node pools: create, get, list, replace, both ways."""

import datetime
import uuid

import pytest

from support import api

ABSENT = str(uuid.UUID(int=7))


def test_pool_is_answered_as_it_was_sent(client):
    """A new node pool has an id, a generation, a version, times, an owner and a status beside what was asked for."""
    cluster = client.cluster()
    body = api.pool(
        cloud={"diskSize": 100, "zones": ["us-central1-a"]}, autoscaling={"enabled": True, "minNodes": 1, "maxNodes": 10}
    )
    reply = client.call("CreateNodePool", body, cluster_id=cluster["id"])
    pool = reply.body
    assert reply.status == 201
    assert uuid.UUID(pool["id"]).version == 4
    assert (pool["name"], pool["cluster_id"], pool["spec"]) == ("workers", cluster["id"], body["spec"])
    assert (pool["generation"], pool["created_by"]) == (1, client.user)
    assert pool["resource_version"]
    assert pool["created_at"] == pool["updated_at"]
    assert "deleted_at" not in pool
    assert pool["status"] == {
        "phase": "Pending",
        "reason": "NotObserved",
        "message": "no controller has observed generation 1",
        "observedGeneration": 0,
        "lastUpdateTime": pool["created_at"],
        "conditions": [
            {
                "type": "Accepted",
                "status": "False",
                "lastTransitionTime": pool["created_at"],
                "reason": "NoController",
                "message": "no controller for gcp runs; start one",
            }
        ],
    }


def test_cluster_is_answered_as_it_was_sent(client):
    """A cluster keeps all that a body can say."""
    spec = {
        "infraID": "infra-1",
        "platform": {"type": "gcp", "gcp": {"projectID": "p", "region": "us-central1", "zone": "us-central1-a", "network": "n", "subnet": "s", "endpointAccess": "Private"}},
        "release": {"image": "i", "version": "1.33", "channelGroup": "stable"},
        "networking": {"clusterNetwork": [{"cidr": "10.128.0.0/14", "hostPrefix": 23}], "serviceNetwork": ["172.30.0.0/16"]},
        "dns": {"baseDomain": "example.com"},
        "lifecycle": {"driftPolicy": "Report", "recreate": True, "deletionProtection": True},
    }  # fmt: skip
    created = client.create("CreateCluster", {"name": "whole", "target_project_id": "project-1", "spec": spec})
    assert created["spec"] == spec
    assert created["target_project_id"] == "project-1"
    assert client.call("GetCluster", id=created["id"]).body == created


@pytest.mark.parametrize("kind", ["Cluster", "NodePool"])
def test_every_read_says_the_same(client, kind):
    """Create, get and list answer the same, times to the microsecond included."""
    made = client.cluster() if kind == "Cluster" else client.pool()
    assert client.call(f"Get{kind}", id=made["id"]).body == made
    listed = client.call(f"List{kind}s").body["clusters" if kind == "Cluster" else "nodepools"]
    assert listed == [made]
    moment = datetime.datetime.strptime(made["created_at"], "%Y-%m-%dT%H:%M:%S.%fZ")  # noqa: DTZ007 - the form is what is tested
    assert moment.year == 2026


def test_two_ways_to_name_the_cluster(client):
    """The cluster stands in the path, in the body, or in both."""
    cluster = client.cluster()["id"]
    in_path = client.create("CreateNodePool", api.pool(name="a"), cluster_id=cluster)
    in_body = client.create("CreateNodePool", api.pool(name="b") | {"cluster_id": cluster})
    in_both = client.create("CreateNodePool", api.pool(name="c") | {"cluster_id": cluster}, cluster_id=cluster)
    assert {pool["cluster_id"] for pool in (in_path, in_body, in_both)} == {cluster}
    reply = client.call("CreateNodePool", api.pool(name="d") | {"cluster_id": cluster}, cluster_id=ABSENT)
    assert (reply.status, reply.rules) == (400, [("cluster_id", "create_node_pool_request.one_cluster")])
    reply = client.call("CreateNodePool", api.pool(name="d"))
    assert (reply.status, reply.rules) == (400, [("cluster_id", "create_node_pool_request.has_cluster")])


def test_ids_in_any_case(client):
    """As RFC 9562 reads them: in the path, in the query and in the body."""
    made = client.pool()
    identifier, cluster = made["id"].upper(), made["cluster_id"].upper()
    assert client.call("GetNodePool", id=identifier).body == made
    assert client.call("ListNodePools", cluster_id=cluster).body["total"] == 1
    body = api.pool(name="b") | {"cluster_id": cluster}
    assert client.create("CreateNodePool", body, cluster_id=made["cluster_id"])["cluster_id"] == made["cluster_id"]
    update = client.call("UpdateNodePool", api.pool(nodeCount=4) | {"cluster_id": cluster}, id=identifier)
    assert (update.status, update.body["id"]) == (200, made["id"])


def test_pool_needs_a_cluster_that_is_there(client):
    """A cluster that nobody made is not found."""
    reply = client.call("CreateNodePool", api.pool(), cluster_id=ABSENT)
    assert (reply.status, reply.error) == (404, {"code": "NOT_FOUND", "message": "Cluster not found", "details": ""})


@pytest.mark.parametrize(
    "method", ["GetNodePool", "UpdateNodePool", "DeleteNodePool", "GetNodePoolStatus", "ReportNodePoolStatus"]
)
def test_absent_pool_is_not_found(client, method):
    """What is not there is told in the guide's words, whatever is wanted of it."""
    report = {"controller_name": "c", "observed_generation": 1}
    body = {"UpdateNodePool": api.pool(), "ReportNodePoolStatus": report}.get(method)
    caller = api.CONTROLLER if method.startswith("Report") else ""
    reply = client.call(method, body, id=ABSENT, caller=caller)
    assert (reply.status, reply.error) == (404, {"code": "NOT_FOUND", "message": "NodePool not found", "details": ""})
    assert reply.grpc in {"", "NOT_FOUND"}


def test_name_is_taken(client):
    """A name is unique in its cluster, and free in another."""
    cluster = client.cluster()["id"]
    client.pool(cluster=cluster)
    reply = client.call("CreateNodePool", api.pool(), cluster_id=cluster)
    assert reply.status == 409
    assert reply.error == {"code": "CONFLICT", "message": "NodePool with name 'workers' already exists in cluster", "details": ""}
    assert reply.grpc in {"", "ALREADY_EXISTS"}
    assert client.pool()["name"] == "workers"


def test_name_of_a_cluster_is_taken(client):
    """A cluster's name is unique among its owner's."""
    name = client.cluster()["name"]
    body = {"name": name, "spec": {"platform": {"type": "civo"}}}
    assert client.call("CreateCluster", body).error["message"] == f"Cluster with name '{name}' already exists"
    assert client.create("CreateCluster", body, caller=f"another-{client.user}")["name"] == name


def test_rename(client):
    """A replacement may give another name, keeps it where it gives none, and takes nobody else's."""
    made = client.pool()
    client.pool(cluster=made["cluster_id"], name="taken")
    renamed = client.call("UpdateNodePool", {"name": "others", "spec": made["spec"]}, id=made["id"]).body
    assert (renamed["name"], renamed["generation"]) == ("others", 1)
    assert renamed["resource_version"] != made["resource_version"]
    kept = client.call("UpdateNodePool", {"spec": api.pool(nodeCount=5)["spec"]}, id=made["id"]).body
    assert (kept["name"], kept["generation"]) == ("others", 2)
    reply = client.call("UpdateNodePool", {"name": "taken", "spec": made["spec"]}, id=made["id"])
    assert reply.error["message"] == "NodePool with name 'taken' already exists in cluster"
    assert client.call("GetNodePool", id=made["id"]).body == kept


def test_generation_grows_with_the_spec(client):
    """A changed spec is a generation and a version more."""
    made = client.pool()
    versions = {made["resource_version"]}
    for generation in (2, 3, 4):
        changed = client.call("UpdateNodePool", api.pool(nodeCount=generation + 10), id=made["id"]).body
        assert changed["generation"] == generation
        versions.add(changed["resource_version"])
    assert len(versions) == 4
    assert changed["created_at"] == made["created_at"] < changed["updated_at"]


@pytest.mark.parametrize("kind", ["Cluster", "NodePool"])
def test_identical_replacement_changes_nothing(client, kind):
    """What is as wanted already stays as it is, to the last time and event."""
    made = client.cluster() if kind == "Cluster" else client.pool()
    before = client.events()
    same = client.call(f"Update{kind}", {"name": made["name"], "spec": made["spec"]}, id=made["id"])
    assert (same.status, same.body) == (200, made)
    assert client.call(f"Get{kind}", id=made["id"]).body == made
    assert client.events() == before


def test_order_and_spelling_of_a_body_change_nothing(client):
    """The same wish in other words is the same."""
    made = client.pool(cloud={"diskSize": 100}, labels={"b": "1", "a": "2"})
    spec = {
        "labels": {"a": "2", "b": "1"},
        "node_count": 3,
        "platform": {"gcp": {"disk_size": 100, "machine_type": "n1-standard-4"}, "type": "GCP"},
    }
    assert client.call("UpdateNodePool", {"spec": spec}, id=made["id"]).body == made


def test_version_in_the_body(client):
    """A replacement of what somebody else has changed meanwhile is a conflict, and changes nothing."""
    made = client.pool()
    body = api.pool(nodeCount=4) | {"resource_version": made["resource_version"]}
    changed = client.call("UpdateNodePool", body, id=made["id"])
    assert (changed.status, changed.body["generation"]) == (200, 2)
    reply = client.call("UpdateNodePool", body | {"name": "x"}, id=made["id"])
    assert (reply.status, reply.error["code"]) == (409, "CONFLICT")
    assert reply.grpc in {"", "ABORTED"}
    assert client.call("GetNodePool", id=made["id"]).body == changed.body


@pytest.mark.parametrize("kind", ["Cluster", "NodePool"])
def test_if_match(client, kind):
    """A precondition holds for the current version, any version, or one of several; else nothing is changed."""
    made = client.cluster() if kind == "Cluster" else client.pool()
    current = f'"{made["resource_version"]}"'
    body = {"name": "renamed", "spec": made["spec"]}
    for wrong in ('"no"', f"W/{current}", made["resource_version"]):
        reply = client.call(f"Update{kind}", body, id=made["id"], if_match=wrong)
        assert (reply.status, reply.error["code"]) == (412, "PRECONDITION_FAILED"), wrong
        assert client.call(f"Delete{kind}", id=made["id"], if_match=wrong).status == 412
    assert client.call(f"Get{kind}", id=made["id"]).body == made
    for empty in ("", " "):
        reply = client.call(f"Update{kind}", body, id=made["id"], if_match=empty)
        assert (reply.status, reply.rules) == (400, [("If-Match", "header.if_match")])
    assert client.call(f"Update{kind}", body, id=made["id"], if_match=f'"no", {current}').body["name"] == "renamed"
    assert client.call(f"Update{kind}", body | {"name": "again"}, id=made["id"], if_match="*").body["name"] == "again"
    assert client.call(f"Delete{kind}", id=made["id"], if_match="*").status in {202, 204}


def test_platform_and_cluster_stay(client):
    """A node pool changes neither its cloud nor its cluster."""
    made = client.pool()
    reply = client.call("UpdateNodePool", api.pool("civo"), id=made["id"])
    assert (reply.status, reply.rules) == (400, [("spec.platform.type", "update.platform_stays")])
    other = client.cluster()["id"]
    reply = client.call("UpdateNodePool", api.pool() | {"cluster_id": other}, id=made["id"])
    assert (reply.status, reply.rules) == (400, [("cluster_id", "update.cluster_stays")])
    assert client.call("GetNodePool", id=made["id"]).body == made


@pytest.mark.parametrize("platform", ["gcp", "aws", "azure", "civo", "digitalocean"])
def test_platform_is_kept_in_lower_case(client, platform):
    """A cloud's name may be written in any case."""
    body = api.pool(platform)
    body["spec"]["platform"]["type"] = platform.upper()
    cluster = client.create("CreateCluster", {"name": "c", "spec": {"platform": {"type": platform.title()}}})
    pool = client.create("CreateNodePool", body, cluster_id=cluster["id"])
    assert pool["spec"]["platform"]["type"] == cluster["spec"]["platform"]["type"] == platform


def test_pool_on_azure_has_a_name_of_twelve_characters(client):
    """AKS gets a name that it allows, which stays when ours changes."""
    made = client.pool("azure")
    name = made["status"]["providerName"]
    assert len(name) == 12
    assert name.isalnum()
    assert name == name.lower()
    assert name[0].isalpha()
    renamed = client.call("UpdateNodePool", {"name": "other", "spec": made["spec"]}, id=made["id"]).body
    assert renamed["status"]["providerName"] == name
    assert client.pool("azure")["status"]["providerName"] != name
    assert "providerName" not in client.pool("gcp")["status"]


@pytest.mark.parametrize(
    ("platform", "before", "after", "fields"),
    [
        ("gcp", {}, {"machineType": "n1-standard-8", "spot": True}, ["spot"]),
        ("gcp", {}, {"preemptible": True}, ["preemptible"]),
        ("gcp", {}, {"accelerators": [{"type": "nvidia-tesla-v100", "count": 1}]}, ["accelerators"]),
        ("aws", {"userData": "a"}, {"userData": "b", "spotInstances": True}, ["spotInstances"]),
        ("azure", {"availabilityZones": ["1"]}, {"availabilityZones": ["1", "2"]}, ["availabilityZones"]),
        ("civo", {}, {"size": "g4s.kube.large"}, ["size"]),
        ("digitalocean", {}, {"size": "s-4vcpu-8gb"}, ["size"]),
    ],
)
def test_replacement_is_announced(client, platform, before, after, fields):
    """A change that the cloud does not make in an existing pool is marked in the event and in the status."""
    made = client.pool(platform, cloud=before)
    changed = client.call("UpdateNodePool", api.pool(platform, cloud={**before, **after}), id=made["id"]).body
    paths = [f"spec.platform.{platform}.{field}" for field in fields]
    assert client.events()[-1]["replacement"] == {"required": True, "fields": paths}
    (condition,) = [each for each in changed["status"]["conditions"] if each["type"] == "ReplacementRequired"]
    assert condition["status"] == "True"
    assert all(path in condition["message"] for path in paths)


@pytest.mark.parametrize(
    ("platform", "before", "after"),
    [
        ("gcp", {"diskType": "pd-ssd"}, {"diskType": "pd-balanced", "machineType": "n1-standard-8", "diskSize": 200}),
        ("gcp", {"zones": ["us-central1-a"]}, {"zones": ["us-central1-b"]}),
        ("aws", {"volumeSize": 10, "userData": "a"}, {"volumeSize": 20, "userData": "b", "instanceType": "m5.large"}),
    ],
)
def test_what_a_cloud_changes_in_an_existing_pool_is_no_replacement(client, platform, before, after):
    """GKE and EKS change machines and disks of a pool, one node after another."""
    made = client.pool(platform, cloud=before)
    changed = client.call("UpdateNodePool", api.pool(platform, cloud={**before, **after}), id=made["id"]).body
    assert changed["generation"] == 2
    assert "replacement" not in client.events()[-1]
    assert "ReplacementRequired" not in [one["type"] for one in changed["status"]["conditions"]]


def test_zones_have_no_order(client):
    """What is the same in another order replaces nothing."""
    zones = ["us-central1-a", "us-central1-b"]
    made = client.pool(cloud={"zones": zones})
    changed = client.call("UpdateNodePool", api.pool(cloud={"zones": zones[::-1]}), id=made["id"]).body
    assert changed["spec"]["platform"]["gcp"]["zones"] == zones[::-1]
    assert "replacement" not in client.events()[-1]


@pytest.mark.parametrize(
    ("platform", "field", "first", "second", "kept"),
    [
        ("azure", "vmSize", "Standard_E4-2s_v5", "standard_e4-2s_V5", "standard_e4-2s_V5"),
        ("gcp", "machineType", "n1-standard-4", "N1-Standard-4", "n1-standard-4"),
        ("aws", "instanceType", "m5.large", "M5.Large", "m5.large"),
        ("civo", "size", "g4s.kube.small", "G4S.kube.small", "g4s.kube.small"),
        ("digitalocean", "size", "s-2vcpu-4gb", "S-2VCPU-4GB", "s-2vcpu-4gb"),
    ],
)
def test_sizes_have_no_case(client, platform, field, first, second, kept):
    """The same size in another case replaces nothing; where the cloud names sizes in lower case it is no change at all."""
    made = client.pool(platform, cloud={field: first})
    changed = client.call("UpdateNodePool", api.pool(platform, cloud={field: second}), id=made["id"]).body
    assert changed["spec"]["platform"][platform][field] == kept
    assert changed["generation"] == (1 if kept == first else 2)
    assert "replacement" not in client.events()[-1]
    assert "ReplacementRequired" not in [one["type"] for one in changed["status"]["conditions"]]


def test_change_in_place_announces_no_replacement(client):
    """A new size, labels or taints replace nothing, also while an earlier replacement is under way."""
    made = client.pool()
    client.call("UpdateNodePool", api.pool(nodeCount=9, labels={"a": "b"}), id=made["id"])
    assert "replacement" not in client.events()[-1]
    client.call("UpdateNodePool", api.pool(cloud={"spot": True}), id=made["id"])
    assert "replacement" in client.events()[-1]
    last = client.call("UpdateNodePool", api.pool(nodeCount=4, cloud={"spot": True}), id=made["id"]).body
    assert "replacement" not in client.events()[-1]
    assert "ReplacementRequired" in [condition["type"] for condition in last["status"]["conditions"]]


SCALED = {"enabled": True, "minNodes": 1, "maxNodes": 3}


@pytest.mark.parametrize(
    ("platform", "cloud", "spec", "explained"),
    [
        ("aws", {}, {"nodeCount": 2}, []),
        ("aws", {"volumeSize": 10, "volumeType": "gp3"}, {}, ["volumeSize: 10 GiB is less than the 20 GiB"]),
        ("aws", {"volumeSize": 20, "volumeType": "io2"}, {}, ["volumeType: io2 needs a number of IOPS"]),
        ("aws", {}, {"autoscaling": SCALED}, ["nothing scales it without Cluster Autoscaler or Karpenter"]),
        ("azure", {}, {"autoscaling": SCALED}, []),
        ("azure", {"osDiskType": "PremiumV2_LRS"}, {}, ["osDiskType: AKS has no PremiumV2_LRS for nodes"]),
        (
            "azure",
            {},
            {"autoscaling": SCALED | {"targetCPUUtilization": 70, "scaleDownDelay": "10m"}},
            ["autoscaling.targetCPUUtilization: no autoscaler", "autoscaling.scaleDownDelay: no autoscaler"],
        ),
    ],
)
def test_values_that_a_cloud_cannot_have_are_explained_at_creation(client, platform, cloud, spec, explained):
    """The answer to the creation has a condition with each of them."""
    cluster = client.cluster()
    body = api.pool(platform, cloud=cloud, **spec)
    pool = client.call("CreateNodePool", body, cluster_id=cluster["id"]).body
    conditions = {each["type"]: each for each in pool["status"]["conditions"]}
    assert ("Honoured" in conditions) is bool(explained)
    for text in explained:
        assert text in conditions["Honoured"]["message"]
        assert (conditions["Honoured"]["status"], conditions["Honoured"]["reason"]) == ("False", "ImpossibleValues")
