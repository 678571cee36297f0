"""What GKE's clients read from the simulated Compute Engine: zones, quotas, machine types, networks.

Everything here is read-only.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

import re2  # RE2 matches in linear time and bounded memory, so that no pattern of a client makes the sandbox hang.

from planton_sandbox import clock, wire
from planton_sandbox.clouds.gcp import catalogue, quotas, records, scopes

Body = dict[str, Any]
_FILTER = re.compile(
    r"""\(?\s*(?P<key>[\w.]+)\s*(?P<sign>=|!=|eq|ne)\s*(?:"(?P<quoted>[^"]*)"|'(?P<single>[^']*)'|(?P<plain>[^"')]*))\s*\)?"""
)
_PAGE = 500
_PATTERN_MEMORY = 1 << 20  # bytes
Lister = Callable[[scopes.Scope, records.Project, wire.Request], list[Body]]


def link(project: records.Project, *parts: str) -> str:
    """Returns the URL of a resource."""
    return "/".join((scopes.COMPUTE, "v1/projects", project.id, *parts))


def _number(*parts: str) -> str:
    return str(int.from_bytes(hashlib.sha256("/".join(parts).encode()).digest()[:7]))


def resource(kind: str, project: records.Project, *parts: str, **more: Any) -> Body:
    """Returns the fields that all resources have."""
    return {
        "kind": f"compute#{kind}",
        "id": _number(project.id, *parts),
        "name": parts[-1],
        "selfLink": link(project, *parts),
        **more,
    }


def listing(collection: str, kind: str, lister: Lister) -> Callable[[scopes.Scope, wire.Request], Body]:
    """Returns a handler that lists a collection, with the filter ``key=value`` and with pages."""

    def handle(scope: scopes.Scope, request: wire.Request) -> Body:
        project = scope.project(request.parts["project"])
        items = [item for item in lister(scope, project, request) if _passes(item, request.query.get("filter", ""))]
        start = int(request.query.get("pageToken") or 0)
        most = min(int(request.query.get("maxResults") or _PAGE), _PAGE)
        body: Body = {
            "kind": f"compute#{kind}List",
            "id": f"projects/{project.id}/{collection}",
            "items": items[start : start + most],
            "selfLink": f"{scopes.COMPUTE}/v1/projects/{project.id}/{collection}",
        }
        if start + most < len(items):
            body["nextPageToken"] = str(start + most)
        return body

    return handle


def reading(lister: Lister, noun: str) -> Callable[[scopes.Scope, wire.Request], Body]:
    """Returns a handler that reads an item of a collection by name."""

    def handle(scope: scopes.Scope, request: wire.Request) -> Body:
        project, name = scope.project(request.parts["project"]), request.parts["name"]
        for item in lister(scope, project, request):
            if item["name"] == name:
                return item
        place = "/".join(f"{key}s/{request.parts[key]}" for key in ("region", "zone") if key in request.parts) or "global"
        raise scopes.refused(404, f"The resource 'projects/{project.id}/{place}/{noun}/{name}' was not found")

    return handle


def aggregated(collection: str, kind: str, lister: Lister) -> Callable[[scopes.Scope, wire.Request], Body]:
    """Returns a handler that lists a zone's or region's collection in all of them."""

    def handle(scope: scopes.Scope, request: wire.Request) -> Body:
        project = scope.project(request.parts["project"])
        place = "region" if collection == "subnetworks" else "zone"
        names = list(catalogue.REGIONS) if place == "region" else catalogue.all_zones()
        items: Body = {}
        for name in names:
            located = dataclasses.replace(request, parts={**request.parts, place: name})
            listed = [item for item in lister(scope, project, located) if _passes(item, request.query.get("filter", ""))]
            items[f"{place}s/{name}"] = {collection: listed} if listed else _nothing(f"{place}s/{name}")
        return {
            "kind": f"compute#{kind}AggregatedList",
            "id": f"projects/{project.id}/aggregated/{collection}",
            "items": items,
            "selfLink": f"{scopes.COMPUTE}/v1/projects/{project.id}/aggregated/{collection}",
        }

    return handle


