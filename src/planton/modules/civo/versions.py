"""Kubernetes versions at Civo: both spellings are read, and one that the cloud does not offer is refused before anything is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi_civo

from planton import errors

if TYPE_CHECKING:
    from org.project_planton.provider.civo.civokubernetescluster.v1 import spec_pb2
    from planton.modules.civo import provider


def normalise(text: str) -> str:
    """Returns a version as the cloud writes it: ``1.29.0+k3s1`` and ``v1.29.0-k3s1`` become ``1.29.0-k3s1``."""
    return text.strip().removeprefix("v").replace("+", "-")


def offered(spec: spec_pb2.CivoKubernetesClusterSpec, account: provider.Account) -> str:
    """Returns the manifest's version as the cloud writes it.

    A version that is no longer offered stays good for the cluster that runs it.

    Raises:
        PlantonError: ``NOT_OFFERED``, with those offered.
    """
    wanted = normalise(spec.kubernetes_version)
    of_type = [
        version
        for version in pulumi_civo.get_kubernetes_version(opts=account.invoke).versions
        if _type(version.version) == spec.cluster_type
    ]
    names = [version.version for version in of_type]
    if wanted in names or wanted == _running(spec.cluster_name, account):
        return wanted
    listed = ", ".join(sorted(names, key=_order, reverse=True)) or "none"
    raise errors.PlantonError(
        f"Kubernetes version {spec.kubernetes_version!r} is not offered for {spec.cluster_type} in {account.region}; offered: {listed}",
        code=errors.Code.REFUSED,
        reason=errors.Reason.NOT_OFFERED,
        hint="write one of the versions offered in spec.kubernetesVersion (planton versions --provider civo)",
        metadata={"version": spec.kubernetes_version, "offered": ",".join(names)},
    )


def _running(name: str, account: provider.Account) -> str:
    try:
        cluster = pulumi_civo.get_kubernetes_cluster(name=name, region=account.region, opts=account.invoke)
    except Exception:  # noqa: BLE001  # pulumi raises a bare Exception; no such cluster is the usual case
        return ""
    return normalise(cluster.kubernetes_version or "") if cluster.name == name else ""


def _type(version: str) -> str:
    return "talos" if version.startswith("talos") else "k3s"


def _order(version: str) -> list[int]:
    digits = "".join(character if character.isdigit() else " " for character in version)
    return [int(number) for number in digits.split()]
