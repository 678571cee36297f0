"""The cluster autoscaler that planton installs in clusters of clouds without one."""

from __future__ import annotations

import copy
import dataclasses
import json
from types import SimpleNamespace
from typing import Any

import pytest

from org.project_planton.provider.civo import provider_pb2
from org.project_planton.provider.civo.civokubernetescluster.v1 import api_pb2 as cluster_pb2
from org.project_planton.provider.civo.civokubernetesnodepool.v1 import api_pb2 as pool_pb2
from planton import errors
from planton.base import web
from planton.clouds import kubeconfigs, kubernetes
from planton.clouds.civo import client
from planton.deploy import autoscaler_plans, autoscalers, steps
from planton.modules.civo import cluster_autoscaler
from planton.schema import references

DEPLOYMENT = "/apis/apps/v1/namespaces/kube-system/deployments/cluster-autoscaler"
KUBECONFIG = """
clusters: [{name: dev, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: admin, user: {token: secret-token}}]
"""


@dataclasses.dataclass
class Cluster:
    """The Kubernetes API of a cluster, in memory.

    Attributes:
        objects: Path → object.
        changes: Method and path of each change.
        refusal: The status of each answer, if it is not 0.
    """

    objects: dict[str, Any] = dataclasses.field(default_factory=dict)
    changes: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    refusal: int = 0

    def connect(self, entry: kubeconfigs.Entry) -> kubernetes.Api:
        """Returns a client of this API."""
        return kubernetes.Api(entry, send=self.send)

    def send(self, method: str, url: str, *, headers: Any, body: bytes | None, context: Any) -> web.Answer:
        """Responds to a request."""
        assert headers["Authorization"] == "Bearer secret-token"
        assert context is None
        path = url.removeprefix("http://127.0.0.1:1").partition("?")[0]
        if self.refusal:
            return web.Answer(self.refusal, {}, b'{"message": "no access"}')
        if method != "GET":
            self.changes.append((method, path))
        if method == "PATCH":
            assert headers["Content-Type"] == "application/apply-patch+yaml"
            assert "fieldManager=planton&force=true" in url
            self.objects[path] = json.loads(body or b"")
        present = self.objects.pop(path, None) if method == "DELETE" else self.objects.get(path)
        return web.Answer(404 if present is None else 200, {}, json.dumps(present).encode())

    @property
    def arguments(self) -> list[str]:
        """The bounds in the arguments of the autoscaler."""
        container = self.objects[DEPLOYMENT]["spec"]["template"]["spec"]["containers"][0]
        return [argument for argument in container["args"] if argument.startswith("--nodes")]


def pool(name: str = "workers", *, scaled: bool = True, bounds: tuple[int, int] = (1, 5)) -> Any:
    """Returns an applied pool."""
    manifest = pool_pb2.CivoKubernetesNodePool(kind="CivoKubernetesNodePool", metadata={"name": name})
    manifest.spec.cluster.value = "cluster-1"
    manifest.spec.auto_scale = scaled
    manifest.spec.min_nodes, manifest.spec.max_nodes = bounds
    manifest.status.outputs.node_pool_id = name
    return manifest


def cluster(*pools: str) -> Any:
    """Returns an applied cluster with autoscaled additional pools."""
    manifest = cluster_pb2.CivoKubernetesCluster(kind="CivoKubernetesCluster", metadata={"name": "dev"})
    manifest.status.outputs.cluster_id = "cluster-1"
    for name in pools:
        manifest.spec.additional_node_pools.add(name=name, auto_scale=True, min_nodes=2, max_nodes=4)
    return manifest


def step(manifest: Any, *, before: Any = None, **more: Any) -> steps.Step:
    """Returns the step of an applied manifest."""
    stack_input = SimpleNamespace(provider_config=provider_pb2.CivoProviderConfig(api_token="t"), target=manifest)
    applied: Any = None if before is None else SimpleNamespace(manifest=before)
    return steps.Step(references.key(manifest), "s", stack_input=stack_input, provided=manifest, applied=applied, **more)