def zones(_scope: scopes.Scope, project: records.Project, _request: wire.Request) -> list[Body]:
    """Returns the zones."""
    return [
        resource(
            "zone", project, "zones", zone, status="UP", description=zone,
            region=link(project, "regions", catalogue.region_of(zone)),
        )
        for zone in catalogue.all_zones()
    ]  # fmt: skip


def regions(scope: scopes.Scope, project: records.Project, _request: wire.Request) -> list[Body]:
    """Returns the regions, with their quotas."""
    listed = []
    for region in catalogue.REGIONS:
        used = quotas.usage(scope, project, region)
        body = resource("region", project, "regions", region, status="UP", description=region)
        body["zones"] = [link(project, "zones", zone) for zone in catalogue.zones_of(region)]
        body["quotas"] = [
            {"metric": metric, "limit": quotas.limit(project, region, metric), "usage": used[metric]}
            for metric in catalogue.LIMITS
        ]
        listed.append(body)
    return listed


def machine_types(_scope: scopes.Scope, project: records.Project, request: wire.Request) -> list[Body]:
    """Returns the machine types of a zone."""
    zone = zone_of(request)
    listed = []
    for item in catalogue.MACHINES:
        if catalogue.machine_in(item, zone):
            body = resource("machineType", project, "zones", zone, "machineTypes", item.name)
            body |= {
                "description": f"{item.cpu} vCPUs, {item.memory / 1024:g} GB RAM",
                "guestCpus": item.cpu,
                "memoryMb": item.memory,
                "maximumPersistentDisks": 128,
                "maximumPersistentDisksSizeGb": "263168",
                "zone": zone,
                "isSharedCpu": item.name in ("e2-micro", "e2-small", "e2-medium"),
                "architecture": "ARM64" if item.arm else "X86_64",
            }
            if item.gpus:
                body["accelerators"] = [{"guestAcceleratorType": item.gpu, "guestAcceleratorCount": item.gpus}]
            listed.append(body)
    return listed


def accelerator_types(_scope: scopes.Scope, project: records.Project, request: wire.Request) -> list[Body]:
    """Returns the accelerator types of a zone."""
    zone = zone_of(request)
    return [
        resource(
            "acceleratorType", project, "zones", zone, "acceleratorTypes", item.name,
            description=item.name, zone=link(project, "zones", zone), maximumCardsPerInstance=item.most,
        )
        for item in catalogue.ACCELERATORS
        if catalogue.accelerator_in(item, zone)
    ]  # fmt: skip


def networks(scope: scopes.Scope, project: records.Project, _request: wire.Request) -> list[Body]:
    """Returns the networks."""
    names = sorted({item.network for item in scope.subnetworks(project)})
    return [
        resource(
            "network", project, "global", "networks", name,
            autoCreateSubnetworks=name == "default", routingConfig={"routingMode": "REGIONAL"},
            subnetworks=[_subnetwork_link(project, item) for item in scope.subnetworks(project) if item.network == name],
        )
        for name in names
    ]  # fmt: skip


def subnetworks(scope: scopes.Scope, project: records.Project, request: wire.Request) -> list[Body]:
    """Returns the subnetworks of a region, with their secondary ranges."""
    region = request.parts["region"]
    return [
        resource(
            "subnetwork", project, "regions", region, "subnetworks", item.name,
            network=link(project, "global", "networks", item.network), region=link(project, "regions", region),
            ipCidrRange=item.cidr, privateIpGoogleAccess=True, purpose="PRIVATE", stackType="IPV4_ONLY",
            secondaryIpRanges=[{"rangeName": name, "ipCidrRange": cidr} for name, cidr in item.ranges.items()],
        )
        for item in scope.subnetworks(project)
        if item.region == region
    ]  # fmt: skip


