"""API discovery: which groups, versions and resources there are."""

from __future__ import annotations

import itertools
from typing import Any

from planton_sandbox.kubernetes import resources

Object = dict[str, Any]
_SUB_VERBS = {
    "status": ["get", "patch", "update"],
    "scale": ["get", "patch", "update"],
    "eviction": ["create"],
    "finalize": ["update"],
    "log": ["get"],
}
_SUB_KINDS = {"scale": ("autoscaling", "v1", "Scale"), "eviction": ("policy", "v1", "Eviction")}


def groups() -> list[str]:
    """Returns the API groups; the core group is an empty string."""
    return [key for key, _ in itertools.groupby(resources.RESOURCES, key=lambda item: item.group)]


def document(path: str, *, accept: str) -> Object | None:
    """Returns the discovery document at a path, or ``None``."""
    if path in ("/api", "/apis") and "as=APIGroupDiscoveryList" in accept.partition(",")[0]:
        return _aggregated([group for group in groups() if bool(group) is (path == "/apis")])
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
    if path == "/apis":
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(item) for item in groups() if item]}
    for group in groups():
        if path == (f"/apis/{group}/{_version(group)}" if group else "/api/v1"):
            return _resources(group)
        if group and path == f"/apis/{group}":
            return {"kind": "APIGroup", "apiVersion": "v1"} | _group(group)
    return None


def _members(group: str) -> list[resources.Resource]:
    return [item for item in resources.RESOURCES if item.group == group]


def _version(group: str) -> str:
    return _members(group)[0].version


def _group(group: str) -> Object:
    offered = {"groupVersion": f"{group}/{_version(group)}", "version": _version(group)}
    return {"name": group, "versions": [offered], "preferredVersion": offered}


def _resources(group: str) -> Object:
    listed = []
    for item in _members(group):
        shown = {"name": item.plural, "singularName": item.kind.lower(), "namespaced": item.namespaced, "kind": item.kind}
        listed.append(shown | {"verbs": list(item.verbs), "shortNames": list(item.short), "categories": _categories(item)})
        for name in item.subresources:
            sub = {"name": f"{item.plural}/{name}", "singularName": "", "namespaced": item.namespaced}
            listed.append(sub | _kind_of(item, name) | {"verbs": _SUB_VERBS[name]})
    version = _members(group)[0].api_version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": listed}


def _kind_of(item: resources.Resource, name: str) -> Object:
    if name not in _SUB_KINDS:
        return {"kind": item.kind}
    group, version, kind = _SUB_KINDS[name]
    return {"kind": kind, "group": group, "version": version}


def _aggregated(names: list[str]) -> Object:
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": [
            {
                "metadata": {"name": group} if group else {},
                "versions": [
                    {
                        "version": _version(group),
                        "freshness": "Current",
                        "resources": [_discovered(item) for item in _members(group)],
                    }
                ],
            }
            for group in names
        ],
    }


def _discovered(item: resources.Resource) -> Object:
    return {
        "resource": item.plural,
        "singularResource": item.kind.lower(),
        "verbs": list(item.verbs),
        "responseKind": {"group": item.group, "version": item.version, "kind": item.kind},
        "scope": "Namespaced" if item.namespaced else "Cluster",
        "shortNames": list(item.short),
        "categories": _categories(item),
        "subresources": [
            {
                "subresource": name,
                "verbs": _SUB_VERBS[name],
                "responseKind": {"group": item.group, "version": item.version} | _kind_of(item, name),
            }
            for name in item.subresources
        ],
    }


def _categories(item: resources.Resource) -> list[str]:
    return ["all"] if item.in_all else []
