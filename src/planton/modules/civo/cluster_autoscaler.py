"""The cluster autoscaler of a Civo cluster: the Kubernetes objects that run it.

Facts about its Civo provider, from its source (kubernetes/autoscaler, cluster-autoscaler/cloudprovider/civo):

* ``--nodes=MIN:MAX:ID`` matches the ids of pools only; a name matches nothing, and the autoscaler then does nothing.
* All of ``CIVO_API_URL``, ``CIVO_API_KEY``, ``CIVO_CLUSTER_ID`` and ``CIVO_REGION`` are required; ``--cloud-config`` ends the process.
* A pool that does not exist is ignored without a message, so that the pools must follow the cluster's.
* Its example has the permissions of an old version. These are those of its Helm chart.
* The minor version must be the cluster's.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from planton.clouds.civo import client

NAMESPACE: Final = "kube-system"
NAME: Final = "cluster-autoscaler"
SECRET: Final = "civo-api-access"  # noqa: S105  # the name of a Secret
#: The annotation of the pods with a hash of the token, so that another token starts new pods.
HASH: Final = "project-planton.org/credential-hash"
#: The application of Civo's marketplace that is an autoscaler with bounds of its own.
APPLICATION: Final = "civo-cluster-autoscaler"
_IMAGE: Final = "registry.k8s.io/autoscaling/cluster-autoscaler"
#: Minor version of Kubernetes 1 → newest patch of the autoscaler on 2026-11-30 (tags of kubernetes/autoscaler).
_PATCHES: Final = {26: 8, 27: 8, 28: 7, 29: 5, 30: 7, 31: 5, 32: 7, 33: 6, 34: 5, 35: 2, 36: 1}
_LABELS: Final = {
    "app.kubernetes.io/name": NAME,
    "app.kubernetes.io/managed-by": "planton",
}
_READ: Final = ("get", "list", "watch")


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Group:
    """An autoscaled pool.

    Attributes:
        pool_id: The pool's id in the cloud.
        least: The lower bound.
        most: The upper bound.
    """

    pool_id: str
    least: int
    most: int

    def __str__(self) -> str:
        """Returns the pool with its bounds, for progress."""
        return f"{self.pool_id} {self.least} to {self.most} nodes"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Autoscaler:
    """The settings of the autoscaler of a cluster.

    Attributes:
        cluster_id: The cluster's id in the cloud.
        region: The region's code, in upper case.
        version: The cluster's version of Kubernetes, for example ``1.30.5-k3s1``.
        address: The address of Civo's API.
        token: The account's token.
        groups: The pools that it scales.
    """

    cluster_id: str
    region: str
    version: str
    address: str
    token: str = dataclasses.field(repr=False)
    groups: tuple[Group, ...] = ()


def image(version: str) -> str:
    """Returns the image for a version of Kubernetes: the newest known patch of its minor version."""
    minor = int(version.lstrip("v").split(".")[1])
    return f"{_IMAGE}:v1.{minor}.{_PATCHES.get(minor, 0)}"


def groups(manifest: Any) -> list[Group]:  # of a cluster or a pool
    """Returns the autoscaled pools of an applied manifest."""
    spec = manifest.spec
    if hasattr(spec, "additional_node_pools"):
        # The id of a pool in the cloud is its name.
        return [Group(pool.name, pool.min_nodes, pool.max_nodes) for pool in spec.additional_node_pools if pool.auto_scale]
    return [Group(manifest.status.outputs.node_pool_id, spec.min_nodes, spec.max_nodes)] if spec.auto_scale else []


def upgraded(cluster: Mapping[str, Any], manifest: Any) -> Mapping[str, Any]:  # of a cluster or a pool
    """Returns a cluster, as the cloud's API describes it, with the version of its manifest. Manifests of pools have none."""
    version = getattr(manifest.spec, "kubernetes_version", "")
    return {**cluster, "kubernetes_version": version} if version else cluster


def is_foreign(cluster: Mapping[str, Any]) -> bool:
    """Returns whether the marketplace's autoscaler is installed in a cluster, as the cloud's API describes it."""
    applications = cluster.get("installed_applications") or ()
    return any(APPLICATION in (each.get("name"), each.get("application")) for each in applications)


def objects(cloud: client.Cloud, cluster: Mapping[str, Any], groups: Sequence[Group]) -> list[dict[str, Any]]:
    """Returns the objects in the order of their creation, the Deployment last.

    Args:
        cloud: The account in the cluster's region.
        cluster: The cluster, as the cloud's API describes it.
        groups: The pools that it scales.
    """
    return _objects(
        Autoscaler(
            cluster_id=str(cluster["id"]),
            region=cloud.region,
            version=str(cluster["kubernetes_version"]),
            address=cloud.address,
            token=cloud.token,
            groups=tuple(groups),
        )
    )


def _objects(autoscaler: Autoscaler) -> list[dict[str, Any]]:
    return [
        _object("v1", "ServiceAccount", automountServiceAccountToken=True),
        _object("rbac.authorization.k8s.io/v1", "ClusterRole", namespaced=False, rules=_cluster_rules()),
        _object("rbac.authorization.k8s.io/v1", "Role", rules=_own_rules()),
        _object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", namespaced=False, **_binding("ClusterRole")),
        _object("rbac.authorization.k8s.io/v1", "RoleBinding", **_binding("Role")),
        _object("v1", "Secret", name=SECRET, type="Opaque", stringData=_access(autoscaler)),
        _object("apps/v1", "Deployment", spec=_deployment(autoscaler)),
    ]


