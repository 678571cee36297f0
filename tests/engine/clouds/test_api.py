"""GET requests to a cloud's API: which are retried, and how often."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from planton import errors
from planton.base import retries
from planton.clouds import api
from support import answers


@pytest.fixture
def server() -> Iterator[answers.Server]:
    """A server with one resource."""
    with answers.serving("not found") as running:
        running.answers["/x"] = (200, {"a": 1})
        yield running


@pytest.mark.parametrize(
    ("before", "waited"),
    [
        ([], []),
        ([(429, "")], [retries.CLOUD.waits[0]]),
        ([(500, ""), (503, "")], list(retries.CLOUD.waits)),
        ([(429, "3"), (429, "0")], [3.0, 1.0]),
        ([(429, "Wed, 21 Oct 2026 07:28:00 GMT")], [retries.CLOUD.waits[0]]),
    ],
)
def test_a_failed_request_is_retried(server: answers.Server, before: list[tuple[int, str]], waited: list[float]) -> None:
    """The wait is the cloud's Retry-After, or else the default; never less than a second."""
    server.before["/x"] = list(before)
    slept: list[float] = []
    assert api.get(f"{server.url}/x", authorization="a", path="/x", wait=slept.append) == {"a": 1}
    assert slept == waited
    assert min(slept, default=1.0) >= 1.0


@pytest.mark.parametrize(
    ("before", "tries", "reason"),
    [
        ([(429, "")] * 9, 3, errors.Reason.CLOUD_FAILED),
        ([(429, "3600")], 1, errors.Reason.CLOUD_FAILED),
        ([(502, "")] * 9, 3, errors.Reason.CLOUD_FAILED),
        ([(401, "")], 1, errors.Reason.CLOUD_AUTH),
        ([(400, "1")], 1, errors.Reason.CLOUD_UNREACHABLE),
    ],
)
def test_retries_are_limited(server: answers.Server, before: list[tuple[int, str]], tries: int, reason: errors.Reason) -> None:
    """A refusal or a long Retry-After is not retried. The hint names the next step."""
    server.before["/x"] = list(before)
    slept: list[float] = []
    with pytest.raises(errors.PlantonError, match=f"GET /x: {before[0][0]} not now") as caught:
        api.get(f"{server.url}/x", authorization="a", path="/x", wait=slept.append)
    assert (len(server.requests), caught.value.reason) == (tries, reason)
    assert (caught.value.hint == retries.HINT) is (reason is errors.Reason.CLOUD_FAILED)
    assert len(slept) == tries - 1
