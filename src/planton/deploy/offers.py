"""Checks against the offers of a cloud: regions, sizes, Kubernetes versions and upgrade paths."""

from __future__ import annotations

import dataclasses
import functools
import operator
import pkgutil
from typing import TYPE_CHECKING, Any

from planton.deploy import problems, subjects
from planton.modules import unsupported, upgrades
from planton.schema import references

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from planton import clouds
    from planton.clouds import entries
    from planton.deploy import lists

_VERSION = "spec.kubernetesVersion"


def check(subject: subjects.Subject, account: lists.Lists) -> list[problems.Problem]:
    """Returns the problems with values that the cloud does not offer. An unknown region skips the checks within it."""
    return [*_region(subject, account)] or [
        *_sizes(subject, account),
        *_places(subject, account),
        *_version(subject, account),
    ]


def _region(subject: subjects.Subject, account: lists.Lists) -> Iterator[problems.Problem]:
    region = _own_region(subject.target)
    if not region or not subject.is_changed(subject.kind.main, _own_region, ("region",)):
        return
    is_cluster = subject.kind.is_cluster
    rows = account.regions() if is_cluster else None
    names = account.network_regions() if not is_cluster else None if rows is None else _names(rows)
    if names is None:
        return
    if region not in [name.lower() for name in names]:
        listed = problems.offered(region, [name.lower() for name in names])
        yield problems.Problem(
            unsupported.json_path(f"spec.{subject.kind.declared.region_field}"),
            f"there is no region {region!r} for this account; there are: {listed}",
            "cloud.region_offered",
            f"write one of the regions listed (planton regions --provider {subject.provider})",
            {"region": region},
        )
    elif any(row["region"].lower() == region and row.get("full") for row in rows or ()):
        account.notes.add(f"! the cloud reports that region {region} is out of capacity: a creation there may not complete")


def _names(rows: list[dict[str, Any]]) -> list[str]:
    """Returns the names of regions, and of their zones, where clusters can be in a zone."""
    return [str(name) for row in rows for name in (row["region"], *row.get("zones", ()))]


def _own_region(manifest: Any) -> str:  # of any kind
    return references.own_region(manifest).lower()


def _sizes(subject: subjects.Subject, account: lists.Lists) -> Iterator[problems.Problem]:
    for resource, pool in subjects.pools(subject.target).items():
        if not subject.is_changed(resource, functools.partial(_size, resource), ("size",)):
            continue
        sizes = account.sizes()
        if sizes is None:
            return
        yield from _size_problem(subject, pool, sizes)


def _places(subject: subjects.Subject, account: lists.Lists) -> Iterator[problems.Problem]:
    """Yields the values that the zones of a resource do not offer; its region may."""
    kind = subject.kind
    if not kind.declared.offers or (subject.plan is not None and kind.main not in subject.changes):
        return
    check: Callable[[clouds.Cloud, Any], Iterable[entries.Refusal]] = pkgutil.resolve_name(kind.declared.offers)
    for refusal in account.refusals(check, subject.target) or ():
        yield problems.Problem(refusal.path, refusal.text, refusal.rule, refusal.hint)


def _size(resource: str, manifest: Any) -> str:  # a manifest of any kind
    pool = subjects.pools(manifest).get(resource)
    return "" if pool is None else pool.size.lower()


def _size_problem(subject: subjects.Subject, pool: subjects.Pool, sizes: dict[str, dict[str, Any]]) -> Iterator[problems.Problem]:
    command = f"planton sizes --provider {subject.provider}"
    by_name = {name.lower(): row for name, row in sizes.items()}
    row = by_name.get(pool.size.lower())
    if row is None:
        listed = problems.offered(pool.size, sizes, command=command)
        yield problems.Problem(
            pool.size_path,
            f"size {pool.size!r} is not offered for nodes; offered: {listed}",
            "cloud.size_offered",
            f"write one of the sizes offered ({command})",
            {"size": pool.size},
        )
        return
    regions = row.get("regions")
    if regions is None or not subject.region or subject.region in regions:
        return
    here = [name for name, other in sizes.items() if subject.region in (other.get("regions") or ())]
    listed = problems.offered(pool.size, here, command=f"{command} --region {subject.region}")
    yield problems.Problem(
        pool.size_path,
        f"size {pool.size!r} is not offered in {subject.region}, but in: {', '.join(regions) or 'no region'}; "
        f"offered in {subject.region}: {listed}",
        "cloud.size_offered_in_region",
        f"write a size that is offered in {subject.region} ({command} --region {subject.region})",
        {"size": pool.size, "region": subject.region},
    )


def _version(subject: subjects.Subject, account: lists.Lists) -> Iterator[problems.Problem]:
    properties = ("kubernetesVersion", "version", "minMasterVersion")
    version = operator.attrgetter("spec.kubernetes_version")
    if not subject.kind.is_cluster or not version(subject.target) or not subject.is_changed("cluster", version, properties):
        return
    spec = subject.target.spec
    cloud = subject.kind.cloud
    upgrade = upgrades.Upgrade(
        _running(subject, account), spec.kubernetes_version, getattr(spec, "auto_upgrade", False), cloud.requires_newest_patch
    )
    is_kept = upgrade.keeps_version or (cloud.completes_versions and _begins(upgrade.running, spec.kubernetes_version))
    rows = None if is_kept else account.versions()
    if rows is None:
        return
    type_ = getattr(spec, "cluster_type", "")
    names = list(dict.fromkeys(str(row["version"]) for row in rows if not type_ or row["type"] == type_))
    if cloud.completes_versions:
        newest = next((name for name in names if _begins(name, spec.kubernetes_version)), spec.kubernetes_version)
        upgrade = dataclasses.replace(upgrade, written=newest)
    if upgrade.version not in names:
        where = f"for clusterType {type_}" if type_ else f"by {cloud.spoken}"
        error = upgrades.not_offered(spec.kubernetes_version, names, where=where, path=_VERSION, provider=subject.provider)
        yield problems.Problem(_VERSION, error.message, "cloud.version_offered", error.hint, error.metadata)
        return
    refused = upgrade.refusal(names)
    if refused is None and upgrade.running:
        # The cloud's list for this cluster is more precise than the general rules.
        refused = upgrade.refusal(names, targets=account.upgrades(subject.cluster_id))
    if refused is not None:
        metadata = {"running": upgrade.running, "version": upgrade.version}
        yield problems.Problem(_VERSION, refused.text, "cloud.upgrade_allowed", refused.hint, metadata)


def _begins(name: str, version: str) -> bool:
    return name.startswith((f"{version}.", f"{version}-"))


def _running(subject: subjects.Subject, account: lists.Lists) -> str:
    clusters = account.existing("cluster") if subject.cluster_id else None
    cluster = next((each for each in clusters or () if each.id == subject.cluster_id), None)
    version = "" if cluster is None else upgrades.spelling(cluster.version)
    return upgrades.of_distribution(version, getattr(subject.target.spec, "cluster_type", ""))