def names() -> list[dict[str, Any]]:
    """Returns the objects by apiVersion, kind and metadata alone, in the order of their deletion."""
    nothing = Autoscaler(cluster_id="", region="", version="1.30", address="", token="")
    fields = ("apiVersion", "kind", "metadata")
    return [{name: each[name] for name in fields} for each in reversed(_objects(nothing))]


def _object(version: str, kind: str, *, name: str = NAME, namespaced: bool = True, **content: Any) -> dict[str, Any]:
    namespace = {"namespace": NAMESPACE} if namespaced else {}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, **namespace, "labels": dict(_LABELS)}, **content}


def _access(autoscaler: Autoscaler) -> dict[str, str]:
    return {
        "api-url": autoscaler.address,
        "api-key": autoscaler.token,
        "cluster-id": autoscaler.cluster_id,
        "region": autoscaler.region,
    }


def _deployment(autoscaler: Autoscaler) -> dict[str, Any]:
    access = _access(autoscaler)
    labels = {"app.kubernetes.io/name": NAME}
    digest = hashlib.sha256(json.dumps(access, sort_keys=True).encode()).hexdigest()
    return {
        "replicas": 1,
        "selector": {"matchLabels": labels},
        # Two at once would wait for one lease.
        "strategy": {"type": "Recreate"},
        "template": {
            "metadata": {"labels": labels | _LABELS, "annotations": {HASH: digest}},
            "spec": {
                "serviceAccountName": NAME,
                "priorityClassName": "system-cluster-critical",
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": 65532,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [_container(autoscaler, access)],
            },
        },
    }


def _container(autoscaler: Autoscaler, access: Iterable[str]) -> dict[str, Any]:
    variables = {"api-url": "CIVO_API_URL", "api-key": "CIVO_API_KEY", "cluster-id": "CIVO_CLUSTER_ID", "region": "CIVO_REGION"}
    return {
        "name": NAME,
        "image": image(autoscaler.version),
        "command": ["./cluster-autoscaler"],
        "args": [
            "--cloud-provider=civo",
            *(f"--nodes={group.least}:{group.most}:{group.pool_id}" for group in sorted(autoscaler.groups)),
            "--skip-nodes-with-local-storage=false",
            "--skip-nodes-with-system-pods=false",
            "--stderrthreshold=info",
            "--v=2",
        ],
        "env": [{"name": variables[key], "valueFrom": {"secretKeyRef": {"name": SECRET, "key": key}}} for key in sorted(access)],
        "resources": {"requests": {"cpu": "100m", "memory": "300Mi"}, "limits": {"memory": "600Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _binding(role: str) -> dict[str, Any]:
    return {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": NAME},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
    }


def _cluster_rules() -> list[dict[str, Any]]:
    watched = {
        "": ("configmaps namespaces persistentvolumeclaims persistentvolumes pods podtemplates replicationcontrollers services"),
        "apps": "daemonsets deployments replicasets statefulsets",
        "autoscaling.x-k8s.io": "capacitybuffers capacityquotas provisioningrequests",
        "batch": "cronjobs jobs",
        "policy": "poddisruptionbudgets",
        "resource.k8s.io": "deviceclasses resourceclaims resourceslices",
        "storage.k8s.io": "csidrivers csinodes csistoragecapacities storageclasses volumeattachments",
    }
    return [
        *(_rule(group, *resources.split(), verbs=_READ) for group, resources in watched.items()),
        _rule("", "nodes", verbs=(*_READ, "update")),
        _rule("", "events", "endpoints", verbs=("create", "patch")),
        _rule("", "endpoints", verbs=("get", "update"), only=(NAME,)),
        _rule("", "pods/eviction", verbs=("create",)),
        _rule("", "pods/status", verbs=("update",)),
        _rule("", "podtemplates", verbs=("create", "update", "patch")),
        _rule("batch", "jobs", verbs=("patch",)),
        _rule("autoscaling.x-k8s.io", "provisioningrequests", "provisioningrequests/status", verbs=("update", "patch")),
        _rule("autoscaling.x-k8s.io", "capacitybuffers/status", "capacityquotas/status", verbs=("update", "patch")),
        _rule("coordination.k8s.io", "leases", verbs=("create",)),
        _rule("coordination.k8s.io", "leases", verbs=("get", "update"), only=(NAME,)),
    ]


def _own_rules() -> list[dict[str, Any]]:
    own = ("cluster-autoscaler-status", "cluster-autoscaler-priority-expander")
    return [
        _rule("", "configmaps", verbs=("create",)),
        _rule("", "configmaps", verbs=("delete", "get", "update", "watch"), only=own),
    ]


def _rule(group: str, *resources: str, verbs: tuple[str, ...], only: tuple[str, ...] = ()) -> dict[str, Any]:
    named = {"resourceNames": list(only)} if only else {}
    return {"apiGroups": [group], "resources": list(resources), **named, "verbs": list(verbs)}
