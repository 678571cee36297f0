"""The cache of cloud responses of one run."""

from __future__ import annotations

import threading
from concurrent import futures

import pytest

from planton.clouds import answers


def test_concurrent_equal_requests_are_sent_once() -> None:
    """Other threads wait for the first response. A different request is sent."""
    cache = answers.Answers()
    started, released = threading.Event(), threading.Event()
    sent: list[str] = []

    def send() -> list[str]:
        sent.append("a")
        started.set()
        released.wait()
        return sent

    with futures.ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(cache.get, "a", send) for _ in range(4)]
        started.wait()
        assert cache.get("b", lambda: "other") == "other"
        released.set()
        assert all(each.result() is sent for each in waiting)
    assert sent == ["a"]


def test_an_error_is_cached() -> None:
    """A hundred pools must not each wait for an unreachable cloud."""
    cache = answers.Answers()
    sent: list[int] = []

    def send() -> None:
        sent.append(1)
        raise OSError("no route")

    for _ in range(2):
        with pytest.raises(OSError, match="no route"):
            cache.get("a", send)
    assert sent == [1]
