"""The properties of GKE's node pools, with their validation: what this project uses, and what the cloud sets."""

from __future__ import annotations

from planton_sandbox.providers import planning, schema, validators

_Row = schema.Property
_BOOL, _INT, _OBJECT, _LIST, _SET, _MAP = schema.BOOL, schema.INT, schema.OBJECT, schema.LIST, schema.SET, schema.MAP
_AT_LEAST_0 = validators.at_least(0)
OWN_LABELS = "goog-"
"""The prefix of the resource labels that the cloud adds."""


def _only_own_labels(prior: planning.State, inputs: planning.State) -> bool:
    """Returns whether two maps of resource labels differ only in the labels that the cloud adds."""
    old, new = (_without_own(block.get("resourceLabels")) for block in (prior, inputs))
    return bool(prior) and old == new


def _without_own(labels: planning.State | None) -> planning.State:
    return {key: value for key, value in (labels or {}).items() if not key.startswith(OWN_LABELS) and key != "__defaults"}


def _same_case(prior: planning.State, inputs: planning.State) -> bool:
    old, new = prior.get("imageType"), inputs.get("imageType")
    return isinstance(old, str) and isinstance(new, str) and old.casefold() == new.casefold()


_TAINT_EFFECTS = validators.one_of("NO_SCHEDULE", "PREFER_NO_SCHEDULE", "NO_EXECUTE")
_TAINT = (
    _Row(name="key", required=True, doc="The key."),
    _Row(name="value", required=True, doc="The value; may be empty."),
    _Row(name="effect", required=True, check=_TAINT_EFFECTS, doc="NO_SCHEDULE, PREFER_NO_SCHEDULE or NO_EXECUTE."),
)
_ACCELERATOR = (
    _Row(name="type", required=True, replaces=True, doc="The type."),
    _Row(name="count", type=_INT, required=True, replaces=True, doc="How many a node has."),
    _Row(name="gpuPartitionSize", replaces=True, doc="The size of its partitions."),
    _Row(
        name="gpuDriverInstallationConfig",
        type=_OBJECT,
        computed=True,
        fields=(_Row(name="gpuDriverVersion", required=True, doc="The mode of installation."),),
        doc="How drivers are installed.",
    ),
)
_SHIELDED = (
    _Row(name="enableSecureBoot", type=_BOOL, default=False, quiet=True, replaces=True, doc="Whether boots are secure."),
    _Row(name="enableIntegrityMonitoring", type=_BOOL, default=True, replaces=True, doc="Whether boots are watched."),
)
_BOOT_DISK = (
    _Row(name="diskType", computed=True, doc="The type of the boot disk."),
    _Row(name="sizeGb", type=_INT, computed=True, doc="Its size."),
    _Row(name="provisionedIops", type=_INT, computed=True, doc="Its operations per second."),
    _Row(name="provisionedThroughput", type=_INT, computed=True, doc="Its throughput."),
)
NODE_CONFIG = (
    _Row(name="machineType", computed=True, doc="The machine type."),
    _Row(name="diskSizeGb", type=_INT, computed=True, check=validators.at_least(10), doc="The size of the boot disk."),
    _Row(name="diskType", computed=True, doc="The type of the boot disk."),
    _Row(name="bootDisk", type=_OBJECT, computed=True, fields=_BOOT_DISK, doc="The boot disk."),
    _Row(name="bootDiskKmsKey", replaces=True, doc="The key that encrypts it."),
    _Row(name="imageType", computed=True, suppress=_same_case, doc="The image."),
    _Row(name="oauthScopes", type=_SET, computed=True, replaces=True, doc="What nodes may do."),
    _Row(name="serviceAccount", computed=True, replaces=True, doc="The service account of nodes."),
    _Row(name="metadata", type=_MAP, computed=True, replaces=True, doc="The metadata of machines."),
    _Row(name="labels", type=_MAP, doc="The labels of nodes."),
    _Row(name="resourceLabels", type=_MAP, suppress=_only_own_labels, doc="The labels of machines."),
    _Row(name="tags", type=_LIST, doc="The network tags of machines."),
    _Row(name="taints", wire="taint", type=_LIST, fields=_TAINT, doc="The taints of nodes."),
    schema.out("effectiveTaints", _LIST, tuple(schema.out(row.name) for row in _TAINT)),
    _Row(name="spot", type=_BOOL, default=False, quiet=True, replaces=True, doc="Whether machines are Spot VMs."),
    _Row(name="preemptible", type=_BOOL, default=False, quiet=True, replaces=True, doc="Whether machines are preemptible."),
    _Row(
        name="guestAccelerators",
        wire="guest_accelerator",
        type=_LIST,
        computed=True,
        replaces=True,
        fields=_ACCELERATOR,
        doc="The accelerators of a node.",
    ),
    _Row(name="localSsdCount", type=_INT, computed=True, replaces=True, check=_AT_LEAST_0, doc="The local disks."),
    _Row(name="minCpuPlatform", computed=True, replaces=True, doc="The oldest processor."),
    _Row(name="loggingVariant", computed=True, doc="The variant of the logging agent."),
    _Row(
        name="shieldedInstanceConfig",
        type=_OBJECT,
        computed=True,
        replaces=True,
        fields=_SHIELDED,
        doc="How boots are protected.",
    ),
    _Row(
        name="workloadMetadataConfig",
        type=_OBJECT,
        computed=True,
        fields=(_Row(name="mode", required=True, doc="GCE_METADATA or GKE_METADATA."),),
        doc="What pods see of the metadata.",
    ),
)
_AUTOSCALING = (
    *(
        _Row(name=name, type=_INT, check=_AT_LEAST_0, doc="A number of nodes.")
        for name in ("minNodeCount", "maxNodeCount", "totalMinNodeCount", "totalMaxNodeCount")
    ),
    _Row(name="locationPolicy", computed=True, check=validators.one_of("BALANCED", "ANY"), doc="How zones are chosen."),
)
_MANAGEMENT = (
    _Row(name="autoRepair", type=_BOOL, default=True, doc="Whether broken nodes are replaced."),
    _Row(name="autoUpgrade", type=_BOOL, default=True, doc="Whether nodes are upgraded automatically."),
)
_ROLLOUT = (
    _Row(name="batchPercentage", type=schema.FLOAT, computed=True, doc="The part of the nodes in a batch."),
    _Row(name="batchNodeCount", type=_INT, computed=True, doc="The nodes in a batch."),
    _Row(name="batchSoakDuration", computed=True, doc="The pause after a batch."),
)
_BLUE_GREEN = (
    _Row(name="standardRolloutPolicy", type=_OBJECT, computed=True, fields=_ROLLOUT, doc="The batches."),
    _Row(name="nodePoolSoakDuration", computed=True, doc="The pause before the old nodes go."),
)
_UPGRADE = (
    _Row(name="maxSurge", type=_INT, computed=True, check=_AT_LEAST_0, doc="The additional nodes."),
    _Row(name="maxUnavailable", type=_INT, computed=True, check=_AT_LEAST_0, doc="The missing nodes."),
    _Row(name="strategy", default="SURGE", check=validators.one_of("SURGE", "BLUE_GREEN"), doc="SURGE or BLUE_GREEN."),
    _Row(name="blueGreenSettings", type=_OBJECT, computed=True, fields=_BLUE_GREEN, doc="The settings of BLUE_GREEN."),
)
_NETWORK = (
    _Row(name="createPodRange", type=_BOOL, replaces=True, doc="Whether a range for pods is created."),
    _Row(name="enablePrivateNodes", type=_BOOL, computed=True, doc="Whether nodes have internal addresses only."),
    _Row(name="podRange", computed=True, replaces=True, doc="The name of the range for pods."),
    _Row(name="podIpv4CidrBlock", computed=True, replaces=True, doc="The range for pods."),
    schema.out("subnetwork"),
)
_DRAIN = (
    _Row(name="graceTerminationDuration", doc="How long pods may take to end."),
    _Row(name="pdbTimeoutDuration", doc="How long disruption budgets are respected."),
    _Row(name="respectPdbDuringNodePoolDeletion", type=_BOOL, doc="Whether they are at the pool's deletion."),
)
_PLACEMENT = (
    _Row(name="type", required=True, replaces=True, doc="The type."),
    _Row(name="policyName", replaces=True, doc="The name of the policy."),
    _Row(name="tpuTopology", replaces=True, doc="The topology."),
)

