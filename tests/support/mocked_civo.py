"""Civo as its modules see it in look-ups."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from support.mocked import CLUSTER_ID, FIREWALL_ID, NETWORK_ID, FailedCallError


@dataclasses.dataclass(frozen=True)
class Civo:
    """The resources of the mocked cloud that look-ups can return.

    Attributes:
        networks: Label → id.
        firewalls: Name → id.
        clusters: Name → (id, version).
        versions: The Kubernetes versions on offer.
        failure: The error of every look-up by name; empty for none.
        applications: Applications of every cluster: name → whether it is installed.
        own: The name of the stack's cluster; empty for none.
        later: Names of clusters after the first page, which the plugin does not read.
    """

    PROVIDER: ClassVar = "civo"

    networks: Mapping[str, str] = dataclasses.field(default_factory=lambda: {"net-a": NETWORK_ID})
    firewalls: Mapping[str, str] = dataclasses.field(default_factory=lambda: {"fw-a": FIREWALL_ID})
    clusters: Mapping[str, tuple[str, str]] = dataclasses.field(
        default_factory=lambda: {"old-cluster": (CLUSTER_ID, "1.22.2-k3s1")}
    )
    versions: tuple[str, ...] = ("1.30.5-k3s1", "1.29.8-k3s1", "talos-v1.5.0")
    applications: Mapping[str, bool] = dataclasses.field(default_factory=dict)
    failure: str = ""
    own: str = ""
    later: frozenset[str] = frozenset()

    def look_up(self, token: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the result of a provider function, or raises its error."""
        if token.endswith("getKubernetesVersion"):
            return {"id": "versions", "versions": [{"version": version, "label": version} for version in self.versions]}
        if self.failure:
            raise FailedCallError(self.failure)
        if token.endswith("getNetwork"):
            name, id_ = _partial(self.networks, args.get("label") or args.get("id", ""))
            return {"id": id_, "label": name, "name": f"cust-{name}", "region": args.get("region")}
        if token.endswith("getFirewall"):
            name, id_ = _partial(self.firewalls, args.get("name") or args.get("id", ""))
            return {"id": id_, "name": name, "region": args.get("region")}
        first_page = {name: id_ for name, (id_, _) in self.clusters.items() if name not in self.later}
        name, id_ = _partial(first_page, args.get("name") or args.get("id", ""))
        return {
            "id": id_,
            "name": name,
            "kubernetesVersion": self.clusters[name][1],
            "region": args.get("region"),
            "installedApplications": self._installed(),
        }

    def own_cluster(self) -> dict[str, Any] | None:
        """Returns the properties of the stack's cluster, or None."""
        if not self.own:
            return None
        id_, version = self.clusters[self.own]
        return {"id": id_, "name": self.own, "kubernetesVersion": version}

    def make(self, noun: str, name: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Returns the ID of a new resource and the properties that the cloud adds."""
        id_ = str(inputs.get("label", name)) if noun == "KubernetesNodePool" else f"id-of-{name}"
        if noun == "Network":
            return id_, {"cidrV4": inputs.get("cidrV4", "192.168.1.0/24")}
        if noun == "KubernetesCluster":
            return id_, self._cluster(inputs)
        if noun == "Resource":
            return id_, {"actual_node_count": 3, "node_ids": ["n-1", "n-2", "n-3"], "node_names": ["a", "b", "c"]}
        return id_, {}

    def _cluster(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "kubeconfig": "apiVersion: v1\n",
            "apiEndpoint": "https://10.0.0.1:6443",
            "createdAt": "2026-11-21 07:02:38 +0000 UTC",
            "status": "ACTIVE",
            "pools": {**inputs["pools"], "instanceNames": ["k3s-node-1"]},
            "installedApplications": self._installed(),
        }

    def _installed(self) -> list[dict[str, Any]]:
        return [
            {"application": name, "installed": is_installed, "version": "1", "category": "x"}
            for name, is_installed in self.applications.items()
        ]


def _partial(ids_by_name: Mapping[str, str], text: str) -> tuple[str, str]:
    # The official client prefers an exact name or ID, and otherwise accepts a single partial match.
    for matches in (
        [(name, id_) for name, id_ in ids_by_name.items() if text in (name, id_)],
        [(name, id_) for name, id_ in ids_by_name.items() if text in name or text in id_],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise FailedCallError(f"MultipleMatchesError: unable to find {text} because there were multiple matches")
    raise FailedCallError(f"ZeroMatchesError: unable to find {text}, zero matches\nand a second line")
