"""The resources that a simulated Kubernetes API serves."""

from __future__ import annotations

import dataclasses

ALL = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
CREATE = ("create",)


@dataclasses.dataclass(frozen=True, slots=True)
class Resource:
    """A resource of the API.

    Attributes:
        group: The API group; empty for the core group.
        subresources: Their names, without those that every kind has.
        kept: Whether objects are stored; otherwise they are computed at each request.
    """

    group: str
    plural: str
    kind: str
    version: str = "v1"
    namespaced: bool = True
    short: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL
    subresources: tuple[str, ...] = ()
    in_all: bool = False
    kept: bool = True

    @property
    def api_version(self) -> str:
        """The ``apiVersion`` of its objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def title(self) -> str:
        """The name in error messages, such as ``deployments.apps``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


_STATUS, _SCALE = ("status",), ("status", "scale")
_RBAC, _STORAGE = "rbac.authorization.k8s.io", "storage.k8s.io"
_NETWORK = "networking.k8s.io"

NODES = Resource("", "nodes", "Node", namespaced=False, short=("no",), subresources=_STATUS)
NAMESPACES = Resource("", "namespaces", "Namespace", namespaced=False, short=("ns",), subresources=("status", "finalize"))
PODS = Resource("", "pods", "Pod", short=("po",), subresources=("status", "eviction", "log"), in_all=True)
EVENTS = Resource("", "events", "Event", short=("ev",))
CONFIG_MAPS = Resource("", "configmaps", "ConfigMap", short=("cm",))
SECRETS = Resource("", "secrets", "Secret")
SERVICE_ACCOUNTS = Resource("", "serviceaccounts", "ServiceAccount", short=("sa",))
SERVICES = Resource("", "services", "Service", short=("svc",), subresources=_STATUS, in_all=True)
VOLUMES = Resource("", "persistentvolumes", "PersistentVolume", namespaced=False, short=("pv",), subresources=_STATUS)
CLAIMS = Resource("", "persistentvolumeclaims", "PersistentVolumeClaim", short=("pvc",), subresources=_STATUS)
DEPLOYMENTS = Resource("apps", "deployments", "Deployment", short=("deploy",), subresources=_SCALE, in_all=True)
REPLICA_SETS = Resource("apps", "replicasets", "ReplicaSet", short=("rs",), subresources=_SCALE, in_all=True)
DAEMON_SETS = Resource("apps", "daemonsets", "DaemonSet", short=("ds",), subresources=_STATUS, in_all=True)
STATEFUL_SETS = Resource("apps", "statefulsets", "StatefulSet", short=("sts",), subresources=_SCALE, in_all=True)
JOBS = Resource("batch", "jobs", "Job", subresources=_STATUS, in_all=True)
BUDGETS = Resource("policy", "poddisruptionbudgets", "PodDisruptionBudget", short=("pdb",), subresources=_STATUS)
LEASES = Resource("coordination.k8s.io", "leases", "Lease")
STORAGE_CLASSES = Resource(_STORAGE, "storageclasses", "StorageClass", namespaced=False, short=("sc",))
ATTACHMENTS = Resource(_STORAGE, "volumeattachments", "VolumeAttachment", namespaced=False, subresources=_STATUS)
NODE_METRICS = Resource("metrics.k8s.io", "nodes", "NodeMetrics", "v1beta1", namespaced=False, verbs=("get", "list"), kept=False)
POD_METRICS = Resource("metrics.k8s.io", "pods", "PodMetrics", "v1beta1", verbs=("get", "list"), kept=False)
ACCESS_REVIEWS = Resource(
    "authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False, verbs=CREATE, kept=False
)
SELF_REVIEWS = Resource(
    "authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview", namespaced=False, verbs=CREATE, kept=False
)

#: Resources of one group are neighbours: discovery groups them in this order.
RESOURCES = (
    NODES,
    NAMESPACES,
    PODS,
    SERVICES,
    Resource("", "endpoints", "Endpoints", short=("ep",)),
    EVENTS,
    CONFIG_MAPS,
    SECRETS,
    SERVICE_ACCOUNTS,
    VOLUMES,
    CLAIMS,
    Resource("", "replicationcontrollers", "ReplicationController", short=("rc",), subresources=_STATUS, in_all=True),
    Resource("", "limitranges", "LimitRange", short=("limits",)),
    Resource("", "resourcequotas", "ResourceQuota", short=("quota",), subresources=_STATUS),
    DEPLOYMENTS,
    DAEMON_SETS,
    REPLICA_SETS,
    STATEFUL_SETS,
    JOBS,
    Resource("batch", "cronjobs", "CronJob", short=("cj",), subresources=_STATUS, in_all=True),
    Resource("autoscaling", "horizontalpodautoscalers", "HorizontalPodAutoscaler", "v2", short=("hpa",), in_all=True),
    BUDGETS,
    Resource(_RBAC, "roles", "Role"),
    Resource(_RBAC, "rolebindings", "RoleBinding"),
    Resource(_RBAC, "clusterroles", "ClusterRole", namespaced=False),
    Resource(_RBAC, "clusterrolebindings", "ClusterRoleBinding", namespaced=False),
    Resource(_NETWORK, "ingresses", "Ingress", short=("ing",), subresources=_STATUS),
    Resource(_NETWORK, "ingressclasses", "IngressClass", namespaced=False),
    Resource(_NETWORK, "networkpolicies", "NetworkPolicy", short=("netpol",)),
    LEASES,
    STORAGE_CLASSES,
    ATTACHMENTS,
    Resource(_STORAGE, "csidrivers", "CSIDriver", namespaced=False),
    Resource(_STORAGE, "csinodes", "CSINode", namespaced=False),
    Resource("scheduling.k8s.io", "priorityclasses", "PriorityClass", namespaced=False, short=("pc",)),
    ACCESS_REVIEWS,
    SELF_REVIEWS,
    NODE_METRICS,
    POD_METRICS,
)
_BY_PATH = {(item.group, item.version, item.plural): item for item in RESOURCES}


def at(group: str, version: str, plural: str) -> Resource | None:
    """Returns the resource of a group, version and plural name, or ``None``."""
    return _BY_PATH.get((group, version, plural))
