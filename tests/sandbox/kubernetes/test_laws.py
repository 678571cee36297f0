"""Laws of the simulated Kubernetes API, without sockets: for whatever objects clients send."""

from __future__ import annotations

import logging
import random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from planton_sandbox import pki
from planton_sandbox.kubernetes import (
    errors,
    fieldsets,
    nodes,
    objects,
    options,
    paths,
    quantities,
    reads,
    resources,
    schema,
    simulation,
    tables,
    writes,
)
from planton_sandbox.kubernetes.controllers import scheduler

NOW = 1_900_000_000.0
WORDS = [
    "a",
    "Always",
    "Never",
    "Recreate",
    "10%",
    "In",
    "Exists",
    "NoExecute",
    "LoadBalancer",
    "data",
    "True",
    "Running",
    "Ready",
    "",
]
STORED = [item for item in resources.RESOURCES if item.kept]
VERBS = ("create", "create", "apply", "merge", "strategic", "status", "delete")


def _node(name: str) -> nodes.Node:
    return nodes.Node(
        uid=f"id-{name}",
        name=name,
        labels={},
        taints=(),
        ready=True,
        leaving=False,
        created=NOW,
        size="small",
        cpu=2,
        memory_mb=4096,
        disk_gb=10,
        gpus=0,
        internal_ip="192.168.1.10",
        external_ip="",
        version="v1.30.1",
        os_image="Linux",
        runtime="containerd://1",
        provider_id=f"civo://{name}",
        pool="main",
    )


CLUSTER = nodes.Cluster(
    id="c1",
    name="c1",
    port=1,
    open=True,
    credentials=pki.Credentials(*[""] * len(pki.Credentials.__dataclass_fields__)),
    tokens=(),
    version="v1.30.1",
    created=NOW,
    storage=nodes.Storage("civo-volume", "csi.civo.com"),
    nodes=(_node("n1"), _node("n2"), _node("n3")),
)


class _Maker:
    """Objects with random fields of the right types."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def item(self, resource: resources.Resource) -> dict[str, Any]:
        """Return an object of a resource, whose pods can be found by a label."""
        item = self._fields(schema.of(resource.kind), 7)
        meta = {"name": self.random.choice("ab"), "labels": {"app": "a"}}
        item |= {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": meta}
        spec = item.get("spec")
        if isinstance(spec, dict) and "template" in spec and isinstance(spec["template"], dict):
            spec |= {"selector": {"matchLabels": {"app": "a"}}, "replicas": self.random.randrange(4)}
            spec["template"] = {"metadata": {"labels": {"app": "a"}}, "spec": spec["template"].get("spec", {})}
            spec["template"]["spec"]["containers"] = [{"name": "c", "image": "i"}]
        return item

    def _fields(self, fields: schema.Fields, depth: int) -> dict[str, Any]:
        share = self.random.choice((0.2, 0.6, 0.9))
        return {
            name: self._value(field, depth - 1) for name, field in fields.items() if depth > 0 and self.random.random() < share
        }

    def _value(self, field: schema.Field, depth: int) -> Any:
        if field.shape in ("list", "set"):
            return [self._one(field, depth) for _ in range(self.random.randrange(3))]
        if field.shape == "map":
            return {self.random.choice(WORDS): self._one(field, depth) for _ in range(self.random.randrange(3))}
        return self._one(field, depth)

    def _one(self, field: schema.Field, depth: int) -> Any:
        inner = schema.fields(field)
        if inner is not None:
            return self._fields(inner, depth)
        offered: dict[str, list[Any]] = {
            "string": WORDS,
            "int": [0, 1, 3, -1, 1 << 40],
            "bool": [True, False],
            "quantity": ["1", "100m", "1Gi", 0.5],
            "intstr": [0, 1, "10%", "x"],
            "time": ["2020-01-01T00:00:00Z", "9999-01-01T00:00:00Z"],
            "any": [{}, [], "x", 3, {"a": {"b": 1}}],
        }
        return self.random.choice(offered[field.type])


def _write(state: simulation.Simulation, maker: _Maker, resource: resources.Resource, verb: str) -> None:
    item, now = maker.item(resource), NOW
    namespace = "default" if resource.namespaced else ""
    name = "" if verb == "create" else objects.name(item)
    sub = "status" if verb == "status" and "status" in resource.subresources else ""
    given_ = options.Options(is_dry=False, manager=verb, validation="Ignore", force=True, now=now)
    done = writes.Writes(state.store, paths.Target(resource, namespace, name, sub), given_)
    if verb == "create":
        done.create(item)
    elif verb == "delete":
        done.delete(options.deletion({}, {"propagationPolicy": maker.random.choice(options.PROPAGATION)}))
    else:
        kind = {"apply": writes.APPLY, "merge": writes.MERGE}.get(verb, writes.STRATEGIC)
        done.patch(item, kind=kind)


@pytest.mark.parametrize("seed", range(4))
def test_no_object_of_a_client_stops_the_controllers(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is written, it is stored or refused in Kubernetes' words, no controller fails, and all lists can be read."""
    maker, state, now = _Maker(seed), simulation.Simulation(first=1), NOW
    with caplog.at_level(logging.ERROR):
        for _ in range(200):
            latency = maker.random.choice(("instant", "realistic"))
            state.settle(CLUSTER, now=now, latency=latency)
            try:
                _write(state, maker, maker.random.choice(STORED), maker.random.choice(VERBS))
            except errors.ApiError as error:
                assert error.code in (400, 403, 404, 409, 422) or "typed patch object" in str(error)
            now += maker.random.choice((0, 1, 5, 400))
            state.settle(CLUSTER, now=now, latency=latency)
    assert not caplog.records
    view = reads.View(CLUSTER, state, now)
    for resource in resources.RESOURCES:
        if "list" in resource.verbs:
            page = reads.page(view, paths.Target(resource), {})
            tables.table(resource.kind, page.items, meta=page.meta, include="Object", now=now)
    again = simulation.Simulation(first=1, saved=state.save())
    assert list(again.store.everything()) == list(state.store.everything())