@dataclasses.dataclass
class Run:
    """What the stages use: applied resources, a cloud, and lines of progress."""

    manifests: list[Any]
    lines: list[str] = dataclasses.field(default_factory=list)
    token: str = "t"
    version: str = "1.30.5-k3s1"
    applications: tuple[dict[str, Any], ...] = ()

    @property
    def inventory(self) -> Any:
        """The applied resources."""
        entries = [
            SimpleNamespace(
                complete=True,
                cluster="cluster-1",
                identity="cluster-1" if each.kind == "CivoKubernetesCluster" else "",
                manifest=each,
                key=references.key(each),
            )
            for each in self.manifests
        ]
        return SimpleNamespace(all=lambda: entries)

    @property
    def settings(self) -> Any:
        """The settings."""
        return SimpleNamespace(progress=self.lines.append)

    def open_cloud(self, _config: Any, _region: str) -> Any:
        """Returns the cloud."""
        there = {
            "id": "cluster-1",
            "name": "dev",
            "kubernetes_version": self.version,
            "installed_applications": self.applications,
        }
        return SimpleNamespace(
            region="LON1",
            address="https://api.example",
            token=self.token,
            cluster=lambda id_: there if id_ == "cluster-1" else None,
            credential=lambda _id: SimpleNamespace(kubeconfig=KUBECONFIG),
        )


def fit(kubernetes_api: Cluster, run: Run, *done: steps.Step, are_deleted: bool = False) -> list[steps.Step]:
    """Installs, updates or removes the autoscaler after these steps."""
    return autoscalers.fit(list(done), run, are_deleted=are_deleted, connect=kubernetes_api.connect)  # type: ignore[arg-type]


def test_the_first_autoscaled_pool_installs_the_autoscaler() -> None:
    """The Deployment has the id of the pool, and all its objects exist."""
    api, run = Cluster(), Run([pool(), pool("other", scaled=False), cluster("spot")])
    fit(api, run, step(pool()))
    assert api.arguments == ["--nodes=2:4:spot", "--nodes=1:5:workers"]
    kinds = [each["kind"] for each in api.objects.values()]
    assert sorted(kinds) == [
        *("ClusterRole", "ClusterRoleBinding", "Deployment", "Role", "RoleBinding", "Secret", "ServiceAccount"),
    ]
    assert run.lines == ["  installing the cluster autoscaler of dev: spot 2 to 4 nodes, workers 1 to 5 nodes"]


def test_an_up_to_date_autoscaler_is_not_changed() -> None:
    """Defaults that Kubernetes adds are ignored."""
    api, run = Cluster(), Run([pool()])
    fit(api, run, step(pool()))
    api.changes.clear()
    api.objects[DEPLOYMENT]["spec"]["progressDeadlineSeconds"] = 600
    fit(api, run, step(pool()))
    assert api.changes == []


@pytest.mark.parametrize(
    "change",
    [{"manifests": [pool(bounds=(1, 9))]}, {"token": "rotated"}, {"version": "1.31.2-k3s1"}],
    ids=["bounds", "token", "version"],
)
def test_changes_of_bounds_token_and_version_update_the_autoscaler(change: dict[str, Any]) -> None:
    """Each of them starts a new pod."""
    api, run = Cluster(), Run([pool()])
    fit(api, run, step(pool()))
    before = copy.deepcopy(api.objects[DEPLOYMENT]["spec"]["template"])
    fit(api, dataclasses.replace(run, **change), step(pool()))
    assert api.objects[DEPLOYMENT]["spec"]["template"] != before


