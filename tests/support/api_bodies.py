"""Request bodies that violate exactly one rule, and bodies at the valid side of each limit."""

import copy

from support import api

LONG = "a" * 63
LABEL = f"{'p' * 253}/{LONG}"
CLUSTER_ID = "550e8400-e29b-41d4-a716-446655440000"
ZONES = [f"us-central1-{letter}" for letter in "abcdefghijklmnopq"]


def cluster_body(platform, **spec):
    kind, _, _ = platform.partition(" ")
    return {"name": "c", "spec": {"platform": {"type": kind, **({kind: spec.pop("cloud")} if "cloud" in spec else {})}, **spec}}


def gcp(**cloud):
    return api.pool("gcp", cloud=cloud)


def aws(**cloud):
    return api.pool("aws", cloud=cloud)


def azure(**cloud):
    return api.pool("azure", cloud=cloud)


def taint(**changes):
    return {"key": "k", "value": "v", "effect": "NoSchedule"} | changes


def taints(number):
    return [taint(key=f"k{index}") for index in range(number)]


def labels(number):
    return {f"k{index:05}": "" for index in range(number)}


def without(body, *path):
    changed = copy.deepcopy(body)
    place = changed
    for name in path[:-1]:
        place = place[name]
    del place[path[-1]]
    return changed


def platform(**changes):
    body = api.pool()
    body["spec"]["platform"] |= changes
    return body


