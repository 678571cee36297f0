"""Answers that a run asks for once."""

from __future__ import annotations

import threading
from concurrent import futures

import pytest

from planton.clouds import answers


def test_a_request_is_sent_once_whoever_asks() -> None:
    """Threads that ask meanwhile wait for the first one's answer; another request is sent."""
    known = answers.Answers()
    begun, released = threading.Event(), threading.Event()
    sent: list[str] = []

    def send() -> list[str]:
        sent.append("a")
        begun.set()
        released.wait()
        return sent

    with futures.ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(known.get, "a", send) for _ in range(4)]
        begun.wait()
        assert known.get("b", lambda: "other") == "other"
        released.set()
        assert all(each.result() is sent for each in waiting)
    assert sent == ["a"]


def test_an_error_is_an_answer_too() -> None:
    """A cloud that is not there is not asked by each of a hundred pools."""
    known = answers.Answers()
    sent: list[int] = []

    def send() -> None:
        sent.append(1)
        raise OSError("no route")

    for _ in range(2):
        with pytest.raises(OSError, match="no route"):
            known.get("a", send)
    assert sent == [1]
