"""The cluster autoscaler that `planton apply` runs in Civo clusters."""

from __future__ import annotations

import json
from typing import Any

from support import planton as support

MANAGED = ("get", "deployments,secrets,serviceaccounts", "-A", "-l", "app.kubernetes.io/managed-by=planton", "-o", "json")


def test_it_follows_the_autoscaled_pools(planton: support.Planton) -> None:
    """It comes with the first one, gets new bounds without an engine, and goes with the last one, as does the token."""
    network, cluster = support.network(), support.cluster()
    file = planton.write("all.yaml", network, cluster, support.pool(autoScale=True, minNodes=1, maxNodes=4))
    applied = planton.run("apply", "-f", file, "--yes")
    assert "installing the cluster autoscaler of dev: workers 1 to 4 nodes" in applied.stderr
    kubeconfig = planton.run("kubeconfig", "civokubernetescluster/dev").stdout

    def managed() -> dict[str, Any]:
        items = json.loads(planton.sandbox.kubectl(kubeconfig, *MANAGED).stdout)["items"]
        return {item["kind"]: item for item in items}

    assert managed().keys() == {"Deployment", "Secret", "ServiceAccount"}
    planton.write("all.yaml", network, cluster, support.pool(autoScale=True, minNodes=1, maxNodes=6))
    planton.run("apply", "-f", file, "--yes")
    [container] = managed()["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert "--nodes=1:6:workers" in container["args"]
    planton.write("all.yaml", network, cluster, support.pool())
    planton.run("apply", "-f", file, "--yes")
    assert managed() == {}
