"""Calls: how often they may be made, and by whom."""

import pytest
from hypothesis import given, strategies

from planton_server import calls
from planton_server.service import errors


def test_burst_and_flow():
    """A full bucket lets a burst through, then as much as flows in."""
    limit = calls.RateLimit(2.0, 3)
    for _ in range(3):
        limit.take("a", 100.0)
    with pytest.raises(errors.ApiError) as caught:
        limit.take("a", 100.0)
    assert (caught.value.code, caught.value.headers["Retry-After"]) == (errors.ErrorCode.RATE_LIMITED, "1")
    limit.take("a", 100.5)
    with pytest.raises(errors.ApiError):
        limit.take("a", 100.6)
    limit.take("b", 100.6)


def test_wait_is_long_enough():
    """Whoever waits as long as told is let in."""
    limit = calls.RateLimit(0.1, 1)
    limit.take("a", 0.0)
    with pytest.raises(errors.ApiError) as caught:
        limit.take("a", 3.0)
    assert caught.value.headers["Retry-After"] == "7"
    limit.take("a", 10.0)


def test_refusal_costs_nothing():
    """Who asks although refused does not wait longer for it."""
    limit = calls.RateLimit(1.0, 1)
    limit.take("a", 0.0)
    for _ in range(10):
        with pytest.raises(errors.ApiError):
            limit.take("a", 0.5)
    limit.take("a", 1.0)


def test_what_is_left():
    """Whole calls, and the seconds until all are left again; who has not asked yet has all."""
    limit = calls.RateLimit(0.5, 3)

    def headers(now):
        return [limit.headers("a", now)[f"RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset")]

    assert headers(0.0) == ["3", "3", "0"]
    limit.take("a", 0.0)
    limit.take("a", 0.0)
    assert [headers(0.0), headers(1.0), headers(2.0), headers(9.0)] == [
        ["3", "1", "4"],
        ["3", "1", "3"],
        ["3", "2", "2"],
        ["3", "3", "0"],
    ]
    limit.take("a", 0.0)
    with pytest.raises(errors.ApiError) as caught:
        limit.take("a", 0.0)
    assert caught.value.headers == {"Retry-After": "2", **limit.headers("a", 0.0)}
    assert calls.RateLimit(0.0, 3).headers("a", 0.0) == {}


def test_no_limit():
    """Without a rate nobody is refused."""
    limit = calls.RateLimit(0.0, 0)
    for _ in range(1000):
        limit.take("a", 0.0)


@given(strategies.lists(strategies.floats(0, 100), min_size=1, max_size=60), strategies.floats(0.1, 5), strategies.integers(1, 5))
def test_never_more_than_the_rate(times, rate, burst):
    """In any time no more is let through than the burst and what flows in."""
    limit = calls.RateLimit(rate, burst)
    taken = []
    for now in sorted(times):
        try:
            limit.take("a", now)
        except errors.ApiError:
            continue
        taken.append(now)
    for index, start in enumerate(taken):
        for count, end in enumerate(taken[index:], 1):
            assert count <= burst + (end - start) * rate + 1e-6


def test_memory_is_bounded():
    """Callers without number do not fill the memory: the first is forgotten, and may call again."""
    limit = calls.RateLimit(1.0, 1)
    for number in range(10_000):
        limit.take(str(number), 0.0)
    with pytest.raises(errors.ApiError):
        limit.take("0", 0.0)
    limit.take("10000", 0.0)
    limit.take("0", 0.0)


@pytest.mark.parametrize(
    ("sent_id", "kept"),
    [("abc", True), ("a" * 128, True), ("a b", True), ("", False), ("a" * 129, False), ("a\n", False), ("é", False)],
)
def test_request_id(sent_id, kept):
    """A caller's id is kept where it can stand in a header and a log."""
    assert (calls.request_id(sent_id) == sent_id) == kept
    assert calls.request_id(sent_id)
