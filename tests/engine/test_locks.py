"""Locks of a backend that is a folder: their holders, and how stale ones are removed."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import socket
import subprocess
from typing import Any

import pytest

from planton import errors
from planton.config import settings
from planton.engine import locks, stacks, toolchain
from planton.state import stores

NAME = stacks.StackName("planton", "dev.CivoVpc.net")
HERE = socket.gethostname()


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat()


def _dead() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def _put(folder: pathlib.Path, content: object, name: str = "lock.json") -> pathlib.Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


def _lock(process: int, host: str = HERE, timestamp: str | None = None) -> dict[str, Any]:
    return {"pid": process, "username": "ann", "hostname": host, "timestamp": timestamp or _now()}


def test_the_lock_of_a_process_that_has_ended_is_removed(tmp_path: pathlib.Path) -> None:
    """The process ran on this machine. A line reports the removal."""
    process = _dead()
    path = _put(tmp_path, _lock(process))
    messages: list[str] = []
    locks.release_stale(tmp_path, "a/b", messages.append)
    assert not path.exists()
    assert messages == [f"the lock of a/b was held by process {process} on {HERE}, which has ended; it is removed"]


def test_a_lock_older_than_the_process_is_removed(tmp_path: pathlib.Path) -> None:
    """The system may reuse the id of an ended process."""
    path = _put(tmp_path, _lock(os.getpid(), timestamp="2001-02-03T04:05:06Z"))
    locks.release_stale(tmp_path, "a/b", lambda _line: None)
    assert not path.exists()


@pytest.mark.parametrize(
    "content",
    [_lock(os.getpid()), _lock(1, "elsewhere"), _lock(os.getpid(), timestamp="?")],
    ids=["here", "elsewhere", "no time"],
)
def test_the_lock_of_a_process_that_may_be_running_stays(content: dict[str, Any], tmp_path: pathlib.Path) -> None:
    """Processes of another machine cannot be checked."""
    path = _put(tmp_path, content)
    locks.release_stale(tmp_path, "a/b", lambda _line: pytest.fail("the lock must stay"))
    assert path.exists()


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"pid": "x", "hostname": "h"}', '{"pid": 0, "hostname": "h"}', '{"pid": 1e99, "hostname": "h"}'],
)
def test_a_damaged_lock_is_an_error_with_its_path_and_the_command_to_remove_it(content: str, tmp_path: pathlib.Path) -> None:
    """A power cut leaves an empty file. The engine would only report an early end of JSON."""
    path = _put(tmp_path, content)
    with pytest.raises(errors.PlantonError, match="empty or damaged") as caught:
        locks.release_stale(tmp_path, "a/b", lambda _line: None)
    assert (caught.value.code, caught.value.reason) == (errors.Code.LOCKED, errors.Reason.STACK_LOCKED)
    assert str(path) in caught.value.message
    assert "planton state unlock --stack a/b" in caught.value.hint
    assert path.exists()


@pytest.fixture
def states(tmp_path: pathlib.Path) -> stores.Stores:
    """The states of a backend that is an empty folder, without Pulumi."""
    config = settings.Settings(environ={"PLANTON_DATA_DIR": str(tmp_path / "data")})
    return stores.Stores(config, toolchain.Toolchain(pathlib.Path("pulumi"), tmp_path, frozenset()))


def _folder(states: stores.Stores) -> pathlib.Path:
    return states.settings.data / "state" / ".pulumi" / "locks" / "organization" / NAME.project / NAME.stack


@pytest.mark.parametrize("content", ["", json.dumps(_lock(1, "elsewhere"))], ids=["damaged", "elsewhere"])
def test_a_stack_with_only_a_lock_is_listed_and_unlocked(content: str, states: stores.Stores) -> None:
    """A killed first operation leaves no state."""
    path = _put(_folder(states), content)
    (listed,) = states.all()
    assert (listed.name, listed.clean, listed.problem, len(listed.holders)) == (NAME, False, "", 1)
    states.unlock(NAME, force=False)
    assert not path.exists()
    assert states.all() == []


def test_the_lock_of_a_running_process_is_removed_only_by_force(states: stores.Stores) -> None:
    """Two concurrent operations damage a state."""
    path = _put(_folder(states), _lock(os.getpid()))
    with pytest.raises(errors.PlantonError, match=f"held by process {os.getpid()}"):
        states.unlock(NAME, force=False)
    assert path.exists()
    states.unlock(NAME, force=True)
    assert not path.exists()


def test_only_unfinished_lock_files_are_removed(tmp_path: pathlib.Path) -> None:
    """A full disk leaves an empty temporary file next to the lock. The engine fails on it."""
    for name in ("a.json", "a.json.18ec953be6e9f608.tmp", "notes.tmp"):
        (tmp_path / name).touch()
    locks.remove_unfinished(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "notes.tmp"]
