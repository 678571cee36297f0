"""Kubernetes versions at Civo: both spellings are read, and one that the cloud does not offer is refused before anything is made."""

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
    """Returns the manifest's version as the cloud writes it, and says what kind of upgrade it is.

    A version that is no longer offered stays good for the cluster that runs it.

    Raises:
        PlantonError: ``NOT_OFFERED``, with those offered; ``UPGRADE_REFUSED``.
    """
    spec = target.spec
    wanted = upgrades.spelling(spec.kubernetes_version)
    running = upgrades.spelling(provider.running_version(target, account))
    if _type(running) != spec.cluster_type:
        # Another type means another cluster.
        running = ""
    names = [
        version.version
        for version in pulumi_civo.get_kubernetes_version(opts=account.invoke).versions
        if _type(version.version) == spec.cluster_type
    ]
    if wanted not in (*names, running):
        where = f"for clusterType {spec.cluster_type} in {account.region}"
        raise upgrades.not_offered(spec.kubernetes_version, names, where=where, path=_PATH, provider="civo")
    note = upgrades.check(running, wanted, names, path=_PATH)
    if note:
        pulumi.log.warn(note)
    return wanted


def _type(version: str) -> str:
    return "talos" if version.startswith("talos") else "k3s"
