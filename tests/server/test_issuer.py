"""The keys of an issuer: fetched when they are needed, and not for each token that names one."""

import asyncio
import types

import jwt
import pytest

from planton_server import issuer


class Issuer:
    """An issuer without a network.

    Attributes:
        names: Of its keys; None while it cannot be reached.
        asked: How often it was asked.
    """

    def __init__(self, *names):
        self.names = names
        self.asked = 0

    def __call__(self):
        self.asked += 1
        if self.names is None:
            raise jwt.PyJWKClientConnectionError("gone")
        return [types.SimpleNamespace(key_id=name) for name in self.names]


@pytest.fixture
def find(loop):
    """Returns the name of the key that is found."""

    def key_id(keys, name, now):
        key = loop.run(keys.find(name, now))
        return key and key.key_id

    return key_id


def test_known_keys_are_fetched_once(find):
    """And again when they have been believed for long enough."""
    source = Issuer("a", "b")
    keys = issuer.Keys(source)
    assert [find(keys, name, 100.0 + number) for number, name in enumerate("abab")] == ["a", "b", "a", "b"]
    assert source.asked == 1
    assert find(keys, "a", 399.0) == "a"
    assert source.asked == 1
    assert find(keys, "a", 400.0) == "a"
    assert source.asked == 2


def test_unknown_keys_are_asked_for_once_in_some_seconds(find):
    """However many tokens name one, and whatever its name is."""
    source = Issuer("a")
    keys = issuer.Keys(source)
    assert [find(keys, f"unknown-{number}", 100.0 + number / 100) for number in range(900)] == [None] * 900
    assert source.asked == 1
    assert [find(keys, "unknown", 110.0), find(keys, "a", 111.0), find(keys, "unknown", 119.0)] == [None, "a", None]
    assert source.asked == 2


def test_rotation(find):
    """A new key is known some seconds later at most, a withdrawn one believed for some minutes at most."""
    source = Issuer("old")
    keys = issuer.Keys(source)
    assert find(keys, "old", 100.0) == "old"
    source.names = ("new",)
    assert find(keys, "new", 109.0) is None
    assert find(keys, "new", 110.0) == "new"
    assert find(keys, "old", 111.0) is None


def test_tokens_at_once_wait_for_one_fetch(loop):
    """Many that come with an empty cache ask the issuer once."""
    source = Issuer("a")
    keys = issuer.Keys(source)

    async def together():
        return await asyncio.gather(*(keys.find("a", 100.0) for _ in range(50)))

    assert {key.key_id for key in loop.run(together())} == {"a"}
    assert source.asked == 1


def test_issuer_that_cannot_be_reached(find):
    """It is asked no more often, nothing is said of unknown keys, and those that were known stay so."""
    source = Issuer("a")
    keys = issuer.Keys(source)
    assert find(keys, "a", 100.0) == "a"
    source.names = None
    assert find(keys, "a", 500.0) == "a"
    for now in (501.0, 509.0, 510.0):
        with pytest.raises(issuer.UnreachableError):
            find(keys, "b", now)
    assert source.asked == 3
    source.names = ("b",)
    assert [find(keys, "b", 520.0), find(keys, "a", 520.0)] == ["b", None]


@pytest.mark.parametrize("error", [ValueError, RecursionError, AttributeError])
def test_answer_that_is_no_set_of_keys(loop, error):
    """Says nothing either: no JSON, nested without an end, of another form."""

    def broken():
        raise error

    with pytest.raises(issuer.UnreachableError):
        loop.run(issuer.Keys(broken).find("a", 100.0))
