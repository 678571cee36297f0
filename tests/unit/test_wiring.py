"""How the resources of a run hang together: what is given twice, in a circle, nowhere, or empty, with places."""

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


def _wanted(text: str, file: str) -> load.Resource:
    [document], violations = manifest.read(text.encode(), file=file)
    assert violations == []
    return load.Resource(document.message, None, file, document=document)


def _network(name: str = "net", *, file: str = "net.yaml", after: str = "") -> load.Resource:
    text = NETWORK.format(name=name)
    return _wanted(text.replace("spec:", RELATION.format(kind="CivoFirewall", name=after) + "spec:") if after else text, file)


def _firewall(name: str = "fw", *, network: str = "net", file: str = "fw.yaml") -> load.Resource:
    return _wanted(FIREWALL.format(name=name, network=network), file)


def _nothing(_key: references.Key) -> None:
    return None


def _applied(**outputs: str) -> Any:
    found: Any = _network().manifest
    for field, value in outputs.items():
        setattr(found.status.outputs, field, value)
    return {references.key(found): found}.get


def _raised(error: pytest.ExceptionInfo[errors.InvalidError]) -> list[tuple[str, str]]:
    return [(violation.place, violation.rule_id) for violation in error.value.violations]


def test_resources_are_found_by_kind_environment_and_name() -> None:
    """All that is given is there, in the order given."""
    given = [_firewall(), _network()]
    assert list(graph.by_key(given).values()) == given


def test_what_is_given_twice_is_named_with_both_places() -> None:
    """Each repetition is an error of its own, and points at the first."""
    with pytest.raises(errors.InvalidError) as caught:
        graph.by_key([_network(), _network(file="b.yaml"), _network(file="c.yaml"), _firewall()])
    assert _raised(caught) == [("b.yaml:4:9", "reference.given_once"), ("c.yaml:4:9", "reference.given_once")]
    assert all("also at net.yaml:4:9" in violation.message for violation in caught.value.violations)


def test_what_is_referred_to_comes_first() -> None:
    """Otherwise the order is the one given."""
    given = graph.by_key([_network("b"), _firewall(), _network("net"), _network("a")])
    names = [key.name for key in graph.order(given)]
    assert names.index("net") < names.index("fw")
    assert sorted(names) == ["a", "b", "fw", "net"]


def test_a_circle_is_named_with_the_place_of_each_step() -> None:
    """References and relations make a circle together."""
    given = graph.by_key([_network(after="fw"), _firewall()])
    found = graph.cycle_violation(given)
    assert found is not None
    assert "CivoVpc/net (env dev) (net.yaml:7:7)" in found.message
    assert "CivoFirewall/fw (env dev) (fw.yaml:8:3)" in found.message
    with pytest.raises(errors.InvalidError) as caught:
        graph.order(given)
    assert list(caught.value.violations) == [found]
    assert caught.value.reason is errors.Reason.REFERENCE_INVALID


def test_a_resource_that_waits_for_itself_is_a_circle() -> None:
    """The shortest circle has one step."""
    text = NETWORK.format(name="net").replace("spec:", RELATION.format(kind="CivoVpc", name="net") + "spec:")
    found = graph.cycle_violation(graph.by_key([_wanted(text, "net.yaml")]))
    assert found is not None
    assert found.message.endswith("CivoVpc/net (env dev) (net.yaml:7:7) → CivoVpc/net (env dev)")


def test_without_a_circle_there_is_none() -> None:
    """Two that refer to one, and one that refers to what is not given."""
    assert graph.cycle_violation(graph.by_key([_network(), _firewall("a"), _firewall("b"), _firewall("c", network="x")])) is None


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ([references.Key("CivoVpc", "prod", "net")], "; there is CivoVpc/net (env prod)"),
        ([references.Key("CivoVpc", "dev", "nett")], "; did you mean 'nett'?"),
        ([references.Key("CivoFirewall", "dev", "nett")], "nor applied"),
        (
            [references.Key("CivoVpc", "dev", "net")],
            "not among the manifests given, and whose last apply did not finish",
        ),
        ([references.Key("CivoVpc", "dev", "other")], "nor applied"),
    ],
)
def test_a_target_that_is_nowhere_is_named_with_a_near_one(known: list[references.Key], said: str) -> None:
    """The same name elsewhere is nearest, then a similar name of the same kind."""
    with pytest.raises(errors.InvalidError) as caught:
        graph.check_targets(graph.by_key([_firewall()]), _nothing, lambda: known)
    [violation] = caught.value.violations
    assert (violation.place, violation.rule_id) == ("fw.yaml:8:3", "reference.target_exists")
    assert violation.message.endswith(said)
    assert caught.value.reason is errors.Reason.REFERENCE_UNRESOLVED


