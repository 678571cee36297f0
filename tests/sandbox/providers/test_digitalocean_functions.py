"""DigitalOcean's functions, and the properties of functions and resources in the official SDK."""

from __future__ import annotations

import importlib
import json
import typing
import warnings

import pytest

from planton_sandbox.providers.digitalocean import functions, tables

from . import conftest, oceans

Json = typing.Any


def _invoke(diver: conftest.Engine, name: str, /, **args: Json) -> Json:
    return diver.invoke(f"digitalocean:index/{name}:{name}", **args)


def test_functions_list_the_clouds_offers(diver: conftest.Engine) -> None:
    """The newest version is first. Regions and sizes are filtered, also by lists and numbers, and sorted."""
    versions = _invoke(diver, "getKubernetesVersions", versionPrefix="1.33.")
    assert versions["validVersions"] == ["1.33.1-do.0", "1.33.0-do.1"]
    assert versions["latestVersion"] == "1.33.1-do.0"
    assert _invoke(diver, "getKubernetesVersions", versionPrefix="2")["latestVersion"] == ""
    open_ = [{"key": "available", "values": ["true"]}, {"key": "features", "values": ["vpc"]}]
    newest = [{"key": "name", "direction": "desc"}]
    regions = _invoke(diver, "getRegions", filters=open_, sorts=newest)
    assert [region["slug"] for region in regions["regions"]] == ["nyc1", "fra1"]
    large = [{"key": "vcpus", "values": ["2"]}, {"key": "price_hourly", "values": ["0.01786"]}]
    assert [size["slug"] for size in _invoke(diver, "getSizes", filters=large)["sizes"]] == ["s-2vcpu-4gb"]
    assert _invoke(diver, "getRegion", slug="fra1")["name"] == "Frankfurt 1"


def test_functions_find_existing_resources(ocean: conftest.Scene, diver: conftest.Engine) -> None:
    """Networks are found by id, name, or as a region's default. Clusters are found by name, firewalls by id."""
    network, _, _ = diver.create(oceans.VPC, name="net", region="fra1")
    ocean.cloud.vpcs[network]["default"] = True
    for by in ({"id": network}, {"name": "net"}, {"region": "fra1"}):
        assert _invoke(diver, "getVpc", **by)["urn"] == f"do:vpc:{network}"
    cluster, _, _ = oceans.cluster(diver)
    match = _invoke(diver, "getKubernetesCluster", name="c")
    assert (match["id"], match["urn"], match["nodePools"][0]["actualNodeCount"]) == (cluster, f"do:kubernetes:{cluster}", 2)
    assert (match["maintenancePolicies"][0]["day"], match["controlPlaneFirewalls"]) == ("any", [])
    rules, _, _ = diver.create(oceans.FIREWALL, name="fw", inboundRules=[oceans.RULE])
    assert _invoke(diver, "getFirewall", firewallId=rules)["inboundRules"][0]["portRange"] == "443"


@pytest.mark.parametrize(
    ("name", "args", "text"),
    [
        ("getVpc", {"name": "zz"}, "Error retrieving VPC: no VPCs found with name zz"),
        ("getVpc", {"name": "twice"}, "too many VPCs found with name twice (found 2, expected 1)"),
        ("getVpc", {"region": "fra1"}, "unable to find default VPC in fra1 region"),
        ("getVpc", {"id": "none"}, "Error retrieving VPC: GET"),
        ("getKubernetesCluster", {"name": "zz"}, "Unable to find cluster with name: zz"),
        ("getRegion", {"slug": "zz1"}, "Region does not exist: zz1"),
    ],
)
def test_functions_fail_with_the_plugins_texts(diver: conftest.Engine, name: str, args: Json, text: str) -> None:
    """The error names the missing resource."""
    for _ in range(2):
        diver.create(oceans.VPC, name="twice", region="fra1")
    error = diver.error("Invoke", tok=f"digitalocean:index/{name}:{name}", args=args)
    assert text in error.details()


def test_a_network_is_looked_up_by_exactly_one_key(diver: conftest.Engine) -> None:
    """No key and several keys are refused with the plugin's texts."""
    for args, text in (({}, "one of `id,name,region` must be"), ({"id": "a", "name": "b"}, "but `id,name` were specified")):
        response = diver.call("Invoke", tok="digitalocean:index/getVpc:getVpc", args=args)
        assert text in response.failures[0].reason


def _named(of: type) -> set[str]:
    """Returns the wire names of an SDK class's properties."""
    getters = {name: item for name, item in vars(of).items() if isinstance(item, property)}
    return {getattr(item.fget, "_pulumi_name", None) or name for name, item in getters.items()}


@pytest.fixture
def sdk() -> Json:
    """The official SDK. Its import raises deprecation warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return importlib.import_module("pulumi_digitalocean")


@pytest.mark.parametrize(
    ("module", "name", "table"),
    [
        ("vpc", "Vpc", tables.VPC),
        ("firewall", "Firewall", tables.FIREWALL),
        ("kubernetes_cluster", "KubernetesCluster", tables.CLUSTER),
        ("kubernetes_node_pool", "KubernetesNodePool", tables.NODE_POOL),
    ],
)
def test_resources_have_the_sdks_properties(sdk: Json, module: str, name: str, table: Json) -> None:
    """The table has exactly the SDK's arguments and outputs."""
    arguments = getattr(getattr(sdk, module), f"{name}Args")
    assert {row.name for row in table.properties if not row.output_only} == _named(arguments)
    assert {row.name for row in table.properties} == _named(getattr(sdk, name))


def test_functions_have_the_sdks_results(sdk: Json) -> None:
    """Each function has exactly the fields of the SDK's result class."""
    for function in functions.FUNCTIONS:
        name = function.table.token.rsplit(":", 1)[-1]
        results = getattr(sdk, f"G{name[1:]}Result")
        assert {row.name for row in function.table.properties} | {"id"} == _named(results), name


def test_the_schema_names_everything_that_can_be_imported(ocean: conftest.Scene) -> None:
    """The schema has each resource's inputs and outputs, and every referenced type."""
    text = ocean.connect().call("GetSchema").schema
    document = json.loads(text)
    cluster = document["resources"]["digitalocean:index/kubernetesCluster:KubernetesCluster"]
    assert cluster["requiredInputs"] == ["region", "version", "nodePool"]
    assert cluster["properties"]["kubeConfigs"]["secret"] is True
    assert set(document["resources"]) == {
        urn.split("::")[2] for urn in (oceans.VPC, oceans.FIREWALL, oceans.CLUSTER, oceans.POOL)
    }
    for reference in {part.split('"')[0] for part in text.split('"#/types/')[1:]}:
        assert reference in document["types"]