@pytest.mark.parametrize("scaled", [False, None], ids=["no longer autoscaled", "destroyed"])
def test_the_last_autoscaled_pool_removes_the_autoscaler(scaled: bool | None) -> None:
    """The Secret with the token is deleted too."""
    api = Cluster()
    fit(api, Run([pool()]), step(pool()))
    if scaled is None:
        fit(api, Run([]), step(pool(), before=pool()), are_deleted=True)
    else:
        fit(api, Run([pool(scaled=False)]), step(pool(scaled=False), before=pool()))
    assert api.objects == {}


def test_another_autoscaled_pool_keeps_the_autoscaler() -> None:
    """Only the bounds of the destroyed pool are removed."""
    api = Cluster()
    fit(api, Run([pool(), pool("spot")]), step(pool()))
    fit(api, Run([pool("spot")]), step(pool(), before=pool()), are_deleted=True)
    assert api.arguments == ["--nodes=1:5:spot"]


def test_the_api_of_a_destroyed_cluster_is_not_called() -> None:
    """Its API server no longer exists."""
    api = Cluster(refusal=500)
    destroyed = [step(pool(), before=pool()), step(cluster("spot"), before=cluster("spot"))]
    assert [each.error for each in fit(api, Run([]), *destroyed, are_deleted=True)] == [None, None]


@pytest.mark.parametrize("manifest", [pool(scaled=False), cluster()])
def test_the_api_of_a_cluster_without_autoscaled_pools_is_not_called(manifest: Any) -> None:
    """It may be unreachable from this machine."""
    api = Cluster(refusal=500)
    assert fit(api, Run([manifest]), step(manifest, before=manifest))[0].error is None


def release(api: Cluster, run: Run, *kept: steps.Step) -> None:
    """Prepares the autoscalers for an apply of these steps."""
    autoscaler_plans.release(kept, run, autoscaler_plans.Reading(connect=api.connect))  # type: ignore[arg-type]


def test_an_autoscaler_loses_a_pool_before_the_apply_sets_its_number_of_nodes() -> None:
    """Otherwise it would set the number again, and the apply would not be the last one. Other pools keep their bounds."""
    api, run = Cluster(), Run([pool(), pool("spot")])
    fit(api, run, step(pool()))
    release(api, run, step(pool(scaled=False), before=pool()), step(pool("spot", bounds=(2, 9)), before=pool("spot")))
    assert api.arguments == ["--nodes=1:5:spot"]
    release(api, Run([pool("spot")]), step(pool("spot", scaled=False), before=pool("spot")))
    assert api.objects == {}


def test_an_autoscaler_that_cannot_be_changed_first_does_not_stop_the_apply() -> None:
    """The end of the apply reports it. Without a pool that ends, nothing is called."""
    api, run = Cluster(refusal=403), Run([pool()])
    release(api, run, step(pool(scaled=False), before=pool()))
    release(api, run, step(pool(bounds=(2, 9)), before=pool()), step(pool("new", scaled=False)))
    assert run.lines == []


def test_a_foreign_autoscaler_is_not_changed() -> None:
    """An example is that of the cloud's marketplace."""
    api, run = Cluster(), Run([pool()])
    api.objects[DEPLOYMENT] = {"metadata": {"labels": {"app": "cluster-autoscaler"}}}
    fit(api, run, step(pool()))
    fit(api, Run([]), step(pool(), before=pool()), are_deleted=True)
    assert api.changes == []
    assert "installed by someone else" in run.lines[0]


def test_an_autoscaler_of_the_marketplace_excludes_ours() -> None:
    """Two autoscalers would contradict each other."""
    entry = {"name": "civo-cluster-autoscaler", "installed": True}
    assert cluster_autoscaler.is_foreign({"installed_applications": [entry]})
    assert not cluster_autoscaler.is_foreign({"installed_applications": [{"name": "metrics-server"}]})
    api = Cluster(refusal=500)
    assert fit(api, Run([pool()], applications=(entry,)), step(pool()))[0].error is None


