"""The routes of the simulated Google Cloud: GKE in the versions v1 and v1beta1, Compute Engine in v1 and beta, and Service Usage."""

from __future__ import annotations

from planton_sandbox import wire
from planton_sandbox.clouds.gcp import (
    associated,
    cluster_updates,
    clusters,
    compute,
    groups,
    operations,
    pool_updates,
    pools,
    scopes,
)

_LOCATION = r"/(?P<version>v1|v1beta1)/projects/{project}/locations/{location}"
_CLUSTER = f"{_LOCATION}/clusters/{{cluster}}"
_POOL = f"{_CLUSTER}/nodePools/{{pool}}"
_COMPUTE = r"/compute/(?P<version>v1|beta)/projects/{project}"
# The collections of a zone or region, or of the project: place, collection, kind, lister.
_LISTS: tuple[tuple[str, str, str, compute.Lister], ...] = (
    ("", "zones", "zone", compute.zones),
    ("", "regions", "region", compute.regions),
    ("/global", "networks", "network", compute.networks),
    ("/zones/{zone}", "machineTypes", "machineType", compute.machine_types),
    ("/zones/{zone}", "acceleratorTypes", "acceleratorType", compute.accelerator_types),
    ("/zones/{zone}", "instanceGroupManagers", "instanceGroupManager", groups.group_managers),
    ("/zones/{zone}", "instances", "instance", groups.instances),
    ("/zones/{zone}", "disks", "disk", compute.associated(associated.DISK, "disk")),
    ("/regions/{region}", "subnetworks", "subnetwork", compute.subnetworks),
    ("/regions/{region}", "routers", "router", compute.routers),
    ("/regions/{region}", "forwardingRules", "forwardingRule", compute.associated(associated.BALANCER, "forwardingRule")),
)
_AGGREGATED = ("machineTypes", "acceleratorTypes", "subnetworks", "instances", "instanceGroupManagers")

ROUTES: tuple[wire.Route[scopes.Scope], ...] = (
    wire.route("GET", r"/(?P<version>v1)/projects/{project}/services/{service}", compute.service),
    wire.route("GET", f"{_LOCATION}/serverConfig", clusters.server_config),
    wire.route("GET", f"{_LOCATION}/operations", operations.listing),
    wire.route("GET", f"{_LOCATION}/operations/{{operation}}", operations.show),
    wire.route("POST", f"{_LOCATION}/operations/{{operation}}:cancel", operations.cancel),
    wire.route("GET", f"{_LOCATION}/clusters", clusters.listing),
    wire.route("POST", f"{_LOCATION}/clusters", clusters.create),
    *(wire.route("POST", f"{_CLUSTER}:{verb}", handler) for verb, handler in cluster_updates.VERBS.items()),
    wire.route("GET", _CLUSTER, clusters.show),
    wire.route("PUT", _CLUSTER, cluster_updates.update),
    wire.route("DELETE", _CLUSTER, clusters.delete),
    wire.route("GET", f"{_CLUSTER}/nodePools", pools.listing),
    wire.route("POST", f"{_CLUSTER}/nodePools", pools.create),
    *(wire.route("POST", f"{_POOL}:{verb}", handler) for verb, handler in pool_updates.VERBS.items()),
    wire.route("GET", _POOL, pools.show),
    wire.route("PUT", _POOL, pool_updates.update),
    wire.route("DELETE", _POOL, pools.delete),
    *(
        wire.route("GET", f"{_COMPUTE}/aggregated/{collection}", compute.aggregated(collection, kind, lister))
        for _, collection, kind, lister in _LISTS
        if collection in _AGGREGATED
    ),
    *(
        wire.route("GET", f"{_COMPUTE}{place}/{collection}", compute.listing(collection, kind, lister))
        for place, collection, kind, lister in _LISTS
    ),
    *(
        wire.route("GET", f"{_COMPUTE}{place}/{collection}/{{name}}", compute.reading(lister, collection))
        for place, collection, _, lister in _LISTS
    ),
    wire.route(
        "POST", f"{_COMPUTE}/zones/{{zone}}/instanceGroupManagers/{{name}}/listManagedInstances", groups.managed_instances
    ),
)
