"""Queries of a cloud's own API that no plugin answers reliably: existing resources, and offers.

The engine checks with the cloud before it trusts a plugin that a resource is missing. It creates only the default pool of a
cluster, which no plugin recreates.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from typing import TYPE_CHECKING, Any, Protocol

from planton.schema import providers

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable, Mapping

    from planton.clouds import answers, api, associated, entries, views

#: A distribution can add clouds: Python finds them in the folder ``planton/clouds`` of every entry of its path.
__path__ = pkgutil.extend_path(__path__, __name__)


class Cloud(Protocol):
    """An account at a cloud, in a region where the cloud has regions in its accounts."""

    #: The name of its declaration, e.g. ``civo``.
    PROVIDER: str
    #: Where it looks, for sentences, e.g. ``LON1``.
    where: str
    #: The address of its API.
    address: str

    def clusters(self) -> list[dict[str, Any]]:
        """Returns the clusters, each with at least ``id`` and ``name``."""
        ...

    def cluster(self, id_: str) -> dict[str, Any] | None:
        """Returns a cluster with its pools in the cloud's own form, or None."""
        ...

    def create_pool(self, cluster_id: str, body: Mapping[str, Any]) -> None:
        """Creates a pool in a cluster; the body is in the cloud's own form."""
        ...

    def remove_node(self, cluster_id: str, pool_id: str, name: str, *, replace: bool = False) -> bool:
        """Removes a node from a pool by its name in Kubernetes. Returns whether the pool had it.

        Args:
            cluster_id: The cluster.
            pool_id: The pool, whose number of nodes decreases.
            name: The node.
            replace: Whether the cloud adds a new node in its place, so that the number of nodes stays.

        Raises:
            PlantonError: ``CLOUD_AUTH``; ``CLOUD_IN_USE``; ``CLOUD_FAILED``; ``CLOUD_UNREACHABLE``.
        """
        ...

    def building(self, cluster_id: str) -> bool:
        """Returns whether a cluster exists and is being created, upgraded or scaled."""
        ...

    def exists(self, type_: str, id_: str, cluster_id: str = "") -> bool:
        """Returns whether a resource of a Pulumi type is in the cloud."""
        ...

    def find(self, type_: str, name: str, cluster_id: str = "") -> str | None:
        """Returns the import id of a resource of a Pulumi type by its exact name, or None."""
        ...

    def raw_list(self, type_: str) -> list[dict[str, Any]]:
        """Returns all resources of a Pulumi type, as the API returns them; pools are in their clusters."""
        ...

    def pool_import_id(self, cluster_id: str, text: str) -> str:
        """Returns the import id of a pool of a cluster, by the id or the name that the user wrote."""
        ...

    @property
    def account(self) -> Cloud:
        """The account without a region, for lists that are the same in all regions."""
        ...

    def listed(self, noun: str) -> list[entries.Entry]:
        """Returns the ``network``s, ``firewall``s or ``cluster``s of all pages, with the node pools of clusters."""
        ...

    def upgrades(self, cluster_id: str) -> list[str] | None:
        """Returns the versions that a cluster can be upgraded to; None if the cloud does not report them."""
        ...

    def quotas(self) -> dict[str, entries.Quota]:
        """Returns the account's quotas by subject, e.g. ``nodes``, as far as the cloud reports them."""
        ...

    def network_regions(self) -> list[str]:
        """Returns the names of the regions in which networks can be created, in the cloud's spelling."""
        ...

    def names(self, noun: str) -> list[str]:
        """Returns the names of all ``network``s, ``firewall``s or ``cluster``s, sorted."""
        ...

    def versions(self) -> list[dict[str, Any]]:
        """Returns the Kubernetes versions on offer: version, type, channel, default."""
        ...

    def sizes(self) -> list[dict[str, Any]]:
        """Returns the node sizes on offer: size, cpus, memory in MiB, disk in GiB, price in US dollars per month and regions.

        Price and regions are None if they are unknown.
        """
        ...

    def regions(self) -> list[dict[str, Any]]:
        """Returns the regions: region, name, country, full."""
        ...

    def leftovers(self, cluster_id: str) -> list[associated.Item]:
        """Returns the items of a cluster's workloads, sorted; none if the cluster does not exist."""
        ...

    def deleting_leftovers(self, cluster_id: str, items: tuple[associated.Item, ...]) -> contextlib.AbstractContextManager[None]:
        """Deletes items with their cluster. The block of the context manager deletes the cluster.

        Raises:
            PlantonError: The cloud refuses, or did not answer; the error names the remaining items.
        """
        ...

    def api_server_rule(self, cluster_id: str) -> str:
        """Returns which rule decides who reaches a cluster's API server, as text; empty if it is unknown."""
        ...

    def credential(self, cluster_id: str) -> api.Credential | None:
        """Returns a valid credential of a cluster; None if the cluster does not exist, or has no credential yet."""
        ...


def of(config: Any, region: str = "") -> Cloud:  # a provider config of any cloud
    """Returns the cloud of a provider config, in a region or else in the config's default."""
    connect: Callable[[Any, str], Cloud] = pkgutil.resolve_name(providers.of_config(config.DESCRIPTOR.name).client)
    return connect(config, region)


def provider_of(config: Any) -> str:  # a provider config of any cloud
    """Returns the name of the cloud of a provider config, e.g. ``civo``."""
    return providers.of_config(config.DESCRIPTOR.name).name


def is_resource(type_: str) -> bool:
    """Returns whether the resources of a Pulumi type exist in a cloud."""
    return providers.of_type(type_) is not None


def views_of(provider: providers.Provider) -> views.Views:
    """Returns the views of a cloud."""
    loaded: views.Views = importlib.import_module(provider.views)
    return loaded


def views_of_type(type_: str) -> views.Views:
    """Returns the views of the cloud of a Pulumi type.

    Raises:
        LookupError: The type is of no cloud.
    """
    provider = providers.of_type(type_)
    if provider is None:
        raise LookupError(type_)
    return views_of(provider)


def remembering(cloud: Cloud, cache: answers.Answers) -> Cloud:
    """Returns a cloud that reuses the answers of a run, and sends only new requests."""
    return dataclasses.replace(cloud, answers=cache)  # type: ignore[type-var]  # each cloud is a dataclass


def credentials_expire(provider: str) -> bool:
    """Returns whether kubeconfigs of a cloud's clusters expire."""
    return providers.get(provider).credentials_expire