def test_a_failure_is_reported_at_the_pools() -> None:
    """The error names the cluster and the next command. Other resources are not affected."""
    api = Cluster(refusal=403)
    failed, other = fit(api, Run([pool()]), step(pool()), step(pool("plain", scaled=False)))
    assert failed.error is not None
    assert failed.error.reason is errors.Reason.API_SERVER_CLOSED
    assert "the autoscaler of cluster cluster-1 could not be set" in failed.error.message
    assert "403 no access" in failed.error.message
    assert other.error is None


def test_a_failed_step_does_not_change_the_autoscaler() -> None:
    """The next apply completes both."""
    api = Cluster()
    error = errors.PlantonError("x", reason=errors.Reason.CLOUD_FAILED)
    fit(api, Run([pool()]), step(pool(), error=error))
    assert api.changes == []


def planned(api: Cluster, run: Run, *kept: steps.Step, deleted: tuple[steps.Step, ...] = (), reads: bool = True) -> list[str]:
    """Returns the changes of autoscalers in a plan of these steps."""
    reading = autoscaler_plans.Reading(reads, api.connect)
    return [str(change) for change in autoscaler_plans.changes(kept, deleted, run, reading)]  # type: ignore[arg-type]


def test_a_plan_shows_the_changes_that_the_apply_makes() -> None:
    """Installation, new bounds, another token, removal; and nothing where nothing changes. A plan only reads."""
    api, first = Cluster(), Run([cluster("spot")])
    assert planned(api, first, step(pool())) == ["install the cluster autoscaler of dev: spot 2 to 4 nodes, workers 1 to 5 nodes"]
    assert api.changes == []
    run = Run([cluster("spot"), pool()])
    fit(api, run, step(pool()))
    api.changes.clear()
    assert planned(api, run, step(pool(), before=pool())) == []
    wider = pool(bounds=(1, 9))
    [bounds] = planned(api, run, step(wider, before=pool()))
    assert bounds == "update the cluster autoscaler of dev (args): spot 2 to 4 nodes, workers 1 to 9 nodes"
    [token] = planned(api, dataclasses.replace(run, token="rotated"), step(pool(), before=pool()))
    assert token.startswith(f"update the cluster autoscaler of dev ({cluster_autoscaler.HASH}): ")
    only = Run([pool()])
    gone = "remove the cluster autoscaler of dev: no pool is autoscaled any longer"
    assert planned(api, only, step(pool(scaled=False), before=pool())) == [gone]
    assert planned(api, only, deleted=(step(pool(), before=pool()),)) == [gone]
    assert api.changes == []


def test_a_plan_shows_the_image_of_the_version_that_it_upgrades_to() -> None:
    """The upgrade is part of the same apply."""
    api, run = Cluster(), Run([cluster("spot")])
    fit(api, run, step(cluster("spot")))
    upgraded = cluster("spot")
    upgraded.spec.kubernetes_version = "1.31.2-k3s1"
    [change] = planned(api, run, step(upgraded, before=cluster("spot")))
    assert "(image)" in change


def test_a_plan_of_a_new_cluster_shows_its_autoscaler() -> None:
    """Neither the cluster nor the ids of its pools are known yet."""
    new = cluster("spot")
    new.ClearField("status")
    provided: Any = references.unknown_outputs(new)
    fresh = dataclasses.replace(step(new), provided=provided)
    own = pool()
    own.spec.cluster.value = provided.status.outputs.cluster_id
    own.status.outputs.node_pool_id = ""
    workers = dataclasses.replace(step(own), provided=references.unknown_outputs(own))
    assert planned(Cluster(refusal=500), Run([]), fresh, workers) == [
        "install the cluster autoscaler of dev: (known after apply) 1 to 5 nodes, spot 2 to 4 nodes"
    ]


