"""References between the resources of a run: duplicates, cycles, missing targets, and empty values, with their places."""

from __future__ import annotations

from typing import Any

import pytest

from planton import errors, manifest
from planton.deploy import graph
from planton.manifest import load
from planton.schema import references

NETWORK = """apiVersion: civo.project-planton.org/v1
kind: CivoVpc
metadata:
  name: {name}
  env: dev
spec: {{civoCredentialId: default, networkName: {name}, region: lon1}}
"""
FIREWALL = """apiVersion: civo.project-planton.org/v1
kind: CivoFirewall
metadata:
  name: {name}
  env: dev
spec:
  name: {name}
  networkId: {{valueFrom: {{name: {network}}}}}
"""
RELATION = """  relationships:
    - {{kind: {kind}, name: {name}, type: depends_on}}
"""


def _resource(text: str, file: str) -> load.Resource:
    [document], violations = manifest.read(text.encode(), file=file)
    assert violations == []
    return load.Resource(document.message, None, file, document=document)


def _network(name: str = "net", *, file: str = "net.yaml", after: str = "") -> load.Resource:
    text = NETWORK.format(name=name)
    return _resource(text.replace("spec:", RELATION.format(kind="CivoFirewall", name=after) + "spec:") if after else text, file)


def _firewall(name: str = "fw", *, network: str = "net", file: str = "fw.yaml") -> load.Resource:
    return _resource(FIREWALL.format(name=name, network=network), file)


def _nothing(_key: references.Key) -> None:
    return None


def _applied(**outputs: str) -> Any:
    network: Any = _network().manifest
    for field, value in outputs.items():
        setattr(network.status.outputs, field, value)
    return {references.key(network): network}.get


def _raised(caught: pytest.ExceptionInfo[errors.InvalidError]) -> list[tuple[str, str]]:
    return [(violation.place, violation.rule_id) for violation in caught.value.violations]


def test_resources_are_indexed_by_kind_environment_and_name() -> None:
    """The index has the order of the manifests."""
    resources = [_firewall(), _network()]
    assert list(graph.by_key(resources).values()) == resources


def test_a_duplicate_is_reported_with_both_places() -> None:
    """Each duplicate is a violation that names the first place."""
    with pytest.raises(errors.InvalidError) as caught:
        graph.by_key([_network(), _network(file="b.yaml"), _network(file="c.yaml"), _firewall()])
    assert _raised(caught) == [("b.yaml:4:9", "reference.given_once"), ("c.yaml:4:9", "reference.given_once")]
    assert all("also at net.yaml:4:9" in violation.message for violation in caught.value.violations)


def test_dependencies_come_first() -> None:
    """Independent resources keep their order."""
    resources = graph.by_key([_network("b"), _firewall(), _network("net"), _network("a")])
    names = [key.name for key in graph.order(resources)]
    assert names.index("net") < names.index("fw")
    assert sorted(names) == ["a", "b", "fw", "net"]


def test_a_cycle_is_reported_with_the_place_of_each_step() -> None:
    """It may combine references and relations."""
    resources = graph.by_key([_network(after="fw"), _firewall()])
    violation = graph.cycle_violation(resources)
    assert violation is not None
    assert "CivoVpc/net (env dev) (net.yaml:7:7)" in violation.message
    assert "CivoFirewall/fw (env dev) (fw.yaml:8:3)" in violation.message
    with pytest.raises(errors.InvalidError) as caught:
        graph.order(resources)
    assert list(caught.value.violations) == [violation]
    assert caught.value.reason is errors.Reason.REFERENCE_INVALID


def test_a_reference_to_itself_is_a_cycle() -> None:
    """This cycle has one step."""
    text = NETWORK.format(name="net").replace("spec:", RELATION.format(kind="CivoVpc", name="net") + "spec:")
    violation = graph.cycle_violation(graph.by_key([_resource(text, "net.yaml")]))
    assert violation is not None
    assert violation.message.endswith("CivoVpc/net (env dev) (net.yaml:7:7) → CivoVpc/net (env dev)")


def test_resources_without_a_cycle_have_no_violation() -> None:
    """Two firewalls refer to one network, and one refers to a missing network."""
    assert graph.cycle_violation(graph.by_key([_network(), _firewall("a"), _firewall("b"), _firewall("c", network="x")])) is None


