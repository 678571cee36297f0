"""Costs: the monthly list price before and after a step."""

from __future__ import annotations

import datetime
import json
from typing import Any, cast

import pytest
from google.protobuf.descriptor import FieldDescriptor

import planton
from planton import errors
from planton.cli import money
from planton.clouds import associated
from planton.clouds.civo import prices
from planton.clouds.gcp import prices as gcp_prices
from planton.deploy import costs, leftovers, steps
from planton.engine import plans
from planton.schema import kinds, providers, references

PRICES = {"s-2vcpu-4gb": 24.0, "s-4vcpu-8gb": 48.0, "odd": None}


def _cluster(*pools: dict[str, Any], **spec: Any) -> Any:
    manifest = {
        "apiVersion": "digital-ocean.project-planton.org/v1",
        "kind": "DigitalOceanKubernetesCluster",
        "metadata": {"name": "dev"},
        "spec": {
            "clusterName": "dev",
            "region": "fra1",
            "kubernetesVersion": "1.35.1-do.0",
            "controlPlaneFirewallAllowedIps": ["127.0.0.1"],
            "vpc": {"value": "v-1"},
            "defaultNodePool": {"size": "s-2vcpu-4gb", "nodeCount": 2},
            "additionalNodePools": list(pools),
            **spec,
        },
    }
    [resource] = planton.load(json.dumps(manifest))
    return resource.manifest


def _step(action: plans.Action, *, name: str = "cluster", missing: bool = False) -> steps.Step:
    kind = kinds.get("DigitalOceanKubernetesCluster")
    change = plans.Change("urn", name, kind.declared.type, action)
    key = references.Key(kind.name, "", "dev")
    return steps.Step(key, "planton/x", plans.Plan((change,), missing=frozenset({"urn"} if missing else ())))


def test_a_creation_costs_its_nodes_and_the_fees_of_its_fields() -> None:
    """The control plane is free, unless it is highly available."""
    workers = {"name": "web", "size": "s-4vcpu-8gb", "nodeCount": 1}
    cost = costs.of(_step(plans.Action.CREATE), None, _cluster(workers), PRICES)
    assert (cost.before, cost.after, cost.change, cost.most) == (0, 96, 96, 96)
    available = costs.of(_step(plans.Action.CREATE), None, _cluster(workers, highlyAvailable=True), PRICES)
    assert available.after == 136


def test_an_update_costs_the_difference() -> None:
    """Fewer nodes cost less."""
    more = {"name": "web", "size": "s-4vcpu-8gb", "nodeCount": 3}
    less = more | {"nodeCount": 1}
    assert costs.of(_step(plans.Action.UPDATE), _cluster(more), _cluster(less), PRICES).change == -96


def test_a_deletion_saves_everything() -> None:
    """A resource that is missing from the cloud costs nothing, so that its recreation costs its whole price."""
    assert costs.of(_step(plans.Action.DELETE), _cluster(), None, PRICES).change == -48
    assert costs.of(_step(plans.Action.CREATE, missing=True), _cluster(), _cluster(), PRICES).change == 48


def test_an_autoscaled_pool_has_a_largest_price() -> None:
    """The price itself is that of the initial number of nodes."""
    scaled = {"name": "web", "size": "s-2vcpu-4gb", "nodeCount": 1, "autoScale": True, "minNodes": 1, "maxNodes": 5}
    cost = costs.of(_step(plans.Action.CREATE), None, _cluster(scaled), PRICES)
    assert (cost.after, cost.most) == (72, 168)


@pytest.mark.parametrize("size", ["odd", "new"])
def test_a_size_without_a_price_is_unknown(size: str) -> None:
    """Whether the cloud lists it without one, or does not list it."""
    cost = costs.of(_step(plans.Action.CREATE), None, _cluster({"name": "web", "size": size, "nodeCount": 1}), PRICES)
    assert (cost.change, cost.unknown) == (None, (f"size {size}",))
    assert cost.as_dict()["monthlyChange"] is None


def _leftovers(*deleted: associated.Item, kind: str = "DigitalOceanKubernetesCluster", **fields: Any) -> leftovers.Leftovers:
    items = (associated.Item(associated.LOAD_BALANCER, "web", "b1", 12.0), *deleted)
    return leftovers.Leftovers(references.Key(kind, "", "dev"), "c1", cast("Any", None), items, deleted, **fields)


def test_leftovers_go_on_costing_unless_they_are_deleted() -> None:
    """The total says what stays, and counts what is deleted with the cluster."""
    cost = costs.of(_step(plans.Action.DELETE), _cluster(), None, PRICES)
    volume = associated.Item(associated.VOLUME, "data", "v1", 1.5)
    priced = costs.total([costs.with_leftovers(cost, _leftovers(volume))])
    assert (priced.change, priced.kept, priced.as_dict()["monthlyKept"]) == (-49.5, 12, 12)
    assert money.total(priced) == "- $49.50/month; leftovers: up to $12/month"
    assert money.total(cost) == "- $48/month"


