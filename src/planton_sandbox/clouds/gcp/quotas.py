"""Quotas of the simulated Compute Engine: regional limits, what clusters use of them, and refusals."""

from __future__ import annotations

from collections.abc import Iterator

from planton_sandbox.clouds.gcp import addresses, catalogue, records, scopes


def limit(project: records.Project, region: str, metric: str) -> float:
    """Returns a limit of a project in a region."""
    return project.limits.get(region, {}).get(metric, catalogue.LIMITS[metric])


def usage(scope: scopes.Scope, project: records.Project, region: str) -> dict[str, float]:
    """Returns what the nodes of a project use in a region, by metric."""
    used = dict.fromkeys(catalogue.LIMITS, 0.0)
    for cluster in scope.clusters(project):
        if catalogue.region_of(cluster.location) != region:
            continue
        for pool in cluster.pools:
            for metric, amount in _needs(project, cluster, pool, nodes=len(pool.nodes)):
                used[metric] += amount
            used["INSTANCE_GROUP_MANAGERS"] += len(pool.zones)
    return used


def require(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool, *, more: int) -> None:
    """Refuses a request for more nodes than the quotas of the region leave."""
    project, region = scope.project(cluster.project), catalogue.region_of(cluster.location)
    used = usage(scope, project, region)
    lines = []
    for metric, amount in _needs(project, cluster, pool, nodes=more):
        most = limit(project, region, metric)
        available = most - used[metric]
        if amount > max(available, 0):
            lines.append(
                f"Insufficient regional quota to satisfy request: resource \"{metric}\": request requires '{amount:.1f}' and is "
                f"short '{amount - max(available, 0):.1f}'. project has a quota of '{most:.1f}' with '{max(available, 0):.1f}' "
                "available. View and manage quotas at "
                f"https://console.cloud.google.com/iam-admin/quotas?usage=USED&project={project.id}."
            )
    if len(lines) == 1:
        raise scopes.refused(403, lines[0])
    if lines:
        raise scopes.refused(403, "".join(f"\n\t({number}) {line}" for number, line in enumerate(lines, start=1)))


def room(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool) -> int:
    """Returns how many more nodes of a pool the quotas of its region allow."""
    project, region = scope.project(cluster.project), catalogue.region_of(cluster.location)
    used = usage(scope, project, region)
    each = [
        int((limit(project, region, metric) - used[metric]) // amount)
        for metric, amount in _needs(project, cluster, pool, nodes=1)
        if amount
    ]
    return max(min(each, default=0), 0)


def _needs(project: records.Project, cluster: records.Cluster, pool: records.Pool, *, nodes: int) -> Iterator[tuple[str, float]]:
    """Yields what nodes of a pool need, by metric."""
    region = catalogue.region_of(cluster.location)

    def granted(own: str, usual: str) -> str:
        # Machines that can be taken back have quotas of their own only where the project has been given some.
        return own if spot and limit(project, region, own) else usual

    config = pool.config
    machine = catalogue.machine(config["machineType"])
    spot = bool(config.get("spot") or config.get("preemptible"))
    if machine:
        yield granted("PREEMPTIBLE_CPUS", catalogue.cpu_metric(machine.family)), float(machine.cpu * nodes)
    yield catalogue.disk_metric(config["diskType"]), float(config["diskSizeGb"] * nodes)
    yield "INSTANCES", float(nodes)
    if not addresses.are_private(cluster, pool):
        yield "IN_USE_ADDRESSES", float(nodes)
    attached = [(item["acceleratorType"], int(item["acceleratorCount"])) for item in config.get("accelerators") or []]
    if machine and machine.gpus:
        attached = attached or [(machine.gpu, machine.gpus)]
    for name, count in attached:
        kind = catalogue.accelerator(name)
        if kind:
            yield granted(f"PREEMPTIBLE_{kind.quota}_GPUS", f"{kind.quota}_GPUS"), float(count * nodes)