@pytest.mark.parametrize(
    ("applied", "ending"),
    [
        ([references.Key("CivoVpc", "prod", "net")], "; there is CivoVpc/net (env prod)"),
        ([references.Key("CivoVpc", "dev", "nett")], "; did you mean 'nett'?"),
        ([references.Key("CivoFirewall", "dev", "nett")], "nor applied"),
        (
            [references.Key("CivoVpc", "dev", "net")],
            "not among the manifests, and whose last apply did not finish",
        ),
        ([references.Key("CivoVpc", "dev", "other")], "nor applied"),
    ],
)
def test_a_missing_target_is_reported_with_a_suggestion(applied: list[references.Key], ending: str) -> None:
    """The same name in another environment is the first choice, then a similar name of the same kind."""
    with pytest.raises(errors.InvalidError) as caught:
        graph.check_targets(graph.by_key([_firewall()]), _nothing, lambda: applied)
    [violation] = caught.value.violations
    assert (violation.place, violation.rule_id) == ("fw.yaml:8:3", "reference.target_exists")
    assert violation.message.endswith(ending)
    assert caught.value.reason is errors.Reason.REFERENCE_UNRESOLVED


def test_every_missing_target_is_reported() -> None:
    """A relation is checked like a reference."""
    with pytest.raises(errors.InvalidError) as caught:
        graph.check_targets(graph.by_key([_firewall(network="x"), _network(after="web")]), _nothing, list)
    assert [place for place, _ in _raised(caught)] == ["fw.yaml:8:3", "net.yaml:7:7"]


def test_a_target_of_the_run_may_have_no_outputs_yet() -> None:
    """The apply creates them, so nothing is looked up."""
    graph.check_targets(graph.by_key([_firewall(), _network()]), _nothing, list)


@pytest.mark.parametrize("path", ["metadata.id", "spec.ipRangeCidr", "metadata.org"])
def test_a_referenced_manifest_field_must_be_set(path: str) -> None:
    """No apply sets it. The error comes before any request or engine."""
    text = FIREWALL.format(name="fw", network=f"net, fieldPath: {path}")
    resources = graph.by_key([_resource(text, "fw.yaml"), _network()])
    with pytest.raises(errors.InvalidError) as caught:
        graph.check_targets(resources, _nothing, list)
    assert _raised(caught) == [("fw.yaml:8:3", "reference.value_is_known")]
    assert "CivoVpc/net (env dev) (net.yaml:4:9), which is not set there" in caught.value.violations[0].message
    assert "fieldPath" in caught.value.hint


@pytest.mark.parametrize("path", ["metadata.name", "spec.region", "spec.networkName", "status.outputs.createdAtRfc3339"])
def test_a_referenced_field_may_be_set_or_an_output(path: str) -> None:
    """Outputs are unknown before the apply."""
    text = FIREWALL.format(name="fw", network=f"net, fieldPath: {path}")
    graph.check_targets(graph.by_key([_resource(text, "fw.yaml"), _network()]), _nothing, list)


def test_an_applied_target_must_have_the_value() -> None:
    """An empty output is reported before any request to a cloud."""
    resources = graph.by_key([_firewall()])
    graph.check_targets(resources, _applied(network_id="x"), list)
    with pytest.raises(errors.InvalidError) as caught:
        graph.check_targets(resources, _applied(), list)
    assert _raised(caught) == [("fw.yaml:8:3", "reference.value_is_known")]


def test_a_pruned_resource_is_no_target() -> None:
    """It would be missing after the apply. A relation is checked like a reference."""
    firewall, pruned = _firewall(), [_network("a").manifest, _network().manifest]
    resources = graph.by_key([firewall, _network("b", after="fw")])
    applied = _applied(network_id="x")
    graph.check_targets(resources, applied, list, pruned=[references.key(pruned[0])])
    with pytest.raises(errors.InvalidError) as caught:
        graph.check_targets(resources, applied, list, pruned=list(map(references.key, pruned)))
    assert _raised(caught) == [("fw.yaml:8:3", "reference.target_exists")]
    assert "CivoVpc/net (env dev), which is no longer among the manifests" in caught.value.violations[0].message
    assert "--prune" in caught.value.hint


def test_a_stack_input_needs_applied_targets() -> None:
    """A target with a manifest of the run is reported with its place."""
    firewall, network = _firewall(), _network()
    graph.check_applied(firewall, {}, _applied(network_id="x"))
    with pytest.raises(errors.InvalidError) as caught:
        graph.check_applied(firewall, graph.by_key([firewall, network]), _nothing)
    assert _raised(caught) == [("fw.yaml:8:3", "reference.target_applied")]
    assert "CivoVpc/net (env dev) (net.yaml:4:9)" in caught.value.violations[0].message
    with pytest.raises(errors.InvalidError) as caught:
        graph.check_applied(firewall, {}, _applied())
    assert _raised(caught) == [("fw.yaml:8:3", "reference.value_is_known")]
