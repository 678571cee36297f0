"""The resources of the simulated Kubernetes API, in the formats of API discovery.

Most of the resources are always empty; they exist so that kubectl finds them.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from typing import Any

READ = ["get", "list", "watch"]
IN_ALL = ("pods", "services", "deployments", "daemonsets", "replicasets", "statefulsets", "jobs", "cronjobs")


@dataclasses.dataclass(frozen=True, slots=True)
class Resource:
    """A resource of the API; the core group is an empty string."""

    group: str
    plural: str
    kind: str
    namespaced: bool = True
    short: tuple[str, ...] = ()


RESOURCES = (
    Resource("", "nodes", "Node", namespaced=False, short=("no",)),
    Resource("", "namespaces", "Namespace", namespaced=False, short=("ns",)),
    Resource("", "pods", "Pod", short=("po",)),
    Resource("", "services", "Service", short=("svc",)),
    Resource("", "events", "Event", short=("ev",)),
    Resource("", "configmaps", "ConfigMap", short=("cm",)),
    Resource("", "serviceaccounts", "ServiceAccount", short=("sa",)),
    Resource("", "persistentvolumes", "PersistentVolume", namespaced=False, short=("pv",)),
    Resource("", "persistentvolumeclaims", "PersistentVolumeClaim", short=("pvc",)),
    Resource("", "replicationcontrollers", "ReplicationController", short=("rc",)),
    Resource("apps", "deployments", "Deployment", short=("deploy",)),
    Resource("apps", "daemonsets", "DaemonSet", short=("ds",)),
    Resource("apps", "replicasets", "ReplicaSet", short=("rs",)),
    Resource("apps", "statefulsets", "StatefulSet", short=("sts",)),
    Resource("batch", "jobs", "Job"),
    Resource("batch", "cronjobs", "CronJob", short=("cj",)),
    Resource("autoscaling", "horizontalpodautoscalers", "HorizontalPodAutoscaler", short=("hpa",)),
    Resource("coordination.k8s.io", "leases", "Lease"),
    Resource("events.k8s.io", "events", "Event", short=("ev",)),
)
VERSIONS = {"autoscaling": "v2"}
NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
_PATH = re.compile(
    r"^/(?:api/(?P<core>v1)|apis/(?P<group>[^/]+)/(?P<version>[^/]+))"
    r"(?:/namespaces/[^/]+(?=/))?/(?P<plural>[^/]+)(?:/(?P<name>[^/]+))?$"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """The target of a path: a resource, and optionally the name of an object."""

    resource: Resource
    name: str


def target(path: str) -> Target | None:
    """Returns the target of a path, or ``None``."""
    matched = _PATH.match(path)
    if matched is None:
        return None
    group = matched["group"] or ""
    if matched["version"] and matched["version"] != version(group):
        return None
    resource = next((item for item in RESOURCES if (item.group, item.plural) == (group, matched["plural"])), None)
    return Target(resource, matched["name"] or "") if resource else None


def version(group: str) -> str:
    """Returns the version of a group."""
    return VERSIONS.get(group, "v1")


def group_version(group: str) -> str:
    """Returns a group's ``apiVersion``."""
    return f"{group}/{version(group)}" if group else "v1"


def document(path: str, *, accept: str) -> dict[str, Any] | None:
    """Returns the discovery document at a path, or ``None``."""
    groups = [key for key, _ in itertools.groupby(RESOURCES, key=lambda item: item.group)]
    if path in ("/api", "/apis") and "as=APIGroupDiscoveryList" in accept.partition(",")[0]:
        return _aggregated([group for group in groups if bool(group) is (path == "/apis")])
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
    if path == "/apis":
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(item) for item in groups if item]}
    for group in groups:
        if path == (f"/apis/{group_version(group)}" if group else "/api/v1"):
            return _resources(group)
        if group and path == f"/apis/{group}":
            return {"kind": "APIGroup", "apiVersion": "v1"} | _group(group)
    return None


def _group(group: str) -> dict[str, Any]:
    offered = {"groupVersion": group_version(group), "version": version(group)}
    return {"name": group, "versions": [offered], "preferredVersion": offered}


def _resources(group: str) -> dict[str, Any]:
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version(group),
        "resources": [
            {
                "name": item.plural,
                "singularName": item.kind.lower(),
                "namespaced": item.namespaced,
                "kind": item.kind,
                "verbs": READ,
                "shortNames": list(item.short),
                "categories": _categories(item),
            }
            for item in RESOURCES
            if item.group == group
        ],
    }


def _aggregated(groups: list[str]) -> dict[str, Any]:
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": [
            {
                "metadata": {"name": group} if group else {},
                "versions": [
                    {
                        "version": version(group),
                        "freshness": "Current",
                        "resources": [_discovered(item) for item in RESOURCES if item.group == group],
                    }
                ],
            }
            for group in groups
        ],
    }


def _discovered(item: Resource) -> dict[str, Any]:
    return {
        "resource": item.plural,
        "singularResource": item.kind.lower(),
        "verbs": READ,
        "responseKind": {"group": item.group, "version": version(item.group), "kind": item.kind},
        "scope": "Namespaced" if item.namespaced else "Cluster",
        "shortNames": list(item.short),
        "categories": _categories(item),
    }


def _categories(item: Resource) -> list[str]:
    return ["all"] if item.plural in IN_ALL else []
