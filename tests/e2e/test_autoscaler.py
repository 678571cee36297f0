"""The cluster autoscaler that `planton apply` runs in Civo clusters."""

from __future__ import annotations

import json
from typing import Any

from support import planton as support
from support.worlds import Applied

MANAGED = ("get", "deployments,secrets,serviceaccounts", "-A", "-l", "app.kubernetes.io/managed-by=planton", "-o", "json")


def test_it_follows_the_autoscaled_pools(applied: Applied) -> None:
    """It comes with the first one, gets new bounds without an engine, and goes with the last one, as does the token."""
    planton = applied(support.network(), support.cluster())
    file = planton.write("pool.yaml", support.pool(autoScale=True, minNodes=1, maxNodes=4))
    planned = planton.run("plan", "-f", file)
    assert "install the cluster autoscaler of dev: (known after apply) 1 to 4 nodes" in planned.stdout
    done = planton.run("apply", "-f", file, "--yes")
    assert "installing the cluster autoscaler of dev: workers 1 to 4 nodes" in done.stderr
    kubeconfig = planton.run("kubeconfig", "civokubernetescluster/dev").stdout

    def managed() -> dict[str, Any]:
        items = json.loads(planton.sandbox.kubectl(kubeconfig, *MANAGED).stdout)["items"]
        return {item["kind"]: item for item in items}

    assert managed().keys() == {"Deployment", "Secret", "ServiceAccount"}
    assert planton.json("plan", "-f", file)["autoscalers"] == []
    planton.write(file, support.pool(autoScale=True, minNodes=1, maxNodes=6))
    saved, stale = str(planton.folder / "wider.plan"), str(planton.folder / "stale.plan")
    planned = planton.run("plan", "-f", file, "--out", saved)
    assert "update the cluster autoscaler of dev (args): workers 1 to 6 nodes" in planned.stdout
    planton.run("plan", "-f", file, "--out", stale)
    planton.run("apply", saved, "--yes")
    assert "planned update that of dev" in planton.run("apply", stale, "--yes", code=5).stderr
    [container] = managed()["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert "--nodes=1:6:workers" in container["args"]
    planton.write(file, support.pool())
    listed = planton.run("destroy", "civokubernetesnodepool/workers", code=5).stdout
    assert "1 to delete, 1 cluster autoscaler to remove" in listed
    ended = planton.run("apply", "-f", file, "--yes").stderr
    assert ended.index("removing the cluster autoscaler of dev") < ended.index("updating node_pool_size")
    assert managed() == {}