def _paths() -> st.SearchStrategy[set[tuple[str, ...]]]:
    step = st.sampled_from(["f:a", "f:b", 'k:{"name":"x"}', 'v:"y"'])
    return st.sets(st.lists(step, min_size=1, max_size=4).map(tuple), max_size=8)


@given(_paths())
def test_a_set_of_fields_survives_its_encoding(members: set[tuple[str, ...]]) -> None:
    """``fieldsV1`` holds exactly the fields, those that contain others, too."""
    assert fieldsets.decode(fieldsets.encode(members)) == members


@given(st.integers(0, 40))
def test_an_applied_configuration_is_in_the_result(seed: int) -> None:
    """After server-side apply every applied field has its value, and a second time nothing changes."""
    maker = _Maker(seed)
    field = schema.Field("Deployment")
    base, config = ({"spec": maker.item(resources.DEPLOYMENTS).get("spec", {})} for _ in range(2))
    assume(not any(fieldsets.repeated(one, "Deployment") for one in (base, config)))
    merged = fieldsets.merge(base, config, field)
    applied, present = (fieldsets.values(one, "Deployment") for one in (config, merged))
    # An empty map adds nothing to one that is not empty.
    assert all(value in ({}, []) or present[path] == value for path, value in applied.items())
    assert fieldsets.merge(merged, config, field) == merged


@given(st.lists(st.integers(1, 30), max_size=12))
def test_no_node_gets_more_than_it_has(tenths: list[int]) -> None:
    """Whatever pods request, those on a node fit it, and a pod is pending only if it fits nowhere."""
    state = simulation.Simulation(first=1)
    state.settle(CLUSTER, now=NOW, latency="instant")
    given_ = options.Options(is_dry=False, manager="tests", validation="Strict", force=False, now=NOW)
    for index, tenth in enumerate(tenths):
        container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": f"{tenth * 100}m"}}}
        body = {"metadata": {"name": f"p{index}"}, "spec": {"containers": [container]}}
        writes.Writes(state.store, paths.Target(resources.PODS, "default"), given_).create(body)
        state.settle(CLUSTER, now=NOW, latency="instant")
    free = {}
    pods = state.store.all(resources.PODS)
    for node in state.store.all(resources.NODES):
        mine = [pod for pod in pods if pod["spec"].get("nodeName") == objects.name(node)]
        used = sum(scheduler.requests(pod)["cpu"] for pod in mine)
        free[objects.name(node)] = quantities.of(node["status"]["allocatable"], "cpu") - used
    assert min(free.values()) > -1e-6
    for pod in pods:
        if not pod["spec"].get("nodeName"):
            assert scheduler.requests(pod)["cpu"] > max(free.values()) - 1e-6
