"""Look-ups: what a literal means, and what the answers of a plugin mean."""

from __future__ import annotations

import types
from typing import Any

import pytest

from planton import errors
from planton.base import retries
from planton.modules import lookups
from support import mocks

ID = "77777777-7777-4777-8777-777777777777"
WAITED: list[float] = []
LOOKUPS = lookups.Lookups(
    where="in region X",
    region="X",
    no_match=("zero matches", "no VPCs"),
    several="too many",
    parts="multiple matches",
    limits={"cluster": "the plugin reads one page"},
    wait=WAITED.append,
)


def _field(text: str) -> lookups.Field:
    manifest = mocks.target("CivoFirewall", {"networkId": {"value": text}})
    return lookups.Field(manifest.spec.network_id, "spec.networkId", manifest.metadata)


def _fails(text: str) -> Any:
    def call(_: str) -> object:
        raise Exception(text)  # noqa: TRY002  # so does Pulumi

    return call


def _finds(**answer: str) -> Any:
    return lambda _: types.SimpleNamespace(**answer)


def test_an_id_is_taken_without_asking() -> None:
    """A UUID costs no request."""
    assert LOOKUPS.id_of("network", _field(ID), _fails("asked")) == ID


@pytest.mark.parametrize(
    ("text", "answer"),
    [("net", {"id": "n-1", "name": "net"}), ("n-1", {"id": "n-1", "name": "net"}), ("net", {"id": "n-1", "label": "net"})],
)
def test_an_exact_name_or_id_is_an_answer(text: str, answer: dict[str, str]) -> None:
    """The attribute that holds the name is the caller's to say."""
    name = "label" if "label" in answer else "name"
    assert LOOKUPS.id_of("network", _field(text), _finds(**answer), name=name) == "n-1"


@pytest.mark.parametrize(
    ("call", "ending"),
    [
        (_finds(id="n-1", name="network"), "in region X"),
        (_fails("invoke failed:\n\tzero matches"), "in region X"),
        (_fails("invoke failed: no VPCs found"), "in region X"),
        (_fails("x: multiple matches"), "in region X; its name is a part of several names"),
    ],
)
def test_everything_else_that_the_plugin_finds_is_none(call: Any, ending: str) -> None:
    """A part of a name is no match, and of two none is taken."""
    with pytest.raises(errors.PlantonError, match=f"no network has the name or id 'net' {ending}$") as caught:
        LOOKUPS.id_of("network", _field("net"), call)
    assert (caught.value.code, caught.value.reason) == (errors.Code.INVALID, errors.Reason.NOT_FOUND)
    assert caught.value.metadata == {"what": "network", "name": "net", "region": "X"}


def test_of_several_things_of_one_name_none_is_taken() -> None:
    """The id says which one is meant."""
    with pytest.raises(errors.PlantonError, match=r"several networks have the name 'net' in region X$") as caught:
        LOOKUPS.id_of("network", _field("net"), _fails("too many VPCs found"))
    assert (caught.value.code, caught.value.reason) == (errors.Code.INVALID, errors.Reason.AMBIGUOUS)
    assert caught.value.hint == "write the id of the network that you mean"


def test_what_a_plugin_has_not_looked_at_is_said() -> None:
    """A cluster that it does not find may be on another page."""
    with pytest.raises(errors.PlantonError, match=r"in region X; the plugin reads one page$") as caught:
        LOOKUPS.id_of("cluster", _field("net"), _fails("zero matches"))
    assert caught.value.reason is errors.Reason.NOT_FOUND


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("GET https://x: 401 Unable to authenticate you", errors.Reason.CLOUD_AUTH),
        ("GET https://x: 403 Forbidden", errors.Reason.CLOUD_AUTH),
        ("AuthenticationError: no", errors.Reason.CLOUD_AUTH),
        ("GET https://x: 500 boom", errors.Reason.CLOUD_FAILED),
        ("Unknown error response - status: 429 Too Many Requests, code: 429, reason: slow down", errors.Reason.CLOUD_FAILED),
        ("InternalServerError: internal server error", errors.Reason.CLOUD_FAILED),
        ("connection refused", errors.Reason.CLOUD_UNREACHABLE),
    ],
)
def test_a_plugin_that_could_not_ask_has_not_said_no(text: str, reason: errors.Reason) -> None:
    """The name may be right; the plugin's text is shown on one line."""
    with pytest.raises(errors.PlantonError) as caught:
        LOOKUPS.find("network", "net", _fails(f"invoke failed:\n  {text}"))
    assert (caught.value.code, caught.value.reason) == (errors.Code.FAILED, reason)
    assert caught.value.message == f"failed to look up the network 'net' in region X: invoke failed: {text}"
    assert ("wait a little" in caught.value.hint) is (reason is errors.Reason.CLOUD_FAILED)


def test_a_rate_limited_request_is_retried() -> None:
    """A few times; what is not there, or not allowed, is not there the next time either."""
    WAITED.clear()
    said = ["x: 429 slow down", "x: 503 soon"]

    def call(text: str) -> object:
        if said:
            raise Exception(said.pop(0))  # noqa: TRY002  # so does Pulumi
        return text

    assert LOOKUPS.find("network", "net", call) == "net"
    assert list(retries.CLOUD.waits) == WAITED
    WAITED.clear()
    assert LOOKUPS.find("network", "net", _fails("zero matches")) == "zero matches"
    with pytest.raises(errors.PlantonError):
        LOOKUPS.find("network", "net", _fails("x: 401 no"))
    assert WAITED == []


def test_what_is_found_or_said_is_the_answer_of_a_search() -> None:
    """Who searches decides what the plugin's words mean."""
    assert LOOKUPS.find("network", "net", lambda text: (text,)) == ("net",)
    assert LOOKUPS.find("network", "net", _fails("x zero matches\ny")) == "x zero matches y"