def test_every_target_that_is_nowhere_is_named() -> None:
    """One run tells all that is wrong; a relation counts as much as a reference."""
    with pytest.raises(errors.InvalidError) as caught:
        graph.check_targets(graph.by_key([_firewall(network="x"), _network(after="web")]), _nothing, list)
    assert [place for place, _ in _raised(caught)] == ["fw.yaml:8:3", "net.yaml:7:7"]


def test_what_is_given_need_not_have_a_value_yet() -> None:
    """Its outputs come with the apply, so nothing is looked up."""
    graph.check_targets(graph.by_key([_firewall(), _network()]), _nothing, list)


@pytest.mark.parametrize("path", ["metadata.id", "spec.ipRangeCidr", "metadata.org"])
def test_what_is_given_must_have_what_no_apply_yields(path: str) -> None:
    """A field of the manifest that is not set there never will be; nothing is asked and nothing is started."""
    text = FIREWALL.format(name="fw", network=f"net, fieldPath: {path}")
    given = graph.by_key([_wanted(text, "fw.yaml"), _network()])
    with pytest.raises(errors.InvalidError) as caught:
        graph.check_targets(given, _nothing, list)
    assert _raised(caught) == [("fw.yaml:8:3", "reference.value_is_known")]
    assert "CivoVpc/net (env dev) (net.yaml:4:9), which is not set there" in caught.value.violations[0].message
    assert "fieldPath" in caught.value.hint


@pytest.mark.parametrize("path", ["metadata.name", "spec.region", "spec.networkName", "status.outputs.createdAtRfc3339"])
def test_what_is_given_has_what_is_set_there_or_comes_with_the_apply(path: str) -> None:
    """Outputs are not known before."""
    text = FIREWALL.format(name="fw", network=f"net, fieldPath: {path}")
    graph.check_targets(graph.by_key([_wanted(text, "fw.yaml"), _network()]), _nothing, list)


def test_what_has_been_applied_must_have_the_value() -> None:
    """An output that is empty is named before anything is asked of a cloud."""
    alone = graph.by_key([_firewall()])
    graph.check_targets(alone, _applied(network_id="x"), list)
    with pytest.raises(errors.InvalidError) as caught:
        graph.check_targets(alone, _applied(), list)
    assert _raised(caught) == [("fw.yaml:8:3", "reference.value_is_known")]


def test_what_is_to_be_pruned_is_no_target() -> None:
    """It is applied and has the value, and would be gone after the apply; a relation to it counts as much."""
    firewall, pruned = _firewall(), [_network("a").manifest, _network().manifest]
    given = graph.by_key([firewall, _network("b", after="fw")])
    applied = _applied(network_id="x")
    graph.check_targets(given, applied, list, pruned=[references.key(pruned[0])])
    with pytest.raises(errors.InvalidError) as caught:
        graph.check_targets(given, applied, list, pruned=list(map(references.key, pruned)))
    assert _raised(caught) == [("fw.yaml:8:3", "reference.target_exists")]
    assert "CivoVpc/net (env dev), which is no longer among the manifests given" in caught.value.violations[0].message
    assert "--prune" in caught.value.hint


def test_a_stack_input_needs_its_targets_applied() -> None:
    """One that is only given is named with its place; one that has the value is no trouble."""
    firewall, network = _firewall(), _network()
    graph.check_applied(firewall, {}, _applied(network_id="x"))
    with pytest.raises(errors.InvalidError) as caught:
        graph.check_applied(firewall, graph.by_key([firewall, network]), _nothing)
    assert _raised(caught) == [("fw.yaml:8:3", "reference.target_applied")]
    assert "CivoVpc/net (env dev) (net.yaml:4:9)" in caught.value.violations[0].message
    with pytest.raises(errors.InvalidError) as caught:
        graph.check_applied(firewall, {}, _applied())
    assert _raised(caught) == [("fw.yaml:8:3", "reference.value_is_known")]
