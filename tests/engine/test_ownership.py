"""Proof of authorship: what is known to be the result of an operation of ours, and what only has the name."""

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
    [found] = ownership.candidates("urn", type_, creation, [entry], marker=marker, before=before, started=STARTED, now=now)
    return found


def test_every_marker_is_another_one_and_fits_a_tag() -> None:
    """DigitalOcean allows letters, digits, colons, dashes and underscores."""
    made = {ownership.new_marker() for _ in range(100)}
    assert len(made) == 100
    assert all(set(each) <= set("abcdefghijklmnopqrstuvwxyz0123456789:-") for each in made)


@pytest.mark.parametrize("type_", [events.CLUSTER, DO_CLUSTER, DO_POOL])
def test_where_the_cloud_has_tags_the_recorded_tag_is_the_proof(type_: str) -> None:
    """A resource with the tag is ours whatever else it has; one without it, or one that was there before, is not."""
    sent = {"name": "prod"}
    entry = {"id": "1", "name": "prod", "tags": ["team:a", MARKER], "created_at": _time(1)}
    assert _judge(type_, sent, entry).is_ours
    for stranger, more in (
        (entry | {"tags": ["team:a"]}, {}),
        (entry, {"before": ("1",)}),
        (entry, {"marker": ""}),
        (entry | {"tags": None}, {}),
    ):
        found = _judge(type_, sent, stranger, **more)
        assert (found.is_ours, found.is_older) == (False, True)


def test_what_replaces_a_resource_is_known_by_the_tag_of_that_one() -> None:
    """The program sends the tag that the state has; the replaced resource was there before the request."""
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
def test_without_tags_a_new_resource_with_everything_that_was_sent_is_ours(noun: str) -> None:
    """What the cloud chose where nothing was sent is no difference."""
    assert _judge(*SENT[noun]).is_ours


@pytest.mark.parametrize("noun", SENT)
def test_without_tags_what_was_there_before_is_a_strangers(noun: str) -> None:
    """Even with everything that was sent; the creation may then be repeated."""
    found = _judge(*SENT[noun], before=(SENT[noun][2]["id"],))
    assert (found.reasons, found.is_older) == (("it existed before the request",), True)


@pytest.mark.parametrize("noun", SENT)
def test_a_resource_of_unknown_age_is_ours_for_an_hour_only(noun: str) -> None:
    """Later, somebody else may have created just that."""
    found = _judge(*SENT[noun], after=4000.0)
    assert found.is_ours is (noun == "vpc")
    assert not found.is_older


@pytest.mark.parametrize("noun", SENT)
def test_without_a_list_from_before_nothing_is_proven(noun: str) -> None:
    """So it is with the records of older releases."""
    found = _judge(*SENT[noun], before=None)
    assert (found.is_ours, found.is_older) == (False, False)


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
def test_without_tags_one_difference_is_enough_to_be_no_proof(noun: str, change: dict[str, Any], reason: str) -> None:
    """The difference is reported with both values."""
    type_, inputs, entry = SENT[noun]
    found = _judge(type_, inputs, entry | change)
    assert found.reasons == (reason,)


def test_a_candidate_is_described_with_its_age() -> None:
    """So that a person can tell whose it is."""
    found = _judge(DO_VPC, {"name": "v"}, {"id": "1", "name": "v", "created_at": _time(-2 * 86400)})
    now = datetime.datetime.fromtimestamp(STARTED, datetime.UTC)
    assert found.describe(now) == "'v' has the id 1, created 2 days ago; it is older than the operation"
    young = _judge(events.NETWORK, {"label": "n"}, {"id": "2", "label": "n"}, before=("2",))
    assert young.describe(now) == "'n' has the id 2; it existed before the request"
