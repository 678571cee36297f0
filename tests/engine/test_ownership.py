"""Proof of ownership: which resources an operation created, and which only have the same name."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from planton.recovery import ownership
from planton.state import journal
from support import events

STARTED = 1_800_000_000.0
MARKER = "planton-creation:0123456789abcdef"
DO_CLUSTER = "digitalocean:index/kubernetesCluster:KubernetesCluster"
DO_POOL = "digitalocean:index/kubernetesNodePool:KubernetesNodePool"
DO_VPC = "digitalocean:index/vpc:Vpc"


def _time(offset: float) -> str:
    moment = datetime.datetime.fromtimestamp(STARTED + offset, datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _judge(
    type_: str, inputs: dict[str, Any], entry: dict[str, Any], *, marker: str = MARKER, before: Any = (), after: float = 60.0
) -> ownership.Candidate:
    name = str(inputs.get("label") or inputs.get("name"))
    creation = journal.Creation(name, inputs)
    now = STARTED + after
    evidence = ownership.Evidence(creation, marker, before, STARTED, now)
    [candidate] = ownership.candidates("urn", type_, [entry], evidence)
    return candidate


def test_every_marker_is_unique_and_fits_a_tag() -> None:
    """DigitalOcean allows letters, digits, colons, dashes and underscores."""
    markers = {ownership.new_marker() for _ in range(100)}
    assert len(markers) == 100
    assert all(set(each) <= set("abcdefghijklmnopqrstuvwxyz0123456789:-") for each in markers)


@pytest.mark.parametrize("type_", [events.CLUSTER, DO_CLUSTER, DO_POOL])
def test_the_recorded_tag_proves_ownership(type_: str) -> None:
    """A resource without the tag, or one that existed before, is not owned."""
    sent = {"name": "prod"}
    entry = {"id": "1", "name": "prod", "tags": ["team:a", MARKER], "created_at": _time(1)}
    assert _judge(type_, sent, entry).is_ours
    for foreign, more in (
        (entry | {"tags": ["team:a"]}, {}),
        (entry, {"before": ("1",)}),
        (entry, {"marker": ""}),
        (entry | {"tags": None}, {}),
    ):
        candidate = _judge(type_, sent, foreign, **more)
        assert (candidate.is_ours, candidate.is_older) == (False, True)


def test_a_replacement_is_owned_through_the_tag_of_the_replaced_resource() -> None:
    """The program sends the tag from the state. The replaced resource existed before the request."""
    older = "planton-creation:fedcba9876543210"
    for tags in ([older, "team:a"], f"{older} team:a"):
        entry = {"id": "2", "name": "prod", "tags": [older]}
        assert _judge(DO_CLUSTER, {"name": "prod", "tags": tags}, entry, before=("1",)).is_ours
        assert not _judge(DO_CLUSTER, {"name": "prod", "tags": tags}, entry | {"id": "1"}, before=("1",)).is_ours


SENT: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "network": (events.NETWORK, {"label": "net", "cidrV4": "10.0.0.0/24"}, {"id": "1", "label": "net", "cidr": "10.0.0.0/24"}),
    "firewall": (
        events.FIREWALL,
        {"name": "fw", "networkId": "n", "ingressRules": [{"protocol": "tcp", "portRange": "80", "cidrs": ["0.0.0.0/0"]}]},
        {
            "id": "1",
            "name": "fw",
            "network_id": "n",
            "rules": [{"direction": "ingress", "protocol": "tcp", "ports": "80", "cidr": ["0.0.0.0/0"]}],
        },
    ),
    "pool": (
        events.POOL,
        {"label": "w", "size": "small", "nodeCount": 3, "labels": {"a": "b"}, "taints": []},
        {"id": "w", "size": "small", "count": 3, "labels": {"a": "b"}},
    ),
    "vpc": (
        DO_VPC,
        {"name": "v", "region": "fra1"},
        {"id": "1", "name": "v", "region": "fra1", "ip_range": "10.1.0.0/20", "created_at": _time(2)},
    ),
}


@pytest.mark.parametrize("noun", SENT)
def test_without_tags_a_new_resource_with_all_sent_values_is_owned(noun: str) -> None:
    """Values that the cloud chose itself are not differences."""
    assert _judge(*SENT[noun]).is_ours


@pytest.mark.parametrize("noun", SENT)
def test_without_tags_a_resource_that_existed_before_is_foreign(noun: str) -> None:
    """Equal values do not matter. The creation may be repeated."""
    candidate = _judge(*SENT[noun], before=(SENT[noun][2]["id"],))
    assert (candidate.reasons, candidate.is_older) == (("it existed before the request",), True)


@pytest.mark.parametrize("noun", SENT)
def test_a_resource_of_unknown_age_is_owned_for_an_hour_only(noun: str) -> None:
    """Later, somebody else may have created an equal resource."""
    candidate = _judge(*SENT[noun], after=4000.0)
    assert candidate.is_ours is (noun == "vpc")
    assert not candidate.is_older


@pytest.mark.parametrize("noun", SENT)
def test_without_an_earlier_list_ownership_is_not_proven(noun: str) -> None:
    """Records of older releases have no such list."""
    candidate = _judge(*SENT[noun], before=None)
    assert (candidate.is_ours, candidate.is_older) == (False, False)


@pytest.mark.parametrize(
    ("noun", "change", "reason"),
    [
        ("network", {"cidr": "10.9.0.0/24"}, "cidrV4 is '10.9.0.0/24', and '10.0.0.0/24' was sent"),
        ("pool", {"count": 2}, "nodeCount is 2, and 3 was sent"),
        ("pool", {"size": "large"}, "size is 'large', and 'small' was sent"),
        ("pool", {"labels": {}}, "labels is {}, and {'a': 'b'} was sent"),
        ("vpc", {"region": "lon1"}, "region is 'lon1', and 'fra1' was sent"),
        ("vpc", {"created_at": _time(-3600)}, "it is older than the operation"),
    ],
)
def test_without_tags_one_difference_disproves_ownership(noun: str, change: dict[str, Any], reason: str) -> None:
    """The difference is reported with both values."""
    type_, inputs, entry = SENT[noun]
    candidate = _judge(type_, inputs, entry | change)
    assert candidate.reasons == (reason,)


def test_a_candidate_is_described_with_its_age() -> None:
    """The age helps the user to find the owner."""
    candidate = _judge(DO_VPC, {"name": "v"}, {"id": "1", "name": "v", "created_at": _time(-2 * 86400)})
    now = datetime.datetime.fromtimestamp(STARTED, datetime.UTC)
    assert candidate.describe(now) == "'v' has the id 1, created 2 days ago; it is older than the operation"
    young = _judge(events.NETWORK, {"label": "n"}, {"id": "2", "label": "n"}, before=("2",))
    assert young.describe(now) == "'n' has the id 2; it existed before the request"
