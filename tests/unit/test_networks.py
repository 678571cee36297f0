"""Networks whose ranges overlap, with both places."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planton import errors, manifest
from planton.deploy import networks
from planton.manifest import load
from planton.schema import references

CIVO = """apiVersion: civo.project-planton.org/v1
kind: CivoVpc
metadata:
  name: {name}
spec: {{civoCredentialId: {account}, networkName: {name}, region: {region}{cidr}}}
"""
DIGITALOCEAN = """apiVersion: digital-ocean.project-planton.org/v1
kind: DigitalOceanVpc
metadata:
  name: {name}
  annotations: {{project-planton.org/credential: {account}}}
spec: {{region: {region}{cidr}}}
"""


def _network(form: str, name: str, cidr: str = "", *, account: str = "default", region: str = "fra1") -> load.Resource:
    text = form.format(name=name, account=account, region=region, cidr=f", ipRangeCidr: {cidr}" if cidr else "")
    file = f"{name}.yaml"
    [document], violations = manifest.read(text.encode(), file=file)
    assert violations == []
    return load.Resource(document.message, None, file, document=document)


def test_digitalocean_refuses_networks_of_an_account_that_overlap() -> None:
    """Regions make no difference; the later one is reported, and the earlier one is named with its place."""
    given_networks = [
        _network(DIGITALOCEAN, "a", "10.10.0.0/16"),
        _network(DIGITALOCEAN, "b", "10.20.0.0/16"),
        _network(DIGITALOCEAN, "c", "10.10.16.0/20", region="nyc3"),
    ]
    with pytest.raises(errors.InvalidError) as caught:
        networks.check(given_networks)
    [violation] = caught.value.violations
    assert (violation.place, violation.path, violation.rule_id) == ("c.yaml:6:35", "spec.ipRangeCidr", "network.no_overlap")
    assert "10.10.16.0/20 overlaps with 10.10.0.0/16 of DigitalOceanVpc/a (a.yaml:6:35)" in violation.message


@pytest.mark.parametrize(
    "others",
    [
        [_network(DIGITALOCEAN, "b", "10.11.0.0/16")],
        [_network(DIGITALOCEAN, "b", "10.10.0.0/16", account="other")],
        [_network(DIGITALOCEAN, "b")],
        [_network(CIVO, "b", "10.10.0.0/16")],
        [_network(CIVO, "b", "10.10.0.0/16"), _network(CIVO, "c", "10.10.0.0/24")],
    ],
)
def test_what_no_cloud_refuses_passes(others: list[load.Resource]) -> None:
    """Ranges beside each other, other accounts, ranges that the cloud picks, other clouds; Civo takes networks that overlap."""
    networks.check([_network(DIGITALOCEAN, "a", "10.10.0.0/16"), *others])


@pytest.mark.parametrize(
    ("other", "found"),
    [
        (_network(CIVO, "b", "10.10.0.0/24", region="FRA1"), True),
        (_network(CIVO, "b", "10.10.0.0/24", region="lon1"), False),
        (_network(CIVO, "b", "10.10.0.0/24", account="other"), False),
    ],
)
def test_at_civo_an_overlap_in_a_region_is_a_warning(other: load.Resource, found: bool) -> None:
    """Networks of two regions are never connected."""
    one = _network(CIVO, "a", "10.10.0.0/16")
    known = [network for entry in (one, other) if (network := networks.of(entry.manifest)) is not None]
    assert list(networks.overlaps(known)) == ([(0, 1)] if found else [])
    assert networks.violation(one, other).level == "warning"


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)), max_size=12))
def test_each_network_that_overlaps_with_an_earlier_one_is_found(ranges: list[tuple[int, int]]) -> None:
    """Every pair that is reported overlaps, and without the later ones of all pairs no two that are left do."""
    known = [
        networks.Network(references.Key("DigitalOceanVpc", "", str(at)), ("digitalocean", ""), first, first + size)
        for at, (first, size) in enumerate(ranges)
    ]
    pairs = list(networks.overlaps(known))

    def meet(one: int, other: int) -> bool:
        return known[one].first <= known[other].last and known[other].first <= known[one].last

    assert all(one < other and meet(one, other) for one, other in pairs)
    connected = {at for pair in pairs for at in pair}
    assert {at for pair in itertools.combinations(range(len(known)), 2) if meet(*pair) for at in pair} >= connected
    assert bool(pairs) == any(meet(*pair) for pair in itertools.combinations(range(len(known)), 2))
