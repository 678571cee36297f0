"""History: what an operation leaves in it, and what is read from it."""

from __future__ import annotations

import getpass
import os
from typing import Any

import pytest

from planton.engine import plans
from planton.schema import references
from planton.state import history

KEY = references.Key("CivoVpc", "dev", "net")


def _plan(*differences: plans.Difference) -> plans.Plan:
    return plans.Plan(
        (plans.Change("urn:a::network", "network", "civo:index/network:Network", plans.Action.UPDATE, differences),)
    )


def _update(message: str, **more: Any) -> dict[str, Any]:
    times = {"startTime": "2025-06-03T09:12:44.000Z", "endTime": "2025-06-03T09:12:51.000Z"}
    return {"kind": "update", "message": message, "result": "succeeded", "version": 3, **times, **more}


def test_what_is_said_of_an_operation_is_read_again() -> None:
    """Who, what and which changes, with their old and new values."""
    said = history.message("apply", KEY, _plan(plans.Difference("label", "a", "b"), plans.Difference("tags", None, ["x", "y"])))
    found = history.parse(_update(said, resourceChanges={"update": 1, "same": 2}))
    assert "@" in found.who
    assert (found.operation, found.result, found.version) == ("apply", "succeeded", 3)
    assert found.changes == ("update network (label: a → b, tags: (unset) → ['x', 'y'])",)
    assert found.counts == {"update": 1}
    assert (found.started, found.ended) == ("2025-06-03T09:12:44Z", "2025-06-03T09:12:51Z")


def test_no_changes_and_unknown_ones_are_none() -> None:
    """An apply that only refreshed, and a refresh whose plan nobody made."""
    assert history.parse(_update(history.message("apply", KEY, plans.Plan()))).changes == ()
    assert history.parse(_update(history.message("refresh", KEY, None), kind="refresh")).changes == ()


def test_an_apply_that_changed_nothing_in_the_cloud_counts_nothing() -> None:
    """Another folder, or a label of the manifest, is a change of planton's own record in the stack."""
    assert history.parse(_update(history.message("apply", KEY, plans.Plan()), resourceChanges={"update": 1})).counts == {}
    assert history.parse(_update(history.message("apply", KEY, None), resourceChanges={"update": 1})).counts == {"update": 1}


def test_a_refresh_before_an_operation_is_one() -> None:
    """It has the message of the operation, and changed nothing in the cloud."""
    found = history.parse(_update(history.message("apply", KEY, _plan()), kind="refresh"))
    assert (found.operation, found.changes) == ("refresh", ("before apply",))


@pytest.mark.parametrize(
    ("update", "operation", "changes"),
    [
        (_update("Add a\nnetwork"), "update", ("Add a network",)),
        (_update(""), "update", ()),
        ({"kind": "destroy", "message": None}, "destroy", ()),
    ],
)
def test_what_other_programs_left_is_shown_as_it_is(update: dict[str, Any], operation: str, changes: tuple[str, ...]) -> None:
    """Older releases and plain Pulumi do not say who it was."""
    found = history.parse(update)
    assert (found.who, found.operation, found.changes) == ("", operation, changes)


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers often run as a number that no file of users has."""

    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr(getpass, "getuser", nameless)
    assert history.message("apply", KEY, None).startswith(f"{os.getuid()}@")


def test_a_message_is_not_longer_than_backends_take() -> None:
    """A value is cut, and so is the whole."""
    said = history.message("apply", KEY, _plan(*(plans.Difference(f"field{index}", "a" * 200, "b") for index in range(40))))
    assert len(said) <= 1000
    assert "a" * 61 not in said
    assert history.parse(_update(said)).changes[0].endswith("…")