#: Body → the field and the rule that it violates.
POOLS = [
    (without(api.pool(), "name"), ("name", "required")),
    (api.pool(name="Upper"), ("name", "string.pattern")),
    (api.pool(name="1a"), ("name", "string.pattern")),
    (api.pool(name="a-"), ("name", "string.pattern")),
    (api.pool(name="a.b"), ("name", "string.pattern")),
    (api.pool("aws", name="a" * 64), ("name", "string.max_len")),
    (api.pool(name="a" * 41), ("name", "new_node_pool.gcp_name_is_short")),
    (without(api.pool(), "spec"), ("spec", "required")),
    (platform(type="oracle", gcp=None), ("spec.platform.type", "string.in")),
    (platform(aws={"instanceType": "m5.large"}), ("spec.platform.aws", "node_pool_platform.only_the_object_of_type")),
    (platform(gcp=None), ("spec.platform.gcp", "node_pool_platform.has_the_object_of_type")),
    (api.pool(nodeCount=-1), ("spec.nodeCount", "int32.gte")),
    (api.pool(labels={"-a": "b"}), ('spec.labels["-a"]', "string.label_key")),
    (api.pool(labels={f"{LABEL}a": "b"}), (f'spec.labels["{LABEL}a"]', "string.label_key")),
    (api.pool(labels={"a": "b c"}), ('spec.labels["a"]', "string.label_value")),
    (api.pool(labels={"a": "b" * 64}), ('spec.labels["a"]', "string.label_value")),
    (gcp(labels={"-a": "b"}), ('spec.platform.gcp.labels["-a"]', "string.label_key")),
    (gcp(labels={"a": "-"}), ('spec.platform.gcp.labels["a"]', "string.label_value")),
    (api.pool(taints=[taint(key="")]), ("spec.taints[0].key", "required")),
    (api.pool(taints=[taint(key="a b")]), ("spec.taints[0].key", "string.label_key")),
    (api.pool(taints=[taint(value="a b")]), ("spec.taints[0].value", "string.label_value")),
    (api.pool(taints=[taint(effect="Never")]), ("spec.taints[0].effect", "string.taint_effect")),
    (api.pool(taints=[taint(effect="")]), ("spec.taints[0].effect", "required")),
    (api.pool(taints=[taint(), taint(value="w")]), ("spec.taints", "node_pool_spec.taints_differ")),
    (gcp(taints=[taint(), taint(value="w")]), ("spec.platform.gcp.taints", "gcp_node_pool.taints_differ")),
    (api.pool(labels={"a": "b"}, cloud={"labels": {"c": "d"}}), ("spec.labels", "node_pool_spec.labels_in_one_place")),
    (api.pool(taints=[taint()], cloud={"taints": [taint()]}), ("spec.taints", "node_pool_spec.taints_in_one_place")),
    (
        api.pool(nodeCount=0, autoscaling={"enabled": True, "minNodes": 1, "maxNodes": 2}),
        ("spec.nodeCount", "node_pool_spec.node_count_within_bounds"),
    ),
    (
        api.pool(nodeCount=3, autoscaling={"enabled": True, "minNodes": 1, "maxNodes": 2}),
        ("spec.nodeCount", "node_pool_spec.node_count_within_bounds"),
    ),
    (
        without(api.pool(autoscaling={"enabled": True, "minNodes": 3, "maxNodes": 2}), "spec", "nodeCount"),
        ("spec.autoscaling.maxNodes", "autoscaling.min_nodes_at_most_max_nodes"),
    ),
    (
        without(api.pool(autoscaling={"enabled": True}), "spec", "nodeCount"),
        ("spec.autoscaling.maxNodes", "autoscaling.max_nodes_where_enabled"),
    ),
    (api.pool(autoscaling={"minNodes": -1}), ("spec.autoscaling.minNodes", "int32.gte")),
    (api.pool(autoscaling={"maxNodes": -1}), ("spec.autoscaling.maxNodes", "int32.gte")),
    (api.pool(autoscaling={"targetCPUUtilization": 101}), ("spec.autoscaling.targetCPUUtilization", "int32.gte_lte")),
    (api.pool(autoscaling={"targetCPUUtilization": 0}), ("spec.autoscaling.targetCPUUtilization", "int32.gte_lte")),
    (api.pool(autoscaling={"targetMemoryUtilization": 0}), ("spec.autoscaling.targetMemoryUtilization", "int32.gte_lte")),
    (api.pool(autoscaling={"targetMemoryUtilization": -1}), ("spec.autoscaling.targetMemoryUtilization", "int32.gte_lte")),
    (api.pool(autoscaling={"scaleDownDelay": "10"}), ("spec.autoscaling.scaleDownDelay", "string.pattern")),
    (api.pool(autoscaling={"scaleUpDelay": "1d"}), ("spec.autoscaling.scaleUpDelay", "string.pattern")),
    (api.pool(lifecycle={"driftPolicy": "repair"}), ("spec.lifecycle.driftPolicy", "string.in")),
    (api.pool(lifecycle={"rollout": {"maxSurge": 101}}), ("spec.lifecycle.rollout.maxSurge", "int32.gte_lte")),
    (api.pool(lifecycle={"rollout": {"drainTimeout": "soon"}}), ("spec.lifecycle.rollout.drainTimeout", "string.pattern")),
    (api.pool(lifecycle={"rollout": {"maxUnavailable": -1}}), ("spec.lifecycle.rollout.maxUnavailable", "int32.gte_lte")),
    (api.pool(lifecycle={"rollout": {"maxSurge": 0}}), ("spec.lifecycle.rollout.maxUnavailable", "rollout.surge_or_unavailable")),
    (api.pool(lifecycle={"rollout": {"onDrainTimeout": "force"}}), ("spec.lifecycle.rollout.onDrainTimeout", "string.in")),
    (api.pool(lifecycle={"rollout": {"soak": "1d"}}), ("spec.lifecycle.rollout.soak", "string.pattern")),
    (api.pool(lifecycle={"unhealthyAfter": "-1m"}), ("spec.lifecycle.unhealthyAfter", "string.pattern")),
    (api.pool(labels=labels(65)), ("spec.labels", "map.max_pairs")),
    (api.pool(taints=taints(65)), ("spec.taints", "repeated.max_items")),
    (gcp(labels=labels(65)), ("spec.platform.gcp.labels", "map.max_pairs")),
    (gcp(taints=taints(65)), ("spec.platform.gcp.taints", "repeated.max_items")),
    (gcp(zones=ZONES[:17]), ("spec.platform.gcp.zones", "repeated.max_items")),
    (gcp(accelerators=[{"type": "t", "count": 1}] * 17), ("spec.platform.gcp.accelerators", "repeated.max_items")),
    (
        aws(availabilityZones=[f"us-west-2{zone[-1]}" for zone in ZONES]),
        ("spec.platform.aws.availabilityZones", "repeated.max_items"),
    ),
    (api.pool("digitalocean", cloud={"tags": [*labels(65)]}), ("spec.platform.digitalocean.tags", "repeated.max_items")),
    (gcp(machineType=""), ("spec.platform.gcp.machineType", "required")),
    (gcp(machineType="n1"), ("spec.platform.gcp.machineType", "string.pattern")),
    (gcp(machineType=f"n1-{LONG}"), ("spec.platform.gcp.machineType", "string.max_len")),
    (gcp(diskSize=9), ("spec.platform.gcp.diskSize", "int32.gte_lte")),
    (gcp(diskSize=0), ("spec.platform.gcp.diskSize", "int32.gte_lte")),
    (gcp(diskType="ssd"), ("spec.platform.gcp.diskType", "string.in")),
    (gcp(zones=["us-central1"]), ("spec.platform.gcp.zones[0]", "string.pattern")),
    (gcp(zones=["uscentral1a"]), ("spec.platform.gcp.zones[0]", "string.pattern")),
    (gcp(zones=["us-central1-a"] * 2), ("spec.platform.gcp.zones", "repeated.unique")),
    (gcp(zones=["us-central1-a", "us-east1-a"]), ("spec.platform.gcp.zones", "gcp_node_pool.zones_of_one_region")),
    (gcp(preemptible=True, spot=True), ("spec.platform.gcp.spot", "gcp_node_pool.preemptible_or_spot")),
    (gcp(accelerators=[{"count": 1}]), ("spec.platform.gcp.accelerators[0].type", "required")),
    (gcp(accelerators=[{"type": "t"}]), ("spec.platform.gcp.accelerators[0].count", "required")),
    (gcp(accelerators=[{"type": "t", "count": -1}]), ("spec.platform.gcp.accelerators[0].count", "int32.gte")),
    (api.pool(nodeCount=1001), ("spec.nodeCount", "node_pool_spec.gcp_nodes")),
    (
        api.pool(nodeCount=2001, cloud={"zones": ["us-central1-a", "us-central1-b"]}),
        ("spec.nodeCount", "node_pool_spec.gcp_nodes"),
    ),
    (api.pool(autoscaling={"enabled": True, "maxNodes": 1001}), ("spec.autoscaling.maxNodes", "node_pool_spec.gcp_nodes")),
    (aws(instanceType=""), ("spec.platform.aws.instanceType", "required")),
    (aws(instanceType="m5"), ("spec.platform.aws.instanceType", "string.pattern")),
    (aws(instanceType=f"m5.{LONG}"), ("spec.platform.aws.instanceType", "string.max_len")),
    (aws(volumeType="st1"), ("spec.platform.aws.volumeType", "string.in")),
    (aws(volumeType="gp3", volumeSize=0), ("spec.platform.aws.volumeSize", "aws_node_pool.volume_size_fits_type")),
    (aws(volumeType="gp2", volumeSize=16385), ("spec.platform.aws.volumeSize", "aws_node_pool.volume_size_fits_type")),
    (aws(volumeType="gp3", volumeSize=65537), ("spec.platform.aws.volumeSize", "aws_node_pool.volume_size_fits_type")),
    (aws(volumeType="io1", volumeSize=3), ("spec.platform.aws.volumeSize", "aws_node_pool.volume_size_fits_type")),
    (aws(volumeType="io1", volumeSize=16385), ("spec.platform.aws.volumeSize", "aws_node_pool.volume_size_fits_type")),
    (aws(volumeType="io2", volumeSize=3), ("spec.platform.aws.volumeSize", "aws_node_pool.volume_size_fits_type")),
    (aws(volumeType="io2", volumeSize=65537), ("spec.platform.aws.volumeSize", "aws_node_pool.volume_size_fits_type")),
    (aws(availabilityZones=["us-west-2"]), ("spec.platform.aws.availabilityZones[0]", "string.pattern")),
    (aws(availabilityZones=[""]), ("spec.platform.aws.availabilityZones[0]", "string.pattern")),
    (aws(availabilityZones=["us-west-2a"] * 2), ("spec.platform.aws.availabilityZones", "repeated.unique")),
    (
        aws(availabilityZones=["us-west-2a", "us-west-1a"]),
        ("spec.platform.aws.availabilityZones", "aws_node_pool.zones_of_one_region"),
    ),
    (aws(userData="é" * 8193), ("spec.platform.aws.userData", "string.max_bytes")),
    (api.pool("aws", nodeCount=451), ("spec.nodeCount", "node_pool_spec.aws_nodes")),
    (api.pool("aws", autoscaling={"enabled": True, "maxNodes": 451}), ("spec.autoscaling.maxNodes", "node_pool_spec.aws_nodes")),
    (
        aws(availabilityZones=["us-west-2-lax-1a", "us-east-1-bos-1a"]),
        ("spec.platform.aws.availabilityZones", "aws_node_pool.zones_of_one_region"),
    ),
    (
        aws(availabilityZones=["us-west-2a", "us-east-1-wl1-bos-wlz-1"]),
        ("spec.platform.aws.availabilityZones", "aws_node_pool.zones_of_one_region"),
    ),
    (aws(availabilityZones=["us-west-2-lax"]), ("spec.platform.aws.availabilityZones[0]", "string.pattern")),
    (gcp(zones=["us-central1-ai1"]), ("spec.platform.gcp.zones[0]", "string.pattern")),
    (
        gcp(zones=["us-central1-ai1a", "us-south1-ai1b"]),
        ("spec.platform.gcp.zones", "gcp_node_pool.zones_of_one_region"),
    ),
    (azure(vmSize="Standard_E4-_v5"), ("spec.platform.azure.vmSize", "string.pattern")),
    (azure(vmSize=""), ("spec.platform.azure.vmSize", "required")),
    (azure(vmSize="Standard-D4"), ("spec.platform.azure.vmSize", "string.pattern")),
    (azure(vmSize=f"Standard_{LONG}"), ("spec.platform.azure.vmSize", "string.max_len")),
    (azure(osDiskSizeGB=29), ("spec.platform.azure.osDiskSizeGB", "int32.gte_lte")),
    (azure(osDiskType="Premium"), ("spec.platform.azure.osDiskType", "string.in")),
    (azure(availabilityZones=["4"]), ("spec.platform.azure.availabilityZones[0]", "string.in")),
    (azure(availabilityZones=["1", "1"]), ("spec.platform.azure.availabilityZones", "repeated.unique")),
    (api.pool("azure", nodeCount=1001), ("spec.nodeCount", "node_pool_spec.azure_nodes")),
    (
        api.pool("azure", autoscaling={"enabled": True, "maxNodes": 1001}),
        ("spec.autoscaling.maxNodes", "node_pool_spec.azure_nodes"),
    ),
    (api.pool("civo", cloud={"size": ""}), ("spec.platform.civo.size", "required")),
    (api.pool("digitalocean", cloud={"size": ""}), ("spec.platform.digitalocean.size", "required")),
    (api.pool("digitalocean", cloud={"tags": ["a b"]}), ("spec.platform.digitalocean.tags[0]", "string.pattern")),
    (api.pool("digitalocean", cloud={"tags": ["a", "a"]}), ("spec.platform.digitalocean.tags", "repeated.unique")),
]
CLUSTERS = [
    (without(cluster_body("gcp"), "name"), ("name", "required")),
    (cluster_body("gcp") | {"name": "A"}, ("name", "string.pattern")),
    (cluster_body("gcp") | {"name": "a" * 64}, ("name", "string.max_len")),
    (cluster_body("gcp") | {"target_project_id": "a" * 254}, ("target_project_id", "string.max_len")),
    (without(cluster_body("gcp"), "spec"), ("spec", "required")),
    (cluster_body("gcp", infraID="a" * 64), ("spec.infraID", "string.max_len")),
    (cluster_body("gke"), ("spec.platform.type", "string.in")),
    (
        {"name": "c", "spec": {"platform": {"type": "gcp", "aws": {"region": "r"}}}},
        ("spec.platform.aws", "cluster_platform.only_the_object_of_type"),
    ),
    (cluster_body("gcp", cloud={"region": "r"}), ("spec.platform.gcp.projectID", "required")),
    (cluster_body("gcp", cloud={"projectID": "p"}), ("spec.platform.gcp.region", "required")),
    (cluster_body("aws", cloud={}), ("spec.platform.aws.region", "required")),
    (cluster_body("azure", cloud={}), ("spec.platform.azure.location", "required")),
    (cluster_body("civo", cloud={}), ("spec.platform.civo.region", "required")),
    (cluster_body("civo", cloud={"region": "r", "cni": "calico"}), ("spec.platform.civo.cni", "string.in")),
    (
        cluster_body("civo", cloud={"region": "r", "defaultPool": {"nodeCount": 1}}),
        ("spec.platform.civo.defaultPool.size", "required"),
    ),
    (
        cluster_body("civo", cloud={"region": "r", "defaultPool": {"size": "s", "nodeCount": -1}}),
        ("spec.platform.civo.defaultPool.nodeCount", "int32.gt"),
    ),
    (cluster_body("digitalocean", cloud={}), ("spec.platform.digitalocean.region", "required")),
    (cluster_body("digitalocean", cloud={"region": "r", "vpcUUID": "x"}), ("spec.platform.digitalocean.vpcUUID", "string.uuid")),
    (cluster_body("gcp", networking={"serviceNetwork": ["10.0.0.0"]}), ("spec.networking.serviceNetwork[0]", "string.cidr")),
    (cluster_body("gcp", networking={"clusterNetwork": [{}]}), ("spec.networking.clusterNetwork[0].cidr", "required")),
    (
        cluster_body("gcp", networking={"clusterNetwork": [{"cidr": "x"}]}),
        ("spec.networking.clusterNetwork[0].cidr", "string.cidr"),
    ),
    (
        cluster_body("gcp", networking={"clusterNetwork": [{"cidr": "10.0.0.0/8", "hostPrefix": 129}]}),
        ("spec.networking.clusterNetwork[0].hostPrefix", "int32.gte_lte"),
    ),
    (
        cluster_body("gcp", networking={"clusterNetwork": [{"cidr": "10.0.0.0/8"}] * 17}),
        ("spec.networking.clusterNetwork", "repeated.max_items"),
    ),
    (
        cluster_body("gcp", networking={"serviceNetwork": ["10.0.0.0/8"] * 17}),
        ("spec.networking.serviceNetwork", "repeated.max_items"),
    ),
    (cluster_body("gcp", lifecycle={"driftPolicy": "x"}), ("spec.lifecycle.driftPolicy", "string.in")),
]
CLUSTER_UPDATES = [
    (
        {"spec": {"platform": {"type": "gcp", "aws": {"region": "r"}}}},
        ("spec.platform.aws", "cluster_platform.only_the_object_of_type"),
    ),
]
UPDATES = [
    *(
        (body, violation)
        for body, violation in POOLS
        if violation[1].startswith(("node_pool_spec.", "node_pool_platform.", "autoscaling.", "rollout."))
    ),
    *((body, violation) for body, violation in POOLS if violation[1].startswith(("gcp_node_pool.", "aws_node_pool."))),
    (api.pool(name="a" * 41), ("name", "node_pool_update.gcp_name_is_short")),
    (api.pool(name="A"), ("name", "string.pattern")),
    (api.pool("aws", name="a" * 64), ("name", "string.max_len")),
    (without(api.pool(), "spec"), ("spec", "required")),
]
BROKEN = [
    *(("CreateNodePool", body, broken) for body, broken in POOLS),
    *(("CreateCluster", body, broken) for body, broken in CLUSTERS),
    *(("UpdateNodePool", body, broken) for body, broken in UPDATES),
    *(("UpdateCluster", body, broken) for body, broken in CLUSTER_UPDATES),
]
#: Message → a violation that the table above cannot contain: of path and body together, or of a controller's report.
REQUESTS = [
    (
        "CreateNodePoolRequest",
        {"clusterId": "550e8400-e29b-41d4-a716-446655440001", "nodePool": api.pool() | {"cluster_id": CLUSTER_ID}},
        ("", "create_node_pool_request.one_cluster"),
    ),
    ("CreateNodePoolRequest", {"nodePool": api.pool()}, ("", "create_node_pool_request.has_cluster")),
    (
        "StatusReport",
        {"controller_name": "c", "observed_generation": 1, "conditions": [{"type": "A", "status": "True"}] * 2},
        ("conditions", "status_report.conditions_have_different_types"),
    ),
    (
        "CredentialValue",
        {"fields": [{"name": "api_token", "value": "a"}, {"name": "api_token", "value": "b"}]},
        ("fields", "credential_value.fields_have_different_names"),
    ),
    (
        "CredentialValue",
        {"fields": [{"name": "api_endpoint", "value": "https://example.com"}]},
        ("fields", "credential_value.has_no_address"),
    ),
    (
        "Claim",
        {"process": "worker-1", "version": "1.0.0", "platforms": ["civo"], "limit": 1, "wait": "31s"},
        ("wait", "claim.wait_range"),
    ),
    (
        "Claim",
        {
            "process": "worker-1",
            "version": "1.0.0",
            "platforms": ["civo"],
            "limit": 1,
            "results": [{"id": CLUSTER_ID, "epoch": 1, "generation": 1, "next_look": "86401s", "outcome": "SUCCEEDED"}],
        },
        ("results[0].next_look", "work_result.next_look_range"),
    ),
]
#: Bodies at the valid side of each limit.
GOOD = [
    api.pool("aws", name=LONG),
    api.pool("gcp", name="a" * 40),
    api.pool(labels={LABEL: LONG, "a": "", "A.b_c-9": "x"}),
    api.pool(taints=[taint(), taint(effect="NoExecute"), taint(effect="PreferNoSchedule"), taint(key="nvidia.com/gpu", value="")]),
    gcp(labels={"a": "b"}, taints=[taint()]),
    api.pool(nodeCount=0),
    without(api.pool(), "spec", "nodeCount"),
    api.pool(nodeCount=1, autoscaling={"enabled": True, "minNodes": 1, "maxNodes": 1, "targetCPUUtilization": 100, "targetMemoryUtilization": 1, "scaleDownDelay": "1h10m5s"}),
    api.pool(nodeCount=7, autoscaling={"minNodes": 5, "maxNodes": 2}),
    api.pool(lifecycle={"driftPolicy": "Repair", "rollout": {"maxSurge": 0, "maxUnavailable": 1, "drainTimeout": "10m"}}),
    api.pool(lifecycle={"unhealthyAfter": "10m", "rollout": {"maxUnavailable": 1, "onDrainTimeout": "Quarantine", "soak": "30s"}}),
    gcp(diskSize=10, diskType="hyperdisk-balanced", accelerators=[{"type": "t", "count": 1}], spot=True),
    api.pool(nodeCount=1000),
    api.pool(nodeCount=2000, cloud={"zones": ["us-central1-a", "us-central1-b"]}),
    *(aws(volumeType=kind, volumeSize=size) for kind, sizes in {"gp2": (1, 16384), "gp3": (1, 65536), "io1": (4, 16384), "io2": (4, 65536)}.items() for size in sizes),
    aws(availabilityZones=["us-gov-west-1a", "us-gov-west-1b"], userData="é" * 8192),
    api.pool("aws", nodeCount=450),
    aws(availabilityZones=["us-west-2a", "us-west-2-lax-1a", "us-west-2-lax-1b", "us-west-2-wl1-las-wlz-1"]),
    aws(availabilityZones=["us-gov-west-1a", "us-gov-west-1-xyz-1a"]),
    gcp(zones=["us-central1-ai1a", "us-central1-a"]),
    azure(osDiskSizeGB=0, availabilityZones=["1", "2", "3"]),
    *(azure(vmSize=size) for size in ("Standard_D4s_v3", "Standard_E4-2s_v5", "Standard_E16-4as_v4", "Standard_M8-2ms", "standard_e4-2S_v5")),
    gcp(machineType="N1-Standard-4"),
    aws(instanceType="M5.Large"),
    azure(osDiskSizeGB=30, osDiskType="PremiumV2_LRS"),
    api.pool("azure", nodeCount=1000),
    api.pool("civo", cloud={"region": "LON1"}),
    api.pool("digitalocean", cloud={"region": "fra1", "tags": ["a:b", "c_d"]}),
    api.pool(labels=labels(64), taints=taints(64), cloud={"zones": ZONES[:16], "accelerators": [{"type": "t", "count": 1}] * 16}),
    api.pool("digitalocean", cloud={"tags": [*labels(64)]}),
]  # fmt: skip
