"""Laws of the simulated Kubernetes API, without sockets, for random objects of clients."""

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
    store,
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


class _Generator:
    """Objects with random fields of the right types."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def item(self, resource: resources.Resource) -> dict[str, Any]:
        """Returns an object of a resource, whose pods have a common label."""
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
            return [self._single_value(field, depth) for _ in range(self.random.randrange(3))]
        if field.shape == "map":
            return {self.random.choice(WORDS): self._single_value(field, depth) for _ in range(self.random.randrange(3))}
        return self._single_value(field, depth)

    def _single_value(self, field: schema.Field, depth: int) -> Any:
        inner = schema.fields(field)
        if inner is not None:
            return self._fields(inner, depth)
        values_by_type: dict[str, list[Any]] = {
            "string": WORDS,
            "int": [0, 1, 3, -1, 1 << 40],
            "bool": [True, False],
            "quantity": ["1", "100m", "1Gi", 0.5],
            "intstr": [0, 1, "10%", "x"],
            "time": ["2020-01-01T00:00:00Z", "9999-01-01T00:00:00Z"],
            "any": [{}, [], "x", 3, {"a": {"b": 1}}],
        }
        return self.random.choice(values_by_type[field.type])


def _write(state: simulation.Simulation, generator: _Generator, resource: resources.Resource, verb: str) -> None:
    item, now = generator.item(resource), NOW
    namespace = "default" if resource.namespaced else ""
    name = "" if verb == "create" else objects.name(item)
    sub = "status" if verb == "status" and "status" in resource.subresources else ""
    write_options = options.Options(is_dry=False, manager=verb, validation="Ignore", force=True, now=now)
    transaction = writes.Writes(state.store, paths.Target(resource, namespace, name, sub), write_options)
    if verb == "create":
        transaction.create(item)
    elif verb == "delete":
        transaction.delete(options.deletion({}, {"propagationPolicy": generator.random.choice(options.PROPAGATION)}))
    else:
        kind = {"apply": writes.APPLY, "merge": writes.MERGE}.get(verb, writes.STRATEGIC)
        transaction.patch(item, kind=kind)


@pytest.mark.parametrize("seed", range(4))
def test_no_object_of_a_client_breaks_the_controllers(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    """Each write is stored or refused as in Kubernetes. No controller fails, and all lists are readable."""
    generator, state, now = _Generator(seed), simulation.Simulation(first=1), NOW
    with caplog.at_level(logging.ERROR):
        for _ in range(200):
            latency = generator.random.choice(("instant", "realistic"))
            state.settle(CLUSTER, now=now, latency=latency)
            try:
                _write(state, generator, generator.random.choice(STORED), generator.random.choice(VERBS))
            except errors.ApiError as error:
                assert error.code in (400, 403, 404, 409, 422) or "typed patch object" in str(error)
            now += generator.random.choice((0, 1, 5, 400))
            state.settle(CLUSTER, now=now, latency=latency)
    assert not caplog.records
    view = reads.View(CLUSTER, state, now)
    for resource in resources.RESOURCES:
        if "list" in resource.verbs:
            page = reads.page(view, paths.Target(resource), {})
            tables.table(resource.kind, page.items, meta=page.meta, include="Object", now=now)
    restored = simulation.Simulation(first=1, saved=state.save())
    assert list(restored.store.everything()) == list(state.store.everything())


def _paths() -> st.SearchStrategy[set[tuple[str, ...]]]:
    step = st.sampled_from(["f:a", "f:b", 'k:{"name":"x"}', 'v:"y"'])
    return st.sets(st.lists(step, min_size=1, max_size=4).map(tuple), max_size=8)


@given(_paths())
def test_a_set_of_fields_survives_its_encoding(members: set[tuple[str, ...]]) -> None:
    """``fieldsV1`` contains exactly the fields, including those that contain others."""
    assert fieldsets.decode(fieldsets.encode(members)) == members


@given(st.integers(0, 40))
def test_server_side_apply_sets_every_applied_field(seed: int) -> None:
    """A second apply changes nothing."""
    generator = _Generator(seed)
    field = schema.Field("Deployment")
    base, config = ({"spec": generator.item(resources.DEPLOYMENTS).get("spec", {})} for _ in range(2))
    assume(not any(fieldsets.repeated(each, "Deployment") for each in (base, config)))
    merged = fieldsets.merge(base, config, field)
    applied, present = (fieldsets.values(each, "Deployment") for each in (config, merged))
    # An empty map adds nothing to a non-empty one.
    assert all(value in ({}, []) or present[path] == value for path, value in applied.items())
    assert fieldsets.merge(merged, config, field) == merged


@given(st.lists(st.integers(1, 30), max_size=12))
def test_pods_never_exceed_the_capacity_of_a_node(tenths: list[int]) -> None:
    """For random requests, a pod is pending only if it fits on no node."""
    state = simulation.Simulation(first=1)
    state.settle(CLUSTER, now=NOW, latency="instant")
    write_options = options.Options(is_dry=False, manager="tests", validation="Strict", force=False, now=NOW)
    for index, tenth in enumerate(tenths):
        container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": f"{tenth * 100}m"}}}
        body = {"metadata": {"name": f"p{index}"}, "spec": {"containers": [container]}}
        writes.Writes(state.store, paths.Target(resources.PODS, "default"), write_options).create(body)
        state.settle(CLUSTER, now=NOW, latency="instant")
    free = {}
    pods = state.store.all(resources.PODS)
    for node in state.store.all(resources.NODES):
        scheduled = [pod for pod in pods if pod["spec"].get("nodeName") == objects.name(node)]
        used = sum(scheduler.requests(pod)["cpu"] for pod in scheduled)
        free[objects.name(node)] = quantities.of(node["status"]["allocatable"], "cpu") - used
    assert min(free.values()) > -1e-6
    for pod in pods:
        if not pod["spec"].get("nodeName"):
            assert scheduler.requests(pod)["cpu"] > max(free.values()) - 1e-6


def _maps(count: int, size: int) -> list[dict[str, Any]]:
    text = "x" * size
    names = [f"m{index}" for index in range(count)]
    return [objects.new(resources.CONFIG_MAPS, name, namespace="default", now=NOW, data={"a": text}) for name in names]


def _add(filled: store.Store, items: list[dict[str, Any]]) -> None:
    for item in items:
        filled.add(resources.CONFIG_MAPS, item)


@pytest.mark.parametrize(("count", "size"), [(store.MAXIMUM_OBJECTS + 1, 1), (store.MAXIMUM_BYTES // 1_000_000 + 2, 1_000_000)])
def test_the_size_of_a_store_is_limited(count: int, size: int) -> None:
    """Objects and bytes have limits. A full store refuses writes like etcd, and accepts them after a deletion."""
    filled = store.Store(first=1)
    items = _maps(count, size)
    with pytest.raises(errors.ApiError, match="database space exceeded"):
        _add(filled, items)
    present = len(filled.all(resources.CONFIG_MAPS))
    assert present > 0.9 * count
    filled.remove(resources.CONFIG_MAPS, items[0])
    assert filled.add(resources.CONFIG_MAPS, items[present])