def routers(scope: scopes.Scope, project: records.Project, request: wire.Request) -> list[Body]:
    """Returns the routers of a region: one with a NAT for each network, as private nodes need it."""
    region = request.parts["region"]
    return [
        resource(
            "router", project, "regions", region, "routers", f"{name}-router",
            network=link(project, "global", "networks", name), region=link(project, "regions", region),
            nats=[
                {
                    "name": f"{name}-nat",
                    "natIpAllocateOption": "AUTO_ONLY",
                    "sourceSubnetworkIpRangesToNat": "ALL_SUBNETWORKS_ALL_IP_RANGES",
                }
            ],
        )
        for name in sorted({item.network for item in scope.subnetworks(project) if item.region == region})
    ]  # fmt: skip


def service(scope: scopes.Scope, request: wire.Request) -> Body:
    """Answers ``GET .../services/{service}`` of the Service Usage API: every API is enabled. gcloud asks before it creates."""
    project, name = scope.project(request.parts["project"]), request.parts["service"]
    path = f"projects/{project.number}"
    return {"name": f"{path}/services/{name}", "parent": path, "config": {"name": name}, "state": "ENABLED"}


def associated(sort: str, kind: str) -> Lister:
    """Returns a lister of what workloads have created, ``disks`` or ``forwardingRules``."""

    def lister(scope: scopes.Scope, project: records.Project, request: wire.Request) -> list[Body]:
        region = request.parts.get("region") or catalogue.region_of(request.parts["zone"])
        listed = []
        for item in scope.state.associated:
            if (item.project, item.region, item.sort) == (project.id, region, sort):
                place = ("zones", request.parts["zone"]) if "zone" in request.parts else ("regions", region)
                body = resource(kind, project, *place, sort, item.name, creationTimestamp=clock.rfc3339(item.created))
                body["labels"] = {"goog-k8s-cluster-name": item.cluster}
                listed.append(body)
        return listed

    return lister


def _subnetwork_link(project: records.Project, item: records.Subnetwork) -> str:
    return link(project, "regions", item.region, "subnetworks", item.name)


def zone_of(request: wire.Request) -> str:
    """Returns the zone in a path; an unknown one is refused."""
    zone = request.parts["zone"]
    if zone not in catalogue.all_zones():
        raise scopes.refused(400, f"Invalid value for field 'zone': '{zone}'. Unknown zone.")
    return zone


def _passes(item: Mapping[str, Any], text: str) -> bool:
    """Returns whether an item passes a filter; the conditions of several are joined by ``AND``.

    ``=`` compares texts, and ``*`` at the end stands for any end. ``eq`` matches a regular expression, as gcloud sends it.
    """
    for part in re.split(r"\s+AND\s+", text) if text else ():
        match = _FILTER.fullmatch(part.strip())
        if match is None:
            raise _invalid_filter(text)
        value = match["quoted"] or match["single"] or match["plain"] or ""
        text_of, sign = str(item.get(match["key"], "")), match["sign"]
        if sign in ("eq", "ne"):
            equal = _matches(value, text_of)
        else:
            equal = text_of.startswith(value.removesuffix("*")) if value.endswith("*") else text_of == value
        if equal is not (sign in ("=", "eq")):
            return False
    return True


def _matches(pattern: str, text: str) -> bool:
    options = re2.Options()
    options.max_mem, options.log_errors = _PATTERN_MEMORY, False
    try:
        return re2.compile(pattern, options).fullmatch(text) is not None
    except re2.error as error:
        raise _invalid_filter(pattern) from error


def _invalid_filter(text: str) -> wire.CloudError:
    return scopes.refused(400, f"Invalid value for field 'filter': '{text}'. Invalid list filter expression.")


def _nothing(place: str) -> Body:
    return {
        "warning": {
            "code": "NO_RESULTS_ON_PAGE",
            "message": f"There are no results for scope '{place}' on this page.",
            "data": [{"key": "scope", "value": place}],
        }
    }
