"""Creates an environment, scales a node pool and destroys everything. See docs/extend/sdk.md."""

import pathlib

import planton
from org.project_planton.provider.civo.civokubernetesnodepool.v1 import api_pb2

MANIFESTS = pathlib.Path(__file__).parents[1] / "civo-dev"


def spot_pool(nodes: int) -> api_pb2.CivoKubernetesNodePool:
    """Returns a node pool of the cluster in ../civo-dev, built in Python."""
    pool = api_pb2.CivoKubernetesNodePool(api_version="civo.project-planton.org/v1", kind="CivoKubernetesNodePool")
    pool.metadata.name, pool.metadata.env = "spot", "dev"
    pool.spec.node_pool_name, pool.spec.size, pool.spec.node_count = "spot", "g4s.kube.small", nodes
    pool.spec.cluster.value_from.name = "dev-cluster"
    return pool


def main() -> None:
    """Creates, scales and destroys an environment in the account of this shell."""
    settings = planton.configure(progress=print)
    environment = planton.load([MANIFESTS, spot_pool(1)])

    # A plan reads the cloud and changes nothing.
    plan = planton.plan(environment, settings=settings)
    for step in plan.steps:
        print(step.key, [str(change.action) for change in step.plan.changes])

    # This consent covers creations and updates. It never covers the loss of a cluster or a pool.
    result = planton.apply(plan, consent=planton.Consent(changes=True))
    print("cluster:", result.outputs("CivoKubernetesCluster/dev-cluster").cluster_id)

    planton.apply([MANIFESTS, spot_pool(3)], consent=planton.Consent(changes=True), settings=settings)
    print("nodes:", planton.outputs("CivoKubernetesNodePool/spot", settings=settings).node_count)

    planton.destroy(environment, consent=planton.Consent(deletions=True), settings=settings)
    print("left:", planton.drift(environment, settings=settings)[0].error)


if __name__ == "__main__":
    main()
