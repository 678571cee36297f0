"""Networks with overlapping ranges, reported with both places."""

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


def test_overlapping_networks_of_one_digitalocean_account_are_refused() -> None:
    """Regions do not matter. The violation is about the later network and names the place of the earlier one."""
    resources = [
        _network(DIGITALOCEAN, "a", "10.10.0.0/16"),
        _network(DIGITALOCEAN, "b", "10.20.0.0/16"),
        _network(DIGITALOCEAN, "c", "10.10.16.0/20", region="nyc3"),
    ]
    with pytest.raises(errors.InvalidError) as caught:
        networks.check(resources)
    [violation] = caught.value.violations
    assert (violation.place, violation.path, violation.rule_id) == ("c.yaml:6:35", "spec.ipRangeCidr", "network.no_overlap")
    assert "10.10.16.0/20 overlaps with 10.10.0.0/16 of DigitalOceanVpc/a (a.yaml:6:35)" in violation.message


@pytest.mark.parametrize(
    "resources",
    [
        [_network(DIGITALOCEAN, "b", "10.11.0.0/16")],
        [_network(DIGITALOCEAN, "b", "10.10.0.0/16", account="other")],
        [_network(DIGITALOCEAN, "b")],
        [_network(CIVO, "b", "10.10.0.0/16")],
        [_network(CIVO, "b", "10.10.0.0/16"), _network(CIVO, "c", "10.10.0.0/24")],
    ],
)
def test_networks_that_no_cloud_refuses_are_accepted(resources: list[load.Resource]) -> None:
    """Accepted are disjoint ranges, other accounts, ranges that the cloud picks, and other clouds. Civo accepts overlapping networks."""
    networks.check([_network(DIGITALOCEAN, "a", "10.10.0.0/16"), *resources])


@pytest.mark.parametrize(
    ("second", "is_reported"),
    [
        (_network(CIVO, "b", "10.10.0.0/24", region="FRA1"), True),
        (_network(CIVO, "b", "10.10.0.0/24", region="lon1"), False),
        (_network(CIVO, "b", "10.10.0.0/24", account="other"), False),
    ],
)
def test_an_overlap_in_one_region_of_civo_is_a_warning(second: load.Resource, is_reported: bool) -> None:
    """Networks of two regions are never connected."""
    first = _network(CIVO, "a", "10.10.0.0/16")
    ranges = [network for entry in (first, second) if (network := networks.of(entry.manifest)) is not None]
    assert list(networks.overlaps(ranges)) == ([(0, 1)] if is_reported else [])
    assert networks.violation(first, second).level == "warning"


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)), max_size=12))
def test_every_overlap_is_found(ranges: list[tuple[int, int]]) -> None:
    """Each reported pair overlaps, and a pair is reported if any two ranges overlap."""
    address_ranges = [
        networks.Network(references.Key("DigitalOceanVpc", "", str(index)), ("digitalocean", ""), first, first + size)
        for index, (first, size) in enumerate(ranges)
    ]
    reported = list(networks.overlaps(address_ranges))
    pairs = list(itertools.combinations(range(len(address_ranges)), 2))

    def overlap(i: int, j: int) -> bool:
        return address_ranges[i].first <= address_ranges[j].last and address_ranges[j].first <= address_ranges[i].last

    assert all(i < j and overlap(i, j) for i, j in reported)
    assert {index for pair in pairs if overlap(*pair) for index in pair} >= {index for pair in reported for index in pair}
    assert bool(reported) == any(overlap(*pair) for pair in pairs)
