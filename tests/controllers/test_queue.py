"""The queue of the API, as a controller uses it."""

from __future__ import annotations

import httpx
import pytest

from planton import client, errors
from planton.client import transport
from planton.controllers import queue


def of_server(version: str | None, paths: list[str]) -> queue.ApiQueue:
    """Returns the queue of a server that has a version and no work; None for one that does not answer."""

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path)
        if version is None:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, json={"version": version} if request.url.path.endswith("/info") else {"lease": "8s"})

    api = client.Client("http://127.0.0.1:1")
    api.transport = transport.Transport("http://127.0.0.1:1", transport=httpx.MockTransport(answer), wait=lambda _: None)
    return queue.ApiQueue(api, "p", "0.2.1", ("civo",))


@pytest.mark.parametrize("version", ["0.2.0", "0.2.9", "0.3.0", "1.0.0", "0.2.0.dev1"])
def test_work_is_claimed_from_a_server_that_is_not_older(version: str) -> None:
    """Its version is asked for once. Patches do not matter, and a newer server serves older controllers."""
    paths: list[str] = []
    jobs = of_server(version, paths)
    for _ in range(2):
        assert jobs.claim(limit=1, results=(), wait=0).items == ()
    assert paths == ["/api/v1/info", "/api/v1/work/claims", "/api/v1/work/claims"]


@pytest.mark.parametrize("version", ["0.1.9", "0", ""])
def test_no_work_is_claimed_from_an_older_server(version: str) -> None:
    """The error has both versions, and what to do. It is asked again before the next claim: servers are upgraded one by one."""
    paths: list[str] = []
    jobs = of_server(version, paths)
    for _ in range(2):
        with pytest.raises(errors.PlantonError) as caught:
            jobs.claim(limit=1, results=(), wait=0)
        assert (caught.value.reason, caught.value.code) == (errors.Reason.API_OUTDATED, errors.Code.REFUSED)
        assert "0.2.1" in caught.value.message
        assert version in caught.value.message
    assert paths == ["/api/v1/info"] * 2


def test_a_server_that_does_not_answer_is_not_called_old() -> None:
    """The controller waits for it."""
    with pytest.raises(errors.PlantonError) as caught:
        of_server(None, []).claim(limit=1, results=(), wait=0)
    assert caught.value.reason is errors.Reason.API_UNREACHABLE