NODE_POOL = schema.Table(
    token="gcp:container/nodePool:NodePool",  # noqa: S106  # a type token
    doc="A node pool of a GKE cluster.",
    properties=(
        _Row(name="cluster", required=True, replaces=True, doc="The cluster's name, or its path."),
        _Row(name="project", computed=True, replaces=True, doc="The project."),
        _Row(name="location", computed=True, replaces=True, doc="The cluster's region or zone."),
        _Row(name="name", autoname=True, computed=True, replaces=True, doc="The pool's name."),
        _Row(name="namePrefix", computed=True, replaces=True, doc="The beginning of its name."),
        _Row(name="initialNodeCount", type=_INT, computed=True, replaces=True, doc="The nodes per zone at first."),
        _Row(name="nodeCount", type=_INT, computed=True, check=_AT_LEAST_0, doc="The nodes per zone."),
        _Row(name="ignoreNodeCountChanges", type=_BOOL, doc="Whether the number of nodes is not read."),
        _Row(name="autoscaling", type=_OBJECT, fields=_AUTOSCALING, doc="The bounds of the autoscaler."),
        _Row(name="management", type=_OBJECT, computed=True, fields=_MANAGEMENT, doc="Repairs and upgrades."),
        _Row(name="maxPodsPerNode", type=_INT, computed=True, replaces=True, doc="The pods of a node."),
        _Row(name="networkConfig", type=_OBJECT, computed=True, fields=_NETWORK, doc="The addresses."),
        _Row(name="nodeConfig", type=_OBJECT, computed=True, fields=NODE_CONFIG, doc="The machines."),
        _Row(
            name="nodeDrainConfigs",
            wire="node_drain_config",
            type=_LIST,
            computed=True,
            fields=_DRAIN,
            doc="How nodes are drained.",
        ),
        _Row(name="nodeLocations", type=_SET, computed=True, doc="The zones."),
        _Row(name="placementPolicy", type=_OBJECT, fields=_PLACEMENT, doc="How machines are placed."),
        _Row(name="upgradeSettings", type=_OBJECT, computed=True, fields=_UPGRADE, doc="How nodes are upgraded."),
        _Row(name="version", computed=True, doc="The Kubernetes version of nodes."),
        _Row(name="deletionPolicy", computed=True, default="DELETE", quiet=True, doc="DELETE, PREVENT or ABANDON."),
        *(schema.out(name, _LIST) for name in ("instanceGroupUrls", "managedInstanceGroupUrls")),
        schema.out("operation"),
    ),
)
