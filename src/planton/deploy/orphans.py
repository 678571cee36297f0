"""Orphans: clusters and node pools of an account that carry planton's labels, and that no state and no object of the API has."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from planton import clouds
from planton.clouds import views
from planton.config import credentials
from planton.engine import states
from planton.modules import labels
from planton.recovery import observed
from planton.schema import kinds, providers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from google.protobuf import message

    from planton.deploy import runtime


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Orphan:
    """A cluster or a node pool that carries planton's labels, and that nothing manages.

    Attributes:
        provider: The cloud, e.g. ``civo``.
        region: Its region or zone, in lower case.
        role: ``cluster`` or ``node pool``.
        name: Its name in the cloud.
        id: The cloud's id.
        cluster: The cloud's id of the cluster of a node pool; empty for a cluster.
        created: When it was created, RFC 3339; empty if the list does not say it.
        resource: ``KIND/NAME`` of the manifest that it was created for, by its labels.
        env: The environment of that manifest; may be empty.
        object_id: The id of the object of the NodePool API that it was created for, by its labels; empty for none.
    """

    provider: str
    region: str
    role: str
    name: str
    id: str
    cluster: str
    created: str
    resource: str
    env: str
    object_id: str

    def as_dict(self) -> dict[str, str]:
        """Returns the orphan as JSON data."""
        data = dataclasses.asdict(self)
        return {"objectId" if name == "object_id" else name: str(value) for name, value in data.items()}


@dataclasses.dataclass(frozen=True, slots=True)
class Search:
    """The result of a search.

    Attributes:
        orphans: The orphans, sorted by cloud and region.
        accounts: The searched accounts, each as a few words: cloud, source of the credential.
    """

    orphans: tuple[Orphan, ...]
    accounts: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class _Managed:
    """The ids of what states have: clusters, and node pools with the ids of their clusters."""

    clusters: frozenset[str]
    pools: frozenset[tuple[str, str]]


def search(run: runtime.Runtime, names: Collection[str] = (), *, objects: Iterable[str] = ()) -> Search:
    """Returns the orphans of accounts, with one list per account and region. Nothing is changed.

    Args:
        run: What every stage uses.
        names: The clouds; empty for those that the context or the environment has a credential of.
        objects: The ids of the objects of the NodePool API. Resources that were created for them are no orphans.

    Raises:
        PlantonError: ``CREDENTIAL_MISSING``: there is no account; ``CLOUD_…``: a list cannot be read; the backend failed.
    """
    accounts = _accounts(run, names)
    managed = _managed(state for _applied, state in run.inventory.all_with_states())
    ids = frozenset(each.lower() for each in objects)
    orphans = [
        orphan
        for provider, config in accounts.items()
        for region, cluster in _clusters(run, provider, config)
        for orphan in _of_cluster(provider, region, cluster, managed)
        if orphan.object_id.lower() not in ids
    ]
    sources = (credentials.variables_in(name, run.settings.environ) for name in accounts)
    usual = run.settings.context.credentials
    described = [
        f"{name}, {f'credential {usual[name]}' if usual.get(name) else source}"
        for name, source in zip(accounts, sources, strict=True)
    ]
    return Search(tuple(sorted(orphans)), tuple(described))


def _accounts(run: runtime.Runtime, names: Collection[str]) -> dict[str, message.Message]:
    settings = run.settings
    chosen = {
        name: credentials.from_environment(name, settings.environ, settings.context.credentials)
        for name in names or providers.names()
    }
    unset = [name for name, config in chosen.items() if not credentials.is_set(config)]
    if unset and (names or len(unset) == len(chosen)):
        raise credentials.missing(unset[0] if names else providers.default().name)
    return {name: config for name, config in chosen.items() if name not in unset}


def _managed(listed: Iterable[Mapping[str, Any]]) -> _Managed:
    clusters: set[str] = set()
    pools: set[tuple[str, str]] = set()
    for resource in (each for state in listed for each in states.cloud_resources(state)):
        id_ = str(resource["id"])
        if kinds.has_role(resource["type"], kinds.Role.NODE_POOL):
            pools.add((kinds.cluster_of(resource), id_))
        elif kinds.has_role(resource["type"], kinds.Role.CLUSTER):
            clusters.add(id_)
            pools.add((id_, _default_pool(resource)))
    return _Managed(frozenset(clusters), frozenset(pools))


def _default_pool(cluster: Mapping[str, Any]) -> str:
    """Returns the id of the default pool of a cluster in a state; empty if it has none."""
    declared = clouds.views_of_type(cluster["type"]).DEFAULT_POOL
    block = (cluster.get("outputs") or {}).get(declared.property) if declared is not None else None
    return str(block.get(declared.id_key) or "") if declared is not None and isinstance(block, dict) else ""


def _clusters(run: runtime.Runtime, provider: str, config: message.Message) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the clusters of an account, each with its region."""
    account = run.open_cloud(config, "")
    regions: Sequence[str] = ("",)
    if providers.get(provider).networks.are_regional:
        # The lists of such a cloud are those of a region.
        regions = [str(row["region"]) for row in account.account.regions()]
    for region in regions:
        cloud = account if not region else run.open_cloud(config, region)
        for cluster in cloud.clusters():
            yield str(region or cluster.get("region") or cluster.get("location") or "").lower(), cluster


def _of_cluster(provider: str, region: str, cluster: Mapping[str, Any], managed: _Managed) -> Iterator[Orphan]:
    """Yields a cluster that is an orphan; of another cluster, its node pools that are."""
    id_ = str(cluster["id"])
    if id_ not in managed.clusters and _is_marked(cluster):
        # Its pools are deleted with it.
        yield _orphan(provider, region, kinds.Role.CLUSTER, cluster)
        return
    for pool in observed.pools_of(cluster):
        if _is_marked(pool) and not managed.pools & {(id_, str(pool["id"])), ("", str(pool["id"]))}:
            yield dataclasses.replace(_orphan(provider, region, kinds.Role.NODE_POOL, pool), cluster=id_)


def _is_marked(entry: Mapping[str, Any]) -> bool:
    return views.labels(entry).get(labels.MARK) == labels.MARKED


def _orphan(provider: str, region: str, role: kinds.Role, entry: Mapping[str, Any]) -> Orphan:
    own = views.labels(entry)
    return Orphan(
        provider=provider,
        region=region,
        role=str(role),
        name=clouds.views_of(providers.get(provider)).name(entry),
        id=str(entry["id"]),
        cluster="",
        created=str(entry.get("created_at") or entry.get("createTime") or ""),
        resource="/".join(filter(None, (own.get(labels.KIND), own.get(labels.NAME)))),
        env=own.get(labels.ENV, ""),
        object_id=own.get(labels.ID, ""),
    )