def test_a_plan_that_cannot_read_the_cluster_shows_what_follows_from_the_manifests() -> None:
    """And why."""
    api, run = Cluster(refusal=403), Run([pool()])
    [change] = planned(api, run, step(pool(bounds=(1, 9)), before=pool()))
    assert change.startswith("update the cluster autoscaler of cluster-1: workers 1 to 9 nodes; the cluster could not be read: ")
    assert planned(api, run, step(pool(), before=pool())) == []
    [unread] = planned(api, run, step(pool(bounds=(1, 9)), before=pool()), reads=False)
    assert "could not be read" not in unread


def test_a_plan_shows_nothing_of_a_deleted_cluster() -> None:
    """Its autoscaler goes with it."""
    api, both = Cluster(refusal=500), Run([cluster("spot"), pool()])
    gone = (step(pool(), before=pool()), step(cluster("spot"), before=cluster("spot")))
    assert planned(api, both, deleted=gone) == []


def objects(**more: Any) -> dict[str, Any]:
    """Returns the objects of an autoscaler by kind."""
    cloud = client.Cloud(token="the-token", region="LON1")
    cluster_facts = {"id": "cluster-1", "kubernetes_version": "1.30.5-k3s1"} | more
    listed = cluster_autoscaler.objects(
        cloud, cluster_facts, [cluster_autoscaler.Group("b", 0, 3), cluster_autoscaler.Group("a", 1, 2)]
    )
    return {each["kind"]: each for each in listed}


def test_the_civo_provider_gets_its_variables_and_pools() -> None:
    """All four variables come from the Secret. There is no configuration file, which would stop the provider."""
    container = objects()["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    assert {each["name"] for each in container["env"]} == {"CIVO_API_URL", "CIVO_API_KEY", "CIVO_CLUSTER_ID", "CIVO_REGION"}
    keys = {each["valueFrom"]["secretKeyRef"]["key"] for each in container["env"]}
    assert keys == objects()["Secret"]["stringData"].keys()
    assert objects()["Secret"]["stringData"]["api-url"] == "https://api.civo.com"
    assert [each for each in container["args"] if "nodes=" in each] == ["--nodes=1:2:a", "--nodes=0:3:b"]
    assert not any("cloud-config" in each or ":workers" in each for each in container["args"])


@pytest.mark.parametrize(
    ("version", "tag"), [("1.30.5-k3s1", "v1.30.7"), ("v1.28.2+k3s1", "v1.28.7"), ("1.99.0-k3s1", "v1.99.0")]
)
def test_the_autoscaler_has_the_minor_version_of_the_cluster(version: str, tag: str) -> None:
    """Its patch is the newest known one."""
    assert cluster_autoscaler.image(version).endswith(f":{tag}")


def test_the_autoscaler_has_the_permissions_of_its_chart() -> None:
    """The example of its Civo provider lacks these."""
    rules = objects()["ClusterRole"]["rules"]
    granted = {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert {
        ("storage.k8s.io", "volumeattachments", "watch"),
        ("resource.k8s.io", "resourceslices", "list"),
        ("apps", "deployments", "list"),
        ("batch", "cronjobs", "watch"),
        ("", "podtemplates", "create"),
        ("autoscaling.x-k8s.io", "provisioningrequests/status", "patch"),
        ("storage.k8s.io", "csidrivers", "watch"),
    } <= granted
    assert not any(verb == "*" for _, _, verb in granted)


def test_the_token_is_only_in_the_secret() -> None:
    """The pods have a hash of it, so that a new token starts new pods."""
    listed = objects()
    assert listed["Secret"]["stringData"]["api-key"] == "the-token"
    assert "the-token" not in json.dumps({kind: each for kind, each in listed.items() if kind != "Secret"})
    assert "the-token" not in repr(
        cluster_autoscaler.Autoscaler(cluster_id="", region="", version="", address="", token="the-token")
    )


def test_objects_are_deleted_in_reverse_order() -> None:
    """The Deployment is the first."""
    names = [(each["kind"], each["metadata"]["name"]) for each in cluster_autoscaler.names()]
    assert names == [(each["kind"], each["metadata"]["name"]) for each in reversed(list(objects().values()))]