def test_leftovers_without_a_price_are_unknown() -> None:
    """Those that stay do not hide what the deletion of the cluster saves."""
    cost = costs.of(_step(plans.Action.DELETE), _cluster(), None, PRICES)
    address = associated.Item(associated.ADDRESS, "203.0.113.7", "a1")
    deleted = costs.with_leftovers(cost, _leftovers(address))
    assert deleted is not None
    assert money.total(deleted) == "cost unknown (reserved address); leftovers: up to $12/month"
    unread = _leftovers(error=errors.PlantonError("503", reason=errors.Reason.CLOUD_FAILED))
    for cluster_leftovers in (unread, _leftovers(kind="GcpGkeCluster")):
        kept = costs.with_leftovers(cost, cluster_leftovers)
        assert kept is not None
        assert money.total(kept) == "- $48/month; leftovers: price unknown"


def test_tables_of_prices_have_a_source_and_a_day() -> None:
    """A price without them cannot be checked."""
    assert prices.PRICES.monthly
    tables = [each.prices for each in providers.all_providers().values() if each.prices is not None]
    for table in tables:
        assert table.source.startswith("https://")
        assert table.read or not table.monthly
        if table.read:
            datetime.date.fromisoformat(table.read)
    for kind in kinds.all_kinds():
        if kind.declared.fee is not None:
            assert kind.declared.fee.source.startswith("https://")
            datetime.date.fromisoformat(kind.declared.fee.read)
        for name, fee in kind.declared.fees.items():
            assert (
                kind.message.DESCRIPTOR.fields_by_name["spec"].message_type.fields_by_name[name].type == FieldDescriptor.TYPE_BOOL
            )
            datetime.date.fromisoformat(fee.read)


GKE = {"clusterProjectId": {"value": "acme"}, "clusterName": {"value": "dev"}, "clusterLocation": {"value": "europe-west1-b"}}


def _gke_pool(**spec: Any) -> Any:
    manifest = {
        "apiVersion": "gcp.project-planton.org/v1",
        "kind": "GcpGkeNodePool",
        "metadata": {"name": "apps"},
        "spec": {**GKE, "nodePoolName": "apps", "machineType": "e2-standard-4", "nodeCount": 2, **spec},
    }
    [resource] = planton.load(json.dumps(manifest))
    return resource.manifest


@pytest.mark.parametrize(
    ("name", "location", "price"),
    [
        ("e2-medium", "us-central1", 24.46),
        ("e2-standard-4", "us-central1-a", 97.84),
        ("e2-standard-4", "europe-west1-b", 107.62),
        ("e2-highcpu-4", "europe-west1", 79.45),
        ("n1-highmem-4", "us-central1", 172.72),
        ("n2-standard-4", "us-central1", 141.79),
        ("n2-highmem-8", "europe-west1", 420.84),
        ("n2d-standard-4", "europe-west1", 135.7),
        ("n4-standard-4", "us-central1", 132.42),
        ("c3-standard-4", "europe-west1", 162.05),
        ("e2-standard-4", "", None),
        ("e2-standard-4", "mars-north1", None),
        ("n1-standard-4", "europe-north2", None),
        ("g2-standard-4", "us-central1", None),
        ("e2-custom-4-8192", "us-central1", None),
        ("c3-standard-4-lssd", "us-central1", None),
    ],
)
def test_a_machine_of_google_costs_its_processors_and_memory(name: str, location: str, price: float | None) -> None:
    """A family or region that the table lacks is unknown, and so is a machine with more than processors and memory."""
    assert gcp_prices.machine(name, location) == price


def test_a_node_of_google_costs_its_machine_and_its_disk() -> None:
    """A disk has 100 GB, unless the manifest says otherwise. What is unknown is named."""
    step = _step(plans.Action.CREATE, name="node_pool")
    assert costs.of(step, None, _gke_pool(), {}).after == pytest.approx(2 * (107.62 + 4), abs=0.01)
    larger = costs.of(step, _gke_pool(), _gke_pool(diskSizeGb=200, diskType="pd-ssd"), {})
    assert larger.change == pytest.approx(2 * (34 - 4))
    accelerated = {"machineType": "n1-standard-4", "accelerators": [{"type": "nvidia-tesla-t4", "count": 1}]}
    for spec, unknown in (
        ({"spot": True}, ("spot size e2-standard-4",)),
        ({"preemptible": True}, ("spot size e2-standard-4",)),
        ({"diskType": "hyperdisk-balanced", "machineType": "c3-standard-4"}, ("disk hyperdisk-balanced",)),
        (accelerated, ("accelerator nvidia-tesla-t4",)),
    ):
        cost = costs.of(step, None, _gke_pool(**spec), {})
        assert (cost.after, cost.unknown) == (None, unknown)


def test_a_cluster_of_google_costs_its_management() -> None:
    """It has no nodes of its own."""
    kind = kinds.get("GcpGkeCluster")
    cluster = kind.message()
    cluster.kind = kind.name  # type: ignore[attr-defined]
    assert costs.of(_step(plans.Action.CREATE), None, cluster, {}).after == 73
