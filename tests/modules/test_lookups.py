"""Look-ups: literals, and the responses of a plugin."""

from __future__ import annotations

import types
from typing import Any

import pytest

from planton import errors
from planton.base import retries
from planton.modules import lookups
from support import mocks

ID = "77777777-7777-4777-8777-777777777777"
WAITS: list[float] = []
LOOKUPS = lookups.Lookups(
    where="in region X",
    region="X",
    no_match=("zero matches", "no VPCs"),
    several="too many",
    parts="multiple matches",
    limits={"cluster": "the plugin reads one page"},
    wait=WAITS.append,
)


def _field(text: str) -> lookups.Field:
    manifest = mocks.target("CivoFirewall", {"networkId": {"value": text}})
    return lookups.Field(manifest.spec.network_id, "spec.networkId", manifest.metadata)


def _failing(text: str) -> Any:
    def call(_: str) -> object:
        raise Exception(text)  # noqa: TRY002  # Pulumi raises it

    return call


def _returning(**response: str) -> Any:
    return lambda _: types.SimpleNamespace(**response)


def test_a_uuid_needs_no_look_up() -> None:
    """It costs no request."""
    assert LOOKUPS.id_of("network", _field(ID), _failing("called")) == ID


@pytest.mark.parametrize(
    ("text", "response"),
    [("net", {"id": "n-1", "name": "net"}), ("n-1", {"id": "n-1", "name": "net"}), ("net", {"id": "n-1", "label": "net"})],
)
def test_an_exact_name_or_id_matches(text: str, response: dict[str, str]) -> None:
    """The caller names the attribute that contains the name."""
    name = "label" if "label" in response else "name"
    assert LOOKUPS.id_of("network", _field(text), _returning(**response), name=name) == "n-1"


@pytest.mark.parametrize(
    ("call", "ending"),
    [
        (_returning(id="n-1", name="network"), "in region X"),
        (_failing("invoke failed:\n\tzero matches"), "in region X"),
        (_failing("invoke failed: no VPCs found"), "in region X"),
        (_failing("x: multiple matches"), "in region X; its name is a part of several names"),
    ],
)
def test_a_partial_or_missing_match_is_not_found(call: Any, ending: str) -> None:
    """The plugin accepts a part of a name. The module does not."""
    with pytest.raises(errors.PlantonError, match=f"no network has the name or id 'net' {ending}$") as caught:
        LOOKUPS.id_of("network", _field("net"), call)
    assert (caught.value.code, caught.value.reason) == (errors.Code.INVALID, errors.Reason.NOT_FOUND)
    assert caught.value.metadata == {"what": "network", "name": "net", "region": "X"}


def test_an_ambiguous_name_is_an_error() -> None:
    """The hint asks for the id."""
    with pytest.raises(errors.PlantonError, match=r"several networks have the name 'net' in region X$") as caught:
        LOOKUPS.id_of("network", _field("net"), _failing("too many VPCs found"))
    assert (caught.value.code, caught.value.reason) == (errors.Code.INVALID, errors.Reason.AMBIGUOUS)
    assert caught.value.hint == "write the id of the network that you mean"


def test_a_limit_of_the_plugins_search_is_reported() -> None:
    """A missing cluster may be on another page."""
    with pytest.raises(errors.PlantonError, match=r"in region X; the plugin reads one page$") as caught:
        LOOKUPS.id_of("cluster", _field("net"), _failing("zero matches"))
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
def test_a_failed_look_up_is_not_a_missing_resource(text: str, reason: errors.Reason) -> None:
    """The name may be correct. The plugin's text is shown on one line."""
    with pytest.raises(errors.PlantonError) as caught:
        LOOKUPS.find("network", "net", _failing(f"invoke failed:\n  {text}"))
    assert (caught.value.code, caught.value.reason) == (errors.Code.FAILED, reason)
    assert caught.value.message == f"failed to look up the network 'net' in region X: invoke failed: {text}"
    assert ("wait a little" in caught.value.hint) is (reason is errors.Reason.CLOUD_FAILED)


def test_a_rate_limited_request_is_retried() -> None:
    """Retries are limited. Missing resources and refused tokens are not retried."""
    WAITS.clear()
    failures = ["x: 429 slow down", "x: 503 soon"]

    def call(text: str) -> object:
        if failures:
            raise Exception(failures.pop(0))  # noqa: TRY002  # Pulumi raises it
        return text

    assert LOOKUPS.find("network", "net", call) == "net"
    assert list(retries.CLOUD.waits) == WAITS
    WAITS.clear()
    assert LOOKUPS.find("network", "net", _failing("zero matches")) == "zero matches"
    with pytest.raises(errors.PlantonError):
        LOOKUPS.find("network", "net", _failing("x: 401 no"))
    assert WAITS == []


def test_a_search_returns_the_result_or_the_plugins_text() -> None:
    """The caller interprets the text."""
    assert LOOKUPS.find("network", "net", lambda text: (text,)) == ("net",)
    assert LOOKUPS.find("network", "net", _failing("x zero matches\ny")) == "x zero matches y"
