"""Cursors of lists: they say where a page ended, and nothing else is one."""

import base64
import json

import pytest
from hypothesis import given, strategies

from planton_server.service import paging
from planton_server.store import lists

ROW = {"created_at": "2026-01-01T00:00:00.000001Z", "id": "550e8400-e29b-41d4-a716-446655440000"}
*_, DIGEST = json.loads(base64.urlsafe_b64decode(paging.token(ROW, lists.Filter()) + "=="))
#: Places under the right filter that no row can have.
FORGED = [
    ("\ud800", ROW["id"]),
    ("a\0", ROW["id"]),
    ("2026-01-01", ROW["id"]),
    (None, ROW["id"]),
    (ROW["created_at"], "\ud800"),
    (ROW["created_at"], "\0"),
    (ROW["created_at"], ROW["id"].upper()),
    (ROW["created_at"], 1),
]
FILTERS = strategies.builds(
    lists.Filter,
    owner=strategies.text(max_size=5),
    cluster_id=strategies.text(max_size=5),
    platform=strategies.sampled_from(["", "gcp", "aws"]),
    phases=strategies.lists(strategies.sampled_from(["Ready", "Failed"])).map(tuple),
    deleting=strategies.booleans(),
)


@given(FILTERS, FILTERS)
def test_cursor_is_of_one_filter(own, other):
    """A cursor leads back to its place under its own filter, and under no other."""
    token = paging.token(ROW, own)
    assert paging.place(token, own) == (ROW["created_at"], ROW["id"])
    if other != own:
        with pytest.raises(ValueError, match="same filters"):
            paging.place(token, other)


@given(strategies.text())
def test_no_text_breaks_the_reading(text):
    """Whatever a caller sends as a cursor is told as none."""
    with pytest.raises(ValueError, match="next_page_token"):
        paging.place(text, lists.Filter())


@pytest.mark.parametrize(
    "data",
    [
        *([created_at, identifier, DIGEST] for created_at, identifier in FORGED), None, 1, [], {}, ["a", "b"], [1, 2, 3], ["a", "b", "c"], {"a": 1, "b": 2, "c": 3}, "abc", [["a"], "b", "c"],
    ],
)  # fmt: skip
def test_forged_cursor(data):
    """JSON of another form is no cursor either."""
    text = base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")
    with pytest.raises(ValueError, match="next_page_token"):
        paging.place(text, lists.Filter())


def test_cursor_can_stand_in_a_query():
    """A cursor needs no escaping in a URL."""
    for number in range(64):
        token = paging.token(ROW | {"id": "x" * number}, lists.Filter(owner=str(number)))
        assert token.replace("-", "").replace("_", "").isalnum()


def test_bottomless_cursor():
    """A cursor of brackets alone is told as none too."""
    text = base64.urlsafe_b64encode(b"[" * 100_000).decode()
    with pytest.raises(ValueError, match="next_page_token"):
        paging.place(text, lists.Filter())
