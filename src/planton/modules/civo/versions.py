"""Kubernetes versions at Civo, in both spellings. A version that the cloud does not offer is refused before any request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
import pulumi_civo

from planton.modules import upgrades
from planton.modules.civo import provider

if TYPE_CHECKING:
    from org.project_planton.provider.civo.civokubernetescluster.v1 import api_pb2

_PATH = "spec.kubernetesVersion"


def offered(target: api_pb2.CivoKubernetesCluster, account: provider.Account) -> str:
    """Returns the manifest's version in the cloud's spelling, and logs the kind of the upgrade.

    A cluster may keep its version after the cloud has stopped offering it.

    Raises:
        PlantonError: ``NOT_OFFERED``, with those offered; ``UPGRADE_REFUSED``.
    """
    spec = target.spec
    running = upgrades.of_distribution(upgrades.spelling(provider.running_version(target, account)), spec.cluster_type)
    upgrade = upgrades.Upgrade(running, spec.kubernetes_version)
    names = [
        version.version
        for version in pulumi_civo.get_kubernetes_version(opts=account.invoke).versions
        if upgrades.distribution(version.version) == spec.cluster_type
    ]
    if upgrade.version not in (*names, running):
        where = f"for clusterType {spec.cluster_type} in {account.region}"
        raise upgrades.not_offered(spec.kubernetes_version, names, where=where, path=_PATH, provider="civo")
    note = upgrade.check(names, path=_PATH)
    if note:
        pulumi.log.warn(note)
    return upgrade.version
