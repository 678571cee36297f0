"""The machines of pools as the simulated Compute Engine shows them: instances, and the groups that manage them.

Everything here is read-only; pools create and delete the machines.
"""

from __future__ import annotations

from collections.abc import Iterator

from planton_sandbox import clock, wire
from planton_sandbox.clouds.gcp import compute, machines, records, scopes


def group_managers(scope: scopes.Scope, project: records.Project, request: wire.Request) -> list[compute.Body]:
    """Returns the managers of the instance groups of pools in a zone."""
    zone = compute.zone_of(request)
    listed = []
    for cluster, pool in _pools(scope, project):
        if zone in pool.zones:
            name = machines.group_name(cluster, pool, zone)
            body = compute.resource("instanceGroupManager", project, "zones", zone, "instanceGroupManagers", name)
            body |= {
                "zone": compute.link(project, "zones", zone),
                "baseInstanceName": name.removesuffix("-grp"),
                "instanceGroup": compute.link(project, "zones", zone, "instanceGroups", name),
                "instanceTemplate": compute.link(project, "global", "instanceTemplates", name.removesuffix("-grp")),
                "targetSize": pool.targets.get(zone, 0),
                "currentActions": {
                    "creating": sum(node.building is not None for node in pool.nodes if node.zone == zone),
                    "deleting": sum(node.deleting is not None for node in pool.nodes if node.zone == zone),
                },
                "status": {"isStable": zone not in pool.shortages},
                "creationTimestamp": clock.rfc3339(cluster.created),
            }
            listed.append(body)
    return listed


def managed_instances(scope: scopes.Scope, request: wire.Request) -> compute.Body:
    """Answers ``POST .../instanceGroupManagers/{name}/listManagedInstances``."""
    project, zone = scope.project(request.parts["project"]), compute.zone_of(request)
    for cluster, pool in _pools(scope, project):
        if zone in pool.zones and machines.group_name(cluster, pool, zone) == request.parts["name"]:
            present = [node for node in pool.nodes if node.zone == zone]
            return {"managedInstances": [_managed(project, node) for node in present]}
    name = f"projects/{project.id}/zones/{zone}/instanceGroupManagers/{request.parts['name']}"
    raise scopes.refused(404, f"The resource '{name}' was not found")


def instances(scope: scopes.Scope, project: records.Project, request: wire.Request) -> list[compute.Body]:
    """Returns the machines of pools in a zone."""
    zone = compute.zone_of(request)
    return [
        _instance(project, cluster, pool, node)
        for cluster, pool in _pools(scope, project)
        for node in pool.nodes
        if node.zone == zone
    ]


def _managed(project: records.Project, node: records.Node) -> compute.Body:
    action = "DELETING" if node.deleting else "CREATING" if node.building else "NONE"
    return {
        "instance": compute.link(project, "zones", node.zone, "instances", node.name),
        "id": node.id,
        "currentAction": action,
        "instanceStatus": "STAGING" if node.building else "RUNNING",
    }


def _instance(project: records.Project, cluster: records.Cluster, pool: records.Pool, node: records.Node) -> compute.Body:
    body = compute.resource("instance", project, "zones", node.zone, "instances", node.name)
    interface: compute.Body = {"name": "nic0", "network": compute.link(project, "global", "networks", cluster.network)}
    interface["networkIP"] = node.private_ip
    if node.public_ip:
        interface["accessConfigs"] = [{"name": "external-nat", "type": "ONE_TO_ONE_NAT", "natIP": node.public_ip}]
    spot = bool(pool.config.get("spot"))
    return body | {
        "id": node.id,
        "zone": compute.link(project, "zones", node.zone),
        "status": "STAGING" if node.building else "STOPPING" if node.deleting else "RUNNING",
        "machineType": compute.link(project, "zones", node.zone, "machineTypes", node.machine),
        "creationTimestamp": clock.rfc3339(node.created),
        "networkInterfaces": [interface],
        "labels": {"goog-gke-node": "", "goog-k8s-cluster-name": cluster.name, "goog-k8s-node-pool-name": pool.name},
        "scheduling": {
            "preemptible": bool(spot or pool.config.get("preemptible")),
            "provisioningModel": "SPOT" if spot else "STANDARD",
        },
    }


def _pools(scope: scopes.Scope, project: records.Project) -> Iterator[tuple[records.Cluster, records.Pool]]:
    for cluster in scope.clusters(project):
        for pool in cluster.pools:
            yield cluster, pool
