"""History: the message that an operation writes, and how it is read."""

from __future__ import annotations

import getpass
import json
import os
import pathlib
from typing import Any

import pytest

from planton.config import settings
from planton.engine import plans, stacks, stored
from planton.schema import references
from planton.state import history
from support import world

KEY = references.Key("CivoVpc", "dev", "net")


def _plan(*differences: plans.Difference) -> plans.Plan:
    return plans.Plan(
        (plans.Change("urn:a::network", "network", "civo:index/network:Network", plans.Action.UPDATE, differences),)
    )


def _update(message: str, **more: Any) -> dict[str, Any]:
    times = {"startTime": "2025-06-03T09:12:44.000Z", "endTime": "2025-06-03T09:12:51.000Z"}
    return {"kind": "update", "message": message, "result": "succeeded", "version": 3, **times, **more}


def test_the_message_of_an_operation_can_be_parsed() -> None:
    """It contains the user, the operation and the changes with old and new values."""
    message = history.message(
        "apply", KEY, _plan(plans.Difference("label", "a", "b"), plans.Difference("tags", None, ["x", "y"]))
    )
    entry = history.parse(_update(message, resourceChanges={"update": 1, "same": 2}))
    assert "@" in entry.user
    assert (entry.operation, entry.result, entry.version) == ("apply", "succeeded", 3)
    assert entry.changes == ("update network (label: a → b, tags: (unset) → ['x', 'y'])",)
    assert entry.counts == {"update": 1}
    assert (entry.started, entry.ended) == ("2025-06-03T09:12:44Z", "2025-06-03T09:12:51Z")


def test_an_operation_without_known_changes_has_none() -> None:
    """Examples are an apply that only refreshed, and a refresh without a plan."""
    assert history.parse(_update(history.message("apply", KEY, plans.Plan()))).changes == ()
    assert history.parse(_update(history.message("refresh", KEY, None), kind="refresh")).changes == ()


def test_an_apply_that_changed_nothing_in_the_cloud_counts_nothing() -> None:
    """Another folder, or a label of the manifest, changes only planton's record in the stack."""
    assert history.parse(_update(history.message("apply", KEY, plans.Plan()), resourceChanges={"update": 1})).counts == {}
    assert history.parse(_update(history.message("apply", KEY, None), resourceChanges={"update": 1})).counts == {"update": 1}


def test_a_refresh_before_an_operation_is_listed_as_a_refresh() -> None:
    """It carries the message of the operation, but changed nothing in the cloud."""
    entry = history.parse(_update(history.message("apply", KEY, _plan()), kind="refresh"))
    assert (entry.operation, entry.changes) == ("refresh", ("before apply",))


@pytest.mark.parametrize(
    ("update", "operation", "changes"),
    [
        (_update("Add a\nnetwork"), "update", ("Add a network",)),
        (_update(""), "update", ()),
        ({"kind": "destroy", "message": None}, "destroy", ()),
    ],
)
def test_messages_of_other_programs_are_shown_unchanged(update: dict[str, Any], operation: str, changes: tuple[str, ...]) -> None:
    """Older releases and plain Pulumi do not name the user."""
    entry = history.parse(update)
    assert (entry.user, entry.operation, entry.changes) == ("", operation, changes)


def test_a_user_without_a_name_is_reported_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers often run with a user id that has no name."""

    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr(getpass, "getuser", nameless)
    assert history.message("apply", KEY, None).startswith(f"{os.getuid()}@")


def test_a_message_fits_the_limit_of_the_backends() -> None:
    """Long values are cut, and so is the whole message."""
    message = history.message("apply", KEY, _plan(*(plans.Difference(f"field{index}", "a" * 200, "b") for index in range(40))))
    assert len(message) <= 1000
    assert "a" * 61 not in message
    assert history.parse(_update(message)).changes[0].endswith("…")


@pytest.mark.parametrize(
    "update", [None, 1, [], {"message": 5}, {"resourceChanges": {"create": "x"}}, {"resourceChanges": 3}, {"startTime": 10**20}]
)
def test_a_damaged_entry_is_shown_as_damaged(update: Any) -> None:
    """It does not hide the other entries."""
    assert history.parse(update).result == history.DAMAGED


def test_the_history_of_a_folder_is_read_from_its_files(tmp_path: pathlib.Path) -> None:
    """Newest first, without Pulumi; a damaged file is one damaged entry with its path."""
    name = stacks.StackName("planton", "dev.CivoVpc.net")
    folder = tmp_path / "state" / ".pulumi"
    entries = folder / "history" / name.project / name.stack
    entries.mkdir(parents=True)
    (folder / "stacks" / name.project).mkdir(parents=True)
    (folder / "stacks" / name.project / f"{name.stack}.json").write_text("{}", "utf-8")
    update = _update(history.message("apply", KEY, _plan()), startTime=1796076634, endTime=1796076636)
    (entries / f"{name.stack}-1.history.json").write_text(json.dumps(update), "utf-8")
    (entries / f"{name.stack}-1.checkpoint.json").write_text("{}", "utf-8")
    (entries / f"{name.stack}-2.history.json").write_text("{", "utf-8")
    stack = stored.StoredStack(name, settings.Settings(environ={"PLANTON_DATA_DIR": str(tmp_path)}), world.TOOLS)
    damaged, apply = history.read(stack, 10)
    assert damaged.result == history.DAMAGED
    assert f"{name.stack}-2.history.json" in damaged.changes[0]
    assert (apply.operation, apply.started) == ("apply", "2026-11-30T22:10:34Z")
    assert len(history.read(stack, 1)) == 1
